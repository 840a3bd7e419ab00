"""Products and quotients (ARM DDI 0406C.b, A5.2.5, A5.2.7, A5.4.4, A6.3.16, A6.3.17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.decode import A32, T32
from pyqemu.targets.arm.modes import CPSR_Q, Q_FLAG

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.builder import Value

THUMB2 = "thumb2"


def set_q_where(t: ArmTranslator, condition: Value) -> None:
    """Set Q where a number is not 0; it is never cleared."""
    slot = t.glob(Q_FLAG, 32)
    t.or_(slot, t.setcond("ne", condition, 0).shl(CPSR_Q.bit_length() - 1), out=slot)


def add_overflow(t: ArmTranslator, a: Value, b: Value, result: Value) -> Value:
    """In the top bit: whether ``a + b = result`` overflows."""
    return (a ^ result) & (b ^ result)


def add_setting_q(t: ArmTranslator, a: Value, b: Value, out: Value) -> None:
    """``a + b``; Q is set on overflow."""
    result = a + b
    set_q_where(t, add_overflow(t, a, b, result).shr(31))
    t.mov(out, result)


# --- 32 bits ----------------------------------------------------------------------------------------------------------


@A32.insn("0000 000 S:1 Rd:4 xxxx Rm:4 1001 Rn:4")
def mul(t: ArmTranslator, S: int, Rd: int, Rm: int, Rn: int) -> None:
    """MUL (A8.8.114)."""
    out = t.dest(Rd)
    t.mul(t.reg(Rn), t.reg(Rm), out=out)
    if S:
        t.set_nz(out)


@A32.insn("0000 001 S:1 Rd:4 Ra:4 Rm:4 1001 Rn:4")
def mla(t: ArmTranslator, S: int, Rd: int, Ra: int, Rm: int, Rn: int) -> None:
    """MLA (A8.8.100)."""
    out = t.dest(Rd)
    t.add(t.reg(Rn) * t.reg(Rm), t.reg(Ra), out=out)
    if S:
        t.set_nz(out)


@T32.insn("111110110 000 Rn:4 Ra:4 Rd:4 0000 Rm:4", feature=THUMB2, name="mla")
def mla_thumb(t: ArmTranslator, Rn: int, Ra: int, Rd: int, Rm: int) -> None:
    """MLA, MUL (A8.8.100, T1; A8.8.114, T2)."""
    product = t.reg(Rn) * t.reg(Rm)
    if Ra == 15:
        t.mov(t.dest(Rd), product)
    else:
        t.add(product, t.reg(Ra), out=t.dest(Rd))


@A32.insn("0000 0110 Rd:4 Ra:4 Rm:4 1001 Rn:4", feature=THUMB2)
@T32.insn("111110110 000 Rn:4 Ra:4 Rd:4 0001 Rm:4", feature=THUMB2)
def mls(t: ArmTranslator, Rd: int, Ra: int, Rm: int, Rn: int) -> None:
    """MLS (A8.8.101)."""
    t.sub(t.reg(Ra), t.reg(Rn) * t.reg(Rm), out=t.dest(Rd))


# --- 64 bits ----------------------------------------------------------------------------------------------------------


def _pair(t: ArmTranslator, RdLo: int, RdHi: int) -> Value:
    """Two registers as one number."""
    return t.reg(RdLo).zext(64) | t.reg(RdHi).zext(64).shl(32)


def _set_pair(t: ArmTranslator, RdLo: int, RdHi: int, value: Value) -> None:
    t.mov(t.dest(RdLo), value.low(32))
    t.mov(t.dest(RdHi), value.shr(32).low(32))


def _flags_of_pair(t: ArmTranslator, value: Value) -> None:
    """N is the top bit of 64, Z says that all are zero."""
    upper = value.shr(32).low(32)
    t.set_nz(upper | t.setcond("ne", value.low(32), 0) if t.flags_live else upper)


def _product(t: ArmTranslator, Rn: int, Rm: int, *, signed: bool) -> Value:
    a, b = (t.extend(t.reg(number), 64, signed=signed) for number in (Rn, Rm))
    return a * b


@A32.insn("0000 1 U:1 A:1 S:1 RdHi:4 RdLo:4 Rm:4 1001 Rn:4", name="mull")
def mull(t: ArmTranslator, U: int, A: int, S: int, RdHi: int, RdLo: int, Rm: int, Rn: int) -> None:
    """UMULL, UMLAL, SMULL, SMLAL (A8.8.257, A8.8.256, A8.8.189, A8.8.178)."""
    value = _product(t, Rn, Rm, signed=bool(U))
    if A:
        value = value + _pair(t, RdLo, RdHi)
    if S:
        _flags_of_pair(t, value)
    _set_pair(t, RdLo, RdHi, value)


@T32.insn("111110111 A:1 U:1 0 Rn:4 RdLo:4 RdHi:4 0000 Rm:4", feature=THUMB2, name="mull")
def mull_thumb(t: ArmTranslator, A: int, U: int, Rn: int, RdLo: int, RdHi: int, Rm: int) -> None:
    """The same in Thumb."""
    mull(t, 1 - U, A, 0, RdHi, RdLo, Rm, Rn)


@A32.insn("0000 0100 RdHi:4 RdLo:4 Rm:4 1001 Rn:4", feature="v6")
@T32.insn("111110111 110 Rn:4 RdLo:4 RdHi:4 0110 Rm:4", feature=THUMB2)
def umaal(t: ArmTranslator, RdHi: int, RdLo: int, Rm: int, Rn: int) -> None:
    """UMAAL (A8.8.255)."""
    value = _product(t, Rn, Rm, signed=False) + t.reg(RdLo).zext(64) + t.reg(RdHi).zext(64)
    _set_pair(t, RdLo, RdHi, value)


# --- halfwords --------------------------------------------------------------------------------------------------------


def _half(t: ArmTranslator, number: int, top: int) -> Value:
    """A halfword of a register, with its sign."""
    value = t.reg(number)
    return value.sar(16) if top else value.low(16).sext(32)


@A32.insn("0001 0000 Rd:4 Ra:4 Rm:4 1 M:1 N:1 0 Rn:4", feature="v5e")
def smlaxy(t: ArmTranslator, Rd: int, Ra: int, Rm: int, M: int, N: int, Rn: int) -> None:
    """SMLABB and its like (A8.8.176)."""
    add_setting_q(t, _half(t, Rn, N) * _half(t, Rm, M), t.reg(Ra), t.dest(Rd))


@A32.insn("0001 0110 Rd:4 xxxx Rm:4 1 M:1 N:1 0 Rn:4", feature="v5e")
def smulxy(t: ArmTranslator, Rd: int, Rm: int, M: int, N: int, Rn: int) -> None:
    """SMULBB and its like (A8.8.188)."""
    t.mul(_half(t, Rn, N), _half(t, Rm, M), out=t.dest(Rd))


@T32.insn("111110110 001 Rn:4 Ra:4 Rd:4 00 N:1 M:1 Rm:4", feature=THUMB2, name="smlaxy")
def smlaxy_thumb(t: ArmTranslator, Rn: int, Ra: int, Rd: int, N: int, M: int, Rm: int) -> None:
    """SMLABB, SMULBB and their like."""
    if Ra == 15:
        smulxy(t, Rd, Rm, M, N, Rn)
    else:
        smlaxy(t, Rd, Ra, Rm, M, N, Rn)


def _word_by_half(t: ArmTranslator, Rn: int, Rm: int, top: int) -> Value:
    """The upper 32 of the 48 bits of a product."""
    return (t.reg(Rn).sext(64) * _half(t, Rm, top).sext(64)).sar(16).low(32)


@A32.insn("0001 0010 Rd:4 Ra:4 Rm:4 1 M:1 0 0 Rn:4", feature="v5e")
def smlaw(t: ArmTranslator, Rd: int, Ra: int, Rm: int, M: int, Rn: int) -> None:
    """SMLAWB, SMLAWT (A8.8.181)."""
    add_setting_q(t, _word_by_half(t, Rn, Rm, M), t.reg(Ra), t.dest(Rd))


@A32.insn("0001 0010 Rd:4 xxxx Rm:4 1 M:1 1 0 Rn:4", feature="v5e")
def smulw(t: ArmTranslator, Rd: int, Rm: int, M: int, Rn: int) -> None:
    """SMULWB, SMULWT (A8.8.190)."""
    t.mov(t.dest(Rd), _word_by_half(t, Rn, Rm, M))


@T32.insn("111110110 011 Rn:4 Ra:4 Rd:4 000 M:1 Rm:4", feature=THUMB2, name="smlaw")
def smlaw_thumb(t: ArmTranslator, Rn: int, Ra: int, Rd: int, M: int, Rm: int) -> None:
    """SMLAWB, SMULWB and their like."""
    if Ra == 15:
        smulw(t, Rd, Rm, M, Rn)
    else:
        smlaw(t, Rd, Ra, Rm, M, Rn)


@A32.insn("0001 0100 RdHi:4 RdLo:4 Rm:4 1 M:1 N:1 0 Rn:4", feature="v5e")
@T32.insn("111110111 100 Rn:4 RdLo:4 RdHi:4 10 N:1 M:1 Rm:4", feature=THUMB2)
def smlalxy(t: ArmTranslator, RdHi: int, RdLo: int, Rm: int, M: int, N: int, Rn: int) -> None:
    """SMLALBB and its like (A8.8.179)."""
    product = (_half(t, Rn, N) * _half(t, Rm, M)).sext(64)
    _set_pair(t, RdLo, RdHi, product + _pair(t, RdLo, RdHi))


# --- two products -----------------------------------------------------------------------------------------------------


def _dual(t: ArmTranslator, Rn: int, Rm: int, M: int) -> tuple[Value, Value]:
    """The products of the lower and of the upper halfwords; those of the second register exchanged for *M*."""
    return _half(t, Rn, 0) * _half(t, Rm, M), _half(t, Rn, 1) * _half(t, Rm, 1 - M)


@A32.insn("0111 0000 Rd:4 Ra:4 Rm:4 0 0 M:1 1 Rn:4", feature="v6")
@T32.insn("111110110 010 Rn:4 Ra:4 Rd:4 000 M:1 Rm:4", feature=THUMB2)
def smlad(t: ArmTranslator, Rd: int, Ra: int, Rm: int, M: int, Rn: int) -> None:
    """SMLAD, SMUAD (A8.8.177, A8.8.187); Q is set as if all were added at once."""
    low, high = _dual(t, Rn, Rm, M)
    total = low.sext(64) + high.sext(64)
    _accumulate_dual(t, total, Ra, Rd)


@A32.insn("0111 0000 Rd:4 Ra:4 Rm:4 0 1 M:1 1 Rn:4", feature="v6")
@T32.insn("111110110 100 Rn:4 Ra:4 Rd:4 000 M:1 Rm:4", feature=THUMB2)
def smlsd(t: ArmTranslator, Rd: int, Ra: int, Rm: int, M: int, Rn: int) -> None:
    """SMLSD, SMUSD (A8.8.182, A8.8.191)."""
    low, high = _dual(t, Rn, Rm, M)
    _accumulate_dual(t, low.sext(64) - high.sext(64), Ra, Rd)


def _accumulate_dual(t: ArmTranslator, total: Value, Ra: int, Rd: int) -> None:
    if Ra != 15:
        total = total + t.reg(Ra).sext(64)
    low = total.low(32)
    set_q_where(t, t.setcond("ne", low.sext(64), total))
    t.mov(t.dest(Rd), low)


@A32.insn("0111 0100 RdHi:4 RdLo:4 Rm:4 0 D:1 M:1 1 Rn:4", feature="v6")
def smlald(t: ArmTranslator, RdHi: int, RdLo: int, Rm: int, D: int, M: int, Rn: int) -> None:
    """SMLALD, SMLSLD (A8.8.180, A8.8.183)."""
    low, high = (value.sext(64) for value in _dual(t, Rn, Rm, M))
    _set_pair(t, RdLo, RdHi, (low - high if D else low + high) + _pair(t, RdLo, RdHi))


@T32.insn("111110111 10 D:1 Rn:4 RdLo:4 RdHi:4 110 M:1 Rm:4", feature=THUMB2, name="smlald")
def smlald_thumb(t: ArmTranslator, D: int, Rn: int, RdLo: int, RdHi: int, M: int, Rm: int) -> None:
    """The same in Thumb."""
    smlald(t, RdHi, RdLo, Rm, D, M, Rn)


# --- most significant words -------------------------------------------------------------------------------------------


def _most_significant(t: ArmTranslator, value: Value, R: int, Rd: int) -> None:
    rounded = value + (1 << 31) if R else value
    t.mov(t.dest(Rd), rounded.shr(32).low(32))


@A32.insn("0111 0101 Rd:4 Ra:4 Rm:4 00 R:1 1 Rn:4", feature="v6")
@T32.insn("111110110 101 Rn:4 Ra:4 Rd:4 000 R:1 Rm:4", feature=THUMB2)
def smmla(t: ArmTranslator, Rd: int, Ra: int, Rm: int, R: int, Rn: int) -> None:
    """SMMLA, SMMUL (A8.8.184, A8.8.186)."""
    value = _product(t, Rn, Rm, signed=True)
    _most_significant(t, value if Ra == 15 else value + t.reg(Ra).zext(64).shl(32), R, Rd)


@A32.insn("0111 0101 Rd:4 Ra:4 Rm:4 11 R:1 1 Rn:4", feature="v6")
@T32.insn("111110110 110 Rn:4 Ra:4 Rd:4 000 R:1 Rm:4", feature=THUMB2)
def smmls(t: ArmTranslator, Rd: int, Ra: int, Rm: int, R: int, Rn: int) -> None:
    """SMMLS (A8.8.185)."""
    _most_significant(t, t.reg(Ra).zext(64).shl(32) - _product(t, Rn, Rm, signed=True), R, Rd)


# --- sums of differences ----------------------------------------------------------------------------------------------


@A32.insn("0111 1000 Rd:4 Ra:4 Rm:4 0001 Rn:4", feature="v6")
@T32.insn("111110110 111 Rn:4 Ra:4 Rd:4 0000 Rm:4", feature=THUMB2)
def usada8(t: ArmTranslator, Rd: int, Ra: int, Rm: int, Rn: int) -> None:
    """USADA8, USAD8 (A8.8.263, A8.8.262)."""
    a, b = t.reg(Rn), t.reg(Rm)
    total = t.temp(32)
    total.set(0 if Ra == 15 else t.reg(Ra))
    for shift in (0, 8, 16, 24):
        difference = (a.shr(shift) & 0xFF) - (b.shr(shift) & 0xFF)
        sign = difference.sar(31)
        t.add(total, (difference ^ sign) - sign, out=total)
    t.mov(t.dest(Rd), total)


# --- quotients --------------------------------------------------------------------------------------------------------


@A32.insn("0111 0001 Rd:4 xxxx Rm:4 0001 Rn:4", feature="arm_div")
@T32.insn("111110111 001 Rn:4 xxxx Rd:4 1111 Rm:4", feature="thumb_div")
def sdiv(t: ArmTranslator, Rd: int, Rm: int, Rn: int) -> None:
    """SDIV (A8.8.165): a division by zero gives zero; of 64 bits, so that nothing overflows on the host."""
    a, b = t.reg(Rn), t.reg(Rm)
    quotient = t.temp(64)
    quotient.set(0)
    with t.if_("ne", b, 0):
        t.divs(a.sext(64), b.sext(64), out=quotient)
    t.mov(t.dest(Rd), quotient.low(32))


@A32.insn("0111 0011 Rd:4 xxxx Rm:4 0001 Rn:4", feature="arm_div")
@T32.insn("111110111 011 Rn:4 xxxx Rd:4 1111 Rm:4", feature="thumb_div")
def udiv(t: ArmTranslator, Rd: int, Rm: int, Rn: int) -> None:
    """UDIV (A8.8.248): a division by zero gives zero."""
    a, b = t.reg(Rn), t.reg(Rm)
    quotient = t.temp(32)
    quotient.set(0)
    with t.if_("ne", b, 0):
        t.divu(a, b, out=quotient)
    t.mov(t.dest(Rd), quotient)
