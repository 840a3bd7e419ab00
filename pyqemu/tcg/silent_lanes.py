"""The Python column of the rows in :mod:`pyqemu.tcg.silent_ops`."""

from __future__ import annotations

import math
from fractions import Fraction

from pyqemu.tcg.float_lanes import NAN, OPERATIONS, Lanes, to_float, to_pattern

LEAST = {32: 2 << 23, 64: 2 << 52}  #: twice the least normal number: below it a rounded result may have been tiny
INFINITY = {32: 0x7F800000, 64: 0x7FF << 52}
SAFE = (1023 - 900) << 52  #: what a double is made of has a rounding error that is a double, too, from here on
INEXACT = 1 << 4


class Silent(Lanes):
    """One arithmetic operation.

    :param normal: whether subnormal operands are left to software, too
    """

    def __init__(self, name: str, bits: int, count: int, *, normal: bool = False) -> None:
        super().__init__(bits, count)
        self.name = name
        self.normal = normal
        self.function = OPERATIONS[name]

    def root(self, a: int, flags: int) -> int:
        """The row of one operand."""
        return self.result(a, a, flags)

    def result(self, a: int, b: int, flags: int) -> int:
        """The lanes; default NaNs where there is something to signal."""
        results = []
        for lanes in zip(self.split(a), self.split(b), strict=True):
            x, y = (to_float(lane, self.bits) for lane in lanes)
            pattern = to_pattern(self.function(x, y), self.bits)
            r = to_float(pattern, self.bits)
            if (
                (self.normal and any(map(self._is_subnormal, lanes)))
                or not self._fits(x, y, pattern)
                or not (flags & INEXACT or self._is_exact(x, y, r))
            ):
                return self.join(0, [NAN[self.bits]] * self.count)
            results.append(pattern)
        return self.join(0, results)

    def _is_subnormal(self, pattern: int) -> bool:
        return 0 < pattern & self.mask_lane >> 1 < LEAST[self.bits] >> 1

    def _fits(self, x: float, y: float, pattern: int) -> bool:
        magnitude = pattern & self.mask_lane >> 1
        if LEAST[self.bits] <= magnitude < INFINITY[self.bits]:
            return True
        zeros = {"mul": x == 0 or y == 0, "div": x == 0}
        return magnitude == 0 and zeros.get(self.name, True)

    def _is_exact(self, x: float, y: float, r: float) -> bool:
        """Whether a result is seen to be exact; one that is may be taken for another."""
        if not math.isfinite(y):
            return False
        exact, left, right = Fraction(x), Fraction(y), Fraction(r)
        if self.name in ("add", "sub"):
            return right == (exact + left if self.name == "add" else exact - left)
        product = {"mul": (exact * left, right), "div": (right * left, exact), "sqrt": (right * right, exact)}[
            self.name
        ]
        small = abs(r if self.name == "mul" else x)
        return product[0] == product[1] and not (self.bits == 64 and 0 < small < to_float(SAFE, 64))
