"""The tables for firmware."""

from __future__ import annotations

from typing import Any

import pytest

from pyqemu.hw.display.vga_modes import MODES, palette


@pytest.mark.parametrize("number", sorted(MODES))
def test_tables_agree_with_the_picture(adapter: Any, number: int) -> None:
    mode = adapter.set_mode(number)
    frame = adapter.vga.render()
    wide, high = frame.width // mode.width, frame.height // mode.height
    assert (frame.width, frame.height) == (mode.width * wide, mode.height * high)
    assert wide in (1, 2)
    assert high in (1, 2)
    assert (frame.kind == "text") == (mode.kind == "text")
    if mode.kind == "text":
        assert (frame.columns, frame.rows) == (mode.columns, mode.rows)


def test_numbers() -> None:
    assert sorted(MODES) == [*range(8), *range(0x0D, 0x14)]


@pytest.mark.parametrize(
    ("colours", "index", "entry"),
    [
        ("ega", 0x3F, "3f3f3f"), ("ega", 0x14, "2a1500"), ("ega", 0x07, "2a2a2a"), ("ega", 0x38, "151515"),
        ("cga", 0x06, "2a1500"), ("cga", 0x16, "3f3f15"), ("cga", 0x17, "3f3f3f"),
        ("mono", 0x08, "2a2a2a"), ("mono", 0x18, "3f3f3f"),
        ("vga", 6, "2a1500"), ("vga", 15, "3f3f3f"), ("vga", 16, "000000"), ("vga", 31, "3f3f3f"),
        ("vga", 32, "00003f"), ("vga", 40, "3f0000"), ("vga", 48, "003f00"), ("vga", 247, "0b0c10"),
        ("vga", 248, "000000"),
    ],
)  # fmt: skip
def test_palettes(colours: str, index: int, entry: str) -> None:
    assert palette(colours)[3 * index : 3 * index + 3].hex() == entry


def test_palette_sizes() -> None:
    assert [len(palette(colours)) for colours in ("ega", "cga", "mono", "vga")] == [192, 192, 192, 768]
