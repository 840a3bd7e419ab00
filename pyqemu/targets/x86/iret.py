"""IRET in every mode, and the returns of the fast system calls (SDM vol. 2, IRET, SYSRET, SYSEXIT; SYSCALL,
SYSENTER).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86 import tasks
from pyqemu.targets.x86.exceptions import gp, ts
from pyqemu.targets.x86.layout import (
    AC,
    CC_MASK,
    DF,
    EFER_LMA,
    HF_BREAK,
    HF_CS64,
    HF_PE,
    HF_VM,
    ID,
    IF,
    IOPL_MASK,
    M16,
    M32,
    NT,
    RF,
    TF,
    VIF,
    VIP,
    VM,
)
from pyqemu.targets.x86.segmentation import Stack, fetch_descriptor, set_sp
from pyqemu.targets.x86.tasks import VM86_DATA
from pyqemu.targets.x86.transfers import return_to

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu


def _flags_mask(cpu: X86Cpu, size: int, cpl: int) -> int:
    """Return which EFLAGS bits IRET at privilege `cpl` may change (SDM vol. 2, IRET)."""
    mask = CC_MASK | TF | DF | NT
    if size > 2:
        mask |= RF | AC | ID
    if cpl <= cpu.iopl:
        mask |= IF
    if cpl == 0:
        mask |= IOPL_MASK | (VIF | VIP if size > 2 else 0)
    return mask


def iret(cpu: X86Cpu, size: int, next_eip: int) -> None:
    """IRET, IRETD, IRETQ (`size` in bytes)."""
    hf = cpu.hflags
    if not hf & HF_PE:
        _iret_real(cpu, size)
    elif hf & HF_VM:
        if cpu.iopl < 3:
            raise gp(0)
        _iret_real(cpu, size)
    elif cpu.eflags_rest & NT:
        _iret_task(cpu, next_eip)
    else:
        _iret_protected(cpu, size)
    cpu.nmi_blocked = 0


def _iret_real(cpu: X86Cpu, size: int) -> None:
    """IRET in real and virtual-8086 mode; the latter keeps IOPL, VIP and VIF."""
    stack = Stack.current(cpu)
    eip, selector, flags = stack.pop(size), stack.pop(size) & M16, stack.pop(size)
    if eip > cpu.cs.limit:
        raise gp(0)
    stack.commit()
    cpu.set_real_code(selector)
    cpu.eip = eip
    mask = CC_MASK | TF | DF | NT | IF
    if size > 2:
        mask |= AC | ID | RF
    if not cpu.hflags & HF_VM:
        mask |= IOPL_MASK
    _set_flags(cpu, flags, mask)


def _iret_task(cpu: X86Cpu, next_eip: int) -> None:
    """Return to the task that the link field names."""
    if cpu.efer & EFER_LMA:
        raise gp(0)
    selector = cpu.load(cpu.tr.base, 2, 0)
    if selector & 4:
        raise ts(selector & 0xFFFC)
    tasks.switch(cpu, selector, fetch_descriptor(cpu, selector, ts), tasks.IRET, next_eip)


def _iret_protected(cpu: X86Cpu, size: int) -> None:
    stack = Stack.current(cpu)
    eip, selector, flags = stack.pop(size), stack.pop(size) & M16, stack.pop(size)
    cpl = cpu.cpl
    if flags & VM and cpl == 0 and size == 4 and not cpu.efer & EFER_LMA:
        _return_to_vm86(cpu, stack, selector, eip, flags)
        return
    mask = _flags_mask(cpu, size, cpl)
    return_to(cpu, stack, size, selector, eip, bool(cpu.hflags & HF_CS64))
    _set_flags(cpu, flags, mask)


def _set_flags(cpu: X86Cpu, flags: int, mask: int) -> None:
    """Write EFLAGS. RF is only kept where an instruction breakpoint could see it: the next instruction clears it."""
    if not cpu.hflags & HF_BREAK:
        flags &= ~RF
    cpu.keep_rf = bool(flags & RF)
    cpu.set_eflags(flags, mask)


def _return_to_vm86(cpu: X86Cpu, stack: Stack, selector: int, eip: int, flags: int) -> None:
    """Enter virtual-8086 mode (SDM vol. 3, 20.2.3)."""
    pointer, stack_selector = stack.pop(4), stack.pop(4) & M16
    es, ds, fs, gs = (stack.pop(4) & M16 for _ in range(4))
    if eip > M16:
        raise gp(0)
    cpu.set_eflags(flags, M32)
    for index, value in enumerate((es, selector, stack_selector, ds, fs, gs)):
        cpu.load_segment_cache(index, value, value << 4, M16, VM86_DATA)
    cpu.update_hflags(3)
    set_sp(cpu, pointer, M32)
    cpu.eip = eip
