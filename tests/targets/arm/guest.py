"""A processor with RAM at address 0, for tests of single instructions and of what exceptions lead to."""

from __future__ import annotations

from typing import Any

import keystone as _keystone

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.targets.arm.exceptions import ArmException
from pyqemu.targets.arm.state import ArmCpu
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.stencil_engine import StencilEngine

keystone: Any = _keystone  # its types are not for us
CODE, DATA, RAM_SIZE = 0x1000, 0x8000, 1 << 22
STOP = 0xE7FFDEFE  # UNDEFINED in A32, and in Thumb


def assemble(text: str, *, thumb: bool = False, at: int = CODE) -> bytes:
    """The code of instructions that are separated by semicolons; ``.word`` for what the assembler does not know."""
    mode = keystone.KS_MODE_THUMB if thumb else keystone.KS_MODE_ARM
    out = b""
    for line in text.split(";"):
        line = line.strip()
        if line.startswith(".word"):
            out += int(line.split()[1], 0).to_bytes(4, "little")
        elif line.startswith(".hword"):
            out += int(line.split()[1], 0).to_bytes(2, "little")
        elif line:
            code, _ = keystone.Ks(keystone.KS_ARCH_ARM, mode).asm(line, at + len(out))
            out += bytes(code)
    return out


class Guest:
    """One processor in Supervisor mode.

    :ivar ram: the memory
    """

    def __init__(self, engine: str | Engine = "python", model: str = "cortex-a15", **options: Any) -> None:
        root = MemoryRegion.container("memory", 1 << 40)
        ram = root.add(0, MemoryRegion.ram("ram", RAM_SIZE))
        assert ram.ram_block is not None
        self.ram = ram.ram_block.data
        if isinstance(engine, str):
            engine = StencilEngine() if engine == "stencil" else PythonEngine()
        self.engine = engine
        self.cpu = ArmCpu(model, memory=AddressSpace("memory", root), engine=self.engine, **options)

    def run(self, text: str, *, thumb: bool = False, mode: int | None = None, **registers: int) -> ArmException | None:
        """Run instructions to their end; returns the exception that ended them, if one did.

        :param mode: the processor mode, if another one is wanted
        :param registers: by the names of ``Cpu.registers()``
        """
        cpu = self.cpu
        code = assemble(text, thumb=thumb)
        cpu.memory.write(CODE, code + STOP.to_bytes(4, "little"))
        cpu.set_cpsr(cpu.cpsr & ~0x3F | (mode or cpu.cpu_mode) | thumb << 5)
        for name, value in registers.items():
            cpu.registers()[name] = value
        cpu.pc = CODE
        found = self.until_exception()
        return None if cpu.pc == CODE + len(code) else found

    def until_exception(self) -> ArmException:
        """Run until something is raised, which is not delivered."""
        try:
            with self.cpu.lock:
                while True:
                    self.engine.execute()
        except ArmException as exc:
            return exc

    def take(self, text: str, **options: Any) -> None:
        """Run instructions that raise an exception, and take it."""
        found = self.run(text, **options)
        assert found is not None
        self.cpu.deliver(found)

    def word(self, address: int, size: int = 4) -> int:
        """What is in memory."""
        return int.from_bytes(self.ram[address : address + size], "little")

    def put(self, address: int, value: int, size: int = 4) -> None:
        """Write memory, as a device does."""
        self.cpu.memory.write(address, value.to_bytes(size, "little"))
