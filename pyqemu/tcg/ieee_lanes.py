"""The Python column of the rows in :mod:`pyqemu.tcg.ieee_ops`."""

from __future__ import annotations

import math
from collections.abc import Callable

from pyqemu.fpu import BINARY32, BINARY64, DEFAULT_NANS, Status, fused_multiply_add
from pyqemu.tcg.float_lanes import NAN, Lanes, to_float, to_pattern

N, Z, C, V = 1 << 31, 1 << 30, 1 << 29, 1 << 28
LEAST = {32: 2 << 23, 64: 2 << 52}
INFINITY = {32: 0x7F800000, 64: 0x7FF << 52}
SAFE = (1023 - 900) << 52


class Fused(Lanes):
    """Multiply-add, rounded once."""

    def _fma(self, x: int, y: int, z: int) -> int:
        """The pattern; NaNs become the default one."""
        result = fused_multiply_add(BINARY32 if self.bits == 32 else BINARY64, x, y, z, Status(DEFAULT_NANS))
        return result if result & self.mask_lane >> 1 <= INFINITY[self.bits] else NAN[self.bits]

    def result(self, a: int, b: int, c: int) -> int:
        """``a * b + c``."""
        return self.join(0, list(map(self._fma, self.split(a), self.split(b), self.split(c))))

    def check(self, a: int, b: int, c: int, e: int) -> int:
        """What must be known of the result *e*."""
        found = 0
        for x, y, z, r in zip(self.split(a), self.split(b), self.split(c), self.split(e), strict=True):
            factor_zero = 0.0 in (to_float(x, self.bits), to_float(y, self.bits))
            magnitude = r & self.mask_lane >> 1
            fine = magnitude == 0 and factor_zero
            found |= not LEAST[self.bits] <= magnitude < INFINITY[self.bits] and not fine
            lost = self._lost_single(x, y, z, r) if self.bits == 32 else self._lost_double(x, y, z, factor_zero)
            found |= 2 * lost
        return found

    def _lost_single(self, x: int, y: int, z: int, r: int) -> bool:
        total, error = two_sum(to_float(x, 32) * to_float(y, 32), to_float(z, 32))
        return error != 0 or total != to_float(r, 32)

    def _lost_double(self, x: int, y: int, z: int, factor_zero: bool) -> bool:
        product = to_float(x, 64) * to_float(y, 64)
        pattern = to_pattern(product, 64)
        error = to_float(self._fma(x, y, pattern ^ 1 << 63), 64)
        small = pattern & self.mask_lane >> 1 < SAFE and not factor_zero
        return error != 0 or two_sum(product, to_float(z, 64))[1] != 0 or small


def two_sum(a: float, b: float) -> tuple[float, float]:
    """A sum and what it lost (D. Knuth, TAOCP vol. 2, 4.2.2, theorem B)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


class Choice(Lanes):
    """The lesser and the greater, where -0 is less than +0; unordered lanes give the second operand's."""

    def _choose(self, a: int, b: int, less: bool) -> int:
        out = []
        for x, y in zip(self.split(a), self.split(b), strict=True):
            left, right = to_float(x, self.bits), to_float(y, self.bits)
            if left == right:
                out.append(x | y if less else x & y)
            else:
                out.append(x if (left < right if less else left > right) else y)
        return self.join(0, out)

    def minimum(self, a: int, b: int) -> int:
        """The lesser."""
        return self._choose(a, b, True)

    def maximum(self, a: int, b: int) -> int:
        """The greater."""
        return self._choose(a, b, False)

    def unordered(self, a: int, b: int) -> bool:
        """Whether some lane has a NaN."""
        return any(math.isnan(to_float(lane, self.bits)) for lane in (*self.split(a), *self.split(b)))

    def flags(self, a: int, b: int) -> int:
        """A comparison as Arm's flags."""
        left, right = to_float(a, self.bits), to_float(b, self.bits)
        if left != left or right != right:
            return C | V
        return N if left < right else Z | C if left == right else C


def half_away(value: float) -> int:
    """The nearest integer, of two the one away from zero."""
    whole = math.trunc(value)
    return whole + (abs(value - whole) >= 0.5) * (1 if value > 0 else -1)


DIRECTIONS: dict[str, Callable[[float], int]] = {
    "n": round, "a": half_away, "m": math.floor, "p": math.ceil, "z": math.trunc,
}  # fmt: skip


class Integral(Lanes):
    """Integral values: nearest (``n``, ties away from zero ``a``), down (``m``), up (``p``), towards zero (``z``)."""

    def __init__(self, bits: int, count: int, mark: str) -> None:
        super().__init__(bits, count)
        self.function = DIRECTIONS[mark]

    def _one(self, lane: int) -> int:
        value = to_float(lane, self.bits)
        if math.isnan(value) or math.isinf(value):
            return to_pattern(value, self.bits)
        return to_pattern(math.copysign(float(self.function(value)), value), self.bits)

    def result(self, a: int) -> int:
        """The lanes rounded."""
        return self.join(0, list(map(self._one, self.split(a))))
