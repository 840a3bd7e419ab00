"""x86 processors in dumps: the notes that gdb, crash and QEMU's tools read.

``NT_PRSTATUS`` is Linux's ``struct elf_prstatus`` (arch/x86/include/asm/user_32.h and user_64.h); the note ``QEMU`` has
what that cannot tell, in QEMU's own layout (version 1).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyqemu.system.dump.target import DumpTarget, Mapping, note
from pyqemu.targets.x86.layout import CR0_PG, EFER_LMA, M16, M32
from pyqemu.targets.x86.monitor import mappings

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import SegmentCache, X86Cpu

EM_386, EM_X86_64 = 3, 62
NT_PRSTATUS = 1
STATE_VERSION = 1

_PRSTATUS_64 = struct.Struct("<32xi76x27Qi4x")  # pid, registers, fpvalid
_PRSTATUS_32 = struct.Struct("<24xi44x17Ii")
_STATE = struct.Struct("<II18Q")  # version, size, general registers, then segments, control registers
_SEGMENT = struct.Struct("<IIIIQ")  # selector, limit, flags, padding, base
_TAIL = struct.Struct("<5QQ")  # CR0 to CR4, the kernel's GS base


class X86DumpTarget(DumpTarget):
    """The processors of a machine."""

    def __init__(self, cpus: list[X86Cpu]) -> None:
        self._cpus = cpus
        self.memory = cpus[0].memory

    @property
    def cpus(self) -> int:
        return len(self._cpus)

    @property
    def wide(self) -> bool:
        return bool(self._cpus[0].efer & EFER_LMA)

    @property
    def elf_machine(self) -> int:
        return EM_X86_64 if self.wide else EM_386

    @property
    def machine_name(self) -> str:
        return "x86_64" if self._cpus[0].model.has("lm") else "i686"

    def notes(self) -> bytes:
        status = [note(b"CORE", NT_PRSTATUS, _prstatus(cpu, index)) for index, cpu in enumerate(self._cpus)]
        return b"".join([*status, *(note(b"QEMU", 0, _state(cpu)) for cpu in self._cpus)])

    def mappings(self) -> Iterator[Mapping] | None:
        cpu = next((cpu for cpu in self._cpus if cpu.cr0 & CR0_PG), None)
        if cpu is None:
            return None
        return (Mapping(page.vaddr, page.physical, page.size) for page in mappings(cpu))


def _prstatus(cpu: X86Cpu, index: int) -> bytes:
    if not cpu.efer & EFER_LMA:
        narrow = (cpu.rbx, cpu.rcx, cpu.rdx, cpu.rsi, cpu.rdi, cpu.rbp, cpu.rax, cpu.ds.selector, cpu.es.selector,
                  cpu.fs.selector, cpu.gs.selector, 0, cpu.eip, cpu.cs.selector, cpu.get_eflags(), cpu.rsp,
                  cpu.ss.selector)  # fmt: skip
        return _PRSTATUS_32.pack(index + 1, *(value & M32 for value in narrow), 0)
    return _PRSTATUS_64.pack(
        index + 1,
        cpu.r15, cpu.r14, cpu.r13, cpu.r12, cpu.rbp, cpu.rbx, cpu.r11, cpu.r10, cpu.r9, cpu.r8, cpu.rax, cpu.rcx,
        cpu.rdx, cpu.rsi, cpu.rdi, 0, cpu.eip, cpu.cs.selector, cpu.get_eflags(), cpu.rsp, cpu.ss.selector,
        cpu.fs.base, cpu.gs.base, cpu.ds.selector, cpu.es.selector, cpu.fs.selector, cpu.gs.selector,
        0,
    )  # fmt: skip


def _state(cpu: X86Cpu) -> bytes:
    segments = b"".join(map(_segment, (cpu.cs, cpu.ds, cpu.es, cpu.fs, cpu.gs, cpu.ss, cpu.ldtr, cpu.tr)))
    tables = _SEGMENT.pack(0, cpu.gdt_limit & M32, 0, 0, cpu.gdt_base)
    tables += _SEGMENT.pack(0, cpu.idt_limit & M32, 0, 0, cpu.idt_base)
    tail = _TAIL.pack(cpu.cr0, 0, cpu.cr2, cpu.cr3, cpu.cr4, cpu.kernel_gs_base)
    size = _STATE.size + len(segments) + len(tables) + len(tail)
    general = _STATE.pack(
        STATE_VERSION, size,
        cpu.rax, cpu.rbx, cpu.rcx, cpu.rdx, cpu.rsi, cpu.rdi, cpu.rsp, cpu.rbp,
        cpu.r8, cpu.r9, cpu.r10, cpu.r11, cpu.r12, cpu.r13, cpu.r14, cpu.r15, cpu.eip, cpu.get_eflags(),
    )  # fmt: skip
    return general + segments + tables + tail


def _segment(segment: SegmentCache) -> bytes:
    return _SEGMENT.pack(segment.selector & M16, segment.limit & M32, segment.flags, 0, segment.base)
