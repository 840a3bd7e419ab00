"""The screen as INT 10h sees it: the BIOS data area's idea of the mode, and characters in every kind of mode."""

from __future__ import annotations

import struct

from pyqemu.firmware.bios.context import LinearMemory, Ports, far
from pyqemu.firmware.bios.layout import Bda
from pyqemu.hw.display.vga_modes import MODES, VideoMode

_SEQUENCER, _GRAPHICS = 0x3C4, 0x3CE
_MAP_MASK, _SET_RESET, _ENABLE_SET_RESET, _FUNCTION, _READ_MAP, _WRITE_MODE, _BIT_MASK = 2, 0, 1, 3, 4, 5, 8
_XOR = 0x18
_STATE = struct.Struct("<BHH2x16s2xBH31xBH51xH")  # 40:49h to 40:BBh
assert _STATE.size == Bda.VBE_MODE + 2 - Bda.VIDEO_MODE


class Screen:
    """A view of the BIOS data area, read anew for every service.

    ``mode`` is None when a VBE mode is on: such modes have no text.
    """

    def __init__(self, memory: LinearMemory, ports: Ports) -> None:
        self.memory, self.ports = memory, ports
        data = memory.read(Bda.VIDEO_MODE, _STATE.size)
        self.number: int
        self.columns: int
        self.page_size: int
        self.cursors: bytes
        self.page: int
        self.crtc: int
        self.height: int
        self.number, self.columns, self.page_size, self.cursors, self.page, self.crtc, last, self.height, vbe = (
            _STATE.unpack(data)
        )
        self.rows: int = last + 1
        self.mode: VideoMode | None = None if vbe else MODES.get(self.number & 0x7F)

    @property
    def text(self) -> bool:
        return self.mode is not None and self.mode.kind == "text"

    def cursor(self, page: int) -> tuple[int, int]:
        """Column and row of the cursor on *page*."""
        at = 2 * (page & 7)
        return self.cursors[at], self.cursors[at + 1]

    def move_cursor(self, page: int, column: int, row: int) -> None:
        """Note the position, and show it if the page is."""
        page &= 7
        self.memory.set16(Bda.CURSOR + 2 * page, row << 8 | column)
        if page == self.page:
            self.show_cursor(column, row)

    def show_cursor(self, column: int, row: int) -> None:
        """The CRT controller's cursor address, in characters."""
        address = self.page * self.page_size // 2 + row * self.columns + column
        self.ports.outw(self.crtc, address & 0xFF00 | 0x0E)
        self.ports.outw(self.crtc, (address & 0xFF) << 8 | 0x0F)

    def cell(self, page: int, column: int, row: int) -> int:
        """Linear address of a character cell in a text mode."""
        assert self.mode is not None
        return (self.mode.segment << 4) + page * self.page_size + 2 * (row * self.columns + column)

    # -- characters -----------------------------------------------------------------------------------------

    def write(self, page: int, column: int, row: int, char: int, attribute: int | None) -> None:
        """Put a character; *attribute* None leaves a text cell's as it is."""
        if self.mode is None:
            return
        if not self.text:
            self._draw(page, column, row, char, 7 if attribute is None else attribute)
        elif attribute is None:
            self.memory.set8(self.cell(page, column, row), char)
        else:
            self.memory.set16(self.cell(page, column, row), attribute << 8 | char)

    def read(self, page: int, column: int, row: int) -> tuple[int, int]:
        """Character and attribute of a cell; in graphics modes the character is recognized by its shape."""
        if self.mode is None:
            return 0, 0
        if self.text:
            word = self.memory.u16(self.cell(page, column, row))
            return word & 0xFF, word >> 8
        shape = bytes(
            sum((self.pixel(page, 8 * column + x, row * self.height + y) != 0) << (7 - x) for x in range(8))
            for y in range(self.height)
        )
        for char in range(256):
            if self.glyph(char) == shape:
                return char, 0
        return 0, 0

    def glyph(self, char: int) -> bytes:
        """The rows of a character in the font of graphics modes: INT 43h, and 1Fh for the CGA's upper half."""
        vector = self.memory.u32(4 * 0x43)
        if self.number <= 6 and char >= 0x80:
            vector, char = self.memory.u32(4 * 0x1F), char - 0x80
        return self.memory.read(far(vector >> 16, vector & 0xFFFF) + char * self.height, self.height)

    def _draw(self, page: int, column: int, row: int, char: int, colour: int) -> None:
        assert self.mode is not None
        glyph = self.glyph(char)
        if self.mode.kind == "planar":
            self._draw_planar(page, column, row, glyph, colour)
            return
        for y, bits in enumerate(glyph):
            top = row * self.height + y
            if self.mode.kind == "linear":
                line = bytes(colour if bits >> (7 - x) & 1 else 0 for x in range(8))
                self.memory.write(0xA0000 + top * 320 + 8 * column, line)
            else:
                self._draw_cga(column, top, bits, colour)

    def _draw_planar(self, page: int, column: int, row: int, glyph: bytes, colour: int) -> None:
        start = 0xA0000 + page * self.page_size + row * self.height * self.columns + column
        self.graphics(_WRITE_MODE, 0)
        if colour & 0x80:
            self.graphics(_FUNCTION, _XOR)
        for plane in range(4):
            self.ports.outw(_SEQUENCER, 1 << plane << 8 | _MAP_MASK)
            self.graphics(_READ_MAP, plane)
            for y, bits in enumerate(glyph):
                at = start + y * self.columns
                if colour & 0x80:
                    self.memory.u8(at)  # fills the latches
                self.memory.set8(at, bits if colour >> plane & 1 else 0)
        self.ports.outw(_SEQUENCER, 0x0F00 | _MAP_MASK)
        self.graphics(_FUNCTION, 0)

    def graphics(self, register: int, value: int) -> None:
        """Set a register of the graphics controller."""
        self.ports.outw(_GRAPHICS, value << 8 | register)

    @staticmethod
    def _cga_line(y: int) -> int:
        return 0xB8000 + (y & 1) * 0x2000 + (y >> 1) * 80

    def _draw_cga(self, column: int, y: int, bits: int, colour: int) -> None:
        if self.number == 6:
            at, size, value = self._cga_line(y) + column, 1, bits if colour & 1 else 0
        else:
            value = 0
            for x in range(8):
                value = value << 2 | (colour & 3 if bits >> (7 - x) & 1 else 0)
            at, size = self._cga_line(y) + 2 * column, 2
        data = value.to_bytes(size, "big")
        if colour & 0x80:
            data = bytes(a ^ b for a, b in zip(data, self.memory.read(at, size), strict=True))
        self.memory.write(at, data)

    # -- pixels ---------------------------------------------------------------------------------------------

    def pixel(self, page: int, x: int, y: int) -> int:
        """The colour of a pixel."""
        if self.mode is None or self.text:
            return 0
        if self.mode.kind == "linear":
            return self.memory.u8(0xA0000 + 320 * y + x)
        if self.mode.kind == "cga":
            depth = 1 if self.number == 6 else 2
            byte = self.memory.u8(self._cga_line(y) + x * depth // 8)
            return byte >> (8 - depth - x * depth % 8) & ((1 << depth) - 1)
        at = 0xA0000 + page * self.page_size + y * self.columns + x // 8
        colour = 0
        for plane in range(4):
            self.graphics(_READ_MAP, plane)
            colour |= (self.memory.u8(at) >> (7 - x % 8) & 1) << plane
        return colour

    def set_pixel(self, page: int, x: int, y: int, colour: int) -> None:
        """Set a pixel; bit 7 of *colour* means exclusive or, but in 256-colour modes."""
        if self.mode is None or self.text:
            return
        if self.mode.kind == "linear":
            self.memory.set8(0xA0000 + 320 * y + x, colour)
        elif self.mode.kind == "cga":
            depth = 1 if self.number == 6 else 2
            at, shift = self._cga_line(y) + x * depth // 8, 8 - depth - x * depth % 8
            mask, old = (1 << depth) - 1, self.memory.u8(at)
            new = old ^ (colour & mask) << shift if colour & 0x80 else old & ~(mask << shift) | (colour & mask) << shift
            self.memory.set8(at, new)
        else:
            self._set_planar(0xA0000 + page * self.page_size + y * self.columns + x // 8, 0x80 >> x % 8, colour)

    def _set_planar(self, at: int, bit: int, colour: int) -> None:
        self.graphics(_BIT_MASK, bit)
        self.graphics(_WRITE_MODE, 2)
        if colour & 0x80:
            self.graphics(_FUNCTION, _XOR)
        self.memory.u8(at)
        self.memory.set8(at, colour & 0x0F)
        self.graphics(_FUNCTION, 0)
        self.graphics(_WRITE_MODE, 0)
        self.graphics(_BIT_MASK, 0xFF)

    # -- scrolling ------------------------------------------------------------------------------------------

    def scroll(self, lines: int, attribute: int, top: int, left: int, bottom: int, right: int,
               page: int | None = None) -> None:  # fmt: skip
        """Move a window up by *lines*, down if negative, all of it if 0; new lines have *attribute*."""
        if self.mode is None:
            return
        bottom, right = min(bottom, self.rows - 1), min(right, self.columns - 1)
        if top > bottom or left > right:
            return
        count = bottom - top + 1
        if lines == 0 or abs(lines) >= count:
            lines = count
        rows = list(range(top, bottom + 1))
        page = self.page if page is None else page
        sources = rows[lines:] if lines > 0 else rows[:lines]
        moves = list(zip(rows[: count - abs(lines)] if lines > 0 else rows[-lines:], sources, strict=True))
        blank = rows[count - abs(lines) :] if lines > 0 else rows[:-lines]
        if lines < 0:
            moves.reverse()
        if self.text:
            self._scroll_text(moves, blank, attribute, left, right, page)
        else:
            self._scroll_graphics(moves, blank, attribute, left, right, page)

    def _scroll_text(self, moves: list[tuple[int, int]], blank: list[int], attribute: int, left: int, right: int,
                     page: int) -> None:  # fmt: skip
        width = 2 * (right - left + 1)
        memory = self.memory
        if moves and left == 0 and right == self.columns - 1:  # whole lines are one piece
            first = self.cell(page, 0, min(source for _, source in moves))
            target = self.cell(page, 0, min(to for to, _ in moves))
            memory.write(target, memory.read(first, width * len(moves)))
        else:
            for target, source in moves:
                memory.write(self.cell(page, left, target), memory.read(self.cell(page, left, source), width))
        line = bytes((0x20, attribute)) * (width // 2)
        for row in blank:
            memory.write(self.cell(page, left, row), line)

    def _scroll_graphics(self, moves: list[tuple[int, int]], blank: list[int], attribute: int, left: int, right: int,
                         page: int) -> None:  # fmt: skip
        """Line by line; planes are copied by the adapter (write mode 1) where there are any."""
        assert self.mode is not None
        memory, planar = self.memory, self.mode.kind == "planar"
        if planar:
            self.graphics(_WRITE_MODE, 1)
        for target, source in moves:
            for y in range(self.height):
                start, size = self._span(page, source * self.height + y, left, right)
                to, _ = self._span(page, target * self.height + y, left, right)
                if planar:
                    for offset in range(size):
                        memory.u8(start + offset)
                        memory.set8(to + offset, 0)
                else:
                    memory.write(to, memory.read(start, size))
        fill = attribute
        if planar:
            self.graphics(_WRITE_MODE, 2)
        elif self.mode.kind == "cga":
            fill = (attribute & 3) * 0x55 if self.number != 6 else (attribute & 1) * 0xFF
        for row in blank:
            for y in range(self.height):
                start, size = self._span(page, row * self.height + y, left, right)
                memory.write(start, bytes((fill,)) * size)
        if planar:
            self.graphics(_WRITE_MODE, 0)

    def _span(self, page: int, y: int, left: int, right: int) -> tuple[int, int]:
        """Address and bytes of the character columns *left* to *right* in a line of pixels."""
        assert self.mode is not None
        width = right - left + 1
        if self.mode.kind == "linear":
            return 0xA0000 + 320 * y + 8 * left, 8 * width
        if self.mode.kind == "cga":
            unit = 1 if self.number == 6 else 2
            return self._cga_line(y) + unit * left, unit * width
        return 0xA0000 + page * self.page_size + y * self.columns + left, width
