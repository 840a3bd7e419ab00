"""INT 15h: memory, waiting, A20, APM, the mouse."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from pyqemu.firmware.e820 import MemoryType
from tests.firmware.bios.rig import RAM, Board

BUFFER = 0x8000
SMAP = 0x534D4150


@pytest.fixture
def board() -> Board:
    board = Board()
    board.power_on()
    return board


def memory_map(board: Board) -> list[tuple[int, int, int]]:
    entries, index = [], 0
    while True:
        frame = board.call(0x15, eax=0xE820, ebx=index, ecx=20, edx=SMAP, edi=BUFFER)
        assert (frame.eax, frame.ecx, frame.carry) == (SMAP, 20, False)
        entries.append(struct.unpack("<QQI", board.memory.read(BUFFER, 20)))
        index = frame.ebx
        if index == 0:
            return entries


def test_e820_is_sorted_disjoint_and_covers_ram(board: Board) -> None:
    entries = memory_map(board)
    assert entries == sorted(entries)
    assert all(a[0] + a[1] <= b[0] for a, b in pairwise(entries))
    assert entries[0] == (0, 0x9FC00, MemoryType.RAM)
    top = board.bios.context.acpi_start
    assert (0x100000, top - 0x100000, MemoryType.RAM) in entries
    assert (top, RAM - top, MemoryType.ACPI) in entries


def test_e820_wants_its_signature(board: Board) -> None:
    frame = board.call(0x15, eax=0xE820, ecx=20, edi=BUFFER)
    assert (frame.carry, frame.ah) == (True, 0x86)


def test_sizes(board: Board) -> None:
    top = board.bios.context.acpi_start
    assert board.call(0x15, eax=0x8800).ax == top // 1024 - 1024
    frame = board.call(0x15, eax=0xE801)
    assert (frame.ax, frame.bx) == (15 * 1024, (top - (16 << 20)) >> 16)
    assert (frame.cx, frame.dx) == (frame.ax, frame.bx)
    assert board.memory.load(0x413, 2) == 639


def test_block_move_reaches_extended_memory(board: Board) -> None:
    board.memory.write(0x200000, b"extended")
    table = bytearray(48)
    struct.pack_into("<HHBBBB", table, 0x10, 0xFFFF, 0, 0x20, 0x93, 0, 0)
    struct.pack_into("<HHBBBB", table, 0x18, 0xFFFF, BUFFER, 0, 0x93, 0, 0)
    board.memory.write(0x9000, bytes(table))
    frame = board.call(0x15, eax=0x8700, ecx=4, esi=0x9000)
    assert (frame.ah, frame.carry) == (0, False)
    assert board.memory.read(BUFFER, 8) == b"extended"


def test_wait_lasts_as_long_as_asked(board: Board) -> None:
    start = board.clock.now()
    while True:
        frame = board.call(0x15, eax=0x8600, ecx=0x0003, edx=0x0D40)  # 200 000 us
        if board.verdict == 0:
            break
        board.clock.advance(55_000_000 if board.verdict == 1 else 100_000)
    assert not frame.carry
    assert 200_000_000 <= board.clock.now() - start < 201_000_000


def test_configuration_table(board: Board) -> None:
    frame = board.call(0x15, eax=0xC000)
    table = board.memory.read((frame.es << 4) + frame.bx, 10)
    assert struct.unpack_from("<HB", table) == (8, 0xFC)
    assert board.call(0x15, eax=0xC100).es == 0x9FC0


def test_unknown_function(board: Board) -> None:
    frame = board.call(0x15, eax=0x7700)
    assert (frame.ah, frame.carry) == (0x86, True)


def test_apm_switches_off(board: Board) -> None:
    frame = board.call(0x15, eax=0x5300)
    assert (frame.ax, frame.bx, frame.carry) == (0x0102, 0x504D, False)
    assert not board.call(0x15, eax=0x5301).carry
    assert board.call(0x15, eax=0x5307, ebx=0x0005, ecx=3).carry
    assert board.powered_off == 0
    board.call(0x15, eax=0x5307, ebx=0x0001, ecx=3)
    assert board.powered_off == 1


def test_mouse_packets_reach_the_handler(board: Board) -> None:
    assert board.call(0x15, eax=0xC205, ebx=0x0300).ah == 0
    frame = board.call(0x15, eax=0xC201)
    assert (frame.ah, frame.bh, frame.bl) == (0, 0, 0xAA)
    assert board.call(0x15, eax=0xC200, ebx=0x0100).ah == 5  # no handler yet
    assert board.call(0x15, eax=0xC207, ebx=0x1234, es=0x2000).ah == 0
    assert board.call(0x15, eax=0xC200, ebx=0x0100).ah == 0
    mouse = board.i8042.controller.mouse
    mouse.move(5, 3)
    for _ in range(3):
        board.call(0x74)
    assert board.verdict == 7
    status, x, _, z = struct.unpack("<4H", board.memory.read(0x9FC74, 8))
    assert (status & 7, x, z) == (0, 5, 0)
    assert board.memory.read(0x9FC22, 4) == struct.pack("<HH", 0x1234, 0x2000)


def test_mouse_settings(board: Board) -> None:
    board.call(0x15, eax=0xC205, ebx=0x0300)
    assert board.call(0x15, eax=0xC202, ebx=0x0600).ah == 0  # 200 a second
    assert board.call(0x15, eax=0xC203, ebx=0x0300).ah == 0
    frame = board.call(0x15, eax=0xC206, ebx=0x0000)
    assert (frame.ah, frame.cl, frame.dl) == (0, 3, 200)
    assert board.call(0x15, eax=0xC204).bh == 0
    assert board.call(0x15, eax=0xC202, ebx=0x0900).ah == 2


def test_memory_that_an_option_rom_takes_is_reserved(board: Board) -> None:
    board.memory.store(0x413, 2, 600)
    entries = memory_map(board)
    assert entries[0] == (0, 600 * 1024, MemoryType.RAM)
    assert entries[1] == (600 * 1024, 40 * 1024, MemoryType.RESERVED)
