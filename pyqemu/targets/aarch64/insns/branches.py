"""Branches (ARM DDI 0487A.f, C4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.operands import width
from pyqemu.targets.arm.flags import AL

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.tcg.hole import Hole


@A64.insn("0 00101 disp:s26*4")
def b(t: A64Translator, disp: Hole) -> None:
    """B."""
    t.goto(t.pc + disp)


@A64.insn("1 00101 disp:s26*4")
def bl(t: A64Translator, disp: Hole) -> None:
    """BL."""
    t.dest(30).set(t.next_pc)
    t.goto(t.pc + disp)


@A64.insn("0101010 0 disp:s19*4 0 cond:4", name="b")
def b_cond(t: A64Translator, disp: Hole, cond: int) -> None:
    """B.cond."""
    if cond >= AL:
        t.goto(t.pc + disp)
    else:
        t.branch_if(t.flags.condition(cond), t.pc + disp)


@A64.insn("sf:1 011010 op:1 disp:s19*4 Rt:5")
def cbz(t: A64Translator, sf: int, op: int, disp: Hole, Rt: int) -> None:
    """CBZ, CBNZ."""
    t.branch_if(("ne" if op else "eq", t.reg(Rt, width(sf)), 0), t.pc + disp)


@A64.insn("bit[5:5] 011011 op:1 bit[4:0] disp:s14*4 Rt:5")
def tbz(t: A64Translator, bit: int, op: int, disp: Hole, Rt: int) -> None:
    """TBZ, TBNZ."""
    source = t.reg(Rt, 64 if bit > 31 else 32)
    if bit & 31 == 31:
        t.branch_if(("lts" if op else "ges", source, 0), t.pc + disp)
    else:
        t.branch_if(("ne" if op else "eq", source & 1 << bit, 0), t.pc + disp)


@A64.insn("1101011 0000 11111 000000 Rn:5 00000")
def br(t: A64Translator, Rn: int) -> None:
    """BR."""
    t.jump(t.reg(Rn))


@A64.insn("1101011 0001 11111 000000 Rn:5 00000")
def blr(t: A64Translator, Rn: int) -> None:
    """BLR."""
    target = t.temp(64)
    target.set(t.reg(Rn))
    t.dest(30).set(t.next_pc)
    t.jump(target)


@A64.insn("1101011 0010 11111 000000 Rn:5 00000")
def ret(t: A64Translator, Rn: int) -> None:
    """RET."""
    t.jump(t.reg(Rn))
