"""The picture of text modes: characters, attributes, the cursor, fonts from plane 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.hw.display.vga_registers import (
    AR_MODE,
    CR_CURSOR_END,
    CR_CURSOR_HIGH,
    CR_CURSOR_LOW,
    CR_CURSOR_START,
    CR_H_DISPLAY,
    CR_MAX_SCAN,
    CR_OFFSET,
    CR_START_HIGH,
    CR_START_LOW,
    CR_UNDERLINE,
    SR_CLOCKING,
    SR_CLOCKING_8DOT,
    SR_CLOCKING_HALF,
    SR_FONT,
)
from pyqemu.ui.frame import Cursor, Frame

if TYPE_CHECKING:
    from pyqemu.hw.display.vga import Vga

AR_MODE_LINE_GRAPHICS, AR_MODE_BLINK = 0x04, 0x08
CURSOR_OFF = 0x20
FONT_SIZE, GLYPH_SIZE = 8192, 32  # bytes in plane 2
CELLS = 0x10000  # that fit into two planes

Fonts = tuple[bytes, bytes]


class TextPicture:
    """Renders text modes; keeps drawn glyphs from frame to frame."""

    def __init__(self, vga: Vga) -> None:
        self.vga = vga
        self._cache: dict[tuple[int, int], list[bytes]] = {}
        self._cache_key: object = None

    def render(self, lines: int, colours: list[bytes] | None) -> Frame:
        """The frame; *colours* are the 16 of the attribute controller, None asks for the text only."""
        cr = self.vga.cr
        columns = cr[CR_H_DISPLAY] + 1
        height = (cr[CR_MAX_SCAN] & 0x1F) + 1
        rows = max(1, lines // height)
        width = self._cell_width()
        cells, attributes = self._cells(columns, rows)
        cursor = self._cursor(columns, rows)
        rgb = b""
        if colours is not None:
            rgb = self._draw(cells, attributes, cursor, width, height, colours)
        return Frame("text", columns * width, rows * height, rgb, tuple(cells), tuple(attributes), cursor)

    def _cell_width(self) -> int:
        clocking = self.vga.sr[SR_CLOCKING]
        width = 8 if clocking & SR_CLOCKING_8DOT else 9
        return 2 * width if clocking & SR_CLOCKING_HALF else width

    # -- contents -------------------------------------------------------------------------------------

    def _cells(self, columns: int, rows: int) -> tuple[list[bytes], list[bytes]]:
        """Characters and attributes of each row."""
        vga = self.vga
        start = vga.cr[CR_START_LOW] | vga.cr[CR_START_HIGH] << 8
        stride = vga.cr[CR_OFFSET] * 2  # cells from row to row
        count = stride * (rows - 1) + columns
        characters, attributes = self._plane_pair(start, count)
        starts = range(0, stride * rows, stride) if stride else [0] * rows
        return (
            [characters[first : first + columns] for first in starts],
            [attributes[first : first + columns] for first in starts],
        )

    def _plane_pair(self, start: int, count: int) -> tuple[bytes, bytes]:
        """*count* bytes of plane 0 and of plane 1, from cell *start* on."""
        vga = self.vga
        end = start + count
        chained = vga.window.chained_size
        if 2 * end <= chained:
            data = bytes(vga.window.chained[2 * start : 2 * end])
            return data[0::2], data[1::2]
        vga.window.write_back()
        first = bytes(vga.vram.data[4 * start : 4 * end : 4])
        second = bytes(vga.vram.data[4 * start + 1 : 4 * end : 4])
        return first.ljust(count, b"\0"), second.ljust(count, b"\0")

    def _cursor(self, columns: int, rows: int) -> Cursor | None:
        cr = self.vga.cr
        first, last = cr[CR_CURSOR_START], cr[CR_CURSOR_END] & 0x1F
        if first & CURSOR_OFF:
            return None
        start = cr[CR_START_LOW] | cr[CR_START_HIGH] << 8
        position = (cr[CR_CURSOR_LOW] | cr[CR_CURSOR_HIGH] << 8) - start
        stride = cr[CR_OFFSET] * 2 or columns
        y, x = divmod(position, stride)
        if not (0 <= y < rows and x < columns):
            return None
        return Cursor(x, y, first & 0x1F, last)

    # -- drawing --------------------------------------------------------------------------------------

    def _fonts(self) -> Fonts:
        """The fonts for attribute bit 3 clear and set."""
        vga = self.vga
        select = vga.sr[SR_FONT]
        numbers = (select >> 4 & 1 | select << 1 & 6, select >> 5 & 1 | select >> 1 & 6)

        def font(number: int) -> bytes:
            start = number * FONT_SIZE * 4 + 2
            return bytes(vga.vram.data[start : start + FONT_SIZE * 4 : 4])

        first = font(numbers[0])
        return first, first if numbers[0] == numbers[1] else font(numbers[1])

    def _draw(
        self,
        cells: list[bytes],
        attributes: list[bytes],
        cursor: Cursor | None,
        width: int,
        height: int,
        colours: list[bytes],
    ) -> bytes:
        fonts = self._fonts()
        mode, underline = self.vga.ar[AR_MODE], self.vga.cr[CR_UNDERLINE] & 0x1F
        key = fonts, width, height, tuple(colours), mode, underline
        if key != self._cache_key:
            self._cache_key = key
            self._cache.clear()
        cache = self._cache
        out = []
        for y, (row, row_attributes) in enumerate(zip(cells, attributes, strict=True)):
            glyphs = []
            for pair in zip(row, row_attributes, strict=True):
                glyph = cache.get(pair)
                if glyph is None:
                    glyph = cache[pair] = self._glyph(pair, fonts, width, height, colours)
                glyphs.append(glyph)
            if cursor is not None and cursor.y == y:
                glyphs[cursor.x] = self._with_cursor(
                    glyphs[cursor.x], cursor, width, colours[row_attributes[cursor.x] & 15]
                )
            out += [b"".join([glyph[line] for glyph in glyphs]) for line in range(height)]
        return b"".join(out)

    def _glyph(self, pair: tuple[int, int], fonts: Fonts, width: int, height: int, colours: list[bytes]) -> list[bytes]:
        """The lines of one character in its colours."""
        character, attribute = pair
        mode = self.vga.ar[AR_MODE]
        font = fonts[attribute >> 3 & 1]
        foreground = colours[attribute & 15]
        background = colours[attribute >> 4 & 7 if mode & AR_MODE_BLINK else attribute >> 4]
        # The ninth dot repeats the eighth in the line-drawing characters, so that lines join.
        join = bool(mode & AR_MODE_LINE_GRAPHICS and 0xC0 <= character <= 0xDF)
        underline = self.vga.cr[CR_UNDERLINE] & 0x1F if attribute & 0x77 == 0x01 else -1
        lines = []
        for line in range(height):
            bits = 0xFF if line == underline else font[character * GLYPH_SIZE + line]
            dots = [foreground if bits >> 7 - dot & 1 else background for dot in range(8)]
            if width in (9, 18):
                dots.append(dots[7] if join or line == underline else background)
            if width >= 16:
                dots = [dot for dot in dots for _ in range(2)]
            lines.append(b"".join(dots))
        return lines

    def _with_cursor(self, glyph: list[bytes], cursor: Cursor, width: int, colour: bytes) -> list[bytes]:
        lines = list(glyph)
        for line in range(cursor.first_line, min(cursor.last_line + 1, len(lines))):
            lines[line] = colour * width
        return lines
