"""Processors of 64 bits in dumps: the notes that gdb, crash and QEMU's tools read.

``NT_PRSTATUS`` is Linux's ``struct elf_prstatus`` (include/linux/elfcore.h), ``NT_PRFPREG`` its ``struct
user_fpsimd_state`` (arch/arm64/include/uapi/asm/ptrace.h).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pyqemu.system.dump.target import DumpTarget, Mapping, note
from pyqemu.targets.aarch64.layout import M64

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

EM_AARCH64 = 183
NT_PRSTATUS, NT_PRFPREG = 1, 2

_PRSTATUS = struct.Struct("<32xi76x34Qi4x")  # pid, registers, SP, PC and PSTATE, fpvalid
_FPREG = struct.Struct("<64QII8x")


class Aarch64DumpTarget(DumpTarget):
    """The processors of a machine."""

    wide = True
    elf_machine = EM_AARCH64
    machine_name = "aarch64"

    def __init__(self, cpus: Sequence[Aarch64Cpu]) -> None:
        self._cpus = cpus
        self.memory = cpus[0].memory

    @property
    def cpus(self) -> int:
        return len(self._cpus)

    def notes(self) -> bytes:
        return b"".join(part for index, cpu in enumerate(self._cpus) for part in _notes(cpu, index))

    def mappings(self) -> Iterator[Mapping] | None:
        """QEMU tells of none for Arm."""
        return None


def _notes(cpu: Aarch64Cpu, index: int) -> Iterator[bytes]:
    registers = (*(cpu.x[number] for number in range(31)), cpu.sp, cpu.pc, cpu.pstate)
    yield note(b"CORE", NT_PRSTATUS, _PRSTATUS.pack(index + 1, *registers, 1))
    halves = (half for number in range(32) for half in (cpu.v[number] & M64, cpu.v[number] >> 64))
    yield note(b"CORE", NT_PRFPREG, _FPREG.pack(*halves, cpu.fpsr, cpu.fpcr))
