"""Data processing with an immediate (ARM DDI 0487A.f, C4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.operands import (
    add_immediate,
    logical_immediate,
    move_wide,
    move_wide_inverted,
    width,
)
from pyqemu.targets.arm.flags import ADD, LOGIC, SUB, kind

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.tcg.builder import Value
    from pyqemu.tcg.hole import Hole

# --- addresses --------------------------------------------------------------------------------------------------------


@A64.insn("0 disp[1:0] 10000 disp[20:2]:s Rd:5")
def adr(t: A64Translator, Rd: int, disp: Hole) -> None:
    """ADR."""
    t.dest(Rd).set(t.pc + disp)


@A64.insn("1 disp[1:0]:*4096 10000 disp[20:2]:s*4096 Rd:5")
def adrp(t: A64Translator, Rd: int, disp: Hole) -> None:
    """ADRP."""
    t.dest(Rd).set((t.pc + disp).aligned(12))


# --- addition and subtraction -----------------------------------------------------------------------------------------


@A64.insn("sf:1 0 0 100010 sh:1 imm12:12 Rn:5 Rd:5", imm=add_immediate)
def add_immediate_(t: A64Translator, sf: int, Rn: int, Rd: int, imm: Hole) -> None:
    """ADD (immediate)."""
    t.add(t.reg_sp(Rn, width(sf)), imm, out=t.reg_sp(Rd, width(sf)))


@A64.insn("sf:1 1 0 100010 sh:1 imm12:12 Rn:5 Rd:5", imm=add_immediate)
def sub_immediate(t: A64Translator, sf: int, Rn: int, Rd: int, imm: Hole) -> None:
    """SUB (immediate)."""
    t.sub(t.reg_sp(Rn, width(sf)), imm, out=t.reg_sp(Rd, width(sf)))


@A64.insn("sf:1 0 1 100010 sh:1 imm12:12 Rn:5 Rd:5", imm=add_immediate)
def adds_immediate(t: A64Translator, sf: int, Rn: int, Rd: int, imm: Hole) -> None:
    """ADDS (immediate), CMN."""
    bits = width(sf)
    t.add_cc(t.reg_sp(Rn, bits), imm, kind(ADD, bits), out=t.dest(Rd, bits))


@A64.insn("sf:1 1 1 100010 sh:1 imm12:12 Rn:5 Rd:5", imm=add_immediate)
def subs_immediate(t: A64Translator, sf: int, Rn: int, Rd: int, imm: Hole) -> None:
    """SUBS (immediate), CMP."""
    bits = width(sf)
    if Rd == 31:
        t.cmp_cc(t.reg_sp(Rn, bits), imm, kind(SUB, bits))
    else:
        t.sub_cc(t.reg_sp(Rn, bits), imm, kind(SUB, bits), out=t.dest(Rd, bits))


# --- logic ------------------------------------------------------------------------------------------------------------


@A64.insn("sf:1 00 100100 N:1 immr:6 imms:6 Rn:5 Rd:5", imm=logical_immediate)
def and_immediate(t: A64Translator, sf: int, Rn: int, Rd: int, imm: Hole) -> None:
    """AND (immediate)."""
    t.and_(t.reg(Rn, width(sf)), imm, out=t.reg_sp(Rd, width(sf)))


@A64.insn("sf:1 01 100100 N:1 immr:6 imms:6 Rn:5 Rd:5", imm=logical_immediate)
def orr_immediate(t: A64Translator, sf: int, Rn: int, Rd: int, imm: Hole) -> None:
    """ORR (immediate)."""
    out = t.reg_sp(Rd, width(sf))
    if Rn == 31:
        out.set(imm)
    else:
        t.or_(t.reg(Rn, width(sf)), imm, out=out)


@A64.insn("sf:1 10 100100 N:1 immr:6 imms:6 Rn:5 Rd:5", imm=logical_immediate)
def eor_immediate(t: A64Translator, sf: int, Rn: int, Rd: int, imm: Hole) -> None:
    """EOR (immediate)."""
    t.xor(t.reg(Rn, width(sf)), imm, out=t.reg_sp(Rd, width(sf)))


@A64.insn("sf:1 11 100100 N:1 immr:6 imms:6 Rn:5 Rd:5", imm=logical_immediate)
def ands_immediate(t: A64Translator, sf: int, Rn: int, Rd: int, imm: Hole) -> None:
    """ANDS (immediate), TST."""
    bits = width(sf)
    if Rd == 31:
        t.test_cc(t.reg(Rn, bits), imm, kind(LOGIC, bits))
    else:
        t.and_cc(t.reg(Rn, bits), imm, kind(LOGIC, bits), out=t.dest(Rd, bits))


# --- moves ------------------------------------------------------------------------------------------------------------


@A64.insn("sf:1 00 100101 hw:2 imm16:16 Rd:5", imm=move_wide_inverted)
@A64.insn("sf:1 10 100101 hw:2 imm16:16 Rd:5", imm=move_wide, name="movz")
def movn(t: A64Translator, sf: int, Rd: int, imm: Hole) -> None:
    """MOVN, MOVZ: what the immediate stands for has been computed."""
    t.dest(Rd, width(sf)).set(imm)


@A64.insn("sf:1 11 100101 hw:2 imm16:16 Rd:5", imm=move_wide)
def movk(t: A64Translator, sf: int, hw: int, Rd: int, imm: Hole) -> None:
    """MOVK."""
    out = t.dest(Rd, width(sf))
    t.or_(t.reg(Rd, width(sf)) & ~(0xFFFF << 16 * hw), imm, out=out)


# --- bit fields -------------------------------------------------------------------------------------------------------


def _is_field(sf: int, N: int, immr: int, imms: int) -> bool:
    return sf == N and (sf == 1 or not (immr | imms) & 32)


@A64.insn("sf:1 00 100110 N:1 immr:6 imms:6 Rn:5 Rd:5")
def sbfm(t: A64Translator, sf: int, N: int, immr: int, imms: int, Rn: int, Rd: int) -> None:
    """SBFM: ASR, SBFIZ, SBFX, SXTB, SXTH, SXTW."""
    if not _is_field(sf, N, immr, imms):
        t.undefined()
        return
    bits, source, out = width(sf), t.reg(Rn, width(sf)), t.dest(Rd, width(sf))
    if immr == 0 and imms in (7, 15, 31) and imms < bits - 1:
        t.extend(source.low(imms + 1), bits, signed=True, out=out)
        return
    left = bits - 1 - imms
    right = left + immr if imms >= immr else immr - imms - 1
    t.sar(source.shl(left) if left else source, right, out=out)


@A64.insn("sf:1 10 100110 N:1 immr:6 imms:6 Rn:5 Rd:5")
def ubfm(t: A64Translator, sf: int, N: int, immr: int, imms: int, Rn: int, Rd: int) -> None:
    """UBFM: LSL, LSR, UBFIZ, UBFX, UXTB, UXTH."""
    if not _is_field(sf, N, immr, imms):
        t.undefined()
        return
    bits, source, out = width(sf), t.reg(Rn, width(sf)), t.dest(Rd, width(sf))
    if imms >= immr:
        if imms == bits - 1:
            t.shr(source, immr, out=out)
        elif immr == 0:
            _low_bits(t, source, imms + 1, out)
        else:
            t.and_(source.shr(immr), (1 << imms - immr + 1) - 1, out=out)
    elif imms + 1 == immr:
        t.shl(source, bits - immr, out=out)
    else:
        t.shl(source & (1 << imms + 1) - 1, bits - immr, out=out)


def _low_bits(t: A64Translator, source: Value, count: int, out: Value) -> None:
    """The low bits of a register, fewer than it has."""
    if count in (8, 16, 32):
        t.extend(source.low(count), out.bits, signed=False, out=out)
    else:
        t.and_(source, (1 << count) - 1, out=out)


@A64.insn("sf:1 01 100110 N:1 immr:6 imms:6 Rn:5 Rd:5")
def bfm(t: A64Translator, sf: int, N: int, immr: int, imms: int, Rn: int, Rd: int) -> None:
    """BFM: BFI, BFXIL."""
    if not _is_field(sf, N, immr, imms):
        t.undefined()
        return
    bits, source, out = width(sf), t.reg(Rn, width(sf)), t.dest(Rd, width(sf))
    if imms >= immr:
        mask = (1 << imms - immr + 1) - 1
        field = (source.shr(immr) if immr else source) & mask
    else:
        mask = (1 << imms + 1) - 1 << bits - immr
        field = source.shl(bits - immr) & mask
    t.or_(t.reg(Rd, bits) & ~mask, field, out=out)


@A64.insn("sf:1 00 100111 N:1 0 Rm:5 imms:6 Rn:5 Rd:5")
def extr(t: A64Translator, sf: int, N: int, Rm: int, imms: int, Rn: int, Rd: int) -> None:
    """EXTR, ROR (immediate)."""
    if sf != N or (not sf and imms & 32):
        t.undefined()
        return
    bits, out = width(sf), t.dest(Rd, width(sf))
    if not imms:
        out.set(t.reg(Rm, bits))
    elif Rm == Rn:
        t.rotr(t.reg(Rm, bits), imms, out=out)
    else:
        t.or_(t.reg(Rm, bits).shr(imms), t.reg(Rn, bits).shl(bits - imms), out=out)
