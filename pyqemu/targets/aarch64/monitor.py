"""The processor as the human monitor sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pyqemu.system.inspection import CpuView, MachineCode, Text
from pyqemu.targets.aarch64 import debug

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

INSTRUCTION = 4  # bytes


class Aarch64View(CpuView):
    """One processor, for people to look at."""

    def __init__(self, cpu: Aarch64Cpu, *, index: int = 0) -> None:
        self.cpu = cpu
        self.index = index
        self.memory, self.io = cpu.memory, None
        self.address_digits = 16
        self.infos: Mapping[str, Text] = {}

    @property
    def register_names(self) -> Iterable[str]:
        return tuple(self.cpu.registers())

    def register(self, name: str) -> int | None:
        return self.cpu.registers().get(name)

    @property
    def program_counter(self) -> int:
        return self.cpu.pc

    @property
    def halted(self) -> bool:
        return self.cpu.halted

    def registers_text(self) -> str:
        return debug.registers_text(self.cpu)

    def translate(self, vaddr: int) -> int | None:
        return self.cpu.debug_translate(vaddr)

    def disassemble(self, code: bytes, address: int, size: int = -1) -> list[MachineCode]:
        whole = code[: len(code) // INSTRUCTION * INSTRUCTION]
        return [
            MachineCode(at, code[at - address : at - address + INSTRUCTION], text)
            for at, text in debug.disassemble(whole, address)
        ]
