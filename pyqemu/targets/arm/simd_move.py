"""Stages that move and rearrange vector registers (ARM DDI 0487A.f, C4.4.6: copy, permute, extract, table, immediates).

DDI 0406C.b has them in A7.4.2, A7.4.5 and A7.4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyqemu.targets.arm.simd import LETTERS, M64, Form, constant, finish, target, write
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator


def element_of(imm5: int) -> tuple[int, int] | None:
    """Index and width in bits of the element that the field ``imm5`` names; None if it names none."""
    if not imm5 & 15:
        return None
    scale = (imm5 & -imm5).bit_length() - 1
    return imm5 >> scale + 1, 8 << scale


def wide_element(t: VectorTranslator, number: int, index: int, bits: int, *, signed: bool = False) -> Value:
    """An element as 64 bits."""
    return t.extend(t.element(number, index, bits), 64, signed=signed)


# --- immediates -------------------------------------------------------------------------------------------------------


def expanded_immediate(op: int, cmode: int, imm8: int) -> int:
    """The 64 bits that an immediate stands for (J1.3.5, "AdvSIMDExpandImm")."""
    group = cmode >> 1
    if group < 4:
        word = imm8 << 8 * group
        return word << 32 | word
    if group < 6:
        half = imm8 << 8 * (group - 4)
        return half * 0x0001_0001_0001_0001
    if group == 6:
        word = imm8 << 16 | 0xFFFF if cmode & 1 else imm8 << 8 | 0xFF
        return word << 32 | word
    if not cmode & 1:
        if not op:
            return imm8 * 0x0101_0101_0101_0101
        return sum(0xFF << 8 * bit for bit in range(8) if imm8 >> bit & 1)
    sign, rest = imm8 >> 7, imm8 & 0x3F
    if op:
        return sign << 63 | (0xFF << 54 if imm8 & 0x40 else 1 << 62) | rest << 48
    word = sign << 31 | (0x1F << 25 if imm8 & 0x40 else 1 << 30) | rest << 19
    return word << 32 | word


def modified_immediate(t: VectorTranslator, form: Form, op: int, cmode: int, imm8: int) -> None:
    """MOVI, MVNI, ORR, BIC, FMOV: a register and an immediate."""
    value = expanded_immediate(op, cmode, imm8)
    if op and cmode < 14:
        value = ~value & M64
    out = target(t, form)
    if not cmode & 1 or cmode >= 12:
        t.vec("splat64", value, out=out)
    else:
        t.vec("pand" if op else "por", t.v(form.d), constant(t, 64, value), out=out)
    finish(t, form, out)


# --- rearranged -------------------------------------------------------------------------------------------------------


def extract(t: VectorTranslator, form: Form, first: int) -> None:
    """EXT: the bytes from the *first* on of two vectors, one after the other."""
    if form.whole:
        if first:
            t.vec("palignr_bits", t.v(form.m), t.v(form.n), 8 * first, out=t.v(form.d))
        else:
            t.mov(t.v(form.d), t.v(form.n))
        return
    low = t.v(form.n, 64)
    if first:
        low = low.shr(8 * first) | t.v(form.m, 64).shl(64 - 8 * first)
    t.mov(t.v(form.d, 64), low)
    t.clear_high(form.d)


def zipped(t: VectorTranslator, form: Form, part: int) -> Value:
    """ZIP1, ZIP2: all of two lower halves are 128 bits, whose upper half is ZIP2 of 64 bits."""
    letters = {8: "bw", 16: "wd", 32: "dq", 64: "qdq"}[form.bits]
    row = f"punpck{'h' if part and form.whole else 'l'}{letters}"
    both = t.vec(row, t.v(form.n), t.v(form.m), out=t.temp(128))
    return t.glob(both.offset + 8, 64) if part and not form.whole else both


def unzipped(t: VectorTranslator, form: Form, part: int) -> Value:
    """UZP1, UZP2."""
    first, second = t.v(form.n), t.v(form.m)
    if not form.whole:
        first = second = t.vec("pair64", t.v(form.n, 64), t.v(form.m, 64), out=t.temp(128))
    return t.vec(f"v_uzp{part + 1}_{form.bits}", first, second, out=t.temp(128))


def transposed(t: VectorTranslator, form: Form, part: int) -> Value:
    """TRN1, TRN2: even (or odd) elements of the first source, and beside each one that of the second."""
    wide, ones = 2 * form.bits, (1 << form.bits) - 1
    letter = LETTERS[wide]
    if part:
        first = t.vec(f"psrl{letter}_imm", t.v(form.n), form.bits, out=t.temp(128))
        second = t.vec("pand", t.v(form.m), constant(t, wide, ones << form.bits), out=t.temp(128))
    else:
        first = t.vec("pand", t.v(form.n), constant(t, wide, ones), out=t.temp(128))
        second = t.vec(f"psll{letter}_imm", t.v(form.m), form.bits, out=t.temp(128))
    return t.vec("por", first, second, out=first)


def look_up(t: VectorTranslator, form: Form, table: Sequence[Value], size: int, *, keep: bool) -> None:
    """TBL, TBX: bytes that the second source selects from a table.

    :param table: parts of 16 bytes; what they have beyond its end is zero
    :param size: how many bytes it has
    :param keep: where the index is out of range the destination stays; otherwise it becomes zero
    """
    found = t.temp(128)
    for number, part in enumerate(table):
        out = t.temp(128) if number else found
        t.vec("v_tbl", part, t.v(form.m), 16 * number, out=out)
        if number:
            t.vec("por", found, out, out=found)
    if keep:
        beyond = t.vec("v_cmhs8", t.v(form.m), constant(t, 8, size), out=t.temp(128))
        t.vec("pand", beyond, t.v(form.d), out=beyond)
        t.vec("por", found, beyond, out=found)
    write(t, form, found)
