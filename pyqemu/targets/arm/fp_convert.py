"""Conversions that A64, VFP and Advanced SIMD share: between integers, fixed-point numbers and formats.

Functions whose name ends in ``rows`` emit what the host does, and go to a label where there is more to signal than what
is known; the others have the helper for that, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.fpu import Rounding
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import SHAPES, OrElse, branch_row, sticky, write
from pyqemu.targets.arm.simd import Form
from pyqemu.tcg.builder import Label, Value

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator


def scaled(t: VectorTranslator, a: Value, exponent: int) -> Value:
    """*a* times a power of two, which is exact unless it overflows."""
    if not exponent:
        return a
    bias, fraction = (127, 23) if a.bits == 32 else (1023, 52)
    wide, factor = a.zext(64) if a.bits == 32 else a, t.value(bias + exponent << fraction, 64)
    return t.vec("mulss" if a.bits == 32 else "mulsd", wide, factor, out=t.temp(64)).low(a.bits)


def to_integer(t: VectorTranslator, a: Value, out: Value, *, signed: bool, mark: str, rounding: Rounding | None,
               fraction: int = 0) -> None:  # fmt: skip
    """*a* as an integer in *out*; unsigned ones of 32 bits are signed ones of 64 bits that do not get too large.

    :param mark: the row for the rounding
    :param rounding: the same for software; None: that of FPCR
    :param fraction: so many of its bits are behind the point
    """
    size = out.bits

    def otherwise() -> None:
        how = 0 if rounding is None else rounding + 1
        t.call(fp_soft.register_to_integer, a.bits, size, int(signed), how, fraction, a, returns=size, out=out)

    if not t.exact_fp:
        otherwise()
        return
    with OrElse(t, otherwise) as slow:
        if t.flushes:
            branch_row(t, "slow_cmp" + SHAPES[a.bits, True], slow, a.offset, a.offset)
        t.mov(out, integer_rows(t, scaled(t, a, fraction), size, slow, signed=signed, mark=mark))


def integer_rows(t: VectorTranslator, a: Value, size: int, slow: Label, *, signed: bool, mark: str) -> Value:
    """The rows for it, which go to *slow* where there is more to signal than what is known."""
    scalar = "ss" if a.bits == 32 else "sd"
    whole = a if mark == "z" else t.vec(f"rint{mark}{scalar}", a, out=t.temp(a.bits))
    wide = size if signed else 64
    value = t.vec(f"cvtt{a.bits}_i{wide}", whole, out=t.temp(wide))
    branch_row(t, f"slow_cvt{a.bits}_i{wide}", slow, a.offset, value.offset, sticky(t).offset)
    if not signed:
        t.brcond("gtu", value, (1 << 32) - 1 if size == 32 else (1 << 63) - 1, slow)
    return value.low(size)


# --- from integers ----------------------------------------------------------------------------------------------------


def from_integer(t: VectorTranslator, value: Value, bits: int, number: int, *, signed: bool, fraction: int = 0,
                 nearest: bool = False) -> None:  # fmt: skip
    """An integer or fixed-point number as a scalar of *bits* bits in a vector register.

    :param nearest: round to nearest, whatever FPCR says
    """
    form = Form(bits, False, number, 0, scalar=True)
    size = value.bits

    def otherwise() -> None:
        result = t.temp(64)
        t.call(fp_soft.integer_to_register, bits, size, int(signed), fraction, int(nearest), value, returns=64,
               out=result)  # fmt: skip
        write(t, form, result)

    if not t.exact_fp:
        otherwise()
        return
    with OrElse(t, otherwise) as slow:
        write(t, form, scaled(t, float_rows(t, value, bits, slow, signed=signed), -fraction))


def float_rows(t: VectorTranslator, value: Value, bits: int, slow: Label, *, signed: bool) -> Value:
    """The rows for it, which go to *slow* where there is more to signal than what is known."""
    wide = value if signed or value.bits == 64 else t.extend(value, 64, signed=False)
    if not signed and value.bits == 64:
        t.brcond("lts", value, 0, slow)
    row = f"cvt{wide.bits}_{bits}"
    if "slow_" + row in t.table:
        branch_row(t, "slow_" + row, slow, wide.offset, sticky(t).offset)
    return t.vec(row, wide, out=t.temp(bits))


# --- between formats --------------------------------------------------------------------------------------------------


def format_rows(t: VectorTranslator, a: Value, slow: Label) -> Value:
    """A single as a double or the other way, with rows that go to *slow* where there is more to signal."""
    if a.bits == 32:
        branch_row(t, "slow_single_double", slow, a.offset)
        return t.vec("cvt_single_double", a, out=t.temp(64))
    value = t.vec("cvt_double_single", a, out=t.temp(32))
    branch_row(t, "slow_double_single", slow, a.offset, value.offset, sticky(t).offset)
    return value
