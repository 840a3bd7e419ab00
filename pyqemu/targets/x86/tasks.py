"""Hardware task switching with 16- and 32-bit TSSs (SDM vol. 3, chapter 7).

Before the commit point every table is read and probed and faults belong to the old task; after it they belong to the
new one (7.3), whose registers are then in place already. Long mode has no task switches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.targets.x86.exceptions import X86Exception, gp, np, ts
from pyqemu.targets.x86.layout import (
    CR0_PG,
    CR0_TS,
    CS,
    DESC_P,
    DR6_BT,
    DS,
    ES,
    EXC_DB,
    FS,
    GPR,
    GS,
    LDT,
    LDTR,
    M16,
    M32,
    NT,
    RF,
    SS,
    TR,
    TSS16,
    TSS16_BUSY,
    TSS32,
    TSS32_BUSY,
    VM,
)
from pyqemu.targets.x86.segmentation import (
    Descriptor,
    Stack,
    check_stack_segment,
    fetch_descriptor,
    linear,
    read_descriptor,
    set_accessed,
    set_busy,
)

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

JMP, CALL, IRET = "jmp", "call", "iret"  # a gate taken by an event counts as CALL
VM86_DATA = 0x0000F300  # present, DPL 3, writable data


@dataclass(slots=True)
class TaskState:
    """The registers in a TSS."""

    cr3: int | None  # None: a 16-bit TSS has none
    eip: int
    eflags: int
    registers: list[int]
    selectors: list[int]  # ES CS SS DS FS GS
    ldt: int
    trap: bool


def switch_by_gate(cpu: X86Cpu, selector: int, source: str, next_eip: int, ext: int = 0) -> None:
    """Switch to the task whose TSS selector a task gate holds."""
    code = selector & 0xFFFC | ext
    if selector & 4:
        raise gp(code)
    switch(cpu, selector, fetch_descriptor(cpu, selector, gp, ext), source, next_eip, ext)


def switch_for_event(cpu: X86Cpu, selector: int, return_eip: int, exc: X86Exception, ext: int) -> None:
    """Take an interrupt or exception through a task gate; the error code goes onto the new task's stack."""
    saved = cpu.eflags_rest
    if exc.is_fault:
        cpu.eflags_rest |= RF
    try:
        switch_by_gate(cpu, selector, CALL, return_eip, ext)
    except X86Exception:
        cpu.eflags_rest &= ~RF | saved
        raise
    if exc.error_code is not None:
        stack = Stack.current(cpu)
        stack.push(4 if cpu.tr.flags & 0x800 else 2, exc.error_code)
        stack.commit()


def switch(cpu: X86Cpu, selector: int, descriptor: Descriptor, source: str, next_eip: int, ext: int = 0) -> None:
    """Switch from the current task to the one that a TSS descriptor describes.

    :param next_eip: where the current task will go on.
    """
    _check(selector, descriptor, source, ext)
    wide = bool(descriptor.type & 8)
    if descriptor.limit < (0x67 if wide else 0x2B):
        raise ts(selector & 0xFFFC | ext)
    state = (_read32 if wide else _read16)(cpu, descriptor.base)
    old_selector = cpu.tr.selector
    old = read_descriptor(cpu, old_selector) if source != CALL else None
    eflags = cpu.get_eflags()
    _save(cpu, next_eip, eflags & ~NT if source == IRET else eflags)
    if old is not None:
        set_busy(cpu, old, False)
    if source == CALL:
        cpu.store(descriptor.base, 2, old_selector, 0)
        state.eflags |= NT
    if source != IRET:
        set_busy(cpu, descriptor, True)
    cpu.cr0 |= CR0_TS
    cpu.load_segment_cache(TR, selector, descriptor.base, descriptor.limit, descriptor.flags)
    _load(cpu, state, wide)


def _check(selector: int, descriptor: Descriptor, source: str, ext: int) -> None:
    """Refuse what is not a TSS of the right kind, or not present."""
    code = selector & 0xFFFC | ext
    wanted = (TSS16_BUSY, TSS32_BUSY) if source == IRET else (TSS16, TSS32)
    if not descriptor.is_system or descriptor.type not in wanted:
        raise (ts if source == IRET else gp)(code)
    if not descriptor.present:
        raise np(code)


def _read32(cpu: X86Cpu, base: int) -> TaskState:
    """Read a 32-bit TSS (SDM vol. 3, figure 7-2)."""

    def word(offset: int, size: int = 4) -> int:
        return cpu.load(base + offset & M32, size, 0)

    return TaskState(
        cr3=word(0x1C),
        eip=word(0x20),
        eflags=word(0x24),
        registers=[word(0x28 + 4 * n) for n in range(8)],
        selectors=[word(0x48 + 4 * n, 2) for n in range(6)],
        ldt=word(0x60, 2),
        trap=bool(word(0x64, 2) & 1),
    )


def _read16(cpu: X86Cpu, base: int) -> TaskState:
    """Read a 16-bit TSS (SDM vol. 3, figure 7-10). FS and GS become null; the upper halves of registers are set, as
    on processors since the 80386.
    """

    def word(offset: int) -> int:
        return cpu.load(base + offset & M32, 2, 0)

    return TaskState(
        cr3=None,
        eip=word(0x0E),
        eflags=word(0x10),
        registers=[word(0x12 + 2 * n) | 0xFFFF0000 for n in range(8)],
        selectors=[word(0x22 + 2 * n) for n in range(4)] + [0, 0],
        ldt=word(0x2A),
        trap=False,
    )


def _save(cpu: X86Cpu, eip: int, eflags: int) -> None:
    """Write the current task's registers to its TSS; the first and the last write are probed first."""
    base = cpu.tr.base
    registers = [cpu.q[(GPR >> 3) + n] for n in range(8)]
    if cpu.tr.flags & 0x800:
        fields = [(0x20, 4, eip), (0x24, 4, eflags)]
        fields += [(0x28 + 4 * n, 4, value & M32) for n, value in enumerate(registers)]
        fields += [(0x48 + 4 * n, 2, cpu.seg[n].selector) for n in range(6)]
    else:
        fields = [(0x0E, 2, eip & M16), (0x10, 2, eflags & M16)]
        fields += [(0x12 + 2 * n, 2, value & M16) for n, value in enumerate(registers)]
        fields += [(0x22 + 2 * n, 2, cpu.seg[n].selector) for n in range(4)]
    for offset, size, value in [fields[-1], *fields[:-1]]:
        cpu.store(base + offset & M32, size, value, 0)


def _load(cpu: X86Cpu, state: TaskState, wide: bool) -> None:
    """Take over the new task's registers. From here on faults belong to the new task."""
    if state.cr3 is not None and cpu.cr0 & CR0_PG:
        cpu.cr3 = state.cr3
        cpu.tlb_flush()
    for n, value in enumerate(state.registers):
        cpu.q[(GPR >> 3) + n] = value
    cpu.eip = state.eip
    cpu.dr7 &= ~0x155
    cpu.update_control()
    cpu.set_eflags(state.eflags, M32 if wide else M16 | VM | RF)
    vm86 = wide and state.eflags & VM
    cpu.update_hflags(3 if vm86 else state.selectors[CS] & 3)
    cpu.load_segment_cache(LDTR, state.ldt, 0, 0, 0)
    for index, selector in enumerate(state.selectors):
        if vm86:
            cpu.load_segment_cache(index, selector, selector << 4, M16, VM86_DATA)
        else:
            cpu.load_segment_cache(index, selector, 0, 0, 0)
    cpu.update_hflags()
    _load_ldtr(cpu, state.ldt)
    if not vm86:
        _load_segments(cpu, state.selectors)
    if state.eip > cpu.cs.limit:
        raise gp(0)
    if state.trap:
        raise X86Exception(EXC_DB, dr6=DR6_BT)


def _load_ldtr(cpu: X86Cpu, selector: int) -> None:
    if not selector & 0xFFFC:
        return
    code = selector & 0xFFFC
    descriptor = None if selector & 4 else read_descriptor(cpu, selector)
    if descriptor is None or not descriptor.is_system or descriptor.type != LDT or not descriptor.high & DESC_P:
        raise ts(code)
    cpu.load_segment_cache(LDTR, selector, descriptor.base, descriptor.limit, descriptor.flags)


def _load_segments(cpu: X86Cpu, selectors: list[int]) -> None:
    """Load CS, SS and the data segments with the checks of SDM vol. 3, table 7-1."""
    cpl = selectors[CS] & 3
    code = _check_code(cpu, selectors[CS])
    stack = check_stack_segment(cpu, selectors[SS], cpl, ts)
    for index, descriptor in ((CS, code), (SS, stack)):
        set_accessed(cpu, descriptor)
        cpu.load_segment_cache(index, selectors[index], descriptor.base, descriptor.limit, descriptor.flags)
    cpu.update_hflags()
    for index in (ES, DS, FS, GS):
        _load_data(cpu, index, selectors[index], cpl)
    cpu.update_hflags()


def _check_code(cpu: X86Cpu, selector: int) -> Descriptor:
    descriptor = fetch_descriptor(cpu, selector, ts)
    rpl = selector & 3
    right = descriptor.dpl <= rpl if descriptor.is_conforming else descriptor.dpl == rpl
    if not descriptor.is_code or not right:
        raise ts(selector & 0xFFFC)
    if not descriptor.present:
        raise np(selector & 0xFFFC)
    return descriptor


def _load_data(cpu: X86Cpu, index: int, selector: int, cpl: int) -> None:
    if not selector & 0xFFFC:
        return
    descriptor = fetch_descriptor(cpu, selector, ts)
    code = selector & 0xFFFC
    allowed = descriptor.is_conforming or max(cpl, selector & 3) <= descriptor.dpl
    if not descriptor.is_readable or not allowed:
        raise ts(code)
    if not descriptor.present:
        raise np(code)
    set_accessed(cpu, descriptor)
    cpu.load_segment_cache(index, selector, descriptor.base, descriptor.limit, descriptor.flags)


def io_permitted(cpu: X86Cpu, port: int, size: int) -> bool:
    """Return whether the I/O permission bitmap of the current TSS opens ports (SDM vol. 1, 18.5.2)."""
    tr = cpu.tr
    if not tr.flags & DESC_P or tr.flags >> 8 & 0xD != 9 or tr.limit < 103:
        return False
    offset = cpu.load(linear(cpu, tr.base + 0x66), 2, 0) + (port >> 3)
    if offset + 1 > tr.limit:
        return False
    bits = cpu.load(linear(cpu, tr.base + offset), 2, 0)
    return not bits >> (port & 7) & (1 << size) - 1
