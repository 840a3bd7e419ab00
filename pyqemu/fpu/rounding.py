"""From an exact value to the nearest number of a format (IEEE 754-2008, 4.3, 7.4 to 7.6; ARM's FPRound)."""

from __future__ import annotations

from pyqemu.fpu.formats import Format
from pyqemu.fpu.status import INEXACT, INVALID, OVERFLOW, UNDERFLOW, Rounding, Status

NEAREST_EVEN, DOWN, UP, TOWARD_ZERO, NEAREST_AWAY, ODD = Rounding


def increments(rounding: int, sign: int, quotient: int, rest: int, half: int) -> bool:
    """Whether a magnitude cut to *quotient*, with *rest* left of a unit of ``2 * half``, is rounded away from zero."""
    if not rest or rounding == TOWARD_ZERO:
        return False
    if rounding == NEAREST_EVEN:
        return rest > half or (rest == half and quotient & 1 == 1)
    if rounding == NEAREST_AWAY:
        return rest >= half
    if rounding == ODD:
        return not quotient & 1
    return sign == (rounding == DOWN)


def shift_round(rounding: int, sign: int, significand: int, shift: int) -> tuple[int, bool, bool]:
    """``significand / 2**shift`` rounded to an integer; whether it was inexact, whether it was incremented."""
    if shift <= 0:
        return significand << -shift, False, False
    if shift > significand.bit_length() + 1:  # less than a half; spares the making of a huge one
        up = increments(rounding, sign, 0, 1 if significand else 0, 2)
        return int(up), significand != 0, up
    quotient = significand >> shift
    rest = significand - (quotient << shift)
    up = increments(rounding, sign, quotient, rest, 1 << shift - 1)
    return quotient + up, rest != 0, up


def pack(fmt: Format, status: Status, sign: int, significand: int, exponent: int) -> int:
    """The pattern of ``significand * 2**exponent``, rounded. A *significand* of zero gives a zero."""
    shift = significand.bit_length() - fmt.precision
    field = exponent + shift + fmt.offset
    if status.precision or not significand or not 0 < field < fmt.special:
        return _pack_unusual(fmt, status, sign, significand, exponent)
    if shift <= 0:
        status.rounded_up = False
        value = significand << -shift
        return (sign << fmt.exponent_bits | field) << fmt.fraction_bits | value & fmt.fraction_mask
    value = significand >> shift
    rest = significand - (value << shift)
    up = False
    if rest:
        half = 1 << shift - 1
        if status.rounding:
            up = increments(status.rounding, sign, value, rest, half)
        else:
            up = rest > half or (rest == half and value & 1 == 1)
        if up:
            value += 1
            if value >> fmt.precision:
                value >>= 1
                field += 1
                if field == fmt.special:
                    return _overflow(fmt, status, sign)
        status.flags |= INEXACT
    status.rounded_up = up
    return (sign << fmt.exponent_bits | field) << fmt.fraction_bits | value & fmt.fraction_mask


def _pack_unusual(fmt: Format, status: Status, sign: int, significand: int, exponent: int) -> int:
    """Zeros, tiny and huge values, and those that are rounded to fewer bits."""
    status.rounded_up = False
    if not significand:
        return sign << fmt.sign_shift
    precision = status.precision or fmt.precision
    length = significand.bit_length()
    top = exponent + length - 1
    if top < fmt.emin:
        return _pack_tiny(fmt, status, sign, significand, exponent)
    if top > fmt.emax:
        return _overflow(fmt, status, sign)
    value, inexact, up = shift_round(status.rounding, sign, significand, length - precision)
    if value >> precision:
        value >>= 1
        top += 1
        if top > fmt.emax:
            return _overflow(fmt, status, sign)
    if inexact:
        status.flags |= INEXACT
        status.rounded_up = up
    fraction = value << fmt.precision - precision & fmt.fraction_mask
    return fmt.assemble(sign, top + fmt.bias, fraction)


def _pack_tiny(fmt: Format, status: Status, sign: int, significand: int, exponent: int) -> int:
    """A result below the normal numbers before it is rounded."""
    precision = status.precision or fmt.precision
    length = significand.bit_length()
    tiny = True
    if not status.tiny_before_rounding and length > precision:  # would it be normal if the exponent had no bound?
        free, _, _ = shift_round(status.rounding, sign, significand, length - precision)
        tiny = exponent + length - 1 + (free >> precision) < fmt.emin
    if tiny and status.flush_to_zero:
        status.flags |= status.flush_flags
        return sign << fmt.sign_shift
    value, inexact, up = shift_round(status.rounding, sign, significand, fmt.emin - precision + 1 - exponent)
    if tiny and (inexact or status.trap_underflow):
        status.flags |= UNDERFLOW
    if inexact:
        status.flags |= INEXACT
        status.rounded_up = up
    value <<= fmt.precision - precision
    field = 1 if value & fmt.leading else 0
    return fmt.assemble(sign, field, value & fmt.fraction_mask)


def _overflow(fmt: Format, status: Status, sign: int) -> int:
    rounding = status.rounding
    if fmt.finite_only:  # DDI 0487, FPRound: an invalid operation, and not inexact
        status.flags |= INVALID
        status.rounded_up = False
        return fmt.largest(sign)
    status.flags |= OVERFLOW | INEXACT
    away = rounding in (NEAREST_EVEN, NEAREST_AWAY) or rounding == (DOWN if sign else UP)
    status.rounded_up = away
    if away:
        return fmt.infinity(sign)
    largest = fmt.largest(sign)
    return largest & ~((1 << fmt.precision - status.precision) - 1) if status.precision else largest
