"""The registers of the Intel 8254x family, by their byte offsets, and what can be read and written of them.

Names and offsets are those of the *PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual* (Intel
317453), section 13. Which of the rarely used ones answer at all is as in QEMU.
"""

from __future__ import annotations

SPACE = 0x20000
"""Bytes of the register space."""

# fmt: off
CTRL, STATUS, EECD, EERD, MDIC, VET = 0x0000, 0x0008, 0x0010, 0x0014, 0x0020, 0x0038
ICR, ITR, ICS, IMS, IMC             = 0x00C0, 0x00C4, 0x00C8, 0x00D0, 0x00D8
RCTL, TCTL, AIT, LEDCTL, PBA        = 0x0100, 0x0400, 0x0458, 0x0E00, 0x1000
RDFH, RDFT, RDFHS, RDFTS, RDFPC     = 0x2410, 0x2418, 0x2420, 0x2428, 0x2430
RDBAL, RDBAH, RDLEN, RDH, RDT       = 0x2800, 0x2804, 0x2808, 0x2810, 0x2818
RDTR, RADV                          = 0x2820, 0x282C
TDFH, TDFT, TDFHS, TDFTS, TDFPC     = 0x3410, 0x3418, 0x3420, 0x3428, 0x3430
TDBAL, TDBAH, TDLEN, TDH, TDT       = 0x3800, 0x3804, 0x3808, 0x3810, 0x3818
TXDCTL, TADV                        = 0x3828, 0x382C
MTA, RA, VFTA                       = 0x5200, 0x5400, 0x5600
WUC, WUFC, WUS, MANC, IPAV          = 0x5800, 0x5808, 0x5810, 0x5820, 0x5838
IP4AT, IP6AT, WUPM, FFLT            = 0x5840, 0x5880, 0x5A00, 0x5F00
SWSM, FFMT, FFVT, PBM               = 0x5B50, 0x9000, 0x9800, 0x10000

MPC, FCRUC                          = 0x4010, 0x4058
PRC64, GPRC, BPRC, MPRC, GPTC       = 0x405C, 0x4074, 0x4078, 0x407C, 0x4080
GORCL, GORCH, GOTCL, GOTCH          = 0x4088, 0x408C, 0x4090, 0x4094
RNBC, RUC, ROC                      = 0x40A0, 0x40A4, 0x40AC
TORL, TORH, TOTL, TOTH, TPR, TPT    = 0x40C0, 0x40C4, 0x40C8, 0x40CC, 0x40D0, 0x40D4
PTC64, MPTC, BPTC, TSCTC            = 0x40D8, 0x40F0, 0x40F4, 0x40F8

IOADDR = 0xFFFC
# fmt: on
"""The address for the indirect access by ports. It is in no memory space; its value is kept in this reserved place of
the register file, which a saved state contains as a whole."""

CTRL_RST, CTRL_VME = 1 << 26, 1 << 30
STATUS_LU = 1 << 1

EERD_START, EERD_DONE = 1 << 0, 1 << 4
EERD_ADDRESS, EERD_DATA = 8, 16  # where these fields begin

MDIC_DATA, MDIC_REGISTER, MDIC_PHY = 0xFFFF, 16, 21
MDIC_WRITE, MDIC_READ, MDIC_READY = 1 << 26, 1 << 27, 1 << 28
MDIC_INTERRUPT, MDIC_ERROR = 1 << 29, 1 << 30

ICR_TXDW, ICR_TXQE, ICR_LSC, ICR_RXDMT0 = 1 << 0, 1 << 1, 1 << 2, 1 << 4
ICR_RXO, ICR_RXT0, ICR_MDAC = 1 << 6, 1 << 7, 1 << 9

RCTL_EN, RCTL_SBP, RCTL_UPE, RCTL_MPE, RCTL_LPE = (1 << bit for bit in (1, 2, 3, 4, 5))
RCTL_LBM, RCTL_LBM_MAC = 3 << 6, 1 << 6
RCTL_RDMTS, RCTL_MO = 8, 12  # where these fields of two bits begin
RCTL_BAM, RCTL_BSIZE, RCTL_VFE = 1 << 15, 16, 1 << 18
RCTL_BSEX, RCTL_SECRC = 1 << 25, 1 << 26

TCTL_EN = 1 << 1
RAH_AV = 1 << 31

RESET_VALUES = {
    CTRL: 0x0014_0240,  # software pins 0 and 2, speed 1000, set link up
    STATUS: 0x8008_0783,  # link up, full duplex, speed 1000
    LEDCTL: 0x0000_0602,
    PBA: 0x0010_0030,  # 48 KiB to receive, 16 KiB to transmit
    MANC: 0x0022_2300,
}

MASKS = {
    EERD: 0xFFFF_FFFF, VET: 0xFFFF_FFFF, LEDCTL: 0xFFFF_FFFF, PBA: 0xFFFF_FFFF, TXDCTL: 0xFFFF_FFFF,
    WUFC: 0xFFFF_FFFF, SWSM: 0xFFFF_FFFF,
    RDBAL: 0xFFFF_FFFF, RDBAH: 0xFFFF_FFFF, TDBAL: 0xFFFF_FFFF, TDBAH: 0xFFFF_FFFF,
    RDLEN: 0xF_FF80, TDLEN: 0xF_FF80, RDH: 0xFFFF, TDH: 0xFFFF, RDT: 0xFFFF, TDT: 0xFFFF,
}  # fmt: skip
"""The bits that are kept of registers that can be written and read back without further ado."""

MITIGATION_MASKS = {ITR: 0xFFFF, RDTR: 0xFFFF, RADV: 0xFFFF, TADV: 0xFFFF}
"""Likewise, of those that are there for interrupt mitigation."""

EXTRA_MASKS = {
    AIT: 0xFFFF, FCRUC: 0xFFFF_FFFF, WUC: 0xFFFF_FFFF, WUS: 0xFFFF_FFFF, IPAV: 0xFFFF_FFFF,
    RDFH: 0x1FFF, RDFT: 0x1FFF, RDFHS: 0x1FFF, RDFTS: 0x1FFF, RDFPC: 0x1FFF,
    TDFH: 0x07FF, TDFT: 0x07FF, TDFHS: 0x1FFF, TDFTS: 0x1FFF, TDFPC: 0x1FFF,
}  # fmt: skip
"""Likewise, of those that the property ``extra_mac_registers`` takes away."""

BLOCKS = ((RA, 32, 0xFFFF_FFFF), (MTA, 128, 0xFFFF_FFFF), (VFTA, 128, 0xFFFF_FFFF))
EXTRA_BLOCKS = (
    (IP6AT, 4, 0xFFFF_FFFF), (IP4AT, 7, 0xFFFF_FFFF), (FFLT, 7, 0x07FF), (WUPM, 32, 0xFFFF_FFFF),
    (FFMT, 255, 0x000F), (FFVT, 255, 0xFFFF_FFFF), (PBM, 0x4000, 0xFFFF_FFFF),
)  # fmt: skip
"""Arrays: offset, words, bits that are kept."""

READABLE = (STATUS, IMS, ICS, TORL, TOTL, MANC, CTRL, MDIC, RCTL, TCTL)
"""Those that can be read, and are not simply written."""

CLEARED_BY_READ: dict[int, tuple[int, ...]] = {offset: (offset,) for offset in (GPRC, GPTC, TPR, TPT, MPC)}
CLEARED_BY_READ |= {TORH: (TORH, TORL), TOTH: (TOTH, TOTL)}
EXTRA_CLEARED_BY_READ: dict[int, tuple[int, ...]] = {
    offset: (offset,)
    for offset in (*range(PRC64, GPRC, 4), *range(PTC64, MPTC, 4), BPRC, MPRC, MPTC, BPTC, RNBC, RUC, ROC, TSCTC)
}
EXTRA_CLEARED_BY_READ |= {GORCH: (GORCH, GORCL), GOTCH: (GOTCH, GOTCL)}
"""Counters, and what else reading one clears. Those of events that never happen here (collisions, errors of the line)
read zero, as does what is not there.
"""


def writable(*, mitigation: bool, extra: bool) -> dict[int, int]:
    """The bits that are kept of each register that is simply written."""
    found = dict(MASKS)
    if mitigation:
        found |= MITIGATION_MASKS
    if extra:
        found |= EXTRA_MASKS
    for first, count, mask in (*BLOCKS, *EXTRA_BLOCKS) if extra else BLOCKS:
        found |= dict.fromkeys(range(first, first + 4 * count, 4), mask)
    return found


def readable(*, mitigation: bool, extra: bool) -> dict[int, int]:
    """The bits that can be seen of each register that is simply read."""
    found = dict.fromkeys((*READABLE, GORCL, GOTCL) if extra else READABLE, 0xFFFF_FFFF)
    return found | writable(mitigation=mitigation, extra=extra)


def cleared_by_read(*, extra: bool) -> dict[int, tuple[int, ...]]:
    """For each counter that a read clears, what it clears."""
    return CLEARED_BY_READ | EXTRA_CLEARED_BY_READ if extra else CLEARED_BY_READ


class MacRegisters:
    """All words of the register space, by byte offset.

    :ivar words: their values
    """

    def __init__(self) -> None:
        self.words = [0] * (SPACE // 4)

    def __getitem__(self, offset: int) -> int:
        return self.words[offset >> 2]

    def __setitem__(self, offset: int, value: int) -> None:
        self.words[offset >> 2] = value

    def reset(self) -> None:
        """As after power-on, all but the card's address."""
        self.words[:] = bytes(len(self.words))
        for offset, value in RESET_VALUES.items():
            self[offset] = value

    def count(self, offset: int, amount: int = 1) -> None:
        """Let a counter go up, until it is full."""
        self[offset] = min(self[offset] + amount, 0xFFFF_FFFF)

    def count_wide(self, offset: int, amount: int) -> None:
        """The same for one of 64 bits whose low half is at *offset*."""
        total = min((self[offset + 4] << 32 | self[offset]) + amount, 0xFFFF_FFFF_FFFF_FFFF)
        self[offset], self[offset + 4] = total & 0xFFFF_FFFF, total >> 32

    def count_size(self, first: int, size: int) -> None:
        """Count a frame of *size* bytes, its checksum included, in one of the six counters from *first* on: 64, 127,
        255, 511, 1023 and more bytes.
        """
        limits = (64, 127, 255, 511, 1023)
        if size >= limits[0]:
            self.count(first + 4 * sum(size > limit for limit in limits))

    def limit(self) -> None:
        """Cut off bits that registers do not have, which a state from elsewhere may bring along."""
        for offset, mask in (*MASKS.items(), *MITIGATION_MASKS.items()):
            self[offset] &= mask
