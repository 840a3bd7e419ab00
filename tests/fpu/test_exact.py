"""Results against exact rational arithmetic, rounded by an independent rule.

This is the oracle for what Berkeley SoftFloat lacks: the x87's format, rounding to odd, fixed point, and so on.
"""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyqemu import fpu
from pyqemu.fpu import (
    ARM_HALF,
    BINARY16,
    BINARY32,
    BINARY64,
    BINARY128,
    EXTENDED,
    SSE_NANS,
    Format,
    Kind,
    Rounding,
    Status,
)

FORMATS = (BINARY16, BINARY32, BINARY64, BINARY128, EXTENDED)
MODES = tuple(Rounding)


def value_of(fmt: Format, pattern: int) -> Fraction:
    number = fmt.unpack(pattern)
    assert number.kind in (Kind.ZERO, Kind.FINITE)
    return (-1) ** number.sign * Fraction(number.significand) * Fraction(2) ** number.exponent


def neighbours(fmt: Format, exact: Fraction, precision: int) -> tuple[Fraction, Fraction]:
    """The numbers of the format (with an unbounded upper range) just below and above; equal if *exact* is one."""
    if exact == 0:
        return exact, exact
    unit = unit_of(fmt, exact, precision)
    steps = exact / unit
    return Fraction(math.floor(steps)) * unit, Fraction(math.ceil(steps)) * unit


def unit_of(fmt: Format, exact: Fraction, precision: int) -> Fraction:
    """The distance of the numbers of the format around *exact*."""
    magnitude = abs(exact) or Fraction(2) ** fmt.emin
    top = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if Fraction(2) ** top > magnitude:
        top -= 1
    return Fraction(2) ** (max(top, fmt.emin) - precision + 1)


def rounded(fmt: Format, exact: Fraction, mode: int, precision: int = 0) -> Fraction:
    low, high = neighbours(fmt, exact, precision or fmt.precision)
    if low == high:
        return low
    if mode == Rounding.DOWN or (mode == Rounding.TOWARD_ZERO and exact > 0):
        return low
    if mode == Rounding.UP or mode == Rounding.TOWARD_ZERO:
        return high
    unit = high - low
    even, odd = (low, high) if (low / unit).numerator % 2 == 0 else (high, low)
    if mode == Rounding.ODD:
        return odd
    if exact - low != high - exact:
        return low if exact - low < high - exact else high
    if mode == Rounding.NEAREST_AWAY:
        return high if exact > 0 else low
    return even


@st.composite
def finite(draw: st.DrawFn, fmt: Format) -> int:
    """Patterns of finite numbers, near each other often enough."""
    field = draw(
        st.one_of(
            st.integers(0, fmt.special - 1),
            st.integers(max(0, fmt.bias - 70), fmt.bias + 70),
            st.sampled_from((0, 1, 2, fmt.special - 1)),
        )
    )
    fraction = draw(
        st.one_of(
            st.integers(0, fmt.leading - 1),
            st.integers(0, 3),
            st.integers(fmt.leading - 4, fmt.leading - 1),
            st.integers(0, 255).map(lambda n: n * fmt.leading >> 9),
        )
    )
    if fmt.explicit and field:
        fraction |= fmt.leading
    return fmt.assemble(draw(st.integers(0, 1)), min(field, fmt.special - 1), fraction)


@st.composite
def operands(draw: st.DrawFn, count: int) -> tuple[Format, int, tuple[int, ...]]:
    fmt = draw(st.sampled_from(FORMATS))
    return fmt, draw(st.sampled_from(MODES)), tuple(draw(finite(fmt)) for _ in range(count))


def check(fmt: Format, mode: int, status: Status, result: int, exact: Fraction) -> None:
    expected = rounded(fmt, exact, mode)
    limit = value_of(fmt, fmt.largest())
    number = fmt.unpack(result)
    if abs(expected) > limit:
        assert status.flags & (fpu.OVERFLOW | fpu.INEXACT) == fpu.OVERFLOW | fpu.INEXACT
        assert number.kind is Kind.INFINITY or abs(value_of(fmt, result)) == limit
        return
    assert not status.flags & fpu.OVERFLOW
    assert value_of(fmt, result) == expected
    assert bool(status.flags & fpu.INEXACT) == (expected != exact)
    free = rounded(Format("", fmt.exponent_bits + 4, fmt.precision, explicit=fmt.explicit), exact, mode)
    tiny = exact != 0 and abs(free) < Fraction(2) ** fmt.emin
    assert bool(status.flags & fpu.UNDERFLOW) == (tiny and expected != exact)


@settings(max_examples=400, deadline=None)
@given(operands(2))
def test_basic_operations_are_correctly_rounded(case: tuple[Format, int, tuple[int, ...]]) -> None:
    fmt, mode, (a, b) = case
    x, y = value_of(fmt, a), value_of(fmt, b)
    for function, exact in (
        (fpu.add, x + y),
        (fpu.subtract, x - y),
        (fpu.multiply, x * y),
        (fpu.divide, x / y if y else None),
    ):
        if exact is None:
            continue
        status = Status(SSE_NANS, mode)
        check(fmt, mode, status, function(fmt, a, b, status), exact)


@settings(max_examples=200, deadline=None)
@given(operands(3))
def test_fused_multiply_add_rounds_once(case: tuple[Format, int, tuple[int, ...]]) -> None:
    fmt, mode, (a, b, c) = case
    status = Status(SSE_NANS, mode)
    result = fpu.fused_multiply_add(fmt, a, b, c, status)
    check(fmt, mode, status, result, value_of(fmt, a) * value_of(fmt, b) + value_of(fmt, c))


@settings(max_examples=200, deadline=None)
@given(operands(1))
def test_square_root_is_the_nearest(case: tuple[Format, int, tuple[int, ...]]) -> None:
    fmt, mode, (a,) = case
    a &= ~fmt.zero(1)
    status = Status(SSE_NANS, mode)
    result = value_of(fmt, fpu.square_root(fmt, a, status))
    exact = value_of(fmt, a)
    low, high = neighbours(fmt, result, fmt.precision)
    assert low == high == result
    assert bool(status.flags & fpu.INEXACT) == (result * result != exact)
    unit = unit_of(fmt, result, fmt.precision)
    if mode == Rounding.ODD:
        assert (result - unit) ** 2 < exact < (result + unit) ** 2 or not result
        assert result**2 == exact or (result / unit).numerator % 2 == 1
    elif mode in (Rounding.NEAREST_EVEN, Rounding.NEAREST_AWAY):  # a root is never halfway
        assert (result - unit / 2) ** 2 <= exact <= (result + unit / 2) ** 2 or not result
    elif mode == Rounding.UP:
        assert (result - unit) ** 2 < exact <= result**2 or not result
    else:
        assert result**2 <= exact < (result + unit) ** 2


@settings(max_examples=300, deadline=None)
@given(operands(1), st.sampled_from(FORMATS))
def test_conversions_between_formats(case: tuple[Format, int, tuple[int, ...]], target: Format) -> None:
    fmt, mode, (a,) = case
    status = Status(SSE_NANS, mode)
    check(target, mode, status, fpu.convert(fmt, target, a, status), value_of(fmt, a))


def whole_number(exact: Fraction, mode: int) -> int:
    low = math.floor(exact)
    rest = exact - low
    if not rest:
        return low
    return {
        Rounding.DOWN: low,
        Rounding.UP: low + 1,
        Rounding.TOWARD_ZERO: math.trunc(exact),
        Rounding.NEAREST_EVEN: round(exact),
        Rounding.NEAREST_AWAY: low + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and exact > 0)),
        Rounding.ODD: low + 1 - low % 2,
    }[Rounding(mode)]


@settings(max_examples=400, deadline=None)
@given(operands(1), st.sampled_from((16, 32, 64)), st.booleans(), st.sampled_from((0, 0, 1, 7, 16)))
def test_integers_and_fixed_point(
    case: tuple[Format, int, tuple[int, ...]], bits: int, signed: bool, point: int
) -> None:
    fmt, mode, (a,) = case
    status = Status(SSE_NANS, mode)
    exact = value_of(fmt, a) * 2**point
    whole = whole_number(exact, mode)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    result = fpu.to_int(fmt, a, bits, status, signed=signed, fraction_bits=point)
    saturated = fpu.to_int_saturated(fmt, a, bits, Status(SSE_NANS, mode), signed=signed, fraction_bits=point)
    assert saturated == min(max(whole, low), high)
    if low <= whole <= high:
        assert result == whole
        assert status.flags == (fpu.INEXACT if whole != exact else 0)
    else:
        assert result is None
        assert status.flags == fpu.INVALID


@settings(max_examples=300, deadline=None)
@given(operands(1))
def test_integral_values(case: tuple[Format, int, tuple[int, ...]]) -> None:
    fmt, mode, (a,) = case
    assert value_of(fmt, fpu.round_to_int(fmt, a, Status(SSE_NANS, mode))) == whole_number(value_of(fmt, a), mode)


@settings(max_examples=300, deadline=None)
@given(operands(1), st.integers(-(1 << 64), 1 << 64), st.integers(0, 64))
def test_fixed_point_is_rounded_once(case: tuple[Format, int, tuple[int, ...]], value: int, point: int) -> None:
    fmt, mode, _ = case
    status = Status(SSE_NANS, mode)
    result = fpu.from_int(fmt, value, status, fraction_bits=point)
    check(fmt, mode, status, result, Fraction(value, 1 << point))


@settings(max_examples=200, deadline=None)
@given(operands(1), st.integers(-300, 300))
def test_scaling(case: tuple[Format, int, tuple[int, ...]], distance: int) -> None:
    fmt, mode, (a,) = case
    status = Status(SSE_NANS, mode)
    check(fmt, mode, status, fpu.scale(fmt, a, distance, status), value_of(fmt, a) * Fraction(2) ** distance)


@given(operands(1))
def test_the_exponent_is_the_leading_bits(case: tuple[Format, int, tuple[int, ...]]) -> None:
    fmt, mode, (a,) = case
    if not a & ~fmt.sign_bit:
        return
    status = Status(SSE_NANS, mode)
    power = Fraction(2) ** int(value_of(fmt, fpu.exponent(fmt, a, status)))
    assert power <= abs(value_of(fmt, a)) < 2 * power


@settings(max_examples=300, deadline=None)
@given(operands(1))
def test_alternative_half_precision_saturates(case: tuple[Format, int, tuple[int, ...]]) -> None:
    """Also where only rounding makes the value too large: that, too, is not inexact."""
    fmt, mode, (a,) = case
    status = Status(SSE_NANS, mode)
    result = value_of(ARM_HALF, fpu.convert(fmt, ARM_HALF, a, status))
    exact = value_of(fmt, a)
    expected = rounded(ARM_HALF, exact, mode)
    limit = value_of(ARM_HALF, ARM_HALF.largest())
    assert limit == 131008
    if abs(expected) > limit:
        assert abs(result) == limit and status.flags & ~fpu.DENORMAL == fpu.INVALID
    else:
        assert result == expected
        assert bool(status.flags & fpu.INEXACT) == (expected != exact)


@settings(max_examples=200, deadline=None)
@given(operands(3), st.integers(0, 1), st.integers(0, 1), st.integers(0, 1))
def test_what_a_fused_multiply_add_negates(
    case: tuple[Format, int, tuple[int, ...]], product: int, addend: int, outcome: int
) -> None:
    fmt, mode, (a, b, c) = case
    status = Status(SSE_NANS, mode)
    result = fpu.fused_multiply_add(
        fmt, a, b, c, status, negate_product=product, negate_addend=addend, negate_result=outcome
    )
    exact = (-1) ** product * value_of(fmt, a) * value_of(fmt, b) + (-1) ** addend * value_of(fmt, c)
    check(fmt, mode, status, result ^ fmt.zero(outcome), exact)


@settings(max_examples=300, deadline=None)
@given(operands(2), st.booleans())
def test_remainders_are_exact(case: tuple[Format, int, tuple[int, ...]], nearest: bool) -> None:
    fmt, mode, (a, b) = case
    x, y = value_of(fmt, a), value_of(fmt, b)
    if not y or abs(x / y) > 1 << 200:
        return
    status = Status(SSE_NANS, mode)
    result, quotient = fpu.remainder(fmt, a, b, status, nearest=nearest)
    whole = round(x / y) if nearest else math.trunc(x / y)
    assert value_of(fmt, result) == x - y * whole
    assert quotient == abs(whole)


@settings(max_examples=300, deadline=None)
@given(operands(2))
def test_comparison_orders_values(case: tuple[Format, int, tuple[int, ...]]) -> None:
    fmt, _, (a, b) = case
    x, y = value_of(fmt, a), value_of(fmt, b)
    assert fpu.compare(fmt, a, b, Status(SSE_NANS), quiet=True) == (x > y) - (x < y)


@given(st.floats(), st.floats())
def test_doubles_agree_with_the_host(x: float, y: float) -> None:
    a, b = (int.from_bytes(struct.pack("<d", v), "little") for v in (x, y))
    for function, expected in ((fpu.add, x + y), (fpu.subtract, x - y), (fpu.multiply, x * y)):
        result = function(BINARY64, a, b, Status(SSE_NANS))
        if math.isnan(expected):
            assert BINARY64.unpack(result).kind is Kind.QUIET
        else:
            assert result == int.from_bytes(struct.pack("<d", expected), "little")


@settings(max_examples=200, deadline=None)
@given(operands(2), st.sampled_from((24, 53)))
def test_precision_control_rounds_to_fewer_bits(case: tuple[Format, int, tuple[int, ...]], precision: int) -> None:
    _, mode, (a, b) = case
    a, b = (EXTENDED.assemble(n & 1, 16000 + n % 900, n & (1 << 63) - 1 | 1 << 63) for n in (a, b))
    status = Status(SSE_NANS, mode, precision=precision)
    result = fpu.multiply(EXTENDED, a, b, status)
    assert value_of(EXTENDED, result) == rounded(
        EXTENDED, value_of(EXTENDED, a) * value_of(EXTENDED, b), mode, precision
    )


@pytest.mark.parametrize("fmt", FORMATS)
def test_special_values(fmt: Format) -> None:
    inf, zero, one = fmt.infinity(), fmt.zero(), fpu.from_int(fmt, 1, Status(SSE_NANS))
    for function, a, b, flags in (
        (fpu.subtract, inf, inf, fpu.INVALID),
        (fpu.multiply, inf, zero, fpu.INVALID),
        (fpu.divide, zero, zero, fpu.INVALID),
        (fpu.divide, inf, inf, fpu.INVALID),
        (fpu.divide, one, zero, fpu.DIVIDE_BY_ZERO),
        (fpu.add, inf, one, 0),
    ):
        status = Status(SSE_NANS)
        result = function(fmt, a, b, status)
        assert status.flags == flags
        if flags == fpu.INVALID:
            assert result == fmt.nan(1, 0)
        else:
            assert result == inf
