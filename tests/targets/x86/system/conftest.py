"""A bare x86 processor with RAM, tables of descriptors to load, and an assembler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import CR0_PE, CS, M32
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.tcg.python_engine import PythonEngine

GDT, LDT, IDT, TSS, STACKS = 0x1000, 0x2000, 0x3000, 0x4000, 0x8000
CODE, DATA = 0x9A, 0x92  # present, DPL 0; or DPL << 5 to it
SIZE = 1 << 22


class Ports:
    """All 64 Ki ports as plain bytes, and a log of the writes."""

    def __init__(self) -> None:
        self.values = bytearray(0x10000)
        self.log: list[tuple[int, int, int]] = []

    def read(self, offset: int, size: int) -> int:
        return int.from_bytes(self.values[offset : offset + size], "little")

    def write(self, offset: int, size: int, value: int) -> None:
        self.log.append((offset, size, value))


class FakeApic:
    """Interrupt vectors that wait for the processor."""

    def __init__(self, cpu: X86Cpu) -> None:
        self.cpu = cpu
        self.vectors: list[int] = []
        self.apicbase = 0xFEE00900
        self.cr8 = 0
        self.startup_vector = 0

    def request(self, vector: int) -> None:
        self.vectors.append(vector)
        self.cpu.interrupt(1)

    def has_interrupt(self) -> bool:
        return bool(self.vectors)

    def get_interrupt(self) -> int:
        return self.vectors.pop(0) if self.vectors else -1

    def set_base(self, value: int) -> None:
        self.apicbase = value


def segment(base: int = 0, limit: int = 0xFFFFF, access: int = DATA, flags: int = 0xC) -> int:
    """A segment descriptor: `access` is byte 5, `flags` G D L AVL (SDM vol. 3, figure 3-8)."""
    return (
        limit & 0xFFFF | (base & 0xFFFFFF) << 16 | access << 40 | (limit >> 16) << 48 | flags << 52 | base >> 24 << 56
    )


def gate(selector: int, offset: int, kind: int, *, dpl: int = 0, present: bool = True, count: int = 0) -> int:
    """A call, interrupt, trap or task gate (SDM vol. 3, figures 5-8 and 6-2)."""
    access = kind | dpl << 5 | present << 7
    return offset & 0xFFFF | selector << 16 | count << 32 | access << 40 | offset >> 16 << 48


class Machine:
    """One processor, 4 MiB of RAM and a flat 32-bit protected mode to start from."""

    GDT, LDT, IDT, TSS, STACKS = GDT, LDT, IDT, TSS, STACKS
    segment = staticmethod(segment)
    gate = staticmethod(gate)

    def __init__(self, model: str = "qemu64", engine: Any = None) -> None:
        root = MemoryRegion.container("memory", 1 << 48)
        root.add(0, MemoryRegion.ram("ram", SIZE))
        self.ports = Ports()
        ports = MemoryRegion.container("ports", 0x10000)
        ports.add(0, MemoryRegion.mmio("all", 0x10000, self.ports, access=(1, 4)))
        self.memory = AddressSpace("memory", root)
        self.cpu = X86Cpu(model, memory=self.memory, io=AddressSpace("ports", ports), engine=engine or PythonEngine())
        self.apic = FakeApic(self.cpu)
        self.cpu.apic = self.apic
        self.shutdown: list[X86Exception] = []
        self.cpu.on_triple_fault = self._triple
        self.cpu.turns._sleep = self.cpu.stop  # type: ignore[method-assign]

    def _triple(self, chain: list[X86Exception]) -> None:
        self.shutdown = chain
        self.cpu.stop()

    def descriptors(self, *entries: int, at: int = GDT) -> None:
        """Write descriptors to the table at `at`; entry 0 comes first."""
        for n, entry in enumerate(entries):
            self.memory.store(at + 8 * n, 8, entry)

    def protected(self, *entries: int, cpl: int = 0) -> X86Cpu:
        """Enter protected mode: null, flat code and data of DPL 0, the same of DPL 3, then `entries` from 0x28 on.

        SS and the data segments are flat; LDT and TSS stand at their places, the TSS is selector 0x8 × (5 +
        len(entries)).
        """
        cpu = self.cpu
        ring3 = (segment(access=CODE | 0x60), segment(access=DATA | 0x60))
        self.descriptors(0, segment(access=CODE), segment(access=DATA), *ring3, *entries)
        cpu.gdt_base, cpu.gdt_limit = GDT, 0x3FF
        cpu.idt_base, cpu.idt_limit = IDT, 0x7FF
        cpu.cr0 |= CR0_PE
        cpu.update_control()
        code, data = (0x08, 0x10) if cpl == 0 else (0x1B, 0x23)
        for index in range(6):
            access = (CODE if index == CS else DATA) | 1 | cpl << 5
            cpu.load_segment_cache(index, code if index == CS else data, 0, M32, 0xC00000 | access << 8)
        cpu.update_hflags(cpl)
        cpu.load_segment_cache(7, 0x300, TSS, 0x1FFF, 0x8B00)
        self.descriptors(segment(TSS, 0x1FFF, 0x8B, 0), at=GDT + 0x300)
        cpu.load_segment_cache(6, 0x308, LDT, 0x3FF, 0x8200)
        self.memory.store(TSS + 0x66, 2, 0xFFFF)
        self.memory.store(TSS + 4, 4, STACKS)
        self.memory.store(TSS + 8, 4, 0x10)
        cpu.rsp = STACKS + 0x2000
        cpu.eip = 0x10000
        return cpu

    def raises(self, action: Callable[[], Any]) -> tuple[int, int | None]:
        """Return vector and error code of the exception that `action` raises."""
        with pytest.raises(X86Exception) as info:
            action()
        return info.value.vector, info.value.error_code

    def run(self, code: bytes = b"", at: int = 0x10000) -> X86Cpu:
        """Run `code`, then HLT, until the processor halts."""
        if code:
            self.memory.write(at, code + b"\xf4")
            self.cpu.eip = at - self.cpu.cs.base
        self.cpu.halted = False
        self.cpu.run()
        assert not self.shutdown, [str(exc) for exc in self.shutdown]
        return self.cpu

    def words(self, address: int, count: int, size: int = 4) -> list[int]:
        """Return `count` little-endian words from `address` on."""
        return [self.memory.load(address + size * n, size) for n in range(count)]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def make_machine() -> Callable[..., Machine]:
    return Machine


@pytest.fixture(scope="session")
def asm() -> Callable[..., bytes]:
    keystone = pytest.importorskip("keystone")

    def assemble(text: str, bits: int = 32, at: int = 0x10000) -> bytes:
        mode = {16: keystone.KS_MODE_16, 32: keystone.KS_MODE_32, 64: keystone.KS_MODE_64}[bits]
        encoding, _ = keystone.Ks(keystone.KS_ARCH_X86, mode).asm(text, at)
        return bytes(encoding)

    return assemble
