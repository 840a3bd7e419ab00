"""Numbers in vector registers that make things happen, for tests of both states."""

from __future__ import annotations

from random import Random

EDGES = {
    8: (0, 1, 2, 0x7E, 0x7F, 0x80, 0x81, 0xFE, 0xFF),
    16: (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF, 0x3C00, 0x3C01, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x7C00, 0x7C01, 0x7E00,
         0xFC00, 0xFD55, 0xFE00, 0x4000, 0xC000, 0x3800, 0x3E00, 0x5BFF, 0x7800),
    32: (0, 1, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF, 0x3F800000, 0x3F800001, 0x40000000, 0xC0000000,
         0x3F000000, 0x3FC00000, 0x40200000, 0x007FFFFF, 0x00800000, 0x00800001, 0x7F7FFFFF, 0x7F800000, 0xFF800000,
         0x7F800001, 0x7FC00000, 0xFFC12345, 0xFF812345, 0x4F000000, 0x4EFFFFFF, 0xCF000000, 0x4F800000, 0x5F000000,
         0x33800000, 0x477FE000, 0x38800000, 0x387FC000, 0x4B000000, 0x4B800001),
    64: (0, 1, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 1, 0x3FF << 52, (0x3FF << 52) + 1, 0x400 << 52,
         0xC00 << 52, 0x3FE << 52, 0x3FF8 << 48, 0x4004 << 48, (1 << 52) - 1, 1 << 52, (1 << 52) + 1,
         (0x7FF << 52) - 1, 0x7FF << 52, 0xFFF << 52, (0x7FF << 52) + 1, 0x7FF8 << 48, (0xFFF8 << 48) + 0x1234,
         (0xFFF << 52) + 0x1234, 0x43E << 52, (0x43E << 52) - 1, 0xC3E << 52, 0x43F << 52, 0x41E << 52, 0x41D << 52,
         0x41DFFFFFFFC00000, 0xC1E0000000000000, 0x41EFFFFFFFE00000, 0x47EFFFFFE0000000, 0x3810000000000000,
         0x47F0000000000000, 0x36A0000000000000, 0x433 << 52, (0x434 << 52) + 1),
}  # fmt: skip
"""What makes things happen, by the width of a lane: limits of integers and of floating-point numbers."""


def vector(r: Random, bits: int, width: int = 128) -> int:
    """*width* bits whose lanes are interesting, near to it, or anything."""
    value, edges = 0, EDGES[bits]
    for shift in range(0, width, bits):
        choice = r.random()
        lane = r.choice(edges) if choice < 0.6 else r.getrandbits(bits) if choice < 0.8 else _near_one(r, bits)
        value |= lane << shift
    return value


def _near_one(r: Random, bits: int) -> int:
    """A number whose exponent is a small one, or a small integer."""
    if bits == 8 or r.random() < 0.3:
        return r.randrange(-20, 20) & (1 << bits) - 1
    fraction = {16: 10, 32: 23, 64: 52}[bits]
    bias = (1 << bits - fraction - 2) - 1
    exponent = bias + r.randrange(-3, 9)
    return r.getrandbits(1) << bits - 1 | exponent << fraction | r.getrandbits(r.choice((4, fraction))) << 0
