"""Cylinders, heads and sectors: what a disk says of itself, and what a BIOS tells its guests.

A hard disk today knows block numbers only; its geometry is a convention, but boot sectors and partition
tables depend on it. The guess is QEMU's, so that a disk that was installed there boots here.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

__all__ = ["Geometry", "Translation", "guess_geometry"]

_MAX_CYLINDERS, _MAX_HEADS, _MAX_SECTORS = 16383, 16, 63  # ATA: word 1, 3 and 6 of IDENTIFY DEVICE
_LARGE_LIMIT = 131072  # cylinders * heads that bit shifting can bring below 1024 cylinders


class Translation(enum.IntEnum):
    """How a BIOS gets its own geometry from the drive's; the values are those of the CMOS bytes 0x39 and
    0x3a.
    """

    NONE = 0
    LBA = 1
    LARGE = 2
    RECHS = 3


class Geometry(NamedTuple):
    """The drive's geometry and the translation that a BIOS should use for it."""

    cylinders: int
    heads: int
    sectors: int
    translation: Translation


def _from_partition_table(total: int, boot_sector: bytes) -> tuple[int, int, int] | None:
    """The geometry that the partitions were made with: they end on a cylinder's last head and sector."""
    if boot_sector[510:512] != b"\x55\xaa":
        return None
    for entry in range(446, 510, 16):
        end_head, end_sector = boot_sector[entry + 5], boot_sector[entry + 6] & 63
        if int.from_bytes(boot_sector[entry + 12 : entry + 16], "little") and end_head and end_sector:
            heads = end_head + 1
            cylinders = total // (heads * end_sector)
            if 1 <= cylinders <= _MAX_CYLINDERS:
                return cylinders, heads, end_sector
    return None


def guess_geometry(size: int, boot_sector: bytes = b"") -> Geometry:
    """Guess the geometry of a disk of `size` bytes from its partition table, else from its size."""
    total = size // 512
    cylinders = min(max(total // (_MAX_HEADS * _MAX_SECTORS), 2), _MAX_CYLINDERS)
    logical = _from_partition_table(total, boot_sector)
    if logical is None:
        return Geometry(cylinders, 16, 63, Translation.NONE if cylinders <= 1024 else Translation.LBA)
    if logical[1] <= _MAX_HEADS:  # a BIOS that shows the drive's own geometry made these
        return Geometry(*logical, Translation.NONE)
    translation = Translation.LARGE if cylinders * 16 <= _LARGE_LIMIT else Translation.LBA
    return Geometry(cylinders, 16, 63, translation)
