"""The configuration EEPROM of the card: 64 words behind a three-wire interface (Microwire, 93C46).

The guest drives chip select, clock and data input by bits of the register EECD and looks at the data output in the same
register (Intel 317453, 5.3.1 and 13.4.3); or it lets the card do that, by the register EERD.
"""

from __future__ import annotations

WORDS = 64
CHECKSUM_WORD, CHECKSUM = 0x3F, 0xBABA
DEVICE_ID_WORDS = (11, 13)
READ = 6  # start bit and opcode
HEADER_BITS = 9  # start bit, opcode, six bits of address

SK, CS, DI, DO, FWE, REQ, GNT, PRES = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 3 << 4, 1 << 6, 1 << 7, 1 << 8
KEPT = SK | CS | DI | FWE | REQ

# fmt: off
CONTENTS = (
    0x0000, 0x0000, 0x0000, 0x0000, 0xFFFF, 0x0000, 0x0000, 0x0000,  # 0: the address
    0x3000, 0x1000, 0x6403, 0x0000, 0x8086, 0x0000, 0x8086, 0x3040,  # 8: part number; subsystem and device
    0x0008, 0x2000, 0x7E14, 0x0048, 0x1000, 0x00D8, 0x0000, 0x2700,  # 16
    0x6CC9, 0x3150, 0x0722, 0x040B, 0x0984, 0x0000, 0xC000, 0x0706,  # 24
    0x1008, 0x0000, 0x0F04, 0x7FFF, 0x4D01, 0xFFFF, 0xFFFF, 0xFFFF,  # 32
    *(8 * (0xFFFF,)),                                                # 40
    0x0100, 0x4000, 0x121C, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF,  # 48: PXE
    *(7 * (0xFFFF,)), 0x0000,                                        # 56: the checksum
)
# fmt: on
"""The words of QEMU's card, without what depends on the card."""


def contents(address: bytes, device_id: int) -> list[int]:
    """The words of a card with that address; all of them add up to BABAh."""
    words = list(CONTENTS)
    for index in range(3):
        words[index] = int.from_bytes(address[2 * index : 2 * index + 2], "little")
    for index in DEVICE_ID_WORDS:
        words[index] = device_id
    words[CHECKSUM_WORD] = (CHECKSUM - sum(words[:CHECKSUM_WORD])) & 0xFFFF
    return words


class Eeprom:
    """The chip and its shift registers. The guest can only read it.

    :ivar data: its words
    :ivar val_in: what was clocked in since the chip was selected
    :ivar bitnum_in: how many bits that were
    :ivar bitnum_out: of all its bits, the one at the output
    :ivar reading: whether a read command was clocked in
    :ivar old_eecd: what the guest wrote to EECD
    """

    def __init__(self, data: list[int]) -> None:
        self.data = data
        self.val_in = 0
        self.bitnum_in = 0
        self.bitnum_out = 0
        self.reading = 0
        self.old_eecd = 0

    def read_register(self) -> int:
        """EECD, with the output bit; without a read command it is high, as an idle chip says that it is ready."""
        word = self.data[self.bitnum_out >> 4 & WORDS - 1]
        bit = not self.reading or word >> (15 - (self.bitnum_out & 15)) & 1
        return PRES | GNT | self.old_eecd | (DO if bit else 0)

    def write_register(self, value: int) -> None:
        """EECD. Bits go in with the rising edge of the clock, and out with the falling one."""
        changed = value ^ self.old_eecd
        self.old_eecd = value & KEPT
        if not value & CS:
            return
        if changed & CS:
            self.val_in = self.bitnum_in = self.bitnum_out = self.reading = 0
        if not changed & SK:
            return
        if not value & SK:
            self.bitnum_out = (self.bitnum_out + 1) & 0xFFFF
            return
        self.val_in = (self.val_in << 1 | bool(value & DI)) & 0xFFFF_FFFF
        self.bitnum_in = (self.bitnum_in + 1) & 0xFFFF
        if self.bitnum_in == HEADER_BITS and not self.reading:
            self._command()

    def _command(self) -> None:
        """A dummy bit comes before the first of the word, so the output is one bit before it."""
        self.bitnum_out = ((self.val_in & WORDS - 1) << 4) - 1 & 0xFFFF
        self.reading = int(self.val_in >> 6 & 7 == READ)
