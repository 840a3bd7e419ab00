"""Arithmetic (IEEE 754-2008, 5.3, 5.4.1; SDM vol. 1, 4.9 for the order in which exceptions are found).

Each operation first tries what is nearly always the case, that all operands are normal numbers: their fields are used
where they are. Everything else takes its operands apart into :class:`Number`.
"""

from __future__ import annotations

from math import isqrt

from pyqemu.fpu.formats import FINITE, INFINITY, QUIET, ZERO, Format, Number
from pyqemu.fpu.nans import UndefinedProduct
from pyqemu.fpu.rounding import pack
from pyqemu.fpu.status import DIVIDE_BY_ZERO, INVALID, Rounding, Status

DOWN = Rounding.DOWN
STICKY = 3  #: this many bits below the last one to keep, the rest is no more than "not zero" to any rounding


def add(fmt: Format, a: int, b: int, status: Status) -> int:
    """``a + b``."""
    return _sum(fmt, a, b, 0, status)


def subtract(fmt: Format, a: int, b: int, status: Status) -> int:
    """``a - b``."""
    return _sum(fmt, a, b, 1, status)


def _sum(fmt: Format, a: int, b: int, minus: int, status: Status) -> int:
    bits, field_mask, special = fmt.fraction_bits, fmt.field_mask, fmt.special
    x_field, y_field = a >> bits & field_mask, b >> bits & field_mask
    if not (0 < x_field < special and 0 < y_field < special and (fmt.implicit or a & b & fmt.leading)):
        return _sum_unusual(fmt, status.operand(fmt, a), status.operand(fmt, b), minus, status)
    mask, implicit = fmt.fraction_mask, fmt.implicit
    x, y = a & mask | implicit, b & mask | implicit
    sign, distance = a >> fmt.sign_shift, x_field - y_field
    if distance >= 0:
        if distance > fmt.precision + STICKY:
            x, y, y_field = x << fmt.precision + STICKY, 1, x_field - fmt.precision - STICKY
        else:
            x <<= distance
    else:
        if distance < -fmt.precision - STICKY:
            y, x, x_field = y << fmt.precision + STICKY, 1, y_field - fmt.precision - STICKY
        else:
            y <<= -distance
        y_field = x_field
    if sign ^ b >> fmt.sign_shift ^ minus:
        x -= y
        if x < 0:
            x, sign = -x, sign ^ 1
        elif not x:
            sign = int(status.rounding == DOWN)
    else:
        x += y
    return pack(fmt, status, sign, x, y_field - fmt.offset)


def _sum_unusual(fmt: Format, x: Number, y: Number, minus: int, status: Status) -> int:
    if x.kind >= QUIET or y.kind >= QUIET:
        return status.propagate(fmt, x, y)
    y_sign = y.sign ^ minus
    if x.kind is INFINITY:
        if y.kind is INFINITY and x.sign != y_sign:
            return status.invalid(fmt)
        status.note_denormals(y)
        return fmt.infinity(x.sign)
    status.note_denormals(x, y)
    if y.kind is INFINITY:
        return fmt.infinity(y_sign)
    return add_exact(fmt, status, (x.sign, x.significand, x.exponent), (y_sign, y.significand, y.exponent))


def add_exact(fmt: Format, status: Status, x: tuple[int, int, int], y: tuple[int, int, int], distance: int = 0) -> int:
    """The rounded sum of two finite values (sign, significand, exponent), times ``2**distance``.

    A zero's significand is 0.
    """
    (x_sign, left, exponent), (y_sign, right, y_exponent) = x, y
    if not left and not right:
        status.rounded_up = False
        return fmt.zero(x_sign if x_sign == y_sign else status.rounding == DOWN)
    if not left:
        exponent = y_exponent
    elif right:
        left, right, exponent = _align(fmt.precision, left, exponent, right, y_exponent)
    total = (-left if x_sign else left) + (-right if y_sign else right)
    if not total:
        status.rounded_up = False
        return fmt.zero(status.rounding == DOWN)
    return pack(fmt, status, int(total < 0), abs(total), exponent + distance)


def _align(precision: int, left: int, x_exponent: int, right: int, y_exponent: int) -> tuple[int, int, int]:
    """Two magnitudes as multiples of one power of two; one too small to matter is but more than nothing.

    What makes a huge shift needless is the distance of the leading bits, as significands have any length.
    """
    if x_exponent < y_exponent:
        right, left, exponent = _align(precision, right, y_exponent, left, x_exponent)
        return left, right, exponent
    distance = x_exponent - y_exponent
    keep = precision + STICKY  # bits of `left` that count, at least, however short it is
    if distance > keep + right.bit_length():
        return left << keep, 1, x_exponent - keep
    return left << distance, right, y_exponent


def multiply(fmt: Format, a: int, b: int, status: Status) -> int:
    """``a * b``."""
    bits, field_mask, special = fmt.fraction_bits, fmt.field_mask, fmt.special
    x_field, y_field = a >> bits & field_mask, b >> bits & field_mask
    if 0 < x_field < special and 0 < y_field < special and (fmt.implicit or a & b & fmt.leading):
        mask, implicit = fmt.fraction_mask, fmt.implicit
        product = (a & mask | implicit) * (b & mask | implicit)
        return pack(fmt, status, (a ^ b) >> fmt.sign_shift, product, x_field + y_field - 2 * fmt.offset)
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.kind >= QUIET or y.kind >= QUIET:
        return status.propagate(fmt, x, y)
    sign = x.sign ^ y.sign
    if x.kind is INFINITY or y.kind is INFINITY:
        if x.kind is ZERO or y.kind is ZERO:
            return status.invalid(fmt)
        status.note_denormals(x, y)
        return fmt.infinity(sign)
    status.note_denormals(x, y)
    return pack(fmt, status, sign, x.significand * y.significand, x.exponent + y.exponent)


def divide(fmt: Format, a: int, b: int, status: Status) -> int:
    """``a / b``."""
    bits, field_mask, special = fmt.fraction_bits, fmt.field_mask, fmt.special
    x_field, y_field = a >> bits & field_mask, b >> bits & field_mask
    if 0 < x_field < special and 0 < y_field < special and (fmt.implicit or a & b & fmt.leading):
        mask, implicit = fmt.fraction_mask, fmt.implicit
        shift = fmt.precision + 2
        quotient, rest = divmod((a & mask | implicit) << shift, b & mask | implicit)
        if rest:
            quotient |= 1  # it has two bits more than are kept, at least
        return pack(fmt, status, (a ^ b) >> fmt.sign_shift, quotient, x_field - y_field - shift)
    return _divide_unusual(fmt, status.operand(fmt, a), status.operand(fmt, b), status)


def _divide_unusual(fmt: Format, x: Number, y: Number, status: Status) -> int:
    if x.kind >= QUIET or y.kind >= QUIET:
        return status.propagate(fmt, x, y)
    sign = x.sign ^ y.sign
    if x.kind is y.kind and x.kind is not FINITE:
        return status.invalid(fmt)
    if y.kind is ZERO and x.kind is FINITE:
        status.flags |= DIVIDE_BY_ZERO
        return fmt.infinity(sign)
    status.note_denormals(x, y)
    if x.kind is INFINITY:
        return fmt.infinity(sign)
    if x.kind is ZERO or y.kind is INFINITY:
        status.rounded_up = False
        return fmt.zero(sign)
    shift = max(0, fmt.precision + 3 + y.significand.bit_length() - x.significand.bit_length())
    quotient, rest = divmod(x.significand << shift, y.significand)
    return pack(fmt, status, sign, quotient << 1 | (rest != 0), x.exponent - y.exponent - shift - 1)


def fused_multiply_add(
    fmt: Format,
    a: int,
    b: int,
    c: int,
    status: Status,
    *,
    negate_product: int = 0,
    negate_addend: int = 0,
    negate_result: int = 0,
) -> int:
    """``a * b + c``, rounded once.

    What is negated (by 1) is the product, *c*, or the rounded result, but never a NaN: PowerPC's and x86's way. ARM
    negates operands, NaNs or not (FPNeg), before the operation.
    """
    bits, field_mask, special = fmt.fraction_bits, fmt.field_mask, fmt.special
    x_field, y_field, z_field = a >> bits & field_mask, b >> bits & field_mask, c >> bits & field_mask
    if (
        0 < x_field < special
        and 0 < y_field < special
        and 0 < z_field < special
        and (fmt.implicit or a & b & c & fmt.leading)
    ):
        mask, implicit, offset, top = fmt.fraction_mask, fmt.implicit, fmt.offset, fmt.sign_shift
        product = (a & mask | implicit) * (b & mask | implicit)
        result = add_exact(
            fmt,
            status,
            ((a ^ b) >> top ^ negate_product, product, x_field + y_field - 2 * offset),
            (c >> top ^ negate_addend, c & mask | implicit, z_field - offset),
        )
    else:
        result = _fused_unusual(fmt, (a, b, c), negate_product, negate_addend, status)
        if negate_result and fmt.unpack(result).kind >= QUIET:
            return result
    return result ^ fmt.sign_bit if negate_result else result


def _fused_unusual(
    fmt: Format, operands: tuple[int, int, int], negate_product: int, negate_addend: int, status: Status
) -> int:
    x, y, z = (status.operand(fmt, operand) for operand in operands)
    if x.kind >= QUIET or y.kind >= QUIET or z.kind >= QUIET:
        return _fused_nan(fmt, (x, y, z), status)
    sign, z_sign = x.sign ^ y.sign ^ negate_product, z.sign ^ negate_addend
    if x.kind is INFINITY or y.kind is INFINITY:
        if x.kind is ZERO or y.kind is ZERO or (z.kind is INFINITY and z_sign != sign):
            return status.invalid(fmt)
        status.note_denormals(x, y, z)
        return fmt.infinity(sign)
    status.note_denormals(x, y, z)
    if z.kind is INFINITY:
        return fmt.infinity(z_sign)
    product = (sign, x.significand * y.significand, x.exponent + y.exponent)
    return add_exact(fmt, status, product, (z_sign, z.significand, z.exponent))


def _fused_nan(fmt: Format, numbers: tuple[Number, Number, Number], status: Status) -> int:
    x, y, z = numbers
    rule = status.nans.undefined_product
    if z.kind is QUIET and {x.kind, y.kind} == {ZERO, INFINITY} and rule is not UndefinedProduct.QUIET:
        status.flags |= INVALID
        if rule is UndefinedProduct.DEFAULT:
            return status.nans.default(fmt)
    first, second, third = status.nans.fused_order
    return status.propagate(fmt, numbers[first], numbers[second], numbers[third])


def square_root(fmt: Format, a: int, status: Status) -> int:
    """The square root of *a*."""
    x = status.operand(fmt, a)
    if x.kind >= QUIET:
        return status.propagate(fmt, x)
    if x.kind is ZERO:
        return fmt.zero(x.sign)
    if x.sign:
        return status.invalid(fmt)
    status.note_denormals(x)
    if x.kind is INFINITY:
        return fmt.infinity(0)
    shift = max(0, 2 * fmt.precision + 4 - x.significand.bit_length())
    shift += x.exponent - shift & 1
    value = x.significand << shift
    root = isqrt(value)
    return pack(fmt, status, 0, root << 1 | (root * root != value), (x.exponent - shift >> 1) - 1)


def scale(fmt: Format, a: int, distance: int, status: Status) -> int:
    """``a * 2**distance`` (IEEE 754-2008, 5.3.3 scaleB)."""
    x = status.operand(fmt, a)
    if x.kind >= QUIET:
        return status.propagate(fmt, x)
    status.note_denormals(x)
    if x.kind is not FINITE:
        return fmt.infinity(x.sign) if x.kind is INFINITY else fmt.zero(x.sign)
    limit = 4 << fmt.exponent_bits
    return pack(fmt, status, x.sign, x.significand, x.exponent + max(-limit, min(limit, distance)))


def exponent(fmt: Format, a: int, status: Status) -> int:
    """The exponent of *a*, as a number of the same format (IEEE 754-2008, 5.3.3 logB).

    A subnormal number's is that of its leading bit; a zero's is minus infinity, which signals a division by zero.
    """
    x = status.operand(fmt, a)
    if x.kind >= QUIET:
        return status.propagate(fmt, x)
    if x.kind is INFINITY:
        return fmt.infinity(0)
    if x.kind is ZERO:
        status.flags |= DIVIDE_BY_ZERO
        return fmt.infinity(1)
    status.note_denormals(x)
    value = x.exponent + x.significand.bit_length() - 1
    return pack(fmt, status, int(value < 0), abs(value), 0)


def remainder(fmt: Format, a: int, b: int, status: Status, *, nearest: bool = True) -> tuple[int, int]:
    """``a - b * n`` and ``n``'s magnitude, where n is ``a / b`` rounded to the nearest integer, else towards zero."""
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.kind >= QUIET or y.kind >= QUIET:
        return status.propagate(fmt, x, y), 0
    if x.kind is INFINITY or y.kind is ZERO:
        return status.invalid(fmt), 0
    status.note_denormals(x, y)
    if x.kind is ZERO:
        return fmt.zero(x.sign), 0
    if y.kind is INFINITY:
        return a, 0
    low = min(x.exponent, y.exponent)
    dividend, divisor = x.significand << x.exponent - low, y.significand << y.exponent - low
    quotient, rest = divmod(dividend, divisor)
    if nearest and (2 * rest > divisor or (2 * rest == divisor and quotient & 1)):
        quotient, rest = quotient + 1, rest - divisor
    sign = x.sign ^ (rest < 0)
    return pack(fmt, status, sign, abs(rest), low), quotient
