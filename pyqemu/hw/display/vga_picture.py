"""From registers and video memory to a picture.

Everything works on whole lines with ``bytes`` operations: there is no loop over pixels in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.hw.display.vga_registers import (
    AR_COLOUR_SELECT,
    AR_INDEX_VIDEO_ON,
    AR_MODE,
    AR_PANNING,
    AR_PLANE_ENABLE,
    CR_H_DISPLAY,
    CR_LINE_COMPARE,
    CR_MAX_SCAN,
    CR_MODE,
    CR_OFFSET,
    CR_OVERFLOW,
    CR_START_HIGH,
    CR_START_LOW,
    CR_V_DISPLAY,
    GR_MISC,
    GR_MISC_GRAPHICS,
    GR_MODE,
    SR_CLOCKING,
    SR_CLOCKING_HALF,
    SR_CLOCKING_OFF,
)
from pyqemu.hw.display.vga_text import TextPicture
from pyqemu.hw.display.vga_vbe import BPP, VIRT_WIDTH, XRES, YRES
from pyqemu.ui.frame import Frame, blank_frame

if TYPE_CHECKING:
    from pyqemu.hw.display.vga import Vga

AR_MODE_16_COLOURS, AR_MODE_PANNING_TOP_ONLY = 0x80, 0x20
# A byte of one plane as eight bytes of 0 or 1, leftmost pixel first
BITS = [bytes(value >> 7 - bit & 1 for bit in range(8)) for value in range(256)]
PAIRS = [bytes(value >> 6 - shift & 3 for shift in (0, 2, 4, 6)) for value in range(256)]
FULL_6BIT = bytes((value & 0x3F) << 2 | (value & 0x3F) >> 4 for value in range(256))
FULL_5BIT_LOW = bytes((value & 0x1F) << 3 | (value & 0x1F) >> 2 for value in range(256))
IDENTITY = bytes(range(256))


class VgaPicture:
    """Makes frames of one adapter."""

    def __init__(self, vga: Vga) -> None:
        self.vga = vga
        self._text = TextPicture(vga)

    # -- colours --------------------------------------------------------------------------------------

    def dac_colours(self) -> list[bytes]:
        """The 256 entries of the DAC as three bytes red, green, blue of 8 bits."""
        palette = bytes(self.vga.palette)
        if not self.vga.dac_8bit:
            palette = palette.translate(FULL_6BIT)
        mask = self.vga.pel_mask
        return [palette[3 * (index & mask) : 3 * (index & mask) + 3] for index in range(256)]

    def colours_16(self) -> list[bytes]:
        """The colours of the attribute controller's palette registers."""
        ar = self.vga.ar
        dac = self.dac_colours()
        select = ar[AR_COLOUR_SELECT]
        if ar[AR_MODE] & AR_MODE_16_COLOURS:
            return [dac[(select & 0x0F) << 4 | ar[index] & 0x0F] for index in range(16)]
        return [dac[(select & 0x0C) << 4 | ar[index] & 0x3F] for index in range(16)]

    # -- frames ---------------------------------------------------------------------------------------

    @property
    def is_dark(self) -> bool:
        """Whether the screen is switched off."""
        vga = self.vga
        return not vga.ar_index & AR_INDEX_VIDEO_ON or bool(vga.sr[SR_CLOCKING] & SR_CLOCKING_OFF)

    @property
    def lines(self) -> int:
        """Visible scan lines."""
        cr = self.vga.cr
        overflow = cr[CR_OVERFLOW]
        return (cr[CR_V_DISPLAY] | (overflow & 0x02) << 7 | (overflow & 0x40) << 3) + 1

    def render(self, *, pixels: bool) -> Frame:
        """The frame of this moment."""
        vga = self.vga
        if self.is_dark:
            return blank_frame(640, 480) if pixels else Frame("blank", 640, 480, b"")
        if vga.vbe.enabled:
            return self._render_vbe(pixels)
        if not vga.gr[GR_MISC] & GR_MISC_GRAPHICS:
            return self._text.render(self.lines, self.colours_16() if pixels else None)
        return self._render_graphics(pixels)

    def _render_graphics(self, pixels: bool) -> Frame:
        vga = self.vga
        width, height = (vga.cr[CR_H_DISPLAY] + 1) * 8, self.lines
        shift = vga.gr[GR_MODE] >> 5 & 3
        doubled = bool(vga.sr[SR_CLOCKING] & SR_CLOCKING_HALF)
        if shift < 2 and doubled:
            width *= 2
        if not pixels:
            return Frame("graphics", width, height, b"")
        vga.window.write_back()
        dots = width // 2 if doubled or shift >= 2 else width  # distinct pixels in a line
        draw = (self._planar_line, self._cga_line, self._byte_line, self._byte_line)[shift]
        colours = self.colours_16() if shift < 2 else self.dac_colours()
        cache: dict[tuple[int, int], bytes] = {}
        out = bytearray()
        for address, panning in self._line_addresses(height, shift):
            line = cache.get((address, panning))
            if line is None:
                indexes = draw(address, dots + 8)[panning : panning + dots]
                line = cache[address, panning] = _colour(indexes, colours, twice=width != dots)
            out += line
        return Frame("graphics", width, height, bytes(out))

    def _line_addresses(self, height: int, shift: int) -> list[tuple[int, int]]:
        """For each scan line: where its bytes begin, and how many pixels it is panned to the left."""
        vga = self.vga
        cr = vga.cr
        mode = cr[CR_MODE]
        offset = cr[CR_OFFSET] << 3
        scan = cr[CR_MAX_SCAN]
        double = scan >> 7
        row_lines = (scan & 0x1F) + 1 << double
        overflow = cr[CR_OVERFLOW]
        compare = cr[CR_LINE_COMPARE] | (overflow & 0x10) << 4 | (scan & 0x40) << 3
        start = (cr[CR_START_LOW] | cr[CR_START_HIGH] << 8) * 4
        panning = vga.ar[AR_PANNING] & 7
        if shift >= 2:
            panning >>= 1
        result = []
        in_row = 0
        for line in range(height):
            scan_line = in_row >> double
            address = start
            if not mode & 1:  # CGA compatibility: the scan line in the row takes the place of address bits
                bit = 14 + (mode >> 6 & 1)
                address = address & ~(1 << bit) | (scan_line & 1) << bit
            if not mode & 2:
                address = address & ~0x8000 | (scan_line & 2) << 14
            result.append((address, panning))
            in_row += 1
            if in_row == row_lines:
                start += offset
                in_row = 0
            if line == compare:
                start = in_row = 0
                if vga.ar[AR_MODE] & AR_MODE_PANNING_TOP_ONLY:
                    panning = 0
        return result

    # -- lines of palette indexes ---------------------------------------------------------------------

    def _bytes(self, address: int, count: int) -> bytes:
        """*count* bytes of video memory; it wraps around at its end."""
        vga = self.vga
        address %= vga.vram_size
        data = bytes(vga.vram.data[address : address + count])
        return data if len(data) == count else data + bytes(vga.vram.data[: count - len(data)])

    def _planar_line(self, address: int, dots: int) -> bytes:
        """Four planes of one bit make one index."""
        data = self._bytes(address, dots // 2)
        total = 0
        for plane in range(4):
            if self.vga.ar[AR_PLANE_ENABLE] >> plane & 1:
                bits = b"".join([BITS[byte] for byte in data[plane::4]])
                total |= int.from_bytes(bits, "little") << plane
        return total.to_bytes(dots, "little")

    def _cga_line(self, address: int, dots: int) -> bytes:
        """Two planes hold two bits a pixel, four pixels of one, four of the other; two more add colours."""
        data = self._bytes(address, dots // 2)
        enabled = self.vga.ar[AR_PLANE_ENABLE]
        masked = [data[plane::4] if enabled >> plane & 1 else bytes(dots // 8) for plane in range(4)]
        low = b"".join([PAIRS[a] + PAIRS[b] for a, b in zip(masked[0], masked[1], strict=True)])
        high = b"".join([PAIRS[a] + PAIRS[b] for a, b in zip(masked[2], masked[3], strict=True)])
        both = int.from_bytes(low, "little") | int.from_bytes(high, "little") << 2
        return both.to_bytes(dots, "little")

    def _byte_line(self, address: int, dots: int) -> bytes:
        """One byte is one index."""
        return self._bytes(address, dots)

    # -- VBE ------------------------------------------------------------------------------------------

    def _render_vbe(self, pixels: bool) -> Frame:
        vbe = self.vga.vbe
        width, height, depth = vbe.regs[XRES], vbe.regs[YRES], vbe.regs[BPP]
        if not pixels:
            return Frame("graphics", width, height, b"")
        start, stride = vbe.start_addr * 4, vbe.line_offset
        if depth == 4:
            lines = [self._planar_line(start + line * stride, width) for line in range(height)]
            return Frame("graphics", width, height, _colour(b"".join(lines), self.colours_16()))
        length = width * ((depth + 7) // 8)
        if vbe.regs[VIRT_WIDTH] == width:
            data = self._bytes(start, length * height)
        else:
            data = b"".join([self._bytes(start + line * stride, length) for line in range(height)])
        if depth == 8:
            rgb = _colour(data, self.dac_colours())
        else:
            rgb = direct_colour(data, depth, big_endian=self.vga.big_endian)
        return Frame("graphics", width, height, rgb)


def _colour(indexes: bytes, colours: list[bytes], *, twice: bool = False) -> bytes:
    """Replace palette indexes by colours; *twice*: every pixel is two wide."""
    if twice:
        double = bytearray(2 * len(indexes))
        double[0::2] = double[1::2] = indexes
        indexes = bytes(double)
    colours = colours * (256 // len(colours))
    out = bytearray(3 * len(indexes))
    for channel in range(3):
        out[channel::3] = indexes.translate(bytes(colour[channel] for colour in colours))
    return bytes(out)


def _or(first: bytes, second: bytes) -> bytes:
    both = int.from_bytes(first, "little") | int.from_bytes(second, "little")
    return both.to_bytes(len(first), "little")


def direct_colour(data: bytes, depth: int, *, big_endian: bool = False) -> bytes:
    """Pixels of 15, 16, 24 or 32 bits as red, green, blue.

    In little-endian memory blue comes first; of 32 bits the uppermost 8 are unused.
    """
    if depth in (24, 32):
        size = depth // 8
        order = (2, 1, 0) if not big_endian else (size - 3, size - 2, size - 1)
        channels = [data[position::size] for position in order]
    else:
        low, high = (data[1::2], data[0::2]) if big_endian else (data[0::2], data[1::2])
        channels = _channels_15(low, high) if depth == 15 else _channels_16(low, high)
    out = bytearray(3 * len(channels[0]))
    for channel, values in enumerate(channels):
        out[channel::3] = values
    return bytes(out)


def _channels_15(low: bytes, high: bytes) -> list[bytes]:
    red = high.translate(bytes((v >> 2 & 0x1F) << 3 | (v >> 2 & 0x1F) >> 2 for v in range(256)))
    # green's five bits g are spread g4 g3 (high) and g2 g1 g0 (low); as eight bits: g << 3 | g >> 2
    green_high = high.translate(bytes((v & 3) << 6 | (v & 3) << 1 for v in range(256)))
    green_low = low.translate(bytes(v >> 5 << 3 | v >> 7 for v in range(256)))
    return [red, _or(green_high, green_low), low.translate(FULL_5BIT_LOW)]


def _channels_16(low: bytes, high: bytes) -> list[bytes]:
    red = high.translate(bytes(v >> 3 << 3 | v >> 5 for v in range(256)))
    # green's six bits g are spread g5 g4 g3 (high) and g2 g1 g0 (low); as eight bits: g << 2 | g >> 4
    green_high = high.translate(bytes((v & 7) << 5 | (v & 7) >> 1 for v in range(256)))
    green_low = low.translate(bytes(v >> 5 << 2 for v in range(256)))
    return [red, _or(green_high, green_low), low.translate(FULL_5BIT_LOW)]
