"""INT 10h: video services (IBM VGA BIOS interface, as in Ralf Brown's list; VBE in ``vbe.py``)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pyqemu.firmware.bios.context import LinearMemory, Ports, far
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.int10_fonts import FontServices
from pyqemu.firmware.bios.int10_palette import PaletteServices
from pyqemu.firmware.bios.layout import BIOS_SEGMENT, VIDEO_SEGMENT, Bda
from pyqemu.firmware.bios.rom import Rom
from pyqemu.firmware.bios.screen import Screen
from pyqemu.firmware.bios.vbe import VbeServices
from pyqemu.firmware.bios.video_state import StateServices
from pyqemu.hw.display.vga_modes import MODES, VideoMode, load_palette, palette, program_mode

_MISC_READ = 0x3CC
_CURSOR_EMULATION_OFF, _NO_CLEAR = 0x01, 0x80
_NO_PALETTE = 0x08  # in 40:89h
_VGA_COLOUR = 8  # display combination: VGA with colour display
_BELL, _BACKSPACE, _LINE_FEED, _RETURN = 7, 8, 10, 13


class VideoServices:
    """The services; ``service`` is INT 10h."""

    def __init__(self, memory: LinearMemory, ports: Ports, rom: Rom) -> None:
        self.memory = memory
        self.ports = ports
        self.rom = rom
        self.fonts = FontServices(memory, ports, rom)
        palettes = PaletteServices(memory, ports)
        state = StateServices(memory, ports)
        self.vbe = VbeServices(memory, ports, rom, self, state)
        self._functions: dict[int, Callable[[Frame], None]] = {
            0x00: self._set_mode,
            0x01: self._cursor_shape,
            0x02: self._set_cursor,
            0x03: self._get_cursor,
            0x04: self._light_pen,
            0x05: self._select_page,
            0x06: self._scroll_up,
            0x07: self._scroll_down,
            0x08: self._read_char,
            0x09: self._write_char,
            0x0A: self._write_char_only,
            0x0B: palettes.cga,
            0x0C: self._write_pixel,
            0x0D: self._read_pixel,
            0x0E: self._teletype,
            0x0F: self._get_mode,
            0x10: palettes.service,
            0x11: self.fonts.service,
            0x12: self._alternate,
            0x13: self._write_string,
            0x1A: self._combination,
            0x1B: self._functionality,
            0x1C: state.service,
            0x4F: self.vbe.service,
        }

    @property
    def present(self) -> bool:
        """Whether there is a VGA: its miscellaneous output register can be read."""
        return self.ports.inb(_MISC_READ) != 0xFF

    def service(self, frame: Frame) -> None:
        """Run function AH; without an adapter, or for a function that is not there, nothing happens."""
        handler = self._functions.get(frame.ah)
        if handler is not None and self.present:
            handler(frame)

    def install(self, physical_write: Callable[[int, bytes], None]) -> bool:
        """At POST: put our ROM data where a VGA's is and set mode 3. False if there is no adapter."""
        # The outputs of an adapter that has just been reset may all be off.
        self.ports.outb(0x3C2, 0x67)
        if not self.present:
            return False
        physical_write(VIDEO_SEGMENT << 4, self.rom.video)
        physical_write((BIOS_SEGMENT << 4) + self.rom.symbols["font_8x8"], self.fonts.rom_font(8)[:1024])
        self.set_mode(MODES[3], clear=True)
        return True

    # -- modes ----------------------------------------------------------------------------------------------

    def _set_mode(self, frame: Frame) -> None:
        mode = MODES.get(frame.al & 0x7F)
        if mode is None:
            return
        clear = not frame.al & 0x80
        frame.al = 0x20 if mode.number > 7 else 0x3F if mode.number == 6 else 0x30
        self.set_mode(mode, clear=clear)

    def set_mode(self, mode: VideoMode, *, clear: bool) -> None:
        """Program the adapter and describe the mode in the BIOS data area."""
        self.vbe.disable()
        program_mode(self.ports.outb, self.ports.inb, mode)
        self.ports.outb(0x3C6, 0xFF)
        if not self.memory.u8(Bda.VIDEO_STATE) & _NO_PALETTE:
            load_palette(self.ports.outb, palette(mode.colours))
        if mode.kind == "text":
            self.fonts.load(mode.char_height)
        if clear:
            self._clear(mode)
        self._describe(mode, clear)
        if mode.kind == "text":
            self._show_shape(0x0607)

    def _clear(self, mode: VideoMode) -> None:
        if mode.kind == "text":
            self.memory.write(mode.segment << 4, b"\x20\x07" * 0x4000)
        elif mode.kind == "cga":
            self.memory.write(mode.segment << 4, bytes(0x4000))
        elif mode.kind == "linear":
            self.memory.write(mode.segment << 4, bytes(0x10000))
        else:
            self.memory.write(mode.segment << 4, bytes(mode.columns * mode.height * mode.pages))

    def _describe(self, mode: VideoMode, clear: bool) -> None:
        memory = self.memory
        crtc = 0x3D4 if mode.misc & 1 else 0x3B4
        memory.write(Bda.VIDEO_MODE, struct.pack("<BHHH16sHBH", mode.number, mode.columns, mode.page_size, 0, b"",
                                                 0x0607 if mode.kind == "text" else 0, 0, crtc))  # fmt: skip
        memory.write(Bda.CGA_MODE_CONTROL, b"\x29\x30")
        memory.write(Bda.ROWS, struct.pack("<BHB", mode.rows - 1, mode.char_height, 0x60 | (0 if clear else _NO_CLEAR)))
        memory.set8(Bda.VIDEO_SWITCHES, 0xF9)
        memory.set8(Bda.VIDEO_STATE, memory.u8(Bda.VIDEO_STATE) & _NO_PALETTE | 0x51)
        memory.set8(Bda.VIDEO_COMBINATION, _VGA_COLOUR)
        memory.set32(Bda.VIDEO_SAVE_POINTER, VIDEO_SEGMENT << 16 | self.rom.symbols["video_save_pointers"])
        memory.set16(Bda.VBE_MODE, 0)
        memory.set32(4 * 0x43, self.fonts.pointer(mode.char_height))
        memory.set32(4 * 0x1F, self.fonts.pointer(8) + 1024)

    def _get_mode(self, frame: Frame) -> None:
        memory = self.memory
        frame.al = memory.u8(Bda.VIDEO_MODE) | memory.u8(Bda.VIDEO_CONTROL) & _NO_CLEAR
        frame.ah, frame.bh = memory.u8(Bda.COLUMNS), memory.u8(Bda.PAGE)

    def _select_page(self, frame: Frame) -> None:
        screen = Screen(self.memory, self.ports)
        page = frame.al
        if page > 7 or screen.mode is None or page >= screen.mode.pages:
            return
        start = page * screen.page_size
        self.memory.set8(Bda.PAGE, page)
        self.memory.set16(Bda.PAGE_START, start)
        address = start // 2 if screen.text else start
        self.ports.outw(screen.crtc, address & 0xFF00 | 0x0C)
        self.ports.outw(screen.crtc, (address & 0xFF) << 8 | 0x0D)
        screen.page = page
        screen.show_cursor(*screen.cursor(page))

    # -- the cursor -----------------------------------------------------------------------------------------

    def _cursor_shape(self, frame: Frame) -> None:
        self.memory.set16(Bda.CURSOR_SHAPE, frame.cx)
        self._show_shape(frame.cx)

    def _show_shape(self, shape: int) -> None:
        """Program first and last line; shapes meant for a CGA's eight lines are stretched to the font's height."""
        start, end = shape >> 8 & 0x3F, shape & 0x1F
        height = self.memory.u16(Bda.CHARACTER_HEIGHT)
        emulate = not self.memory.u8(Bda.VIDEO_CONTROL) & _CURSOR_EMULATION_OFF
        if emulate and height > 8 and end < 8 and start < 0x20:
            if end == start + 1:
                start = (end + 1) * height // 8 - 2
            else:
                start = (start + 1) * height // 8 - 1
            end = (end + 1) * height // 8 - 1
        crtc = self.memory.u16(Bda.CRTC_PORT)
        self.ports.outw(crtc, start << 8 | 0x0A)
        self.ports.outw(crtc, end << 8 | 0x0B)

    def _set_cursor(self, frame: Frame) -> None:
        if frame.bh < 8:
            Screen(self.memory, self.ports).move_cursor(frame.bh, frame.dl, frame.dh)

    def _get_cursor(self, frame: Frame) -> None:
        frame.ax = 0
        frame.cx = self.memory.u16(Bda.CURSOR_SHAPE)
        frame.dx = self.memory.u16(Bda.CURSOR + 2 * (frame.bh & 7))

    def _light_pen(self, frame: Frame) -> None:
        frame.ax = 0

    # -- characters -----------------------------------------------------------------------------------------

    def _scroll_up(self, frame: Frame) -> None:
        self._scroll(frame, frame.al)

    def _scroll_down(self, frame: Frame) -> None:
        self._scroll(frame, -frame.al)

    def _scroll(self, frame: Frame, lines: int) -> None:
        screen = Screen(self.memory, self.ports)
        screen.scroll(lines, frame.bh, frame.ch, frame.cl, frame.dh, frame.dl)

    def _read_char(self, frame: Frame) -> None:
        screen = Screen(self.memory, self.ports)
        frame.al, frame.ah = screen.read(frame.bh & 7, *screen.cursor(frame.bh))

    def _write_char(self, frame: Frame) -> None:
        self._write_chars(frame, frame.bl)

    def _write_char_only(self, frame: Frame) -> None:
        screen = Screen(self.memory, self.ports)
        self._write_chars(frame, None if screen.text else frame.bl)

    def _write_chars(self, frame: Frame, attribute: int | None) -> None:
        """CX times at the cursor, which stays."""
        screen = Screen(self.memory, self.ports)
        column, row = screen.cursor(frame.bh)
        page, count = frame.bh & 7, frame.cx
        if screen.text and attribute is not None:
            room = screen.columns * screen.rows - (row * screen.columns + column)
            cells = bytes((frame.al, attribute)) * min(count, max(room, 0))
            self.memory.write(screen.cell(page, column, row), cells)
            return
        for _ in range(count):
            if row >= screen.rows:
                return
            screen.write(page, column, row, frame.al, attribute)
            column += 1
            if column >= screen.columns:
                column, row = 0, row + 1

    def _teletype(self, frame: Frame) -> None:
        screen = Screen(self.memory, self.ports)
        page = screen.page
        column, row = screen.cursor(page)
        column, row = self._advance(screen, page, column, row, frame.al, None if screen.text else frame.bl)
        screen.move_cursor(page, column, row)

    def _advance(self, screen: Screen, page: int, column: int, row: int, char: int,
                 attribute: int | None) -> tuple[int, int]:  # fmt: skip
        """Write or obey *char* and return where the cursor goes; the screen scrolls if it must."""
        if char == _RETURN:
            column = 0
        elif char == _LINE_FEED:
            row += 1
        elif char == _BACKSPACE:
            column = max(column - 1, 0)
        elif char != _BELL:
            screen.write(page, column, row, char, attribute)
            column += 1
            if column >= screen.columns:
                column, row = 0, row + 1
        if row >= screen.rows:
            row = screen.rows - 1
            blank = screen.read(page, 0, row)[1] if screen.text else 0
            screen.scroll(1, blank, 0, 0, row, screen.columns - 1, page)
        return column, row

    def _write_string(self, frame: Frame) -> None:
        """AL bit 0: the cursor moves; bit 1: the string has attributes."""
        screen = Screen(self.memory, self.ports)
        page, moves, pairs = frame.bh & 7, frame.al & 1, frame.al & 2
        data = self.memory.read(far(frame.es, frame.bp), frame.cx * (2 if pairs else 1))
        column, row = frame.dl, frame.dh
        if row == 0xFF:
            column, row = screen.cursor(page)
        for n in range(frame.cx):
            char, attribute = (data[2 * n], data[2 * n + 1]) if pairs else (data[n], frame.bl)
            column, row = self._advance(screen, page, column, row, char, attribute)
        if moves:
            screen.move_cursor(page, column, row)

    # -- pixels ---------------------------------------------------------------------------------------------

    def _write_pixel(self, frame: Frame) -> None:
        Screen(self.memory, self.ports).set_pixel(frame.bh & 7, frame.cx, frame.dx, frame.al)

    def _read_pixel(self, frame: Frame) -> None:
        frame.al = Screen(self.memory, self.ports).pixel(frame.bh & 7, frame.cx, frame.dx)

    # -- the adapter ----------------------------------------------------------------------------------------

    def _alternate(self, frame: Frame) -> None:
        """AH=12h: BL selects."""
        memory = self.memory
        done = 0x12
        match frame.bl:
            case 0x10:  # EGA information: colour, 256 KiB, features, switches
                frame.bh, frame.bl, frame.cx = 0, 3, memory.u8(Bda.VIDEO_SWITCHES) & 0x0F
                return
            case 0x30:  # 200, 350 or 400 lines from the next mode on
                lines = {0: 0x80, 1: 0x00, 2: 0x10}.get(frame.al, 0x10)
                memory.set8(Bda.VIDEO_STATE, memory.u8(Bda.VIDEO_STATE) & ~0x90 | lines)
            case 0x31:  # default palette at mode set
                self._flag(Bda.VIDEO_STATE, _NO_PALETTE, bool(frame.al & 1))
            case 0x32:  # CPU access to video memory
                misc = self.ports.inb(_MISC_READ)
                self.ports.outb(0x3C2, misc & ~2 | (0 if frame.al & 1 else 2))
            case 0x33:  # sum to grey
                self._flag(Bda.VIDEO_STATE, 0x02, not frame.al & 1)
            case 0x34:  # cursor emulation
                self._flag(Bda.VIDEO_CONTROL, _CURSOR_EMULATION_OFF, bool(frame.al & 1))
            case 0x35:
                pass  # one display only
            case 0x36:  # video refresh
                self.ports.outb(0x3C4, 1)
                clocking = self.ports.inb(0x3C5)
                self.ports.outb(0x3C5, clocking | 0x20 if frame.al & 1 else clocking & ~0x20)
            case _:
                return
        frame.al = done

    def _flag(self, at: int, bit: int, on: bool) -> None:
        value = self.memory.u8(at)
        self.memory.set8(at, value | bit if on else value & ~bit)

    def _combination(self, frame: Frame) -> None:
        if frame.al == 0:
            frame.bl, frame.bh = self.memory.u8(Bda.VIDEO_COMBINATION), 0
        elif frame.al == 1:
            self.memory.set8(Bda.VIDEO_COMBINATION, frame.bl)
        else:
            return
        frame.al = 0x1A

    def _functionality(self, frame: Frame) -> None:
        """AH=1Bh: 64 bytes of state to ES:DI."""
        if frame.bx != 0:
            return
        memory, screen = self.memory, Screen(self.memory, self.ports)
        mode = screen.mode or MODES[3]
        colours = {"text": 16, "planar": 16, "cga": 4, "linear": 256}[mode.kind]
        data = struct.pack("<HH", self.rom.symbols["video_functionality"], VIDEO_SEGMENT)
        data += memory.read(Bda.VIDEO_MODE, 30)
        data += struct.pack("<BHBBHBB", screen.rows, screen.height, memory.u8(Bda.VIDEO_COMBINATION), 0, colours,
                            mode.pages, {200: 0, 350: 1, 400: 2, 480: 3}.get(mode.height, 2))  # fmt: skip
        data += bytes((0, 0, memory.u8(Bda.VIDEO_STATE) & 0x0F, 0, 0, 0, 3, 0))
        memory.write(far(frame.es, frame.di), data.ljust(64, b"\x00"))
        frame.al = 0x1B
