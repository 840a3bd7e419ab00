"""From an exact value to the nearest number of a format (IEEE 754-2008, 4.3, 7.4 to 7.6)."""

from __future__ import annotations

from pyqemu.fpu.formats import Format
from pyqemu.fpu.status import INEXACT, OVERFLOW, UNDERFLOW, Rounding, Status


def increments(rounding: int, sign: int, quotient: int, rest: int, half: int) -> bool:
    """Whether a magnitude cut to *quotient*, with *rest* left of a unit of ``2 * half``, is rounded away from zero."""
    if not rest:
        return False
    match rounding:
        case Rounding.NEAREST_EVEN:
            return rest > half or (rest == half and quotient & 1 == 1)
        case Rounding.DOWN:
            return sign == 1
        case Rounding.UP:
            return sign == 0
        case Rounding.NEAREST_AWAY:
            return rest >= half
    return False


def shift_round(rounding: int, sign: int, significand: int, shift: int) -> tuple[int, bool, bool]:
    """``significand / 2**shift`` rounded to an integer; whether it was inexact, whether it was incremented."""
    if shift <= 0:
        return significand << -shift, False, False
    quotient = significand >> shift
    rest = significand - (quotient << shift)
    up = increments(rounding, sign, quotient, rest, 1 << shift - 1)
    return quotient + up, rest != 0, up


def pack(fmt: Format, status: Status, sign: int, significand: int, exponent: int) -> int:
    """The pattern of ``significand * 2**exponent``, rounded. A *significand* of zero gives a zero."""
    status.rounded_up = False
    if not significand:
        return fmt.zero(sign)
    precision = status.precision or fmt.precision
    top = exponent + significand.bit_length() - 1
    tiny = top < fmt.emin
    lsb = (fmt.emin if tiny else top) - precision + 1
    value, inexact, up = shift_round(status.rounding, sign, significand, lsb - exponent)
    if tiny:
        return _pack_tiny(fmt, status, sign, significand, exponent, (value, inexact, up, precision))
    if value.bit_length() > precision:
        value >>= 1
        top += 1
    if top > fmt.emax:
        return _overflow(fmt, status, sign)
    _note(status, inexact, up)
    fraction = value << fmt.precision - precision & fmt.fraction_mask
    return fmt.assemble(sign, top + fmt.bias, fraction)


def _note(status: Status, inexact: bool, up: bool) -> None:
    if inexact:
        status.flags |= INEXACT
    status.rounded_up = up


def _pack_tiny(
    fmt: Format, status: Status, sign: int, significand: int, exponent: int, rounded: tuple[int, bool, bool, int]
) -> int:
    """A result below the normal numbers; *rounded* is what rounding at the fixed position gave, and the precision."""
    value, inexact, up, precision = rounded
    tiny = True
    if not status.tiny_before_rounding:  # would it be normal if the exponent had no bound?
        length = significand.bit_length()
        free, _, _ = shift_round(status.rounding, sign, significand, length - precision)
        top = exponent + length - 1 + (free.bit_length() > precision if length > precision else 0)
        tiny = top < fmt.emin
    if tiny and status.flush_to_zero:
        status.flags |= UNDERFLOW | INEXACT
        return fmt.zero(sign)
    if tiny and (inexact or status.trap_underflow):
        status.flags |= UNDERFLOW
    _note(status, inexact, up)
    value <<= fmt.precision - precision
    field = 1 if value & fmt.leading else 0
    return fmt.assemble(sign, field, value & fmt.fraction_mask)


def _overflow(fmt: Format, status: Status, sign: int) -> int:
    status.flags |= OVERFLOW | INEXACT
    rounding = status.rounding
    away = rounding in (Rounding.NEAREST_EVEN, Rounding.NEAREST_AWAY) or rounding == (
        Rounding.DOWN if sign else Rounding.UP
    )
    status.rounded_up = away
    if away:
        return fmt.infinity(sign)
    largest = fmt.largest(sign)
    return largest & ~((1 << fmt.precision - status.precision) - 1) if status.precision else largest
