"""Near control transfers (SDM vol. 1, 5.1.7), flag control (5.1.10), and what does nothing (5.1.12).

Far transfers, interrupts and returns from them are in the system instructions.
"""

from __future__ import annotations

from pyqemu.targets.x86.layout import AF, CF, DF, EFLAGS, EFLAGS_ONES, EIP, EXC_BR, PF, SF, ZF
from pyqemu.targets.x86.operands import MemoryOperand, Operand, RegisterOperand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.hole import Hole


def _target(t: X86Translator) -> Hole:
    return t.next_pc + t.imm


@op("E9", "Jz", size="f64")
@op("EB", "Jb", size="f64")
def jmp(t: X86Translator, target: Operand) -> None:
    """JMP rel."""
    t.goto_near(_target(t), t.opsize)


@op("FF /4", "Ev", size="f64")
def jmp_indirect(t: X86Translator, target: Operand) -> None:
    """JMP r/m."""
    t.jump_near(target.get())


@op("70+cc", "Jb", size="f64")
@op("0F80+cc", "Jz", size="f64")
def jcc(t: X86Translator, target: Operand) -> None:
    """Jcc."""
    with t.if_(*t.flags.condition(t.insn.opcode & 15)):
        t.goto_near(_target(t), t.opsize)
    t.goto(t.next_pc)


@op("E0", "Jb", size="f64")
@op("E1", "Jb", size="f64")
@op("E2", "Jb", size="f64")
def loop(t: X86Translator, target: Operand) -> None:
    """LOOPNE, LOOPE, LOOP: the address size rules which counter; flags stay."""
    counter = t.rcx(t.adsize)
    left = counter - 1
    again = t.setcond("ne", left, 0)
    if t.insn.opcode != 0xE2:
        again = again & t.flags.setcond(5 if t.insn.opcode == 0xE0 else 4)
    with t.if_("ne", again, 0):
        t.check_target(_target(t), t.opsize)
        counter.set(left)
        t.goto(_target(t).masked(t.opsize))
    counter.set(left)
    t.goto(t.next_pc)


@op("E3", "Jb", size="f64")
def jcxz(t: X86Translator, target: Operand) -> None:
    """JCXZ, JECXZ, JRCXZ."""
    with t.if_("eq", t.rcx(t.adsize), 0):
        t.goto_near(_target(t), t.opsize)
    t.goto(t.next_pc)


@op("E8", "Jz", size="f64")
def call(t: X86Translator, target: Operand) -> None:
    """CALL rel."""
    t.check_target(_target(t), t.opsize)
    t.push(t.next_pc.masked(t.opsize), t.opsize)
    t.goto(_target(t).masked(t.opsize))


@op("FF /2", "Ev", size="f64")
def call_indirect(t: X86Translator, target: Operand) -> None:
    """CALL r/m."""
    place = t.mov(t.temp(t.opsize), target.get()) if isinstance(target, RegisterOperand) else target.get()
    place = place.zext(64)
    t.check_jump(place)
    t.push(t.next_pc.masked(t.opsize), t.opsize)
    t.jump_checked(place)


@op("C3", size="f64")
@op("C2", "Iw", size="f64")
def ret(t: X86Translator, release: Operand | None = None) -> None:
    """RET, RET imm16."""
    released = t.opsize // 8 + (int(t.imm) & 0xFFFF if release else 0)
    if t.opsize == 64:
        t.stack_load(64, out=t.glob(EIP, 64))
        t.move_stack(released)
        t.goto_ptr()
        return
    place = t.stack_load(t.opsize).zext(64)
    t.check_jump(place)
    t.move_stack(released)
    t.jump_checked(place)


@op("62", "Gv M", no64=True)
def bound(t: X86Translator, index: Operand, bounds: MemoryOperand) -> None:
    """BOUND: #BR unless lower bound <= index <= upper bound, signed."""
    size = t.opsize // 8
    below = t.setcond("lts", index.get(), bounds.load(size))
    above = t.setcond("gts", index.get(), bounds.load(size, skip=size))
    with t.if_("ne", below | above, 0):
        t.fault(EXC_BR)


# --- flags ------------------------------------------------------------------------------------------------------------


@op("F8")
def clc(t: X86Translator) -> None:
    """CLC."""
    t.set_flags(t.flags.image() & ~CF)


@op("F9")
def stc(t: X86Translator) -> None:
    """STC."""
    t.set_flags(t.flags.image() | CF)


@op("F5")
def cmc(t: X86Translator) -> None:
    """CMC."""
    t.set_flags(t.flags.image() ^ CF)


@op("FC")
def cld(t: X86Translator) -> None:
    """CLD."""
    flags = t.glob(EFLAGS, 64)
    t.and_(flags, ~DF, out=flags)


@op("FD")
def std(t: X86Translator) -> None:
    """STD."""
    flags = t.glob(EFLAGS, 64)
    t.or_(flags, DF, out=flags)


@op("9F")
def lahf(t: X86Translator) -> None:
    """LAHF: in 64-bit mode where CPUID says so."""
    if t.mode == 64 and not t.has("lahf_lm"):
        t.raise_ud()
        return
    t.ah().set((t.flags.image() | EFLAGS_ONES).low(8))


@op("9E")
def sahf(t: X86Translator) -> None:
    """SAHF: OF stays; in 64-bit mode where CPUID says so."""
    if t.mode == 64 and not t.has("lahf_lm"):
        t.raise_ud()
        return
    overflow = t.flags.setcond(0).shl(11)
    t.set_flags(t.ah().zext(32) & (SF | ZF | AF | PF | CF) | overflow)


@op("D6", no64=True)
def salc(t: X86Translator) -> None:
    """SALC (undocumented by Intel; APM vol. 3, A.1): AL = CF ? FF : 0."""
    t.neg(t.flags.carry(8), out=t.rax(8))


# --- nothing ----------------------------------------------------------------------------------------------------------


@op("0F18", "Ev")
@op("0F19", "Ev")
@op("0F1A", "Ev")
@op("0F1B", "Ev")
@op("0F1C", "Ev")
@op("0F1D", "Ev")
@op("0F1E", "Ev")
@op("0F1F", "Ev")
def nop(t: X86Translator, operand: Operand) -> None:
    """NOP Ev, prefetches and other hints: the operand is not looked at."""


@op("0F0D", "M")
def prefetch(t: X86Translator, operand: Operand) -> None:
    """PREFETCH, PREFETCHW."""


@op("0F0B")
@op("0FB9", "Gv Ev")
@op("0FFF", "Gv Ev")
def ud(t: X86Translator, *operands: Operand) -> None:
    """UD2, UD1, UD0."""
    t.raise_ud()
