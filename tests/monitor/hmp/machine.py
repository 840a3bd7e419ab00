"""A machine of RAM, a port, a processor and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.monitor.hmp.dispatch import Hmp
from pyqemu.monitor.hmp.table import TABLE, CommandTable
from pyqemu.system import FakeClock, System
from pyqemu.system.inspection import CpuView, Identity, Inspection, MachineCode


class Port:
    """Reads what was written, in four bytes."""

    def __init__(self) -> None:
        self.log: list[tuple[int, int, int]] = []

    def read(self, offset: int, size: int) -> int:
        return 0x11223344

    def write(self, offset: int, size: int, value: int) -> None:
        self.log.append((offset, size, value))


class FakeCpu(CpuView):
    """Virtual address 0x10000 is physical 0; two bytes are an instruction."""

    address_digits = 16

    def __init__(self, index: int, memory: AddressSpace, io: AddressSpace) -> None:
        self.index, self.memory, self.io = index, memory, io
        self.infos = {"mem": lambda: f"mem of {index}"}
        self.thread_id = 70 + index

    @property
    def program_counter(self) -> int:
        return 0x10004

    @property
    def halted(self) -> bool:
        return self.index == 1

    @property
    def register_names(self) -> Iterable[str]:
        return ("ax", "pc")

    def register(self, name: str) -> int | None:
        return {"ax": 0x20 + self.index, "pc": 0x10004}.get(name)

    def registers_text(self) -> str:
        return f"AX={0x20 + self.index:04x}"

    def translate(self, vaddr: int) -> int | None:
        return vaddr - 0x10000 if 0x10000 <= vaddr < 0x20000 else None

    def disassemble(self, code: bytes, address: int, size: int = -1) -> list[MachineCode]:
        return [MachineCode(address, code[:2], f"insn {code[:2].hex()}")] if len(code) > 1 else []


def make_system(loop: asyncio.AbstractEventLoop | None = None) -> System:
    """64 KiB of RAM that hold their own addresses' low bytes."""
    system = System(clock=FakeClock(), loop=loop)
    root, ports = MemoryRegion.container("system"), MemoryRegion.container("io", 0x10000)
    ram = MemoryRegion.ram("ram", 0x10000)
    assert ram.ram_block is not None
    ram.ram_block.data[:] = bytes(range(256)) * 256
    root.add(0, ram)
    root.add(0x100000, MemoryRegion.rom("bios", b"rom" * 100))
    ports.add(0x60, MemoryRegion.mmio("port", 8, Port()))
    memory, io = AddressSpace("memory", root), AddressSpace("I/O", ports)
    inspection = Inspection(cpus=[FakeCpu(0, memory, io), FakeCpu(1, memory, io)], spaces=[memory, io])
    system.add_part(inspection)
    system.add_part(Identity("guinea"))
    return system


class Monitor:
    """One monitor; ``do`` returns what a line shows."""

    def __init__(self, system: System | None = None, table: CommandTable = TABLE) -> None:
        self.system = system or make_system()
        self.output: list[str] = []
        self.hmp = Hmp(self.system, self.output.append, interactive=True, table=table)

    def do(self, line: str) -> str:
        self.output.clear()
        asyncio.run(self.hmp.execute(line))
        return "".join(self.output)
