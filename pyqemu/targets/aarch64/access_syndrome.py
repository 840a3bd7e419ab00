"""What a hypervisor is told of an access that its tables do not map, so that it can act for its guest (ARM DDI 0487A.f,
D7.2.24, ISS of a data abort: ISV, SAS, SSE, SRT, SF, AR)."""

from __future__ import annotations

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
