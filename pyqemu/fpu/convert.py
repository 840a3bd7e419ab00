"""Conversions and comparisons (IEEE 754-2008, 5.4.2, 5.6.1, 5.9, 5.11)."""

from __future__ import annotations

from pyqemu.fpu.formats import Format, Kind, Number
from pyqemu.fpu.rounding import pack, shift_round
from pyqemu.fpu.status import INEXACT, INVALID, Status


def convert(source: Format, target: Format, a: int, status: Status) -> int:
    """*a* in another format."""
    x = status.operand(source, a)
    if x.is_nan:
        distance = target.precision - source.precision
        payload = x.significand & (source.leading - 1)
        moved = payload << distance if distance >= 0 else payload >> -distance
        return status.propagate(target, x._replace(significand=moved))
    status.note_denormals(x)
    if x.kind is Kind.INFINITY:
        return target.infinity(x.sign)
    return pack(target, status, x.sign, x.significand, x.exponent)


def from_int(fmt: Format, value: int, status: Status) -> int:
    """The integer *value* in a format."""
    return pack(fmt, status, int(value < 0), abs(value), 0)


def to_int(
    fmt: Format, a: int, bits: int, status: Status, *, signed: bool = True, rounding: int | None = None
) -> int | None:
    """*a* rounded to an integer of *bits* bits; None, and an invalid operation, where it does not fit."""
    x = status.operand(fmt, a)
    if x.kind is Kind.ZERO:
        return 0
    if x.kind is not Kind.FINITE or x.exponent + x.significand.bit_length() > bits + 1:
        status.flags |= INVALID
        return None
    mode = status.rounding if rounding is None else rounding
    magnitude, inexact, up = shift_round(mode, x.sign, x.significand, -x.exponent)
    value = -magnitude if x.sign else magnitude
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not low <= value <= high:
        status.flags |= INVALID
        return None
    if inexact:
        status.flags |= INEXACT
    status.rounded_up = up
    return value


def round_to_int(fmt: Format, a: int, status: Status, *, rounding: int | None = None, exact: bool = True) -> int:
    """*a* rounded to an integral value of the same format; *exact* signals when it was none."""
    x = status.operand(fmt, a)
    if x.is_nan:
        return status.propagate(fmt, x)
    status.note_denormals(x)
    if x.kind is not Kind.FINITE or x.exponent >= 0:
        return fmt.zero(x.sign) if x.kind is Kind.ZERO else a
    mode = status.rounding if rounding is None else rounding
    magnitude, inexact, up = shift_round(mode, x.sign, x.significand, -x.exponent)
    flags, precision = status.flags, status.precision
    status.precision = 0
    result = pack(fmt, status, x.sign, magnitude, 0)
    status.flags, status.precision, status.rounded_up = flags, precision, up
    if inexact and exact:
        status.flags |= INEXACT
    return result


def compare(fmt: Format, a: int, b: int, status: Status, *, quiet: bool) -> int | None:
    """-1, 0 or 1 as *a* is less than, equal to or greater than *b*; None where they are unordered.

    A *quiet* comparison signals an invalid operation for signaling NaNs only, any other one for all NaNs.
    """
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.is_nan or y.is_nan:
        if not quiet or x.kind >= Kind.SIGNALING or y.kind >= Kind.SIGNALING:
            status.flags |= INVALID
        return None
    status.note_denormals(x, y)
    return order(x, y)


def order(x: Number, y: Number) -> int:
    """-1, 0 or 1; neither is a NaN."""
    if x.kind is Kind.INFINITY or y.kind is Kind.INFINITY:
        left = (-1 if x.sign else 1) if x.kind is Kind.INFINITY else 0
        right = (-1 if y.sign else 1) if y.kind is Kind.INFINITY else 0
    else:
        exponent = min(x.exponent, y.exponent)
        left, right = x.significand << x.exponent - exponent, y.significand << y.exponent - exponent
        left, right = -left if x.sign else left, -right if y.sign else right
    return (left > right) - (left < right)
