"""Vector and floating-point registers, as instructions of both states see them: a builder's part, and a processor's.

What A64, VFP and Advanced SIMD have in common (`fp.py`, `simd.py` and what they call) asks for no more than this.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Protocol

from pyqemu.targets.arm import layout
from pyqemu.targets.arm.layout import M_FPCR
from pyqemu.tcg.builder import Builder

if TYPE_CHECKING:
    from pyqemu.tcg.builder import Value


class VectorCpu(Protocol):
    """A processor as helpers see it."""

    fpcr: int
    fpsr: int

    @property
    def v(self) -> MutableSequence[int]:
        """Vector registers by number."""


class VectorTranslator(Builder):
    """A builder with vector registers.

    :ivar mode: what translation depends on
    """

    mode: int

    @property
    def exact_fp(self) -> bool:
        """Whether FPCR asks for nothing but what the host does."""
        return not self.mode & M_FPCR

    def v(self, number: int, bits: int = 128) -> Value:
        """A vector register, or its low *bits* bits. Who writes less than 128 bits clears the others."""
        return self.glob(layout.v(number), bits)

    def element(self, number: int, index: int, bits: int) -> Value:
        """An element of a vector register."""
        return self.glob(layout.v(number) + index * bits // 8, bits)

    def set_element(self, number: int, index: int, bits: int, value: Value) -> None:
        """Write an element of a vector register, and nothing beside it, from the low bits of *value*."""
        at = layout.v(number) + index * bits // 8
        if bits == 32:  # moves of 32 bits clear the half of a slot that is above them
            self.mov(self.glob(at, 16), value.low(16))
            self.mov(self.glob(at + 2, 16), self.glob(value.offset + 2, 16))
        else:
            self.mov(self.glob(at, bits), value.low(bits))

    def replicate(self, number: int, bits: int, value: Value, *, whole: bool) -> None:
        """Write a zero-extended value of 64 bits to all elements of a vector register, or of its lower half."""
        ones = ((1 << 64) - 1) // ((1 << bits) - 1)
        low = self.glob(layout.v(number), 64)
        self.mov(low, value if bits == 64 else value * ones)
        self.mov(self.glob(layout.v(number) + 8, 64), low if whole else 0)

    def clear_high(self, number: int) -> None:
        """Clear the upper half of a vector register."""
        self.mov(self.glob(layout.v(number) + 8, 64), 0)
