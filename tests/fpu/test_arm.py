"""ARM's rules against Unicorn: NaNs and their payloads, default NaN, flush to zero, tininess, saturation, estimates.

Random FPCR, random operands with many special ones. Word patterns are those of DDI 0487, C4.1. ``--full`` runs 8000
cases for each instruction instead of a sample.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from pyqemu import fpu
from pyqemu.fpu import ARM_HALF, BINARY16, BINARY32, BINARY64, Format, Rounding, Status, arm_estimates
from tests.fpu import patterns
from tests.fpu.arm_reference import AHP, DN, FZ, FZ16, TYPES, Aarch32, Aarch64, fpsr, status

SAMPLE, FULL = 150, 8000
FORMATS = pytest.mark.parametrize("fmt", TYPES, ids=("single", "double", "half"))
Operation = Callable[..., int]


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    return FULL if request.config.getoption("--full") else SAMPLE


@pytest.fixture(scope="module")
def cpu() -> Aarch64:
    return Aarch64()


def random_fpcr(rng: random.Random) -> int:
    return rng.randrange(4) << 22 | rng.choice((0, 0, DN)) | rng.choice((0, 0, FZ | FZ16, FZ, FZ16))


def check(cpu: Aarch64, word: int, fmt: Format, function: Operation, operands: tuple[int, ...], fpcr: int) -> None:
    environment = status(fpcr, fmt)
    result = function(fmt, *operands, environment)
    expected = cpu.run(word, fpcr, operands)
    assert (result, fpsr(environment)) == expected, ([hex(n) for n in operands], hex(fpcr), hex(result))


def special_pair(rng: random.Random, fmt: Format, draw: Callable[..., tuple[int, ...]]) -> tuple[int, ...]:
    """Drawn operands, or two that are often NaNs, infinities, zeros or subnormal."""
    if rng.random() < 0.6:
        return draw(rng, fmt)
    return tuple(special(rng, fmt) if rng.random() < 0.7 else patterns.pattern(rng, fmt) for _ in draw(rng, fmt))


def special(rng: random.Random, fmt: Format) -> int:
    fraction = rng.choice((0, 0, 1, fmt.quiet_bit, fmt.quiet_bit - 1, rng.getrandbits(fmt.fraction_bits)))
    return fmt.assemble(rng.getrandbits(1), rng.choice((0, fmt.special, fmt.special)), fraction)


# --- arithmetic -------------------------------------------------------------------------------------------------------

TWO_SOURCES: dict[str, tuple[int, Operation, Callable[..., tuple[int, ...]]]] = {
    "fmul": (0, fpu.multiply, patterns.factors),
    "fdiv": (1, fpu.divide, patterns.ratio),
    "fadd": (2, fpu.add, patterns.addends),
    "fsub": (3, fpu.subtract, patterns.addends),
    "fmax": (4, fpu.maximum, patterns.addends),
    "fmin": (5, fpu.minimum, patterns.addends),
    "fmaxnm": (6, fpu.maximum_number, patterns.addends),
    "fminnm": (7, fpu.minimum_number, patterns.addends),
}


@FORMATS
@pytest.mark.parametrize("name", TWO_SOURCES)
def test_two_sources(name: str, fmt: Format, cpu: Aarch64, count: int, rng: random.Random) -> None:
    opcode, function, draw = TWO_SOURCES[name]
    word = 0x1E220820 | opcode << 12 | TYPES[fmt] << 22
    for _ in range(count):
        check(cpu, word, fmt, function, special_pair(rng, fmt, draw), random_fpcr(rng))


@FORMATS
@pytest.mark.parametrize("name", ["fmadd", "fmsub", "fnmadd", "fnmsub"])
def test_fused_multiply_add(name: str, fmt: Format, cpu: Aarch64, count: int, rng: random.Random) -> None:
    minus_addend, minus_product = name.startswith("fn"), name in ("fmsub", "fnmadd")
    word = 0x1F020C20 | TYPES[fmt] << 22 | minus_addend << 21 | (name.endswith("sub") << 15)

    def negated(fmt: Format, a: int, b: int, c: int, environment: Status) -> int:
        a, c = a ^ fmt.sign_bit * minus_product, c ^ fmt.sign_bit * minus_addend
        return fpu.fused_multiply_add(fmt, a, b, c, environment)

    for _ in range(count):
        check(cpu, word, fmt, negated, special_pair(rng, fmt, patterns.product_and_addend), random_fpcr(rng))


@FORMATS
def test_square_root(fmt: Format, cpu: Aarch64, count: int, rng: random.Random) -> None:
    word = 0x1E21C020 | TYPES[fmt] << 22
    for _ in range(count):
        check(cpu, word, fmt, fpu.square_root, special_pair(rng, fmt, patterns.square), random_fpcr(rng))


ROUNDINGS = {
    "frintn": (8, Rounding.NEAREST_EVEN, False),
    "frintp": (9, Rounding.UP, False),
    "frintm": (10, Rounding.DOWN, False),
    "frintz": (11, Rounding.TOWARD_ZERO, False),
    "frinta": (12, Rounding.NEAREST_AWAY, False),
    "frintx": (14, None, True),
    "frinti": (15, None, False),
}


@FORMATS
@pytest.mark.parametrize("name", ROUNDINGS)
def test_integral_values(name: str, fmt: Format, cpu: Aarch64, count: int, rng: random.Random) -> None:
    opcode, rounding, exact = ROUNDINGS[name]
    word = 0x1E204020 | opcode << 15 | TYPES[fmt] << 22

    def function(fmt: Format, a: int, environment: Status) -> int:
        return fpu.round_to_int(fmt, a, environment, rounding=rounding, exact=exact)

    for _ in range(count):
        check(cpu, word, fmt, function, special_pair(rng, fmt, patterns.near_integer), random_fpcr(rng))


@FORMATS
@pytest.mark.parametrize("name", ["fcmp", "fcmpe"])
def test_comparisons(name: str, fmt: Format, cpu: Aarch64, count: int, rng: random.Random) -> None:
    word = 0x1E222020 | TYPES[fmt] << 22 | (name == "fcmpe") << 4
    for _ in range(count):
        (a, b), fpcr = special_pair(rng, fmt, patterns.addends), random_fpcr(rng)
        environment = status(fpcr, fmt)
        order = fpu.compare(fmt, a, b, environment, quiet=name == "fcmp")
        nzcv = {-1: 0b1000, 0: 0b0110, 1: 0b0010, None: 0b0011}[order]
        assert (nzcv, fpsr(environment)) == cpu.compare(word, fpcr, a, b), (hex(a), hex(b), hex(fpcr))


# --- conversions ------------------------------------------------------------------------------------------------------

CONVERSIONS = [(0, 0b01), (0, 0b11), (1, 0b00), (1, 0b11), (3, 0b00), (3, 0b01)]


@pytest.mark.parametrize(("source", "target"), CONVERSIONS)
def test_conversions_between_formats(source: int, target: int, cpu: Aarch64, count: int, rng: random.Random) -> None:
    formats = {number: fmt for fmt, number in TYPES.items()}
    word = 0x1E224020 | source << 22 | target << 15
    for _ in range(count):
        fpcr = random_fpcr(rng) | rng.choice((0, AHP))
        formats[3] = ARM_HALF if fpcr & AHP else BINARY16
        (operand,) = patterns.near_format(rng, formats[source], formats[target])
        environment = status(fpcr, BINARY32)
        result = fpu.convert(formats[source], formats[target], operand, environment)
        assert (result, fpsr(environment)) == cpu.run(word, fpcr, (operand,)), (hex(operand), hex(fpcr))


def test_rounding_to_odd(cpu: Aarch64, count: int, rng: random.Random) -> None:
    """FCVTXN."""
    for _ in range(count):
        (operand,), fpcr = patterns.near_format(rng, BINARY64, BINARY32), random_fpcr(rng)
        environment = status(fpcr, BINARY64)
        environment.rounding = Rounding.ODD
        result = fpu.convert(BINARY64, BINARY32, operand, environment)
        assert (result, fpsr(environment)) == cpu.run(0x7E616820, fpcr, (operand,)), (hex(operand), hex(fpcr))


TO_INT = {
    "fcvtn": (0b00000, Rounding.NEAREST_EVEN),
    "fcvtp": (0b01000, Rounding.UP),
    "fcvtm": (0b10000, Rounding.DOWN),
    "fcvtz": (0b11000, Rounding.TOWARD_ZERO),
    "fcvta": (0b00100, Rounding.NEAREST_AWAY),
}


@FORMATS
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("name", TO_INT)
def test_integers_saturate(name: str, bits: int, fmt: Format, cpu: Aarch64, count: int, rng: random.Random) -> None:
    opcode, rounding = TO_INT[name]
    for _ in range(count):
        signed, fpcr = rng.random() < 0.5, random_fpcr(rng)
        (operand,) = special_pair(rng, fmt, lambda rng, fmt: patterns.near_integer(rng, fmt, bits))
        word = 0x1E200020 | (bits == 64) << 31 | TYPES[fmt] << 22 | (opcode | (not signed)) << 16
        environment = status(fpcr, fmt)
        value = fpu.to_int_saturated(fmt, operand, bits, environment, signed=signed, rounding=rounding)
        expected = cpu.run_integer(word, fpcr, operand)
        assert (value & (1 << bits) - 1, fpsr(environment)) == expected, (hex(operand), hex(fpcr), signed)


@FORMATS
@pytest.mark.parametrize("bits", [32, 64])
def test_fixed_point(bits: int, fmt: Format, cpu: Aarch64, count: int, rng: random.Random) -> None:
    """FCVTZS, FCVTZU, SCVTF, UCVTF with a number of fraction bits."""
    for n in range(count):
        signed, fpcr, point = rng.random() < 0.5, random_fpcr(rng), 1 + n % min(bits, 12)
        common = (bits == 64) << 31 | TYPES[fmt] << 22 | (not signed) << 16 | (64 - point) << 10 | 0x1E000020
        (operand,) = patterns.near_integer(rng, fmt, bits - point)
        environment = status(fpcr, fmt)
        value = fpu.to_int_saturated(fmt, operand, bits, environment, signed=signed, rounding=3, fraction_bits=point)
        expected = cpu.run_integer(common | 0x180000, fpcr, operand)
        assert (value & (1 << bits) - 1, fpsr(environment)) == expected, (hex(operand), hex(fpcr), signed, point)
        image = patterns.integer(rng, bits)
        integer = image - (1 << bits) if signed and image >> bits - 1 else image
        environment = status(fpcr, fmt)
        result = fpu.from_int(fmt, integer, environment, fraction_bits=point)
        expected = cpu.run_integer(common | 0x020000, fpcr, image, from_x1=True)
        assert (result, fpsr(environment)) == expected, (hex(image), hex(fpcr), signed, point)


# --- estimates and steps ----------------------------------------------------------------------------------------------

#: Scalar words: single (double has bit 22 more), half
ESTIMATES: dict[str, tuple[int, int, Operation]] = {
    "frecpe": (0x5EA1D820, 0x5EF9D820, arm_estimates.reciprocal_estimate),
    "frsqrte": (0x7EA1D820, 0x7EF9D820, arm_estimates.root_estimate),
    "frecpx": (0x5EA1F820, 0x5EF9F820, arm_estimates.reciprocal_exponent),
}
STEPS: dict[str, tuple[int, int, Operation]] = {
    "frecps": (0x5E22FC20, 0x5E423C20, arm_estimates.reciprocal_step),
    "frsqrts": (0x5EA2FC20, 0x5EC23C20, arm_estimates.root_step),
    "fmulx": (0x5E22DC20, 0x5E421C20, arm_estimates.multiply_extended),
}


def scalar_word(fmt: Format, single: int, half: int) -> int:
    return half if fmt is BINARY16 else single | (fmt is BINARY64) << 22


@FORMATS
@pytest.mark.parametrize("name", ESTIMATES)
def test_estimates(name: str, fmt: Format, cpu: Aarch64, count: int, rng: random.Random) -> None:
    single, half, function = ESTIMATES[name]

    def draw(rng: random.Random, fmt: Format) -> tuple[int]:
        border = rng.choice((None, None, rng.randrange(3), fmt.special - rng.randrange(1, 4)))
        return (patterns.pattern(rng, fmt, border),)

    for _ in range(count):
        operands = special_pair(rng, fmt, draw)
        check(cpu, scalar_word(fmt, single, half), fmt, function, operands, random_fpcr(rng))


@pytest.mark.parametrize("name", ESTIMATES)
def test_every_half_precision_estimate(name: str, cpu: Aarch64) -> None:
    _, word, function = ESTIMATES[name]
    for operand in range(0, 1 << 16, 7):
        check(cpu, word, BINARY16, function, (operand,), 0)


@FORMATS
@pytest.mark.parametrize("name", STEPS)
def test_steps(name: str, fmt: Format, cpu: Aarch64, count: int, rng: random.Random) -> None:
    single, half, function = STEPS[name]

    def near_one(rng: random.Random, fmt: Format) -> tuple[int, int]:
        if rng.random() < 0.3:
            return patterns.factors(rng, fmt)
        a = patterns.pattern(rng, fmt)
        field = 2 * fmt.bias - (a >> fmt.fraction_bits & fmt.special) + rng.randrange(-2, 3)
        return a, patterns.pattern(rng, fmt, field)

    for _ in range(count):
        operands = special_pair(rng, fmt, near_one)
        check(cpu, scalar_word(fmt, single, half), fmt, function, operands, random_fpcr(rng))


@pytest.mark.parametrize(
    ("word", "function"),
    [(0x4EA1C820, arm_estimates.unsigned_reciprocal_estimate), (0x6EA1C820, arm_estimates.unsigned_root_estimate)],
    ids=("urecpe", "ursqrte"),
)
def test_unsigned_estimates(
    word: int, function: Callable[[int], int], cpu: Aarch64, count: int, rng: random.Random
) -> None:
    for _ in range(count):
        operand = patterns.integer(rng, 32)
        result, _ = cpu.run(word, 0, (operand,))
        assert function(operand) == result & 0xFFFFFFFF, hex(operand)


@pytest.mark.parametrize(
    ("word", "function"),
    [(0xF2010F12, arm_estimates.reciprocal_step_unfused), (0xF2210F12, arm_estimates.root_step_unfused)],
    ids=("vrecps", "vrsqrts"),
)
def test_steps_of_aarch32_round_the_product(word: int, function: Operation, count: int, rng: random.Random) -> None:
    cpu = Aarch32()
    for _ in range(count):
        a, b = special_pair(rng, BINARY32, patterns.factors)
        if rng.random() < 0.5:
            b = patterns.pattern(rng, BINARY32, 254 - (a >> 23 & 255) + rng.randrange(-2, 3))
        environment = status(FZ | DN, BINARY32)
        result = function(BINARY32, a, b, environment)
        assert (result, fpsr(environment)) == cpu.run(word, a, b), (hex(a), hex(b))
