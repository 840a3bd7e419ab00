"""Vector registers moved and rearranged (ARM DDI 0487A.f, C4.4.6: copy, permute, extract, table, immediates)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.layout import v
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu
    from pyqemu.targets.aarch64.translator import A64Translator

M64 = (1 << 64) - 1


def element_of(imm5: int) -> tuple[int, int] | None:
    """Index and width in bits of the element that the field ``imm5`` names; None if it names none."""
    if not imm5 & 15:
        return None
    scale = (imm5 & -imm5).bit_length() - 1
    return imm5 >> scale + 1, 8 << scale


def wide_element(t: A64Translator, number: int, index: int, bits: int, *, signed: bool = False) -> Value:
    """An element as 64 bits."""
    return t.extend(t.element(number, index, bits), 64, signed=signed)


@A64.insn("0 Q:1 0 01110000 imm5:5 0 0000 1 Rn:5 Rd:5")
def dup_element(t: A64Translator, Q: int, imm5: int, Rn: int, Rd: int) -> None:
    """DUP (element) (C6.3.31)."""
    found = element_of(imm5)
    if found is None or (found[1] == 64 and not Q):
        t.undefined()
    elif t.fp_enabled():
        t.replicate(Rd, found[1], wide_element(t, Rn, *found), whole=bool(Q))


@A64.insn("01 0 11110000 imm5:5 0 0000 1 Rn:5 Rd:5")
def dup_scalar(t: A64Translator, imm5: int, Rn: int, Rd: int) -> None:
    """DUP (element), scalar (C6.3.31)."""
    found = element_of(imm5)
    if found is None:
        t.undefined()
    elif t.fp_enabled():
        t.mov(t.v(Rd, 64), wide_element(t, Rn, *found))
        t.clear_high(Rd)


@A64.insn("0 Q:1 0 01110000 imm5:5 0 0001 1 Rn:5 Rd:5")
def dup_general(t: A64Translator, Q: int, imm5: int, Rn: int, Rd: int) -> None:
    """DUP (general) (C6.3.32)."""
    found = element_of(imm5)
    if found is None or (found[1] == 64 and not Q):
        t.undefined()
    elif t.fp_enabled():
        bits = found[1]
        t.replicate(Rd, bits, t.extend(t.reg(Rn, 64).low(bits), 64, signed=False), whole=bool(Q))


@A64.insn("0 1 0 01110000 imm5:5 0 0011 1 Rn:5 Rd:5")
def ins_general(t: A64Translator, imm5: int, Rn: int, Rd: int) -> None:
    """INS (general) (C6.3.136)."""
    found = element_of(imm5)
    if found is None:
        t.undefined()
    elif t.fp_enabled():
        t.set_element(Rd, *found, t.reg(Rn))


@A64.insn("0 1 1 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5")
def ins_element(t: A64Translator, imm5: int, imm4: int, Rn: int, Rd: int) -> None:
    """INS (element) (C6.3.135)."""
    found = element_of(imm5)
    if found is None:
        t.undefined()
    elif t.fp_enabled():
        index, bits = found
        source = imm4 >> (bits.bit_length() - 4)
        t.set_element(Rd, index, bits, wide_element(t, Rn, source, bits))


@A64.insn("0 Q:1 0 01110000 imm5:5 0 0101 1 Rn:5 Rd:5")
def smov(t: A64Translator, Q: int, imm5: int, Rn: int, Rd: int) -> None:
    """SMOV (C6.3.230)."""
    found = element_of(imm5)
    if found is None or found[1] == 64 or (found[1] == 32 and not Q):
        t.undefined()
    elif t.fp_enabled():
        index, bits = found
        t.extend(t.element(Rn, index, bits), 64 if Q else 32, signed=True, out=t.dest(Rd, 64 if Q else 32))


@A64.insn("0 Q:1 0 01110000 imm5:5 0 0111 1 Rn:5 Rd:5")
def umov(t: A64Translator, Q: int, imm5: int, Rn: int, Rd: int) -> None:
    """UMOV (C6.3.321)."""
    found = element_of(imm5)
    if found is None or (found[1] == 64) != bool(Q):
        t.undefined()
    elif t.fp_enabled():
        index, bits = found
        t.extend(t.element(Rn, index, bits), 64, signed=False, out=t.dest(Rd))


# --- immediates -------------------------------------------------------------------------------------------------------


def expanded_immediate(op: int, cmode: int, imm8: int) -> int:
    """The 64 bits that an immediate stands for (J1.3.5, "AdvSIMDExpandImm")."""
    group = cmode >> 1
    if group < 4:
        word = imm8 << 8 * group
        return word << 32 | word
    if group < 6:
        half = imm8 << 8 * (group - 4)
        return half * 0x0001_0001_0001_0001
    if group == 6:
        word = imm8 << 16 | 0xFFFF if cmode & 1 else imm8 << 8 | 0xFF
        return word << 32 | word
    if not cmode & 1:
        if not op:
            return imm8 * 0x0101_0101_0101_0101
        return sum(0xFF << 8 * bit for bit in range(8) if imm8 >> bit & 1)
    sign, rest = imm8 >> 7, imm8 & 0x3F
    if op:
        return sign << 63 | (0xFF << 54 if imm8 & 0x40 else 1 << 62) | rest << 48
    word = sign << 31 | (0x1F << 25 if imm8 & 0x40 else 1 << 30) | rest << 19
    return word << 32 | word


@A64.insn("0 Q:1 op:1 0111100000 a:3 cmode:4 0 1 b:5 Rd:5", name="movi")
def modified_immediate(t: A64Translator, Q: int, op: int, a: int, cmode: int, b: int, Rd: int) -> None:
    """MOVI, MVNI, ORR, BIC (vector, immediate), FMOV (vector, immediate) (C4.4.6)."""
    if cmode == 15 and op and not Q:
        t.undefined()
        return
    if not t.fp_enabled():
        return
    value = expanded_immediate(op, cmode, a << 5 | b)
    low, high = t.glob(v(Rd), 64), t.glob(v(Rd) + 8, 64)
    if cmode & 1 and cmode < 12:
        for half in (low, high) if Q else (low,):
            if op:
                t.and_(half, ~value & M64, out=half)
            else:
                t.or_(half, value, out=half)
        if not Q:
            high.set(0)
        return
    if op and cmode < 14:
        value = ~value & M64
    low.set(value)
    high.set(value if Q else 0)


# --- rearranged -------------------------------------------------------------------------------------------------------


@A64.insn("0 Q:1 101110000 Rm:5 0 imm4:4 0 Rn:5 Rd:5")
def ext(t: A64Translator, Q: int, Rm: int, imm4: int, Rn: int, Rd: int) -> None:
    """EXT (C6.3.33): the bytes from the *imm4*-th on of two vectors, one after the other."""
    if not Q and imm4 & 8:
        t.undefined()
    elif not t.fp_enabled():
        return
    elif Q and imm4:
        t.vec("palignr_bits", t.v(Rm), t.v(Rn), 8 * imm4, out=t.v(Rd))
    elif Q:
        t.mov(t.v(Rd), t.v(Rn))
    else:
        low = t.v(Rn, 64)
        if imm4:
            low = low.shr(8 * imm4) | t.v(Rm, 64).shl(64 - 8 * imm4)
        t.mov(t.v(Rd, 64), low)
        t.clear_high(Rd)


@A64.insn("0 Q:1 001110 000 Rm:5 0 len:2 op:1 00 Rn:5 Rd:5", name="tbl")
def table_lookup(t: A64Translator, Q: int, Rm: int, len: int, op: int, Rn: int, Rd: int) -> None:
    """TBL, TBX (C6.3.287, C6.3.288)."""
    if not t.fp_enabled():
        return
    if op:
        t.call(look_up, Q, len, Rm, Rn, Rd)
        return
    found = t.vec("v_tbl", t.v(Rn), t.v(Rm), 0, out=t.temp(128))
    for number in range(1, len + 1):
        more = t.vec("v_tbl", t.v((Rn + number) & 31), t.v(Rm), 16 * number, out=t.temp(128))
        t.vec("por", found, more, out=found)
    _write(t, Q, Rd, found)


def _write(t: A64Translator, Q: int, Rd: int, value: Value) -> None:
    """Write 128 bits, or the lower half of them."""
    if Q:
        t.mov(t.v(Rd), value)
    else:
        t.mov(t.v(Rd, 64), value.low(64))
        t.clear_high(Rd)


def look_up(cpu: Aarch64Cpu, whole: int, last: int, m: int, n: int, d: int) -> None:
    """Bytes selected from up to four registers; where the index is out of range the destination's stays (TBX)."""
    table = b"".join(cpu.v[(n + k) & 31].to_bytes(16, "little") for k in range(last + 1))
    indexes, old = cpu.v[m].to_bytes(16, "little"), cpu.v[d].to_bytes(16, "little")
    count = 16 if whole else 8
    out = [table[i] if i < len(table) else old[k] for k, i in enumerate(indexes[:count])]
    cpu.v[d] = int.from_bytes(bytes(out), "little")


@A64.insn("0 Q:1 001110 size:2 0 Rm:5 0 part:1 kind:2 10 Rn:5 Rd:5", name="zip1")
def permute(t: A64Translator, Q: int, size: int, Rm: int, part: int, kind: int, Rn: int, Rd: int) -> None:
    """UZP1, TRN1, ZIP1, UZP2, TRN2, ZIP2 (C4.4.6, permute)."""
    if not kind or (size == 3 and not Q):
        t.undefined()
    elif t.fp_enabled():
        bits = 8 << size
        if kind == 2 and bits < 64:
            _transpose(t, Q, bits, Rm, part, Rn, Rd)
        elif kind == 1 and bits < 64:
            _unzip(t, Q, bits, Rm, part, Rn, Rd)
        else:  # of two elements all three are the same
            _zip(t, Q, bits, Rm, part, Rn, Rd)


def _zip(t: A64Translator, Q: int, bits: int, Rm: int, part: int, Rn: int, Rd: int) -> None:
    """All of two lower halves are 128 bits, whose upper half is ZIP2 of 64 bits."""
    letters = {8: "bw", 16: "wd", 32: "dq", 64: "qdq"}[bits]
    both = t.vec(f"punpck{'h' if part and Q else 'l'}{letters}", t.v(Rn), t.v(Rm), out=t.temp(128))
    _write(t, Q, Rd, t.glob(both.offset + 8, 64) if part and not Q else both)


def _unzip(t: A64Translator, Q: int, bits: int, Rm: int, part: int, Rn: int, Rd: int) -> None:
    first, second = t.v(Rn), t.v(Rm)
    if not Q:
        first = second = t.vec("pair64", t.v(Rn, 64), t.v(Rm, 64), out=t.temp(128))
    _write(t, Q, Rd, t.vec(f"v_uzp{part + 1}_{bits}", first, second, out=t.temp(128)))


def _transpose(t: A64Translator, Q: int, bits: int, Rm: int, part: int, Rn: int, Rd: int) -> None:
    """Even (or odd) elements of the first source, and beside each one that of the second."""
    even = M64 // ((1 << 2 * bits) - 1) * ((1 << bits) - 1)
    for upper in range(1 + Q):
        first, second = (t.glob(v(number) + 8 * upper, 64) for number in (Rn, Rm))
        if part:
            value = first.shr(bits) & even | second & (even << bits)
        else:
            value = first & even | (second & even).shl(bits)
        t.mov(t.glob(v(Rd) + 8 * upper, 64), value)
    if not Q:
        t.clear_high(Rd)
