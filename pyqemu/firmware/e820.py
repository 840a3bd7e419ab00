"""The memory map: where RAM lies, and what INT 15h AX=E820h and multiboot tell about it.

``ram_split`` is the rule of pc-i440fx-2.6 (RAM that does not fit under the PCI hole continues at 4 GiB);
``bios_map`` is what firmware reports (ACPI 5.0, chapter 15); ``fw_cfg_table`` and ``fw_cfg_file`` are what a
firmware image such as SeaBIOS reads through fw_cfg to make its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from pyqemu.util.units import GIB, MIB

FOUR_GIB = 4 * GIB

FW_CFG_E820_TABLE = 0x8003
"""fw_cfg key of the old, counted table; it holds reserved ranges only."""

FW_CFG_E820_FILE = "etc/e820"
"""fw_cfg file with RAM and reserved ranges."""

EBDA_START = 0x9FC00
"""Where conventional memory ends: the extended BIOS data area's usual one KiB."""

BIOS_FLASH_START = 0xFFFC0000
"""The 256 KiB below 4 GiB where the firmware image is decoded."""


class MemoryType(IntEnum):
    """Address range types of ACPI 5.0, table 15-312."""

    RAM = 1
    RESERVED = 2
    ACPI = 3
    NVS = 4


@dataclass(frozen=True)
class Range:
    """One entry of the map: ``length`` bytes from ``start``."""

    start: int
    length: int
    kind: MemoryType

    @property
    def end(self) -> int:
        """First address after the range."""
        return self.start + self.length

    def pack(self) -> bytes:
        """The 20 bytes of an address range descriptor."""
        return struct.pack("<QQI", self.start, self.length, self.kind)


def ram_split(ram_size: int) -> tuple[int, int]:
    """Bytes of RAM below the PCI hole and from 4 GiB up, on pc-i440fx-2.6.

    Up to 3.5 GiB all is low; more is split at 3 GiB, so that both parts can be mapped by gigabyte pages.
    """
    if ram_size < 0xE0000000:
        return ram_size, 0
    return 3 * GIB, ram_size - 3 * GIB


def bios_map(
    ram_below_4g: int, ram_above_4g: int = 0, *, ebda_start: int = EBDA_START, acpi_start: int | None = None
) -> tuple[Range, ...]:
    """The map that a BIOS reports.

    :param acpi_start: where the ACPI tables begin; they own the rest of low RAM. None: they lie elsewhere.
    """
    top = ram_below_4g if acpi_start is None else acpi_start
    entries = [
        Range(0, ebda_start, MemoryType.RAM),
        Range(ebda_start, 0xA0000 - ebda_start, MemoryType.RESERVED),
        Range(0xF0000, 0x10000, MemoryType.RESERVED),
        Range(MIB, top - MIB, MemoryType.RAM),
        Range(top, ram_below_4g - top, MemoryType.ACPI),
        Range(BIOS_FLASH_START, FOUR_GIB - BIOS_FLASH_START, MemoryType.RESERVED),
        Range(FOUR_GIB, ram_above_4g, MemoryType.RAM),
    ]
    return tuple(entry for entry in entries if entry.length > 0)


def pack(entries: Iterable[Range]) -> bytes:
    """Descriptors one after the other."""
    return b"".join(entry.pack() for entry in entries)


def fw_cfg_ranges(ram_below_4g: int, ram_above_4g: int = 0) -> tuple[Range, ...]:
    """What the machine itself knows: RAM, without what firmware will take of it."""
    entries = (Range(0, ram_below_4g, MemoryType.RAM), Range(FOUR_GIB, ram_above_4g, MemoryType.RAM))
    return tuple(entry for entry in entries if entry.length > 0)


def fw_cfg_file(ram_below_4g: int, ram_above_4g: int = 0, reserved: Iterable[Range] = ()) -> bytes:
    """Content of the fw_cfg file ``etc/e820``."""
    return pack((*fw_cfg_ranges(ram_below_4g, ram_above_4g), *reserved))


_TABLE_ENTRIES = 16


def fw_cfg_table(reserved: Iterable[Range] = ()) -> bytes:
    """Content of fw_cfg key 0x8003: a count and room for 16 reserved ranges."""
    entries = tuple(reserved)
    if len(entries) > _TABLE_ENTRIES:
        raise ValueError(f"{len(entries)} reserved ranges, the fw_cfg table holds {_TABLE_ENTRIES}")
    return (struct.pack("<I", len(entries)) + pack(entries)).ljust(4 + 20 * _TABLE_ENTRIES, b"\x00")
