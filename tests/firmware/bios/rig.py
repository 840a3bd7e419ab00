"""A small pc for tests of the BIOS: real chips, and either a CPU that is only registers or Unicorn's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyqemu.block.drive import Drive
from pyqemu.block.node import MemoryNode
from pyqemu.firmware.acpi import AcpiConfig
from pyqemu.firmware.bios import TRAP_PORT, BiosContext, BuiltinBios
from pyqemu.firmware.bios.frame import FRAME_SIZE, Frame
from pyqemu.firmware.smbios import SmbiosConfig
from pyqemu.hw.display.vga_pci import VgaPci
from pyqemu.hw.input.pckbd import I8042
from pyqemu.hw.intc.i8259 import Pic
from pyqemu.hw.isa.piix3 import Piix3
from pyqemu.hw.nvram.fw_cfg import FwCfgIo
from pyqemu.hw.pci_host.i440fx import I440fxHost
from pyqemu.hw.timer.i8254 import I8254
from pyqemu.hw.timer.mc146818rtc import Mc146818Rtc
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import FakeClock, Irq, System

RAM = 32 << 20
STACK = 0x7000


@dataclass
class FakeSegment:
    """A segment register with a base."""

    base: int = 0


class FakeCpu:
    """Registers, and memory without paging."""

    def __init__(self, memory: AddressSpace) -> None:
        self.rax = self.rbx = self.rsp = self.eip = 0
        self.seg: Sequence[FakeSegment] = [FakeSegment() for _ in range(6)]
        self.load, self.store = memory.load, memory.store
        self.read, self.write = memory.read, memory.write


class WallTime:
    """Wall time that follows the test's clock; it begins on 2016-05-26 at 12:34:56."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock

    def time(self) -> float:
        return 1464266096 + self.clock.now() / 1e9


class Board:
    """The chips that the BIOS talks to."""

    def __init__(self, cpu: Callable[[AddressSpace], object] = FakeCpu, *, ram: int = RAM, vga: bool = True,
                 boot_order: str = "cad", vga_rom: str = "", **parts: object) -> None:  # fmt: skip
        self.clock = FakeClock()
        self.system = System(clock=self.clock)
        self.root = MemoryRegion.container("system")
        self.ports = MemoryRegion.container("io", 0x10000)
        self.ram = MemoryRegion.ram("ram", ram)
        self.root.add(0, self.ram)
        self.memory = AddressSpace("memory", self.root)
        self.io = AddressSpace("I/O", self.ports)
        self.host = I440fxHost(self.system, system_memory=self.root, io=self.ports, address_space=self.memory,
                               ram=self.ram)  # fmt: skip
        self.piix3 = Piix3(self.io)
        self.host.pci.add(self.piix3, 0x08)
        self._isa()
        self.vga = VgaPci(romfile=vga_rom) if vga else None
        if self.vga is not None:
            self.host.pci.add(self.vga, 0x10)
        self._cmos(boot_order)
        self.log: list[str] = []
        self.powered_off = 0
        self.cpu = cpu(self.memory)
        context = BiosContext(
            cpu=self.cpu, memory=self.memory, io=self.io, ram_below_4g=ram, now=self.clock.now,
            power_off=self._power_off, log=self.log.append, acpi=AcpiConfig(ram_below_4g=ram),
            smbios=SmbiosConfig(ram_below_4g=ram), **parts,
        )  # fmt: skip
        self.bios = BuiltinBios(context)
        self._rom(self.bios.image)
        self.ports.add(TRAP_PORT, MemoryRegion.mmio("bios-services", 1, self.bios, access=(1, 1)), 2)

    def _power_off(self) -> None:
        self.powered_off += 1

    def _isa(self) -> None:
        isa = self.piix3.isa
        self.pic = Pic(Irq())
        isa.connect_irqs([self.pic.inputs[n] for n in range(16)])
        isa.register_ports(0x20, 2, self.pic.master, "pic", access=(1, 1))
        isa.register_ports(0xA0, 2, self.pic.slave, "pic", access=(1, 1))
        isa.register_ports(0x4D0, 2, self.pic.elcr, "elcr", access=(1, 1))
        self.pit = I8254(self.clock, isa.irq(0))
        self.rtc = Mc146818Rtc(self.clock, WallTime(self.clock), isa.irq(8))
        isa.register_ports(0x40, 4, self.pit, "pit", access=(1, 4), impl=(1, 1))
        isa.register_ports(0x70, 2, self.rtc, "rtc", access=(1, 4), impl=(1, 1))
        self.i8042 = I8042()
        isa.add(self.i8042)
        self.fw_cfg = FwCfgIo(self.memory)
        self.fw_cfg.map(self.ports)

    def _cmos(self, order: str) -> None:
        kinds = [{"a": 1, "c": 2, "d": 3, "n": 4}[letter] for letter in order] + [0, 0, 0]
        self.rtc.cmos_data[0x3D] = kinds[1] << 4 | kinds[0]
        self.rtc.cmos_data[0x38] = kinds[2] << 4

    def _rom(self, image: bytes) -> None:
        rom = MemoryRegion.rom("bios", image)
        self.host.pci_memory.add((1 << 32) - len(image), rom, 1)
        self.host.pci_memory.add(0x100000 - len(image), MemoryRegion.alias("isa-bios", rom, 0, len(image)), 1)

    # -- calling services without a CPU ----------------------------------------------------------------------------

    def call(self, service: int, **registers: int) -> Frame:
        """Run a service as its stub would, with these registers (32-bit names or parts of them)."""
        cpu = self.cpu
        frame = Frame()
        for name, value in registers.items():
            setattr(frame, name, value)
        cpu.rsp = STACK
        image = frame.image()
        self.memory.write(STACK, bytes(FRAME_SIZE) if image is None else image)
        cpu.seg[1].base, cpu.seg[2].base = 0xF0000, 0
        cpu.eip = self.bios.rom.symbols["trap.out"]
        self.io.store(TRAP_PORT, 1, int(service))
        self.verdict = cpu.rax & 0xFF
        return Frame(self.memory.read(STACK, FRAME_SIZE))

    def power_on(self) -> None:
        """The part of POST that needs no CPU."""
        self.call(0x87)

    def lines(self) -> list[str]:
        """The text on the screen, without trailing spaces and empty lines at the end."""
        text = self.memory.read(0xB8000, 4000)[::2].decode("cp437")
        rows = [text[80 * n : 80 * n + 80].rstrip() for n in range(25)]
        while rows and not rows[-1]:
            rows.pop()
        return rows


def disk(contents: bytes | int, name: str = "disk0", **options: object) -> Drive:
    """A drive with a medium in memory."""
    return Drive(name, MemoryNode(contents), interface="ide", **options)


def key(board: Board, *codes: int) -> None:
    """Scan codes from the keyboard, through INT 09h's service."""
    for code in codes:
        board.cpu.rbx = code
        board.call(0x09)
