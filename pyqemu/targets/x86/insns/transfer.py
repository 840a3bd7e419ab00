"""Data transfer (SDM vol. 1, 5.1.1): moves, conversions, exchanges, addresses. Segment registers are in
`segments.py`."""

from __future__ import annotations

from pyqemu.targets.x86.layout import DS, EXC_GP, RAX, RDX, ZF
from pyqemu.targets.x86.operands import MemoryOperand, Operand, RegisterOperand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value


@op("88", "Eb Gb")
@op("89", "Ev Gv")
@op("8A", "Gb Eb")
@op("8B", "Gv Ev")
@op("A0", "AL Ob")
@op("A1", "rAX Ov")
@op("A2", "Ob AL")
@op("A3", "Ov rAX")
@op("B0+r", "Zb Ib")
@op("B8+r", "Zv Iv")
@op("C6 /0", "Eb Ib")
@op("C7 /0", "Ev Iz")
def mov(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOV."""
    if isinstance(src, MemoryOperand) and isinstance(dst, RegisterOperand):
        src.load(src.bits // 8, out=dst.value)
    else:
        dst.set(src.source)


@op("0FB6", "Gv Eb")
@op("0FB7", "Gv Ew")
def movzx(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVZX."""
    _extend(t, dst, src, signed=False)


@op("0FBE", "Gv Eb")
@op("0FBF", "Gv Ew")
@op("63", "Gv Ed", only64=True)
def movsx(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVSX and MOVSXD."""
    _extend(t, dst, src, signed=True)


def _extend(t: X86Translator, dst: Operand, src: Operand, *, signed: bool) -> None:
    if dst.bits <= src.bits:  # MOVZX Gw, Ew and MOVSXD Gd, Ed are plain moves
        dst.set(src.get(dst.bits))
    elif isinstance(src, MemoryOperand) and dst.bits > 16:
        src.load(src.bits // 8, to=dst.bits, signed=signed, out=dst.get())
    else:
        t.extend(src.get(), dst.bits, signed=signed, out=dst.get())


@op("0F40+cc", "Gv Ev", feature="cmov")
def cmovcc(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CMOVcc: memory is read and the upper half is cleared whether or not the condition holds."""
    condition = t.setcond(*t.flags.condition(t.insn.opcode & 15))
    t.select(condition, src.get(), dst.get(), dst.get())


@op("86", "Eb Gb", lock=True)
@op("87", "Ev Gv", lock=True)
@op("90+r", "Zv rAX")
def xchg(t: X86Translator, dst: Operand, src: Operand) -> None:
    """XCHG. 90 without REX.B is NOP, with F3 PAUSE (`control.py`)."""
    if t.insn.opcode == 0x90 and not t.insn.escape and not t.rex & 1:
        return
    before = t.mov(t.temp(dst.bits), dst.modify())
    dst.set(src.get())
    src.set(before)


@op("0FC8+r", "Zv")
def bswap(t: X86Translator, dst: Operand) -> None:
    """BSWAP. Undefined for 16 bits, where processors write zero."""
    if dst.bits == 16:
        dst.set(0)
    else:
        t.bswap(dst.get(), out=dst.get())


@op("0F38F0", "Gv Mv", feature="movbe")
@op("0F38F1", "Mv Gv", feature="movbe")
def movbe(t: X86Translator, dst: Operand, src: Operand) -> None:
    """MOVBE."""
    dst.set(t.bswap(src.get()))


@op("8D", "Gv M")
def lea(t: X86Translator, dst: Operand, src: Operand) -> None:
    """LEA: the offset, without any check."""
    assert isinstance(src, MemoryOperand)
    base, disp = t.effective_address(t.insn, out=dst.get())
    if base.offset == dst.get().offset and base.bits == dst.bits and t.insn.index >= 0 and t.insn.base >= 0:
        return  # the sum is there already
    if base.bits == dst.bits:
        t.mov(dst.get(), base) if isinstance(disp, int) and disp == 0 else t.add(base, disp, out=dst.get())
        return
    address = t.sum(base, disp)
    dst.set(address.low(dst.bits) if dst.bits < address.bits else address.zext(dst.bits))


@op("D7")
def xlat(t: X86Translator) -> None:
    """XLAT: AL = [DS:rBX + AL]."""
    width = max(t.adsize, 32)
    offset = t.rbx(width) + t.rax(8).zext(width)
    if t.adsize == 16:
        offset = offset.low(16).zext(32)
    table = TableOperand(t, offset)
    t.rax(8).set(table.get())


class TableOperand(MemoryOperand):
    """A byte at DS (which can be overridden) and a computed offset."""

    def __init__(self, t: X86Translator, offset: Value) -> None:
        super().__init__(t, 8)
        self._offset = offset, 0

    @property
    def segment(self) -> int:
        return self.t.insn.segment if self.t.insn.segment >= 0 else DS


@op("98")
def cbw(t: X86Translator) -> None:
    """CBW, CWDE, CDQE."""
    t.extend(t.rax(t.opsize // 2), t.opsize, signed=True, out=t.rax(t.opsize))


@op("99")
def cwd(t: X86Translator) -> None:
    """CWD, CDQ, CQO."""
    t.sar(t.rax(t.opsize), t.opsize - 1, out=t.rdx(t.opsize))


@op("0FC7 /1", "M", lock=True, feature="cx8")
def cmpxchg8b(t: X86Translator, dst: MemoryOperand) -> None:
    """CMPXCHG8B, and CMPXCHG16B with REX.W."""
    if not t.rex & 8:
        _compare_exchange_pair(t, dst, 4)
    elif not t.has("cx16"):
        t.raise_ud()
    else:
        base, disp = dst.address(16, write=True)
        with t.if_("ne", t.sum(base, disp) & 15, 0):
            t.fault(EXC_GP, 0)
        _compare_exchange_pair(t, dst, 8)


def _compare_exchange_pair(t: X86Translator, dst: MemoryOperand, half: int) -> None:
    """Compare rDX:rAX with memory; equal: memory = rCX:rBX, else rDX:rAX = memory. Memory is written in any case."""
    bits = 8 * half
    dst.probe(2 * half)
    low, high = dst.load(half), dst.load(half, skip=half)
    differs = (low ^ t.glob(RAX, bits)) | (high ^ t.glob(RDX, bits))
    equal = t.setcond("eq", differs, 0)
    dst.store(t.select(equal, t.rbx(bits), low, t.temp(bits)), half)
    dst.store(t.select(equal, t.rcx(bits), high, t.temp(bits)), half, skip=half)
    image = t.flags.image() if t.flags_live else equal
    with t.if_("eq", equal, 0):
        t.rax(bits).set(low)
        t.rdx(bits).set(high)
    t.set_flags((image & ~ZF) | equal.shl(6))
