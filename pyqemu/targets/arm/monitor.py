"""The processor as the human monitor sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from pyqemu.system.inspection import CpuView, MachineCode, Text
from pyqemu.targets.arm import debug

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace
    from pyqemu.targets.arm.state import ArmCpu


class ViewedCpu(Protocol):
    """What both states of a processor have for people to look at."""

    @property
    def memory(self) -> AddressSpace: ...
    @property
    def pc(self) -> int: ...
    @property
    def halted(self) -> bool: ...
    def registers(self) -> Mapping[str, int]: ...
    def registers_text(self) -> str: ...
    def debug_translate(self, vaddr: int) -> int | None: ...


class StateView(CpuView):
    """One processor in either state; machine code is left to the states."""

    def __init__(self, cpu: ViewedCpu, index: int, address_digits: int) -> None:
        self.viewed = cpu
        self.index = index
        self.memory, self.io = cpu.memory, None
        self.address_digits = address_digits
        self.infos: Mapping[str, Text] = {}

    @property
    def register_names(self) -> Iterable[str]:
        return tuple(self.viewed.registers())

    def register(self, name: str) -> int | None:
        return self.viewed.registers().get(name)

    @property
    def program_counter(self) -> int:
        return self.viewed.pc

    @property
    def halted(self) -> bool:
        return self.viewed.halted

    def registers_text(self) -> str:
        return self.viewed.registers_text()

    def translate(self, vaddr: int) -> int | None:
        return self.viewed.debug_translate(vaddr)


class ArmView(StateView):
    """One processor in AArch32 state."""

    def __init__(self, cpu: ArmCpu, *, index: int = 0) -> None:
        super().__init__(cpu, index, address_digits=8)
        self.cpu = cpu

    def disassemble(self, code: bytes, address: int, size: int = -1) -> list[MachineCode]:
        ends = debug.disassemble(code, address, thumb=self.cpu.thumb)
        places = [at for at, _ in ends[1:]] + [address + len(code)]
        return [
            MachineCode(at, code[at - address : end - address], text)
            for (at, text), end in zip(ends, places, strict=True)
        ]
