"""What is on the screen in the standard modes and with VBE."""

from __future__ import annotations

from typing import Any

import pytest

from pyqemu.hw.display.vga_picture import direct_colour
from pyqemu.ui.font import font
from pyqemu.ui.frame import Frame

BLACK, WHITE = b"\0\0\0", b"\xff\xff\xff"


def pixel(frame: Frame, x: int, y: int) -> bytes:
    start = 3 * (y * frame.width + x)
    return frame.rgb[start : start + 3]


def test_dark_before_any_mode(adapter: Any) -> None:
    assert adapter.vga.render().kind == "blank"


def test_text_mode(adapter: Any) -> None:
    adapter.set_mode(3)
    adapter.memory.write(0xB8000 + 2 * (80 * 2 + 5), b"H\x1ei\x1e")
    frame = adapter.vga.render()
    assert (frame.kind, frame.width, frame.height, frame.columns, frame.rows) == ("text", 720, 400, 80, 25)
    assert frame.text[2][5:7] == "Hi"
    assert frame.attributes[2][5] == 0x1E
    assert len(frame.rgb) == 720 * 400 * 3
    glyph = font(16)[ord("H") * 16 : ord("H") * 16 + 16]
    for y in range(16):
        for x in range(8):
            lit = glyph[y] >> 7 - x & 1
            assert pixel(frame, 45 + x, 32 + y) == (b"\xff\xff\x55" if lit else b"\x00\x00\xaa")


def test_ninth_dot_joins_lines_only(adapter: Any) -> None:
    adapter.set_mode(3)
    adapter.memory.write(0xB8000, b"\xc4\x0f\xb0\x0f")
    frame = adapter.vga.render()
    line = [y for y in range(16) if pixel(frame, 7, y) == WHITE]
    assert [y for y in range(16) if pixel(frame, 8, y) == WHITE] == line
    assert not any(pixel(frame, 17, y) == WHITE for y in range(16))


def test_cursor(adapter: Any) -> None:
    adapter.set_mode(3)
    for index, value in ((0x0A, 14), (0x0B, 15), (0x0E, 0), (0x0F, 81)):
        adapter.out(0x3D4, index)
        adapter.out(0x3D5, value)
    adapter.memory.write(0xB8000 + 2 * 81, b" \x07")
    frame = adapter.vga.render()
    assert frame.cursor is not None
    assert (frame.cursor.x, frame.cursor.y) == (1, 1)
    assert [pixel(frame, 9, 16 + y) != BLACK for y in range(16)] == [False] * 14 + [True] * 2
    adapter.out(0x3D4, 0x0A)
    adapter.out(0x3D5, 0x20)
    assert adapter.vga.render().cursor is None


def test_start_address_scrolls(adapter: Any) -> None:
    adapter.set_mode(3)
    adapter.memory.write(0xB8000 + 160, b"X\x07")
    adapter.out(0x3D4, 0x0D)
    adapter.out(0x3D5, 80)
    assert adapter.vga.render(pixels=False).text[0][0] == "X"


def test_text_without_pixels(adapter: Any) -> None:
    adapter.set_mode(3)
    frame = adapter.vga.render(pixels=False)
    assert frame.rgb == b""
    assert frame.columns == 80


def test_mode_13(adapter: Any) -> None:
    adapter.set_mode(0x13)
    adapter.memory.write(0xA0000 + 320 * 7 + 9, b"\x0c")
    frame = adapter.vga.render()
    assert (frame.width, frame.height) == (640, 400)
    for x, y in ((18, 14), (19, 14), (18, 15), (19, 15)):
        assert pixel(frame, x, y) == b"\xff\x55\x55"
    assert frame.rgb.count(b"\xff\x55\x55") == 4


def test_mode_12(adapter: Any) -> None:
    adapter.set_mode(0x12)
    adapter.sequencer(2, 0x04)  # red
    adapter.memory.store(0xA0000 + 80 * 100 + 3, 1, 0x81)
    frame = adapter.vga.render()
    assert (frame.width, frame.height) == (640, 480)
    assert [x for x in range(640) if pixel(frame, x, 100) != BLACK] == [24, 31]
    assert pixel(frame, 24, 100) == b"\xaa\0\0"


def test_panning(adapter: Any) -> None:
    adapter.set_mode(0x12)
    adapter.memory.store(0xA0001, 1, 0x80)
    adapter.inp(0x3DA)
    adapter.out(0x3C0, 0x33, 3)
    frame = adapter.vga.render()
    assert [x for x in range(640) if pixel(frame, x, 0) != BLACK] == [5]


def test_cga_modes_interleave_lines(adapter: Any) -> None:
    adapter.set_mode(4)
    adapter.memory.store(0xB8000, 1, 0x1B)
    adapter.memory.store(0xBA000, 1, 0xFF)
    frame = adapter.vga.render()
    assert (frame.width, frame.height) == (640, 400)
    assert [pixel(frame, x, 0) for x in (0, 2, 4, 6)] == [BLACK, b"\x55\xff\xff", b"\xff\x55\xff", WHITE]
    assert [pixel(frame, 0, y) == WHITE for y in range(6)] == [False, False, True, True, False, False]


def test_mode_6(adapter: Any) -> None:
    adapter.set_mode(6)
    adapter.memory.store(0xB8000 + 80, 1, 0xA0)
    frame = adapter.vga.render()
    assert [pixel(frame, x, 4) for x in range(4)] == [WHITE, BLACK, WHITE, BLACK]


def test_line_compare_splits_the_screen(adapter: Any) -> None:
    adapter.set_mode(0x12)
    adapter.memory.store(0xA0000, 1, 0xFF)
    for index, value in ((0x18, 99), (0x07, 0x2E), (0x09, 0x00), (0x0C, 0x10)):
        adapter.out(0x3D4, index)
        adapter.out(0x3D5, value)
    frame = adapter.vga.render()
    assert [y for y in range(480) if pixel(frame, 0, y) != BLACK] == [100]


@pytest.mark.parametrize(
    ("depth", "data"),
    [(15, "007c"), (16, "00f8"), (24, "0000ff"), (32, "0000ff00")],
)
def test_vbe_direct_colour(adapter: Any, depth: int, data: str) -> None:
    adapter.set_mode(0x13)
    for index, value in ((4, 0), (1, 640), (2, 400), (3, depth), (4, 0x41)):
        adapter.vbe(index, value)
    size = (depth + 7) // 8
    adapter.vga.vram.data[640 * size : 641 * size] = bytes.fromhex(data)
    frame = adapter.vga.render()
    assert (frame.width, frame.height) == (640, 400)
    assert pixel(frame, 0, 1) == b"\xff\0\0"
    assert frame.rgb.count(0xFF) == 1


@pytest.mark.parametrize("depth", [15, 16])
def test_every_16_bit_value_has_its_colour(depth: int) -> None:
    data = b"".join(value.to_bytes(2, "little") for value in range(65536))
    rgb = direct_colour(data, depth)
    green_bits = depth - 10
    for value in range(0, 65536, 77):
        red, green, blue = value >> 5 + green_bits & 31, value >> 5 & (1 << green_bits) - 1, value & 31
        spread = green << 8 - green_bits | green >> 2 * green_bits - 8
        expected = bytes((red << 3 | red >> 2, spread, blue << 3 | blue >> 2))
        assert rgb[3 * value : 3 * value + 3] == expected, hex(value)


def test_big_endian_pixels() -> None:
    assert direct_colour(b"\x00\xff\x80\x10", 32, big_endian=True) == b"\xff\x80\x10"
    assert direct_colour(b"\xf8\x00", 16, big_endian=True) == b"\xff\0\0"
