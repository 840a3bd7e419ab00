"""Arithmetic rows that give a result or NaN: what they take for silent (see `test_ops.py` for both columns)."""

from __future__ import annotations

from struct import pack

import pytest

from pyqemu.tcg.silent_lanes import INEXACT, Silent

NAN = 0xFFF8 << 48
NAN32 = 0xFFC00000
LEAST = 1 << 52  # the least normal double
SUBNORMAL = 1


def double(value: float) -> int:
    return int.from_bytes(pack("<d", value), "little")


def single(value: float) -> int:
    return int.from_bytes(pack("<f", value), "little")


@pytest.mark.parametrize(
    ("name", "a", "b", "result"),
    [
        ("add", 1.5, 2.25, 3.75),
        ("sub", 1.5, 1.5, 0.0),
        ("mul", -3.0, 0.5, -1.5),
        ("mul", 0.0, -5.0, -0.0),
        ("div", 6.0, -4.0, -1.5),
        ("div", 0.0, 3.0, 0.0),
        ("sqrt", 0.0, 2.25, 1.5),
    ],
)
def test_what_is_exact_is_taken(name: str, a: float, b: float, result: float) -> None:
    for bits, pattern in ((64, double), (32, single)):
        x, y = pattern(b if name == "sqrt" else a), pattern(b)
        assert Silent(name, bits, 1).result(x, y, 0) == pattern(result)


@pytest.mark.parametrize(("name", "a", "b"), [("add", 1.0, 2.0**-60), ("mul", 0.1, 3.0), ("div", 1.0, 3.0)])
def test_what_is_inexact_is_taken_once_that_is_known(name: str, a: float, b: float) -> None:
    lane = Silent(name, 64, 1)
    assert lane.result(double(a), double(b), 0) == NAN
    assert lane.result(double(a), double(b), INEXACT) not in (NAN, 0)


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("mul", double(1e-200), double(1e-200)),  # underflows
        ("mul", double(1e200), double(1e200)),  # overflows
        ("div", double(1.0), 0),
        ("div", 0, 0),
        ("sqrt", double(-1.0), double(-1.0)),
        ("add", 0x7FF << 52, double(1.0)),
        ("add", 0x7FF8 << 48, double(1.0)),
        ("sub", LEAST, LEAST + 1),  # a subnormal result is exact, but its operation may flush it
        ("mul", LEAST, double(0.75)),
    ],
)
def test_what_signals_is_not_taken(name: str, a: int, b: int) -> None:
    assert Silent(name, 64, 1).result(a, b, INEXACT) == NAN


def test_subnormal_operands_are_numbers_like_others() -> None:
    assert Silent("add", 64, 1).result(SUBNORMAL, double(1.0), INEXACT) == double(1.0)
    assert Silent("mul", 64, 1).result(1 << 40, double(2.0**500), INEXACT) == double(2.0 ** (40 - 1074 + 500))


def test_a_product_too_small_to_be_seen_exact_is_not_taken() -> None:
    """Its rounding error may be less than any double."""
    lane = Silent("mul", 64, 1)
    assert lane.result(double(2.0**-480), double(2.0**-480), 0) == NAN
    assert lane.result(double(2.0**-480), double(2.0**-480), INEXACT) == double(2.0**-960)


def test_one_lane_is_enough() -> None:
    lanes = Silent("div", 32, 4)
    ones, divisors = sum(single(1.0) << n for n in range(0, 128, 32)), sum(single(2.0) << n for n in range(0, 128, 32))
    assert lanes.result(ones, divisors, 0) == sum(single(0.5) << n for n in range(0, 128, 32))
    divisors ^= (single(2.0) ^ single(3.0)) << 64
    assert lanes.result(ones, divisors, 0) == sum(NAN32 << n for n in range(0, 128, 32))
