"""The processor as the human monitor sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.system.inspection import MachineCode
from pyqemu.targets.aarch64 import debug
from pyqemu.targets.arm.monitor import StateView

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

INSTRUCTION = 4  # bytes


class Aarch64View(StateView):
    """One processor in AArch64 state."""

    def __init__(self, cpu: Aarch64Cpu, *, index: int = 0) -> None:
        super().__init__(cpu, index, address_digits=16)
        self.cpu = cpu

    def disassemble(self, code: bytes, address: int, size: int = -1) -> list[MachineCode]:
        whole = code[: len(code) // INSTRUCTION * INSTRUCTION]
        return [
            MachineCode(at, code[at - address : at - address + INSTRUCTION], text)
            for at, text in debug.disassemble(whole, address)
        ]
