"""Bit and byte instructions (SDM vol. 1, 5.1.6): BT…, bit scans, POPCNT, SETcc."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.targets.x86.flags import LOGIC, SAR
from pyqemu.targets.x86.operands import ImmediateOperand, MemoryOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value


@op("0FA3", "Ev Gv")
@op("0FBA /4", "Ev Ib")
def bt(t: X86Translator, dst: Operand, src: Operand) -> None:
    """BT."""
    index = _bit_index(t, dst, src)
    _record_bit(t, dst.get().shr(index))


@op("0FAB", "Ev Gv", lock=True)
@op("0FBA /5", "Ev Ib", lock=True)
def bts(t: X86Translator, dst: Operand, src: Operand) -> None:
    """BTS."""
    _change_bit(t, dst, src, t.or_)


@op("0FB3", "Ev Gv", lock=True)
@op("0FBA /6", "Ev Ib", lock=True)
def btr(t: X86Translator, dst: Operand, src: Operand) -> None:
    """BTR."""
    _change_bit(t, dst, src, lambda value, bit: value & ~bit)


@op("0FBB", "Ev Gv", lock=True)
@op("0FBA /7", "Ev Ib", lock=True)
def btc(t: X86Translator, dst: Operand, src: Operand) -> None:
    """BTC."""
    _change_bit(t, dst, src, t.xor)


def _change_bit(t: X86Translator, dst: Operand, src: Operand, change: Callable[[Value, Value], Value]) -> None:
    index = _bit_index(t, dst, src)
    before = dst.modify()
    bit = before.shr(index)
    one = t.value(1, dst.bits)
    dst.set(change(before, one.shl(index)))
    _record_bit(t, bit)


def _bit_index(t: X86Translator, dst: Operand, src: Operand) -> Value | int:
    """Return the number of the bit; IR shifts take it modulo the width.

    With a register as index, memory is a bit string: the index, which is signed, also selects the element.
    """
    if isinstance(src, ImmediateOperand):
        return int(src) & (dst.bits - 1)
    index = src.get()
    if isinstance(dst, MemoryOperand):
        element = index.sar(dst.bits.bit_length() - 1).shl((dst.bits // 8).bit_length() - 1)
        dst.displace(element)
    return index


def _record_bit(t: X86Translator, shifted: Value) -> None:
    """CF = bit 0 of `shifted`, ZF stays: its place in the record is the same for all kinds. The rest is undefined."""
    t.cc_in  # noqa: B018 -- ZF is read
    t.cc_record(t.cc_slot(0), (shifted & 1) if t.flags_live else 0, t.kind(SAR, 64))


@op("0FBC", "Gv Ev")
def bsf(t: X86Translator, dst: Operand, src: Operand) -> None:
    """BSF: with a source of zero the destination stays, and ZF is set."""
    _scan(t, dst, src, t.ctz, 0)


@op("0FBD", "Gv Ev")
def bsr(t: X86Translator, dst: Operand, src: Operand) -> None:
    """BSR: with a source of zero the destination stays, and ZF is set."""
    _scan(t, dst, src, t.clz, src.bits - 1)


def _scan(t: X86Translator, dst: Operand, src: Operand, count: Callable[[Value], Value], mirror: int) -> None:
    source = t.mov(t.temp(src.bits), src.get())
    position = count(source)
    if mirror:
        position = position ^ mirror  # 31 - n, as n <= 31
    t.movcond("ne", source, 0, position, dst.get(), dst.get())
    t.record(LOGIC, source)


@op("F3 0FBC", "Gv Ev", feature="bmi1")
def tzcnt(t: X86Translator, dst: Operand, src: Operand) -> None:
    """TZCNT: CF = the source is zero, ZF = the result is."""
    _count(t, dst, src, t.ctz)


@op("F3 0FBD", "Gv Ev", feature="abm")
def lzcnt(t: X86Translator, dst: Operand, src: Operand) -> None:
    """LZCNT: CF = the source is zero, ZF = the result is."""
    _count(t, dst, src, t.clz)


def _count(t: X86Translator, dst: Operand, src: Operand, count: Callable[[Value], Value]) -> None:
    source = src.get()
    is_zero = t.setcond("eq", source, 0).low(dst.bits) if t.flags_live else 0
    result = count(source)
    dst.set(result)
    t.record(SAR, result, is_zero)


@op("F3 0FB8", "Gv Ev", feature="popcnt")
def popcnt(t: X86Translator, dst: Operand, src: Operand) -> None:
    """POPCNT: ZF = the source is zero, the other flags are cleared."""
    source = src.get()
    image = t.setcond("eq", source, 0).shl(6)
    dst.set(t.popcnt(source))
    t.set_flags(image)


@op("0F90+cc", "Eb")
def setcc(t: X86Translator, dst: Operand) -> None:
    """SETcc."""
    dst.set(t.flags.setcond(t.insn.opcode & 15).low(8))
