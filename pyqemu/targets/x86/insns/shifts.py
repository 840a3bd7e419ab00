"""Shifts and rotates (SDM vol. 1, 5.1.5).

Counts are taken modulo 32 (64 for 64-bit operands). A count of zero changes no flag. OF is defined for a
count of 1 only; the rule for 1 is used for all counts.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from pyqemu.targets.x86.flags import SAR, SHL
from pyqemu.targets.x86.layout import CF, OF
from pyqemu.targets.x86.operands import ImmediateOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value

Count = Value | int


def shift_encodings(digit: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The encodings that all shifts and rotates share (SDM vol. 2, table A-6, group 2)."""

    def register(stage: Callable[..., None]) -> Callable[..., None]:
        op(f"C0 /{digit}", "Eb Ib", literal=True)(stage)
        op(f"C1 /{digit}", "Ev Ib", literal=True)(stage)
        op(f"D0 /{digit}", "Eb 1")(stage)
        op(f"D1 /{digit}", "Ev 1")(stage)
        op(f"D2 /{digit}", "Eb CL")(stage)
        op(f"D3 /{digit}", "Ev CL")(stage)
        return stage

    return register


def _count(t: X86Translator, operand: Operand, bits: int, width: int) -> Count:
    """Return the masked count: an integer, or a value of `width` bits."""
    mask = 63 if bits == 64 else 31
    if isinstance(operand, ImmediateOperand):
        return int(operand) & mask
    return t.rcx(8).zext(width) & mask


def _unless_zero(t: X86Translator, count: Count) -> AbstractContextManager[None]:
    """The ``with`` block runs only if `count` is not zero."""
    return t.if_("ne", count, 0) if isinstance(count, Value) else nullcontext()


def _width(bits: int) -> int:
    """Return the width to compute in: counts up to 31 must not wrap."""
    return max(bits, 32)


def _shift(
    t: X86Translator, dst: Operand, src: Operand, shift: Callable[..., Value], operation: int, *, signed: bool = False
) -> None:
    bits = dst.bits
    count = _count(t, src, bits, _width(bits))
    before = t.extend(dst.modify(), _width(bits), signed=signed)
    if isinstance(count, int) and count == 0:
        dst.set(before.low(bits))
        return
    last = shift(before, count - 1).low(bits) if t.flags_live else None
    result = shift(before, count).low(bits)
    dst.set(result)
    with _unless_zero(t, count):
        t.record(operation, result, last or 0)


@shift_encodings(4)
@shift_encodings(6)
def shl(t: X86Translator, dst: Operand, src: Operand) -> None:
    """SHL, SAL."""
    _shift(t, dst, src, t.shl, SHL)


@shift_encodings(5)
def shr(t: X86Translator, dst: Operand, src: Operand) -> None:
    """SHR."""
    _shift(t, dst, src, t.shr, SAR)


@shift_encodings(7)
def sar(t: X86Translator, dst: Operand, src: Operand) -> None:
    """SAR."""
    _shift(t, dst, src, t.sar, SAR, signed=True)


# --- rotates ----------------------------------------------------------------------------------------------------------


def _set_carry_and_overflow(t: X86Translator, carry: Value, overflow: Value) -> None:
    """CF and OF = bit 0 of `carry` and `overflow` (32 bits); the other flags stay."""
    image = t.flags.image() & ~(CF | OF)
    t.set_flags(image | (carry & 1) | (overflow & 1).shl(11))


@shift_encodings(0)
def rol(t: X86Translator, dst: Operand, src: Operand) -> None:
    """ROL: CF is the bit that came around, OF = CF ^ top bit of the result."""
    _rotate(t, dst, src, t.rotl, lambda r: (r, r.shr(dst.bits - 1)))


@shift_encodings(1)
def ror(t: X86Translator, dst: Operand, src: Operand) -> None:
    """ROR: CF is the bit that came around, OF = CF ^ second bit of the result."""
    _rotate(t, dst, src, t.rotr, lambda r: (r.shr(dst.bits - 1), r.shr(dst.bits - 2)))


def _rotate(
    t: X86Translator,
    dst: Operand,
    src: Operand,
    rotate: Callable[..., Value],
    carry_and_other: Callable[[Value], tuple[Value, Value]],
) -> None:
    bits = dst.bits
    count = _count(t, src, bits, bits)
    if isinstance(count, int) and count == 0:
        dst.set(dst.modify())
        return
    result = rotate(dst.modify(), count)
    dst.set(result)
    if not t.flags_live:
        return
    with _unless_zero(t, count):
        carry, other = (_low32(t, value) for value in carry_and_other(result))
        _set_carry_and_overflow(t, carry, carry ^ other)


def _low32(t: X86Translator, value: Value) -> Value:
    """Return `value` cut or zero-extended to 32 bits."""
    return value.zext(32) if value.bits < 32 else value.low(32)


@shift_encodings(2)
def rcl(t: X86Translator, dst: Operand, src: Operand) -> None:
    """RCL: rotate through CF."""
    _rotate_through_carry(t, dst, src, left=True)


@shift_encodings(3)
def rcr(t: X86Translator, dst: Operand, src: Operand) -> None:
    """RCR: rotate through CF."""
    _rotate_through_carry(t, dst, src, left=False)


def _rotate_through_carry(t: X86Translator, dst: Operand, src: Operand, *, left: bool) -> None:
    """With n = count mod (bits + 1), computed in 64 bits. ``>> 1 >> (bits - n)``: a shift by 64 would be one by 0."""
    bits = dst.bits
    count = _count(t, src, bits, 64)
    if bits < 32:
        count = t.remu(count, bits + 1) if isinstance(count, Value) else count % (bits + 1)
    carry_in = t.flags.carry(32).low(64)
    before = dst.modify().zext(64)
    if isinstance(count, int) and count == 0:
        dst.set(before.low(bits))
        return
    rest = bits - count if isinstance(count, int) else -count + bits
    if left:
        out = before.shr(rest)
        after = before.shl(count) | carry_in.shl(count - 1) | before.shr(1).shr(rest)
    else:
        out = before.shr(count - 1)
        after = before.shr(count) | carry_in.shl(rest) | before.shl(1).shl(rest)
    overflow = (before ^ after).shr(bits - 1)
    if isinstance(count, Value):
        after = t.movcond("ne", count, 0, after, before, t.temp(64))
    dst.set(after.low(bits))
    if t.flags_live:
        with _unless_zero(t, count):
            _set_carry_and_overflow(t, out.low(32), overflow.low(32))


# --- double shifts ----------------------------------------------------------------------------------------------------


@op("0FA4", "Ev Gv Ib", literal=True)
@op("0FA5", "Ev Gv CL")
def shld(t: X86Translator, dst: Operand, src: Operand, amount: Operand) -> None:
    """SHLD."""
    _double_shift(t, dst, src, amount, left=True)


@op("0FAC", "Ev Gv Ib", literal=True)
@op("0FAD", "Ev Gv CL")
def shrd(t: X86Translator, dst: Operand, src: Operand, amount: Operand) -> None:
    """SHRD."""
    _double_shift(t, dst, src, amount, left=False)


def _double_shift(t: X86Translator, dst: Operand, src: Operand, amount: Operand, *, left: bool) -> None:
    bits = dst.bits
    count = _count(t, amount, bits, 64)
    before = dst.modify()
    if isinstance(count, int) and count == 0:
        dst.set(before)
        return
    if bits == 64:
        result, last = _double64(t, before, src.get(), count, left=left)
    else:
        row = _concatenated(before, src.get(), left=left)
        result, last = ((row.shl(n).shr(32) if left else row.shr(n)).low(bits) for n in (count, count - 1))
    if isinstance(count, Value):
        result = t.movcond("ne", count, 0, result, before, t.temp(bits))
    dst.set(result)
    with _unless_zero(t, count):
        t.record(SHL if left else SAR, result, last)


def _concatenated(dst: Value, src: Value, *, left: bool) -> Value:
    """Return what is shifted, in 64 bits: dst:src, src:dst, or dst:src:dst for words (counts above 16, as
    Intel does it)."""
    a, b = dst.zext(64), src.zext(64)
    if dst.bits == 16:
        return a.shl(32) | b.shl(16) | a
    return a.shl(32) | b if left else b.shl(32) | a


def _double64(t: X86Translator, dst: Value, src: Value, count: Count, *, left: bool) -> tuple[Value, Value]:
    """Return the result (right if `count` is not 0), and `dst` shifted by one less."""
    rest = 64 - count if isinstance(count, int) else -count
    if left:
        return dst.shl(count) | src.shr(rest), dst.shl(count - 1)
    return dst.shr(count) | src.shl(rest), dst.shr(count - 1)
