"""Stages whose sources and destination have different widths (ARM DDI 0487A.f, C4.4.6; DDI 0406C.b, A7.4.2).

A form that is *whole* takes the upper halves of the narrow sources, and writes that of a narrow destination.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.simd import Form, Stage, constant, half, lettered, limited_sum, limited_to, soft, write_half
from pyqemu.targets.arm.simd_same import ADD, SMALL, SUB, carryless
from pyqemu.targets.arm.simd_soft import SAME, Lanes, Result, doubling_accumulated, lanewise
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator

LONG_PRODUCTS = {("s", 8): "pmullw", ("s", 16): "pmulld", ("s", 32): "pmuldq",
                 ("u", 8): "pmullw", ("u", 16): "pmulld", ("u", 32): "pmuludq"}  # fmt: skip
"""Rows for lanes that have been widened; of products of 64 bits they look at the lower halves of lanes."""
RIGHT = {8: "psrlw_imm", 16: "psrld_imm", 32: "psrlq_imm"}  #: logical right shifts of lanes twice as wide


def widened(t: VectorTranslator, number: int, form: Form, sign: str) -> Value:
    """The elements of one half of a register, as lanes twice as wide."""
    return t.vec(f"v_{sign}xtl{form.bits}", half(t, number, form.whole), out=t.temp(128))


def long_sum(rows: dict[int, str], sign: str, *, wide: bool) -> Stage:
    """SADDL, SADDW, SSUBL, SSUBW and so on."""

    def stage(t: VectorTranslator, form: Form) -> None:
        first = t.v(form.n) if wide else widened(t, form.n, form, sign)
        t.vec(rows[2 * form.bits], first, widened(t, form.m, form, sign), out=t.v(form.d))

    return stage


def long_product(sign: str, then: dict[int, str] | None = None) -> Stage:
    """SMULL, SMLAL, SMLSL and so on."""

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = widened(t, form.n, form, sign), widened(t, form.m, form, sign)
        row = LONG_PRODUCTS[sign, form.bits]
        if then is None:
            t.vec(row, a, b, out=t.v(form.d))
        else:
            t.vec(row, a, b, out=a)
            t.vec(then[2 * form.bits], t.v(form.d), a, out=t.v(form.d))

    return stage


def long_difference(sign: str, *, accumulate: bool) -> Stage:
    """SABDL, SABAL and so on: of numbers that have been widened signed rows tell all."""
    high, low = lettered(f"pmax{sign}", SMALL), lettered(f"pmin{sign}", SMALL)

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = half(t, form.n, form.whole), half(t, form.m, form.whole)
        whole_a, whole_b = (t.vec("widen128", value, out=t.temp(128)) for value in (a, b))
        most = t.vec(high[form.bits], whole_a, whole_b, out=t.temp(128))
        least = t.vec(low[form.bits], whole_a, whole_b, out=t.temp(128))
        t.vec(SUB[form.bits], most, least, out=most)
        row = f"v_uxtl{form.bits}"
        if accumulate:
            distance = t.vec(row, t.glob(most.offset, 64), out=t.temp(128))
            t.vec(ADD[2 * form.bits], t.v(form.d), distance, out=t.v(form.d))
        else:
            t.vec(row, t.glob(most.offset, 64), out=t.v(form.d))

    return stage


def high_half(rows: dict[int, str], rounding: int) -> Stage:
    """ADDHN, RSUBHN and so on: the upper halves of sums or differences."""

    def stage(t: VectorTranslator, form: Form) -> None:
        total = t.vec(rows[2 * form.bits], t.v(form.n), t.v(form.m), out=t.temp(128))
        if rounding:
            width = 2 * form.bits
            t.vec(ADD[width], total, constant(t, width, 1 << form.bits - 1), out=total)
        t.vec(RIGHT[form.bits], total, form.bits, out=total)
        write_half(t, form.d, form.whole, t.vec(f"v_xtn{form.bits}", total, out=t.temp(64)))

    return stage


def _doubling_rows(t: VectorTranslator, form: Form, minus: int | None) -> None:
    """Twice a product is too large where both factors are the least number, and the least number itself then."""
    wide = 2 * form.bits
    product = t.vec(LONG_PRODUCTS["s", form.bits], widened(t, form.n, form, "s"), widened(t, form.m, form, "s"),
                    out=t.temp(128))  # fmt: skip
    t.vec(ADD[wide], product, product, out=product)
    product = limited_to(t, wide, product, 1 << wide - 1, whole=True)
    if minus is not None:
        product = limited_sum(t, "sub" if minus else "add", "s", wide, t.v(form.d), product, whole=True)
    t.mov(t.v(form.d), product)


def doubling(minus: int | None) -> Stage:
    """SQDMULL, SQDMLAL, SQDMLSL."""

    def stage(t: VectorTranslator, form: Form) -> None:
        if not form.scalar:
            _doubling_rows(t, form, minus)
            return
        count, first = 1, 0
        if minus is None:
            sources = Lanes(1, form.bits, True, first), Lanes(2, form.bits, True, first)
            soft(t, lanewise(SAME["dmul"], sources, Result(2 * form.bits, count, "s")), form)
        else:
            soft(t, doubling_accumulated(form.bits, count, first, minus), form)

    return stage


def polynomial_long(t: VectorTranslator, form: Form) -> None:
    """PMULL."""
    if form.bits == 64 and "v_pmull64" in t.table:
        t.vec("v_pmull64", half(t, form.n, form.whole), half(t, form.m, form.whole), out=t.v(form.d))
    elif form.bits == 8:
        t.mov(t.v(form.d), carryless(t, widened(t, form.n, form, "u"), widened(t, form.m, form, "u")))
    else:
        first = 64 * form.whole
        sources = Lanes(1, form.bits, False, first), Lanes(2, form.bits, False, first)
        soft(t, lanewise(SAME["pmul"], sources, Result(2 * form.bits, 64 // form.bits)), form)
