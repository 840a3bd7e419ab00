"""Parts of words: parallel addition, saturation, extension, packing, bit fields (ARM DDI 0406C.b, A5.4, A6.3.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.decode import A32, T16, T32
from pyqemu.targets.arm.insns.multiply import add_overflow, set_q_where
from pyqemu.targets.arm.modes import GE_FLAGS

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.builder import Value

THUMB2 = "thumb2"
GE_SHIFT = 16

# --- parallel addition and subtraction (A5.4.1, A5.4.2) ---------------------------------------------------------------

PLAIN, SATURATING, HALVING = "plain", "saturating", "halving"
ADD16, ASX, SAX, SUB16, ADD8, SUB8 = 0, 1, 2, 3, 4, 7
A32_KINDS = {1: (True, PLAIN), 2: (True, SATURATING), 3: (True, HALVING), 5: (False, PLAIN), 6: (False, SATURATING),
             7: (False, HALVING)}  # fmt: skip
T32_KINDS = {0: (True, PLAIN), 1: (True, SATURATING), 2: (True, HALVING), 4: (False, PLAIN), 5: (False, SATURATING),
             6: (False, HALVING)}  # fmt: skip
T32_OPERATIONS = {0: ADD8, 1: ADD16, 2: ASX, 4: SUB8, 5: SUB16, 6: SAX}
NAMES = {ADD16: "add16", ASX: "asx", SAX: "sax", SUB16: "sub16", ADD8: "add8", SUB8: "sub8"}
PREFIXES = {(True, PLAIN): "s", (True, SATURATING): "q", (True, HALVING): "sh", (False, PLAIN): "u",
            (False, SATURATING): "uq", (False, HALVING): "uh"}  # fmt: skip


def _lane(t: ArmTranslator, value: Value, at: int, bits: int, *, signed: bool) -> Value:
    """A part of a word, extended."""
    if signed:
        return value.shl(32 - bits - at).sar(32 - bits)
    return value.shr(at) & (1 << bits) - 1


def clamp(t: ArmTranslator, value: Value, low: int, high: int) -> Value:
    """A signed number, at least *low* and at most *high*."""
    out = t.temp(32)
    t.movcond("gts", value, high, high, value, out)
    return t.movcond("lts", out, low, low, out, out)


def _parallel(t: ArmTranslator, signed: bool, how: str, operation: int, Rn: int, Rm: int, Rd: int) -> None:
    bits = 8 if operation in (ADD8, SUB8) else 16
    a, b = t.reg(Rn), t.reg(Rm)
    result, greater = t.temp(32), t.temp(32)
    result.set(0)
    greater.set(0)
    for at in range(0, 32, bits):
        other = 16 - at if operation in (ASX, SAX) else at
        subtracts = operation in (SUB16, SUB8) or operation == (SAX if at else ASX)
        first = _lane(t, a, at, bits, signed=signed)
        second = _lane(t, b, other, bits, signed=signed)
        lane = first - second if subtracts else first + second
        if how == SATURATING:
            most = (1 << bits - signed) - 1
            lane = clamp(t, lane, -most - 1 if signed else 0, most)
        elif how == HALVING:
            lane = lane.sar(1)
        else:
            limit = 0 if signed or subtracts else 1 << bits
            flag = t.setcond("ges", lane, limit) * ((1 << bits // 8) - 1)
            t.or_(greater, flag.shl(GE_SHIFT + at // 8), out=greater)
        t.or_(result, (lane & (1 << bits) - 1).shl(at), out=result)
    if how == PLAIN:
        t.mov(t.glob(GE_FLAGS, 32), greater)
    t.mov(t.dest(Rd), result)


def _enter_parallel(signed: bool, how: str, a32: int, t32: int) -> None:
    def operate(operation: int) -> None:
        def parallel(t: ArmTranslator, Rn: int, Rd: int, Rm: int) -> None:
            """Parallel addition or subtraction."""
            _parallel(t, signed, how, operation, Rn, Rm, Rd)

        name = PREFIXES[signed, how] + NAMES[operation]
        A32.insn(f"0110 0 {a32:03b} Rn:4 Rd:4 xxxx {operation:03b} 1 Rm:4", feature="v6", name=name)(parallel)
        code = next(code for code, found in T32_OPERATIONS.items() if found == operation)
        T32.insn(f"111110101 {code:03b} Rn:4 1111 Rd:4 0 {t32:03b} Rm:4", feature=THUMB2, name=name)(parallel)

    for operation in NAMES:
        operate(operation)


for _a32, (_signed, _how) in A32_KINDS.items():
    _enter_parallel(_signed, _how, _a32, next(code for code, kind in T32_KINDS.items() if kind == (_signed, _how)))


@A32.insn("0110 1000 Rn:4 Rd:4 xxxx 1011 Rm:4", feature="v6")
@T32.insn("111110101 010 Rn:4 1111 Rd:4 1000 Rm:4", feature=THUMB2)
def sel(t: ArmTranslator, Rn: int, Rd: int, Rm: int) -> None:
    """SEL (A8.8.156)."""
    flags = t.glob(GE_FLAGS, 32).shr(GE_SHIFT)
    spread = (flags & 1) | (flags & 2).shl(7) | (flags & 4).shl(14) | (flags & 8).shl(21)
    mask = spread * 0xFF
    first, second = t.reg(Rn) & mask, t.and_(t.reg(Rm), ~mask)
    t.or_(first, second, out=t.dest(Rd))


# --- saturation -------------------------------------------------------------------------------------------------------


def _saturate(t: ArmTranslator, value: Value, bits: int, *, signed: bool) -> Value:
    """Cut a signed number to so many bits; Q is set where that changes it."""
    most = (1 << bits - 1) - 1 if signed else (1 << bits) - 1
    result = clamp(t, value, -most - 1 if signed else 0, most)
    set_q_where(t, result ^ value)
    return result


def _ssat(t: ArmTranslator, sat: int, Rd: int, imm5: int, sh: int, Rn: int, *, signed: bool) -> None:
    value = t.reg(Rn)
    if sh:
        value = value.sar(imm5 or 31)
    elif imm5:
        value = value.shl(imm5)
    t.mov(t.dest(Rd), _saturate(t, value, sat + signed, signed=signed))


def _ssat16(t: ArmTranslator, sat: int, Rd: int, Rn: int, *, signed: bool) -> None:
    value = t.reg(Rn)
    low = _saturate(t, value.low(16).sext(32), sat + signed, signed=signed) & 0xFFFF
    high = _saturate(t, value.sar(16), sat + signed, signed=signed).shl(16)
    t.or_(low, high, out=t.dest(Rd))


@A32.insn("0110 101 sat:5 Rd:4 imm5:5 sh:1 01 Rn:4", feature="v6")
@T32.insn("11110 x 11 00 sh:1 0 Rn:4 0 imm5[4:2] Rd:4 imm5[1:0] 0 sat:5", feature=THUMB2)
def ssat(t: ArmTranslator, sat: int, Rd: int, imm5: int, sh: int, Rn: int) -> None:
    """SSAT (A8.8.193)."""
    _ssat(t, sat, Rd, imm5, sh, Rn, signed=True)


@A32.insn("0110 111 sat:5 Rd:4 imm5:5 sh:1 01 Rn:4", feature="v6")
@T32.insn("11110 x 11 10 sh:1 0 Rn:4 0 imm5[4:2] Rd:4 imm5[1:0] 0 sat:5", feature=THUMB2)
def usat(t: ArmTranslator, sat: int, Rd: int, imm5: int, sh: int, Rn: int) -> None:
    """USAT (A8.8.266)."""
    _ssat(t, sat, Rd, imm5, sh, Rn, signed=False)


@A32.insn("0110 1010 sat:4 Rd:4 xxxx 0011 Rn:4", feature="v6")
@T32.insn("11110 x 11 00 1 0 Rn:4 0 000 Rd:4 00 00 sat:4", feature=THUMB2)
def ssat16(t: ArmTranslator, sat: int, Rd: int, Rn: int) -> None:
    """SSAT16 (A8.8.194)."""
    _ssat16(t, sat, Rd, Rn, signed=True)


@A32.insn("0110 1110 sat:4 Rd:4 xxxx 0011 Rn:4", feature="v6")
@T32.insn("11110 x 11 10 1 0 Rn:4 0 000 Rd:4 00 00 sat:4", feature=THUMB2)
def usat16(t: ArmTranslator, sat: int, Rd: int, Rn: int) -> None:
    """USAT16 (A8.8.267)."""
    _ssat16(t, sat, Rd, Rn, signed=False)


def _saturating(t: ArmTranslator, a: Value, b: Value, *, subtract: bool) -> Value:
    """``a + b`` or ``a - b``, cut to 32 bits with sign; Q is set where that changes it."""
    result = a - b if subtract else a + b
    overflow = (a ^ b) & (a ^ result) if subtract else add_overflow(t, a, b, result)
    overflow = overflow.sar(31)
    set_q_where(t, overflow)
    out = t.temp(32)
    return t.select(overflow, a.sar(31) ^ 0x7FFFFFFF, result, out)


def _qadd(t: ArmTranslator, double: int, subtract: int, Rn: int, Rd: int, Rm: int) -> None:
    """QADD, QSUB, QDADD, QDSUB (A8.8.134, A8.8.138, A8.8.136, A8.8.139)."""
    second = t.reg(Rn)
    if double:
        second = _saturating(t, second, second, subtract=False)
    t.mov(t.dest(Rd), _saturating(t, t.reg(Rm), second, subtract=bool(subtract)))


@A32.insn("0001 0 double:1 subtract:1 0 Rn:4 Rd:4 xxxx 0101 Rm:4", feature="v5e")
@T32.insn("111110101 000 Rn:4 1111 Rd:4 10 subtract:1 double:1 Rm:4", feature=THUMB2)
def qadd(t: ArmTranslator, double: int, subtract: int, Rn: int, Rd: int, Rm: int) -> None:
    """QADD, QSUB, QDADD, QDSUB."""
    _qadd(t, double, subtract, Rn, Rd, Rm)


# --- extension --------------------------------------------------------------------------------------------------------

BYTES16, BYTE, HALF = "16", "b", "h"
EXTENSIONS = ((0b1000, True, BYTES16, 2), (0b1010, True, BYTE, 4), (0b1011, True, HALF, 0),
              (0b1100, False, BYTES16, 3), (0b1110, False, BYTE, 5), (0b1111, False, HALF, 1))  # fmt: skip
"""Bits of A32, whether signed, what of, bits of T32."""


def _extended(t: ArmTranslator, Rm: int, rot: int, what: str, *, signed: bool) -> Value:
    value = t.reg(Rm)
    if rot:
        value = value.rotr(8 * rot)
    if what != BYTES16:
        return t.extend(value.low(8 if what == BYTE else 16), 32, signed=signed)
    low = t.extend(value.low(8), 32, signed=signed) & 0xFFFF
    return low | t.extend(value.shr(16).low(8), 32, signed=signed).shl(16)


def _add_extended(t: ArmTranslator, Rn: int, Rd: int, value: Value, what: str) -> None:
    if Rn == 15:
        t.mov(t.dest(Rd), value)
    elif what != BYTES16:
        t.add(t.reg(Rn), value, out=t.dest(Rd))
    else:
        base = t.reg(Rn)
        low = (base + value) & 0xFFFF
        high = ((base & 0xFFFF0000) + (value & 0xFFFF0000)) & 0xFFFF0000
        t.or_(low, high, out=t.dest(Rd))


def _enter_extension(a32: int, signed: bool, what: str, t32: int) -> None:
    def extend(t: ArmTranslator, Rn: int, Rd: int, rot: int, Rm: int) -> None:
        """SXTAB, SXTB and their like (A8.8.230 to A8.8.235, A8.8.271 to A8.8.276)."""
        _add_extended(t, Rn, Rd, _extended(t, Rm, rot, what, signed=signed), what)

    name = ("sxta" if signed else "uxta") + {BYTES16: "b16"}.get(what, what)
    A32.insn(f"0110 {a32:04b} Rn:4 Rd:4 rot:2 xx 0111 Rm:4", feature="v6", name=name)(extend)
    T32.insn(f"111110100 {t32:03b} Rn:4 1111 Rd:4 1 x rot:2 Rm:4", feature=THUMB2, name=name)(extend)


for _extension in EXTENSIONS:
    _enter_extension(*_extension)


@T16.insn("1011 0010 U:1 B:1 Rm:3 Rd:3", feature="v6", name="sxth")
def extend_thumb(t: ArmTranslator, U: int, B: int, Rm: int, Rd: int) -> None:
    """SXTH, SXTB, UXTH, UXTB."""
    t.mov(t.dest(Rd), _extended(t, Rm, 0, BYTE if B else HALF, signed=not U))


# --- packing and reversal ---------------------------------------------------------------------------------------------


@A32.insn("0110 1000 Rn:4 Rd:4 imm5:5 tb:1 01 Rm:4", feature="v6")
@T32.insn("1110101 0110 0 Rn:4 0 imm5[4:2] Rd:4 imm5[1:0] tb:1 0 Rm:4", feature=THUMB2)
def pkh(t: ArmTranslator, Rn: int, Rd: int, imm5: int, tb: int, Rm: int) -> None:
    """PKHBT, PKHTB (A8.8.125)."""
    if tb:
        t.or_(t.reg(Rn) & 0xFFFF0000, t.reg(Rm).sar(imm5 or 31) & 0xFFFF, out=t.dest(Rd))
    else:
        t.or_(t.reg(Rn) & 0xFFFF, t.reg(Rm).shl(imm5) & 0xFFFF0000, out=t.dest(Rd))


def _rev16(t: ArmTranslator, value: Value, out: Value) -> None:
    t.or_(value.shl(8) & 0xFF00FF00, value.shr(8) & 0x00FF00FF, out=out)


def _revsh(t: ArmTranslator, value: Value, out: Value) -> None:
    t.extend(t.bswap(value.low(16)), 32, signed=True, out=out)


@A32.insn("0110 1011 xxxx Rd:4 xxxx 0011 Rm:4", feature="v6")
@T32.insn("111110101 001 xxxx 1111 Rd:4 1000 Rm:4", feature=THUMB2)
@T16.insn("1011 1010 00 Rm:3 Rd:3", feature="v6")
def rev(t: ArmTranslator, Rd: int, Rm: int) -> None:
    """REV (A8.8.145)."""
    t.bswap(t.reg(Rm), out=t.dest(Rd))


@A32.insn("0110 1011 xxxx Rd:4 xxxx 1011 Rm:4", feature="v6")
@T32.insn("111110101 001 xxxx 1111 Rd:4 1001 Rm:4", feature=THUMB2)
@T16.insn("1011 1010 01 Rm:3 Rd:3", feature="v6")
def rev16(t: ArmTranslator, Rd: int, Rm: int) -> None:
    """REV16 (A8.8.146)."""
    _rev16(t, t.reg(Rm), t.dest(Rd))


@A32.insn("0110 1111 xxxx Rd:4 xxxx 1011 Rm:4", feature="v6")
@T32.insn("111110101 001 xxxx 1111 Rd:4 1011 Rm:4", feature=THUMB2)
@T16.insn("1011 1010 11 Rm:3 Rd:3", feature="v6")
def revsh(t: ArmTranslator, Rd: int, Rm: int) -> None:
    """REVSH (A8.8.147)."""
    _revsh(t, t.reg(Rm), t.dest(Rd))


@A32.insn("0110 1111 xxxx Rd:4 xxxx 0011 Rm:4", feature=THUMB2)
@T32.insn("111110101 001 xxxx 1111 Rd:4 1010 Rm:4", feature=THUMB2)
def rbit(t: ArmTranslator, Rd: int, Rm: int) -> None:
    """RBIT (A8.8.144)."""
    t.vec("brev32", t.reg(Rm), out=t.dest(Rd))


@A32.insn("0001 0110 xxxx Rd:4 xxxx 0001 Rm:4", feature="v5")
@T32.insn("111110101 011 xxxx 1111 Rd:4 1000 Rm:4", feature=THUMB2)
def clz(t: ArmTranslator, Rd: int, Rm: int) -> None:
    """CLZ (A8.8.33)."""
    t.clz(t.reg(Rm), out=t.dest(Rd))


# --- bit fields -------------------------------------------------------------------------------------------------------


@A32.insn("0111 110 msb:5 Rd:4 lsb:5 001 Rn:4", feature=THUMB2)
@T32.insn("11110 x 11 011 0 Rn:4 0 lsb[4:2] Rd:4 lsb[1:0] x msb:5", feature=THUMB2)
def bfi(t: ArmTranslator, msb: int, Rd: int, lsb: int, Rn: int) -> None:
    """BFI, BFC (A8.8.20, A8.8.19); an end before the begin is UNPREDICTABLE, and UNDEFINED here."""
    if msb < lsb:
        t.undefined()
        return
    mask = (1 << msb - lsb + 1) - 1 << lsb
    out = t.dest(Rd)
    rest = t.reg(Rd) & ~mask
    if Rn == 15:
        t.mov(out, rest)
    else:
        t.or_(rest, t.reg(Rn).shl(lsb) & mask, out=out)


@A32.insn("0111 1 U:1 1 widthm1:5 Rd:4 lsb:5 101 Rn:4", feature=THUMB2)
@T32.insn("11110 x 11 U:1 10 0 Rn:4 0 lsb[4:2] Rd:4 lsb[1:0] x widthm1:5", feature=THUMB2)
def sbfx(t: ArmTranslator, U: int, widthm1: int, Rd: int, lsb: int, Rn: int) -> None:
    """SBFX, UBFX (A8.8.164, A8.8.246); a field that ends outside is UNPREDICTABLE, and UNDEFINED here."""
    if lsb + widthm1 > 31:
        t.undefined()
        return
    raised = t.reg(Rn).shl(31 - lsb - widthm1)
    (t.shr if U else t.sar)(raised, 31 - widthm1, out=t.dest(Rd))
