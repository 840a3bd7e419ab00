"""PCI at power-on: find the functions, give them addresses and interrupts, enable them.

The layout is that of SeaBIOS on this board, so that guests and migration find what they know: I/O from C000h, memory
from PCI_MEMORY up, prefetchable behind it, INTA# to INTD# of slot n on PIRQ (pin + n - 1) mod 4, PIRQ A to D on
IRQ 10, 10, 11, 11 (PCI Local Bus 3.0, section 6.2.5; 82371SB data sheet, section 2.2.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyqemu.firmware.bios.context import Ports

PIRQ_IRQS = (10, 10, 11, 11)
IO_START, IO_END = 0xC000, 0x10000
MEMORY_END = 0xFEC00000
PM_BASE, SMBUS_BASE = 0x600, 0xB100

_VENDOR, _COMMAND, _CLASS, _HEADER, _BAR0, _ROM, _LINE, _PIN = 0x00, 0x04, 0x08, 0x0E, 0x10, 0x30, 0x3C, 0x3D
_COMMAND_IO, _COMMAND_MEMORY, _COMMAND_MASTER, _COMMAND_SERR = 1, 2, 4, 0x100
_CLASS_DISPLAY, _CLASS_BRIDGE, _CLASS_HOST = 0x03, 0x0604, 0x0600

HOST_440FX, PIIX3_ISA, PIIX_IDE, PIIX4_PM = 0x12378086, 0x70008086, (0x70108086, 0x71118086), 0x71138086


class PciConfig:
    """Configuration space by mechanism 1 (PCI 3.0, section 3.2.2.3.2)."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports

    def read(self, devfn: int, register: int, size: int) -> int:
        """*size* bytes at *register* of function *devfn* (bus number in bits 15-8)."""
        self.ports.outl(0xCF8, 0x80000000 | devfn << 8 | register & 0xFC)
        port = 0xCFC + (register & 3)
        return self.ports.inb(port) if size == 1 else self.ports.inw(port) if size == 2 else self.ports.inl(port)

    def write(self, devfn: int, register: int, size: int, value: int) -> None:
        self.ports.outl(0xCF8, 0x80000000 | devfn << 8 | register & 0xFC)
        port = 0xCFC + (register & 3)
        if size == 1:
            self.ports.outb(port, value)
        elif size == 2:
            self.ports.outw(port, value)
        else:
            self.ports.outl(port, value)

    def scan(self, bus: int = 0) -> Iterator[int]:
        """The functions on *bus*, lowest first."""
        for slot in range(32):
            for function in range(8):
                devfn = bus << 8 | slot << 3 | function
                if self.read(devfn, _VENDOR, 2) in (0xFFFF, 0):
                    if function == 0:
                        break
                    continue
                yield devfn
                if function == 0 and not self.read(devfn, _HEADER, 1) & 0x80:
                    break

    def identity(self, devfn: int) -> int:
        """Device and vendor ID."""
        return self.read(devfn, _VENDOR, 4)

    def class_code(self, devfn: int) -> int:
        """Base class, subclass and programming interface."""
        return self.read(devfn, _CLASS, 4) >> 8


@dataclass
class _Region:
    """An address range that a function asks for."""

    devfn: int
    register: int
    size: int
    io: bool = False
    wide: bool = False
    prefetch: bool = False


class PciSetup:
    """Enumerates bus 0 and assigns its resources."""

    def __init__(self, config: PciConfig, memory_start: int) -> None:
        self.config = config
        self.memory_start = memory_start

    def run(self) -> None:
        """Set up all functions. Those that do not fit are left disabled, as on a real machine."""
        regions: list[_Region] = []
        functions = list(self.config.scan())
        for devfn in functions:
            self.config.write(devfn, _COMMAND, 2, 0)
            regions.extend(self._size_bars(devfn))
        placed = self._assign_io([r for r in regions if r.io]) | self._assign_memory([r for r in regions if not r.io])
        failed = {r.devfn for r in regions if (r.devfn, r.register) not in placed}
        for devfn in functions:
            self._route(devfn)
            self._board_device(devfn)
            enable = _COMMAND_MASTER | _COMMAND_SERR
            if devfn not in failed:
                enable |= _COMMAND_IO | _COMMAND_MEMORY
            self.config.write(devfn, _COMMAND, 2, enable)

    # -- sizing ---------------------------------------------------------------------------------------------

    def _size_bars(self, devfn: int) -> Iterator[_Region]:
        config = self.config
        bars = 2 if config.read(devfn, _HEADER, 1) & 0x7F == 1 else 6
        number = 0
        while number < bars:
            register = _BAR0 + 4 * number
            old = config.read(devfn, register, 4)
            config.write(devfn, register, 4, 0xFFFFFFFF)
            mask = config.read(devfn, register, 4)
            config.write(devfn, register, 4, old)
            number += 1
            if mask == 0:
                continue
            if mask & 1:
                yield _Region(devfn, register, -(mask & ~3) & 0xFFFF, io=True)
                continue
            wide = mask & 6 == 4
            yield _Region(devfn, register, -(mask & ~15) & 0xFFFFFFFF, wide=wide, prefetch=bool(mask & 8))
            if wide:
                config.write(devfn, register + 4, 4, 0)
                number += 1
        if bars == 6:
            config.write(devfn, _ROM, 4, 0xFFFFF800)
            mask = config.read(devfn, _ROM, 4) & ~0x7FF
            config.write(devfn, _ROM, 4, 0)
            if mask:
                yield _Region(devfn, _ROM, -mask & 0xFFFFFFFF)

    # -- placing --------------------------------------------------------------------------------------------

    def _assign_io(self, regions: list[_Region]) -> set[tuple[int, int]]:
        placed = set()
        at = IO_START
        for region in sorted(regions, key=lambda r: -r.size):
            if region.size and at + region.size <= IO_END:
                self.config.write(region.devfn, region.register, 4, at)
                at += region.size
                placed.add((region.devfn, region.register))
        return placed

    def _assign_memory(self, regions: list[_Region]) -> set[tuple[int, int]]:
        """Prefetchable regions grow up from the start of the hole, the others down from its end."""
        placed = set()
        low, high = self.memory_start, MEMORY_END
        for region in sorted(regions, key=lambda r: -r.size):
            if not region.size:
                continue
            size = max(region.size, 4096)
            if region.prefetch:
                address = -(-low // size) * size
                fits = address + size <= high
                low = address + size if fits else low
            else:
                address = (high - size) // size * size
                fits = address >= low
                high = address if fits else high
            if fits:
                self.config.write(region.devfn, region.register, 4, address)
                placed.add((region.devfn, region.register))
        return placed

    # -- interrupts and the devices of the board ------------------------------------------------------------

    def _route(self, devfn: int) -> None:
        pin = self.config.read(devfn, _PIN, 1)
        if pin:
            irq = PIRQ_IRQS[(pin - 1 + (devfn >> 3) - 1) % 4]
            self.config.write(devfn, _LINE, 1, irq)

    def _board_device(self, devfn: int) -> None:
        config = self.config
        identity = config.identity(devfn)
        if identity == PIIX3_ISA:
            for pirq, irq in enumerate(PIRQ_IRQS):
                config.write(devfn, 0x60 + pirq, 1, irq)
            elcr = sum(1 << irq for irq in set(PIRQ_IRQS))
            config.ports.outb(0x4D0, elcr & 0xFF)
            config.ports.outb(0x4D1, elcr >> 8)
        elif identity in PIIX_IDE:
            config.write(devfn, 0x40, 2, 0x8000)  # both channels decode
            config.write(devfn, 0x42, 2, 0x8000)
        elif identity == PIIX4_PM:
            config.write(devfn, _LINE, 1, 9)  # the SCI is wired there
            config.write(devfn, 0x40, 4, PM_BASE | 1)
            config.write(devfn, 0x80, 1, 1)
            config.write(devfn, 0x90, 4, SMBUS_BASE | 1)
            config.write(devfn, 0xD2, 1, 9)  # SMBus host enable, IRQ 9
