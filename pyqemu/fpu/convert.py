"""Conversions between formats, to integers and from them, and integral values (IEEE 754-2008, 5.4.1, 5.4.2, 5.8, 5.9).

Fixed-point numbers are integers whose last *fraction_bits* bits are behind the point.
"""

from __future__ import annotations

from pyqemu.fpu.formats import FINITE, INFINITY, QUIET, ZERO, Format, Number
from pyqemu.fpu.rounding import pack, shift_round
from pyqemu.fpu.status import DENORMAL, INEXACT, INVALID, Status


def convert(source: Format, target: Format, a: int, status: Status) -> int:
    """*a* in another format.

    Half-precision operands and results are never made zeros for being subnormal (DDI 0487, FPUnpackCV and FPRoundCV;
    SDM vol. 2, VCVTPH2PS and VCVTPS2PH). Where the target has no NaNs and no infinities, these become a zero and the
    largest number, and the operation is invalid (DDI 0487, FPConvert).
    """
    x = source.unpack(a) if source.bits == 16 else status.operand(source, a)
    if x.kind is FINITE:
        if x.subnormal:
            status.flags |= DENORMAL
        if target.bits == 16 and status.flush_to_zero:
            return _pack_unflushed(target, status, x)
        return pack(target, status, x.sign, x.significand, x.exponent)
    if x.kind is ZERO:
        status.rounded_up = False
        return target.zero(x.sign)
    if target.finite_only:
        status.flags |= INVALID
        return target.largest(x.sign) if x.kind is INFINITY else target.zero(x.sign)
    if x.kind is INFINITY:
        return target.infinity(x.sign)
    distance = target.precision - source.precision
    payload = x.significand & (source.leading - 1)
    moved = payload << distance if distance >= 0 else payload >> -distance
    return status.propagate(target, x._replace(significand=moved))


def _pack_unflushed(fmt: Format, status: Status, x: Number) -> int:
    status.flush_to_zero = False
    result = pack(fmt, status, x.sign, x.significand, x.exponent)
    status.flush_to_zero = True
    return result


def from_int(fmt: Format, value: int, status: Status, *, fraction_bits: int = 0) -> int:
    """The integer or fixed-point number *value*, of any width and sign, in a format."""
    return pack(fmt, status, int(value < 0), abs(value), -fraction_bits)


def to_int(
    fmt: Format,
    a: int,
    bits: int,
    status: Status,
    *,
    signed: bool = True,
    rounding: int | None = None,
    fraction_bits: int = 0,
    exact: bool = True,
) -> int | None:
    """*a* rounded to an integer (or fixed-point number) of *bits* bits.

    *exact* signals when it was none. Where it does not fit, the operation is invalid and the result None, for which
    architectures have different integers: x86 the "integer indefinite", ARM see :func:`to_int_saturated`.
    """
    x = status.operand(fmt, a)
    if x.kind is ZERO:
        return 0
    scaled = x.exponent + fraction_bits
    if x.kind is not FINITE or scaled + x.significand.bit_length() > bits + 1:
        status.flags |= INVALID
        return None
    mode = status.rounding if rounding is None else rounding
    magnitude, inexact, up = shift_round(mode, x.sign, x.significand, -scaled)
    value = -magnitude if x.sign else magnitude
    if not (-(1 << bits - 1) <= value < 1 << bits - 1 if signed else 0 <= value < 1 << bits):
        status.flags |= INVALID
        return None
    if inexact and exact:
        status.flags |= INEXACT
    status.rounded_up = up
    return value


def to_int_saturated(
    fmt: Format,
    a: int,
    bits: int,
    status: Status,
    *,
    signed: bool = True,
    rounding: int | None = None,
    fraction_bits: int = 0,
) -> int:
    """As :func:`to_int`; what does not fit becomes the nearest that does, a NaN becomes 0 (ARM: FPToFixed)."""
    value = to_int(fmt, a, bits, status, signed=signed, rounding=rounding, fraction_bits=fraction_bits)
    if value is not None:
        return value
    x = fmt.unpack(a)
    if x.kind >= QUIET:
        return 0
    if x.sign:
        return -(1 << bits - 1) if signed else 0
    return (1 << bits - signed) - 1


def round_to_int(fmt: Format, a: int, status: Status, *, rounding: int | None = None, exact: bool = True) -> int:
    """*a* rounded to an integral value of the same format; *exact* signals when it was none (ARM: FPRoundInt)."""
    x = status.operand(fmt, a)
    if x.kind >= QUIET:
        return status.propagate(fmt, x)
    status.note_denormals(x)
    if x.kind is not FINITE or x.exponent >= 0:
        return fmt.zero(x.sign) if x.kind is ZERO else a
    mode = status.rounding if rounding is None else rounding
    magnitude, inexact, up = shift_round(mode, x.sign, x.significand, -x.exponent)
    flags, precision = status.flags, status.precision
    status.precision = 0
    result = pack(fmt, status, x.sign, magnitude, 0)
    status.flags, status.precision, status.rounded_up = flags, precision, up
    if inexact and exact:
        status.flags |= INEXACT
    return result
