"""SYSCALL, SYSRET, SYSENTER, SYSEXIT (SDM vol. 2; APM vol. 2, 6.1).

These are the busiest helpers of a running system, so they write the segment registers they need and no more, and the
mode bits come out of a table instead of being derived. They return the linear address to go on at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86.exceptions import gp, ud
from pyqemu.targets.x86.layout import (
    CC_MASK,
    CS,
    DESC_A,
    DESC_B,
    DESC_CODE,
    DESC_G,
    DESC_L,
    DESC_P,
    DESC_R,
    DESC_S,
    DESC_W,
    EFER_LMA,
    EFER_SCE,
    HF_CPL,
    HF_CS64,
    HF_PE,
    IF,
    M32,
    RF,
    SS,
    VM,
)
from pyqemu.targets.x86.mmu import canonical
from pyqemu.tcg.env import EXIT_REQUEST

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

FLAT_CODE = DESC_G | DESC_P | DESC_S | DESC_CODE | DESC_R | DESC_A
FLAT_DATA = DESC_G | DESC_B | DESC_P | DESC_S | DESC_W | DESC_A
SYSRET_FLAGS = 0x3C7FD7


def request_exit(cpu: X86Cpu) -> None:
    """Come back to the main loop at the next block: an interrupt that waited may be taken now."""
    cpu.l[EXIT_REQUEST >> 2] = 1


def exit_if_pending(cpu: X86Cpu) -> None:
    """Do that if interrupts are enabled and one is pending."""
    if cpu.irq_pending and cpu.eflags_rest & IF:
        cpu.l[EXIT_REQUEST >> 2] = 1


def flat_segments(cpu: X86Cpu, code: int, stack: int, level: int, attributes: int) -> None:
    """Load CS and SS with flat segments that no table is asked for. `attributes` (DESC_L or DESC_B) tell the code
    size.
    """
    dpl = level << 13
    cpu.load_segment_cache(CS, code & 0xFFFC | level, 0, M32, FLAT_CODE | attributes | dpl)
    cpu.load_segment_cache(SS, stack & 0xFFFC | level, 0, M32, FLAT_DATA | dpl)
    cpu.update_hflags(level)


def syscall(cpu: X86Cpu, next_eip: int) -> int:
    """SYSCALL."""
    if not cpu.efer & EFER_SCE:
        raise ud()
    hf, star = cpu.hflags, cpu.star
    selector = star >> 32
    if not cpu.efer & EFER_LMA:
        cpu.rcx = next_eip
        cpu.eflags_rest &= ~(VM | IF | RF)
        flat_segments(cpu, selector, selector + 8, 0, DESC_B)
        cpu.eip = star & M32
        return cpu.eip
    cpu.rcx = next_eip
    cpu.r11 = cpu.get_eflags() & ~RF
    mask = cpu.sfmask | RF
    if mask & CC_MASK or mask & ~IF & cpu.eflags_rest:
        cpu.set_eflags(0, mask)
    else:
        cpu.eflags_rest &= ~mask
    flat_segments(cpu, selector, selector + 8, 0, DESC_L)
    target = cpu.eip = cpu.lstar if hf & HF_CS64 else cpu.cstar
    return target


def sysret(cpu: X86Cpu, wide: int) -> int:
    """SYSRET; `wide` is 1 with REX.W."""
    if not cpu.efer & EFER_SCE:
        raise ud()
    if not cpu.hflags & HF_PE or cpu.hflags & HF_CPL:
        raise gp(0)
    selector = cpu.star >> 48
    if cpu.efer & EFER_LMA:
        if wide and not canonical(cpu.rcx):
            raise gp(0)
        target = cpu.rcx if wide else cpu.rcx & M32
        cpu.set_eflags(cpu.r11 & SYSRET_FLAGS)
        flat_segments(cpu, selector + 16 if wide else selector, selector + 8, 3, DESC_L if wide else DESC_B)
    else:
        target = cpu.rcx & M32
        cpu.eflags_rest |= IF
        flat_segments(cpu, selector, selector + 8, 3, DESC_B)
    cpu.eip = target
    exit_if_pending(cpu)
    return target


def sysenter(cpu: X86Cpu) -> int:
    """SYSENTER."""
    selector = cpu.sysenter_cs
    if not cpu.hflags & HF_PE or not selector & 0xFFFC:
        raise gp(0)
    wide = cpu.efer & EFER_LMA
    cpu.set_eflags(0, VM | IF | RF)
    flat_segments(cpu, selector, selector + 8, 0, DESC_L if wide else DESC_B)
    cpu.rsp = cpu.sysenter_esp if wide else cpu.sysenter_esp & M32
    cpu.eip = cpu.sysenter_eip if wide else cpu.sysenter_eip & M32
    return cpu.eip


def sysexit(cpu: X86Cpu, wide: int) -> int:
    """SYSEXIT; `wide` is 1 with REX.W."""
    selector = cpu.sysenter_cs
    if not cpu.hflags & HF_PE or cpu.hflags & HF_CPL or not selector & 0xFFFC:
        raise gp(0)
    if wide and not (canonical(cpu.rcx) and canonical(cpu.rdx)):
        raise gp(0)
    code = selector + 32 if wide else selector + 16
    flat_segments(cpu, code, code + 8, 3, DESC_L if wide else DESC_B)
    cpu.rsp = cpu.rcx if wide else cpu.rcx & M32
    cpu.eip = cpu.rdx if wide else cpu.rdx & M32
    exit_if_pending(cpu)
    return cpu.eip
