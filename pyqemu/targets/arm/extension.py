"""The extension registers of AArch32 by number: one file of registers with three views (ARM DDI 0406C.b, A2.6.2).

Instructions of VFP and Advanced SIMD, what they share with A64 (`fp.py`, `simd.py`) and helpers name them so:

===========  ===================================================================
0 to 31      D0 to D31, 64 bits
32           the scratch register, 128 bits: no register of the architecture
64 to 79     Q0 to Q15, 128 bits (:func:`quad`)
128 to 159   S0 to S31, 32 bits (:func:`single`)
===========  ===================================================================
"""

from __future__ import annotations

from pyqemu.targets.arm import layout
from pyqemu.targets.arm.layout import M32, M64, VECTOR_SCRATCH

SCRATCH, QUADS, SINGLES = 32, 64, 128


def quad(number: int) -> int:
    """The number of Q *number*."""
    return QUADS + number


def single(number: int) -> int:
    """The number of S *number*."""
    return SINGLES + number


def offset(number: int) -> int:
    """Where in the environment a register is."""
    if number < SCRATCH:
        return layout.d(number)
    if number >= SINGLES:
        return layout.s(number - SINGLES)
    return VECTOR_SCRATCH if number == SCRATCH else layout.v(number - QUADS)


OFFSETS = {number: offset(number) for number in (*range(SCRATCH + 1), *range(QUADS, QUADS + 16),
                                                 *range(SINGLES, SINGLES + 32))}  # fmt: skip


class ExtensionRegisters:
    """The registers of a processor by these numbers. What is written to one leaves all beside it."""

    __slots__ = ("_l", "_q")

    def __init__(self, q: memoryview, l: memoryview) -> None:
        self._q, self._l = q, l

    def __getitem__(self, number: int) -> int:
        if number < SCRATCH:
            return int(self._q[OFFSETS[number] >> 3])
        if number >= SINGLES:
            return int(self._l[OFFSETS[number] >> 2])
        at = OFFSETS[number] >> 3
        return int(self._q[at]) | int(self._q[at + 1]) << 64

    def __setitem__(self, number: int, value: int) -> None:
        if number < SCRATCH:
            self._q[OFFSETS[number] >> 3] = value & M64
        elif number >= SINGLES:
            self._l[OFFSETS[number] >> 2] = value & M32
        else:
            at = OFFSETS[number] >> 3
            self._q[at], self._q[at + 1] = value & M64, value >> 64 & M64

    def __len__(self) -> int:
        return len(OFFSETS)
