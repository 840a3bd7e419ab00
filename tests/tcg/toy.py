"""A toy target: what the engines are tested with. Its instructions are in ``toy_isa.py``.

The page table is a dictionary, :attr:`ToyCpu.table`; pages that are not in it are mapped to themselves with every
permission. There are two mmu indexes and one mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toy_isa import (
    ADD,
    CC,
    LOGIC,
    MODE,
    PC,
    PENDING,
    REG,
    SUB,
    VECTOR_REGISTER,
    Line,
    ToyBuilder,
    ToyDecoder,
    ToyFault,
    assemble,
)  # fmt: skip

from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.tcg.builder import Builder
from pyqemu.tcg.cpu import Cpu, GuestException
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.env import EXIT_ACCESS, EXIT_ADDR, RAM_BASE, TLB, TLB_SIZE, TLB_TABLE, Global
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.ramwindow import STORES
from pyqemu.tcg.stencil_engine import StencilEngine
from pyqemu.tcg.translate import Block

M64 = (1 << 64) - 1
RAM_SIZE = 1 << 20
MMIO = 0x20_0000
ROM = 0x30_0000
SPECIAL = 0xFE000  # guest-physical: an element for each page of RAM, not zero where the page table has an entry
__all__ = ["ADD", "LOGIC", "MMIO", "RAM_SIZE", "ROM", "SUB", "VECTOR_REGISTER", "Line", "Toy", "ToyCpu", "assemble"]


class Stopped(Exception):
    """A fault that no vector takes ends the run."""


class Table(dict[int, tuple[int, int]]):
    """A page table; tells the page walk in IR which pages are not mapped to themselves."""

    def __init__(self, cpu: ToyCpu) -> None:
        super().__init__()
        self.cpu = cpu

    def __setitem__(self, page: int, entry: tuple[int, int]) -> None:
        super().__setitem__(page, entry)
        if page < RAM_SIZE >> 12:
            block = self.cpu.memory.lookup(SPECIAL).ram
            assert block is not None
            block.data[SPECIAL + 8 * page] = 1


class ToyCpu(Cpu):
    """A CPU that logs what happens to it.

    :ivar table: page number → (physical page number, permissions)
    :ivar vector: where faults go, with the faulting address in r14 and the program counter in r15; None: end the run
    :ivar interrupt_vector: where interrupts go, with the program counter in r13; None: they are only counted
    """

    irq_pending_slot = PENDING
    pc_slot = PC
    pc = Global(PC)
    mode = Global(MODE)

    def __init__(self, *, refill: bool = False, **collaborators: Any) -> None:
        self.table = Table(self)
        self.refill = refill
        self.vector: int | None = None
        self.interrupt_vector: int | None = None
        self.faults: list[tuple[int, int, int]] = []
        self.calls: list[Callable[[int], int | None]] = []
        self.observe = True  # whether calls are logged
        self.called: list[tuple[int, int, int, int]] = []
        self.serviced = 0
        self.attended = 0
        self.dynamic = 0
        self.fills = 0
        self.masked = False
        super().__init__(**collaborators)

    def __getitem__(self, number: int) -> int:
        return self.q[(REG >> 3) + number]

    def __setitem__(self, number: int, value: int) -> None:
        self.q[(REG >> 3) + number] = value & M64

    @property
    def registers(self) -> list[int]:
        return [self[number] for number in range(16)]

    @property
    def flags(self) -> tuple[int, int, int]:
        base = CC >> 3
        return self.q[base], self.q[base + 1], self.q[base + 2]

    def executed(self) -> int:
        assert self.engine is not None
        return self.engine.executed() if self.engine.icount else 0

    def decoder(self, flags: int) -> ToyDecoder:
        return ToyDecoder()

    def translator(self, flags: int, **context: Any) -> ToyBuilder:
        assert self.engine is not None
        return ToyBuilder(self.engine.table, self.helpers, **context)

    def block_key(self) -> tuple[int, int]:
        return self.pc, self.mode

    def mmu_index(self) -> int:
        return 0

    def fill(self, vaddr: int, access: int, mmu: int) -> tuple[int, int, int]:
        self.fills += 1
        page, permissions = self.table.get(vaddr >> 12, (vaddr >> 12, 7))
        if not permissions & 1 << access:
            raise ToyFault(access, vaddr)
        return page << 12, permissions, 4096

    def build_refill(self, t: Builder) -> bool:
        """The identity mapping; used where the table is empty."""
        if not self.refill:
            return False
        give_up, read_only, done = t.label(), t.label(), t.label()
        page = t.glob(EXIT_ADDR, 64) & ~0xFFF
        access = t.glob(EXIT_ACCESS, 64)
        flags, present, special = t.temp(64), t.temp(64), t.temp(64)
        slot = (access & ~3) + (page.shr(12) & (TLB_SIZE - 1)).shl(5)
        store = access & 1
        t.brcond("geu", access, TLB + TLB_TABLE, give_up)
        t.emit("ldpageflags", flags.offset, page.offset, give_up.number)
        t.emit("ldram64", special.offset, (page.shr(9) + SPECIAL).offset, give_up.number)
        t.brcond("ne", special, 0, give_up)
        t.emit("ldenv64", present.offset, (slot + (access & 3).shl(3)).offset)
        t.brcond("eq", present, page, give_up)
        t.brcond("gtu", flags, STORES, give_up)
        t.emit("stenv64", page.offset, slot.offset)
        t.emit("stenv64", page.offset, (slot + 16).offset)
        t.emit("stenv64", t.glob(RAM_BASE, 64).offset, (slot + 24).offset)
        t.brcond("ne", flags, 0, read_only)
        t.emit("stenv64", page.offset, (slot + 8).offset)
        t.br(done)
        t.bind(read_only)
        t.emit("stenv64", t.value(0xFFF, 64).offset, (slot + 8).offset)
        t.brcond("ne", store, 0, give_up)
        t.bind(done)
        t.emit("retry")
        t.bind(give_up)
        t.emit("give_up")
        return True

    def deliver(self, exc: GuestException) -> None:
        assert isinstance(exc, ToyFault)
        self.faults.append((self.pc, exc.access, exc.address))
        if self.vector is None:
            raise Stopped
        self[14], self[15] = exc.address, self.pc
        self.pc = self.vector

    def service_interrupts(self) -> bool:
        self.attended += 1
        if self.masked:
            return False
        self.serviced += 1
        self.clear_interrupt(M64)
        if self.interrupt_vector is not None:
            self[13] = self.pc
            self.pc = self.interrupt_vector
        return True

    def debug_translate(self, vaddr: int) -> int | None:
        return vaddr

    def reset(self) -> None:
        self.pc = 0


class Device:
    """A device that logs its accesses: (write, offset, size, value, pc, executed instructions)."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int, int, int, int, int]] = []
        self.cpu: ToyCpu
        self.on_access: Callable[[int], None] | None = None
        self.value = 0x1122334455667788

    def read(self, offset: int, size: int) -> int:
        value = self.value & (1 << 8 * size) - 1
        self.log.append(("read", offset, size, value, self.cpu.pc, self.cpu.executed()))
        if self.on_access is not None:
            self.on_access(offset)
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        self.log.append(("write", offset, size, value, self.cpu.pc, self.cpu.executed()))
        if self.on_access is not None:
            self.on_access(offset)


class Toy:
    """A machine: RAM at 0, the device at :data:`MMIO`, a ROM at :data:`ROM`, one CPU."""

    def __init__(self, engine: str = "stencil", *, icount: bool = False, refill: bool = False,
                 code_size: int = 4 << 20, clock: Any = None) -> None:  # fmt: skip
        self.ram = MemoryRegion.ram("ram", RAM_SIZE)
        self.root = MemoryRegion.container("system", 1 << 48)
        self.root.add(0, self.ram)
        self.device = Device()
        self.root.add(MMIO, MemoryRegion.mmio("device", 0x1000, self.device))
        self.rom = MemoryRegion.rom("rom", 0x1000)
        self.root.add(ROM, self.rom)
        self.memory = AddressSpace("memory", self.root)
        self.engine: Engine
        if engine == "stencil":
            self.engine = StencilEngine(icount=icount, code_size=code_size)
        else:
            self.engine = PythonEngine(icount=icount)
        self.cpu = ToyCpu(memory=self.memory, engine=self.engine, refill=refill, clock=clock)
        self.device.cpu = self.cpu

    def put(self, address: int, *lines: Line) -> int:
        """Assemble into RAM, as a loader would (translated code is not told); returns the address behind."""
        code = assemble(list(lines), address)
        assert self.ram.ram_block is not None
        self.ram.ram_block.data[address : address + len(code)] = code
        return address + len(code)

    def run(self, start: int | None = None) -> None:
        """Run until ``stop``, or a fault that no vector takes."""
        if start is not None:
            self.cpu.pc = start
        try:
            self.cpu.run()
        except Stopped:
            pass

    def run_budget(self, instructions: int) -> None:
        """Run exactly so many instructions (``icount``)."""
        self.engine.grant(instructions)
        target = self.engine.executed() + instructions
        self.cpu.turns.before_execution = lambda: self.cpu.stop() if self.engine.executed() >= target else None
        self.run()
        self.cpu.turns.before_execution = None

    def blocks(self) -> list[Block]:
        """All valid blocks."""
        return list(self.engine.cache)
