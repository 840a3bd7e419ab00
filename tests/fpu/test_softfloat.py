"""Every operation against Berkeley SoftFloat 3e, in every rounding mode: the bits of the result and all flags.

The library was built for the rules of RISC-V: the result is the default NaN, whatever the operands. It does not round
to odd; that is, by definition, its rounding towards zero with the last bit set if the result is inexact, and the flags
are the same. What it makes of a NaN aside, its integers saturate as ours. ``--full`` runs 50000 operands for each row,
each in all modes, instead of a sample.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from pyqemu import fpu
from pyqemu.fpu import (
    BINARY16,
    BINARY32,
    BINARY64,
    BINARY128,
    Kind,
    NanRules,
    Preference,
    Rounding,
    Status,
    UndefinedProduct,
)
from tests.fpu import patterns

sf = pytest.importorskip("softfloatpy")

SAMPLE, FULL = 300, 50_000
FORMATS = {"f16": BINARY16, "f32": BINARY32, "f64": BINARY64, "f128": BINARY128}
RULES = NanRules(Preference.DEFAULT, undefined_product=UndefinedProduct.DEFAULT)
MODES = {
    Rounding.NEAREST_EVEN: 0,
    Rounding.TOWARD_ZERO: 1,
    Rounding.DOWN: 2,
    Rounding.UP: 3,
    Rounding.NEAREST_AWAY: 4,
}
DIRECTED = [(int(mode), number) for mode, number in MODES.items()]
WITH_ODD = [*DIRECTED, (int(Rounding.ODD), MODES[Rounding.TOWARD_ZERO])]
ARITHMETIC: dict[str, tuple[Callable[..., Any], Callable[..., tuple[int, ...]]]] = {
    "add": (fpu.add, patterns.addends),
    "sub": (fpu.subtract, patterns.addends),
    "mul": (fpu.multiply, patterns.factors),
    "div": (fpu.divide, patterns.ratio),
    "sqrt": (fpu.square_root, patterns.square),
    "mul_add": (fpu.fused_multiply_add, patterns.product_and_addend),
    "rem": (lambda *operands: fpu.remainder(*operands)[0], patterns.dividend_and_divisor),
}
#: SoftFloat: inexact 1, underflow 2, overflow 4, infinite 8, invalid 16
FLAGS = tuple(
    (n >> 4 & 1) | (n >> 3 & 1) << 2 | (n >> 2 & 1) << 3 | (n >> 1 & 1) << 4 | (n & 1) << 5 for n in range(32)
)


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    return FULL if request.config.getoption("--full") else SAMPLE


def number_of(name: str, pattern: int) -> Any:
    return getattr(sf, name.replace("f", "Float")).from_bytes(pattern.to_bytes(FORMATS[name].bits // 8, "big"))


def bits_of(number: Any) -> int:
    return int.from_bytes(number.to_bytes(), "big")


def begin(number: int, before: bool) -> None:
    """Set SoftFloat's modes and clear its flags."""
    sf.set_rounding_mode(number)
    sf.set_tininess_mode(sf.TininessMode.BEFORE_ROUNDING if before else sf.TininessMode.AFTER_ROUNDING)
    sf.set_exception_flags(0)


def end() -> int:
    """SoftFloat's flags as ours."""
    return FLAGS[sf.get_exception_flags()]


def status(mode: int, before: bool) -> Status:
    environment = Status(RULES, mode)
    environment.tiny_before_rounding = before
    return environment


def check_in_all_modes(
    ours: Callable[[Status], int], theirs: Callable[[], Any], before: bool, describe: Callable[[], object]
) -> None:
    for mode, number in WITH_ODD:
        begin(number, before)
        expected = bits_of(theirs())
        flags = end()
        if mode == Rounding.ODD and flags & fpu.INEXACT:
            expected |= 1
        environment = status(mode, before)
        result = ours(environment)
        assert (result, environment.flags & ~fpu.DENORMAL) == (expected, flags), (describe(), mode, before)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("operation", ARITHMETIC)
def test_arithmetic(operation: str, name: str, count: int, rng: random.Random) -> None:
    fmt, reference = FORMATS[name], getattr(sf, f"{name}_{operation}")
    ours, draw = ARITHMETIC[operation]
    for n in range(count):
        operands = draw(rng, fmt)
        numbers = [number_of(name, operand) for operand in operands]
        check_in_all_modes(
            lambda environment: ours(fmt, *operands, environment),
            lambda: reference(*numbers),
            bool(n & 1),
            lambda: [hex(operand) for operand in operands],
        )


@pytest.mark.parametrize(("source", "target"), list(permutations(FORMATS, 2)))
def test_conversions_between_formats(source: str, target: str, count: int, rng: random.Random) -> None:
    reference = getattr(sf, f"{source}_to_{target}")
    for n in range(count):
        (operand,) = patterns.near_format(rng, FORMATS[source], FORMATS[target])
        number = number_of(source, operand)
        check_in_all_modes(
            lambda environment: fpu.convert(FORMATS[source], FORMATS[target], operand, environment),
            lambda: reference(number),
            bool(n & 1),
            lambda: hex(operand),
        )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["i32", "i64", "ui32", "ui64"])
def test_conversions_from_integers(kind: str, name: str, count: int, rng: random.Random) -> None:
    reference = getattr(sf, f"{kind}_to_{name}")
    bits, signed = int(kind[-2:]), kind[0] == "i"
    make = getattr(sf, f"{'Int' if signed else 'UInt'}{bits}")
    for n in range(count):
        image = patterns.integer(rng, bits)
        value = image - (1 << bits) if signed and image >> bits - 1 else image
        number = make.from_bytes(image.to_bytes(bits // 8, "big"))
        check_in_all_modes(
            lambda environment: fpu.from_int(FORMATS[name], value, environment),
            lambda: reference(number),
            bool(n & 1),
            lambda: value,
        )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["i32", "i64", "ui32", "ui64"])
def test_conversions_to_integers(kind: str, name: str, count: int, rng: random.Random) -> None:
    fmt, reference = FORMATS[name], getattr(sf, f"{name}_to_{kind}")
    bits, signed = int(kind[-2:]), kind[0] == "i"
    for n in range(count):
        (operand,) = patterns.near_integer(rng, fmt, bits)
        number, exact = number_of(name, operand), n % 4 > 0
        for mode, theirs in DIRECTED:
            begin(theirs, False)
            expected = reference(number, sf.RoundingMode(theirs), exact).to_int()
            flags = end()
            environment = Status(RULES)
            value = fpu.to_int(fmt, operand, bits, environment, signed=signed, rounding=mode, exact=exact)
            assert environment.flags == flags, (hex(operand), mode)
            assert value == (None if flags & fpu.INVALID else expected), (hex(operand), mode)
            if fmt.unpack(operand).kind < Kind.QUIET:
                saturated = fpu.to_int_saturated(fmt, operand, bits, Status(RULES, mode), signed=signed)
                assert saturated == expected, (hex(operand), mode)


@pytest.mark.parametrize("name", FORMATS)
def test_integral_values(name: str, count: int, rng: random.Random) -> None:
    fmt, reference = FORMATS[name], getattr(sf, f"{name}_round_to_int")
    for n in range(count):
        (operand,) = patterns.near_integer(rng, fmt, fmt.precision)
        number, exact = number_of(name, operand), n % 3 > 0
        for mode, theirs in DIRECTED:
            begin(theirs, False)
            expected = bits_of(reference(number, sf.RoundingMode(theirs), exact))
            flags = end()
            environment = Status(RULES)
            result = fpu.round_to_int(fmt, operand, environment, rounding=mode, exact=exact)
            assert (result, environment.flags & ~fpu.DENORMAL) == (expected, flags), (hex(operand), mode, exact)


COMPARISONS = {
    "eq": (True, (0,)),
    "eq_signaling": (False, (0,)),
    "lt": (False, (-1,)),
    "lt_quiet": (True, (-1,)),
    "le": (False, (-1, 0)),
    "le_quiet": (True, (-1, 0)),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("predicate", COMPARISONS)
def test_comparisons(predicate: str, name: str, count: int, rng: random.Random) -> None:
    fmt, reference = FORMATS[name], getattr(sf, f"{name}_{predicate}")
    quiet, holds = COMPARISONS[predicate]
    for _ in range(count):
        a, b = patterns.addends(rng, fmt)
        begin(0, False)
        expected = reference(number_of(name, a), number_of(name, b))
        environment = Status(RULES)
        order = fpu.compare(fmt, a, b, environment, quiet=quiet)
        assert (order in holds, environment.flags & ~fpu.DENORMAL) == (expected, end()), (hex(a), hex(b))
