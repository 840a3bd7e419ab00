"""Data processing of registers: logic, addition and subtraction, conditions (ARM DDI 0487A.f, C4.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.layout import C, N, V, Z
from pyqemu.targets.aarch64.operands import add_with_carry, carries, extended, shifted, width
from pyqemu.targets.arm.flags import ADD, AL, CARRY, LOGIC, SUB, compute, kind
from pyqemu.tcg.builder import Builder, Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.tcg.hole import Hole

Combine = Callable[[Any, Value, Value, Value], Value]

# --- logic ------------------------------------------------------------------------------------------------------------


def _logical(t: A64Translator, combine: Combine, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int,
             *, invert: bool = False) -> None:  # fmt: skip
    second = shifted(t, sf, Rm, shift, imm6)
    if second is None:
        t.undefined()
        return
    combine(t, t.reg(Rn, width(sf)), ~second if invert else second, t.dest(Rd, width(sf)))


@A64.insn("sf:1 00 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5")
def and_register(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """AND (shifted register)."""
    _logical(t, Builder.and_, sf, shift, Rm, imm6, Rn, Rd)


@A64.insn("sf:1 00 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5")
def bic(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """BIC (shifted register)."""
    _logical(t, Builder.and_, sf, shift, Rm, imm6, Rn, Rd, invert=True)


@A64.insn("sf:1 01 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5")
def orr_register(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """ORR (shifted register), MOV."""
    if Rn == 31 and not imm6:
        t.dest(Rd, width(sf)).set(t.reg(Rm, width(sf)))
    else:
        _logical(t, Builder.or_, sf, shift, Rm, imm6, Rn, Rd)


@A64.insn("sf:1 01 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5")
def orn(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """ORN (shifted register), MVN."""
    if Rn == 31 and not imm6:
        t.not_(t.reg(Rm, width(sf)), out=t.dest(Rd, width(sf)))
    else:
        _logical(t, Builder.or_, sf, shift, Rm, imm6, Rn, Rd, invert=True)


@A64.insn("sf:1 10 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5")
def eor_register(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """EOR (shifted register)."""
    _logical(t, Builder.xor, sf, shift, Rm, imm6, Rn, Rd)


@A64.insn("sf:1 10 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5")
def eon(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """EON (shifted register)."""
    _logical(t, Builder.xor, sf, shift, Rm, imm6, Rn, Rd, invert=True)


def _and_flags(t: A64Translator, a: Value, b: Value, out: Value) -> Value:
    return t.and_cc(a, b, kind(LOGIC, a.bits), out=out)


@A64.insn("sf:1 11 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5")
def ands_register(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """ANDS (shifted register), TST."""
    _logical(t, _and_flags, sf, shift, Rm, imm6, Rn, Rd)


@A64.insn("sf:1 11 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5")
def bics(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """BICS (shifted register)."""
    _logical(t, _and_flags, sf, shift, Rm, imm6, Rn, Rd, invert=True)


# --- addition and subtraction, shifted register -----------------------------------------------------------------------


def _arithmetic(t: A64Translator, combine: Combine, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    second = shifted(t, sf, Rm, shift, imm6) if shift < 3 else None
    if second is None:
        t.undefined()
    else:
        combine(t, t.reg(Rn, width(sf)), second, t.dest(Rd, width(sf)))


def _add_flags(t: A64Translator, a: Value, b: Value, out: Value) -> Value:
    return t.add_cc(a, b, kind(ADD, a.bits), out=out)


def _sub_flags(t: A64Translator, a: Value, b: Value, out: Value) -> Value:
    return t.sub_cc(a, b, kind(SUB, a.bits), out=out)


@A64.insn("sf:1 0 0 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5")
def add_shifted(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """ADD (shifted register)."""
    bits = width(sf)
    if shift == 0 and 0 < imm6 < 4:
        t.lea(t.reg(Rn, bits), t.reg(Rm, bits), imm6, 0, bits, out=t.dest(Rd, bits))
    else:
        _arithmetic(t, Builder.add, sf, shift, Rm, imm6, Rn, Rd)


@A64.insn("sf:1 0 1 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5")
def adds_shifted(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """ADDS (shifted register), CMN."""
    _arithmetic(t, _add_flags, sf, shift, Rm, imm6, Rn, Rd)


@A64.insn("sf:1 1 0 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5")
def sub_shifted(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """SUB (shifted register), NEG."""
    _arithmetic(t, Builder.sub, sf, shift, Rm, imm6, Rn, Rd)


@A64.insn("sf:1 1 1 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5")
def subs_shifted(t: A64Translator, sf: int, shift: int, Rm: int, imm6: int, Rn: int, Rd: int) -> None:
    """SUBS (shifted register), CMP, NEGS."""
    _arithmetic(t, _sub_flags, sf, shift, Rm, imm6, Rn, Rd)


# --- addition and subtraction, extended register ----------------------------------------------------------------------


def _extended_second(t: A64Translator, sf: int, Rm: int, option: int, imm3: int) -> Value | None:
    if imm3 > 4:
        t.undefined()
        return None
    return extended(t, width(sf), Rm, option, imm3)


@A64.insn("sf:1 0 0 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5")
def add_extended(t: A64Translator, sf: int, Rm: int, option: int, imm3: int, Rn: int, Rd: int) -> None:
    """ADD (extended register)."""
    if second := _extended_second(t, sf, Rm, option, imm3):
        t.add(t.reg_sp(Rn, width(sf)), second, out=t.reg_sp(Rd, width(sf)))


@A64.insn("sf:1 0 1 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5")
def adds_extended(t: A64Translator, sf: int, Rm: int, option: int, imm3: int, Rn: int, Rd: int) -> None:
    """ADDS (extended register), CMN."""
    if second := _extended_second(t, sf, Rm, option, imm3):
        _add_flags(t, t.reg_sp(Rn, width(sf)), second, t.dest(Rd, width(sf)))


@A64.insn("sf:1 1 0 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5")
def sub_extended(t: A64Translator, sf: int, Rm: int, option: int, imm3: int, Rn: int, Rd: int) -> None:
    """SUB (extended register)."""
    if second := _extended_second(t, sf, Rm, option, imm3):
        t.sub(t.reg_sp(Rn, width(sf)), second, out=t.reg_sp(Rd, width(sf)))


@A64.insn("sf:1 1 1 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5")
def subs_extended(t: A64Translator, sf: int, Rm: int, option: int, imm3: int, Rn: int, Rd: int) -> None:
    """SUBS (extended register), CMP."""
    if second := _extended_second(t, sf, Rm, option, imm3):
        _sub_flags(t, t.reg_sp(Rn, width(sf)), second, t.dest(Rd, width(sf)))


# --- with carry -------------------------------------------------------------------------------------------------------


@A64.insn("sf:1 0 S:1 11010000 Rm:5 000000 Rn:5 Rd:5")
def adc(t: A64Translator, sf: int, S: int, Rm: int, Rn: int, Rd: int) -> None:
    """ADC, ADCS."""
    bits = width(sf)
    add_with_carry(t, t.reg(Rn, bits), t.reg(Rm, bits), t.dest(Rd, bits), set_flags=bool(S))


@A64.insn("sf:1 1 S:1 11010000 Rm:5 000000 Rn:5 Rd:5")
def sbc(t: A64Translator, sf: int, S: int, Rm: int, Rn: int, Rd: int) -> None:
    """SBC, SBCS, NGC, NGCS."""
    bits = width(sf)
    add_with_carry(t, t.reg(Rn, bits), ~t.reg(Rm, bits), t.dest(Rd, bits), set_flags=bool(S))


# --- conditional comparison -------------------------------------------------------------------------------------------


def _records(operation: int) -> dict[int, tuple[int, int]]:
    """Result and source of records of ADD or SUB that have given flags (N Z C V as four bits), where there are such.

    Numbers are signed, and -8 and 7 stand for the least and the greatest of any width.
    """
    found: dict[int, tuple[int, int]] = {}
    for result in (-8, -2, -1, 0, 1, 3, 7):
        for source in (-8, -7, -2, -1, 0, 1, 2):
            nzcv = compute(kind(operation, 32), _widened(result, 32), _widened(source, 32)) >> 28
            found.setdefault(nzcv, (result, source))
    return found


def _widened(number: int, bits: int) -> int:
    """A number of four bits: those that are at an end of the range stay there."""
    least = -(1 << bits - 1)
    wide = least + number + 8 if number < -4 else number + -least - 8 if number > 4 else number
    return wide & (1 << bits) - 1


RECORDS = {operation: _records(operation) for operation in (ADD, SUB)}


def _conditional(t: A64Translator, a: Value, b: Value, cond: int, nzcv: int, *, subtract: bool) -> None:
    """Compare where the condition holds, else set the flags to *nzcv*.

    Both ways leave a record of the same kind, so that whoever looks at the flags knows it: that of the comparison,
    where it can have these flags at all; else one of carries, which can say everything but N and Z at once.
    """
    bits = a.bits
    if cond >= AL:
        (_sub_flags if subtract else _add_flags)(t, a, b, t.temp(bits))
        return
    condition = t.flags.setcond(cond)
    result = a - b if subtract else a + b
    operation = SUB if subtract else ADD
    if nzcv in RECORDS[operation]:
        other, source = (_widened(number, bits) for number in RECORDS[operation][nzcv])
        t.record_either(condition, (result, b), (other, source), kind(operation, bits))
        return
    record = carries(a, ~b if subtract else b, result)
    if nzcv >> 2 == 3:
        image = _image(t, result, record)
        t.set_nzcv(t.select(condition, image, nzcv << 28, t.temp(32)))
        return
    other = 0 if nzcv & 4 else (nzcv >> 3) << bits - 1 or 1
    c, v = nzcv >> 1 & 1, nzcv & 1
    t.record_either(condition, (result, record), (other, c << bits - 1 | (c ^ v) << bits - 2), kind(CARRY, bits))


def _image(t: A64Translator, result: Value, record: Value) -> Value:
    """The flags of a result with its carries, at their places in PSTATE."""
    image = t.setcond("lts", result, 0) * N | t.setcond("eq", result, 0) * Z
    return image | t.setcond("lts", record, 0) * C | t.setcond("lts", record ^ (record + record), 0) * V


@A64.insn("sf:1 op:1 1 11010010 Rm:5 cond:4 0 0 Rn:5 0 nzcv:4", name="ccmp")
def ccmp_register(t: A64Translator, sf: int, op: int, Rm: int, cond: int, Rn: int, nzcv: int) -> None:
    """CCMP, CCMN (register)."""
    _conditional(t, t.reg(Rn, width(sf)), t.reg(Rm, width(sf)), cond, nzcv, subtract=bool(op))


@A64.insn("sf:1 op:1 1 11010010 imm:5 cond:4 1 0 Rn:5 0 nzcv:4", name="ccmp")
def ccmp_immediate(t: A64Translator, sf: int, op: int, cond: int, Rn: int, nzcv: int, imm: Hole) -> None:
    """CCMP, CCMN (immediate)."""
    _conditional(t, t.reg(Rn, width(sf)), t.value(imm, width(sf)), cond, nzcv, subtract=bool(op))


# --- conditional selection --------------------------------------------------------------------------------------------


@A64.insn("sf:1 op:1 0 11010100 Rm:5 cond:4 0 o2:1 Rn:5 Rd:5")
def csel(t: A64Translator, sf: int, op: int, Rm: int, cond: int, o2: int, Rn: int, Rd: int) -> None:
    """CSEL, CSINC, CSINV, CSNEG, CSET, CSETM."""
    bits, out = width(sf), t.dest(Rd, width(sf))
    if cond >= AL:
        out.set(t.reg(Rn, bits))
        return
    if Rm == Rn == 31 and op != o2:
        flag = t.flags.setcond(cond ^ 1, bits)
        if op:
            t.neg(flag, out=out)
        else:
            t.mov(out, flag)
        return
    other = t.reg(Rm, bits)
    if op:
        other = -other if o2 else ~other
    elif o2:
        other = other + 1
    t.movcond(*t.flags.condition(cond), t.reg(Rn, bits), other, out)
