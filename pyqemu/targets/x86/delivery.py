"""One event through one gate: IVT, 16- and 32-bit IDT, 64-bit IDT (SDM vol. 3, 6.11 to 6.14, 20.1.4; vol. 2, INT).

Everything is checked and pushed before a register changes, so a fault here leaves the interrupted context as it was,
and can itself be delivered from it. The one exception is a task gate: faults after the switch belong to the new task.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pyqemu.targets.x86 import tasks
from pyqemu.targets.x86.exceptions import X86Exception, gp, np, ss, ts
from pyqemu.targets.x86.layout import (
    AC,
    CR4,
    CR4_SMAP,
    CS,
    DESC_B,
    DESC_C,
    DESC_L,
    EFER_LMA,
    EFLAGS,
    EIP,
    HF_CPL,
    HF_PE,
    HF_VM,
    HFLAGS,
    IDT_BASE,
    IDT_LIMIT,
    IF,
    INT_GATE16,
    INT_GATE32,
    M16,
    M32,
    M64,
    NT,
    RF,
    RSP,
    SEG_SELECTOR,
    SS,
    TASK_GATE,
    TF,
    TRAP_GATE16,
    TRAP_GATE32,
    VM,
)
from pyqemu.targets.x86.mmu import canonical
from pyqemu.targets.x86.segmentation import (
    ATTRIBUTES,
    Descriptor,
    Stack,
    check_stack_segment,
    check_target,
    fetch_descriptor,
    load_null,
    set_accessed,
    set_code_segment,
    set_null_stack,
    set_sp,
    tss_stack,
)

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

DATA_SEGMENTS = (5, 4, 3, 0)  # GS FS DS ES, in the order in which leaving virtual-8086 mode pushes them
FRAME, FRAME_WITH_CODE = struct.Struct("<5Q"), struct.Struct("<6Q")
GATES = frozenset({TASK_GATE, INT_GATE16, TRAP_GATE16, INT_GATE32, TRAP_GATE32})


def deliver_once(cpu: X86Cpu, exc: X86Exception, ext: int) -> None:
    """Transfer control to the handler of `exc`.

    :param ext: the EXT bit for error codes of faults on the way.
    :raise X86Exception: the delivery itself faults.
    """
    return_eip = cpu.eip if exc.next_eip is None else exc.next_eip
    if not cpu.hflags & HF_PE:
        _deliver_real(cpu, exc, return_eip)
    elif cpu.efer & EFER_LMA:
        _deliver_long(cpu, exc, return_eip, ext)
    else:
        _deliver_protected(cpu, exc, return_eip, ext)


def _saved_flags(cpu: X86Cpu, exc: X86Exception) -> int:
    """Return the EFLAGS image to push; RF is set for faults, so that an instruction breakpoint doesn't hit again."""
    image = cpu.get_eflags()
    return image | RF if exc.is_fault else image & ~RF


def _deliver_real(cpu: X86Cpu, exc: X86Exception, return_eip: int) -> None:
    """Go through the interrupt vector table (SDM vol. 3, 20.1.4)."""
    offset = exc.vector * 4
    if offset + 3 > cpu.idt_limit:
        raise gp(exc.vector * 8 + 2)
    target = cpu.load(cpu.idt_base + offset & M32, 4, 0)
    stack = Stack.current(cpu)
    stack.push(2, cpu.get_eflags() & M16)
    stack.push(2, cpu.cs.selector)
    stack.push(2, return_eip & M16)
    stack.commit()
    cpu.set_real_code(target >> 16)
    cpu.eip = target & M16
    cpu.set_eflags(0, IF | TF | AC | RF)


def _deliver_protected(cpu: X86Cpu, exc: X86Exception, return_eip: int, ext: int) -> None:
    """Go through a gate of the 8-byte IDT."""
    code = exc.vector * 8 + 2 + ext
    if exc.vector * 8 + 7 > cpu.idt_limit:
        raise gp(code)
    raw = cpu.load(cpu.idt_base + exc.vector * 8 & M32, 8, 0)
    gate = Descriptor(raw & M32, raw >> 32, 0)
    if not gate.is_system or gate.type not in GATES or (exc.is_software and gate.dpl < cpu.cpl):
        raise gp(code)
    if not gate.present:
        raise np(code)
    if gate.type == TASK_GATE:
        tasks.switch_for_event(cpu, gate.gate_selector, return_eip, exc, ext)
        return
    descriptor = _handler(cpu, gate.gate_selector, ext)
    if not descriptor.is_conforming and descriptor.dpl < cpu.cpl:
        _enter_inner(cpu, exc, gate, descriptor, return_eip, ext)
    elif cpu.hflags & HF_VM:
        raise gp(gate.gate_selector & 0xFFFC | ext)
    else:
        _enter_same(cpu, exc, gate, descriptor, return_eip, ext)
    if not gate.type & 1:
        cpu.eflags_rest &= ~IF


def _handler(cpu: X86Cpu, selector: int, ext: int) -> Descriptor:
    """Return the code segment that a gate leads to, checked."""
    descriptor = fetch_descriptor(cpu, selector, gp, ext)
    code = selector & 0xFFFC | ext
    if not descriptor.is_code or descriptor.dpl > cpu.cpl:
        raise gp(code)
    if not descriptor.present:
        raise np(code)
    return descriptor


def _push_frame(cpu: X86Cpu, exc: X86Exception, stack: Stack, size: int, return_eip: int) -> None:
    """Push flags, CS, EIP and the error code if there is one."""
    stack.push_all(size, _frame(cpu, exc, return_eip))


def _frame(cpu: X86Cpu, exc: X86Exception, return_eip: int) -> list[int]:
    frame = [_saved_flags(cpu, exc), cpu.cs.selector, return_eip]
    if exc.error_code is not None:
        frame.append(exc.error_code)
    return frame


def _gate_target(cpu: X86Cpu, gate: Descriptor, descriptor: Descriptor, ext: int) -> tuple[int, int]:
    """Return element size and offset of a gate's target, checked against its code segment's limit."""
    size = 4 if gate.type & 8 else 2
    offset = gate.gate_offset if size == 4 else gate.gate_offset & M16
    check_target(cpu, descriptor, offset, ext)
    return size, offset


def _enter_same(
    cpu: X86Cpu, exc: X86Exception, gate: Descriptor, descriptor: Descriptor, return_eip: int, ext: int
) -> None:
    """Enter a handler without a change of privilege."""
    size, offset = _gate_target(cpu, gate, descriptor, ext)
    stack = Stack.current(cpu, ext)
    _push_frame(cpu, exc, stack, size, return_eip)
    set_accessed(cpu, descriptor)
    stack.commit()
    cpu.set_eflags(0, TF | NT | RF | VM)
    set_code_segment(cpu, gate.gate_selector, descriptor, cpu.cpl)
    cpu.eip = offset


def _enter_inner(
    cpu: X86Cpu, exc: X86Exception, gate: Descriptor, descriptor: Descriptor, return_eip: int, ext: int
) -> None:
    """Enter a more privileged handler, on the stack that the TSS names for it; also leaves virtual-8086 mode."""
    level = descriptor.dpl
    vm86 = cpu.hflags & HF_VM
    if vm86 and level:
        raise gp(gate.gate_selector & 0xFFFC | ext)
    selector, pointer = tss_stack(cpu, level, ext)
    stack_segment = check_stack_segment(cpu, selector, level, ts, ext)
    size, offset = _gate_target(cpu, gate, descriptor, ext)
    stack = Stack.of(cpu, stack_segment, pointer, level, selector & 0xFFFC | ext)
    frame = [cpu.seg[index].selector for index in DATA_SEGMENTS] if vm86 else []
    stack.push_all(size, [*frame, cpu.ss.selector, cpu.rsp, *_frame(cpu, exc, return_eip)])
    set_accessed(cpu, stack_segment)
    set_accessed(cpu, descriptor)
    cpu.set_eflags(0, TF | NT | RF | VM)
    cpu.update_hflags(level)
    if vm86:
        for index in DATA_SEGMENTS:
            load_null(cpu, index, 0)
    cpu.load_segment_cache(SS, selector, stack_segment.base, stack_segment.limit, stack_segment.flags)
    set_code_segment(cpu, gate.gate_selector, descriptor, level)
    set_sp(cpu, stack.sp, stack.mask)
    cpu.eip = offset


# --- 64-bit mode
# ------------------------------------------------------------------------------------------------------


def _tss_pointer(cpu: X86Cpu, offset: int, ext: int) -> int:
    """Return a stack pointer of the 64-bit TSS (SDM vol. 3, 7.7)."""
    if offset + 7 > cpu.tr.limit:
        raise ts(cpu.tr.selector & 0xFFFC | ext)
    return cpu.load(cpu.tr.base + offset & M64, 8, 0)


def _deliver_long(cpu: X86Cpu, exc: X86Exception, return_eip: int, ext: int) -> None:
    """Go through a gate of the 16-byte IDT (SDM vol. 3, 6.14). Every page fault comes through here: this is kept
    lean.
    """
    q = cpu.q
    code = exc.vector * 8 + 2 + ext
    offset = exc.vector * 16
    if offset + 15 > q[IDT_LIMIT >> 3]:
        raise gp(code)
    gate = q[IDT_BASE >> 3] + offset & M64
    low, high = cpu.load(gate, 8, 0), cpu.load(gate + 8 & M64, 8, 0)
    cpl = q[HFLAGS >> 3] & HF_CPL
    if low >> 40 & 0x1F not in (INT_GATE32, TRAP_GATE32) or (exc.is_software and low >> 45 & 3 < cpl):
        raise gp(code)
    if not low >> 47 & 1:
        raise np(code)
    selector = low >> 16 & 0xFFFF
    descriptor = _handler(cpu, selector, ext)
    if descriptor.high & (DESC_L | DESC_B) != DESC_L:
        raise gp(selector & 0xFFFC | ext)
    level = cpl if descriptor.high & DESC_C else descriptor.high >> 13 & 3
    target = low & M16 | low >> 32 & 0xFFFF0000 | (high & M32) << 32
    if not canonical(target):
        raise gp(ext)
    rsp = _long_stack(cpu, low >> 32 & 7, level, ext)
    rsp = _push_long_frame(cpu, exc, rsp, level, return_eip)
    set_accessed(cpu, descriptor)
    q[RSP >> 3], q[EIP >> 3] = rsp, target
    q[EFLAGS >> 3] &= ~(TF | NT | RF | VM) if low >> 40 & 1 else ~(TF | NT | RF | VM | IF)
    if level != cpl:
        set_null_stack(cpu, level)
    attributes = descriptor.high & ATTRIBUTES
    cpu.load_segment_cache(CS, selector & 0xFFFC | level, descriptor.base, descriptor.limit, attributes)
    cpu.update_hflags(level)


def _long_stack(cpu: X86Cpu, ist: int, level: int, ext: int) -> int:
    """Return the handler's stack pointer, aligned: from the interrupt stack table, the TSS, or the current one."""
    if ist:
        rsp = _tss_pointer(cpu, 28 + 8 * ist, ext)
    elif level < cpu.q[HFLAGS >> 3] & HF_CPL:
        rsp = _tss_pointer(cpu, 4 + 8 * level, ext)
    else:
        rsp = cpu.q[RSP >> 3]
    rsp &= -16
    if not canonical(rsp - 8 & M64):
        raise ss(ext)
    return rsp


def _push_long_frame(cpu: X86Cpu, exc: X86Exception, rsp: int, level: int, return_eip: int) -> int:
    """Push SS, RSP, RFLAGS, CS, RIP and the error code if there is one; return the new RSP."""
    q = cpu.q
    mmu = 1 if level == 3 else 2 if q[CR4 >> 3] & CR4_SMAP else 0
    frame = (return_eip, q[SEG_SELECTOR(CS) >> 3], _saved_flags(cpu, exc), q[RSP >> 3], q[SEG_SELECTOR(SS) >> 3])
    if exc.error_code is None:
        data = FRAME.pack(*frame)
    else:
        data = FRAME_WITH_CODE.pack(exc.error_code, *frame)
    rsp = rsp - len(data) & M64
    cpu.write(rsp, data, mmu)
    return rsp
