"""Operands of A32 and Thumb instructions: shifted registers and expanded immediates (ARM DDI 0406C.b, A8.4, A5.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.flags import CARRY, kind

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.builder import Value

M32 = (1 << 32) - 1
LSL, LSR, ASR, ROR = range(4)


def rotated(value: int, count: int) -> int:
    """32 bits, rotated right."""
    count &= 31
    return (value >> count | value << 32 - count) & M32


def arm_immediate(rot: int, imm8: int) -> int:
    """A5.2.4, "ARMExpandImm"."""
    return rotated(imm8, 2 * rot)


def thumb_immediate(i: int, imm3: int, imm8: int) -> int:
    """A6.3.2, "ThumbExpandImm"."""
    which = i << 3 | imm3
    if which < 4:
        return imm8 * (0x1, 0x10001, 0x1000100, 0x1010101)[which]
    return rotated(0x80 | imm8 & 0x7F, which << 1 | imm8 >> 7)


def plain_immediate(i: int, imm3: int, imm8: int) -> int:
    """Twelve bits in three parts."""
    return i << 11 | imm3 << 8 | imm8


def wide_immediate(imm4: int, i: int, imm3: int, imm8: int) -> int:
    """Sixteen bits in four parts."""
    return imm4 << 12 | plain_immediate(i, imm3, imm8)


def shifted(t: ArmTranslator, Rm: int, type: int, amount: int, *,
            with_carry: bool = False) -> tuple[Value, Value | None]:  # fmt: skip
    """A register, shifted by an encoded number; and the shifter's carry, None where that is C as it was (A8.4.3)."""
    value = t.reg(Rm)
    if amount == 0:
        if type == LSL:
            return value, None
        carry = (value & 1 if type == ROR else value.shr(31)) if with_carry else None
        if type == LSR:
            return t.value(0, 32), carry
        if type == ASR:
            return value.sar(31), carry
        return value.shr(1) | t.carry().shl(31), carry
    carry = None
    if with_carry:
        carry = value.shr(32 - amount if type == LSL else amount - 1) & 1
    return (t.shl, t.shr, t.sar, t.rotr)[type](value, amount), carry


def shifted_by_register(t: ArmTranslator, Rm: int, type: int, Rs: int, *,
                        with_carry: bool = False) -> tuple[Value, Value | None]:  # fmt: skip
    """A register, shifted by the lowest byte of another one; and the shifter's carry (A8.4.3)."""
    value, count = t.reg(Rm), t.reg(Rs) & 0xFF
    if type == ROR:
        result = value.rotr(count)
        carry = result.shr(31)
    else:
        limited = t.temp(32)
        t.movcond("gtu", count, 63, 63, count, limited)
        wide, by = value.zext(64), limited.zext(64)
        if type == LSL:
            whole = wide.shl(by)
            result, carry = whole.low(32), whole.shr(32).low(32) & 1
        else:
            upper = wide.shl(32)
            whole = upper.sar(by) if type == ASR else upper.shr(by)
            result, carry = whole.shr(32).low(32), whole.shr(31).low(32) & 1
    out = t.temp(32)
    t.mov(out, result)
    if not with_carry:
        return out, None
    return out, t.select(count, carry, t.carry(), t.temp(32))


def add_with_carry(t: ArmTranslator, a: Value, b: Value, out: Value, *, set_flags: bool) -> None:
    """``a + b + C``; who subtracts inverts *b*."""
    carry = t.carry()
    if not set_flags:
        t.add(a + b, carry, out=out)
        return
    result = a + b + carry
    record = (a & b) | t.and_(a | b, ~result)
    t.cc_record(result, record, kind(CARRY, 32))
    t.mov(out, result)
