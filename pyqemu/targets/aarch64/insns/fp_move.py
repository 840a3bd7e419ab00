"""Floating-point registers moved (ARM DDI 0487A.f, C4.4.6: FMOV, FCSEL, and what only changes the sign)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.layout import v
from pyqemu.targets.arm.flags import AL
from pyqemu.targets.arm.simd_move import expanded_immediate

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator

BITS = {0: 32, 1: 64, 3: 16}  #: by the field ``type``


@A64.insn("0 00 11110 0 type:1 1 0000 00 10000 Rn:5 Rd:5")
def fmov_register(t: A64Translator, type: int, Rn: int, Rd: int) -> None:
    """FMOV (register) (C6.3.102)."""
    if t.fp_enabled():
        t.set_scalar(Rd, t.v(Rn, BITS[type]))


@A64.insn("0 00 11110 0 type:1 1 0000 01 10000 Rn:5 Rd:5")
def fabs_scalar(t: A64Translator, type: int, Rn: int, Rd: int) -> None:
    """FABS (scalar) (C6.3.38)."""
    if t.fp_enabled():
        bits = BITS[type]
        t.set_scalar(Rd, t.v(Rn, bits) & (1 << bits - 1) - 1)


@A64.insn("0 00 11110 0 type:1 1 0000 10 10000 Rn:5 Rd:5")
def fneg_scalar(t: A64Translator, type: int, Rn: int, Rd: int) -> None:
    """FNEG (scalar) (C6.3.110)."""
    if t.fp_enabled():
        bits = BITS[type]
        t.set_scalar(Rd, t.v(Rn, bits) ^ (1 << bits - 1))


@A64.insn("0 00 11110 0 type:1 1 imm8:8 100 00000 Rd:5")
def fmov_immediate(t: A64Translator, type: int, imm8: int, Rd: int) -> None:
    """FMOV (scalar, immediate) (C6.3.104)."""
    if t.fp_enabled():
        value = expanded_immediate(type, 15, imm8)
        t.glob(v(Rd), 64).set(value if type else value & 0xFFFFFFFF)
        t.clear_high(Rd)


@A64.insn("0 00 11110 0 type:1 1 Rm:5 cond:4 11 Rn:5 Rd:5")
def fcsel(t: A64Translator, type: int, Rm: int, cond: int, Rn: int, Rd: int) -> None:
    """FCSEL (C6.3.52)."""
    if t.fp_enabled():
        bits = BITS[type]
        if cond >= AL:
            t.set_scalar(Rd, t.v(Rn, bits))
            return
        first, second = (t.extend(t.v(number, bits), 64, signed=False) for number in (Rn, Rm))
        t.select(t.flags.setcond(cond), first, second, t.glob(v(Rd), 64))
        t.clear_high(Rd)


@A64.insn("0 00 11110 00 1 00 110 000000 Rn:5 Rd:5")
def fmov_to_word(t: A64Translator, Rn: int, Rd: int) -> None:
    """FMOV (general), W from S (C6.3.103)."""
    if t.fp_enabled():
        t.mov(t.dest(Rd, 32), t.v(Rn, 32))


@A64.insn("0 00 11110 00 1 00 111 000000 Rn:5 Rd:5")
def fmov_from_word(t: A64Translator, Rn: int, Rd: int) -> None:
    """FMOV (general), S from W (C6.3.103)."""
    if t.fp_enabled():
        t.set_scalar(Rd, t.reg(Rn, 32))


@A64.insn("1 00 11110 01 1 00 110 000000 Rn:5 Rd:5")
def fmov_to_double_word(t: A64Translator, Rn: int, Rd: int) -> None:
    """FMOV (general), X from D (C6.3.103)."""
    if t.fp_enabled():
        t.mov(t.dest(Rd), t.v(Rn, 64))


@A64.insn("1 00 11110 01 1 00 111 000000 Rn:5 Rd:5")
def fmov_from_double_word(t: A64Translator, Rn: int, Rd: int) -> None:
    """FMOV (general), D from X (C6.3.103)."""
    if t.fp_enabled():
        t.set_scalar(Rd, t.reg(Rn))


@A64.insn("1 00 11110 10 1 01 110 000000 Rn:5 Rd:5")
def fmov_from_high(t: A64Translator, Rn: int, Rd: int) -> None:
    """FMOV (general), X from the upper half (C6.3.103)."""
    if t.fp_enabled():
        t.mov(t.dest(Rd), t.glob(v(Rn) + 8, 64))


@A64.insn("1 00 11110 10 1 01 111 000000 Rn:5 Rd:5")
def fmov_to_high(t: A64Translator, Rn: int, Rd: int) -> None:
    """FMOV (general), the upper half from X (C6.3.103)."""
    if t.fp_enabled():
        t.mov(t.glob(v(Rd) + 8, 64), t.reg(Rn))
