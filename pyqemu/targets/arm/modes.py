"""AArch32 state: processor modes, banked registers, CPSR, and the mode bits of translation (ARM DDI 0406C.b, B1.3).

Registers of the present mode are R0 to R14 of :mod:`pyqemu.targets.arm.layout`; what other modes have in their place
is in banks. A bank's slot of the mode that is in use is stale.
"""

from __future__ import annotations

from pyqemu.targets.arm.layout import GLOBALS_END

# --- where it lies ----------------------------------------------------------------------------------------------------

Q_FLAG = GLOBALS_END  #: CPSR.Q at its place
GE_FLAGS = GLOBALS_END + 0x08  #: CPSR.GE at its place
SPSR = GLOBALS_END + 0x10  #: of the mode that is in use
TPIDRURO = GLOBALS_END + 0x18
R13_BANK = GLOBALS_END + 0x20  #: by :data:`BANK`
R14_BANK = GLOBALS_END + 0x60
SPSR_BANK32 = GLOBALS_END + 0xA0
R8_BANK = GLOBALS_END + 0xE0  #: R8 to R12: five of all modes but FIQ, five of FIQ
ELR_HYP = GLOBALS_END + 0x130
FPEXC = GLOBALS_END + 0x138
FPSCR_NZCV = GLOBALS_END + 0x140  #: the flags of FPSCR; the rest of it is in FPCR and FPSR of `layout.py`
FPINST, FPINST2 = GLOBALS_END + 0x148, GLOBALS_END + 0x150  #: of VFPv2: nothing but storage
AARCH32_END = GLOBALS_END + 0x200

# --- modes (B1.3.1, table B1-1) ---------------------------------------------------------------------------------------

USR, FIQ, IRQ, SVC, MON, ABT, HYP, UND, SYS = 0x10, 0x11, 0x12, 0x13, 0x16, 0x17, 0x1A, 0x1B, 0x1F
NAMES = {USR: "usr", FIQ: "fiq", IRQ: "irq", SVC: "svc", MON: "mon", ABT: "abt", HYP: "hyp", UND: "und", SYS: "sys"}
BANK = {USR: 0, SYS: 0, FIQ: 1, IRQ: 2, SVC: 3, MON: 4, ABT: 5, HYP: 6, UND: 7}
"""Which bank R13, R14 and SPSR of a mode are in."""


def level(mode: int) -> int:
    """0 for User mode, 2 for Hyp mode, 1 for all others: the privilege level."""
    return 0 if mode == USR else 2 if mode == HYP else 1


def banked(number: int, mode: int) -> int | None:
    """The slot where register 8 to 14 of *mode* is kept while others use its name; None for one that is never banked.

    Hyp mode has R14 of User mode.
    """
    if number == 13:
        return R13_BANK + 8 * BANK[mode]
    if number == 14:
        return R14_BANK + 8 * (0 if mode == HYP else BANK[mode])
    if 8 <= number <= 12:
        return R8_BANK + 8 * (number - 8 + (5 if mode == FIQ else 0))
    return None


X15_TO_X30 = (
    R13_BANK + 8 * BANK[HYP],
    *(bank + 8 * BANK[mode] for mode in (IRQ, SVC, ABT, UND) for bank in (R14_BANK, R13_BANK)),
    *(R8_BANK + 8 * (number + 5) for number in range(5)), R13_BANK + 8 * BANK[FIQ], R14_BANK + 8 * BANK[FIQ],
)  # fmt: skip
"""What these registers of AArch64 state are in AArch32 state (ARM DDI 0487A.f, D1.20.1, table D1-70)."""


def x_register(number: int, mode: int) -> int | None:
    """Which X register R0 to R14 of *mode* is in AArch64 state; None for those of Monitor mode, which are none."""
    slot = banked(number, mode)
    if slot in X15_TO_X30:
        return X15_TO_X30.index(slot) + 15
    return number if slot == banked(number, USR) else None


# --- CPSR (B1.3.3) ----------------------------------------------------------------------------------------------------

CPSR_Q, CPSR_J, CPSR_E, CPSR_A, CPSR_I, CPSR_F, CPSR_T = 1 << 27, 1 << 24, 1 << 9, 1 << 8, 1 << 7, 1 << 6, 1 << 5
CPSR_GE, CPSR_AIF, CPSR_M = 0xF << 16, CPSR_A | CPSR_I | CPSR_F, 0x1F
CPSR_IT = 3 << 25 | 0x3F << 10


def it_of(cpsr: int) -> int:
    """ITSTATE of a CPSR (A2.5.2)."""
    return cpsr >> 25 & 3 | cpsr >> 8 & 0xFC


def it_bits(itstate: int) -> int:
    """ITSTATE at its places in the CPSR."""
    return (itstate & 3) << 25 | (itstate & 0xFC) << 8


def advance(itstate: int) -> int:
    """ITSTATE behind an instruction (A2.5.2, "ITAdvance")."""
    return itstate & 0xE0 | itstate << 1 & 0x1F if itstate & 7 else 0


# --- FPSCR (A2.6.3, B4.1.58) ------------------------------------------------------------------------------------------

FPSCR_CONTROL = 0x07F70000  #: AHP, DN, FZ, RMode, Stride, Len: in FPCR
FPSCR_STATUS = 0x0800009F  #: QC, IDC, IXC, UFC, OFC, DZC, IOC: in FPSR
FPSCR_LEN, FPSCR_STRIDE = 7 << 16, 3 << 20
FPSCR_FLUSH = 3 << 24  #: FZ and DN
FPEXC_EN = 1 << 30

# --- mode bits: everything that translation depends on ----------------------------------------------------------------

M_LEVEL = 3  #: the privilege level; FETCH_TABLES is looked up with it
M_VFP_OFF = 1 << 3  #: VFP and NEON instructions are undefined here (CPACR, NSACR, FPEXC.EN)
M_BIG_ENDIAN = 1 << 5  #: CPSR.E
M_ALIGN = 1 << 6  #: unaligned accesses fault (SCTLR.A)
M_ROTATE = 1 << 7  #: unaligned loads of words rotate (SCTLR.U is 0: ARMv5 and before, and ARMv6 if so set)
M_CPACR = 3 << 8  #: access to coprocessors 10 and 11 (CPACR)
M_LEN_SHIFT = 11
M_LEN = 7 << M_LEN_SHIFT  #: FPSCR.LEN: how many elements short vectors have, less 1
M_AARCH32 = 1 << 15  #: always set; the same bit tells AArch64 that this is not its state
M_MODE_SHIFT = 16
M_MODE = 0xF << M_MODE_SHIFT  #: CPSR.M without its top bit, which is always 1
M_THUMB = 1 << 20
M_STRIDE = 1 << 21  #: FPSCR.STRIDE is 0b11: elements of short vectors are two registers apart
M_NO_SETEND = 1 << 22  #: SETEND is UNDEFINED (SCTLR.SED of ARMv8)
M_PLAIN_IT = 1 << 23  #: IT is for one plain instruction of 16 bits (SCTLR.ITD of ARMv8)
M_IT_SHIFT = 24
M_IT = 0xFF << M_IT_SHIFT  #: ITSTATE
LEVEL_MMU = (1, 0, 2, 3)  #: mmu index by privilege level
