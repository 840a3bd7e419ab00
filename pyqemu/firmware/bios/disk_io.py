"""Status codes of INT 13h, and moving blocks between a drive and guest memory."""

from __future__ import annotations

from enum import IntEnum

from pyqemu.block.errors import BlockIOError
from pyqemu.firmware.bios.context import LinearMemory
from pyqemu.firmware.bios.disks import Unit


class Status(IntEnum):
    """What AH and 40:41h or 40:74h say."""

    OK = 0x00
    BAD_COMMAND = 0x01
    WRITE_PROTECTED = 0x03
    NOT_FOUND = 0x04
    CHANGED = 0x06
    DMA_BOUNDARY = 0x09
    NO_MEDIUM = 0x31
    CONTROLLER = 0x20
    TIMEOUT = 0x80
    NOT_LOCKED = 0xB0
    LOCKED = 0xB1
    NOT_REMOVABLE = 0xB2
    WRITE_FAULT = 0xCC


class DiskError(Exception):
    """A service ends with a status other than OK."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.name)
        self.status = status


def transfer(memory: LinearMemory, unit: Unit, block: int, count: int, address: int, *, write: bool) -> None:
    """Move *count* blocks between the unit and memory at *address*.

    :raise DiskError: no medium, out of range, read-only, or the image's I/O failed.
    """
    if not unit.drive.inserted:
        raise DiskError(Status.TIMEOUT if unit.kind == "floppy" else Status.NO_MEDIUM)
    if block + count > unit.blocks:
        raise DiskError(Status.NOT_FOUND)
    offset = unit.base + block * unit.block_size
    try:
        if write:
            if unit.drive.read_only or unit.kind in ("cd", "emulated"):
                raise DiskError(Status.WRITE_PROTECTED)
            unit.drive.write(offset, memory.read(address, count * unit.block_size))
        else:
            memory.write(address, unit.drive.read(offset, count * unit.block_size))
    except BlockIOError:
        raise DiskError(Status.WRITE_FAULT if write else Status.CONTROLLER) from None
