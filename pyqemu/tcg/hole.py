"""Holes: numbers of an instruction that are not known when its shape is staged.

A shape is an instruction without its displacement and immediate bytes, and without its place in memory. What depends on
those is a :class:`Hole`; it can be an operand of an op, and gets its value when the shape is put into a block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

M64 = (1 << 64) - 1


@dataclass(slots=True, unsafe_hash=True)  # not frozen: that makes the constructor four times as slow
class Hole:
    """The value ``(pc + disp + imm + addend) & mask``, of whichever of the three are used.

    ``pc`` is the guest's program counter of the instruction, ``disp`` and ``imm`` the sign-extended fields in its
    bytes. *ask* is how the builder learns that somebody wanted the number itself, see :meth:`__int__`.
    """

    pc: bool = False
    disp: bool = False
    imm: bool = False
    addend: int = 0
    mask: int = M64
    ask: Callable[[Hole], int] | None = None

    def __add__(self, other: int | Hole) -> Hole:
        if isinstance(other, Hole):
            if self.pc & other.pc or self.disp & other.disp or self.imm & other.imm:
                raise ValueError("a field cannot be added to itself")
            return Hole(self.pc or other.pc, self.disp or other.disp, self.imm or other.imm,
                        self.addend + other.addend, self.mask & other.mask, self.ask)  # fmt: skip
        return Hole(self.pc, self.disp, self.imm, self.addend + other, self.mask, self.ask)

    __radd__ = __add__

    def __sub__(self, other: int) -> Hole:
        return self + -other

    def masked(self, bits: int) -> Hole:
        """The same, cut to its low *bits* bits."""
        return Hole(self.pc, self.disp, self.imm, self.addend, self.mask & (1 << bits) - 1, self.ask)

    def aligned(self, bits: int) -> Hole:
        """The same with its low *bits* bits clear."""
        return Hole(self.pc, self.disp, self.imm, self.addend, self.mask & -(1 << bits), self.ask)

    def value(self, pc: int, disp: int, imm: int) -> int:
        """The number, unsigned, for one instruction."""
        total = self.addend
        if self.pc:
            total += pc
        if self.disp:
            total += disp
        if self.imm:
            total += imm
        return total & self.mask

    def __str__(self) -> str:
        names = [name for name, used in (("pc", self.pc), ("disp", self.disp), ("imm", self.imm)) if used]
        text = "+".join(names) + (f"{self.addend:+#x}" if self.addend or not names else "")
        return f"{{{text}}}" if self.mask == M64 else f"{{{text}}}&{self.mask:#x}"

    def __int__(self) -> int:
        """The number itself, as a signed 64-bit integer: makes the translation special for it."""
        if self.ask is None:
            raise TypeError("this hole has no value yet")
        value = self.ask(self)
        return value - (1 << 64) if value >> 63 else value

    __index__ = __int__
