"""Binary arithmetic (SDM vol. 1, 5.1.2): ADD to CMP, INC, DEC, NEG, and XADD, CMPXCHG from the data transfers.

Register destinations use the fused operations, which compute and record flags at once. Memory destinations
store first and record afterwards, because the store may fault.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.targets.x86.flags import ADD, CARRY, DEC, INC, LOGIC, SUB
from pyqemu.targets.x86.operands import Operand, RegisterOperand, Source
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value

Plain = Callable[..., Value]


def alu_encodings(base: int, digit: int, *, lock: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The encodings that ADD, OR, ADC, SBB, AND, SUB, XOR and CMP share (SDM vol. 2, table A-2)."""

    def register(stage: Callable[..., None]) -> Callable[..., None]:
        op(f"{base:02X}", "Eb Gb", lock=lock)(stage)
        op(f"{base + 1:02X}", "Ev Gv", lock=lock)(stage)
        op(f"{base + 2:02X}", "Gb Eb")(stage)
        op(f"{base + 3:02X}", "Gv Ev")(stage)
        op(f"{base + 4:02X}", "AL Ib")(stage)
        op(f"{base + 5:02X}", "rAX Iz")(stage)
        op(f"80 /{digit}", "Eb Ib", lock=lock)(stage)
        op(f"81 /{digit}", "Ev Iz", lock=lock)(stage)
        op(f"82 /{digit}", "Eb Ib", lock=lock, no64=True)(stage)
        op(f"83 /{digit}", "Ev Ib", lock=lock)(stage)
        return stage

    return register


def _binary(t: X86Translator, dst: Operand, source: Source, operation: int, plain: Plain, fused: Plain) -> None:
    """``dst = dst op source`` with flags of kind `operation`."""
    if isinstance(dst, RegisterOperand):
        fused(dst.value, source, t.kind(operation, dst.bits), out=dst.value)
        return
    result = plain(dst.modify(), source)
    dst.set(result)
    t.record(operation, result, source)


@alu_encodings(0x00, 0)
def add(t: X86Translator, dst: Operand, src: Operand) -> None:
    """ADD."""
    _binary(t, dst, src.source, ADD, t.add, t.add_cc)


@alu_encodings(0x28, 5)
def sub(t: X86Translator, dst: Operand, src: Operand) -> None:
    """SUB."""
    _binary(t, dst, src.source, SUB, t.sub, t.sub_cc)


@alu_encodings(0x20, 4)
def and_(t: X86Translator, dst: Operand, src: Operand) -> None:
    """AND."""
    _binary(t, dst, src.source, LOGIC, t.and_, t.and_cc)


@alu_encodings(0x08, 1)
def or_(t: X86Translator, dst: Operand, src: Operand) -> None:
    """OR."""
    _binary(t, dst, src.source, LOGIC, t.or_, t.or_cc)


@alu_encodings(0x30, 6)
def xor(t: X86Translator, dst: Operand, src: Operand) -> None:
    """XOR."""
    _binary(t, dst, src.source, LOGIC, t.xor, t.xor_cc)


@alu_encodings(0x38, 7, lock=False)
def cmp(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CMP."""
    t.cmp_cc(dst.get(), src.source, t.kind(SUB, dst.bits))


@op("84", "Eb Gb")
@op("85", "Ev Gv")
@op("A8", "AL Ib")
@op("A9", "rAX Iz")
@op("F6 /0", "Eb Ib")
@op("F7 /0", "Ev Iz")
@op("F6 /1", "Eb Ib")
@op("F7 /1", "Ev Iz")
def test(t: X86Translator, dst: Operand, src: Operand) -> None:
    """TEST."""
    t.test_cc(dst.get(), src.source, t.kind(LOGIC, dst.bits))


@alu_encodings(0x10, 2)
def adc(t: X86Translator, dst: Operand, src: Operand) -> None:
    """ADC."""
    carry = t.flags.carry(dst.bits)
    a, b = _stable(t, dst.modify(), dst), t.value(_stable_source(t, src), dst.bits)
    result = a + b + carry
    dst.set(result)
    if t.flags_live:
        carries = (a & b) | ((a | b) & ~result)
        t.record(CARRY, result, carries)
    else:
        t.record(CARRY, result, result)


@alu_encodings(0x18, 3)
def sbb(t: X86Translator, dst: Operand, src: Operand) -> None:
    """SBB."""
    carry = t.flags.carry(dst.bits)
    if _same_register(dst, src):  # the idiom that spreads CF: 0 - CF
        result = -carry
        dst.set(result)
        t.record(SUB, result, carry)
        return
    a, b = _stable(t, dst.modify(), dst), t.value(_stable_source(t, src), dst.bits)
    result = a - b - carry
    dst.set(result)
    if t.flags_live:
        not_a = ~a
        borrows = (not_a & b) | ((not_a | b) & result)
        t.record(CARRY, result, borrows)
    else:
        t.record(CARRY, result, result)


def _same_register(dst: Operand, src: Operand) -> bool:
    return (
        isinstance(dst, RegisterOperand) and isinstance(src, RegisterOperand) and dst.value.offset == src.value.offset
    )


def _stable(t: X86Translator, value: Value, operand: Operand) -> Value:
    """Return `value`, copied if it is a register that the instruction writes before it reads it the last time."""
    return t.mov(t.temp(value.bits), value) if t.flags_live and isinstance(operand, RegisterOperand) else value


def _stable_source(t: X86Translator, src: Operand) -> Source:
    source = src.source
    return _stable(t, source, src) if isinstance(source, Value) else source


@op("FE /0", "Eb", lock=True)
@op("FF /0", "Ev", lock=True)
@op("40+r", "Zv", no64=True)
def inc(t: X86Translator, dst: Operand) -> None:
    """INC: CF is left alone."""
    _step(t, dst, INC, t.add)


@op("FE /1", "Eb", lock=True)
@op("FF /1", "Ev", lock=True)
@op("48+r", "Zv", no64=True)
def dec(t: X86Translator, dst: Operand) -> None:
    """DEC: CF is left alone."""
    _step(t, dst, DEC, t.sub)


def _step(t: X86Translator, dst: Operand, operation: int, plain: Plain) -> None:
    carry: Source = t.flags.carry(dst.bits) if t.flags_live else 0
    result = plain(dst.modify(), 1, dst.value if isinstance(dst, RegisterOperand) else None)
    if dst.is_memory:
        dst.set(result)
    t.record(operation, result, carry)


@op("F6 /3", "Eb", lock=True)
@op("F7 /3", "Ev", lock=True)
def neg(t: X86Translator, dst: Operand) -> None:
    """NEG: flags as of 0 - dst."""
    source = t.mov(t.temp(dst.bits), dst.modify())
    result = -source
    dst.set(result)
    t.record(SUB, result, source)


@op("F6 /2", "Eb", lock=True)
@op("F7 /2", "Ev", lock=True)
def not_(t: X86Translator, dst: Operand) -> None:
    """NOT: no flags."""
    dst.set(~dst.modify())


@op("0FC0", "Eb Gb", lock=True)
@op("0FC1", "Ev Gv", lock=True)
def xadd(t: X86Translator, dst: Operand, src: Operand) -> None:
    """XADD: with one register for both, the sum wins."""
    addend = t.mov(t.temp(src.bits), src.get())
    before = t.mov(t.temp(dst.bits), dst.modify())
    result = before + addend
    if dst.is_memory:
        dst.set(result)
        src.set(before)
    else:
        src.set(before)
        dst.set(result)
    t.record(ADD, result, addend)


@op("0FB0", "Eb Gb", lock=True)
@op("0FB1", "Ev Gv", lock=True)
def cmpxchg(t: X86Translator, dst: Operand, src: Operand) -> None:
    """CMPXCHG. Memory is written in any case: with the old value if the comparison fails."""
    accumulator = t.rax(dst.bits)
    before = t.mov(t.temp(dst.bits), dst.modify())
    difference = accumulator - before
    equal = t.setcond("eq", difference, 0)
    if dst.is_memory:
        dst.set(t.select(equal, src.get(), before, t.temp(dst.bits)))
        with t.if_("eq", equal, 0):
            accumulator.set(before)
    else:
        value = t.mov(t.temp(dst.bits), src.get())
        with t.if_("eq", equal, 0):
            accumulator.set(before)
        with t.if_("ne", equal, 0):
            dst.set(value)
    t.record(SUB, difference, before)
