"""The memory map."""

import itertools
import struct

import pytest

from pyqemu.firmware.e820 import MemoryType, Range, bios_map, fw_cfg_file, fw_cfg_table, ram_split

GIB = 1 << 30


@pytest.mark.parametrize(
    ("ram", "below", "above"),
    [
        (128 << 20, 128 << 20, 0),
        (3 * GIB, 3 * GIB, 0),
        (0xDFF00000, 0xDFF00000, 0),
        (0xE0000000, 3 * GIB, GIB // 2),
        (8 * GIB, 3 * GIB, 5 * GIB),
    ],
)
def test_ram_is_split_at_3_gib_once_it_reaches_the_hole(ram: int, below: int, above: int) -> None:
    assert ram_split(ram) == (below, above)


def test_bios_map_covers_ram_once_and_in_order() -> None:
    entries = bios_map(3 * GIB, GIB, acpi_start=3 * GIB - 0x20000)
    assert all(first.end <= second.start for first, second in itertools.pairwise(entries))
    assert Range(3 * GIB - 0x20000, 0x20000, MemoryType.ACPI) in entries
    assert entries[-1] == Range(4 * GIB, GIB, MemoryType.RAM)


def test_without_acpi_tables_in_ram_there_is_no_empty_range() -> None:
    assert all(entry.length for entry in bios_map(64 << 20))


def test_fw_cfg_file_is_what_qemu_gives_for_128_mib() -> None:
    assert fw_cfg_file(128 << 20).hex(" ", 4) == "00000000 00000000 00000008 00000000 01000000"


def test_fw_cfg_table_has_a_fixed_size() -> None:
    reserved = Range(0xFEFFC000, 0x4000, MemoryType.RESERVED)
    table = fw_cfg_table([reserved])
    assert len(table) == 4 + 16 * 20
    assert struct.unpack_from("<IQQI", table) == (1, 0xFEFFC000, 0x4000, 2)
    with pytest.raises(ValueError, match="17 reserved ranges"):
        fw_cfg_table([reserved] * 17)
