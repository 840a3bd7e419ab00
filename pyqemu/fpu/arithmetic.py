"""Arithmetic (IEEE 754-2008, 5.4.1; SDM vol. 1, 4.9 for the order in which exceptions are found)."""

from __future__ import annotations

from math import isqrt

from pyqemu.fpu.formats import Format, Kind, Number
from pyqemu.fpu.rounding import pack
from pyqemu.fpu.status import DIVIDE_BY_ZERO, Rounding, Status

ZERO, FINITE, INFINITY = Kind.ZERO, Kind.FINITE, Kind.INFINITY


def add(fmt: Format, a: int, b: int, status: Status) -> int:
    """``a + b``."""
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    return _sum(fmt, x, y, y.sign, status)


def subtract(fmt: Format, a: int, b: int, status: Status) -> int:
    """``a - b``."""
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    return _sum(fmt, x, y, y.sign ^ 1, status)


def _sum(fmt: Format, x: Number, y: Number, y_sign: int, status: Status) -> int:
    if x.is_nan or y.is_nan:
        return status.propagate(fmt, x, y)
    if x.kind is INFINITY:
        if y.kind is INFINITY and x.sign != y_sign:
            return status.invalid(fmt)
        status.note_denormals(y)
        return fmt.infinity(x.sign)
    status.note_denormals(x, y)
    if y.kind is INFINITY:
        return fmt.infinity(y_sign)
    return add_exact(fmt, status, (x.sign, x.significand, x.exponent), (y_sign, y.significand, y.exponent))


def add_exact(fmt: Format, status: Status, x: tuple[int, int, int], y: tuple[int, int, int]) -> int:
    """The rounded sum of two finite values (sign, significand, exponent); zeros have significand 0."""
    (x_sign, x_value, x_exponent), (y_sign, y_value, y_exponent) = x, y
    if not x_value and not y_value:
        status.rounded_up = False
        return fmt.zero(x_sign if x_sign == y_sign else status.rounding == Rounding.DOWN)
    exponent = min(x_exponent if x_value else y_exponent, y_exponent if y_value else x_exponent)
    left = x_value << x_exponent - exponent if x_value else 0
    right = y_value << y_exponent - exponent if y_value else 0
    total = (-left if x_sign else left) + (-right if y_sign else right)
    if not total:
        status.rounded_up = False
        return fmt.zero(status.rounding == Rounding.DOWN)
    return pack(fmt, status, int(total < 0), abs(total), exponent)


def multiply(fmt: Format, a: int, b: int, status: Status) -> int:
    """``a * b``."""
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.is_nan or y.is_nan:
        return status.propagate(fmt, x, y)
    sign = x.sign ^ y.sign
    if x.kind is INFINITY or y.kind is INFINITY:
        if x.kind is ZERO or y.kind is ZERO:
            return status.invalid(fmt)
        status.note_denormals(x, y)
        return fmt.infinity(sign)
    status.note_denormals(x, y)
    return pack(fmt, status, sign, x.significand * y.significand, x.exponent + y.exponent)


def fused_multiply_add(fmt: Format, a: int, b: int, c: int, status: Status) -> int:
    """``a * b + c``, rounded once."""
    x, y, z = status.operand(fmt, a), status.operand(fmt, b), status.operand(fmt, c)
    undefined = {x.kind, y.kind} == {ZERO, INFINITY}
    if x.is_nan or y.is_nan or z.is_nan:
        return status.propagate(fmt, x, y, z)
    sign = x.sign ^ y.sign
    if undefined or ((x.kind is INFINITY or y.kind is INFINITY) and z.kind is INFINITY and z.sign != sign):
        return status.invalid(fmt)
    status.note_denormals(x, y, z)
    if x.kind is INFINITY or y.kind is INFINITY:
        return fmt.infinity(sign)
    if z.kind is INFINITY:
        return fmt.infinity(z.sign)
    product = (sign, x.significand * y.significand, x.exponent + y.exponent)
    return add_exact(fmt, status, product, (z.sign, z.significand, z.exponent))


def divide(fmt: Format, a: int, b: int, status: Status) -> int:
    """``a / b``."""
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.is_nan or y.is_nan:
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


def square_root(fmt: Format, a: int, status: Status) -> int:
    """The square root of *a*."""
    x = status.operand(fmt, a)
    if x.is_nan:
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
    """``a * 2**distance``."""
    x = status.operand(fmt, a)
    if x.is_nan:
        return status.propagate(fmt, x)
    status.note_denormals(x)
    if x.kind is not FINITE:
        return fmt.infinity(x.sign) if x.kind is INFINITY else fmt.zero(x.sign)
    limit = 4 << fmt.exponent_bits
    return pack(fmt, status, x.sign, x.significand, x.exponent + max(-limit, min(limit, distance)))


def remainder(fmt: Format, a: int, b: int, status: Status, *, nearest: bool = True) -> tuple[int, int]:
    """``a - b * n`` and ``n``, where n is ``a / b`` rounded to the nearest integer, else towards zero."""
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.is_nan or y.is_nan:
        return status.propagate(fmt, x, y), 0
    if x.kind is INFINITY or y.kind is ZERO:
        return status.invalid(fmt), 0
    status.note_denormals(x, y)
    if x.kind is ZERO or y.kind is INFINITY:
        return a, 0
    exponent = min(x.exponent, y.exponent)
    dividend, divisor = x.significand << x.exponent - exponent, y.significand << y.exponent - exponent
    quotient, rest = divmod(dividend, divisor)
    if nearest and (2 * rest > divisor or (2 * rest == divisor and quotient & 1)):
        quotient, rest = quotient + 1, rest - divisor
    sign = x.sign ^ (rest < 0)
    return pack(fmt, status, sign, abs(rest), exponent), quotient
