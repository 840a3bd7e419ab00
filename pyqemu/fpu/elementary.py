"""Transcendental functions of the x87, by integer arithmetic (SDM vol. 1, 8.3.6 to 8.3.10).

Values are fixed-point integers with enough bits below the result's last one that rounding is right but for arguments
that nobody will ever meet. Arguments of the trigonometric functions are reduced by the 66-bit pi that processors use.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import isqrt

from pyqemu.fpu.formats import EXTENDED, FINITE, INFINITY, ZERO, Number
from pyqemu.fpu.nans import DEFAULT_NANS
from pyqemu.fpu.rounding import pack
from pyqemu.fpu.status import DIVIDE_BY_ZERO, INEXACT, Status

GUARD = 160  #: bits of a fixed-point value below its leading one
TINY = -80  #: below two to this, a function is its first term for all purposes of rounding
PI66 = 0xC90FDAA22168C234C  #: the processors' pi, times 2**66 (SDM vol. 1, 8.3.8)


# --- fixed point ------------------------------------------------------------------------------------------------------


def _fixed(numerator: int, exponent: int, width: int) -> int:
    """``numerator * 2**exponent`` with *width* bits after the point."""
    shift = exponent + width
    return numerator << shift if shift >= 0 else numerator >> -shift


@lru_cache(maxsize=64)
def _pi(width: int) -> int:
    """pi (J. Machin: 16 arctan 1/5 - 4 arctan 1/239)."""
    guard = width + 16
    return (16 * _arctan_inverse(5, guard) - 4 * _arctan_inverse(239, guard)) >> 16


def _arctan_inverse(n: int, width: int) -> int:
    power = total = (1 << width) // n
    k, sign = 1, -1
    while power:
        power //= n * n
        k += 2
        total += sign * (power // k)
        sign = -sign
    return total


def _atanh_series(z: int, width: int) -> int:
    """The inverse hyperbolic tangent of a fixed-point number well below one."""
    square = z * z >> width
    power = total = z
    k = 1
    while power:
        power = power * square >> width
        k += 2
        total += power // k
    return total


@lru_cache(maxsize=64)
def _ln2(width: int) -> int:
    guard = width + 16
    return 2 * _atanh_series((1 << guard) // 3, guard) >> 16


def _ln(numerator: int, denominator: int, width: int) -> int:
    """The natural logarithm of a ratio near one."""
    z = (abs(numerator - denominator) << width) // (numerator + denominator)
    value = 2 * _atanh_series(z, width)
    return value if numerator >= denominator else -value


def _sine_series(r: int, width: int) -> int:
    square = r * r >> width
    term = total = r
    n = 1
    while term:
        n += 2
        term = -(term * square >> width) // (n * (n - 1))
        if term == -1:
            break
        total += term
    return total


def _cosine_series(r: int, width: int) -> int:
    square = r * r >> width
    term = total = 1 << width
    n = 0
    while term:
        n += 2
        term = -(term * square >> width) // (n * (n - 1))
        if term == -1:
            break
        total += term
    return total


def _exp_minus_one(x: int, width: int) -> int:
    """``e**x - 1`` for a fixed-point number of magnitude below one."""
    term = total = x
    n = 1
    while term not in (0, -1):
        n += 1
        term = (term * x >> width) // n
        total += term
    return total


def _arctan_series(t: int, width: int) -> int:
    """The arctangent of a fixed-point number from 0 to 1: halved three times, then the power series."""
    one = 1 << width
    for _ in range(3):
        root = isqrt(one * one + t * t)
        t = (t << width) // (one + root)
    square = t * t >> width
    power = total = t
    k, sign = 1, -1
    while power:
        power = power * square >> width
        k += 2
        total += sign * (power // k)
        sign = -sign
    return total << 3


# --- results ----------------------------------------------------------------------------------------------------------


def _inexact(status: Status, value: int, exponent: int) -> int:
    """Round ``value * 2**exponent``, which is not exact."""
    sign = int(value < 0)
    result = pack(EXTENDED, status, sign, abs(value) << 2 | 1, exponent - 2)
    status.flags |= INEXACT
    return result


def _near(status: Status, x: Number, *, above: bool) -> int:
    """*x* changed by less than any rounding can see."""
    magnitude = (x.significand << 100) + (1 if above else -1)
    return _inexact(status, -magnitude if x.sign else magnitude, x.exponent - 100)


def _top(x: Number) -> int:
    """The exponent of the leading bit."""
    return x.exponent + x.significand.bit_length() - 1


def _pattern(x: Number, status: Status) -> int:
    return pack(EXTENDED, status, x.sign, x.significand, x.exponent)


_CONSTANTS: tuple[Callable[[int], int], ...] = (
    lambda w: 1 << w,
    lambda w: ((3 * _ln2(w) + _ln(5, 4, w)) << w) // _ln2(w),
    lambda w: (1 << 2 * w) // _ln2(w),
    _pi,
    lambda w: (_ln2(w) << w) // (3 * _ln2(w) + _ln(5, 4, w)),
    _ln2,
    lambda w: 0,
)


@lru_cache(maxsize=32)
def constant(number: int, rounding: int) -> int:
    """1, log2(10), log2(e), pi, log10(2), ln(2), 0 in the order of their opcodes."""
    return pack(EXTENDED, Status(DEFAULT_NANS, rounding), 0, _CONSTANTS[number](GUARD), -GUARD)


# --- trigonometry -----------------------------------------------------------------------------------------------------


def _reduce(x: Number) -> tuple[int, int, int]:
    """Quadrant and rest of an angle: ``x = quadrant * pi / 2 + rest * 2**exponent``, -pi/4 <= rest <= pi/4."""
    exponent = min(x.exponent, -67)
    value = x.significand << x.exponent - exponent
    half_pi = PI66 << -67 - exponent
    quadrant = (2 * value + half_pi) // (2 * half_pi)
    rest = value - quadrant * half_pi
    if x.sign:
        quadrant, rest = -quadrant, -rest
    return quadrant & 3, rest, exponent


def _sine_cosine(x: Number, shift: int) -> tuple[int, int]:
    """The sine of ``x + shift * pi / 2`` as (value, exponent)."""
    quadrant, rest, exponent = _reduce(x)
    quadrant += shift
    width = GUARD + max(0, -(exponent + rest.bit_length()))
    r = _fixed(rest, exponent, width)
    value = _cosine_series(r, width) if quadrant & 1 else _sine_series(r, width)
    return (-value if quadrant & 2 else value), -width


def sine(x: Number, status: Status) -> int:
    """sin x of a finite number."""
    if x.kind is ZERO:
        return EXTENDED.zero(x.sign)
    if _top(x) < TINY:
        return _near(status, x, above=False)
    return _inexact(status, *_sine_cosine(x, 0))


def cosine(x: Number, status: Status) -> int:
    """cos x of a finite number."""
    if x.kind is ZERO:
        return EXTENDED.assemble(0, EXTENDED.bias, EXTENDED.leading)
    if _top(x) < TINY:
        return _inexact(status, (1 << 100) - 1, -100)
    return _inexact(status, *_sine_cosine(x, 1))


def tangent(x: Number, status: Status) -> int:
    """tan x of a finite number."""
    if x.kind is ZERO:
        return EXTENDED.zero(x.sign)
    if _top(x) < TINY:
        return _near(status, x, above=True)
    (top, top_exponent), (bottom, bottom_exponent) = _sine_cosine(x, 0), _sine_cosine(x, 1)
    quotient = (abs(top) << GUARD) // abs(bottom)
    return _inexact(
        status, quotient if (top < 0) == (bottom < 0) else -quotient, top_exponent - bottom_exponent - GUARD
    )


def arctangent(a: int, b: int, status: Status) -> int:
    """The angle of the point (x, y): *a* is x, *b* is y (SDM vol. 2, table 3-32)."""
    x, y = EXTENDED.unpack(a), EXTENDED.unpack(b)
    if x.is_nan or y.is_nan:
        return status.propagate(EXTENDED, x, y)
    status.note_denormals(x, y)
    if y.kind is ZERO or (x.kind is INFINITY and y.kind is FINITE):
        if not x.sign:
            return EXTENDED.zero(y.sign)
        return _fraction_of_pi(status, y.sign, 4)
    if x.kind is INFINITY:
        return _fraction_of_pi(status, y.sign, 3 if x.sign else 1)
    if x.kind is ZERO or y.kind is INFINITY:
        return _fraction_of_pi(status, y.sign, 2)
    distance = _top(y) - _top(x)
    if distance < TINY and not x.sign:
        shift = GUARD + x.significand.bit_length()
        value = (y.significand << shift) // x.significand
        return _inexact(status, -value if y.sign else value, y.exponent - x.exponent - shift)
    value, width = _angle(x, y, max(TINY, min(distance, -TINY)))
    return _inexact(status, -value if y.sign else value, -width)


def _fraction_of_pi(status: Status, sign: int, quarters: int) -> int:
    value = _pi(GUARD) * quarters
    return _inexact(status, -value if sign else value, -GUARD - 2)


def _angle(x: Number, y: Number, distance: int) -> tuple[int, int]:
    """The angle of ``(x, |y|)``, fixed-point, and its width."""
    width = GUARD + abs(distance)
    exponent = min(x.exponent, y.exponent)
    right, up = x.significand << x.exponent - exponent, y.significand << y.exponent - exponent
    if up <= right:
        value = _arctan_series((up << width) // right, width)
    else:
        value = (_pi(width) >> 1) - _arctan_series((right << width) // up, width)
    return (_pi(width) - value if x.sign else value), width


# --- exponential and logarithm ----------------------------------------------------------------------------------------


def power_of_two_minus_one(x: Number, status: Status) -> int:
    """``2**x - 1`` for -1 <= x <= 1; outside, where it is undefined, x itself."""
    if x.kind is ZERO:
        return EXTENDED.zero(x.sign)
    top = _top(x)
    if top >= 0:
        if x.significand == 1 << -x.exponent:
            return EXTENDED.assemble(x.sign, EXTENDED.bias - x.sign, EXTENDED.leading)
        return _pattern(x, status)
    signed = -x.significand if x.sign else x.significand
    if top < TINY:
        return _inexact(status, signed * _ln2(GUARD), x.exponent - GUARD)
    width = GUARD - top
    return _inexact(status, _exp_minus_one(_fixed(signed, x.exponent, width) * _ln2(width) >> width, width), -width)


def y_log2_x(a: int, b: int, status: Status) -> int:
    """``y * log2(x)``: *a* is x, *b* is y (SDM vol. 2, table 3-56)."""
    x, y = EXTENDED.unpack(a), EXTENDED.unpack(b)
    if x.is_nan or y.is_nan:
        return status.propagate(EXTENDED, x, y)
    if x.kind is not ZERO and x.sign:
        return status.invalid(EXTENDED)
    if x.kind is ZERO:
        if y.kind is ZERO:
            return status.invalid(EXTENDED)
        if y.kind is FINITE:
            status.flags |= DIVIDE_BY_ZERO
        return EXTENDED.infinity(y.sign ^ 1)
    status.note_denormals(x, y)
    power = _top(x)
    is_power = x.significand.bit_count() == 1
    below = power < 0
    if x.kind is INFINITY or y.kind is INFINITY:
        if (x.kind is INFINITY and y.kind is ZERO) or (x.kind is FINITE and is_power and power == 0):
            return status.invalid(EXTENDED)
        return EXTENDED.infinity(y.sign ^ (below if x.kind is FINITE else 0))
    if is_power:
        return pack(EXTENDED, status, y.sign ^ below, y.significand * abs(power), y.exponent)
    if y.kind is ZERO:
        return EXTENDED.zero(y.sign ^ below)
    return _scaled_logarithm(_log2(x.significand, power - x.exponent, power), y, status)


def _log2(significand: int, point: int, power: int) -> tuple[int, int]:
    """log2 of ``significand / 2**point * 2**power``, fixed-point, and its width; the ratio is from 1 to 2."""
    width = GUARD + 80
    one = 1 << point
    if 2 * significand * significand > 4 * one * one:
        one, power = 2 * one, power + 1
    return (power << width) + (_ln(significand, one, width) << width) // _ln2(width), width


def _scaled_logarithm(logarithm: tuple[int, int], y: Number, status: Status) -> int:
    value, width = logarithm
    return _inexact(status, (-value if y.sign else value) * y.significand, y.exponent - width)


def y_log2_xp1(a: int, b: int, status: Status) -> int:
    """``y * log2(x + 1)`` (SDM vol. 2, table 3-57); defined for \\|x\\| < 1 - sqrt(1/2)."""
    x, y = EXTENDED.unpack(a), EXTENDED.unpack(b)
    if x.is_nan or y.is_nan:
        return status.propagate(EXTENDED, x, y)
    if x.kind is INFINITY or (x.kind is FINITE and x.sign and _top(x) >= 0):
        return status.invalid(EXTENDED) if x.sign or y.kind is ZERO else EXTENDED.infinity(y.sign)
    status.note_denormals(x, y)
    sign = x.sign ^ y.sign
    if y.kind is INFINITY:
        return status.invalid(EXTENDED) if x.kind is ZERO else EXTENDED.infinity(sign)
    if x.kind is ZERO or y.kind is ZERO:
        return EXTENDED.zero(sign)
    top = _top(x)
    signed = -x.significand if x.sign else x.significand
    if top < TINY:
        value = (signed << 2 * GUARD) // _ln2(GUARD)
        return _inexact(status, (-value if y.sign else value) * y.significand, x.exponent + y.exponent - GUARD)
    width = GUARD + max(0, -top)
    shift = max(0, -x.exponent)
    one = 1 << shift
    sum_ = (signed << x.exponent if x.exponent > 0 else signed) + one
    power = sum_.bit_length() - 1 - shift if top > 0 else 0
    log = _ln(sum_, one << power if power >= 0 else one >> -power, width)
    return _scaled_logarithm(((power << width) + (log << width) // _ln2(width), width), y, status)
