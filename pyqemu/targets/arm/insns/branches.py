"""Branches (ARM DDI 0406C.b, A5.5, A6.2.6, A6.3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.decode import A32, A32_UNCONDITIONAL, T16, T32
from pyqemu.targets.arm.flags import AL
from pyqemu.targets.arm.modes import M_IT, M_IT_SHIFT, M_PLAIN_IT

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.hole import Hole


def _link(t: ArmTranslator) -> None:
    """LR becomes the address of the next instruction, with the bit that tells Thumb."""
    t.dest(14).set(t.next_pc + 1 if t.thumb else t.next_pc)


@A32.insn("1010 disp:s24*4")
def b(t: ArmTranslator, disp: Hole) -> None:
    """B (A8.8.18)."""
    t.branch(t.pc_value + disp)


@A32.insn("1011 disp:s24*4")
def bl(t: ArmTranslator, disp: Hole) -> None:
    """BL (A8.8.25)."""
    _link(t)
    t.branch(t.pc_value + disp)


@A32_UNCONDITIONAL.insn("101 disp[1:1] disp[25:2]:s", feature="v5", name="blx")
def blx_immediate(t: ArmTranslator, disp: Hole) -> None:
    """BLX (immediate) (A8.8.25, A2)."""
    _link(t)
    t.branch(t.pc_value + disp, thumb=True)


@A32.insn("0001 0010 xxxx xxxx xxxx 0001 Rm:4", feature="v4t")
@T16.insn("010001 11 0 Rm:4 xxx")
def bx(t: ArmTranslator, Rm: int) -> None:
    """BX (A8.8.27)."""
    t.interworking_jump(t.reg(Rm))


@A32.insn("0001 0010 xxxx xxxx xxxx 0010 Rm:4", feature="v5j")
@T32.insn("11110 0 1111 00 Rm:4 10 x 0 xxxx xxxxxxxx", feature="thumb2")
def bxj(t: ArmTranslator, Rm: int) -> None:
    """BXJ (A8.8.28): as BX, where there is no Jazelle."""
    t.interworking_jump(t.reg(Rm))


@A32.insn("0001 0010 xxxx xxxx xxxx 0011 Rm:4", feature="v5")
@T16.insn("010001 11 1 Rm:4 xxx", feature="v5")
def blx(t: ArmTranslator, Rm: int) -> None:
    """BLX (register) (A8.8.26)."""
    target = t.temp(32)
    t.mov(target, t.reg(Rm))
    _link(t)
    t.interworking_jump(target)


# --- Thumb ------------------------------------------------------------------------------------------------------------


@T16.insn("1101 cond:4 disp:s8*2", name="b")
def b_cond(t: ArmTranslator, cond: int, disp: Hole) -> None:
    """B with a condition (A8.8.18, T1)."""
    _branch_if(t, cond, t.pc_value + disp)


def _branch_if(t: ArmTranslator, cond: int, target: Hole) -> None:
    over = t.skip_unless(cond)
    t.goto(target)
    t.bind(over)
    t.goto(t.next_pc)


@T16.insn("11100 disp:s11*2", name="b")
def b_thumb(t: ArmTranslator, disp: Hole) -> None:
    """B (A8.8.18, T2)."""
    t.branch(t.pc_value + disp)


def conditional_offset(S: int, J2: int, J1: int, imm6: int, imm11: int) -> int:
    """The offset of a conditional branch of 32 bits."""
    value = S << 20 | J2 << 19 | J1 << 18 | imm6 << 12 | imm11 << 1
    return value - (S << 21)


def long_offset(S: int, J1: int, J2: int, imm10: int, imm11: int) -> int:
    """The offset of the other branches of 32 bits."""
    value = S << 24 | (1 ^ J1 ^ S) << 23 | (1 ^ J2 ^ S) << 22 | imm10 << 12 | imm11 << 1
    return value - (S << 25)


@T32.insn("11110 S:1 cond:4 imm6:6 10 J1:1 0 J2:1 imm11:11", feature="thumb2", name="b", disp=conditional_offset)
def b_cond_wide(t: ArmTranslator, cond: int, disp: Hole) -> None:
    """B with a condition (A8.8.18, T3); what would be conditions 14 and 15 are other instructions."""
    if cond >= AL:
        t.undefined()
        return
    _branch_if(t, cond, t.pc_value + disp)


@T32.insn("11110 S:1 imm10:10 10 J1:1 1 J2:1 imm11:11", feature="thumb2", name="b", disp=long_offset)
def b_wide(t: ArmTranslator, disp: Hole) -> None:
    """B (A8.8.18, T4)."""
    t.branch(t.pc_value + disp)


@T32.insn("11110 S:1 imm10:10 11 J1:1 1 J2:1 imm11:11", name="bl", disp=long_offset)
def bl_thumb(t: ArmTranslator, disp: Hole) -> None:
    """BL (A8.8.25, T1)."""
    _link(t)
    t.branch(t.pc_value + disp)


@T32.insn("11110 S:1 imm10:10 11 J1:1 0 J2:1 imm10L:10 0", feature="v5", name="blx",
          disp=lambda S, J1, J2, imm10, imm10L: long_offset(S, J1, J2, imm10, imm10L << 1))  # fmt: skip
def blx_thumb(t: ArmTranslator, disp: Hole) -> None:
    """BLX (immediate) (A8.8.25, T2)."""
    _link(t)
    t.branch((t.pc_value + disp).aligned(2), thumb=False)


@T16.insn("1011 op:1 0 disp[6:6] 1 disp[5:1] Rn:3", feature="thumb2")
def cbz(t: ArmTranslator, op: int, disp: Hole, Rn: int) -> None:
    """CBZ, CBNZ (A8.8.29)."""
    over = t.label()
    t.brcond("eq" if op else "ne", t.reg(Rn), 0, over)
    t.goto(t.pc_value + disp)
    t.bind(over)
    t.goto(t.next_pc)


@T32.insn("111010001101 Rn:4 xxxx xxxx 000 H:1 Rm:4", feature="thumb2")
def tbb(t: ArmTranslator, Rn: int, H: int, Rm: int) -> None:
    """TBB, TBH (A8.8.238)."""
    address = t.lea(t.reg(Rn), t.reg(Rm), H, 0, 32)
    offset = t.load(address, size=2 if H else 1)
    t.jump(t.lea(t.value(t.pc_value, 32), offset, 1, 0, 32))


# --- IT ---------------------------------------------------------------------------------------------------------------


ONE_INSTRUCTION = 0b1000  #: of the field ``mask``


@T16.insn("1011 1111 firstcond:4 mask:4", feature="thumb2")
def it(t: ArmTranslator, firstcond: int, mask: int) -> None:
    """IT (A8.8.54)."""
    if t.mode & M_PLAIN_IT and mask != ONE_INSTRUCTION:
        t.undefined()
        return
    t.goto_mode(t.next_pc, t.mode & ~M_IT | (firstcond << 4 | mask) << M_IT_SHIFT)
