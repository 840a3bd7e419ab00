"""INT 10h AH=11h: character generators."""

from __future__ import annotations

from pyqemu.firmware.bios.context import LinearMemory, Ports, far
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import VIDEO_SEGMENT, Bda
from pyqemu.firmware.bios.rom import Rom

_SEQUENCER, _GRAPHICS = 0x3C4, 0x3CE
_FONT_SPACING = 32  # bytes a glyph in plane 2
_WINDOW = 0xA0000
# Map mask, memory mode, graphics mode, memory map: plane 2 alone; all planes chained
_PLANE_2 = ((_SEQUENCER, 2, 0x04), (_SEQUENCER, 4, 0x07), (_GRAPHICS, 5, 0x00), (_GRAPHICS, 6, 0x04))
_CHAIN_4 = ((_SEQUENCER, 2, 0x0F), (_SEQUENCER, 4, 0x0F), (_GRAPHICS, 5, 0x00), (_GRAPHICS, 6, 0x04))
_ROM_FONTS = {0x01: 14, 0x02: 8, 0x04: 16}
_POINTERS = {  # 5 and 7: glyphs for nine-dot cells that differ from the eight-dot ones
    0x02: ("video_font14", 0), 0x03: ("video_font8", 0), 0x04: ("video_font8", 1024), 0x05: ("video_no_glyphs", 0),
    0x06: ("video_font16", 0), 0x07: ("video_no_glyphs", 0),
}  # fmt: skip


class FontServices:
    """Loads fonts into plane 2 and tells where those in ROM are."""

    def __init__(self, memory: LinearMemory, ports: Ports, rom: Rom) -> None:
        self.memory = memory
        self.ports = ports
        self.rom = rom

    def pointer(self, height: int) -> int:
        """The far pointer to a ROM font."""
        return VIDEO_SEGMENT << 16 | self.rom.symbols[f"video_font{height}"]

    def rom_font(self, height: int) -> bytes:
        """The glyphs of a ROM font."""
        start = self.rom.symbols[f"video_font{height}"]
        return self.rom.video[start : start + 256 * height]

    def load(self, height: int, block: int = 0) -> None:
        """Load a ROM font whole."""
        self.load_glyphs(self.rom_font(height), height, 0, block)

    def load_glyphs(self, glyphs: bytes, height: int, first: int, block: int) -> None:
        """Put glyphs into a block of plane 2, with the adapter set up for that meanwhile."""
        base = ((block & 3) << 14 | (block & 4) << 11) + first * _FONT_SPACING
        count = len(glyphs) // height
        data = b"".join(glyphs[n * height : (n + 1) * height].ljust(_FONT_SPACING, b"\x00") for n in range(count))
        if 4 * (base + len(data)) <= 0x10000:
            self._load_interleaved(base, data)
        else:
            saved = self._open(_PLANE_2)
            self.memory.write(_WINDOW + base, data)
            self._close(saved)

    def _load_interleaved(self, base: int, data: bytes) -> None:
        """The adapters of this board keep the four planes interleaved, and show them so in chain-4 mode: there the
        window is plain memory, which makes this a hundred times quicker than going through plane 2.
        """
        saved = self._open(_CHAIN_4)
        address = _WINDOW + 4 * base
        planes = bytearray(self.memory.read(address, 4 * len(data)))
        planes[2::4] = data
        self.memory.write(address, bytes(planes))
        self._close(saved)

    def _open(self, settings: tuple[tuple[int, int, int], ...]) -> list[tuple[int, int, int]]:
        """Set registers; return what to put back."""
        saved = []
        for port, index, value in settings:
            self.ports.outb(port, index)
            saved.append((port, index, self.ports.inb(port + 1)))
            self.ports.outb(port + 1, value)
        return saved

    def _close(self, saved: list[tuple[int, int, int]]) -> None:
        for port, index, value in saved:
            self.ports.outw(port, value << 8 | index)

    # -- AH=11h ---------------------------------------------------------------------------------------------

    def service(self, frame: Frame) -> None:
        """00h-04h load, 10h-14h load and adapt the mode, 20h-24h fonts of graphics modes, 30h information."""
        group, function = frame.al & 0xF0, frame.al & 0x0F
        if frame.al == 0x30:
            self._information(frame)
        elif group in (0x00, 0x10):
            self._load(frame, function, adapt=group == 0x10)
        elif group == 0x20:
            self._graphics_font(frame, function)

    def _load(self, frame: Frame, function: int, *, adapt: bool) -> None:
        if function == 0x00:
            height = frame.bh
            if not 1 <= height <= _FONT_SPACING:
                return
            glyphs = self.memory.read(far(frame.es, frame.bp), frame.cx * height)
            self.load_glyphs(glyphs, height, frame.dx, frame.bl)
        elif function in _ROM_FONTS:
            height = _ROM_FONTS[function]
            self.load(height, frame.bl)
        elif function == 0x03:
            self.ports.outw(_SEQUENCER, frame.bl << 8 | 3)
            return
        else:
            return
        if adapt:
            self._adapt(height)

    def _adapt(self, height: int) -> None:
        """Change the number of rows to what the scan lines hold, and the cursor with it."""
        memory, ports = self.memory, self.ports
        crtc = memory.u16(Bda.CRTC_PORT)

        def read(index: int) -> int:
            ports.outb(crtc, index)
            return ports.inb(crtc + 1)

        ports.outw(crtc, (read(9) & 0xE0 | height - 1) << 8 | 9)
        overflow = read(7)
        lines = (read(0x12) | (overflow & 2) << 7 | (overflow & 0x40) << 3) + 1
        if read(9) & 0x80:
            lines //= 2
        rows = lines // height
        ports.outw(crtc, (height - 2) << 8 | 0x0A)
        ports.outw(crtc, (height - 1) << 8 | 0x0B)
        memory.set8(Bda.ROWS, rows - 1)
        memory.set16(Bda.CHARACTER_HEIGHT, height)
        memory.set16(Bda.PAGE_SIZE, rows * memory.u16(Bda.COLUMNS) * 2)

    def _graphics_font(self, frame: Frame, function: int) -> None:
        memory = self.memory
        if function == 0x00:
            memory.set32(4 * 0x1F, frame.es << 16 | frame.bp)
            return
        if function == 0x01:
            memory.set32(4 * 0x43, frame.es << 16 | frame.bp)
            height = frame.cx
        elif function in (0x02, 0x03, 0x04):
            height = {0x02: 14, 0x03: 8, 0x04: 16}[function]
            memory.set32(4 * 0x43, self.pointer(height))
        else:
            return
        rows = {0: frame.dl, 1: 14, 2: 25, 3: 43}.get(frame.bl, 25)
        memory.set8(Bda.ROWS, max(rows, 1) - 1)
        memory.set16(Bda.CHARACTER_HEIGHT, height)

    def _information(self, frame: Frame) -> None:
        """ES:BP = the font that BH asks for; CX its height on screen, DL the rows less one."""
        memory = self.memory
        if frame.bh in (0, 1):
            vector = memory.u32(4 * (0x43 if frame.bh else 0x1F))
            frame.es, frame.bp = vector >> 16, vector & 0xFFFF
        elif frame.bh in _POINTERS:
            name, offset = _POINTERS[frame.bh]
            frame.es, frame.bp = VIDEO_SEGMENT, self.rom.symbols[name] + offset
        else:
            return
        frame.cx, frame.dl = memory.u16(Bda.CHARACTER_HEIGHT), memory.u8(Bda.ROWS)
