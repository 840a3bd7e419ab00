"""Integer vector instructions in software, lane by lane on exact numbers: what has no row of its own.

A helper gets the numbers of three registers: the destination, and two sources. Where an instruction has an operand that
is no register (an element, a zero), translated code has put it into the register behind the last one
(:data:`SCRATCH`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pyqemu.tcg.crypto_lanes import carryless

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorCpu

SCRATCH = 32  #: as a vector register: VECTOR_SCRATCH lies there
QC = 1 << 27  #: FPSR: a result was saturated
Lane = Callable[..., int]
Helper = Callable[["VectorCpu", int, int, int], None]


@dataclass(frozen=True, slots=True)
class Lanes:
    """Some lanes of a register.

    :ivar register: 0: the destination, 1: the first source, 2: the second one
    :ivar first: the bit where they begin
    """

    register: int
    bits: int
    signed: bool = False
    first: int = 0

    def split(self, registers: Sequence[int], count: int) -> list[int]:
        """Their numbers."""
        bits, value = self.bits, registers[self.register] >> self.first
        mask, half = (1 << bits) - 1, 1 << bits - 1
        lanes = [value >> shift & mask for shift in range(0, bits * count, bits)]
        return [(lane ^ half) - half for lane in lanes] if self.signed else lanes


@dataclass(frozen=True, slots=True)
class Result:
    """Where results go. What is above them becomes zero, what is below stays.

    :ivar saturate: ``s`` or ``u``: they are saturated as signed or unsigned numbers; empty: they are cut
    """

    bits: int
    count: int
    saturate: str = ""
    first: int = 0

    def join(self, values: list[int]) -> tuple[int, bool]:
        """The lanes put together, and whether one was saturated."""
        if not self.saturate:
            return self._together(values), False
        top = (1 << self.bits - (self.saturate == "s")) - 1
        bottom = -top - 1 if self.saturate == "s" else 0
        limited = [bottom if value < bottom else top if value > top else value for value in values]
        return self._together(limited), limited != values

    def _together(self, values: list[int]) -> int:
        out, mask = 0, (1 << self.bits) - 1
        for n, value in enumerate(values):
            out |= (value & mask) << n * self.bits
        return out


@cache
def lanewise(function: Lane, sources: tuple[Lanes, ...], result: Result) -> Helper:
    """The helper that applies *function* to lanes with the same number."""

    def helper(cpu: VectorCpu, d: int, n: int, m: int) -> None:
        v = cpu.v
        registers = v[d], v[n], v[m]
        values = list(map(function, *(source.split(registers, result.count) for source in sources)))
        whole, saturated = result.join(values)
        v[d] = whole << result.first | registers[0] & (1 << result.first) - 1
        if saturated:
            cpu.fpsr |= QC

    return helper


# --- numbers ----------------------------------------------------------------------------------------------------------


def shift(value: int, count: int, rounding: int = 0) -> int:
    """*value* shifted left by the signed low byte of *count*, exactly (SSHL and so on)."""
    count = (count & 0xFF ^ 0x80) - 0x80
    if count >= 0:
        return value << count
    return value + (rounding << -count - 1) >> -count


def shift_rounding(value: int, count: int) -> int:
    """The same, right shifts rounded to the nearest."""
    return shift(value, count, 1)


@cache
def high_product(bits: int, rounding: int) -> Lane:
    """The upper half of twice the product (SQDMULH, SQRDMULH)."""
    return lambda x, y: (2 * x * y + (rounding << bits - 1)) >> bits


@cache
def leading(bits: int, signs: int) -> Lane:
    """Leading zeros, or, of a signed number, bits that are like the sign (CLZ, CLS)."""
    if signs:
        return lambda x: bits - 1 - (x if x >= 0 else ~x).bit_length()
    return lambda x: bits - x.bit_length()


@cache
def right(count: int, rounding: int = 0) -> Lane:
    """A number shifted right by so much."""
    extra = rounding << count >> 1
    return lambda x: x + extra >> count


@cache
def left(count: int) -> Lane:
    """A number shifted left by so much."""
    return lambda x: x << count


# fmt: off
SAME: dict[str, Lane] = {
    "add":   lambda x, y: x + y,
    "sub":   lambda x, y: x - y,
    "neg":   lambda x: -x,
    "abs":   abs,
    "shl":   shift,
    "rshl":  shift_rounding,
    "pmul":  carryless,
    "dmul":  lambda x, y: 2 * x * y,
}
# fmt: on


@cache
def doubling_accumulated(bits: int, count: int, first: int, minus: int) -> Helper:
    """SQDMLAL, SQDMLSL: the doubled product is saturated, and so is the sum."""
    sources = Lanes(0, 2 * bits, True), Lanes(1, bits, True, first), Lanes(2, bits, True, first)
    result = Result(2 * bits, count, "s")
    top = (1 << 2 * bits - 1) - 1

    def helper(cpu: VectorCpu, d: int, n: int, m: int) -> None:
        registers = cpu.v[d], cpu.v[n], cpu.v[m]
        acc, x, y = (source.split(registers, count) for source in sources)
        products = [2 * a * b for a, b in zip(x, y, strict=True)]
        if max(products) > top:
            cpu.fpsr |= QC
            products = [min(product, top) for product in products]
        sums = [a - b if minus else a + b for a, b in zip(acc, products, strict=True)]
        cpu.v[d], saturated = result.join(sums)
        if saturated:
            cpu.fpsr |= QC

    return helper
