"""What an instruction function gets as its operands.

:meth:`Operand.get` is the operand's value in a slot, :meth:`Operand.set` writes it. :attr:`Operand.source` is
the same as `get`, or a number that an IR operation can take as an immediate. A function that reads an operand
and then writes it says :meth:`Operand.modify` instead of `get`, so that everything that may go wrong with the
write goes wrong first.

Register operands are the registers themselves: a value that was got changes when the register is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86 import layout
from pyqemu.targets.x86.layout import CS, DS, ES, RDI, RSI, SS
from pyqemu.tcg.builder import Value
from pyqemu.tcg.hole import Hole

if TYPE_CHECKING:
    from pyqemu.targets.x86.decode import Instruction
    from pyqemu.targets.x86.opmap import OperandSpec
    from pyqemu.targets.x86.translator import X86Translator

Source = Value | int | Hole


class Operand:
    """An operand of `bits` bits (0: the encoding doesn't say; `get` and `set` then take a size).

    :ivar number: which register, for segment, control, debug and x87 registers
    """

    is_memory = False

    def __init__(self, t: X86Translator, bits: int, number: int = 0) -> None:
        self.t = t
        self.bits = bits
        self.number = number

    def get(self, bits: int = 0) -> Value:
        """Return the value, or its low `bits` bits."""
        raise TypeError(f"{type(self).__name__} cannot be read")

    def set(self, value: Source) -> None:
        """Write `value`, which has the operand's width."""
        raise TypeError(f"{type(self).__name__} cannot be written")

    def modify(self) -> Value:
        """Return the value; a call of `set` follows."""
        return self.get()

    @property
    def source(self) -> Source:
        """The value, or a number that may be an immediate."""
        return self.get()


class RegisterOperand(Operand):
    """A register: general, XMM or MMX. 32-bit writes clear the upper half, 8- and 16-bit ones leave the rest alone."""

    def __init__(self, t: X86Translator, offset: int, bits: int, number: int = 0) -> None:
        super().__init__(t, bits, number)
        self.value = t.glob(offset, bits)

    def get(self, bits: int = 0) -> Value:
        return self.value.low(bits) if bits else self.value

    def set(self, value: Source) -> None:
        self.value.set(value)


class ImmediateOperand(Operand):
    """The immediate, sign-extended; or a constant that the opcode implies."""

    def __init__(self, t: X86Translator, bits: int, constant: int | None = None) -> None:
        super().__init__(t, bits)
        self._constant = constant

    @property
    def source(self) -> Source:
        return self.t.imm if self._constant is None else self._constant

    def get(self, bits: int = 0) -> Value:
        return self.t.value(self.source, bits or self.bits)

    def __int__(self) -> int:
        """The number itself: the translation becomes special for it."""
        return int(self.source)  # type: ignore[arg-type]


class NumberOperand(Operand):
    """A register that is only named: segment, control, debug, x87."""


class MemoryOperand(Operand):
    """Memory at an effective address, which is computed once."""

    is_memory = True

    def __init__(self, t: X86Translator, bits: int) -> None:
        super().__init__(t, bits)
        self._offset: tuple[Value, int | Hole] | None = None
        self._linear: Value | None = None
        self._checked = [0, 0]  # how many bytes may be read, written

    @property
    def segment(self) -> int:
        """The segment register that the address is relative to."""
        insn = self.t.insn
        if insn.segment >= 0:
            return insn.segment
        return SS if insn.base in (4, 5) and not (insn.adsize == 16 and insn.base == 4) else DS

    def offset(self) -> tuple[Value, int | Hole]:
        """Return the effective address as a slot and a displacement to add (modulo the address size)."""
        if self._offset is None:
            self._offset = self.t.effective_address(self.t.insn)
        return self._offset

    def displace(self, distance: Value) -> None:
        """Move the operand by `distance`, a signed number of bytes of any width; before the operand is used."""
        t = self.t
        width = max(t.adsize, 32)
        wide = distance.sext(width) if distance.bits < width else distance.low(width)
        offset = t.sum(*self.offset()) + wide
        self._offset = (offset.low(16).zext(32) if t.adsize == 16 else offset), 0

    def address(self, size: int, *, write: bool = False, skip: int = 0) -> tuple[Value, int | Hole]:
        """Return the linear address of `size` bytes, `skip` bytes behind the operand's start; checks the
        segment first."""
        t, segment = self.t, self.segment
        base, disp = self.offset()
        if segment in t.flat and not (write and segment == CS):
            return base, disp + skip if skip else disp
        if self._linear is None:
            offset = t.clean(base, disp)
            self._offset = offset, 0
            self._linear = t.linear(segment, offset)
        if t.mode != 64:
            self._check(segment, size + skip, write=write)
        return self._linear, skip

    def _check(self, segment: int, extent: int, *, write: bool) -> None:
        """Check the segment for an access to the first `extent` bytes, unless that has been done."""
        if self._checked[write] < extent:
            self.t.check_segment(segment, self.offset()[0], extent, write=write)
            self._checked[write] = extent
            self._checked[False] = max(self._checked[False], extent)  # what may be written may be read

    def load(self, size: int, *, to: int = 0, signed: bool = False, skip: int = 0, out: Value | None = None) -> Value:
        """Load `size` bytes, `skip` bytes behind the operand's start, extended to `to` bits."""
        base, disp = self.address(size, skip=skip)
        bits = self.t.linear_bits(self)
        return self.t.ld(base, disp, size=size, to=to or None, signed=signed, out=out, addr_bits=bits)

    def store(self, value: Source, size: int, *, skip: int = 0) -> None:
        """Store the low `size` bytes of `value`, `skip` bytes behind the operand's start."""
        base, disp = self.address(size, write=True, skip=skip)
        self.t.st(base, value, disp, size=size, addr_bits=self.t.linear_bits(self))

    def probe(self, size: int = 0, *, skip: int = 0) -> None:
        """Fault now if a store of `size` bytes would."""
        base, disp = self.address(size or self.bits // 8, write=True, skip=skip)
        self.t.probe_write(base, size or self.bits // 8, disp, addr_bits=self.t.linear_bits(self))

    def get(self, bits: int = 0) -> Value:
        return self.load((bits or self.bits) // 8)

    def set(self, value: Source) -> None:
        self.store(value, self.bits // 8)

    def modify(self) -> Value:
        base, disp = self.address(self.bits // 8, write=True)
        return self.t.ld(base, disp, size=self.bits // 8, addr_bits=self.t.linear_bits(self))


class OffsetOperand(MemoryOperand):
    """Memory at an absolute offset (MOV with moffs), which takes the place of the immediate: it may have 8 bytes."""

    def offset(self) -> tuple[Value, int | Hole]:
        if self._offset is None:
            adsize = self.t.adsize
            self._offset = self.t.value(self.t.imm.masked(adsize), max(adsize, 32)), 0
        return self._offset

    @property
    def segment(self) -> int:
        return self.t.insn.segment if self.t.insn.segment >= 0 else DS


class StringOperand(MemoryOperand):
    """A string element, at DS:rSI (``X``, DS can be overridden) or ES:rDI (``Y``)."""

    def __init__(self, t: X86Translator, bits: int, *, destination: bool) -> None:
        super().__init__(t, bits)
        self._destination = destination
        self.register = t.glob(RDI if destination else RSI, t.adsize)

    @property
    def segment(self) -> int:
        if self._destination:
            return ES
        return self.t.insn.segment if self.t.insn.segment >= 0 else DS

    def offset(self) -> tuple[Value, int | Hole]:
        if self._offset is None:
            register = self.register
            self._offset = (register.zext(32) if register.bits == 16 else register), 0
        return self._offset


def general(t: X86Translator, number: int, bits: int) -> RegisterOperand:
    """Return general register `number`; without REX, byte registers 4 to 7 are AH CH DH BH (SDM vol. 2, table 3-1)."""
    if bits == 8 and 4 <= number < 8 and not t.insn.rex:
        return RegisterOperand(t, layout.reg(number - 4) + 1, 8, number)
    return RegisterOperand(t, layout.reg(number), bits, number)


def build(t: X86Translator, spec: OperandSpec, insn: Instruction) -> Operand:
    """Return the operand that `spec` stands for in `insn`."""
    bits = 8 * spec.bytes(insn.opsize, bool(insn.rex & 8))
    match spec.letter:
        case "E" | "M" | "R" | "W" | "U" | "Q" | "N" | "T":
            return _rm(t, spec.letter, bits, insn)
        case "G":
            return general(t, insn.reg, bits)
        case "Z":
            return general(t, insn.opcode & 7 | insn.rex << 3 & 8, bits)
        case "V":
            return RegisterOperand(t, layout.xmm(insn.reg), bits, insn.reg)
        case "P":
            return RegisterOperand(t, layout.fpst(insn.reg & 7), bits, insn.reg & 7)
        case "I" | "J" | "A":
            return ImmediateOperand(t, bits)
        case "O":
            return OffsetOperand(t, bits)
        case "X" | "Y":
            return StringOperand(t, bits, destination=spec.letter == "Y")
        case "reg":
            return RegisterOperand(t, layout.reg(spec.number), bits, spec.number)
        case "const":
            return ImmediateOperand(t, bits, spec.number)
        case _:
            return NumberOperand(t, bits, insn.reg)


def _rm(t: X86Translator, letter: str, bits: int, insn: Instruction) -> Operand:
    """Return the operand in ModRM r/m."""
    if insn.memory:
        return MemoryOperand(t, bits)
    match letter:
        case "W" | "U":
            return RegisterOperand(t, layout.xmm(insn.rm), bits, insn.rm)
        case "Q" | "N":
            return RegisterOperand(t, layout.fpst(insn.rm & 7), bits, insn.rm & 7)
        case "T":
            return NumberOperand(t, bits, insn.rm & 7)
        case _:
            return general(t, insn.rm, bits)
