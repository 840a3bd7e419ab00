"""Vector and floating-point registers, as instructions of both states see them: a builder's part, and a processor's.

What A64, VFP and Advanced SIMD have in common (`fp.py`, `simd.py` and what they call) asks for no more than this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyqemu.targets.arm import layout
from pyqemu.targets.arm.layout import M_FLUSH, M_FPCR
from pyqemu.tcg.builder import Builder

if TYPE_CHECKING:
    from pyqemu.tcg.builder import Value


class VectorRegisters(Protocol):
    """Vector registers as helpers see them."""

    def __getitem__(self, number: int) -> int: ...
    def __setitem__(self, number: int, value: int) -> None: ...


class VectorCpu(Protocol):
    """A processor as helpers see it."""

    fpcr: int
    fpsr: int

    @property
    def v(self) -> VectorRegisters:
        """Vector registers by number: of A64, or of `extension.py`."""


class VectorTranslator(Builder):
    """A builder with vector registers.

    :ivar mode: what translation depends on
    :ivar halves_alone: whether a register's upper half stays as it is where the lower one is written: in AArch32 the
        halves are registers; A64 clears it
    :ivar standard_fp: whether floating-point arithmetic is that of AArch32's Advanced SIMD, whatever FPCR says: to
        nearest, without denormals, with the default NaN (DDI 0406C.b, A2.7.3, "StandardFPSCRValue")
    """

    mode: int
    halves_alone = False
    standard_fp = False

    @property
    def exact_fp(self) -> bool:
        """Whether nothing is asked for but what the host does, or what rows can tell from it."""
        return self.standard_fp or not self.mode & M_FPCR or bool(self.mode & M_FLUSH)

    @property
    def flushes(self) -> bool:
        """Whether denormals may be taken for zero: rows must tell where there are some."""
        return self.standard_fp or bool(self.mode & M_FLUSH)

    def vector(self, number: int) -> int:
        """The offset of a vector register; number 32 is the scratch register."""
        return layout.v(number)

    def v(self, number: int, bits: int = 128) -> Value:
        """A vector register, or its low *bits* bits. Who writes less than 128 bits clears the others."""
        return self.glob(self.vector(number), bits)

    def element(self, number: int, index: int, bits: int) -> Value:
        """An element of a vector register."""
        return self.glob(self.vector(number) + index * bits // 8, bits)

    def set_element(self, number: int, index: int, bits: int, value: Value) -> None:
        """Write an element of a vector register, and nothing beside it, from the low bits of *value*."""
        at = self.vector(number) + index * bits // 8
        if bits == 32:  # moves of 32 bits clear the half of a slot that is above them
            slot = self.glob(at & ~7, 64)
            self.emit("high32" if at & 4 else "low32", slot.offset, slot.offset, value.offset)
        else:
            self.mov(self.glob(at, bits), value.low(bits))

    def scalar(self, number: int, bits: int, *, wide: bool = False) -> Value:
        """The lowest element of a vector register to be read.

        :param wide: as 64 bits, of which those above it do not matter
        """
        return self.v(number, 64 if wide else bits)

    def set_scalar(self, number: int, value: Value) -> None:
        """Write a scalar (16, 32, 64 bits) to a vector register, whose other bits become zero."""
        self.extend(value, 64, signed=False, out=self.v(number, 64))
        self.clear_high(number)

    def replicate(self, number: int, bits: int, value: Value, *, whole: bool) -> None:
        """Write a zero-extended value of 64 bits to all elements of a vector register, or of its lower half."""
        ones = ((1 << 64) - 1) // ((1 << bits) - 1)
        half = value if bits == 64 else value * ones
        if whole:  # at once: what reads 128 bits waits long for two writes of 64
            self.vec("pair64", half, half, out=self.v(number))
        else:
            self.mov(self.v(number, 64), half)
            self.clear_high(number)

    def clear_high(self, number: int) -> None:
        """Clear the upper half of a vector register, where the architecture wants that."""
        self.mov(self.glob(self.vector(number) + 8, 64), 0)
