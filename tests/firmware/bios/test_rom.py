"""The ROM image, and the tables that POST leaves behind."""

from __future__ import annotations

import struct

import pytest

from pyqemu.firmware.bios import ROM_SIZE
from pyqemu.firmware.bios.build import build_rom
from pyqemu.firmware.bios.rom import load_rom
from tests.firmware.bios.rig import RAM, Board, disk

FIXED = {  # IBM PC/AT Technical Reference, section 5: "BIOS memory map"
    "POST": 0xE05B, "NMI": 0xE2C3, "INT 13h": 0xE3FE, "INT 19h": 0xE6F2, "INT 14h": 0xE739, "INT 16h": 0xE82E,
    "INT 09h": 0xE987, "INT 40h": 0xEC59, "INT 0Eh": 0xEF57, "INT 17h": 0xEFD2, "INT 10h": 0xF065, "INT 12h": 0xF841,
    "INT 11h": 0xF84D, "INT 15h": 0xF859, "INT 1Ah": 0xFE6E, "INT 08h": 0xFEA5, "dummy": 0xFF53, "reset": 0xFFF0,
}  # fmt: skip


def test_image() -> None:
    image = load_rom().image
    assert len(image) == ROM_SIZE
    assert sum(image) & 0xFF == 0
    assert image[-16] == 0xEA
    assert image[-11:-3] == b"06/23/99"
    assert image[-2] == 0xFC


def test_fixed_entries_have_code() -> None:
    image = load_rom().segment
    empty = [name for name, offset in FIXED.items() if image[offset] == 0]
    assert empty == []


def test_kept_files_are_up_to_date() -> None:
    """If not: python -m pyqemu.firmware.bios.build"""
    assert load_rom() == build_rom()


@pytest.fixture(scope="module")
def board() -> Board:
    board = Board(hard_disks=[disk(1 << 20)])
    board.power_on()
    return board


def find(board: Board, signature: bytes, step: int = 16) -> int:
    segment = board.memory.read(0xF0000, 0x10000)
    places = [at for at in range(0, len(segment), step) if segment.startswith(signature, at)]
    assert len(places) == 1, f"{signature!r}: {places}"
    return 0xF0000 + places[0]


@pytest.mark.parametrize(
    ("signature", "length"),
    [(b"_32_", 16), (b"$PIR", None), (b"_MP_", 16), (b"$PnP", 33), (b"$PMM", 16), (b"RSD PTR ", 20), (b"_SM_", 31)],
)
def test_tables_are_found_and_sum_to_zero(board: Board, signature: bytes, length: int | None) -> None:
    address = find(board, signature)
    if length is None:
        length = board.memory.load(address + 6, 2)
    assert sum(board.memory.read(address, length)) & 0xFF == 0


def test_mp_table(board: Board) -> None:
    address = board.memory.load(find(board, b"_MP_") + 4, 4)
    length = board.memory.load(address + 4, 2)
    table = board.memory.read(address, length)
    assert table[:4] == b"PCMP"
    assert sum(table) & 0xFF == 0
    entries, position = [], 44
    while position < length:
        entries.append(table[position])
        position += 20 if table[position] == 0 else 8
    assert position == length
    assert len(entries) == struct.unpack_from("<H", table, 34)[0]
    assert entries == sorted(entries)


def test_acpi_tables_are_in_reserved_memory(board: Board) -> None:
    rsdt = board.memory.load(find(board, b"RSD PTR ") + 16, 4)
    assert board.memory.read(rsdt, 4) == b"RSDT"
    assert board.bios.context.acpi_start <= rsdt < RAM


def test_segment_f000_is_read_only_after_post(board: Board) -> None:
    board.call(0x80)  # prints the banner
    board.call(0x80)
    assert board.verdict == 0
    before = board.memory.read(0xFFFF0, 16)
    board.memory.write(0xFFFF0, bytes(16))
    assert board.memory.read(0xFFFF0, 16) == before
    board.memory.write(0xD0000, b"upper memory")
    assert board.memory.read(0xD0000, 12) == b"upper memory"


def test_vectors_point_into_the_rom(board: Board) -> None:
    vectors = struct.unpack("<512H", board.memory.read(0, 1024))
    for number in (*range(0x1D), *range(0x70, 0x78)):
        assert vectors[2 * number + 1] == 0xF000, hex(number)
    assert vectors[2 * 0x19] == 0xE6F2
    assert vectors[2 * 0x13] == 0xE3FE


def test_shutdown_code_5_resumes_through_40_67() -> None:
    board = Board()
    board.power_on()
    board.rtc.cmos_data[0x0F] = 5
    board.memory.store(0x467, 4, 0x12340567)
    board.power_on()
    assert board.verdict == 4
    assert board.memory.load(0x9FC60, 4) == 0x12340567
    assert board.rtc.cmos_data[0x0F] == 0


def test_waking_from_s3_goes_to_the_waking_vector() -> None:
    board = Board()
    board.power_on()
    facs = board.bios.context.acpi_start
    assert board.memory.read(facs, 4) == b"FACS"
    board.memory.store(facs + 12, 4, 0x9A123)
    board.host.bridge.reset()
    board.rtc.cmos_data[0x0F] = 0xFE
    board.memory.write(0x7000, b"RAM is kept")
    board.power_on()
    assert board.verdict == 4
    assert board.memory.load(0x9FC60, 4) == 0x9A12 << 16 | 3
