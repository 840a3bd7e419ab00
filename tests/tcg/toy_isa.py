"""The instructions of the toy target: what they mean, how they are decoded and assembled.

They have four bytes, ``op, rd << 4 | rs, imm16``, at any address; ``li64``, ``ldx`` and ``stx`` have a long immediate
or displacement behind them. There are sixteen 64-bit registers and a lazy-flags record.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any

from pyqemu.tcg.builder import Builder, Value
from pyqemu.tcg.cpu import GuestException
from pyqemu.tcg.env import GLOBALS
from pyqemu.tcg.shape import Shape, Truncated

REG = GLOBALS
PC = GLOBALS + 0x80
MODE = GLOBALS + 0x88
CC = GLOBALS + 0x90
PENDING = GLOBALS + 0xA8
VECTOR_REGISTER = GLOBALS + 0xC0
M64 = (1 << 64) - 1
ADD, SUB, LOGIC, DYNAMIC = 1, 2, 3, None


class ToyFault(GuestException):
    """A fault: *access* is 0 for a load, 1 for a store, 2 for a fetch, 3 for the instruction ``fault``."""

    def __init__(self, access: int, address: int = 0) -> None:
        super().__init__(access, address)
        self.access = access
        self.address = address


# --- what instructions mean -------------------------------------------------------------------------------------------


class ToyBuilder(Builder):
    """Stages one toy instruction."""

    cc_slots = CC
    pc_slot = PC

    def reg(self, number: int, bits: int = 64) -> Value:
        return self.glob(REG + 8 * number, bits)

    def goto_ptr(self) -> None:
        self.end()
        self.emit("goto_ptr", PC, MODE)

    def zero(self) -> Value:
        """1 where the last result was zero."""
        _ = self.cc_in
        return self.setcond("eq", self.glob(CC, 64), 0)

    def carry(self) -> Value:
        """The carry: the kind of the record says how to compute it, statically where it is known."""
        result, source, kind = self.glob(CC, 64), self.glob(CC + 8, 64), self.glob(CC + 16, 64)
        match self.cc_in:
            case 1:
                return self.setcond("ltu", result, source)
            case 2:  # result = a - source: borrow where result + source wraps
                return self.setcond("ltu", result + source, source)
            case 3:
                return self.value(0, 32)
        out = self.temp(32)
        self.call(dynamic_carry, result, source, kind, returns=32, out=out)
        return out


def dynamic_carry(cpu: Any, result: int, source: int, kind: int) -> int:
    cpu.dynamic += 1
    return {1: result < source, 2: (result + source & M64) < source, 3: False, 0: False}[kind]


Stage = Callable[[ToyBuilder, int, int, int], None]
STAGES: list[tuple[str, Stage]] = []
FIELD: dict[str, str] = {}  # which field the low 16 bits are: "imm", "disp", or "rt" (part of the shape)
LONG = {"li64": 8, "ldx": 4, "stx": 4}
NUMBERS: dict[str, int] = {}


def insn(name: str, field: str = "imm") -> Callable[[Stage], Stage]:
    def enter(stage: Stage) -> Stage:
        NUMBERS[name] = len(STAGES)
        FIELD[name] = field
        STAGES.append((name, stage))
        return stage

    return enter


@insn("nop")
def _nop(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    pass


@insn("li")
def _li(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.reg(rd).set(t.imm)


@insn("li64")
def _li64(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.reg(rd).set(t.imm)


@insn("addi")
def _addi(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.add(t.reg(rs), t.imm, out=t.reg(rd))


@insn("addi32")
def _addi32(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.add(t.reg(rs, 32), t.imm, out=t.reg(rd, 32))


@insn("addi8")
def _addi8(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.add(t.reg(rs, 8), t.imm, out=t.reg(rd, 8))


def _three(name: str) -> None:
    def stage(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
        getattr(t, name)(t.reg(rs), t.reg(rt), out=t.reg(rd))

    insn(name.rstrip("_"), "rt")(stage)


for _name in ("add", "sub", "xor", "and_", "or_", "mul", "shl", "shr", "sar"):
    _three(_name)


def _three_flags(name: str, kind: int) -> None:
    def stage(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
        getattr(t, name + "_cc")(t.reg(rs), t.reg(rt), kind, out=t.reg(rd))

    insn(name.rstrip("_") + "f", "rt")(stage)


for _name, _kind in (("add", ADD), ("sub", SUB), ("and", LOGIC)):
    _three_flags(_name, _kind)


@insn("cmpi")
def _cmpi(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.cmp_cc(t.reg(rd), t.imm, SUB)


@insn("shli")
def _shli(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """Like x86: a count of zero leaves the flags alone. The count is part of the translation."""
    count = int(t.imm) & 63
    if count:
        t.reg(rd).set(t.reg(rs).shl(count))
        t.cc_record(t.reg(rd), 0, LOGIC)


@insn("shlf", "rt")
def _shlf(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """The same with the count in a register: the record is written in a conditional part."""
    with t.if_("ne", t.reg(rt) & 63, 0):
        t.reg(rd).set(t.reg(rs).shl(t.reg(rt)))
        t.cc_record(t.reg(rd), 0, LOGIC)


@insn("loopf", "rt")
def _loopf(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """A loop within an instruction, behind which flags are recorded only sometimes."""
    count = t.temp(64)
    count.set(t.reg(rs) & 3)
    top, done = t.label(), t.label()
    t.bind(top)
    t.reg(rd).set(t.reg(rd) + 1)
    t.brcond("eq", count, 0, done)
    t.sub(count, 1, out=count)
    t.cc_record(t.reg(rd), count, ADD)
    t.br(top)
    t.bind(done)


@insn("early", "disp")
def _early(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """Leave the block early, or record flags and leave it too."""
    with t.if_("eq", t.reg(rd), 0):
        t.goto(t.pc + t.disp)
    t.cc_record(t.reg(rd), 0, LOGIC)
    t.goto(t.next_pc)


@insn("getz")
def _getz(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.extend(t.zero(), 64, signed=False, out=t.reg(rd))


@insn("getc")
def _getc(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.extend(t.carry(), 64, signed=False, out=t.reg(rd))


def _memory(size: int) -> None:
    def load(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
        t.ld(t.reg(rs), t.disp, size=size, to=64, out=t.reg(rd))

    def store(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
        t.st(t.reg(rs), t.reg(rd, 8 * size), t.disp, size=size)

    insn(f"ld{8 * size}", "disp")(load)
    insn(f"st{8 * size}", "disp")(store)


for _size in (1, 2, 4, 8):
    _memory(_size)


@insn("lds", "disp")
def _lds(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.ld(t.reg(rs), t.disp, size=2, signed=True, to=64, out=t.reg(rd))


@insn("ld8to16", "disp")
def _ld8to16(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.ld(t.reg(rs), t.disp, size=1, to=16, out=t.reg(rd, 16))


@insn("ld8s16", "disp")
def _ld8s16(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.ld(t.reg(rs), t.disp, size=1, signed=True, to=16, out=t.reg(rd, 16))


@insn("ldx", "disp")
def _ldx(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.ld(t.reg(rs), t.disp, size=8, out=t.reg(rd))


@insn("stx", "disp")
def _stx(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """Two stores, the second eight bytes further, none done unless both can be."""
    t.probe_write(t.reg(rs), 8, t.disp + 8)
    t.st(t.reg(rs), t.reg(rd), t.disp, size=8)
    t.st(t.reg(rs), t.reg(rd), t.disp + 8, size=8)


@insn("ldv", "disp")
def _ldv(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.ld(t.reg(rs), t.disp, size=16, out=t.glob(VECTOR_REGISTER, 128))


@insn("stv", "disp")
def _stv(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.st(t.reg(rs), t.glob(VECTOR_REGISTER, 128), t.disp, size=16)


@insn("ld32w", "disp")
def _ld32w(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """A load whose address wraps at 32 bits."""
    t.ld(t.reg(rs, 32), t.disp, size=4, addr_bits=32, out=t.reg(rd, 32))


@insn("addm", "disp")
def _addm(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """Read, add, write; then the flags."""
    value = t.ld(t.reg(rs), t.disp, size=8)
    total = value + t.reg(rd)
    t.st(t.reg(rs), total, t.disp, size=8)
    t.cc_record(total, t.reg(rd), ADD)


@insn("ldu", "disp")
def _ldu(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """A load through the second mmu index."""
    t.ld(t.reg(rs), t.disp, size=8, out=t.reg(rd), mmu=1)


@insn("jmp", "disp")
def _jmp(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.goto(t.pc + t.disp)


@insn("bnz", "disp")
def _bnz(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    over = t.label()
    t.brcond("eq", t.reg(rd), 0, over)
    t.goto(t.pc + t.disp)
    t.bind(over)
    t.goto(t.next_pc)


@insn("bz", "disp")
def _bz(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """Branch where the flags say zero."""
    over = t.label()
    t.brcond("eq", t.zero(), 0, over)
    t.goto(t.pc + t.disp)
    t.bind(over)
    t.goto(t.next_pc)


@insn("jr")
def _jr(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.glob(PC, 64).set(t.reg(rs))
    t.goto_ptr()


@insn("mode")
def _mode(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.glob(MODE, 64).set(t.imm)
    t.exit_loop_next()


@insn("sync")
def _sync(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.exit_loop_next()


@insn("call")
def _call(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    """``rd = helper(rs)``; the helper is the one of that number of :attr:`ToyCpu.calls`."""
    t.call(helper, t.imm, t.reg(rs), returns=64, out=t.reg(rd))


@insn("call8")
def _call8(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.call(helper, t.imm, t.reg(rs), returns=8, out=t.reg(rd, 8))


@insn("fault")
def _fault(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.call(raise_fault, t.imm, noreturn=True)


@insn("halt")
def _halt(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.call(halt)
    t.exit_loop_next()


@insn("stop")
def _stop(t: ToyBuilder, rd: int, rs: int, rt: int) -> None:
    t.call(stop)
    t.exit_loop_next()


def helper(cpu: Any, number: int, argument: int) -> int | None:
    if cpu.observe:
        cpu.called.append((number, argument, cpu.pc, cpu.executed()))
    return cpu.calls[number](argument)


def raise_fault(cpu: Any, number: int) -> None:
    raise ToyFault(3, number)


def halt(cpu: Any) -> None:
    cpu.halted = True


def stop(cpu: Any) -> None:
    cpu.stop()


# --- decoding ---------------------------------------------------------------------------------------------------------

_HEADER = Struct("<BBh")
_TAIL = {4: Struct("<i"), 8: Struct("<q")}


def _stage_of(stage: Stage, rd: int, rs: int, rt: int) -> Callable[[Any], None]:
    return lambda t: stage(t, rd, rs, rt)


class ToyDecoder:
    """A dictionary from the bytes of a shape to the shape."""

    def __init__(self) -> None:
        self.shapes: dict[bytes, tuple[Shape, int, int]] = {}

    def decode(self, code: bytes, pos: int) -> tuple[Shape, int, int]:
        found = self.shapes.get(code[pos : pos + 2])
        if found is None:
            return self._first(code, pos)
        shape, kind, tail = found
        if pos + shape.length > len(code):
            raise Truncated
        value = _TAIL[tail].unpack_from(code, pos + 4)[0] if tail else _HEADER.unpack_from(code, pos)[2]
        if kind == 1:
            return shape, value, 0
        return shape, 0, value

    def _first(self, code: bytes, pos: int) -> tuple[Shape, int, int]:
        if pos + 4 > len(code):
            raise Truncated
        number, registers, low = _HEADER.unpack_from(code, pos)
        name, stage = STAGES[number] if number < len(STAGES) else ("fault", STAGES[NUMBERS["fault"]][1])
        rd, rs = registers >> 4, registers & 15
        tail = LONG.get(name, 0)
        kind = ("imm", "disp", "rt").index(FIELD[name])
        shape_bytes = code[pos : pos + (4 if kind == 2 else 2)]
        found = self.shapes.get(shape_bytes)
        if found is None:
            shape = Shape(4 + tail, _stage_of(stage, rd, rs, low & 15), name)
            found = self.shapes[shape_bytes] = (shape, kind, tail)
        if kind == 2:
            return found[0], 0, 0
        return self.decode(code, pos)


# --- assembling -------------------------------------------------------------------------------------------------------

Line = tuple[Any, ...] | str


def assemble(lines: list[Line], origin: int) -> bytes:
    """The bytes of *lines*: ``("addi", rd, rs, imm)`` with up to three operands; a string is a label.

    Labels as last operand stand for the distance from the instruction.
    """
    places: dict[str, int] = {}
    at = origin
    for line in lines:
        if isinstance(line, str):
            places[line] = at
        else:
            at += 4 + LONG.get(line[0], 0)
    out = b""
    for line in lines:
        if isinstance(line, str):
            continue
        name, *operands = line
        rd, rs, last = [*operands, 0, 0, 0][:3]
        value = places[last] - origin - len(out) if isinstance(last, str) else last
        tail = LONG.get(name, 0)
        head = 0 if tail else (value + 0x8000 & 0xFFFF) - 0x8000
        out += _HEADER.pack(NUMBERS[name], rd << 4 | rs, head)
        if tail:
            out += (value & (1 << 8 * tail) - 1).to_bytes(tail, "little")
    return out
