"""What the BIOS needs of the machine, and short ways to its memory and ports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pyqemu.block.drive import Drive
from pyqemu.firmware.acpi import AcpiConfig
from pyqemu.firmware.smbios import SmbiosConfig
from pyqemu.memory import AddressSpace

_TABLES_SIZE = 0x20000
_LEAST_RAM_FOR_TABLES = 0x200000


class Segment(Protocol):
    """The part of a segment register that the BIOS looks at."""

    @property
    def base(self) -> int: ...


class BiosCpu(Protocol):
    """A CPU at the ``out`` instruction of a stub. Addresses are linear: virtual-8086 mode may have paging on."""

    rax: int
    rbx: int
    rsp: int
    eip: int

    @property
    def seg(self) -> Sequence[Segment]: ...

    def load(self, vaddr: int, size: int) -> int: ...

    def store(self, vaddr: int, size: int, value: int) -> None: ...

    def read(self, vaddr: int, length: int) -> bytes: ...

    def write(self, vaddr: int, data: bytes) -> None: ...


@dataclass
class BiosContext:
    """The machine as the board describes it to its firmware.

    ``memory`` and ``io`` are the CPU's physical address spaces. Drives stand in the order of their connectors (a drive
    without a medium is listed, an empty connector is not; in ``floppies`` None keeps B: in its place).
    """

    cpu: BiosCpu
    memory: AddressSpace
    io: AddressSpace
    ram_below_4g: int
    ram_above_4g: int = 0
    floppies: Sequence[Drive | None] = ()
    hard_disks: Sequence[Drive] = ()
    cdroms: Sequence[Drive] = ()
    now: Callable[[], int] = lambda: 0  # guest time in nanoseconds
    power_off: Callable[[], None] = lambda: None  # APM
    acpi: AcpiConfig | None = None
    smbios: SmbiosConfig | None = None
    log: Callable[[str], None] = field(default=lambda text: None)  # what the BIOS says, for -d

    @property
    def acpi_start(self) -> int:
        """Address of the ACPI and SMBIOS tables, which own the end of low RAM."""
        if (self.acpi is None and self.smbios is None) or self.ram_below_4g < _LEAST_RAM_FOR_TABLES:
            return self.ram_below_4g
        return self.ram_below_4g - _TABLES_SIZE


class LinearMemory:
    """Guest memory as the calling program sees it."""

    def __init__(self, cpu: BiosCpu) -> None:
        self.load, self.store = cpu.load, cpu.store
        self.read, self.write = cpu.read, cpu.write

    @property
    def ebda(self) -> int:
        """Address of the extended BIOS data area, which option ROMs may move."""
        return self.load(0x40E, 2) << 4

    def u8(self, address: int) -> int:
        return self.load(address, 1)

    def u16(self, address: int) -> int:
        return self.load(address, 2)

    def u32(self, address: int) -> int:
        return self.load(address, 4)

    def set8(self, address: int, value: int) -> None:
        self.store(address, 1, value & 0xFF)

    def set16(self, address: int, value: int) -> None:
        self.store(address, 2, value & 0xFFFF)

    def set32(self, address: int, value: int) -> None:
        self.store(address, 4, value & 0xFFFFFFFF)


class Ports:
    """Port I/O, as IN and OUT do it."""

    def __init__(self, io: AddressSpace) -> None:
        self._load, self._store = io.load, io.store

    def inb(self, port: int) -> int:
        return self._load(port, 1)

    def inw(self, port: int) -> int:
        return self._load(port, 2)

    def inl(self, port: int) -> int:
        return self._load(port, 4)

    def outb(self, port: int, value: int) -> None:
        self._store(port, 1, value & 0xFF)

    def outw(self, port: int, value: int) -> None:
        self._store(port, 2, value & 0xFFFF)

    def outl(self, port: int, value: int) -> None:
        self._store(port, 4, value & 0xFFFFFFFF)

    def cmos_read(self, index: int) -> int:
        """A byte of the clock chip; bit 7 keeps NMI off meanwhile, as every BIOS does."""
        self.outb(0x70, index | 0x80)
        return self.inb(0x71)

    def cmos_write(self, index: int, value: int) -> None:
        self.outb(0x70, index | 0x80)
        self.outb(0x71, value)


def far(segment: int, offset: int) -> int:
    """The linear address of ``segment:offset`` in real mode."""
    return (segment << 4) + (offset & 0xFFFF)
