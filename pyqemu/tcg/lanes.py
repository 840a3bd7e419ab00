"""Vectors as Python integers: what the Python column of the vector rows is made of.

A vector of 64 or 128 bits is one unsigned integer, its lane 0 in the low bits. A *vertical* function works on lanes
that have the same number; :func:`vertical` makes one from a function of two numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from struct import Struct

Binary = Callable[[int, int], int]

_LETTERS = {8: "B", 16: "H", 32: "I", 64: "Q"}
_UNSIGNED = {bits: Struct(f"<{128 // bits}{letter}") for bits, letter in _LETTERS.items()}
_SIGNED = {bits: Struct(f"<{128 // bits}{letter.lower()}") for bits, letter in _LETTERS.items()}


def unsigned_lanes(value: int, bits: int) -> tuple[int, ...]:
    """The lanes of a 128-bit vector as unsigned numbers."""
    return _UNSIGNED[bits].unpack(value.to_bytes(16, "little"))


def signed_lanes(value: int, bits: int) -> tuple[int, ...]:
    """The lanes of a 128-bit vector as two's complement numbers."""
    return _SIGNED[bits].unpack(value.to_bytes(16, "little"))


def join(lanes: Iterable[int], bits: int) -> int:
    """The vector of these lanes; numbers are cut to the width of a lane."""
    value = shift = 0
    mask = (1 << bits) - 1
    for lane in lanes:
        value |= (lane & mask) << shift
        shift += bits
    return value


def vertical(function: Binary, bits: int, *, signed: bool = False) -> Binary:
    """*function* applied to lanes of the same number."""
    split = signed_lanes if signed else unsigned_lanes

    def apply(a: int, b: int) -> int:
        return join(map(function, split(a, bits), split(b, bits)), bits)

    return apply


def clamp(low: int, high: int) -> Callable[[int], int]:
    """A function that saturates to a range."""

    def apply(value: int) -> int:
        return low if value < low else high if value > high else value

    return apply


def saturating(function: Binary, low: int, high: int) -> Binary:
    """*function* with its result saturated to a range."""
    limit = clamp(low, high)
    return lambda x, y: limit(function(x, y))


def packer(bits: int, low: int, high: int) -> Binary:
    """Signed lanes of *bits* bits of the first, then of the second vector, saturated and narrowed to half the width."""
    limit = clamp(low, high)

    def apply(a: int, b: int) -> int:
        return join(map(limit, signed_lanes(a, bits) + signed_lanes(b, bits)), bits // 2)

    return apply


def interleaver(bits: int, *, high: bool) -> Binary:
    """The lanes of the low (or high) halves of two vectors, alternating."""
    count = 64 // bits
    first = count if high else 0

    def apply(a: int, b: int) -> int:
        left, right = unsigned_lanes(a, bits), unsigned_lanes(b, bits)
        return join((lane for n in range(first, first + count) for lane in (left[n], right[n])), bits)

    return apply


def shifter(kind: str, bits: int) -> Binary:
    """All lanes shifted by one count, the low 64 bits of the second operand; large counts shift everything out."""

    def left(value: int, count: int) -> int:
        count &= (1 << 64) - 1
        return join((lane << count for lane in unsigned_lanes(value, bits)), bits) if count < bits else 0

    def right(value: int, count: int) -> int:
        count &= (1 << 64) - 1
        return join((lane >> count for lane in unsigned_lanes(value, bits)), bits) if count < bits else 0

    def arithmetic(value: int, count: int) -> int:
        count = min(count & (1 << 64) - 1, bits - 1)
        return join((lane >> count for lane in signed_lanes(value, bits)), bits)

    return {"sll": left, "srl": right, "sra": arithmetic}[kind]


def sign_mask(bits: int) -> Callable[[int], int]:
    """The sign bits of all lanes, lane 0's in bit 0."""

    def apply(value: int) -> int:
        return sum((lane >> bits - 1) << n for n, lane in enumerate(unsigned_lanes(value, bits)))

    return apply


def multiply_add(a: int, b: int) -> int:
    """Signed 16-bit products, added in pairs (PMADDWD)."""
    products = [x * y for x, y in zip(signed_lanes(a, 16), signed_lanes(b, 16), strict=True)]
    return join((products[n] + products[n + 1] for n in range(0, 8, 2)), 32)


def absolute_differences(a: int, b: int) -> int:
    """Sums of absolute differences of eight bytes each (PSADBW)."""
    distances = [abs(x - y) for x, y in zip(unsigned_lanes(a, 8), unsigned_lanes(b, 8), strict=True)]
    return join((sum(distances[:8]), sum(distances[8:])), 64)


def shuffle_bytes(value: int, control: int) -> int:
    """Bytes of *value* selected by the low bits of the bytes of *control*; bit 7 gives zero (PSHUFB)."""
    lanes = unsigned_lanes(value, 8)
    return join((0 if c & 0x80 else lanes[c & 15] for c in unsigned_lanes(control, 8)), 8)


def even_products(bits: int, *, signed: bool) -> Binary:
    """Products of the even lanes, at twice the width (PMULUDQ, PMULDQ)."""
    split = signed_lanes if signed else unsigned_lanes

    def apply(a: int, b: int) -> int:
        left, right = split(a, bits)[::2], split(b, bits)[::2]
        return join((x * y for x, y in zip(left, right, strict=True)), 2 * bits)

    return apply


def extend_lanes(value: int, bits: int, wide: int, *, signed: bool) -> int:
    """As many of the low lanes as fit, each extended to *wide* bits."""
    split = signed_lanes if signed else unsigned_lanes
    return join(split(value, bits)[: 128 // wide], wide)
