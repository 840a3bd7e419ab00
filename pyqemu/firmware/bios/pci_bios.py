"""INT 1Ah AH=B1h and its 32-bit entry: PCI BIOS Specification 2.1."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pyqemu.firmware.bios.context import LinearMemory, Ports, far
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.pci_setup import PIRQ_IRQS, PciConfig
from pyqemu.firmware.bios.tables import pirq_slots

_SUCCESSFUL, _NOT_SUPPORTED, _BAD_VENDOR, _NOT_FOUND, _BAD_REGISTER, _BUFFER_TOO_SMALL = 0, 0x81, 0x83, 0x86, 0x87, 0x89
_SIGNATURE = 0x20494350  # "PCI "


class PciBios:
    """The services; in real mode by INT 1Ah, in protected mode by a far call with the same registers."""

    def __init__(self, ports: Ports, memory: LinearMemory, entry_32: int) -> None:
        self.config = PciConfig(ports)
        self.memory = memory
        self.entry_32 = entry_32
        self._functions: dict[int, Callable[[Frame], int]] = {
            0x01: self._present,
            0x02: self._find_device,
            0x03: self._find_class,
            0x08: lambda frame: self._read(frame, 1),
            0x09: lambda frame: self._read(frame, 2),
            0x0A: lambda frame: self._read(frame, 4),
            0x0B: lambda frame: self._write(frame, 1),
            0x0C: lambda frame: self._write(frame, 2),
            0x0D: lambda frame: self._write(frame, 4),
            0x0E: self._routing,
        }

    def service(self, frame: Frame) -> None:
        """Run function AL; the real-mode values 81h-8Eh of the 32-bit convention do as well."""
        handler = self._functions.get(frame.al & 0x7F)
        status = handler(frame) if handler is not None else _NOT_SUPPORTED
        frame.ah, frame.carry = status, status != _SUCCESSFUL

    protected_mode = service

    def _present(self, frame: Frame) -> int:
        frame.edx = _SIGNATURE
        frame.edi = self.entry_32
        frame.al, frame.bx, frame.cl = 0x01, 0x0210, 0  # mechanism 1; version 2.1; last bus
        return _SUCCESSFUL

    def _find_device(self, frame: Frame) -> int:
        if frame.dx == 0xFFFF:
            return _BAD_VENDOR
        identity = frame.cx << 16 | frame.dx
        return self._find(frame, lambda devfn: self.config.identity(devfn) == identity)

    def _find_class(self, frame: Frame) -> int:
        return self._find(frame, lambda devfn: self.config.class_code(devfn) == frame.ecx & 0xFFFFFF)

    def _find(self, frame: Frame, wanted: Callable[[int], bool]) -> int:
        """The SI-th function that is wanted."""
        found = [devfn for devfn in self.config.scan() if wanted(devfn)]
        if frame.si >= len(found):
            return _NOT_FOUND
        frame.bx = found[frame.si]
        return _SUCCESSFUL

    def _read(self, frame: Frame, size: int) -> int:
        if frame.di > 0xFF or frame.di & (size - 1):
            return _BAD_REGISTER
        value = self.config.read(frame.bx, frame.di, size)
        if size == 1:
            frame.cl = value
        elif size == 2:
            frame.cx = value
        else:
            frame.ecx = value
        return _SUCCESSFUL

    def _write(self, frame: Frame, size: int) -> int:
        if frame.di > 0xFF or frame.di & (size - 1):
            return _BAD_REGISTER
        self.config.write(frame.bx, frame.di, size, frame.ecx & ((1 << 8 * size) - 1))
        return _SUCCESSFUL

    def _routing(self, frame: Frame) -> int:
        """0Eh: slot entries as in $PIR to the buffer that ES:DI describes (real mode only)."""
        address = far(frame.es, frame.di)
        room, offset, segment = struct.unpack("<HHH", self.memory.read(address, 6))
        entries = pirq_slots()
        self.memory.set16(address, len(entries))
        if room < len(entries):
            return _BUFFER_TOO_SMALL
        self.memory.write(far(segment, offset), entries)
        frame.bx = sum(1 << irq for irq in set(PIRQ_IRQS))
        return _SUCCESSFUL
