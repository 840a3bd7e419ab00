"""Vectors of floating-point numbers as Python integers: the Python column of the floating-point rows.

Python's floats are the host's doubles. A single is computed as a double and rounded once more, which gives the right
result for one operation, as a double has more than twice the bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from struct import Struct

STICKY, MODE_MASK, MODE_FAST = 1 << 5, 0x7000, 1 << 12
_DOUBLE, _SINGLE = Struct("<d"), Struct("<f")
LEAST = {32: 2.0**-126, 64: 2.0**-1022}
INFINITY = {32: 2.0**128, 64: math.inf}
NAN = {32: 0xFFC00000, 64: 0xFFF8 << 48}


def to_float(pattern: int, bits: int) -> float:
    """The number of a pattern."""
    form = _DOUBLE if bits == 64 else _SINGLE
    value: float = form.unpack(pattern.to_bytes(bits // 8, "little"))[0]
    return value


def to_pattern(value: float, bits: int) -> int:
    """The pattern of a number, rounded to the format; NaNs become the default one."""
    if value != value:
        return NAN[bits]
    try:
        data = _DOUBLE.pack(value) if bits == 64 else _SINGLE.pack(value)
    except OverflowError:
        data = _SINGLE.pack(math.copysign(math.inf, value))
    return int.from_bytes(data, "little")


def to_single(value: float) -> float:
    """Rounded to single precision."""
    return to_float(to_pattern(value, 32), 32)


def quotient(x: float, y: float) -> float:
    """``x / y`` as IEEE 754 has it."""
    if y:
        return x / y
    if not x or x != x or y != y:
        return math.nan
    return math.copysign(math.inf, x) * math.copysign(1.0, y)


def root(x: float, y: float) -> float:
    """The square root of the second operand."""
    return math.sqrt(y) if y >= 0 else math.nan


OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": quotient,
    "sqrt": root,
}


def _trailing_zeros(pattern: int) -> int:
    value = pattern | 1 << 52
    return (value & -value).bit_length() - 1


class Lanes:
    """Operations on the low *count* lanes of *bits* bits."""

    def __init__(self, bits: int, count: int) -> None:
        self.bits = bits
        self.count = count
        self.mask_lane = (1 << bits) - 1
        self.shifts = tuple(n * bits for n in range(count))
        self.rest = ~((1 << bits * count) - 1)

    def split(self, a: int) -> list[int]:
        """The lanes of a vector."""
        return [a >> shift & self.mask_lane for shift in self.shifts]

    def join(self, a: int, results: list[int]) -> int:
        """A vector of these lanes, its other bits those of *a*."""
        value = a & self.rest
        for shift, lane in zip(self.shifts, results, strict=True):
            value |= lane << shift
        return value

    def subnormal(self, value: float) -> bool:
        """Whether a number is subnormal or a NaN."""
        return not abs(value) >= LEAST[self.bits] and value != 0

    def out_of_range(self, value: float) -> bool:
        """Whether a number is not clearly normal."""
        return not (abs(value) >= 2 * LEAST[self.bits] and abs(value) < INFINITY[self.bits])


class Arithmetic(Lanes):
    """One arithmetic operation."""

    def __init__(self, name: str, bits: int, count: int) -> None:
        super().__init__(bits, count)
        self.name = name
        self.function = OPERATIONS[name]

    def result(self, a: int, b: int) -> int:
        """The row's result."""
        function, bits = self.function, self.bits
        return self.join(
            a,
            [
                to_pattern(function(to_float(x, bits), to_float(y, bits)), bits)
                for x, y in zip(self.split(a), self.split(b), strict=True)
            ],
        )

    def slow(self, a: int, b: int, r: int, control: int) -> bool:
        """Whether the operation must be done in software."""
        if control & MODE_MASK != MODE_FAST:
            return True
        sticky = control & STICKY
        for lanes in zip(self.split(a), self.split(b), self.split(r), strict=True):
            x, y, z = (to_float(lane, self.bits) for lane in lanes)
            if self._unfit(x, y, z) or (not sticky and self._inexact(lanes, x, y, z)):
                return True
        return False

    def _unfit(self, x: float, y: float, z: float) -> bool:
        if self.subnormal(y) or (self.name != "sqrt" and self.subnormal(x)):
            return True
        exact_zero = z == 0
        if self.name == "mul":
            exact_zero = exact_zero and (x == 0 or y == 0)
        elif self.name == "div":
            exact_zero = exact_zero and x == 0
        return self.out_of_range(z) and not exact_zero

    def _inexact(self, patterns: tuple[int, int, int], x: float, y: float, z: float) -> bool:
        name = self.name
        if name in ("add", "sub"):
            return self._error(x, y if name == "add" else -y, z) != 0
        left, right, target = {"mul": (x, y, z), "div": (z, y, x), "sqrt": (z, z, y)}[name]
        if self.bits == 32:
            return left * right != target
        first, second = {"mul": (0, 1), "div": (2, 1), "sqrt": (2, 2)}[name]
        few = _trailing_zeros(patterns[first]) + _trailing_zeros(patterns[second]) < 53
        return few or (name != "mul" and left * right != target)

    def _error(self, x: float, y: float, total: float) -> float:
        """What a sum lost (D. Knuth, TAOCP vol. 2, 4.2.2, theorem B)."""
        cut = to_single if self.bits == 32 else float
        part = cut(total - x)
        return cut(cut(x - cut(total - part)) + cut(y - part))


class Comparison(Lanes):
    """Comparisons and choices."""

    def _choose(self, a: int, b: int, less: bool) -> int:
        out = []
        for x, y in zip(self.split(a), self.split(b), strict=True):
            left, right = to_float(x, self.bits), to_float(y, self.bits)
            out.append(x if (left < right if less else left > right) else y)
        return self.join(a, out)

    def minimum(self, a: int, b: int) -> int:
        """The lesser; the second operand where they are equal or unordered."""
        return self._choose(a, b, True)

    def maximum(self, a: int, b: int) -> int:
        """The greater; the second operand where they are equal or unordered."""
        return self._choose(a, b, False)

    def mask(self, a: int, b: int, predicate: int) -> int:
        """All ones where the predicate (that of CMPPS) holds."""
        out = []
        for x, y in zip(self.split(a), self.split(b), strict=True):
            left, right = to_float(x, self.bits), to_float(y, self.bits)
            base = (left == right, left < right, left <= right, left != left or right != right)[predicate & 3]
            out.append(self.mask_lane if base != bool(predicate & 4) else 0)
        return self.join(a, out)

    def slow(self, a: int, b: int) -> bool:
        """Whether a comparison may signal."""
        return any(self.subnormal(to_float(lane, self.bits)) for lane in self.split(a) + self.split(b))

    def flags(self, a: int, b: int) -> int:
        """ZF, PF, CF."""
        left, right = to_float(a, self.bits), to_float(b, self.bits)
        if left != left or right != right:
            return 0x45
        return 1 if left < right else 0x40 if left == right else 0


# --- conversions ------------------------------------------------------------------------------------------------------


def _signed(value: int, bits: int) -> int:
    half = 1 << bits - 1
    return (value ^ half) - half


def _round_int_to_single(value: int) -> int:
    """The single nearest to an integer, rounded once (by way of a double it would be twice)."""
    magnitude = abs(value)
    shift = magnitude.bit_length() - 24
    if shift > 0:
        rest = magnitude & (1 << shift) - 1
        magnitude >>= shift
        half = 1 << shift - 1
        magnitude += rest > half or (rest == half and magnitude & 1)
        magnitude <<= shift
    return to_pattern(float(-magnitude if value < 0 else magnitude), 32)


def from_int(source: int, bits: int) -> Callable[[int], int]:
    """Signed integers to floating point."""
    if bits == 64:
        return lambda a: to_pattern(float(_signed(a, source)), 64)
    return lambda a: _round_int_to_single(_signed(a, source))


def from_int_slow(source: int, precision: int) -> Callable[[int, int], bool]:
    """Whether such a conversion must be done in software."""

    def slow(a: int, control: int) -> bool:
        if control & MODE_MASK != MODE_FAST:
            return True
        return not control & STICKY and not -(1 << precision) <= _signed(a, source) <= 1 << precision

    return slow


def to_int(bits: int, size: int, *, truncate: bool) -> Callable[[int], int]:
    """Floating point to signed integers."""
    indefinite = 1 << size - 1

    def convert(a: int) -> int:
        value = to_float(a, bits)
        if value != value or math.isinf(value):
            return indefinite
        whole = math.trunc(value) if truncate else round(value)
        return whole & (1 << size) - 1 if -indefinite <= whole < indefinite else indefinite

    return convert


def to_int_slow(bits: int, size: int) -> Callable[[int, int, int], bool]:
    """Whether such a conversion, whose result was *b*, must be done in software."""
    limit = ((127 if bits == 32 else 1023) + size - 1) << (23 if bits == 32 else 52)
    back = from_int(size, bits)

    def slow(a: int, b: int, control: int) -> bool:
        if control & MODE_MASK != MODE_FAST or a & (1 << bits - 1) - 1 >= limit or b == 1 << size - 1:
            return True
        return not control & STICKY and to_float(a, bits) != to_float(back(b), bits)

    return slow


def widen(a: int) -> int:
    """Single to double."""
    return to_pattern(to_float(a, 32), 64)


def widen_slow(a: int) -> bool:
    """Whether the single is neither normal nor zero."""
    magnitude = a & 0x7FFFFFFF
    return magnitude != 0 and not 0x00800000 <= magnitude < 0x7F800000


def narrow(a: int) -> int:
    """Double to single."""
    return to_pattern(to_float(a, 64), 32)


def narrow_slow(a: int, b: int, control: int) -> bool:
    """Whether the conversion of *a*, whose result was *b*, must be done in software."""
    if control & MODE_MASK != MODE_FAST:
        return True
    magnitude = b & 0x7FFFFFFF
    if a << 1 & (1 << 64) - 1 and not 0x01000000 <= magnitude < 0x7F800000:
        return True
    return not control & STICKY and to_float(a, 64) != to_float(b, 32)
