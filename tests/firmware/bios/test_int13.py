"""INT 13h and what stands behind drive numbers."""

from __future__ import annotations

import struct

import pytest

from pyqemu.block.drive import Drive
from pyqemu.block.geometry import Geometry, Translation
from pyqemu.block.node import MemoryNode
from pyqemu.firmware.bios.disks import floppy_format, translate
from tests.firmware.bios.rig import Board, disk

BUFFER, PACKET = 0x8000, 0x9000
MIB = 1 << 20


def pattern(blocks: int) -> bytes:
    return b"".join(struct.pack("<I", n) * 128 for n in range(blocks))


def floppy(contents: bytes | int | None = 1440 * 1024, read_only: bool = False) -> Drive:
    node = None if contents is None else MemoryNode(contents, read_only=read_only)
    return Drive("floppy0", node, interface="floppy")


def make(**drives: object) -> Board:
    board = Board(**drives)
    board.power_on()
    return board


@pytest.fixture
def board() -> Board:
    return make(hard_disks=[disk(pattern(2048 * 8))], floppies=[floppy(pattern(2880))],
                cdroms=[disk(bytes(2048 * 32), "cd0", media="cdrom")])  # fmt: skip


def packet(board: Board, block: int, count: int, address: int = BUFFER) -> None:
    board.memory.write(PACKET, struct.pack("<BBHHHQ", 16, 0, count, address & 15, address >> 4, block))


def test_read_by_cylinder_head_sector(board: Board) -> None:
    frame = board.call(0x13, eax=0x0203, ecx=0x0105, edx=0x0280, ebx=BUFFER)  # cylinder 1, head 2, sector 5
    assert (frame.ah, frame.al, frame.carry) == (0, 3, False)
    first = (1 * 16 + 2) * 63 + 4
    assert board.memory.read(BUFFER, 1536) == pattern(first + 3)[first * 512 :]


def test_write_by_cylinder_head_sector(board: Board) -> None:
    board.memory.write(BUFFER, b"written!" * 64)
    assert not board.call(0x13, eax=0x0301, ecx=0x0002, edx=0x0080, ebx=BUFFER).carry
    node = board.bios.context.hard_disks[0].node
    assert node.data[512:1024] == b"written!" * 64


def test_parameters_of_a_hard_disk(board: Board) -> None:
    frame = board.call(0x13, eax=0x0800, edx=0x80)
    cylinders = frame.ch | (frame.cl & 0xC0) << 2
    assert (cylinders + 1, frame.dh + 1, frame.cl & 63, frame.dl, frame.carry) == (16, 16, 63, 1, False)
    frame = board.call(0x13, eax=0x1500, edx=0x80)
    assert (frame.ah, frame.cx << 16 | frame.dx) == (3, 16 * 16 * 63)


def test_parameters_of_a_floppy(board: Board) -> None:
    frame = board.call(0x13, eax=0x0800, edx=0x00)
    assert (frame.ch, frame.cl, frame.dh, frame.dl, frame.bl) == (79, 18, 1, 1, 4)
    assert board.memory.read((frame.es << 4) + frame.di, 5) == bytes((0xAF, 2, 0x25, 2, 18))
    assert board.call(0x13, eax=0x1500, edx=0x00).ah == 2


@pytest.mark.parametrize(
    ("function", "registers", "status"),
    [
        (0x02, {"ecx": 0x0040, "edx": 0x80}, 0x04),  # sector 0
        (0x02, {"ecx": 0xFF01, "edx": 0x80}, 0x04),  # beyond the last cylinder
        (0x02, {"ecx": 0x0001, "edx": 0x81}, 0x01),  # no such drive
        (0x00, {"edx": 0x85}, 0x01),
        (0x77, {"edx": 0x80}, 0x01),  # no such function
        (0x41, {"ebx": 0x1234, "edx": 0x80}, 0x01),
    ],
)
def test_failures(board: Board, function: int, registers: dict[str, int], status: int) -> None:
    frame = board.call(0x13, **{"eax": function << 8 | 1, "ebx": BUFFER, **registers})
    assert (frame.ah, frame.carry) == (status, True)
    assert board.call(0x13, eax=0x0100, edx=0x80).ah == status


def test_write_to_a_read_only_floppy() -> None:
    board = make(floppies=[floppy(read_only=True)])
    frame = board.call(0x13, eax=0x0301, ecx=1, edx=0, ebx=BUFFER)
    assert (frame.ah, frame.al, frame.carry) == (3, 0, True)


def test_floppy_drive_without_a_medium() -> None:
    board = make(floppies=[floppy(None)])
    assert board.call(0x13, eax=0x0201, ecx=1, edx=0, ebx=BUFFER).ah == 0x80
    assert board.call(0x13, eax=0x0800, edx=0).bl == 4


def test_formatting_fills_a_track() -> None:
    board = make(floppies=[floppy(pattern(2880))])
    assert not board.call(0x13, eax=0x0512, ecx=0x0301, edx=0x0100).carry
    data = board.bios.context.floppies[0].node.data
    first = (3 * 2 + 1) * 18 * 512
    assert data[first : first + 18 * 512] == b"\xf6" * (18 * 512)
    assert data[first - 1] != 0xF6 or data[first - 2] != 0xF6


def test_extensions_are_there(board: Board) -> None:
    frame = board.call(0x13, eax=0x4100, ebx=0x55AA, edx=0x80)
    assert (frame.bx, frame.ah, frame.cx & 1, frame.carry) == (0xAA55, 0x30, 1, False)
    assert board.call(0x13, eax=0x4100, ebx=0x55AA, edx=0x00).carry


def test_extended_read_and_write(board: Board) -> None:
    packet(board, 1000, 4)
    assert not board.call(0x13, eax=0x4200, edx=0x80, esi=PACKET).carry
    assert board.memory.read(BUFFER, 2048) == pattern(1004)[1000 * 512 :]
    packet(board, 7, 4)
    assert not board.call(0x13, eax=0x4300, edx=0x80, esi=PACKET).carry
    assert board.bios.context.hard_disks[0].node.data[7 * 512 : 11 * 512] == pattern(1004)[1000 * 512 :]


def test_extended_read_to_a_flat_address(board: Board) -> None:
    board.memory.write(PACKET, struct.pack("<BBHHHQQ", 24, 0, 2, 0xFFFF, 0xFFFF, 5, 0x200000))
    assert not board.call(0x13, eax=0x4200, edx=0x80, esi=PACKET).carry
    assert board.memory.read(0x200000, 1024) == pattern(7)[5 * 512 :]


def test_extended_read_past_the_end(board: Board) -> None:
    packet(board, 2048 * 8 - 1, 2)
    frame = board.call(0x13, eax=0x4200, edx=0x80, esi=PACKET)
    assert (frame.carry, frame.ah) == (True, 4)
    assert board.memory.load(PACKET + 2, 2) == 0


def test_extended_parameters(board: Board) -> None:
    board.memory.write(PACKET, struct.pack("<H", 74).ljust(74, b"\xee"))
    assert not board.call(0x13, eax=0x4800, edx=0x80, esi=PACKET).carry
    data = board.memory.read(PACKET, 74)
    size, flags, cylinders, heads, sectors, blocks, block = struct.unpack_from("<HHIIIQH", data)
    assert (size, flags & 2, heads, sectors, blocks, block) == (74, 2, 16, 63, 2048 * 8, 512)
    assert cylinders == 16
    assert data[30:34] == bytes((0xDD, 0xBE, 44, 0))
    assert sum(data[30:74]) & 0xFF == 0
    assert data[36:40] == b"PCI "
    assert data[40:48] == b"ATA     "


def test_extended_parameters_of_a_cd(board: Board) -> None:
    board.memory.write(PACKET, struct.pack("<H", 30))
    assert not board.call(0x13, eax=0x4800, edx=0xE0, esi=PACKET).carry
    assert board.memory.load(PACKET + 24, 2) == 2048
    packet(board, 2, 1)
    assert not board.call(0x13, eax=0x4200, edx=0xE0, esi=PACKET).carry


def test_bios_data_area_tells_of_the_drives(board: Board) -> None:
    assert board.memory.load(0x475, 1) == 1
    assert board.memory.load(0x410, 2) & 0xC1 == 1
    offset, segment = struct.unpack("<HH", board.memory.read(4 * 0x41, 4))
    table = board.memory.read((segment << 4) + offset, 16)
    assert (struct.unpack_from("<H", table)[0], table[2], table[14]) == (16, 16, 63)


@pytest.mark.parametrize(
    ("size", "kind", "sectors"),
    [(160, 1, 8), (360, 1, 9), (720, 3, 9), (1200, 2, 15), (1440, 4, 18), (2880, 5, 36), (1000, 4, 18)],
)
def test_floppy_formats(size: int, kind: int, sectors: int) -> None:
    form = floppy_format(size * 1024)
    assert (form.drive_type, form.geometry.sectors) == (kind, sectors)


@pytest.mark.parametrize(
    ("geometry", "blocks", "expected"),
    [
        (Geometry(500, 16, 63, Translation.NONE), 504000, (500, 16, 63)),
        (Geometry(16383, 16, 63, Translation.LBA), 20 * 1024 * 2048, (1024, 255, 63)),
        (Geometry(4161, 16, 63, Translation.LBA), 2048 * 2048, (520, 128, 63)),
        (Geometry(2000, 16, 63, Translation.LARGE), 2016000, (1000, 32, 63)),
        (Geometry(4000, 16, 63, Translation.RECHS), 4032000, (533, 120, 63)),
    ],
)
def test_translation(geometry: Geometry, blocks: int, expected: tuple[int, int, int]) -> None:
    assert translate(geometry, blocks) == expected
