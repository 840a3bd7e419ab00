"""VESA BIOS extensions."""

from __future__ import annotations

import struct

import pytest

from pyqemu.firmware.bios.vbe_modes import VBE_MODES
from tests.firmware.bios.rig import Board

BUFFER = 0x8000
OK, FAILED = 0x004F, 0x014F


@pytest.fixture
def board() -> Board:
    board = Board()
    board.power_on()
    return board


def far(board: Board, pointer: int, length: int) -> bytes:
    return board.memory.read((pointer >> 16 << 4) + (pointer & 0xFFFF), length)


def test_information(board: Board) -> None:
    board.memory.write(BUFFER, b"VBE2".ljust(512))
    assert board.call(0x10, eax=0x4F00, edi=BUFFER).ax == OK
    signature, version, oem, capabilities, modes, blocks = struct.unpack("<4sHIIIH", board.memory.read(BUFFER, 20))
    assert (signature, version, capabilities, blocks) == (b"VESA", 0x0300, 1, 256)
    assert far(board, oem, 11) == b"pyqemu VGA\x00"
    listed = struct.unpack(f"<{len(VBE_MODES) + 1}H", far(board, modes, 2 * len(VBE_MODES) + 2))
    assert listed == (*VBE_MODES, 0xFFFF)


def test_callers_of_vbe_1_get_256_bytes(board: Board) -> None:
    board.memory.write(BUFFER, b"\xee" * 512)
    board.call(0x10, eax=0x4F00, edi=BUFFER)
    assert board.memory.read(BUFFER + 256, 256) == b"\xee" * 256


@pytest.mark.parametrize("number", [0x101, 0x111, 0x112, 0x118, 0x144])
def test_mode_information(board: Board, number: int) -> None:
    mode = VBE_MODES[number]
    assert board.call(0x10, eax=0x4F01, ecx=number, edi=BUFFER).ax == OK
    data = board.memory.read(BUFFER, 256)
    line, width, height = struct.unpack_from("<HHH", data, 16)
    assert (line, width, height) == (mode.line_bytes, mode.width, mode.height)
    assert data[25] == mode.depth
    assert data[27] == (4 if mode.depth == 8 else 6)
    assert struct.unpack_from("<I", data, 40)[0] == board.vga.config_read(0x10, 4) & ~15
    assert struct.unpack_from("<H", data, 50)[0] == mode.line_bytes
    if mode.depth == 16:
        assert data[31:39] == bytes((5, 11, 6, 5, 5, 0, 0, 0))


def test_linear_frame_buffer_mode(board: Board) -> None:
    assert board.call(0x10, eax=0x4F02, ebx=0x4144).ax == OK
    assert board.call(0x10, eax=0x4F03).bx == 0x4144
    address = board.vga.config_read(0x10, 4) & ~15
    board.memory.write(address, bytes((0x33, 0x22, 0x11, 0)))
    frame = board.vga.vga.render()
    assert (frame.kind, frame.width, frame.height) == ("graphics", 1024, 768)
    assert frame.rgb[:3] == bytes((0x11, 0x22, 0x33))
    board.call(0x10, eax=0x0003)
    assert board.vga.vga.render().kind == "text"
    assert board.call(0x10, eax=0x4F03).bx == 3


def test_banked_mode(board: Board) -> None:
    assert board.call(0x10, eax=0x4F02, ebx=0x0103).ax == OK
    assert board.call(0x10, eax=0x4F05, ebx=0x0000, edx=3).ax == OK
    assert board.call(0x10, eax=0x4F05, ebx=0x0100).dx == 3
    board.memory.store(0xA0000, 1, 0x5A)
    assert board.vga.vga.vram.data[3 << 16] == 0x5A


def test_what_does_not_exist_fails(board: Board) -> None:
    assert board.call(0x10, eax=0x4F02, ebx=0x01FF).ax == FAILED
    assert board.call(0x10, eax=0x4F01, ecx=0x01FE, edi=BUFFER).ax == FAILED
    assert board.call(0x10, eax=0x4F0A).ax == 0x0100
    assert board.call(0x10, eax=0x4F05, ebx=0x0001).ax == FAILED


def test_virtual_screen(board: Board) -> None:
    board.call(0x10, eax=0x4F02, ebx=0x4101)
    frame = board.call(0x10, eax=0x4F06, ebx=0, ecx=1024)
    assert (frame.ax, frame.bx, frame.cx) == (OK, 1024, 1024)
    assert board.call(0x10, eax=0x4F07, ebx=0, ecx=8, edx=100).ax == OK
    frame = board.call(0x10, eax=0x4F07, ebx=1)
    assert (frame.cx, frame.dx) == (8, 100)


def test_palette_with_eight_bits(board: Board) -> None:
    board.call(0x10, eax=0x4F02, ebx=0x4101)
    assert board.call(0x10, eax=0x4F08, ebx=0x0800).bh == 8
    board.memory.write(BUFFER, bytes((0xF1, 0xF2, 0xF3, 0)))
    assert board.call(0x10, eax=0x4F09, ebx=0, ecx=1, edx=7, edi=BUFFER).ax == OK
    board.call(0x10, eax=0x4F09, ebx=1, ecx=1, edx=7, edi=BUFFER + 16)
    assert board.memory.read(BUFFER + 16, 4) == bytes((0xF1, 0xF2, 0xF3, 0))


def test_state(board: Board) -> None:
    board.call(0x10, eax=0x4F02, ebx=0x4114)
    assert board.call(0x10, eax=0x4F04, edx=0, ecx=15).bx > 0
    board.call(0x10, eax=0x4F04, edx=1, ecx=15, ebx=BUFFER)
    board.call(0x10, eax=0x0003)
    board.call(0x10, eax=0x4F04, edx=2, ecx=15, ebx=BUFFER)
    assert board.call(0x10, eax=0x4F03).bx == 0x4114
    assert board.vga.vga.render().width == 800
