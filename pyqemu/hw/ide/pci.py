"""The IDE function of the PIIX3: two channels at the legacy ports, and a bus-master engine for each.

PIIX3 data sheet (290550-002): function 1, 2.3 and 2.4; "Programming Interface for Bus Master IDE Controller",
revision 1.0 (Intel, 1994).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from pyqemu.hw.ide import registers as r
from pyqemu.hw.ide.core import IdeBus, Unit
from pyqemu.hw.ide.state import ide_pci_vmstate
from pyqemu.hw.pci import PciDevice
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import device_class
from pyqemu.system import Irq

__all__ = ["BusMasterIde", "PciIde", "Piix3Ide"]

TABLE_SIZE = 4096  # bytes of descriptors that are read at most: a table without an end would go on for ever
BM_PORTS = 8  # of one channel

# fmt: off
LEGACY = (  # command block, control block, interrupt
    (0x1F0, 0x3F6, 14),
    (0x170, 0x376, 15),
)
# fmt: on


class BusMasterIde:
    """The engine of one channel: command, status, and the address of the descriptor table.

    A descriptor is 8 bytes: memory address, length (16 bits, 0 is 64 KiB), and bit 31 marks the last one.
    """

    def __init__(self, bus: IdeBus, memory: AddressSpace) -> None:
        self.bus = bus
        self.memory = memory
        self.cmd = 0
        self.status = 0
        self.addr = 0
        self.retry_sector_num, self.retry_nsector, self.retry_unit = 0, 0, 0xFF  # only for the saved state
        self._next = 0  # address of the descriptor to read next
        self._end = True  # whether the last one has been read
        self._segments: deque[tuple[int, int]] = deque()  # what has been read and not been used
        self._available = 0  # bytes of it
        bus.dma = self

    def reset(self) -> None:
        """Power-on reset."""
        if event := self.bus.system.trace.bmdma_reset:
            event()
        self.cmd = self.status = self.addr = 0
        self._rewind()

    def _rewind(self) -> None:
        self._next = self.addr
        self._end = False
        self._segments.clear()
        self._available = 0

    # -- ports

    def read(self, offset: int, size: int) -> int:
        """Read command, status or the table's address."""
        if offset == 2 and self.status & r.BM_STATUS_ACTIVE:
            value = self.status
            self.bus.complete_now()  # a guest that polls here need not wait for the timer
        else:
            value = self.status
        registers = self.cmd | value << 16 | self.addr << 32
        return registers >> 8 * offset & (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """Write command, status or the table's address, in any size."""
        for position, byte in enumerate(value.to_bytes(size, "little"), offset):
            match position:
                case 0:
                    self._write_command(byte)
                case 2:  # the error and interrupt bits are cleared by ones
                    kept = self.status & r.BM_STATUS_ACTIVE
                    flags = self.status & ~byte & (r.BM_STATUS_INT | r.BM_STATUS_ERROR)
                    self.status = byte & 0x60 | kept | flags
                case 4 | 5 | 6 | 7:
                    shift = 8 * (position - 4)
                    self.addr = (self.addr & ~(0xFF << shift) | byte << shift) & 0xFFFF_FFFC

    def _write_command(self, value: int) -> None:
        before, self.cmd = self.cmd, value & (r.BM_COMMAND_READ | r.BM_COMMAND_START)
        if not (before ^ value) & r.BM_COMMAND_START:
            return
        if value & r.BM_COMMAND_START:
            self._rewind()
            if not self.active:
                self.status |= r.BM_STATUS_ACTIVE
                self.bus.dma_started()
        else:
            if self.active:
                self.bus.complete_now()  # what was asked for before is done before
            self.status &= ~r.BM_STATUS_ACTIVE

    # -- the drive's side

    @property
    def active(self) -> bool:
        return bool(self.status & r.BM_STATUS_ACTIVE)

    @property
    def to_memory_wanted(self) -> bool:
        return bool(self.cmd & r.BM_COMMAND_READ)

    def prepare(self, limit: int) -> int:
        while self._available < limit and not self._end:
            if self._next - self.addr >= TABLE_SIZE:
                self._end = True
                break
            descriptor = int.from_bytes(self.memory.read(self._next, 8), "little")
            self._next += 8
            length = descriptor >> 32 & 0xFFFE or 0x10000
            self._segments.append((descriptor & 0xFFFF_FFFE, length))
            self._available += length
            self._end = bool(descriptor >> 63)
        return self._available

    def to_memory(self, data: bytes) -> None:
        view = memoryview(data)
        position = 0
        for address, length in self._take(len(data)):
            self.memory.write(address, view[position : position + length])
            position += length

    def peek(self, length: int) -> bytes:
        parts = []
        for address, size in self._segments:
            part = min(length, size)
            parts.append(self.memory.read(address, part))
            length -= part
            if not length:
                break
        return b"".join(parts)

    def skip(self, length: int) -> None:
        for _ in self._take(length):
            pass

    def _take(self, length: int) -> Iterator[tuple[int, int]]:
        """The memory of the next `length` bytes of the buffer."""
        while length and self._segments:
            address, size = self._segments.popleft()
            if size > length:
                self._segments.appendleft((address + length, size - length))
                size = length
            self._available -= size
            length -= size
            yield address, size

    def finish(self) -> None:
        if self._end and not self._available:
            self.status &= ~r.BM_STATUS_ACTIVE

    def abandon(self) -> None:
        self.status &= ~r.BM_STATUS_ACTIVE

    def interrupt(self) -> None:
        self.status |= r.BM_STATUS_INT


class _BusMasterPorts:
    """The 16 ports of BAR 4: eight for each engine."""

    def __init__(self, engines: Sequence[BusMasterIde]) -> None:
        self.engines = engines

    def read(self, offset: int, size: int) -> int:
        engine = self.engines[offset // BM_PORTS]
        value = engine.read(offset % BM_PORTS, size)
        if event := engine.bus.system.trace.bmdma_read:
            event(addr=offset % BM_PORTS, val=value)
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        engine = self.engines[offset // BM_PORTS]
        if event := engine.bus.system.trace.bmdma_write:
            event(addr=offset % BM_PORTS, val=value)
        engine.write(offset % BM_PORTS, size, value)


class PciIde(PciDevice):
    """A PCI IDE controller in compatibility mode. The board gives it the ISA ports and interrupt lines.

    `ide_buses` are the channels; drives are plugged into these.
    """

    vendor_id = 0x8086
    class_id = 0x0101
    prog_if = 0x80  # bus master, both channels at the legacy ports
    status = 0x0280  # fast back-to-back, DEVSEL# timing medium
    hotpluggable = False
    vmstate = ide_pci_vmstate

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.ide_buses: list[IdeBus] = []
        self.bmdma: list[BusMasterIde] = []
        self._irqs: list[Irq] = []

    def connect_isa(self, io: MemoryRegion, irqs: Sequence[Irq]) -> None:
        """Map the legacy ports into `io`, and lead each channel's interrupt to the line of its number in
        `irqs`.

        Call it after `realize`.
        """
        for bus, (command, control, number) in zip(self.ide_buses, LEGACY, strict=True):
            io.add(command, MemoryRegion.mmio(f"ide{bus.number}", 8, bus, access=(1, 4)))
            io.add(control, MemoryRegion.mmio(f"ide{bus.number}-control", 1, bus.control_ports, access=(1, 1)))
            bus.irq.connect(irqs[number].set)

    @property
    def child_buses(self) -> list[IdeBus]:
        """The channels."""
        return self.ide_buses

    @property
    def primary_units(self) -> list[Unit]:
        """The two places of the first channel, for the saved state."""
        return self.ide_buses[0].units

    @property
    def secondary_units(self) -> list[Unit]:
        """The two places of the second channel."""
        return self.ide_buses[1].units

    def realize(self) -> None:
        for number in range(2):
            bus = IdeBus(self.bus.system, Irq(), name=f"ide.{number}", number=number)
            self.ide_buses.append(bus)
            self.bmdma.append(BusMasterIde(bus, self.dma))
        ports = MemoryRegion.mmio(f"{self.type_name}-bmdma", 2 * BM_PORTS, _BusMasterPorts(self.bmdma), access=(1, 4))
        self.register_bar(4, ports, "io")

    def reset(self) -> None:
        for bus, engine in zip(self.ide_buses, self.bmdma, strict=True):
            bus.reset()
            engine.reset()


@device_class("piix3-ide", bus="PCI", category="storage", user_creatable=True)
class Piix3Ide(PciIde):
    """The IDE function of the PIIX3."""

    device_id = 0x7010


@device_class("piix4-ide", bus="PCI", category="storage", user_creatable=True)
class Piix4Ide(PciIde):
    """The IDE function of the PIIX4."""

    device_id = 0x7111
