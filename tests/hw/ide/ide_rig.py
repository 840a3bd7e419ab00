"""A PIIX3 IDE function on test buses, and a guest's way of talking to it."""

from __future__ import annotations

import random

from pyqemu.block import BlockNode, Drive, MemoryNode
from pyqemu.hw.ide.devices import IdeCd, IdeDevice, IdeHd
from pyqemu.hw.ide.pci import Piix3Ide
from pyqemu.hw.isa.bus import IsaBus
from pyqemu.hw.pci import PciBus
from pyqemu.memory import AddressSpace
from pyqemu.system import FakeClock, System

PRIMARY, SECONDARY = 0x1F0, 0x170
BMIDE = 0xC000
TABLE, BUFFER = 0x10_0000, 0x20_0000
MOMENT = 100_000  # ns: enough for any command


def disk_image(sectors: int = 4096) -> MemoryNode:
    return MemoryNode(random.Random(sectors).randbytes(512 * sectors))


def cd_image(blocks: int = 512) -> MemoryNode:
    return MemoryNode(random.Random(blocks).randbytes(2048 * blocks), read_only=True)


class Rig:
    """Disk, slave and CD are what is given; a `Drive` is taken as it is."""

    def __init__(
        self,
        disk: BlockNode | Drive | None = None,
        slave: BlockNode | Drive | None = None,
        cd: BlockNode | Drive | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.system = System(clock=self.clock)
        self.pci = PciBus.standalone(self.system)
        self.isa = IsaBus(self.system)
        self.ide = Piix3Ide()
        self.pci.add(self.ide, 9)
        self.ide.connect_isa(self.isa.io, [self.isa.irq(number) for number in range(16)])
        self.drives: dict[str, Drive] = {}
        self._plug("disk", disk, 0, 0, IdeHd)
        self._plug("slave", slave, 0, 1, IdeHd)
        self._plug("cd", cd, 1, 0, IdeCd)
        self.system.reset()
        self.ide.config_write(0x20, 4, BMIDE)
        self.ide.config_write(4, 2, 5)
        self.io = self.isa.address_space_io
        self.bm_io = AddressSpace("BAR", self.pci.io)
        self.memory = self.pci.dma_space
        self.base = PRIMARY

    def _plug(self, name: str, medium: BlockNode | Drive | None, bus: int, unit: int, model: type[IdeDevice]) -> None:
        if medium is not None:
            drive = medium if isinstance(medium, Drive) else Drive(name, medium, interface="ide")
            self.drives[name] = drive
            self.ide.ide_buses[bus].plug(model(drive=drive, unit=unit))

    # -- registers

    def inb(self, register: int) -> int:
        return self.io.load(self.base + register, 1)

    def outb(self, register: int, value: int) -> None:
        self.io.store(self.base + register, 1, value)

    def control(self, value: int) -> None:
        self.io.store(self.base + 0x206, 1, value)

    @property
    def altstatus(self) -> int:
        return self.io.load(self.base + 0x206, 1)

    @property
    def irq(self) -> bool:
        return self.isa.irq(14 if self.base == PRIMARY else 15).level

    @property
    def registers(self) -> list[int]:
        """Error to status. Reading the status takes back the interrupt."""
        return [self.inb(register) for register in range(1, 8)]

    def wait(self) -> int:
        """Let time pass, and read the status."""
        self.clock.advance(MOMENT)
        return self.inb(7)

    # -- commands

    def issue(self, command: int, lba: int = 0, count: int = 1, *, feature: int = 0, device: int = 0xE0) -> None:
        """Write the task file, for 28-bit addresses."""
        self.outb(6, device | lba >> 24 & 0x0F)
        self._task_file(feature, count, lba)
        self.outb(7, command)

    def issue_ext(self, command: int, lba: int, count: int = 1, *, device: int = 0xE0) -> None:
        """Write the task file twice, for 48-bit addresses."""
        self.outb(6, device)
        self._task_file(0, count >> 8, lba >> 24)
        self._task_file(0, count & 0xFF, lba & 0xFFFFFF)
        self.outb(7, command)

    def _task_file(self, feature: int, count: int, lba: int) -> None:
        self.outb(1, feature)
        self.outb(2, count & 0xFF)
        for register in range(3):
            self.outb(3 + register, lba >> 8 * register & 0xFF)

    def run(self, command: int, lba: int = 0, count: int = 1, *, feature: int = 0, device: int = 0xE0) -> int:
        """A command without data: its status."""
        self.issue(command, lba, count, feature=feature, device=device)
        return self.wait()

    def read_blocks(self, size: int = 512, width: int = 2) -> bytes:
        """Take blocks from the data port for as long as there are any."""
        data = bytearray()
        while self.wait() & 0x88 == 0x08:
            for _ in range(0, size, width):
                data += self.io.load(self.base, width).to_bytes(width, "little")
        return bytes(data)

    def write_blocks(self, data: bytes, size: int = 512, width: int = 2) -> int:
        """Give blocks to the data port for as long as they are wanted; the status after the last."""
        position = 0
        while (status := self.wait()) & 0x88 == 0x08:
            for _ in range(0, min(size, len(data) - position), width):
                self.io.store(self.base, width, int.from_bytes(data[position : position + width], "little"))
                position += width
        return status

    def identify(self, command: int = 0xEC, device: int = 0xA0) -> list[int]:
        """The words of IDENTIFY (PACKET) DEVICE."""
        self.issue(command, device=device)
        data = self.read_blocks()
        return [int.from_bytes(data[index : index + 2], "little") for index in range(0, 512, 2)]

    # -- bus master

    def set_table(self, *lengths: int, end: bool = True) -> None:
        """A descriptor table over consecutive memory at `BUFFER`."""
        table, address = b"", BUFFER
        for index, length in enumerate(lengths):
            last = 0x80 if end and index == len(lengths) - 1 else 0
            table += address.to_bytes(4, "little") + (length & 0xFFFF).to_bytes(2, "little") + bytes((0, last))
            address += length
        self.memory.write(TABLE, table)
        self.bm_out(4, 4, TABLE)

    @property
    def _bm(self) -> int:
        return BMIDE + (0 if self.base == PRIMARY else 8)

    def bm_in(self, register: int) -> int:
        return self.bm_io.load(self._bm + register, 1)

    def bm_out(self, register: int, size: int, value: int) -> None:
        self.bm_io.store(self._bm + register, size, value)

    def start_dma(self, to_memory: bool) -> None:
        self.bm_out(2, 1, 6)
        self.bm_out(0, 1, 8 if to_memory else 0)
        self.bm_out(0, 1, 9 if to_memory else 1)

    # -- packets

    def packet(
        self, *packet: int, limit: int = 0xFFFE, dma: bool = False, size: int | None = None
    ) -> tuple[bytes, list[int]]:
        """Send a packet to the CD-ROM drive: the data that came back, and the lengths of the blocks."""
        self.base = SECONDARY
        self.outb(6, 0xA0)
        self.outb(1, int(dma))
        self.outb(4, limit & 0xFF)
        self.outb(5, limit >> 8)
        self.outb(7, 0xA0)
        assert self.wait() & 0x89 == 0x08 and self.inb(2) & 3 == 1
        padded = bytes(packet).ljust(12, b"\0")
        for index in range(0, 12, 2):
            self.io.store(self.base, 2, int.from_bytes(padded[index : index + 2], "little"))
        if dma:
            self.clock.advance(MOMENT)
            return self.memory.read(BUFFER, size or 0), []
        data, blocks = bytearray(), []
        while self.wait() & 0x88 == 0x08:
            assert self.inb(2) & 3 == 2
            length = self.inb(4) | self.inb(5) << 8
            blocks.append(length)
            words = [self.io.load(self.base, 2).to_bytes(2, "little") for _ in range(-(-length // 2))]
            data += b"".join(words)[:length]
        return bytes(data), blocks

    def sense(self) -> tuple[int, int]:
        """Sense key and code of the last packet's failure."""
        data, _ = self.packet(0x03, 0, 0, 0, 18)
        return data[2], data[12]
