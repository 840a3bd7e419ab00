"""Software interrupts, interrupt flag, ports, fast system calls (SDM vol. 2: INT, CLI, STI, PUSHF, POPF, IN, OUT,
SYSCALL …).
"""

from __future__ import annotations

from pyqemu.targets.x86 import microcode, ports, syscalls
from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.insns.segments import goto_linear
from pyqemu.targets.x86.insns.system import privileged
from pyqemu.targets.x86.layout import (
    AC,
    CC_MASK,
    DF,
    EFLAGS,
    EFLAGS_ONES,
    EXC_BP,
    EXC_DB,
    EXC_OF,
    ID,
    IF,
    IOPL_MASK,
    IRQ_PENDING,
    NT,
    RF,
    SHADOW_EIP,
    TF,
    VM,
)
from pyqemu.targets.x86.operands import ImmediateOperand, Operand
from pyqemu.targets.x86.opmap import op
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.targets.x86.translator import X86Translator
from pyqemu.tcg.cpu import LeaveLoop

# --- software interrupts
# ----------------------------------------------------------------------------------------------


def software_interrupt(cpu: X86Cpu, vector: int, next_eip: int) -> None:
    """INT n, INT3, INTO."""
    raise X86Exception(vector, is_software=True, next_eip=next_eip)


def debug_interrupt(cpu: X86Cpu, next_eip: int) -> None:
    """INT1: a #DB that no gate's DPL stops (SDM vol. 2, INT n)."""
    raise X86Exception(EXC_DB, next_eip=next_eip)


@op("CD", "Ib")
def int_n(t: X86Translator, vector: Operand) -> None:
    """INT n. In virtual-8086 mode only with IOPL 3."""
    if t.static.vm86 and not t.static.io_free:
        t.raise_gp()
        return

    def helper() -> None:
        t.call(software_interrupt, t.imm.masked(8), t.next_pc)
        t.exit_loop()

    if t.static.protected or t.watches_events:
        helper()
    else:
        microcode.interrupt_real(t, t.imm.masked(8), helper)


@op("CC")
def int3(t: X86Translator) -> None:
    """INT3."""
    t.call(software_interrupt, EXC_BP, t.next_pc)
    t.exit_loop()


@op("CE", no64=True)
def into(t: X86Translator) -> None:
    """INTO."""
    with t.if_(*t.flags.overflow()):
        t.call(software_interrupt, EXC_OF, t.next_pc)


@op("F1")
def int1(t: X86Translator) -> None:
    """INT1 (ICEBP)."""
    t.call(debug_interrupt, t.next_pc)
    t.exit_loop()


# --- the interrupt flag
# -----------------------------------------------------------------------------------------------


def _interrupts_free(t: X86Translator) -> bool:
    """Return whether CLI and STI are permitted; stage #GP(0) if not."""
    if not t.static.io_free:
        t.raise_gp()
    return t.static.io_free


@op("FA")
def cli(t: X86Translator) -> None:
    """CLI."""
    if _interrupts_free(t):
        flags = t.glob(EFLAGS, 32)
        t.and_(flags, ~IF, out=flags)


@op("FB")
def sti(t: X86Translator) -> None:
    """STI: the next instruction still runs undisturbed (see `interrupts.py`).

    It ends the block: a CLI a few instructions later must not close the window before anybody has looked.
    """
    if _interrupts_free(t):
        flags = t.glob(EFLAGS, 32)
        with t.if_("eq", flags & IF, 0):
            t.glob(SHADOW_EIP, 64).set(t.next_pc)
            t.or_(flags, IF, out=flags)
            _look_at_interrupts(t)
        t.goto(t.next_pc)


def _look_at_interrupts(t: X86Translator) -> None:
    """Leave at the end of the block if an interrupt is waiting."""
    with t.if_("ne", t.glob(IRQ_PENDING, 64), 0):
        t.call(syscalls.request_exit)


@op("9C", size="d64")
def pushf(t: X86Translator) -> None:
    """PUSHF, PUSHFD, PUSHFQ."""
    if t.static.vm86 and not t.static.io_free:
        t.raise_gp()
        return
    rest = t.glob(EFLAGS, 32) & ~(VM | RF)
    image = rest | t.flags.image() | EFLAGS_ONES
    t.push(image.zext(64) if t.opsize == 64 else image.low(t.opsize), t.opsize)


@op("9D", size="d64")
def popf(t: X86Translator) -> None:
    """POPF, POPFD, POPFQ. If nothing changes that the mode bits depend on, it is all done here."""
    if t.static.vm86 and not t.static.io_free:
        t.raise_gp()
        return
    popped = t.stack_load(t.opsize)
    value = popped.zext(32) if t.opsize == 16 else popped.low(32)
    t.move_stack(t.opsize // 8)
    fast = DF | (IF if t.static.io_free else 0)
    slow = TF | NT | (AC | ID if t.opsize > 16 else 0) | (IOPL_MASK if t.cpl == 0 else 0)
    rest = t.glob(EFLAGS, 32)
    changed = value ^ rest
    with t.if_("ne", changed & slow, 0):
        t.call(pop_flags, value, fast | slow | CC_MASK, t.next_pc)
    t.xor(rest, changed & fast, out=rest)
    if fast & IF:
        with t.if_("ne", changed & rest & IF, 0):
            _look_at_interrupts(t)
    t.set_flags(value)
    if fast & IF:
        t.goto(t.next_pc)  # for the same reason as STI


def pop_flags(cpu: X86Cpu, value: int, mask: int, next_eip: int) -> None:
    """POPF where the mode bits may change: back to the main loop, behind the instruction."""
    cpu.eip = next_eip
    cpu.set_eflags(value, mask)
    syscalls.exit_if_pending(cpu)
    raise LeaveLoop


# --- ports
# ------------------------------------------------------------------------------------------------------------


@op("E4", "AL Ib")
@op("E5", "eAX Ib")
@op("EC", "AL DX")
@op("ED", "eAX DX")
def in_(t: X86Translator, dst: Operand, port: Operand) -> None:
    """IN."""
    number = t.imm.masked(8) if isinstance(port, ImmediateOperand) else t.rdx(16)
    t.call(ports.port_in, number, dst.bits // 8, out=dst.get(), returns=dst.bits)


@op("E6", "Ib AL")
@op("E7", "Ib eAX")
@op("EE", "DX AL")
@op("EF", "DX eAX")
def out(t: X86Translator, port: Operand, src: Operand) -> None:
    """OUT."""
    number = t.imm.masked(8) if isinstance(port, ImmediateOperand) else t.rdx(16)
    t.call(ports.port_out, number, src.bits // 8, src.get())


# --- fast system calls
# ------------------------------------------------------------------------------------------------


@op("0F05", feature="syscall")
def syscall(t: X86Translator) -> None:
    """SYSCALL."""

    def helper() -> None:
        goto_linear(t, t.call(syscalls.syscall, t.next_pc, returns=64))

    if t.mode == 64:
        microcode.syscall(t, helper)
    else:
        helper()


@op("0F07", feature="syscall")
def sysret(t: X86Translator) -> None:
    """SYSRET."""

    def helper() -> None:
        goto_linear(t, t.call(syscalls.sysret, int(t.opsize == 64), returns=64))

    if not privileged(t):
        return
    if t.mode == 64 == t.opsize:
        microcode.sysret(t, helper)
    else:
        helper()


@op("0F34", feature="sep")
def sysenter(t: X86Translator) -> None:
    """SYSENTER."""

    def helper() -> None:
        goto_linear(t, t.call(syscalls.sysenter, returns=64))

    if _legacy(t):
        microcode.sysenter(t, helper)
    else:
        helper()


@op("0F35", feature="sep")
def sysexit(t: X86Translator) -> None:
    """SYSEXIT."""

    def helper() -> None:
        goto_linear(t, t.call(syscalls.sysexit, int(t.opsize == 64), returns=64))

    if not privileged(t):
        return
    if _legacy(t):
        microcode.sysexit(t, helper)
    else:
        helper()


def _legacy(t: X86Translator) -> bool:
    """Whether this is protected mode, not virtual-8086, without long mode."""
    return t.static.protected and not t.static.vm86 and not t.static.long
