"""Stages of conversions of vectors (ARM DDI 0487A.f, C4.4.6; DDI 0406C.b, A7.4.4, A7.4.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.fpu import Rounding
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import FpStage, OrElse, operand, result_of, soft, unlike_host, write
from pyqemu.targets.arm.fp_convert import float_rows, integer_rows, scaled
from pyqemu.targets.arm.simd import Form
from pyqemu.targets.arm.simd_soft import Helper, Lanes
from pyqemu.tcg.builder import Label, Value

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator

Convert = Callable[[Value, Label], Value]
FixedStage = Callable[["VectorTranslator", Form, int], None]
"""A stage that gets how many bits are behind the point."""


def in_lanes(t: VectorTranslator, form: Form, helper: Helper, convert: Convert, *, floats: bool) -> None:
    """Convert the lanes one by one with rows, or all with the helper.

    :param floats: whether the source is floating-point numbers
    """
    if not t.exact_fp:
        soft(t, helper, form)
        return
    with OrElse(t, lambda: soft(t, helper, form)) as slow:
        if floats and t.standard_fp:
            a = operand(t, form, form.n)
            unlike_host(t, form, slow, a, a)
        values = [convert(t.element(form.n, index, form.bits), slow) for index in range(form.count)]
        collect(t, form, values)


def collect(t: VectorTranslator, form: Form, values: list[Value]) -> None:
    """Make the destination of values of 32 or 64 bits, and zeros."""
    if len(values) == 1:
        write(t, form, values[0])
    elif values[0].bits == 64:
        t.vec("pair64", *values, out=t.v(form.d))
    elif len(values) == 4:
        t.vec("quad32", *values, out=t.v(form.d))
    else:
        t.vec("pair32", *values, out=t.v(form.d, 64))
        t.clear_high(form.d)


def to_integer(U: int, mark: str, rounding: Rounding) -> FpStage:
    """FCVTNS and its kind."""

    def stage(t: VectorTranslator, form: Form) -> None:
        lane = fp_soft.to_integer(form.bits, form.bits, 1 - U, rounding, 0)
        helper = fp_soft.lanewise(lane, (Lanes(1, form.bits),), result_of(form))

        def convert(a: Value, slow: Label) -> Value:
            return integer_rows(t, a, form.bits, slow, signed=not U, mark=mark)

        in_lanes(t, form, helper, convert, floats=True)

    return stage


def from_integer(U: int) -> FpStage:
    """SCVTF, UCVTF."""

    def stage(t: VectorTranslator, form: Form) -> None:
        lane, source = fp_soft.from_integer(form.bits, 0), Lanes(1, form.bits, not U)
        helper = fp_soft.lanewise(lane, (source,), result_of(form))

        def convert(a: Value, slow: Label) -> Value:
            return float_rows(t, a, form.bits, slow, signed=not U)

        in_lanes(t, form, helper, convert, floats=False)

    return stage


def to_fixed(U: int) -> FixedStage:
    """FCVTZS, FCVTZU to fixed-point numbers."""

    def stage(t: VectorTranslator, form: Form, fraction: int) -> None:
        lane = fp_soft.to_integer(form.bits, form.bits, 1 - U, Rounding.TOWARD_ZERO, fraction)
        helper = fp_soft.lanewise(lane, (Lanes(1, form.bits),), result_of(form))

        def convert(a: Value, slow: Label) -> Value:
            return integer_rows(t, scaled(t, a, fraction), form.bits, slow, signed=not U, mark="z")

        in_lanes(t, form, helper, convert, floats=True)

    return stage


def from_fixed(U: int) -> FixedStage:
    """SCVTF, UCVTF of fixed-point numbers."""

    def stage(t: VectorTranslator, form: Form, fraction: int) -> None:
        lane, source = fp_soft.from_integer(form.bits, fraction), Lanes(1, form.bits, not U)
        helper = fp_soft.lanewise(lane, (source,), result_of(form))

        def convert(a: Value, slow: Label) -> Value:
            return scaled(t, float_rows(t, a, form.bits, slow, signed=not U), -fraction)

        in_lanes(t, form, helper, convert, floats=False)

    return stage
