"""Far jumps, calls and returns through segments, call gates and TSSs (SDM vol. 2, JMP, CALL, RET; vol. 3, 5.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86 import tasks
from pyqemu.targets.x86.exceptions import gp, np, ts
from pyqemu.targets.x86.exceptions import ss as stack_fault
from pyqemu.targets.x86.layout import (
    CALL_GATE16,
    CALL_GATE32,
    CR4_SMAP,
    DESC_B,
    DESC_L,
    EFER_LMA,
    HF_CS64,
    M16,
    M32,
    M64,
    SS,
    TASK_GATE,
    TSS16,
    TSS16_BUSY,
    TSS32,
    TSS32_BUSY,
)
from pyqemu.targets.x86.mmu import canonical
from pyqemu.targets.x86.segmentation import (
    Descriptor,
    Stack,
    check_code_type,
    check_stack_segment,
    check_target,
    drop_inaccessible,
    fetch_descriptor,
    linear,
    set_accessed,
    set_code_segment,
    set_null_stack,
    set_sp,
    tss_stack,
    upper_base,
)

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

TSS_TYPES = frozenset({TSS16, TSS16_BUSY, TSS32, TSS32_BUSY})


def _check_code(cpu: X86Cpu, selector: int, descriptor: Descriptor) -> None:
    """Check a code segment that is jumped to or called directly: privilege doesn't change."""
    code = selector & 0xFFFC
    cpl = cpu.cpl
    if descriptor.is_conforming:
        if descriptor.dpl > cpl:
            raise gp(code)
    elif selector & 3 > cpl or descriptor.dpl != cpl:
        raise gp(code)
    check_code_type(cpu, descriptor, code)
    if not descriptor.present:
        raise np(code)


def _check_gate(cpu: X86Cpu, selector: int, gate: Descriptor) -> None:
    """Check privilege and presence of a gate or TSS descriptor that an instruction names."""
    code = selector & 0xFFFC
    if max(cpu.cpl, selector & 3) > gate.dpl:
        raise gp(code)
    if not gate.present:
        raise np(code)


def far_jump(cpu: X86Cpu, selector: int, offset: int, size: int, next_eip: int) -> None:
    """JMP ptr16:16/32/64 (`size` in bytes)."""
    if cpu.real_mode:
        cpu.set_real_code(selector)
        cpu.eip = offset
        return
    descriptor = fetch_descriptor(cpu, selector)
    if descriptor.is_code:
        _check_code(cpu, selector, descriptor)
        check_target(cpu, descriptor, offset)
        set_code_segment(cpu, selector, descriptor, cpu.cpl)
        cpu.eip = offset
    elif _is_task(cpu, descriptor):
        _switch(cpu, selector, descriptor, tasks.JMP, next_eip)
    elif _is_call_gate(cpu, descriptor):
        _check_gate(cpu, selector, descriptor)
        target, selector, offset = _gate_target(cpu, selector, descriptor, jump=True)
        set_code_segment(cpu, selector, target, cpu.cpl)
        cpu.eip = offset
    else:
        raise gp(selector & 0xFFFC)


def _is_task(cpu: X86Cpu, descriptor: Descriptor) -> bool:
    return (
        descriptor.is_system
        and not cpu.efer & EFER_LMA
        and (descriptor.type in TSS_TYPES or descriptor.type == TASK_GATE)
    )


def _is_call_gate(cpu: X86Cpu, descriptor: Descriptor) -> bool:
    types = (CALL_GATE32,) if cpu.efer & EFER_LMA else (CALL_GATE16, CALL_GATE32)
    return descriptor.is_system and descriptor.type in types


def _switch(cpu: X86Cpu, selector: int, descriptor: Descriptor, source: str, next_eip: int) -> None:
    """Switch tasks by a TSS selector or a task gate."""
    if descriptor.type != TASK_GATE:
        if selector & 4 or max(cpu.cpl, selector & 3) > descriptor.dpl:
            raise gp(selector & 0xFFFC)
        tasks.switch(cpu, selector, descriptor, source, next_eip)
        return
    _check_gate(cpu, selector, descriptor)
    tasks.switch_by_gate(cpu, descriptor.gate_selector, source, next_eip)


def _gate_target(cpu: X86Cpu, selector: int, gate: Descriptor, *, jump: bool) -> tuple[Descriptor, int, int]:
    """Return code segment, its selector and offset that a call gate leads to, checked (SDM vol. 3, table 5-1)."""
    offset = gate.gate_offset if gate.type & 8 else gate.gate_offset & M16
    if cpu.efer & EFER_LMA:
        offset |= upper_base(cpu, gate, selector)
    target = fetch_descriptor(cpu, gate.gate_selector)
    code = gate.gate_selector & 0xFFFC
    cpl = cpu.cpl
    if not target.is_code or target.dpl > cpl or (jump and not target.is_conforming and target.dpl != cpl):
        raise gp(code)
    if cpu.efer & EFER_LMA and target.high & (DESC_L | DESC_B) != DESC_L:
        raise gp(code)
    if not target.present:
        raise np(code)
    check_target(cpu, target, offset)
    return target, gate.gate_selector, offset


def far_call(cpu: X86Cpu, selector: int, offset: int, size: int, next_eip: int) -> None:
    """CALL ptr16:16/32/64."""
    if cpu.real_mode:
        if offset > cpu.cs.limit:
            raise gp(0)
        stack = Stack.current(cpu)
        stack.push(size, cpu.cs.selector)
        stack.push(size, next_eip)
        stack.commit()
        cpu.set_real_code(selector)
        cpu.eip = offset
        return
    descriptor = fetch_descriptor(cpu, selector)
    if descriptor.is_code:
        _check_code(cpu, selector, descriptor)
        _call_same(cpu, selector, descriptor, offset, size, next_eip)
    elif _is_task(cpu, descriptor):
        _switch(cpu, selector, descriptor, tasks.CALL, next_eip)
    elif _is_call_gate(cpu, descriptor):
        _check_gate(cpu, selector, descriptor)
        target, new_selector, offset = _gate_target(cpu, selector, descriptor, jump=False)
        size = 8 if cpu.efer & EFER_LMA else 4 if descriptor.type & 8 else 2
        if target.is_conforming or target.dpl == cpu.cpl:
            _call_same(cpu, new_selector, target, offset, size, next_eip)
        elif size == 8:
            _call_inner_long(cpu, new_selector, target, offset, next_eip)
        else:
            _call_inner(cpu, descriptor, new_selector, target, offset, next_eip)
    else:
        raise gp(selector & 0xFFFC)


def _call_same(cpu: X86Cpu, selector: int, descriptor: Descriptor, offset: int, size: int, next_eip: int) -> None:
    """Call within the current privilege level."""
    check_target(cpu, descriptor, offset)
    stack = Stack.current(cpu)
    stack.push(size, cpu.cs.selector)
    stack.push(size, next_eip)
    set_accessed(cpu, descriptor)
    stack.commit()
    set_code_segment(cpu, selector, descriptor, cpu.cpl)
    cpu.eip = offset


def _call_inner(cpu: X86Cpu, gate: Descriptor, selector: int, target: Descriptor, offset: int, next_eip: int) -> None:
    """Call to a more privileged level: new stack from the TSS, parameters copied (SDM vol. 3, 5.8.5)."""
    level = target.dpl
    size = 4 if gate.type & 8 else 2
    stack_selector, pointer = tss_stack(cpu, level)
    stack_segment = check_stack_segment(cpu, stack_selector, level, ts)
    old = Stack.current(cpu)
    new = Stack.of(cpu, stack_segment, pointer, level, stack_selector & 0xFFFC)
    count = gate.high & 31
    parameters = [old.peek(size * n, size) for n in range(count)]
    new.push(size, cpu.ss.selector)
    new.push(size, old.sp)
    for value in reversed(parameters):
        new.push(size, value)
    new.push(size, cpu.cs.selector)
    new.push(size, next_eip)
    set_accessed(cpu, stack_segment)
    set_accessed(cpu, target)
    cpu.load_segment_cache(
        SS, stack_selector & 0xFFFC | level, stack_segment.base, stack_segment.limit, stack_segment.flags
    )
    set_code_segment(cpu, selector, target, level)
    set_sp(cpu, new.sp, new.mask)
    cpu.eip = offset


def _call_inner_long(cpu: X86Cpu, selector: int, target: Descriptor, offset: int, next_eip: int) -> None:
    """The same through a 64-bit call gate: RSP from the TSS, SS becomes null, nothing is copied (SDM vol. 3,
    5.8.5.1).
    """
    level = target.dpl
    slot = 4 + 8 * level
    if slot + 7 > cpu.tr.limit:
        raise ts(cpu.tr.selector & 0xFFFC)
    rsp = cpu.load(linear(cpu, cpu.tr.base + slot), 8, 0)
    if not canonical(rsp - 8 & M64):
        raise stack_fault(0)
    mmu = 2 if cpu.cr4 & CR4_SMAP else 0
    for value in (cpu.ss.selector, cpu.rsp, cpu.cs.selector, next_eip):
        rsp = rsp - 8 & M64
        cpu.store(rsp, 8, value, mmu)
    set_accessed(cpu, target)
    set_null_stack(cpu, level)
    set_code_segment(cpu, selector, target, level)
    cpu.rsp = rsp
    cpu.eip = offset


def far_return(cpu: X86Cpu, size: int, release: int) -> None:
    """RET far, then drop `release` bytes of parameters."""
    stack = Stack.current(cpu)
    eip = stack.pop(size)
    selector = stack.pop(size) & M16
    if cpu.real_mode:
        if eip > cpu.cs.limit:
            raise gp(0)
        stack.sp = stack.sp + release & stack.mask
        stack.commit()
        cpu.set_real_code(selector)
        cpu.eip = eip
        return
    stack.sp = stack.sp + release & stack.mask
    if not return_to(cpu, stack, size, selector, eip):
        return
    set_sp(cpu, cpu.rsp + release & M64, M64 if cpu.hflags & HF_CS64 else _stack_mask(cpu))


def _stack_mask(cpu: X86Cpu) -> int:
    return M32 if cpu.ss.flags & DESC_B else M16


def return_to(cpu: X86Cpu, stack: Stack, size: int, selector: int, eip: int, long_iret: bool = False) -> bool:
    """Finish a far return or IRET in protected or long mode with CS:EIP already popped from `stack`.

    :param long_iret: IRET in 64-bit mode, which pops SS:RSP even without a change of privilege.
    :return: whether the return went to an outer level.
    """
    descriptor = fetch_descriptor(cpu, selector)
    code, rpl, cpl = selector & 0xFFFC, selector & 3, cpu.cpl
    right = descriptor.dpl <= rpl if descriptor.is_conforming else descriptor.dpl == rpl
    if not descriptor.is_code or rpl < cpl or not right:
        raise gp(code)
    check_code_type(cpu, descriptor, code)
    if not descriptor.present:
        raise np(code)
    if rpl == cpl and not long_iret:
        check_target(cpu, descriptor, eip)
        set_accessed(cpu, descriptor)
        stack.commit()
        set_code_segment(cpu, selector, descriptor, cpl)
        cpu.eip = eip
        return False
    pointer = stack.pop(size)
    stack_selector = stack.pop(size) & M16
    _return_outer(cpu, descriptor, selector, eip, stack_selector, pointer)
    return rpl != cpl


def _return_outer(
    cpu: X86Cpu, descriptor: Descriptor, selector: int, eip: int, stack_selector: int, pointer: int
) -> None:
    """Load SS:RSP and CS:RIP of the level returned to."""
    rpl, cpl = selector & 3, cpu.cpl
    to_long = bool(cpu.efer & EFER_LMA and descriptor.high & DESC_L)
    segment = None
    if not stack_selector & 0xFFFC:
        if not to_long or rpl == 3 or stack_selector & 3 != rpl:
            raise gp(0)
    else:
        segment = check_stack_segment(cpu, stack_selector, rpl, gp)
    check_target(cpu, descriptor, eip)
    set_accessed(cpu, descriptor)
    if segment is None:
        set_null_stack(cpu, stack_selector)
    else:
        set_accessed(cpu, segment)
        cpu.load_segment_cache(SS, stack_selector, segment.base, segment.limit, segment.flags)
    set_code_segment(cpu, selector, descriptor, rpl)
    set_sp(cpu, pointer, M64 if to_long else _stack_mask(cpu))
    cpu.eip = eip
    if rpl > cpl:
        drop_inaccessible(cpu, rpl)
        cpu.update_hflags()
