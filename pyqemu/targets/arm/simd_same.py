"""Stages of three registers of the same shape: integers (ARM DDI 0487A.f, C4.4.6: three same; DDI 0406C.b, A7.4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.layout import M32
from pyqemu.targets.arm.simd import (
    LETTERS,
    Form,
    Stage,
    constant,
    finish,
    half,
    lettered,
    negative,
    note_saturation,
    numbered,
    shift_lanes,
    soft,
    target,
    vertical,
    write,
)
from pyqemu.targets.arm.simd_soft import SAME, Lanes, Result, high_product, lanewise
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator

ALL, SMALL = (8, 16, 32, 64), (8, 16, 32)
ADD, SUB = lettered("padd"), lettered("psub")


def shifted(*, signed: bool, rounded: bool, saturated: bool) -> Stage:
    """Shifts by the second source's signed lowest bytes."""
    lane = SAME["rshl" if rounded else "shl"]
    sign = "su"[not signed] if saturated else ""

    row = "v_sshl" if signed else "v_ushl"

    def stage(t: VectorTranslator, form: Form) -> None:
        if not saturated and row + "32" in t.table and form.bits > 8:
            _shift_rows(t, form, row, rounded=rounded)
            return
        sources = Lanes(1, form.bits, signed), Lanes(2, form.bits)
        soft(t, lanewise(lane, sources, Result(form.bits, form.count, sign)), form)

    return stage


def _shift_rows(t: VectorTranslator, form: Form, row: str, *, rounded: bool) -> None:
    """Lanes of 16 bits are shifted as lanes of 32 bits."""
    if form.bits > 16:
        row, value, count = f"{row}{form.bits}", t.v(form.n), t.v(form.m)
        if rounded:
            write(t, form, _rounded_lanes(t, row, form.bits, value, count))
        else:
            finish(t, form, t.vec(row, value, count, out=target(t, form)))
        return
    halves = []
    for upper in range(1 + form.whole):
        value = t.vec(f"v_{row[2]}xtl16", half(t, form.n, upper), out=t.temp(128))
        count = t.vec("v_uxtl16", half(t, form.m, upper), out=t.temp(128))
        if rounded:
            halves.append(_rounded_lanes(t, row + "32", 32, value, count))
        else:
            halves.append(t.vec(row + "32", value, count, out=value))
    finish(t, form, t.vec("v_uzp1_16", halves[0], halves[-1], out=target(t, form)))


def _rounded_lanes(t: VectorTranslator, row: str, bits: int, value: Value, count: Value) -> Value:
    """Lanes shifted; where that is to the right the last bit that is lost is added."""
    out = t.vec(row, value, count, out=t.temp(128))
    one, letter = constant(t, bits, 1), LETTERS[bits]
    last = t.vec("padd" + letter, count, one, out=t.temp(128))
    t.vec("pand", t.vec(row, value, last, out=last), one, out=last)
    to_right = t.vec(f"psll{letter}_imm", count, bits - 8, out=t.temp(128))
    t.vec("pand", last, negative(t, bits, to_right), out=last)
    return t.vec("padd" + letter, out, last, out=out)


def doubling_high(rounding: int) -> Stage:
    """SQDMULH, SQRDMULH."""

    def stage(t: VectorTranslator, form: Form) -> None:
        if not form.scalar:
            high = (_high_words if form.bits == 16 else _high_doublewords)(t, t.v(form.n), t.v(form.m), rounding)
            least = 1 << form.bits - 1  # times itself, which is too large
            factors = (t.v(form.n), t.v(form.m))
            cut, other = (
                t.vec("pcmpeq" + LETTERS[form.bits], factor, constant(t, form.bits, least), out=t.temp(128))
                for factor in factors
            )
            t.vec("pand", cut, other, out=cut)
            note_saturation(t, cut, whole=form.whole)
            write(t, form, t.vec("pxor", high, cut, out=high))
            return
        sources = Lanes(1, form.bits, True), Lanes(2, form.bits, True)
        result = Result(form.bits, form.count, "s")
        soft(t, lanewise(high_product(form.bits, rounding), sources, result), form)

    return stage


def _high_words(t: VectorTranslator, a: Value, b: Value, rounding: int) -> Value:
    """The upper halves of doubled products of 16 bits: what is below is the upper half's last bit, and rounds it."""
    high, low = (t.vec(row, a, b, out=t.temp(128)) for row in ("pmulhw", "pmullw"))
    t.vec("paddw", high, high, out=high)
    last = t.vec("psrlw_imm", low, 15, out=t.temp(128))
    t.vec("paddw", high, last, out=high)
    if rounding:
        t.vec("psllw_imm", low, 1, out=low)
        t.vec("psrlw_imm", low, 15, out=low)
        t.vec("paddw", high, low, out=high)
    return high


def _high_doublewords(t: VectorTranslator, a: Value, b: Value, rounding: int) -> Value:
    """The same of 32 bits: even and odd lanes are multiplied by themselves."""
    products = []
    for odd in (0, 1):
        factors = [t.vec("psrlq_imm", value, 32, out=t.temp(128)) if odd else value for value in (a, b)]
        product = t.vec("pmuldq", *factors, out=t.temp(128))
        if rounding:
            t.vec("paddq", product, constant(t, 64, 1 << 30), out=product)
        products.append(product)
    even, odd_product = products
    t.vec("psrlq_imm", even, 31, out=even)
    t.vec("psllq_imm", odd_product, 1, out=odd_product)
    return t.vec("v_bsl", constant(t, 64, M32), even, odd_product, out=even)


def difference(*, signed: bool, accumulate: bool) -> Stage:
    """SABD, SABA and so on."""
    sign = "s" if signed else "u"
    high, low = lettered(f"pmax{sign}", SMALL), lettered(f"pmin{sign}", SMALL)

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = t.v(form.n), t.v(form.m)
        most = t.vec(high[form.bits], a, b, out=t.temp(128))
        least = t.vec(low[form.bits], a, b, out=t.temp(128))
        out = target(t, form)
        if accumulate:
            t.vec(SUB[form.bits], most, least, out=most)
            t.vec(ADD[form.bits], t.v(form.d), most, out=out)
        else:
            t.vec(SUB[form.bits], most, least, out=out)
        finish(t, form, out)

    return stage


def pairwise(rows: dict[int, str]) -> Stage:
    """ADDP, SMAXP and so on: the even lanes of both sources with the odd ones."""

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = t.v(form.n), t.v(form.m)
        if not form.whole:  # all lanes are in one vector then
            a = b = t.vec("pair64", t.v(form.n, 64), t.v(form.m, 64), out=t.temp(128))
        if form.bits == 64:
            even = t.vec("punpcklqdq", a, b, out=t.temp(128))
            odd = t.vec("punpckhqdq", a, b, out=t.temp(128))
        else:
            even = t.vec(f"v_uzp1_{form.bits}", a, b, out=t.temp(128))
            odd = t.vec(f"v_uzp2_{form.bits}", a, b, out=t.temp(128))
        finish(t, form, t.vec(rows[form.bits], even, odd, out=target(t, form)))

    return stage


def unsigned_greater(name: str) -> Stage:
    """CMHI, CMHS; of 64 bits no host has a row for them that needs no constants."""
    cond = {"v_cmhi": "gtu", "v_cmhs": "geu"}[name]
    rows = numbered(name, SMALL)

    def stage(t: VectorTranslator, form: Form) -> None:
        if form.bits < 64:
            finish(t, form, t.vec(rows[form.bits], t.v(form.n), t.v(form.m), out=target(t, form)))
        else:
            for index in range(form.count):
                holds = t.setcond(cond, t.element(form.n, index, 64), t.element(form.m, index, 64))
                t.neg(t.extend(holds, 64, signed=False), out=t.element(form.d, index, 64))
            finish(t, form)

    return stage


def half_difference(*, signed: bool) -> Stage:
    """SHSUB, UHSUB: half of that in which they differ, less what only the subtrahend has."""
    kind = "sra" if signed else "srl"

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = t.v(form.n), t.v(form.m)
        differing = t.vec("pxor", a, b, out=t.temp(128))
        less = shift_lanes(t, kind, differing, form, 1, t.temp(128))
        borrowed = t.vec("pandn", a, b, out=t.temp(128))
        finish(t, form, t.vec(SUB[form.bits], less, borrowed, out=target(t, form)))

    return stage


def polynomial(t: VectorTranslator, form: Form) -> None:
    """PMUL: the lower bytes of products."""
    halves = [
        carryless(t, *(t.vec("v_uxtl8", half(t, number, upper), out=t.temp(128)) for number in (form.n, form.m)))
        for upper in range(1 + form.whole)
    ]
    finish(t, form, t.vec("v_uzp1_8", halves[0], halves[-1], out=target(t, form)))


def carryless(t: VectorTranslator, a: Value, b: Value) -> Value:
    """Polynomial products of bytes that have been widened to 16 bits."""
    product = t.temp(128)
    t.emit("zero128", product.offset)
    for bit in range(8):
        holds = t.vec("v_cmtst16", b, constant(t, 16, 1 << bit), out=t.temp(128))
        part = t.vec("psllw_imm", a, bit, out=t.temp(128))
        t.vec("pand", part, holds, out=part)
        t.vec("pxor", product, part, out=product)
    return product


def logic(row: str, order: str) -> Stage:
    """Logic; *order* names the operands of the row."""

    def stage(t: VectorTranslator, form: Form) -> None:
        finish(t, form, t.vec(row, *(t.v(getattr(form, letter)) for letter in order), out=target(t, form)))

    return stage


def average(kind: str, rounding: int) -> Stage:
    """SHADD, SRHADD and so on: what both have, or either has, and half of that in which they differ."""

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = t.v(form.n), t.v(form.m)
        common = t.vec("por" if rounding else "pand", a, b, out=t.temp(128))
        differing = t.vec("pxor", a, b, out=t.temp(128))
        less = shift_lanes(t, kind, differing, form, 1, t.temp(128))
        finish(t, form, t.vec((SUB if rounding else ADD)[form.bits], common, less, out=target(t, form)))

    return stage


MULTIPLY = {16: "pmullw", 32: "pmulld"}


def _products(t: VectorTranslator, form: Form) -> Value:
    """Products of lanes; of bytes by way of words."""
    if form.bits > 8:
        return t.vec(MULTIPLY[form.bits], t.v(form.n), t.v(form.m), out=t.temp(128))
    halves = []
    for upper in (0, 1):
        a, b = (t.vec("v_uxtl8", half(t, number, upper), out=t.temp(128)) for number in (form.n, form.m))
        halves.append(t.vec("pmullw", a, b, out=a))
    return t.vec("v_uzp1_8", *halves, out=halves[0])


def multiply(t: VectorTranslator, form: Form) -> None:
    """MUL."""
    write(t, form, _products(t, form))


def multiply_to(rows: dict[int, str]) -> Stage:
    """MLA, MLS."""

    def stage(t: VectorTranslator, form: Form) -> None:
        finish(t, form, t.vec(rows[form.bits], t.v(form.d), _products(t, form), out=target(t, form)))

    return stage


multiply_add, multiply_subtract = multiply_to(ADD), multiply_to(SUB)
greater = vertical(lettered("pcmpgt"))
greater_or_equal = vertical(numbered("v_cmge"))
equal = vertical(lettered("pcmpeq"))
