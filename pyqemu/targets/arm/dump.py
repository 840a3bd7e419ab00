"""Processors of 32 bits in dumps: the notes that gdb, crash and QEMU's tools read.

``NT_PRSTATUS`` is Linux's ``struct elf_prstatus`` (include/linux/elfcore.h, arch/arm/include/asm/ptrace.h),
``NT_ARM_VFP`` its ``struct user_vfp`` (arch/arm/include/asm/user.h).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pyqemu.system.dump.target import DumpTarget, Mapping, note

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

EM_ARM = 40
NT_PRSTATUS, NT_ARM_VFP = 1, 0x400

_PRSTATUS = struct.Struct("<24xi44x17I4xi")  # pid, registers and CPSR, fpvalid
_VFP = struct.Struct("<32QI")


class ArmDumpTarget(DumpTarget):
    """The processors of a machine."""

    wide = False
    elf_machine = EM_ARM

    def __init__(self, cpus: Sequence[ArmCpu]) -> None:
        self._cpus = cpus
        self.memory = cpus[0].memory

    @property
    def cpus(self) -> int:
        return len(self._cpus)

    @property
    def machine_name(self) -> str:
        model = self._cpus[0].model
        return "armv7l" if model.has("v7") else "armv6l" if model.has("v6") else "armv5tejl"

    def notes(self) -> bytes:
        return b"".join(part for index, cpu in enumerate(self._cpus) for part in _notes(cpu, index))

    def mappings(self) -> Iterator[Mapping] | None:
        """QEMU tells of none for Arm."""
        return None


def _notes(cpu: ArmCpu, index: int) -> Iterator[bytes]:
    has_vfp = cpu.model.has("vfp")
    registers = (*(cpu.r[number] for number in range(15)), cpu.pc, cpu.cpsr)
    yield note(b"CORE", NT_PRSTATUS, _PRSTATUS.pack(index + 1, *registers, has_vfp))
    if has_vfp:
        yield note(b"LINUX", NT_ARM_VFP, _VFP.pack(*(cpu.v[number] for number in range(32)), cpu.fpscr))
