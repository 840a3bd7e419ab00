"""Booting from CD ("El Torito" Bootable CD-ROM Format Specification 1.0).

The boot record volume descriptor in sector 11h names the boot catalog; its first entries are the validation entry and
the default entry, which says where the image is and what it is to look like: a floppy, a hard disk, or nothing.
What is booted stands in the EBDA as the specification packet that INT 13h AX=4B01h returns.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pyqemu.block.drive import Drive
from pyqemu.block.errors import BlockIOError
from pyqemu.firmware.bios.context import LinearMemory
from pyqemu.firmware.bios.layout import BOOT_ADDRESS, Ebda

_SECTOR = 2048
_VIRTUAL_SECTOR = 512
_BOOT_RECORD = 0x11
_FLOPPY_GEOMETRY = {1: (80, 2, 15), 2: (80, 2, 18), 3: (80, 2, 36)}
_HARD_DISK = 4
PACKET_SIZE = 0x13


class ElToritoError(Exception):
    """The CD cannot be booted; the message says why."""


@dataclass(frozen=True)
class BootImage:
    """What was loaded and where it starts."""

    segment: int
    drive_number: int
    emulates: bool


def find_catalog(drive: Drive) -> int:
    """The sector of the boot catalog."""
    descriptor = _read(drive, _BOOT_RECORD, 1)
    if descriptor[0] != 0 or descriptor[1:7] != b"CD001\x01":
        raise ElToritoError("no boot record")
    if not descriptor[7:39].startswith(b"EL TORITO SPECIFICATION"):
        raise ElToritoError("no El Torito boot record")
    sector: int = struct.unpack_from("<I", descriptor, 0x47)[0]
    return sector


def default_entry(drive: Drive) -> bytes:
    """The catalog's default entry, 32 bytes, which is bootable."""
    catalog = _read(drive, find_catalog(drive), 1)
    if catalog[0] != 1 or catalog[30:32] != b"\x55\xaa":
        raise ElToritoError("bad boot catalog")
    if catalog[0x20] != 0x88:
        raise ElToritoError("the default entry is not bootable")
    return catalog[0x20:0x40]


def _read(drive: Drive, sector: int, count: int) -> bytes:
    if not drive.inserted:
        raise ElToritoError("no medium")
    try:
        return drive.read(sector * _SECTOR, count * _SECTOR)
    except BlockIOError:
        raise ElToritoError("read error") from None


class ElTorito:
    """Loads the boot image and keeps the emulation's state."""

    def __init__(self, memory: LinearMemory) -> None:
        self.memory = memory

    def load(self, drive: Drive, unit: int, cd_number: int) -> BootImage:
        """Read the initial image of the CD in drive *unit* to memory and start the emulation it asks for.

        :raise ElToritoError: there is nothing to boot.
        """
        entry = default_entry(drive)
        media = entry[1] & 0x0F
        segment, _, _, count, start = struct.unpack_from("<HBBHI", entry, 2)
        segment = segment or BOOT_ADDRESS >> 4
        if media > _HARD_DISK:
            raise ElToritoError(f"unknown media type {media}")
        sectors = max(count, 1)
        data = _read(drive, start, -(-sectors * _VIRTUAL_SECTOR // _SECTOR))
        self.memory.write(segment << 4, data[: sectors * _VIRTUAL_SECTOR])
        number = cd_number if media == 0 else 0x80 if media == _HARD_DISK else 0x00
        packet = struct.pack("<BBBBIHHHHBBB", PACKET_SIZE, media, number, unit & 0xFF, start, 0, 0, segment, sectors,
                             0, 0, 0)  # fmt: skip
        geometry = self._geometry(media, data)
        self._set(packet, unit, geometry)
        return BootImage(segment, number, media != 0)

    @staticmethod
    def _geometry(media: int, boot_sector: bytes) -> tuple[int, int, int]:
        """Cylinders, heads and sectors of the emulated disk; a hard disk's come from its partition's end (2.5)."""
        if media != _HARD_DISK:
            return _FLOPPY_GEOMETRY.get(media, (0, 0, 0))
        head, sector, cylinder = boot_sector[446 + 5 : 446 + 8]
        return ((sector & 0xC0) << 2 | cylinder) + 1, head + 1, max(sector & 63, 1)

    def _set(self, packet: bytes, unit: int, geometry: tuple[int, int, int]) -> None:
        cylinders, heads, sectors = geometry
        memory, ebda = self.memory, self.memory.ebda
        if cylinders:  # bytes 10h to 12h of the packet are as INT 13h AH=08h returns them in CX and DH
            last = cylinders - 1
            packet = packet[:0x10] + bytes((last & 0xFF, (last >> 2 & 0xC0) | sectors, heads - 1))
        memory.write(ebda + Ebda.CD_EMULATION, packet)
        memory.set8(ebda + Ebda.CD_UNIT, unit)
        memory.set8(ebda + Ebda.CD_HEADS, heads)
        memory.set8(ebda + Ebda.CD_SECTORS, sectors)
        memory.set16(ebda + Ebda.CD_CYLINDERS, cylinders)
        memory.set32(ebda + Ebda.CD_BLOCKS, cylinders * heads * sectors)

    @property
    def packet(self) -> bytes | None:
        """The specification packet, or None if nothing was booted from CD."""
        packet = self.memory.read(self.memory.ebda + Ebda.CD_EMULATION, PACKET_SIZE)
        return packet if packet[0] else None

    def stop(self) -> None:
        """Give the emulated drive's number back."""
        self.memory.write(self.memory.ebda + Ebda.CD_EMULATION, bytes(PACKET_SIZE))
