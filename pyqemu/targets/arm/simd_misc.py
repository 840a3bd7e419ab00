"""Stages of one source: integers (ARM DDI 0487A.f, C4.4.6: two-register miscellaneous; DDI 0406C.b, A7.4.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pyqemu.targets.arm.simd import (
    Form,
    Stage,
    finish,
    half,
    limited_to,
    narrow_saturated,
    soft,
    spread,
    target,
    write,
    write_half,
    zero_scratch,
)
from pyqemu.targets.arm.simd_same import ADD, SUB
from pyqemu.targets.arm.simd_soft import SAME, SCRATCH, Lane, Lanes, Result, lanewise, leading
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator

# --- halves of registers as numbers -----------------------------------------------------------------------------------


def by_halves(change: Callable[[VectorTranslator, Value, int], Value]) -> Stage:
    """A stage that makes each half of the destination from the same half of the source."""

    def stage(t: VectorTranslator, form: Form) -> None:
        changed = [change(t, half(t, form.n, upper), form.bits) for upper in range(1 + form.whole)]
        if form.whole:
            t.vec("pair64", *changed, out=t.v(form.d))
        else:
            t.mov(t.v(form.d, 64), changed[0])
            t.clear_high(form.d)

    return stage


def _swap_neighbours(t: VectorTranslator, value: Value, bits: int) -> Value:
    """Parts of *bits* bits change places with their neighbours."""
    low = spread(2 * bits, (1 << bits) - 1)
    return (value & low).shl(bits) | value.shr(bits) & low


def rev64(t: VectorTranslator, value: Value, bits: int) -> Value:
    """REV64."""
    if bits == 8:
        return t.bswap(value)
    swapped = value.rotl(32)
    return swapped if bits == 32 else _swap_neighbours(t, swapped, 16)


def rev32(t: VectorTranslator, value: Value, bits: int) -> Value:
    """REV32."""
    return t.bswap(value).rotl(32) if bits == 8 else _swap_neighbours(t, value, 16)


def rev16(t: VectorTranslator, value: Value, bits: int) -> Value:
    """REV16."""
    return _swap_neighbours(t, value, 8)


def count(t: VectorTranslator, value: Value, bits: int) -> Value:
    """CNT."""
    return t.vec("v_cnt8", value, out=t.temp(64))


def _reverse_bits(t: VectorTranslator, value: Value, bits: int) -> Value:
    reversed_whole = t.temp(64)
    t.emit("brev64", reversed_whole.offset, value.offset)
    return t.bswap(reversed_whole)


def invert(t: VectorTranslator, form: Form) -> None:
    """NOT."""
    finish(t, form, t.vec("v_not", t.v(form.n), out=target(t, form)))


def not_or_rbit(t: VectorTranslator, form: Form) -> None:
    """NOT and RBIT have one opcode: RBIT's size is that of half words."""
    if form.bits == 8:
        invert(t, form)
    else:
        by_halves(_reverse_bits)(t, form)


# --- lanes ------------------------------------------------------------------------------------------------------------


def with_zero(stage: Stage, *, swap: bool = False) -> Stage:
    """A comparison with zero, or of zero with the source."""

    def compare(t: VectorTranslator, form: Form) -> None:
        zero_scratch(t)
        stage(t, replace(form, n=SCRATCH, m=form.n) if swap else form)

    return compare


def leading_bits(signs: int) -> Stage:
    """CLS, CLZ; the latter of words natively."""

    def stage(t: VectorTranslator, form: Form) -> None:
        if form.bits == 32 and not signs:
            counts = [t.clz(t.element(form.n, index, 32)) for index in range(4)]
            finish(t, form, t.vec("quad32", *counts, out=target(t, form)))
            return
        helper = lanewise(leading(form.bits, signs), (Lanes(1, form.bits, bool(signs)),), Result(form.bits, form.count))
        soft(t, helper, form)

    return stage


def saturated(name: str) -> Stage:
    """SQABS, SQNEG: what does not fit stays the least number."""

    def stage(t: VectorTranslator, form: Form) -> None:
        if form.bits < 64 and not form.scalar:
            out = t.temp(128)
            if name == "abs":
                t.vec(f"v_abs{form.bits}", t.v(form.n), out=out)
            else:
                t.emit("zero128", out.offset)
                t.vec(SUB[form.bits], out, t.v(form.n), out=out)
            write(t, form, limited_to(t, form.bits, out, 1 << form.bits - 1, whole=form.whole))
            return
        soft(t, lanewise(SAME[name], (Lanes(1, form.bits, True),), Result(form.bits, form.count, "s")), form)

    return stage


def accumulated(sign: str) -> Stage:
    """SUQADD, USQADD: the destination has one sign, the source the other one."""

    def stage(t: VectorTranslator, form: Form) -> None:
        sources = Lanes(0, form.bits, sign == "s"), Lanes(1, form.bits, sign == "u")
        soft(t, lanewise(SAME["add"], sources, Result(form.bits, form.count, sign)), form)

    return stage


def absolute(t: VectorTranslator, form: Form) -> None:
    """ABS."""
    if form.bits < 64:
        finish(t, form, t.vec(f"v_abs{form.bits}", t.v(form.n), out=target(t, form)))
    else:
        for index in range(form.count):
            value = t.element(form.n, index, 64)
            t.movcond("lts", value, 0, t.neg(value), value, out=t.element(form.d, index, 64))
        finish(t, form)


def negate(t: VectorTranslator, form: Form) -> None:
    """NEG."""
    zero_scratch(t)
    finish(t, form, t.vec(SUB[form.bits], t.v(SCRATCH), t.v(form.n), out=target(t, form)))


def neighbours(sign: str, *, accumulate: bool) -> Stage:
    """SADDLP, SADALP and so on."""

    def stage(t: VectorTranslator, form: Form) -> None:
        row = f"v_{sign}addlp{form.bits}"
        if accumulate:
            sums = t.vec(row, t.v(form.n), out=t.temp(128))
            finish(t, form, t.vec(ADD[2 * form.bits], t.v(form.d), sums, out=target(t, form)))
        else:
            finish(t, form, t.vec(row, t.v(form.n), out=target(t, form)))

    return stage


def _same(value: int) -> int:
    return value


def narrowed(signed: bool, sign: str) -> Stage:
    """SQXTN, UQXTN, SQXTUN."""

    def stage(t: VectorTranslator, form: Form) -> None:
        if form.bits < 32 and not form.scalar:
            narrow_saturated(t, form, t.v(form.n), signed=signed, sign=sign)
            return
        count = 1 if form.scalar else 64 // form.bits
        result = Result(form.bits, count, sign, 64 if form.whole else 0)
        soft(t, lanewise(_same, (Lanes(1, 2 * form.bits, signed),), result), form)

    return stage


def xtn(t: VectorTranslator, form: Form) -> None:
    """XTN."""
    write_half(t, form.d, form.whole, t.vec(f"v_xtn{form.bits}", t.v(form.n), out=t.temp(64)))


def shll(t: VectorTranslator, form: Form) -> None:
    """SHLL: shifted by the width of an element."""
    wide = t.vec(f"v_uxtl{form.bits}", half(t, form.n, form.whole), out=t.temp(128))
    row = {8: "psllw_imm", 16: "pslld_imm", 32: "psllq_imm"}[form.bits]
    t.vec(row, wide, form.bits, out=t.v(form.d))


def estimate(function: Lane) -> Stage:
    """URECPE, URSQRTE."""

    def stage(t: VectorTranslator, form: Form) -> None:
        soft(t, lanewise(function, (Lanes(1, 32),), Result(32, form.count)), form)

    return stage
