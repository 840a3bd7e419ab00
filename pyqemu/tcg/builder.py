"""The builder: how a target says what an instruction does.

Methods append ops to :attr:`Builder.ops` and return :class:`Value` objects, which name slots of the environment.
Nothing is computed here; the engines do that. Operands are values, integers or holes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyqemu.tcg.env import ARGUMENTS, GLOBALS, MAX_SUBROUTINES, NEAR_TEMPORARIES, SUBROUTINE_TEMPORARIES, TEMPORARIES
from pyqemu.tcg.hole import Hole
from pyqemu.tcg.ops import INVERSE, Op, mask

Operand = "Value | int | Hole"
Insn = tuple[Any, ...]  #: name of the op, then its operands in the order of its row
Helper = Callable[..., "int | None"]


class Value:
    """A slot of the environment, seen at a width of ``bits``. Operators append ops to its builder."""

    __slots__ = ("bits", "builder", "offset")

    def __init__(self, builder: Builder, offset: int, bits: int) -> None:
        self.builder = builder
        self.offset = offset
        self.bits = bits

    def __repr__(self) -> str:
        return f"env+{self.offset:#x}:{self.bits}"

    def low(self, bits: int) -> Value:
        """The low *bits* of the same slot; no code."""
        return Value(self.builder, self.offset, bits)

    def set(self, source: Value | int | Hole) -> None:
        """Write *source* to this slot."""
        self.builder.mov(self, source)

    def zext(self, bits: int) -> Value:
        return self.builder.extend(self, bits, signed=False)

    def sext(self, bits: int) -> Value:
        return self.builder.extend(self, bits, signed=True)

    def __add__(self, other: Value | int | Hole) -> Value:
        return self.builder.add(self, other)

    def __sub__(self, other: Value | int | Hole) -> Value:
        return self.builder.sub(self, other)

    def __mul__(self, other: Value | int | Hole) -> Value:
        return self.builder.mul(self, other)

    def __and__(self, other: Value | int | Hole) -> Value:
        return self.builder.and_(self, other)

    def __or__(self, other: Value | int | Hole) -> Value:
        return self.builder.or_(self, other)

    def __xor__(self, other: Value | int | Hole) -> Value:
        return self.builder.xor(self, other)

    def __invert__(self) -> Value:
        return self.builder.not_(self)

    def __neg__(self) -> Value:
        return self.builder.neg(self)

    def shl(self, count: Value | int | Hole) -> Value:
        return self.builder.shl(self, count)

    def shr(self, count: Value | int | Hole) -> Value:
        return self.builder.shr(self, count)

    def sar(self, count: Value | int | Hole) -> Value:
        return self.builder.sar(self, count)

    def rotl(self, count: Value | int | Hole) -> Value:
        return self.builder.rotl(self, count)

    def rotr(self, count: Value | int | Hole) -> Value:
        return self.builder.rotr(self, count)


class Label:
    """A place within one instruction, or one subroutine.

    :ivar awaited: whether ops before it jump there
    """

    __slots__ = ("awaited", "bound", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.awaited = False
        self.bound = False

    def __repr__(self) -> str:
        return f"L{self.number}"


_Out = Value | None


class Builder:
    """Collects the ops of one instruction (or of one IR subroutine).

    *fields* are the numbers ``(pc, disp, imm)`` of the instance that is being staged. A target subclasses this and adds
    its registers, its addressing modes and its flags.

    :ivar ops: the ops so far
    :ivar flags_live: whether anybody will look at the flags that this instruction writes
    :ivar cc_in: the kind of the lazy-flags record, where it is known before the instruction
    :ivar special: fields whose number was asked for: the translation holds for these numbers only
    """

    temporaries = NEAR_TEMPORARIES
    cc_slots: int = 0  #: offset of the lazy-flags record; set by targets that have one
    pc_slot: int = 0  #: offset of the guest's program counter; set by the target
    pc_bits: int = 64
    mmu: int = 0

    def __init__(self, table: dict[str, Op], helpers: HelperTable, *, fields: tuple[int, int, int] = (0, 0, 0),
                 length: int = 0, flags_live: bool = True, cc_in: int | None = None) -> None:  # fmt: skip
        self.table = table
        self.helpers = helpers
        self.ops: list[Insn] = []
        self.fields = fields
        self.length = length
        self.flags_live = flags_live
        self._cc_in = cc_in
        self.cc_out: int | None = cc_in
        self.reads_flags = False
        self.writes_flags = False
        self.watches_events = False  #: events must go through the CPU's ``deliver``
        self.ended = False
        self.special: set[str] = set()
        self._conditional = 0
        self._next = self.temporaries
        self._labels = 0
        self.pc = Hole(pc=True, ask=self._asked)
        self.next_pc = Hole(pc=True, addend=length, ask=self._asked)
        self.disp = Hole(disp=True, ask=self._asked)
        self.imm = Hole(imm=True, ask=self._asked)

    def release(self) -> None:
        """Forget everything: holes live on in the ops and lead here, and so would all that was made while staging."""
        vars(self).clear()

    def _asked(self, hole: Hole) -> int:
        self.special.update(name for name in ("pc", "disp", "imm") if getattr(hole, name))
        return hole.value(*self.fields)

    # --- values -------------------------------------------------------------------------------------------------------

    def temp(self, bits: int) -> Value:
        """A fresh temporary; it lives until the end of the instruction."""
        size = 16 if bits == 128 else 8
        self._next = -(-self._next // size) * size
        if self._next == GLOBALS:
            self._next = TEMPORARIES
        value = Value(self, self._next, bits)
        self._next += size
        return value

    def glob(self, offset: int, bits: int) -> Value:
        """The guest register at that offset of the environment."""
        return Value(self, offset, bits)

    def value(self, operand: Value | int | Hole, bits: int) -> Value:
        """*operand* in a slot."""
        if isinstance(operand, Value):
            return operand
        out = self.temp(bits)
        self.mov(out, operand)
        return out

    def emit(self, name: str, *operands: Any) -> None:
        """Append one op; operands in the order of its row."""
        self.ops.append((name, *operands))

    @staticmethod
    def _immediate(operand: int | Hole, bits: int) -> int | Hole:
        return operand.masked(bits) if isinstance(operand, Hole) else operand & mask(bits)

    def mov(self, out: Value, source: Value | int | Hole) -> Value:
        if isinstance(source, Value):
            if source.offset != out.offset or out.bits in (32, 128):
                self.emit(f"mov{out.bits}", out.offset, source.offset)
        else:
            self.emit(f"movi{out.bits}", out.offset, self._immediate(source, out.bits))
        return out

    def _binary(self, name: str, a: Value | int | Hole, b: Value | int | Hole, out: _Out) -> Value:
        if not isinstance(a, Value):
            if not isinstance(b, Value):
                raise TypeError(f"{name} of two immediates")
            a = self.value(a, b.bits)
        if out is None:
            out = self.temp(a.bits)
        if isinstance(b, Value):
            self.emit(f"{name}{a.bits}", out.offset, a.offset, b.offset)
        else:
            self.emit(f"{name}{a.bits}i", out.offset, a.offset, self._immediate(b, a.bits))
        return out

    def add(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("add", a, b, out)

    def sub(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("sub", a, b, out)

    def mul(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("mul", a, b, out)

    def and_(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("and", a, b, out)

    def or_(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("or", a, b, out)

    def xor(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("xor", a, b, out)

    def shl(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("shl", a, b, out)

    def shr(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("shr", a, b, out)

    def sar(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("sar", a, b, out)

    def rotl(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("rotl", a, b, out)

    def rotr(self, a: Value | int | Hole, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._binary("rotr", a, b, out)

    def _slots(self, name: str, a: Value, b: Value | int | Hole, out: _Out) -> Value:
        """A binary row that has no immediate form."""
        return self._binary(name, a, self.value(b, a.bits), out)

    def divu(self, a: Value, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._slots("divu", a, b, out)

    def remu(self, a: Value, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._slots("remu", a, b, out)

    def divs(self, a: Value, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._slots("divs", a, b, out)

    def rems(self, a: Value, b: Value | int | Hole, out: _Out = None) -> Value:
        return self._slots("rems", a, b, out)

    def mulu2(self, a: Value, b: Value | int | Hole) -> tuple[Value, Value]:
        """Low and high half of the unsigned product."""
        b = self.value(b, a.bits)
        return self.mul(a, b), self._binary("mulhu", a, b, None)

    def muls2(self, a: Value, b: Value | int | Hole) -> tuple[Value, Value]:
        """Low and high half of the signed product."""
        b = self.value(b, a.bits)
        return self.mul(a, b), self._binary("mulhs", a, b, None)

    def _unary(self, name: str, a: Value, out: _Out) -> Value:
        out = self.temp(a.bits) if out is None else out
        self.emit(f"{name}{a.bits}", out.offset, a.offset)
        return out

    def neg(self, a: Value, out: _Out = None) -> Value:
        return self._unary("neg", a, out)

    def not_(self, a: Value, out: _Out = None) -> Value:
        return self._unary("not", a, out)

    def bswap(self, a: Value, out: _Out = None) -> Value:
        return self._unary("bswap", a, out)

    def clz(self, a: Value, out: _Out = None) -> Value:
        return self._unary("clz", a, out)

    def ctz(self, a: Value, out: _Out = None) -> Value:
        return self._unary("ctz", a, out)

    def popcnt(self, a: Value, out: _Out = None) -> Value:
        return self._unary("popcnt", a, out)

    def extend(self, a: Value, bits: int, *, signed: bool, out: _Out = None) -> Value:
        """*a* widened to *bits*."""
        if bits == a.bits:
            return a if out is None else self.mov(out, a)
        out = self.temp(bits) if out is None else out
        self.emit(f"{'sext' if signed else 'zext'}{a.bits}_{bits}", out.offset, a.offset)
        return out

    def lea(self, base: Value, index: Value, scale_shift: int, disp: int | Hole, bits: int, out: _Out = None) -> Value:
        """``base + (index << scale_shift) + disp`` modulo 2**bits."""
        out = self.temp(bits) if out is None else out
        self.emit(f"lea{1 << scale_shift}_{bits}", out.offset, base.offset, index.offset, self._immediate(disp, bits))
        return out

    # --- comparisons and branches -------------------------------------------------------------------------------------

    def setcond(self, cond: str, a: Value, b: Value | int | Hole, out: _Out = None) -> Value:
        """1 where the comparison holds, else 0; 32 bits."""
        out = self.temp(32) if out is None else out
        if isinstance(b, Value):
            self.emit(f"setcond_{cond}{a.bits}", out.offset, a.offset, b.offset)
        else:
            self.emit(f"setcond_{cond}{a.bits}i", out.offset, a.offset, self._immediate(b, a.bits))
        return out

    def movcond(self, cond: str, a: Value, b: Value | int | Hole, x: Value | int | Hole, y: Value | int | Hole,
                out: Value) -> Value:  # fmt: skip
        """*x* where the comparison holds, else *y*."""
        return self.select(self.setcond(cond, a, b), x, y, out)

    def select(self, condition: Value, x: Value | int | Hole, y: Value | int | Hole, out: Value) -> Value:
        """*x* where the 32-bit *condition* is not zero, else *y*."""
        x, y = self.value(x, out.bits), self.value(y, out.bits)
        self.emit(f"movnz{out.bits}", out.offset, condition.offset, x.offset, y.offset)
        return out

    def label(self) -> Label:
        self._labels += 1
        return Label(self._labels)

    def bind(self, label: Label) -> None:
        """*label* is here."""
        self.emit("label", label.number)
        self._conditional -= label.awaited
        label.bound, label.awaited = True, False

    def refer(self, label: Label) -> None:
        """An op that is emitted now may go to *label*: what lies between is not always executed."""
        if not label.bound and not label.awaited:
            label.awaited = True
            self._conditional += 1

    def br(self, label: Label) -> None:
        self.refer(label)
        self.emit("br", label.number)

    def brcond(self, cond: str, a: Value, b: Value | int | Hole, label: Label) -> None:
        """Go to *label* where the comparison holds."""
        self.refer(label)
        if isinstance(b, Value):
            self.emit(f"brcond_{cond}{a.bits}", a.offset, b.offset, label.number)
        else:
            self.emit(f"brcond_{cond}{a.bits}i", a.offset, self._immediate(b, a.bits), label.number)

    @contextmanager
    def if_(self, cond: str, a: Value, b: Value | int | Hole) -> Iterator[None]:
        """The ops of the ``with`` block run only where the comparison holds."""
        over = self.label()
        self.brcond(INVERSE[cond], a, b, over)
        yield
        self.bind(over)

    # --- guest memory -------------------------------------------------------------------------------------------------

    def ld(self, addr: Value, disp: int | Hole = 0, *, size: int, signed: bool = False, to: int | None = None,
           out: _Out = None, addr_bits: int = 64, mmu: int | None = None) -> Value:  # fmt: skip
        """Load *size* bytes from guest-virtual ``addr + disp`` (modulo 2**addr_bits), extended to *to* bits."""
        bits = to or (out.bits if out is not None else 8 * size)
        if bits == 16 and size == 1:  # rows that extend write more than two bytes
            byte = self.ld(addr, disp, size=1, to=8, addr_bits=addr_bits, mmu=mmu)
            return self.extend(byte, 16, signed=signed, out=out)
        out = self.temp(bits) if out is None else out
        if bits == 8 * size:
            name = "ld32u" if size == 4 else f"ld{bits}"
        elif signed:
            name = f"ld{8 * size}s{bits}"
        else:
            name = f"ld{8 * size}u"
        self.emit(f"{name}_a{addr_bits}", out.offset, addr.offset, self._immediate(disp, 64), self._mmu(mmu))
        return out

    def st(self, addr: Value, value: Value | int | Hole, disp: int | Hole = 0, *, size: int, addr_bits: int = 64,
           mmu: int | None = None) -> None:  # fmt: skip
        """Store the low *size* bytes of *value* to guest-virtual ``addr + disp``."""
        value = self.value(value, 8 * size)
        self.emit(f"st{8 * size}_a{addr_bits}", value.offset, addr.offset, self._immediate(disp, 64), self._mmu(mmu))

    def probe_write(self, addr: Value, size: int, disp: int | Hole = 0, *, addr_bits: int = 64,
                    mmu: int | None = None) -> None:  # fmt: skip
        """Fault now where a store of *size* bytes would."""
        self.emit(f"probe{8 * size}_a{addr_bits}", addr.offset, self._immediate(disp, 64), self._mmu(mmu))

    def _mmu(self, mmu: int | None) -> int:
        return self.mmu if mmu is None else mmu

    # --- calls and ends -----------------------------------------------------------------------------------------------

    def call(self, helper: Helper, *args: Value | int | Hole, returns: int | None = None, out: _Out = None,
             noreturn: bool = False) -> Value | None:  # fmt: skip
        """Call the Python function ``helper(cpu, *args)``; arguments arrive as unsigned integers of their widths.

        All state is in the environment and the program counter is exact. The helper may raise a guest exception; with
        *noreturn* it always does. Any other helper may have changed the flags record.
        """
        if not noreturn:
            self.cc_out = None
        for n, arg in enumerate(args):
            slot = Value(self, ARGUMENTS + 8 * n, 64)
            if isinstance(arg, Value):
                self.extend(arg, 64, signed=False, out=slot)
            else:
                self.mov(slot, arg)
        if returns is not None and out is None:
            out = self.temp(returns)
        self.emit("call", self.helpers.number(helper), len(args), -1 if out is None else out.offset, returns or 0)
        return out

    def gosub(self, subroutine: Subroutine) -> None:
        """Run an IR subroutine; it may write globals, and leaves temporaries alone."""
        self.emit("gosub", self.helpers.subroutine(subroutine))

    def goto(self, target: int | Hole) -> None:
        """End the block: go on at program counter *target*."""
        self.end()
        self.emit("goto_tb", target if isinstance(target, Hole) else target & mask(self.pc_bits))
        self.mov(self.glob(self.pc_slot, self.pc_bits), target)
        self.goto_ptr()

    def goto_ptr(self) -> None:
        """End the block: go on where the program counter says, found through the jump cache."""
        raise NotImplementedError("the target says what the jump cache is looked up with")

    def exit_loop(self) -> None:
        """End the block: back to the main loop; the program counter is written already."""
        self.end()
        self.emit("leave")

    def exit_loop_next(self) -> None:
        """End the block after this instruction: back to the main loop."""
        self.mov(self.glob(self.pc_slot, self.pc_bits), self.next_pc)
        self.exit_loop()

    def end(self) -> None:
        """Note that this instruction ends its block."""
        self.ended = True

    # --- lazy flags ---------------------------------------------------------------------------------------------------

    @property
    def cc_in(self) -> int | None:
        """The kind of the flags record before this instruction; looking makes the instruction a reader of flags."""
        self.reads_flags = True
        return self._cc_in

    def _wrote_flags(self, kind: int | None) -> None:
        if self._conditional <= 0 and not self.ended:  # after an end, only those get here who did not take it
            self.writes_flags = True
            self.cc_out = kind
        else:
            self.cc_out = None

    def cc_record(self, result: Value, source: Value | int | Hole, kind: int) -> None:
        """Record the flags of an operation that is done: its result, what its carry is computed from, its kind."""
        self._wrote_flags(kind)
        if not self.flags_live:
            return
        base = self.cc_slots
        self.extend(result, 64, signed=False, out=self.glob(base, 64))
        if isinstance(source, Value):
            self.extend(source, 64, signed=False, out=self.glob(base + 8, 64))
        else:
            self.mov(self.glob(base + 8, 64), source)
        self.mov(self.glob(base + 16, 64), kind)

    def _fused(self, name: str, a: Value, b: Value | int | Hole, kind: int, out: _Out) -> Value:
        self._wrote_flags(kind)
        if not self.flags_live:
            return self._binary(name, a, b, out)
        out = self.temp(a.bits) if out is None else out
        if isinstance(b, Value):
            self.emit(f"{name}_cc{a.bits}", out.offset, a.offset, b.offset, self.cc_slots, kind)
        else:
            self.emit(f"{name}_cc{a.bits}i", out.offset, a.offset, self._immediate(b, a.bits), self.cc_slots, kind)
        return out

    def add_cc(self, a: Value, b: Value | int | Hole, kind: int, out: _Out = None) -> Value:
        return self._fused("add", a, b, kind, out)

    def sub_cc(self, a: Value, b: Value | int | Hole, kind: int, out: _Out = None) -> Value:
        return self._fused("sub", a, b, kind, out)

    def and_cc(self, a: Value, b: Value | int | Hole, kind: int, out: _Out = None) -> Value:
        return self._fused("and", a, b, kind, out)

    def or_cc(self, a: Value, b: Value | int | Hole, kind: int, out: _Out = None) -> Value:
        return self._fused("or", a, b, kind, out)

    def xor_cc(self, a: Value, b: Value | int | Hole, kind: int, out: _Out = None) -> Value:
        return self._fused("xor", a, b, kind, out)

    def _compared(self, name: str, a: Value, b: Value | int | Hole, kind: int) -> None:
        self._wrote_flags(kind)
        if not self.flags_live:
            return
        if isinstance(b, Value):
            self.emit(f"{name}_cc{a.bits}", a.offset, b.offset, self.cc_slots, kind)
        else:
            self.emit(f"{name}_cc{a.bits}i", a.offset, self._immediate(b, a.bits), self.cc_slots, kind)

    def cmp_cc(self, a: Value, b: Value | int | Hole, kind: int) -> None:
        self._compared("cmp", a, b, kind)

    def test_cc(self, a: Value, b: Value | int | Hole, kind: int) -> None:
        self._compared("test", a, b, kind)

    # --- rows of a target's own ---------------------------------------------------------------------------------------

    def vec(self, name: str, *sources: Value | int | Hole, out: Value) -> Value:
        """A row by its name, with its operands in order, the result first."""
        op = self.table[name]
        if op.letters[0] != "d" or len(sources) != len(op.operands) - 1:
            raise TypeError(f"{name} takes a result and {len(op.operands) - 1} operands")
        self.emit(name, out.offset, *(s.offset if isinstance(s, Value) else s for s in sources))
        return out


class SubroutineBuilder(Builder):
    """A builder whose temporaries do not clash with those of the instruction that was left."""

    temporaries = SUBROUTINE_TEMPORARIES


class Subroutine:
    """What is hot, but no instruction: written twice, in IR for native engines and in Python for the other.

    *build* emits the IR with a builder of the target's; *python* does the same to a CPU.
    """

    def __init__(self, python: Callable[[Any], None], build: Callable[[Any], None]) -> None:
        self.python = python
        self.build = build


class HelperTable:
    """The Python helpers and the IR subroutines that translated code calls, by number."""

    def __init__(self) -> None:
        self.functions: list[Helper] = []
        self.subroutines: list[Subroutine] = []
        self._numbers: dict[Helper, int] = {}

    def number(self, helper: Helper) -> int:
        """The number of *helper*, given at its first use."""
        if helper not in self._numbers:
            self._numbers[helper] = len(self.functions)
            self.functions.append(helper)
        return self._numbers[helper]

    def subroutine(self, subroutine: Subroutine) -> int:
        """The number of *subroutine*, given at its first use."""
        if subroutine not in self.subroutines:
            if len(self.subroutines) == MAX_SUBROUTINES:
                raise ValueError("too many IR subroutines")
            self.subroutines.append(subroutine)
        return self.subroutines.index(subroutine)
