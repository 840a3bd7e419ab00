"""INT 13h functions 41h-4Eh: the Enhanced Disk Drive Specification 3.0 (T13 D1386)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pyqemu.firmware.bios.context import LinearMemory, far
from pyqemu.firmware.bios.disk_io import DiskError, Status, transfer
from pyqemu.firmware.bios.disks import DiskMap, Unit
from pyqemu.firmware.bios.frame import Frame

_VERSION = 0x30
_ACCESS, _LOCKING, _EDD = 1, 2, 4  # interface support bits of function 41h


class ExtendedDisk:
    """The extended functions; each is called with the frame and the unit."""

    def __init__(self, memory: LinearMemory, disks: DiskMap) -> None:
        self.memory = memory
        self.disks = disks
        self.functions: dict[int, Callable[[Frame, Unit], None]] = {
            0x41: self._check,
            0x42: lambda frame, unit: self._access(frame, unit, write=False),
            0x43: lambda frame, unit: self._access(frame, unit, write=True),
            0x44: self._verify,
            0x45: self._lock,
            0x46: self._eject,
            0x47: self._verify,
            0x48: self._parameters,
            0x49: self._change_line,
            0x4E: self._hardware,
        }

    def _check(self, frame: Frame, unit: Unit) -> None:
        if frame.bx != 0x55AA:
            raise DiskError(Status.BAD_COMMAND)
        frame.ah, frame.bx = _VERSION, 0xAA55
        frame.cx = _ACCESS | _EDD | (_LOCKING if unit.removable else 0)

    def _packet(self, frame: Frame, unit: Unit) -> tuple[int, int, int]:
        """Number of blocks, buffer address, first block of the packet at DS:SI (table 3)."""
        address = far(frame.ds, frame.si)
        size, _, count, offset, segment, block = struct.unpack("<BBHHHQ", self.memory.read(address, 16))
        if size < 16:
            raise DiskError(Status.BAD_COMMAND)
        buffer = far(segment, offset)
        if segment == offset == 0xFFFF and size >= 24:
            (buffer,) = struct.unpack("<Q", self.memory.read(address + 16, 8))
        return count, buffer, block

    def _access(self, frame: Frame, unit: Unit, *, write: bool) -> None:
        count, buffer, block = self._packet(frame, unit)
        try:
            transfer(self.memory, unit, block, count, buffer, write=write)
        except DiskError:
            self.memory.set16(far(frame.ds, frame.si) + 2, 0)  # none transferred
            raise

    def _verify(self, frame: Frame, unit: Unit) -> None:
        count, _, block = self._packet(frame, unit)
        if not unit.drive.inserted:
            raise DiskError(Status.NO_MEDIUM)
        if block + count > unit.blocks:
            raise DiskError(Status.NOT_FOUND)

    def _lock(self, frame: Frame, unit: Unit) -> None:
        """The tray has no lock that the BIOS keeps."""
        frame.al = 0

    def _eject(self, frame: Frame, unit: Unit) -> None:
        raise DiskError(Status.NOT_REMOVABLE if not unit.removable else Status.BAD_COMMAND)

    def _change_line(self, frame: Frame, unit: Unit) -> None:
        """Not changed, as far as we know."""

    def _hardware(self, frame: Frame, unit: Unit) -> None:
        """Set DMA or PIO modes: nothing to set. AL=1, 4, 6 ask for defaults."""
        frame.al = 0

    def _parameters(self, frame: Frame, unit: Unit) -> None:
        """Fill the result buffer at DS:SI as far as its size goes (table 5): 26, 30, 66 or 74 bytes."""
        address = far(frame.ds, frame.si)
        room = self.memory.u16(address)
        if room < 26:
            raise DiskError(Status.BAD_COMMAND)
        if unit.kind == "cd":
            head = struct.pack("<HIIIQH", 0x74, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 2048)
        else:
            head = self._geometry(unit)
        size = next(n for n in (74, 66, 30, 26) if room >= n)
        result = head
        if size >= 30:
            result += struct.pack("<HH", 0xFFFF, 0xFFFF)  # no device parameter table extension
        if size >= 66:
            result += self._device_path(unit, size)
        self.memory.write(address, struct.pack("<H", size) + result[: size - 2])

    def _geometry(self, unit: Unit) -> bytes:
        """Flags, physical geometry, blocks, block size. The geometry is valid up to 15.5 million blocks (8.4 GB)."""
        cylinders, heads, sectors = unit.chs
        flags = 0x0002 if unit.blocks <= 63 * 255 * 1024 else 0
        if unit.kind == "disk":
            physical = unit.drive.geometry()
            cylinders, heads, sectors = physical.cylinders, physical.heads, physical.sectors
        return struct.pack("<HIIIQH", flags, cylinders, heads, sectors, unit.blocks, unit.block_size)

    def _device_path(self, unit: Unit, size: int) -> bytes:
        """Host bus and interface (table 6): the IDE controller at 00:01.1 for IDE drives, unknown otherwise."""
        long = size >= 74
        length = 44 if long else 36
        host, interface = b"PCI ", b"ATA     " if unit.kind == "disk" else b"ATAPI   "
        path = struct.pack("<BBBB4x", 0, 1, 1, unit.drive.bus)
        if unit.drive.interface != "ide":
            host, interface, path = b"PCI ", b"SCSI    ", struct.pack("<BBBB4x", 0, 0, 0, 0xFF)
        device = struct.pack("<B15x" if long else "<B7x", unit.drive.unit)
        head = struct.pack("<HBBH", 0xBEDD, length, 0, 0) + host + interface + path + device
        filler = b"\x00"
        total = head + filler
        return total + bytes((-sum(total) & 0xFF,))
