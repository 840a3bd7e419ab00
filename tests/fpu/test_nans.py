"""Which NaN results, by family of processors; what is signaled; what becomes of subnormal numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyqemu import fpu
from pyqemu.fpu import (
    ARM_HALF,
    ARM_NANS,
    BINARY16,
    BINARY32,
    BINARY64,
    DEFAULT_NANS,
    EXTENDED,
    SSE_NANS,
    X87_NANS,
    Format,
    NanRules,
    Preference,
    Rounding,
    Status,
    UndefinedProduct,
)

QUIET_1, QUIET_2, QUIET_MINUS_1 = 0x7FC00001, 0x7FC00002, 0xFFC00001
SIGNALING_1, SIGNALING_3 = 0x7F800001, 0xFF800003
ONE, INFINITE = 0x3F800000, 0x7F800000
INDEFINITE, DEFAULT = 0xFFC00000, 0x7FC00000


@pytest.mark.parametrize(
    ("rules", "a", "b", "expected"),
    [
        (SSE_NANS, QUIET_1, QUIET_2, QUIET_1),
        (SSE_NANS, QUIET_1, SIGNALING_3, QUIET_1),
        (SSE_NANS, ONE, SIGNALING_3, SIGNALING_3 | 1 << 22),
        (X87_NANS, QUIET_1, QUIET_2, QUIET_2),
        (X87_NANS, QUIET_1, SIGNALING_3, QUIET_1),
        (X87_NANS, SIGNALING_1, SIGNALING_3, SIGNALING_3 | 1 << 22),
        (X87_NANS, QUIET_MINUS_1, QUIET_1, QUIET_1),
        (ARM_NANS, QUIET_1, QUIET_2, QUIET_1),
        (ARM_NANS, QUIET_1, SIGNALING_3, SIGNALING_3 | 1 << 22),
        (ARM_NANS, ONE, QUIET_2, QUIET_2),
        (DEFAULT_NANS, QUIET_1, SIGNALING_3, DEFAULT),
    ],
)
def test_preference(rules: NanRules, a: int, b: int, expected: int) -> None:
    for function in (fpu.add, fpu.subtract, fpu.multiply, fpu.divide):
        status = Status(rules)
        assert function(BINARY32, a, b, status) == expected
        assert status.flags == (fpu.INVALID if SIGNALING_1 in (a, b) or SIGNALING_3 in (a, b) else 0)


@pytest.mark.parametrize(("rules", "expected"), [(SSE_NANS, INDEFINITE), (X87_NANS, INDEFINITE), (ARM_NANS, DEFAULT)])
def test_default_nan(rules: NanRules, expected: int) -> None:
    status = Status(rules)
    assert fpu.subtract(BINARY32, INFINITE, INFINITE, status) == expected
    assert status.flags == fpu.INVALID


def test_default_nan_mode_hides_payloads_but_not_signaling_nans() -> None:
    status = Status(ARM_NANS)
    status.default_nan = True
    assert fpu.add(BINARY32, QUIET_1, ONE, status) == DEFAULT and not status.flags
    assert fpu.add(BINARY32, SIGNALING_1, ONE, status) == DEFAULT and status.flags == fpu.INVALID


SIGNALED = NanRules(Preference.FIRST, undefined_product=UndefinedProduct.SIGNALED)


@pytest.mark.parametrize(
    ("rules", "operands", "expected", "flags"),
    [
        (SSE_NANS, (QUIET_1, QUIET_2, QUIET_MINUS_1), QUIET_1, 0),
        (ARM_NANS, (QUIET_1, QUIET_2, QUIET_MINUS_1), QUIET_MINUS_1, 0),
        (ARM_NANS, (QUIET_1, SIGNALING_1, QUIET_2), SIGNALING_1 | 1 << 22, fpu.INVALID),
        (SSE_NANS, (0, INFINITE, QUIET_2), QUIET_2, 0),
        (SIGNALED, (0, INFINITE, QUIET_2), QUIET_2, fpu.INVALID),
        (ARM_NANS, (0, INFINITE, QUIET_2), DEFAULT, fpu.INVALID),
        (ARM_NANS, (INFINITE, 0, SIGNALING_3), SIGNALING_3 | 1 << 22, fpu.INVALID),
    ],
)
def test_fused_multiply_add(rules: NanRules, operands: tuple[int, int, int], expected: int, flags: int) -> None:
    status = Status(rules)
    assert fpu.fused_multiply_add(BINARY32, *operands, status) == expected
    assert status.flags == flags


def test_negation_spares_nans() -> None:
    status = Status(SSE_NANS)
    negations = {"negate_product": 1, "negate_addend": 1, "negate_result": 1}
    assert fpu.fused_multiply_add(BINARY32, ONE, ONE, QUIET_2, status, **negations) == QUIET_2
    assert fpu.fused_multiply_add(BINARY32, ONE, ONE, INFINITE, status, **negations) == INFINITE


@pytest.mark.parametrize(
    ("source", "target", "nan", "expected"),
    [
        (BINARY32, BINARY64, 0xFFC00123, 0xFFF8002460000000),
        (BINARY64, BINARY32, 0x7FF8002460000001, 0x7FC00123),
        (BINARY32, EXTENDED, 0x7FA00000, 0x7FFFE000000000000000),
        (BINARY32, BINARY16, 0x7F802000, 0x7E01),
        (BINARY16, BINARY32, 0x7C01, 0x7FC02000),
        (BINARY32, ARM_HALF, 0xFFC00001, 0x8000),
    ],
)
def test_conversion_keeps_the_payloads_upper_bits(source: Format, target: Format, nan: int, expected: int) -> None:
    status = Status(ARM_NANS)
    assert fpu.convert(source, target, nan, status) == expected
    assert status.flags == (fpu.INVALID if not nan & source.quiet_bit or target is ARM_HALF else 0)


@pytest.mark.parametrize(("function", "expected"), [(fpu.minimum_number, ONE), (fpu.minimum, QUIET_1)])
def test_a_number_and_a_quiet_nan(function: Callable[..., int], expected: int) -> None:
    status = Status(ARM_NANS)
    assert function(BINARY32, QUIET_1, ONE, status) == function(BINARY32, ONE, QUIET_1, status) == expected
    assert not status.flags


# --- subnormal numbers ------------------------------------------------------------------------------------------------

TINY, SMALLEST_NORMAL, HALF = 0x00000001, 0x00800000, 0x3F000000
ALMOST_NORMAL = (
    0x380FFFFFFFFFFFFF  #: a double just below the smallest normal single, and nearer to it than to any other
)


@pytest.mark.parametrize(("before", "flags"), [(True, fpu.UNDERFLOW | fpu.INEXACT), (False, fpu.INEXACT)])
def test_tininess_before_and_after_rounding(before: bool, flags: int) -> None:
    status = Status(ARM_NANS)
    status.tiny_before_rounding = before
    assert fpu.convert(BINARY64, BINARY32, ALMOST_NORMAL, status) == SMALLEST_NORMAL
    assert status.flags == flags


def arm_flush() -> Status:
    status = Status(ARM_NANS)
    status.flush_to_zero = status.tiny_before_rounding = True
    status.flush_flags = fpu.UNDERFLOW
    return status


def x86_flush() -> Status:
    status = Status(SSE_NANS)
    status.flush_to_zero = True
    return status


@pytest.mark.parametrize(
    ("status", "flags"), [(arm_flush(), fpu.UNDERFLOW), (x86_flush(), fpu.UNDERFLOW | fpu.INEXACT)], ids=("arm", "x86")
)
def test_flags_of_flushed_results(status: Status, flags: int) -> None:
    """Exact ones are flushed, too."""
    assert fpu.multiply(BINARY32, 0x81000000, 0x3E800000, status) == 0x80000000
    assert status.flags == flags


def test_arm_flushes_what_x86_rounds_to_a_normal_number() -> None:
    arm, x86 = arm_flush(), x86_flush()
    assert fpu.convert(BINARY64, BINARY32, ALMOST_NORMAL, arm) == 0 and arm.flags == fpu.UNDERFLOW
    assert fpu.convert(BINARY64, BINARY32, ALMOST_NORMAL, x86) == SMALLEST_NORMAL and x86.flags == fpu.INEXACT


def test_output_denormal_can_be_asked_for() -> None:
    status = Status(DEFAULT_NANS)
    status.flush_to_zero, status.flush_flags = True, fpu.OUTPUT_DENORMAL
    assert fpu.multiply(BINARY32, SMALLEST_NORMAL, HALF, status) == 0
    assert status.flags == fpu.OUTPUT_DENORMAL


@pytest.mark.parametrize("flags", [0, fpu.INPUT_DENORMAL])
def test_subnormal_operands_as_zeros(flags: int) -> None:
    status = Status(ARM_NANS)
    status.denormals_are_zero, status.input_flags = True, flags
    assert fpu.add(BINARY32, ONE, TINY, status) == ONE and status.flags == flags
    assert fpu.compare(BINARY32, 0, TINY, status, quiet=True) == 0
    assert fpu.maximum(BINARY32, 0x80000000, TINY, status) == 0
    assert fpu.remainder(BINARY32, TINY, ONE, status) == (0, 0)
    assert fpu.divide(BINARY32, ONE, TINY, status) == INFINITE
    assert status.flags == flags | fpu.DIVIDE_BY_ZERO


def test_a_subnormal_operand_is_signaled_unless_a_nan_comes_first() -> None:
    status = Status(SSE_NANS)
    assert fpu.multiply(BINARY32, TINY, QUIET_1, status) == QUIET_1 and not status.flags
    assert fpu.multiply(BINARY32, TINY, ONE, status) == TINY and status.flags == fpu.DENORMAL


def test_half_precision_conversions_are_never_flushed() -> None:
    status = Status(ARM_NANS)
    status.flush_to_zero = status.denormals_are_zero = True
    assert fpu.convert(BINARY16, BINARY32, 0x0001, status) == 0x33800000
    assert fpu.convert(BINARY32, BINARY16, 0x33800000, status) == 0x0001
    assert not status.flags & ~fpu.DENORMAL and status.flush_to_zero


@pytest.mark.parametrize("mode", [Rounding.TOWARD_ZERO, Rounding.ODD])
def test_rounding_to_odd_makes_the_second_rounding_safe(mode: Rounding) -> None:
    """1 + 2**-24 + 2**-60: by way of a double, only a sticky last bit keeps it from being taken for a tie."""
    status = Status(ARM_NANS, mode)
    wide = 0x3FFF << 112 | 1 << 88 | 1 << 52
    double = fpu.convert(fpu.BINARY128, BINARY64, wide, status)
    status.rounding = Rounding.NEAREST_EVEN
    assert fpu.convert(BINARY64, BINARY32, double, status) == ONE + (mode is Rounding.ODD)


def test_exponents_of_what_has_none() -> None:
    status = Status(ARM_NANS)
    assert fpu.exponent(BINARY32, INFINITE | 1 << 31, status) == INFINITE and not status.flags
    assert fpu.exponent(BINARY32, 0, status) == INFINITE | 1 << 31 and status.flags == fpu.DIVIDE_BY_ZERO
