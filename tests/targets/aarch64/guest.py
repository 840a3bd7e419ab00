"""A processor with RAM at address 0, for tests of single instructions."""

from __future__ import annotations

from typing import Any

import keystone as _keystone

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.targets.aarch64.exceptions import Aarch64Exception
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.stencil_engine import StencilEngine

keystone: Any = _keystone  # its types are not for us
CODE, DATA, RAM_SIZE = 0x1000, 0x8000, 1 << 20
STOP = "hlt #0"


def assemble(text: str) -> bytes:
    """The code of instructions that are separated by semicolons; ``.word`` for what the assembler does not know."""
    out = b""
    for line in text.split(";"):
        line = line.strip()
        if line.startswith(".word"):
            out += int(line.split()[1], 0).to_bytes(4, "little")
        elif line:
            code, _ = keystone.Ks(keystone.KS_ARCH_ARM64, keystone.KS_MODE_LITTLE_ENDIAN).asm(line, CODE + len(out))
            out += bytes(code)
    return out


class Guest:
    """One processor at EL1, FP enabled.

    :ivar ram: the memory
    """

    def __init__(self, engine: str = "python", **options: Any) -> None:
        root = MemoryRegion.container("memory", 1 << 48)
        ram = root.add(0, MemoryRegion.ram("ram", RAM_SIZE))
        assert ram.ram_block is not None
        self.ram = ram.ram_block.data
        self.engine: Engine = StencilEngine() if engine == "stencil" else PythonEngine()
        self.cpu = Aarch64Cpu(memory=AddressSpace("memory", root), engine=self.engine, **options)
        self.cpu.sys.cpacr_el1 = 3 << 20
        self.cpu.mode_changed()

    def run(self, text: str, *, el: int | None = None, **registers: int) -> Aarch64Exception | None:
        """Run instructions to their end; returns the exception that ended them, if one did.

        :param el: the exception level, if another one is wanted
        :param registers: by the names of ``Cpu.registers()``
        """
        cpu = self.cpu
        code = assemble(text)
        cpu.memory.write(CODE, code + assemble(STOP))
        if el is not None:
            cpu.enter(el, int(el > 0))
        for name, value in registers.items():
            cpu.registers()[name] = value
        cpu.pc = CODE
        try:
            with cpu.lock:
                while True:  # until something is raised
                    self.engine.execute()
        except Aarch64Exception as exc:
            return None if cpu.pc == CODE + len(code) else exc

    def word(self, address: int, size: int = 8) -> int:
        """What is in memory."""
        return int.from_bytes(self.ram[address : address + size], "little")

    def put(self, address: int, value: int, size: int = 8) -> None:
        """Write memory, as a device does."""
        self.cpu.memory.write(address, value.to_bytes(size, "little"))
