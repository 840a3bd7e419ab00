"""INT 10h on a real VGA model."""

from __future__ import annotations

import struct

import pytest

from pyqemu.hw.display.vga_modes import MODES, palette
from pyqemu.ui.font import font
from tests.firmware.bios.rig import Board

BUFFER = 0x8000


@pytest.fixture
def board() -> Board:
    board = Board()
    board.power_on()
    return board


def say(board: Board, text: str, **registers: int) -> None:
    for char in text.encode("cp437"):
        board.call(0x10, eax=0x0E00 | char, **registers)


def cursor(board: Board, page: int = 0) -> tuple[int, int]:
    frame = board.call(0x10, eax=0x0300, ebx=page << 8)
    return frame.dl, frame.dh


def test_teletype_moves_the_cursor_and_obeys_controls(board: Board) -> None:
    say(board, "ab\r\ncd\bX")
    assert board.lines() == ["ab", "cX"]
    assert cursor(board) == (2, 1)
    vga = board.vga.vga
    assert vga.cr[0x0E] << 8 | vga.cr[0x0F] == 82


def test_teletype_wraps_and_scrolls(board: Board) -> None:
    for row in range(25):
        say(board, f"line {row}\r\n")
    assert board.lines()[0] == "line 1"
    assert cursor(board) == (0, 24)
    say(board, "x" * 81)
    assert board.lines()[-2:] == ["x" * 80, "x"]


@pytest.mark.parametrize("number", sorted(MODES))
def test_every_mode_can_be_set(board: Board, number: int) -> None:
    mode = MODES[number]
    board.call(0x10, eax=number)
    frame = board.call(0x10, eax=0x0F00)
    assert (frame.al, frame.ah) == (number, mode.columns)
    shown = board.vga.vga.render()
    assert (shown.kind == "text") == (mode.kind == "text")
    assert bytes(board.vga.vga.palette[:192]) == palette(mode.colours)[:192]


def test_mode_set_may_keep_memory(board: Board) -> None:
    board.memory.write(0xB8000, b"kept")
    frame = board.call(0x10, eax=0x0083)
    assert board.memory.read(0xB8000, 4) == b"kept"
    frame = board.call(0x10, eax=0x0F00)
    assert frame.al == 0x83


def test_text_mode_loads_its_font_into_plane_2(board: Board) -> None:
    glyphs = font(16)
    block = bytes(board.vga.vga.vram.data[2 : 4 * 0x2000 : 4])
    assert all(block[32 * n : 32 * n + 16] == glyphs[16 * n : 16 * n + 16] for n in range(256))


def test_scroll_window(board: Board) -> None:
    for row in range(4):
        board.call(0x10, eax=0x0200, edx=row << 8)
        say(board, f"{row}{row}{row}")
    board.call(0x10, eax=0x0601, ebx=0x1700, ecx=0x0001, edx=0x0301)  # column 1, rows 0 to 3, up by one
    assert board.lines()[:4] == ["010", "121", "232", "3 3"]
    assert board.memory.load(0xB8000 + 2 * (3 * 80 + 1), 2) == 0x1720
    board.call(0x10, eax=0x0701, ebx=0x0700, ecx=0x0001, edx=0x0301)
    assert board.lines()[:4] == ["0 0", "111", "222", "333"]


def test_characters_with_attributes(board: Board) -> None:
    board.call(0x10, eax=0x0941, ebx=0x001F, ecx=3)
    assert board.memory.read(0xB8000, 6) == b"A\x1fA\x1fA\x1f"
    board.call(0x10, eax=0x0A42, ebx=0x0070, ecx=1)
    assert board.memory.read(0xB8000, 2) == b"B\x1f"
    frame = board.call(0x10, eax=0x0800)
    assert frame.ax == 0x1F42


def test_write_string(board: Board) -> None:
    board.memory.write(BUFFER, b"plain")
    board.call(0x10, eax=0x1301, ebx=0x0007, ecx=5, edx=0x0205, ebp=BUFFER)
    assert board.lines()[2] == "     plain"
    assert cursor(board) == (10, 2)
    board.memory.write(BUFFER, b"c\x1eo\x1f")
    board.call(0x10, eax=0x1302, ebx=0, ecx=2, edx=0x0300, ebp=BUFFER)
    assert board.memory.read(0xB8000 + 480, 4) == b"c\x1eo\x1f"
    assert cursor(board) == (10, 2)


def test_pages(board: Board) -> None:
    board.call(0x10, eax=0x0501)
    say(board, "page one")
    assert board.memory.read(0xB9000, 16)[::2] == b"page one"
    assert cursor(board, 1) == (8, 0)
    assert cursor(board, 0) == (0, 0)
    vga = board.vga.vga
    assert vga.cr[0x0C] << 8 | vga.cr[0x0D] == 0x800


@pytest.mark.parametrize("number", [0x04, 0x06, 0x0D, 0x0E, 0x10, 0x12, 0x13])
def test_pixels_come_back(board: Board, number: int) -> None:
    board.call(0x10, eax=number)
    colour = {0x04: 2, 0x06: 1, 0x13: 200}.get(number, 11)
    board.call(0x10, eax=0x0C00 | colour, ecx=123, edx=45)
    assert board.call(0x10, eax=0x0D00, ecx=123, edx=45).al == colour
    assert board.call(0x10, eax=0x0D00, ecx=122, edx=45).al == 0
    if number != 0x13:
        board.call(0x10, eax=0x0C80 | colour, ecx=123, edx=45)
        assert board.call(0x10, eax=0x0D00, ecx=123, edx=45).al == 0


@pytest.mark.parametrize("number", [0x04, 0x06, 0x0D, 0x10, 0x12, 0x13])
def test_text_in_graphics_modes_can_be_read_back(board: Board, number: int) -> None:
    board.call(0x10, eax=number)
    say(board, "Graphics", ebx=1)
    board.call(0x10, eax=0x0200, edx=0x0003)
    assert chr(board.call(0x10, eax=0x0800).al) == "p"
    board.call(0x10, eax=0x0601, ebx=0, ecx=0, edx=0x184F)
    board.call(0x10, eax=0x0200, edx=0x0003)
    assert chr(board.call(0x10, eax=0x0800).al) == " " or board.call(0x10, eax=0x0800).al == 0


def test_graphics_scroll_moves_pixels(board: Board) -> None:
    board.call(0x10, eax=0x0012)
    board.call(0x10, eax=0x0200, edx=0x0102)
    say(board, "M", ebx=15)
    board.call(0x10, eax=0x0601, ebx=0, ecx=0, edx=0x1D4F)
    board.call(0x10, eax=0x0200, edx=0x0002)
    assert chr(board.call(0x10, eax=0x0800).al) == "M"


def test_fifty_lines_by_the_small_font(board: Board) -> None:
    board.call(0x10, eax=0x1112)
    assert board.memory.load(0x484, 1) == 49
    assert board.memory.load(0x485, 2) == 8
    assert board.vga.vga.render().height == 400


def test_font_information_points_to_the_fonts(board: Board) -> None:
    frame = board.call(0x10, eax=0x1130, ebx=0x0600)
    address = (frame.es << 4) + frame.bp
    assert board.memory.read(address, 4096) == font(16)
    assert (frame.cx, frame.dl) == (16, 24)
    assert board.memory.read(0xFFA6E, 1024) == font(8)[:1024]


def test_dac(board: Board) -> None:
    board.call(0x10, eax=0x1010, ebx=5, edx=0x0100, ecx=0x0203)
    frame = board.call(0x10, eax=0x1015, ebx=5)
    assert (frame.dh, frame.ch, frame.cl) == (1, 2, 3)
    board.memory.write(BUFFER, bytes(range(12)))
    board.call(0x10, eax=0x1012, ebx=8, ecx=4, edx=BUFFER)
    board.call(0x10, eax=0x1017, ebx=8, ecx=4, edx=BUFFER + 32)
    assert board.memory.read(BUFFER + 32, 12) == bytes(range(12))


def test_palette_registers(board: Board) -> None:
    board.call(0x10, eax=0x1000, ebx=0x2A03)
    assert board.call(0x10, eax=0x1007, ebx=3).bh == 0x2A
    board.call(0x10, eax=0x1001, ebx=0x0500)
    assert board.call(0x10, eax=0x1008).bh == 5
    board.call(0x10, eax=0x1003, ebx=0)
    assert not board.vga.vga.ar[0x10] & 8


def test_state_information(board: Board) -> None:
    frame = board.call(0x10, eax=0x1B00, edi=BUFFER)
    assert frame.al == 0x1B
    data = board.memory.read(BUFFER, 64)
    assert (data[4], data[0x22], data[0x25]) == (3, 25, 8)
    offset, segment = struct.unpack("<HH", data[:4])
    assert board.memory.load((segment << 4) + offset, 4) == 0x000FFFFF


def test_adapter_questions(board: Board) -> None:
    frame = board.call(0x10, eax=0x1200, ebx=0x10)
    assert (frame.bh, frame.bl) == (0, 3)
    frame = board.call(0x10, eax=0x1A00)
    assert (frame.al, frame.bl) == (0x1A, 8)


def test_state_is_saved_and_restored(board: Board) -> None:
    say(board, "x")
    frame = board.call(0x10, eax=0x1C00, ecx=7)
    assert frame.al == 0x1C
    assert 0 < frame.bx < 32
    board.call(0x10, eax=0x1C01, ecx=7, ebx=BUFFER)
    registers = bytes(board.vga.vga.cr[:25]), bytes(board.vga.vga.ar)
    board.call(0x10, eax=0x0013)
    board.call(0x10, eax=0x1C02, ecx=7, ebx=BUFFER)
    assert (bytes(board.vga.vga.cr[:25]), bytes(board.vga.vga.ar)) == registers
    assert cursor(board) == (1, 0)
    assert board.call(0x10, eax=0x0F00).al == 3


def test_without_an_adapter_nothing_happens() -> None:
    board = Board(vga=False)
    board.power_on()
    assert board.call(0x10, eax=0x0E41).eax == 0x0E41
