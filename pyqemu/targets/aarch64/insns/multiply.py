"""Data processing of one, two and three registers (ARM DDI 0487A.f, C4.5).

Products, quotients, shifts by registers, reversals and counts of bits, CRC32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.operands import width
from pyqemu.targets.arm import checksums

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.tcg.builder import Value


# --- products ---------------------------------------------------------------------------------------------------------


def _accumulate(t: A64Translator, product: Value, o0: int, Ra: int, out: Value) -> None:
    """Add a product to a register, or subtract it."""
    if Ra == 31:
        t.neg(product, out=out) if o0 else t.mov(out, product)
    else:
        (t.sub if o0 else t.add)(t.reg(Ra, out.bits), product, out=out)


@A64.insn("sf:1 00 11011 000 Rm:5 o0:1 Ra:5 Rn:5 Rd:5")
def madd(t: A64Translator, sf: int, Rm: int, o0: int, Ra: int, Rn: int, Rd: int) -> None:
    """MADD, MSUB, MUL, MNEG."""
    bits = width(sf)
    _accumulate(t, t.reg(Rn, bits) * t.reg(Rm, bits), o0, Ra, t.dest(Rd, bits))


@A64.insn("1 00 11011 U:1 01 Rm:5 o0:1 Ra:5 Rn:5 Rd:5")
def smaddl(t: A64Translator, U: int, Rm: int, o0: int, Ra: int, Rn: int, Rd: int) -> None:
    """SMADDL, SMSUBL, UMADDL, UMSUBL."""
    a, b = (t.extend(t.reg(number, 32), 64, signed=not U) for number in (Rn, Rm))
    _accumulate(t, a * b, o0, Ra, t.dest(Rd))


@A64.insn("1 00 11011 U:1 10 Rm:5 0 xxxxx Rn:5 Rd:5")
def smulh(t: A64Translator, U: int, Rm: int, Rn: int, Rd: int) -> None:
    """SMULH, UMULH."""
    t.vec("mulhu64" if U else "mulhs64", t.reg(Rn), t.reg(Rm), out=t.dest(Rd))


# --- quotients --------------------------------------------------------------------------------------------------------


@A64.insn("sf:1 0 0 11010110 Rm:5 000010 Rn:5 Rd:5")
def udiv(t: A64Translator, sf: int, Rm: int, Rn: int, Rd: int) -> None:
    """UDIV: a division by zero gives zero."""
    a, b = t.reg(Rn, width(sf)), t.reg(Rm, width(sf))
    quotient = t.temp(a.bits)
    quotient.set(0)
    with t.if_("ne", b, 0):
        t.divu(a, b, out=quotient)
    t.mov(t.dest(Rd, a.bits), quotient)


@A64.insn("sf:1 0 0 11010110 Rm:5 000011 Rn:5 Rd:5")
def sdiv(t: A64Translator, sf: int, Rm: int, Rn: int, Rd: int) -> None:
    """SDIV: a division by zero gives zero, the overflow wraps."""
    a, b = t.reg(Rn, width(sf)), t.reg(Rm, width(sf))
    quotient = t.temp(a.bits)
    t.neg(a, out=quotient)  # what -1 gives
    with t.if_("gtu", b + 1, 1):
        t.divs(a, b, out=quotient)
    with t.if_("eq", b, 0):
        quotient.set(0)
    t.mov(t.dest(Rd, a.bits), quotient)


# --- shifts -----------------------------------------------------------------------------------------------------------


@A64.insn("sf:1 0 0 11010110 Rm:5 0010 op2:2 Rn:5 Rd:5")
def lslv(t: A64Translator, sf: int, Rm: int, op2: int, Rn: int, Rd: int) -> None:
    """LSLV, LSRV, ASRV, RORV."""
    bits = width(sf)
    (t.shl, t.shr, t.sar, t.rotr)[op2](t.reg(Rn, bits), t.reg(Rm, bits), out=t.dest(Rd, bits))


# --- checksums --------------------------------------------------------------------------------------------------------


def _is_checksum(sf: int, sz: int) -> bool:
    return sf == (sz == 3)


@A64.insn("sf:1 0 0 11010110 Rm:5 010 C:1 sz:2 Rn:5 Rd:5", feature="crc32")
def crc32(t: A64Translator, sf: int, Rm: int, C: int, sz: int, Rn: int, Rd: int) -> None:
    """CRC32B, CRC32H, CRC32W, CRC32X, CRC32CB …."""
    if not _is_checksum(sf, sz):
        t.undefined()
        return
    total = checksums.crc32(t, t.reg(Rn, 32), t.reg(Rm, width(sf)), 1 << sz, castagnoli=C)
    t.mov(t.dest(Rd, 32), total)


# --- bits -------------------------------------------------------------------------------------------------------------


@A64.insn("sf:1 1 0 11010110 00000 000000 Rn:5 Rd:5")
def rbit(t: A64Translator, sf: int, Rn: int, Rd: int) -> None:
    """RBIT."""
    t.vec(f"brev{width(sf)}", t.reg(Rn, width(sf)), out=t.dest(Rd, width(sf)))


@A64.insn("sf:1 1 0 11010110 00000 000001 Rn:5 Rd:5")
def rev16(t: A64Translator, sf: int, Rn: int, Rd: int) -> None:
    """REV16."""
    bits = width(sf)
    source, mask = t.reg(Rn, bits), 0x00FF00FF00FF00FF & (1 << bits) - 1
    t.or_((source & mask).shl(8), source.shr(8) & mask, out=t.dest(Rd, bits))


@A64.insn("0 1 0 11010110 00000 000010 Rn:5 Rd:5")
def rev_word(t: A64Translator, Rn: int, Rd: int) -> None:
    """REV of 32 bits."""
    t.bswap(t.reg(Rn, 32), out=t.dest(Rd, 32))


@A64.insn("1 1 0 11010110 00000 000011 Rn:5 Rd:5")
def rev_doubleword(t: A64Translator, Rn: int, Rd: int) -> None:
    """REV of 64 bits."""
    t.bswap(t.reg(Rn), out=t.dest(Rd))


@A64.insn("1 1 0 11010110 00000 000010 Rn:5 Rd:5")
def rev32(t: A64Translator, Rn: int, Rd: int) -> None:
    """REV32."""
    t.rotr(t.bswap(t.reg(Rn)), 32, out=t.dest(Rd))


@A64.insn("sf:1 1 0 11010110 00000 000100 Rn:5 Rd:5")
def clz(t: A64Translator, sf: int, Rn: int, Rd: int) -> None:
    """CLZ."""
    t.clz(t.reg(Rn, width(sf)), out=t.dest(Rd, width(sf)))


@A64.insn("sf:1 1 0 11010110 00000 000101 Rn:5 Rd:5")
def cls(t: A64Translator, sf: int, Rn: int, Rd: int) -> None:
    """CLS."""
    source = t.reg(Rn, width(sf))
    t.sub(t.clz(source ^ source.sar(1)), 1, out=t.dest(Rd, width(sf)))
