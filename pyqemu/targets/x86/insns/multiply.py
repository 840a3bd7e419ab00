"""Multiplication and division (SDM vol. 1, 5.1.2), and the BCD adjustments (5.1.3).

SF, ZF, AF and PF after a multiplication are undefined; here they are those of the low half, AF is 0. After a
division all flags are undefined and left alone.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.flags import LOGIC, MUL
from pyqemu.targets.x86.layout import AF, CF, EXC_DE, M64, PF, SF, ZF
from pyqemu.targets.x86.operands import ImmediateOperand, Operand, Source
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.builder import Value


def signed(value: int, bits: int) -> int:
    """Return the two's complement value of the low `bits` bits of `value`."""
    half = 1 << bits - 1
    return (value & (half * 2 - 1) ^ half) - half


@op("F6 /4", "Eb")
@op("F7 /4", "Ev")
def mul(t: X86Translator, src: Operand) -> None:
    """MUL: CF = OF = the high half is not zero."""
    bits = src.bits
    if bits < 32:
        product = t.rax(bits).zext(32) * src.get().zext(32)
        low, high = product.low(bits), product.shr(bits).low(bits)
    else:
        low, high = t.mulu2(t.rax(bits), src.get())
    _set_product(t, low, high)
    _record(t, low, ("ne", high, 0))


@op("F6 /5", "Eb")
@op("F7 /5", "Ev")
def imul(t: X86Translator, src: Operand) -> None:
    """IMUL, one operand: CF = OF = the product is not the sign-extended low half."""
    bits = src.bits
    if bits < 32:
        product = t.rax(bits).sext(32) * src.get().sext(32)
        low, high = product.low(bits), product.shr(bits).low(bits)
    else:
        low, high = t.muls2(t.rax(bits), src.get())
    _set_product(t, low, high)
    _record(t, low, ("ne", high, low.sar(bits - 1)) if t.flags_live else ("eq", high, 0))


def _set_product(t: X86Translator, low: Value, high: Value) -> None:
    t.rax(low.bits).set(low)
    (t.ah() if low.bits == 8 else t.rdx(low.bits)).set(high)


def _record(t: X86Translator, low: Value, overflow: tuple[str, Value, Value | int]) -> None:
    t.record(MUL, low, t.setcond(*overflow).low(low.bits) if t.flags_live else 0)


@op("0FAF", "Gv Ev")
def imul2(t: X86Translator, dst: Operand, src: Operand) -> None:
    """IMUL Gv, Ev."""
    _truncating_multiply(t, dst, dst.get(), src.get())


@op("69", "Gv Ev Iz")
@op("6B", "Gv Ev Ib")
def imul3(t: X86Translator, dst: Operand, a: Operand, b: Operand) -> None:
    """IMUL Gv, Ev, imm."""
    _truncating_multiply(t, dst, a.get(), b.source)


def _truncating_multiply(t: X86Translator, dst: Operand, a: Value, b: Source) -> None:
    """``dst`` = low half of the signed product; CF = OF = it does not fit."""
    bits = dst.bits
    if not t.flags_live:
        t.mul(a, b, out=dst.get())
        t.record(MUL, dst.get())
    elif bits == 64:
        low, high = t.muls2(a, b)
        dst.set(low)
        _record(t, low, ("ne", high, low.sar(63)))
    else:
        wide = a.sext(2 * bits) * (b.sext(2 * bits) if isinstance(b, Value) else b)
        low = wide.low(bits)
        dst.set(low)
        _record(t, low, ("ne", low.sext(2 * bits), wide))


# --- division ---------------------------------------------------------------------------------------------------------


@op("F6 /6", "Eb")
@op("F7 /6", "Ev")
def div(t: X86Translator, src: Operand) -> None:
    """DIV: #DE if the divisor is 0 or the quotient does not fit, that is if the high half is not below the divisor."""
    divisor = src.get()
    bits = src.bits
    high = t.ah() if bits == 8 else t.rdx(bits)
    with t.if_("geu", high, divisor):
        t.fault(EXC_DE)
    if bits == 64:
        _divide_wide(t, divisor, high, 0, divide_unsigned, t.divu, t.remu)
        return
    dividend, wide = _dividend(t, bits), divisor.zext(64 if bits == 32 else 32)
    _set_quotient(t, bits, t.divu(dividend, wide), t.remu(dividend, wide))


@op("F6 /7", "Eb")
@op("F7 /7", "Ev")
def idiv(t: X86Translator, src: Operand) -> None:
    """IDIV: #DE if the divisor is 0 or the quotient does not fit."""
    divisor = t.mov(t.temp(src.bits), src.get())
    bits = src.bits
    with t.if_("eq", divisor, 0):
        t.fault(EXC_DE)
    if bits == 64:
        _check_smallest(t, t.rax(), divisor, t.rdx() ^ -1)
        _divide_wide(t, divisor, t.rdx(), t.rax().sar(63), divide_signed, t.divs, t.rems)
        return
    dividend = _dividend(t, bits)
    if bits == 8:
        dividend = dividend.low(16).sext(32)
    elif bits == 16:
        dividend = dividend.sext(64)  # in 64 bits nothing overflows
    else:
        _check_smallest(t, dividend, divisor.sext(64), None)
    wide = divisor.sext(dividend.bits)
    quotient = t.divs(dividend, wide)
    with t.if_("ne", quotient.low(bits).sext(quotient.bits), quotient):
        t.fault(EXC_DE)
    _set_quotient(t, bits, quotient, t.rems(dividend, wide))


def _check_smallest(t: X86Translator, dividend: Value, divisor: Value, high: Value | None) -> None:
    """#DE for the one 64-bit division that overflows, -2**63 / -1; `high` is zero if the dividend's high half is -1."""
    differs = (dividend ^ (1 << 63)) | ~divisor
    with t.if_("eq", differs if high is None else differs | high, 0):
        t.fault(EXC_DE)


def _dividend(t: X86Translator, bits: int) -> Value:
    """Return rDX:rAX (AX for bytes) in one slot of 32 or 64 bits."""
    match bits:
        case 8:
            return t.rax(16).zext(32)
        case 16:
            return t.rdx(16).zext(32).shl(16) | t.rax(16).zext(32)
        case _:
            return t.rdx(32).zext(64).shl(32) | t.rax(32).zext(64)


def _set_quotient(t: X86Translator, bits: int, quotient: Value, remainder: Value) -> None:
    t.rax(bits).set(quotient.low(bits))
    (t.ah() if bits == 8 else t.rdx(bits)).set(remainder.low(bits))


def _divide_wide(
    t: X86Translator,
    divisor: Value,
    high: Value,
    usual: Value | int,
    helper: Callable[[X86Cpu, int], None],
    divide: Callable[..., Value],
    remain: Callable[..., Value],
) -> None:
    """128 by 64 bits: natively if the high half only extends the low one, else by `helper`."""
    divisor = t.mov(t.temp(64), divisor)
    done, hard = t.label(), t.label()
    t.brcond("ne", high, usual, hard)
    quotient, remainder = divide(t.rax(), divisor), remain(t.rax(), divisor)
    t.rax().set(quotient)
    t.rdx().set(remainder)
    t.br(done)
    t.bind(hard)
    t.call(helper, divisor)
    t.bind(done)


def divide_unsigned(cpu: X86Cpu, divisor: int) -> None:
    """RDX:RAX by `divisor`; the quotient is known to fit."""
    cpu.rax, cpu.rdx = divmod(cpu.rdx << 64 | cpu.rax, divisor)


def divide_signed(cpu: X86Cpu, divisor: int) -> None:
    """RDX:RAX by `divisor`, signed, rounding to zero.

    :raise X86Exception: #DE, the quotient does not fit.
    """
    dividend, number = signed(cpu.rdx << 64 | cpu.rax, 128), signed(divisor, 64)
    quotient = abs(dividend) // abs(number)
    if (dividend < 0) != (number < 0):
        quotient = -quotient
    if not -(1 << 63) <= quotient < 1 << 63:
        raise X86Exception(EXC_DE)
    cpu.rdx = dividend - quotient * number & M64
    cpu.rax = quotient & M64


# --- BCD --------------------------------------------------------------------------------------------------------------


def _result_flags(al: int) -> int:
    """Return SF, ZF and PF of a byte."""
    return (al & 0x80 and SF) | (not al and ZF) | (not al.bit_count() & 1 and PF)


def adjust_decimal(cpu: X86Cpu, ax: int, image: int, subtract: int) -> int:
    """DAA and DAS: return the new AX, and the new flags from bit 16."""
    al, flags = ax & 0xFF, 0
    high = al > 0x99 or image & CF
    if al & 15 > 9 or image & AF:
        borrow = subtract and al < 6
        al = al - 6 if subtract else al + 6
        flags |= AF | (CF if borrow else 0)
    if high:
        al = al - 0x60 if subtract else al + 0x60
        flags |= CF
    al &= 0xFF
    return ax & 0xFF00 | al | (flags | _result_flags(al)) << 16


def adjust_ascii(cpu: X86Cpu, ax: int, image: int, subtract: int) -> int:
    """AAA and AAS: return the new AX, and the new flags from bit 16."""
    flags = 0
    if ax & 15 > 9 or image & AF:
        ax = ax - 0x106 if subtract else ax + 0x106
        flags = AF | CF
    ax &= 0xFF0F
    return ax | (flags | _result_flags(ax & 0xFF)) << 16


def _adjust(t: X86Translator, helper: Callable[[X86Cpu, int, int, int], int], subtract: int) -> None:
    packed = t.call(helper, t.rax(16), t.flags.image(), subtract, returns=32)
    assert packed is not None
    t.rax(16).set(packed.low(16))
    t.set_flags(packed.shr(16))


@op("27", no64=True)
def daa(t: X86Translator) -> None:
    """DAA. OF is undefined."""
    _adjust(t, adjust_decimal, 0)


@op("2F", no64=True)
def das(t: X86Translator) -> None:
    """DAS. OF is undefined."""
    _adjust(t, adjust_decimal, 1)


@op("37", no64=True)
def aaa(t: X86Translator) -> None:
    """AAA. OF, SF, ZF, PF are undefined."""
    _adjust(t, adjust_ascii, 0)


@op("3F", no64=True)
def aas(t: X86Translator) -> None:
    """AAS. OF, SF, ZF, PF are undefined."""
    _adjust(t, adjust_ascii, 1)


@op("D4", "Ib", no64=True)
def aam(t: X86Translator, base: ImmediateOperand) -> None:
    """AAM: AH, AL = AL / base, AL mod base. OF, AF, CF are undefined."""
    divisor = int(base) & 0xFF
    if divisor == 0:
        t.fault(EXC_DE)
        return
    al = t.rax(8).zext(32)
    quotient, remainder = t.divu(al, divisor), t.remu(al, divisor)
    t.ah().set(quotient.low(8))
    t.rax(8).set(remainder.low(8))
    t.record(LOGIC, remainder.low(8))


@op("D5", "Ib", no64=True)
def aad(t: X86Translator, base: ImmediateOperand) -> None:
    """AAD: AL = AH * base + AL, AH = 0. OF, AF, CF are undefined."""
    al = t.ah() * base.source + t.rax(8)
    t.rax(16).set(al.zext(16))
    t.record(LOGIC, al)
