"""INT 13h: disks.

Functions 00h-25h are those of the IBM PC/AT (Technical Reference, diskette and fixed disk BIOS), 41h-4Eh those of the
Enhanced Disk Drive Specification (``int13_edd.py``), 4A00h-4C00h those of El Torito. Data goes straight between the
drive's image and guest memory; the controllers are not touched.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.block.errors import BlockIOError
from pyqemu.firmware.bios.context import LinearMemory, far
from pyqemu.firmware.bios.disk_io import DiskError, Status, transfer
from pyqemu.firmware.bios.disks import DiskMap, Unit
from pyqemu.firmware.bios.eltorito import PACKET_SIZE, ElTorito
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.int13_edd import ExtendedDisk
from pyqemu.firmware.bios.layout import BIOS_SEGMENT, Bda

_EDD_FIRST, _EDD_LAST = 0x41, 0x4E
_DISKETTE_TABLE = 0xEFC7


class DiskServices:
    """The services; ``service`` is INT 13h and INT 40h."""

    def __init__(self, memory: LinearMemory, disks: DiskMap) -> None:
        self.memory = memory
        self.disks = disks
        self.eltorito = ElTorito(memory)
        extended = ExtendedDisk(memory, disks)
        self._functions: dict[int, Callable[[Frame, Unit], None]] = {
            0x00: self._nothing,
            0x02: lambda frame, unit: self._chs(frame, unit, write=False),
            0x03: lambda frame, unit: self._chs(frame, unit, write=True),
            0x04: self._verify,
            0x05: self._format,
            0x08: self._parameters,
            0x09: self._nothing,
            0x0C: self._seek,
            0x0D: self._nothing,
            0x10: self._nothing,
            0x11: self._nothing,
            0x14: self._nothing,
            0x15: self._type,
            0x16: self._change_line,
            0x17: self._nothing,
            0x18: self._media_type,
            **extended.functions,
        }

    def service(self, frame: Frame) -> None:
        """Run function AH for drive DL."""
        function = frame.ah
        if function == 0x01:
            self._last_status(frame)
            return
        if function in (0x4A, 0x4B, 0x4C):
            self._cd_function(frame)
            return
        drive = frame.dl
        try:
            unit = self.disks.find(drive)
            handler = self._functions.get(function)
            if unit is None:
                self._no_drive(frame, function)
                return
            if handler is None or (_EDD_FIRST <= function <= _EDD_LAST and unit.kind == "floppy"):
                raise DiskError(Status.BAD_COMMAND)
            frame.carry = False
            if function != 0x15:
                frame.ah = Status.OK
            handler(frame, unit)
            self._remember(drive, Status.OK)
        except DiskError as error:
            frame.ah = error.status
            frame.carry = True
            self._remember(drive, error.status)

    def _remember(self, drive: int, status: int) -> None:
        self.memory.set8(Bda.DISK_STATUS if drive & 0x80 else Bda.FLOPPY_STATUS, status)

    def _last_status(self, frame: Frame) -> None:
        frame.ah = self.memory.u8(Bda.DISK_STATUS if frame.dl & 0x80 else Bda.FLOPPY_STATUS)
        frame.carry = frame.ah != 0

    def _no_drive(self, frame: Frame, function: int) -> None:
        """There is no such drive; two functions answer all the same."""
        if function == 0x15:
            frame.ah, frame.carry = 0, False
            return
        if function == 0x00 and not frame.dl & 0x80:
            frame.ah, frame.carry = 0, False
            return
        if function == 0x08 and frame.dl < 0x80:
            frame.ax = frame.bx = frame.cx = frame.dx = 0
            frame.es = frame.di = 0
            frame.dl = self.disks.count(0)
            frame.carry = False
            return
        frame.dl = self.disks.count(0x80) if function == 0x08 else frame.dl
        raise DiskError(Status.BAD_COMMAND)

    # -- functions ------------------------------------------------------------------------------------------

    def _nothing(self, frame: Frame, unit: Unit) -> None:
        """Reset, recalibrate, test: all is well."""

    def _address(self, frame: Frame, unit: Unit) -> int:
        """The block that CX and DH name."""
        cylinder = frame.ch | (frame.cl & 0xC0) << 2
        head, sector = frame.dh, frame.cl & 0x3F
        _, heads, sectors = unit.chs
        if sector == 0 or sector > sectors or head >= heads:
            raise DiskError(Status.NOT_FOUND)
        return (cylinder * heads + head) * sectors + sector - 1

    def _chs(self, frame: Frame, unit: Unit, *, write: bool) -> None:
        count = frame.al
        if unit.kind == "cd":
            raise DiskError(Status.BAD_COMMAND)
        if count == 0 or count > 128:
            raise DiskError(Status.BAD_COMMAND)
        try:
            block = self._address(frame, unit)
            transfer(self.memory, unit, block, count, far(frame.es, frame.bx), write=write)
        except DiskError:
            frame.al = 0
            raise

    def _verify(self, frame: Frame, unit: Unit) -> None:
        if not unit.drive.inserted:
            raise DiskError(Status.TIMEOUT)
        if self._address(frame, unit) + frame.al > unit.blocks:
            raise DiskError(Status.NOT_FOUND)

    def _format(self, frame: Frame, unit: Unit) -> None:
        """A track of a floppy: filled with the fill byte. Hard disks need no formatting."""
        if unit.kind == "disk":
            return
        if unit.drive.read_only or unit.kind != "floppy":
            raise DiskError(Status.WRITE_PROTECTED if unit.drive.inserted else Status.TIMEOUT)
        _, heads, sectors = unit.chs
        if frame.dh >= heads:
            raise DiskError(Status.NOT_FOUND)
        block = (frame.ch * heads + frame.dh) * sectors
        if block + sectors > unit.blocks:
            raise DiskError(Status.NOT_FOUND)
        try:
            unit.drive.write(block * 512, b"\xf6" * (sectors * 512))
        except BlockIOError:
            raise DiskError(Status.WRITE_FAULT) from None

    def _parameters(self, frame: Frame, unit: Unit) -> None:
        """Last cylinder, head and sector; the number of drives; for a floppy its type and parameter table."""
        if unit.kind == "cd":
            raise DiskError(Status.BAD_COMMAND)
        cylinders, heads, sectors = unit.chs
        last = cylinders - 1
        frame.al = 0
        frame.ch, frame.cl = last, (last >> 2 & 0xC0) | sectors
        frame.dh, frame.dl = heads - 1, self.disks.count(unit.number)
        if unit.number < 0x80:
            frame.bx = unit.floppy_type
            frame.es, frame.di = BIOS_SEGMENT, _DISKETTE_TABLE

    def _seek(self, frame: Frame, unit: Unit) -> None:
        self._address(frame, unit)

    def _type(self, frame: Frame, unit: Unit) -> None:
        """1: floppy without, 2: with change line; 3: hard disk with CX:DX blocks."""
        if unit.number < 0x80:
            frame.ah = 2 if unit.kind == "floppy" else 1
            return
        if unit.kind == "cd":
            raise DiskError(Status.BAD_COMMAND)
        cylinders, heads, sectors = unit.chs
        blocks = min(cylinders * heads * sectors, 0xFFFFFFFF)
        frame.ah, frame.cx, frame.dx = 3, blocks >> 16, blocks

    def _change_line(self, frame: Frame, unit: Unit) -> None:
        if unit.number >= 0x80:
            raise DiskError(Status.BAD_COMMAND)
        if not unit.drive.inserted:
            raise DiskError(Status.TIMEOUT)

    def _media_type(self, frame: Frame, unit: Unit) -> None:
        """Set the floppy format for formatting: only the one that the medium has."""
        if unit.number >= 0x80:
            raise DiskError(Status.BAD_COMMAND)
        frame.es, frame.di = BIOS_SEGMENT, _DISKETTE_TABLE

    # -- El Torito ------------------------------------------------------------------------------------------

    def _cd_function(self, frame: Frame) -> None:
        """AX=4B00h ends emulation, AX=4B01h tells of it; what starts one is left to booting."""
        packet = self.eltorito.packet
        if frame.ax not in (0x4B00, 0x4B01) or packet is None or frame.dl not in (packet[2], 0x7F):
            frame.ah, frame.carry = Status.BAD_COMMAND, True
            return
        self.memory.write(far(frame.ds, frame.si), packet[:PACKET_SIZE])
        if frame.al == 0:
            emulated, media = packet[2], packet[1]
            self.eltorito.stop()
            if media and emulated >= 0x80:
                self.memory.set8(Bda.DISK_COUNT, self.disks.count(0x80))
        frame.ah, frame.carry = Status.OK, False
