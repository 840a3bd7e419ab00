"""Against Berkeley SoftFloat; NaNs are compared as such, as its rules for them are those of another architecture."""

from __future__ import annotations

import random

import pytest

from pyqemu import fpu
from pyqemu.fpu import BINARY32, BINARY64, Format, Kind, SseNans, Status

sf = pytest.importorskip("softfloatpy")

MODES = {0: sf.RoundingMode.NEAR_EVEN, 1: sf.RoundingMode.MIN, 2: sf.RoundingMode.MAX, 3: sf.RoundingMode.MIN_MAG}


def pattern(rng: random.Random, fmt: Format) -> int:
    near = fmt.bias + rng.randrange(-9, 9)
    field = rng.choice((0, 1, fmt.special, fmt.special - 1, fmt.bias, rng.randrange(fmt.special), near))
    bits = fmt.fraction_bits
    fraction = rng.choice((0, 1, fmt.fraction_mask, rng.getrandbits(bits), rng.getrandbits(8) << bits - 8))
    return fmt.assemble(rng.getrandbits(1), field, fraction)


def translate(flags: int) -> int:
    """SoftFloat: inexact 1, underflow 2, overflow 4, infinite 8, invalid 16."""
    return (flags >> 4 & 1) | (flags >> 3 & 1) << 2 | (flags >> 2 & 1) << 3 | (flags >> 1 & 1) << 4 | (flags & 1) << 5


@pytest.mark.parametrize(("fmt", "bits"), [(BINARY32, 32), (BINARY64, 64)])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "sqrt", "rem", "mul_add"])
def test_results_and_flags(fmt: Format, bits: int, name: str) -> None:
    rng = random.Random(name)
    make = (sf.Float32 if bits == 32 else sf.Float64).from_bytes
    theirs = getattr(sf, f"f{bits}_{name}")
    ours = {
        "add": fpu.add,
        "sub": fpu.subtract,
        "mul": fpu.multiply,
        "div": fpu.divide,
        "sqrt": fpu.square_root,
        "rem": fpu.remainder,
        "mul_add": fpu.fused_multiply_add,
    }[name]
    count = {"sqrt": 1, "mul_add": 3}.get(name, 2)
    for _ in range(1500):
        values = [pattern(rng, fmt) for _ in range(count)]
        mode = rng.choice(list(MODES))
        sf.set_rounding_mode(MODES[mode])
        sf.set_tininess_mode(sf.TininessMode.AFTER_ROUNDING)
        sf.set_exception_flags(0)
        expected = int.from_bytes(theirs(*(make(v.to_bytes(bits // 8, "big")) for v in values)).to_bytes(), "big")
        status = Status(SseNans(), mode)
        result = ours(fmt, *values, status)  # type: ignore[operator]
        result = result[0] if isinstance(result, tuple) else result
        flags = translate(int(sf.get_exception_flags()))
        numbers = fmt.unpack(result), fmt.unpack(expected)
        if numbers[0].kind is Kind.QUIET and numbers[1].kind is Kind.QUIET:
            expected = result
        assert (result, status.flags & ~fpu.DENORMAL) == (expected, flags), ([hex(v) for v in values], mode)
