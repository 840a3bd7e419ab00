"""The processor as the human monitor sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pyqemu.system.inspection import CpuView, MachineCode, Text
from pyqemu.targets.arm import debug

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu


class ArmView(CpuView):
    """One processor, for people to look at."""

    def __init__(self, cpu: ArmCpu, *, index: int = 0) -> None:
        self.cpu = cpu
        self.index = index
        self.memory, self.io = cpu.memory, None
        self.address_digits = 8
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
        ends = debug.disassemble(code, address, thumb=self.cpu.thumb)
        places = [at for at, _ in ends[1:]] + [address + len(code)]
        return [
            MachineCode(at, code[at - address : end - address], text)
            for (at, text), end in zip(ends, places, strict=True)
        ]
