"""What a hypervisor is told of an access that its tables do not map, so that it can act for its guest (ARM DDI 0487A.f,
D7.2.24, ISS of a data abort: ISV, SAS, SSE, SRT, SF, AR)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.aarch32 import Aarch32State

ISV, SF, AR = 1 << 24, 1 << 15, 1 << 14
LITERAL_SIZES = (2, 3, 2)


def described(word: int) -> int:
    """The bits of the syndrome that describe an instruction: one that loads or stores a single general register, and
    changes no other; 0 for all others."""
    if word & 0x3B00_0000 == 0x3900_0000 or _is_unscaled(word) or word & 0x3B20_0C00 == 0x3820_0800:
        return _plain(word)
    if word & 0x3FA0_8000 == 0x0880_8000:  # LDAR, STLR
        size = word >> 30
        return _bits(word, size, signed=False, wide=size == 3) | AR
    if word & 0x3F00_0000 == 0x1800_0000 and word >> 30 < 3:  # LDR (literal)
        kind = word >> 30
        return _bits(word, LITERAL_SIZES[kind], signed=kind == 2, wide=kind > 0)
    return 0


def _is_unscaled(word: int) -> bool:
    """LDUR, STUR, LDTR, STTR: with a small offset, and no writeback."""
    return word & 0x3B20_0000 == 0x3800_0000 and not word & 1 << 10


def _plain(word: int) -> int:
    """LDR and STR of all sizes; PRFM has nothing to describe. Vector registers do not come here: they have bit 26."""
    if word & 1 << 26:
        return 0
    size, opc = word >> 30, word >> 22 & 3
    if size == 3 and opc > 1:
        return 0
    return _bits(word, size, signed=opc > 1, wide=size == 3 if opc < 2 else opc == 2)


def _bits(word: int, size: int, *, signed: bool, wide: bool) -> int:
    return ISV | size << 22 | signed << 21 | (word & 31) << 16 | (SF if wide else 0)


# --- AArch32 state ----------------------------------------------------------------------------------------------------

PC = 15
BYTE, HALFWORD, WORD = 0, 1, 2
SIGNED = 1 << 2
REGISTER_OFFSET = (WORD, HALFWORD, BYTE, BYTE | SIGNED, WORD, HALFWORD, BYTE, HALFWORD | SIGNED)
"""Of the 16-bit instructions, by bits 11 to 9."""
ACQUIRE_RELEASE = {0b00: WORD, 0b10: BYTE, 0b11: HALFWORD}  #: LDA and STL of A32, by bits 22 and 21
Access = tuple[int, int, int]
"""Size and sign, register, and AR."""


def described_32(state: Aarch32State) -> int:
    """The same of the present instruction in AArch32 state; the register is the one that AArch64 state has for it."""
    code = state.code()
    if not state.thumb:
        found = _of_a32(int.from_bytes(code, "little"))
    elif len(code) == 2:
        found = _of_t16(int.from_bytes(code, "little"))
    else:
        found = _of_t32(int.from_bytes(code[:2], "little"), int.from_bytes(code[2:], "little"))
    if found is None or found[1] == PC:
        return 0
    kind, register, order = found
    return ISV | (kind & 3) << 22 | (1 << 21 if kind & SIGNED else 0) | state.view(register) << 16 | order


def _of_a32(word: int) -> Access | None:
    """Without writeback there are P = 1 and W = 0 (ARM DDI 0406C.b, A5.2.8, A5.3)."""
    register, load = word >> 12 & 15, word >> 20 & 1
    if word >> 28 == 15:
        return None
    if word & 0x0F80_0FF0 == 0x0180_0C90 and word >> 21 & 3 in ACQUIRE_RELEASE:
        return ACQUIRE_RELEASE[word >> 21 & 3], register if load else word & 15, AR
    if not word & 1 << 24 or word & 1 << 21:
        return None
    if word & 0x0C00_0000 == 0x0400_0000 and not (word & 1 << 25 and word & 1 << 4):
        return BYTE if word & 1 << 22 else WORD, register, 0
    if word & 0x0E00_0090 == 0x0000_0090:
        kind = word >> 5 & 3
        if kind == 1:
            return HALFWORD, register, 0
        if kind > 1 and load:
            return (BYTE if kind == 2 else HALFWORD) | SIGNED, register, 0
    return None


def _of_t16(word: int) -> Access | None:
    """ARM DDI 0406C.b, A6.2.4."""
    low, high = word & 7, word >> 8 & 7
    top = word >> 12
    if top == 5:
        return REGISTER_OFFSET[word >> 9 & 7], low, 0
    if top in (6, 7):
        return BYTE if top == 7 else WORD, low, 0
    if top == 8:
        return HALFWORD, low, 0
    if top == 9 or word >> 11 == 9:
        return WORD, high, 0
    return None


def _of_t32(first: int, second: int) -> Access | None:
    """ARM DDI 0406C.b, A6.3.7 to A6.3.10; for LDA and STL ARM DDI 0487A.f, F3.3.8."""
    register, size = second >> 12, first >> 5 & 3
    if first & 0xFFE0 == 0xE8C0 and second & 0x0FCF == 0x0F8F and second >> 4 & 3 < 3:
        return second >> 4 & 3, register, AR
    if first >> 9 != 0x7C or size == 3:
        return None
    with_offset = second & 0x0D00 == 0x0C00 or not second & 0x0FC0
    if not (first & 1 << 7 or first & 15 == PC or with_offset):
        return None
    return size | (SIGNED if first & 1 << 8 else 0), register, 0
