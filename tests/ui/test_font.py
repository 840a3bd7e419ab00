"""The fonts: complete, distinct, and lines that meet."""

from __future__ import annotations

import pytest

from pyqemu.ui.font import LINES, font
from pyqemu.ui.frame import CP437

HEIGHTS = [16, 14, 8]
SAME_LOOK = {0x00, 0x20, 0xFF}  # blanks


def glyph(height: int, code: int) -> bytes:
    return font(height)[code * height : (code + 1) * height]


@pytest.mark.parametrize("height", HEIGHTS)
def test_all_characters_are_there_and_differ(height: int) -> None:
    assert len(font(height)) == 256 * height
    glyphs = [glyph(height, code) for code in range(256)]
    blank = bytes(height)
    assert {code for code, rows in enumerate(glyphs) if rows == blank} == SAME_LOOK
    seen: dict[bytes, list[int]] = {}
    for code in range(32, 127):
        seen.setdefault(glyphs[code], []).append(code)
    assert all(len(codes) == 1 for codes in seen.values()), [c for c in seen.values() if len(c) > 1]


def test_large_font_has_no_two_alike() -> None:
    glyphs = [glyph(16, code) for code in range(256) if code not in SAME_LOOK]
    assert len(set(glyphs)) == len(glyphs)


@pytest.mark.parametrize("height", HEIGHTS)
def test_letters_leave_a_gap_to_the_right(height: int) -> None:
    for code in range(32, 127):
        if chr(code) != "_":
            assert not any(row & 1 for row in glyph(height, code)), chr(code)


@pytest.mark.parametrize("height", HEIGHTS)
def test_lines_reach_exactly_the_edges_that_they_should(height: int) -> None:
    vertical = {0: 0, 1: glyph(height, 0xB3)[0], 2: glyph(height, 0xBA)[0]}
    rows = {
        0: [],
        1: [1 if row else 0 for row in glyph(height, 0xC4)],
        2: [int(bool(r)) for r in glyph(height, 0xCD)],
    }
    rows[0] = [0] * height
    for char, strokes in LINES.items():
        up, right, down, left = (int(stroke) for stroke in strokes)
        dots = glyph(height, CP437.index(char))
        assert dots[0] == vertical[up], char
        assert dots[-1] == vertical[down], char
        assert [row & 1 for row in dots] == rows[right], char
        assert [row >> 7 for row in dots] == rows[left], char


def test_double_corner_is_open_inside() -> None:
    # ╔: outer rails meet at the outer corner, inner rails at the inner one
    assert [f"{row:08b}" for row in glyph(16, 0xC9)[5:11]] == [
        "00000000", "00111111", "00100000", "00100111", "00100100", "00100100",
    ]  # fmt: skip
