"""Comparisons, and the lesser and the greater of two (IEEE 754-2008, 5.3.1, 5.6.1, 5.11)."""

from __future__ import annotations

from pyqemu.fpu.formats import INFINITY, QUIET, SIGNALING, Format, Number
from pyqemu.fpu.status import INVALID, Status


def compare(fmt: Format, a: int, b: int, status: Status, *, quiet: bool) -> int | None:
    """-1, 0 or 1 as *a* is less than, equal to or greater than *b*; None where they are unordered.

    A *quiet* comparison signals an invalid operation for signaling NaNs only, any other one for all NaNs.
    """
    bits, field_mask, special = fmt.fraction_bits, fmt.field_mask, fmt.special
    if (
        0 < a >> bits & field_mask < special
        and 0 < b >> bits & field_mask < special
        and (fmt.implicit or a & b & fmt.leading)
    ):  # normal numbers are in the order of their patterns
        sign = fmt.sign_bit
        left, right = sign - a if a & sign else a, sign - b if b & sign else b
        return (left > right) - (left < right)
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.kind >= QUIET or y.kind >= QUIET:
        if not quiet or x.kind >= SIGNALING or y.kind >= SIGNALING:
            status.flags |= INVALID
        return None
    status.note_denormals(x, y)
    return order(x, y)


def order(x: Number, y: Number) -> int:
    """-1, 0 or 1; neither is a NaN."""
    if x.kind is INFINITY or y.kind is INFINITY:
        left = (-1 if x.sign else 1) if x.kind is INFINITY else 0
        right = (-1 if y.sign else 1) if y.kind is INFINITY else 0
    else:
        exponent = min(x.exponent, y.exponent)
        left, right = x.significand << x.exponent - exponent, y.significand << y.exponent - exponent
        left, right = -left if x.sign else left, -right if y.sign else right
    return (left > right) - (left < right)


def minimum(fmt: Format, a: int, b: int, status: Status) -> int:
    """The lesser one; a NaN if either is one, and -0 is less than +0 (ARM: FPMin)."""
    return _extreme(fmt, a, b, status, -1)


def maximum(fmt: Format, a: int, b: int, status: Status) -> int:
    """The greater one; a NaN if either is one, and +0 is greater than -0 (ARM: FPMax)."""
    return _extreme(fmt, a, b, status, 1)


def minimum_number(fmt: Format, a: int, b: int, status: Status) -> int:
    """The lesser one; of a number and a quiet NaN the number (IEEE 754-2008, 5.3.1 minNum; ARM: FPMinNum)."""
    return _extreme_number(fmt, a, b, status, -1)


def maximum_number(fmt: Format, a: int, b: int, status: Status) -> int:
    """The greater one; of a number and a quiet NaN the number (IEEE 754-2008, 5.3.1 maxNum; ARM: FPMaxNum)."""
    return _extreme_number(fmt, a, b, status, 1)


def _extreme(fmt: Format, a: int, b: int, status: Status, wanted: int) -> int:
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.kind >= QUIET or y.kind >= QUIET:
        return status.propagate(fmt, x, y)
    status.note_denormals(x, y)
    result = order(x, y) or (y.sign > x.sign) - (y.sign < x.sign)
    chosen, number = (a, x) if result == wanted else (b, y)
    return chosen if number.significand or number.kind is INFINITY else fmt.zero(number.sign)


def _extreme_number(fmt: Format, a: int, b: int, status: Status, wanted: int) -> int:
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.kind is QUIET and y.kind < QUIET:
        status.note_denormals(y)
        return b if y.significand or y.kind is INFINITY else fmt.zero(y.sign)
    if y.kind is QUIET and x.kind < QUIET:
        status.note_denormals(x)
        return a if x.significand or x.kind is INFINITY else fmt.zero(x.sign)
    return _extreme(fmt, a, b, status, wanted)
