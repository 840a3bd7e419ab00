"""INT 10h AH=10h and 0Bh: palette registers and the DAC."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.firmware.bios.context import LinearMemory, Ports, far
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import Bda

_ATTRIBUTE, _ATTRIBUTE_READ = 0x3C0, 0x3C1
_DAC_READ, _DAC_WRITE, _DAC_DATA = 0x3C7, 0x3C8, 0x3C9
_MODE_CONTROL, _OVERSCAN, _COLOUR_SELECT = 0x10, 0x11, 0x14
_SCREEN_ON = 0x20
_BLINK, _PAGE_SIZE_16 = 0x08, 0x80


class PaletteServices:
    """Access to the attribute controller and the DAC."""

    def __init__(self, memory: LinearMemory, ports: Ports) -> None:
        self.memory = memory
        self.ports = ports
        self._functions: dict[int, Callable[[Frame], None]] = {
            0x00: lambda frame: self._set(frame.bl, frame.bh),
            0x01: lambda frame: self._set(_OVERSCAN, frame.bh),
            0x02: self._set_all,
            0x03: self._blink,
            0x07: self._get_one,
            0x08: self._get_overscan,
            0x09: self._get_all,
            0x10: self._set_dac,
            0x12: self._set_dac_block,
            0x13: self._dac_page,
            0x15: self._get_dac,
            0x17: self._get_dac_block,
            0x18: lambda frame: self.ports.outb(0x3C6, frame.bl),
            0x19: self._get_mask,
            0x1A: self._get_dac_page,
            0x1B: self._grey,
        }

    def service(self, frame: Frame) -> None:
        """Run function AL of AH=10h."""
        handler = self._functions.get(frame.al)
        if handler is not None:
            handler(frame)

    # -- the attribute controller ---------------------------------------------------------------------------

    def _reset_flip_flop(self) -> None:
        self.ports.inb(self.memory.u16(Bda.CRTC_PORT) + 6)

    def _set(self, register: int, value: int) -> None:
        if register > _COLOUR_SELECT:
            return
        self._reset_flip_flop()
        self.ports.outb(_ATTRIBUTE, register)
        self.ports.outb(_ATTRIBUTE, value)
        self.ports.outb(_ATTRIBUTE, _SCREEN_ON)

    def _get(self, register: int) -> int:
        self._reset_flip_flop()
        self.ports.outb(_ATTRIBUTE, register)
        value = self.ports.inb(_ATTRIBUTE_READ)
        self._reset_flip_flop()
        self.ports.outb(_ATTRIBUTE, _SCREEN_ON)
        return value

    def _set_all(self, frame: Frame) -> None:
        values = self.memory.read(far(frame.es, frame.dx), 17)
        for register, value in enumerate(values):
            self._set(register, value)

    def _get_all(self, frame: Frame) -> None:
        values = bytes(self._get(register) for register in range(17))
        self.memory.write(far(frame.es, frame.dx), values[:16] + bytes((self._get(_OVERSCAN),)))

    def _get_one(self, frame: Frame) -> None:
        if frame.bl <= _COLOUR_SELECT:
            frame.bh = self._get(frame.bl)

    def _get_overscan(self, frame: Frame) -> None:
        frame.bh = self._get(_OVERSCAN)

    def _blink(self, frame: Frame) -> None:
        """Attribute bit 7: blinking or bright background."""
        value = self._get(_MODE_CONTROL) & ~_BLINK
        self._set(_MODE_CONTROL, value | (_BLINK if frame.bl & 1 else 0))

    # -- the DAC --------------------------------------------------------------------------------------------

    def write_dac(self, first: int, levels: bytes) -> None:
        """Three bytes an entry."""
        self.ports.outb(_DAC_WRITE, first)
        for level in levels:
            self.ports.outb(_DAC_DATA, level)

    def read_dac(self, first: int, count: int) -> bytes:
        self.ports.outb(_DAC_READ, first)
        return bytes(self.ports.inb(_DAC_DATA) for _ in range(3 * count))

    def _set_dac(self, frame: Frame) -> None:
        self.write_dac(frame.bl, bytes((frame.dh, frame.ch, frame.cl)))

    def _get_dac(self, frame: Frame) -> None:
        frame.dh, frame.ch, frame.cl = self.read_dac(frame.bl, 1)

    def _set_dac_block(self, frame: Frame) -> None:
        self.write_dac(frame.bl, self.memory.read(far(frame.es, frame.dx), 3 * min(frame.cx, 256)))

    def _get_dac_block(self, frame: Frame) -> None:
        self.memory.write(far(frame.es, frame.dx), self.read_dac(frame.bl, min(frame.cx, 256)))

    def _dac_page(self, frame: Frame) -> None:
        """BL=0: four pages of 64 or sixteen of 16 (BH); BL=1: select page BH."""
        control = self._get(_MODE_CONTROL)
        if frame.bl == 0:
            self._set(_MODE_CONTROL, control & ~_PAGE_SIZE_16 | (_PAGE_SIZE_16 if frame.bh & 1 else 0))
        elif frame.bl == 1:
            page = frame.bh if control & _PAGE_SIZE_16 else frame.bh << 2
            self._set(_COLOUR_SELECT, page & 0x0F)

    def _get_dac_page(self, frame: Frame) -> None:
        sixteen = bool(self._get(_MODE_CONTROL) & _PAGE_SIZE_16)
        page = self._get(_COLOUR_SELECT)
        frame.bl, frame.bh = int(sixteen), page if sixteen else page >> 2

    def _get_mask(self, frame: Frame) -> None:
        frame.bl = self.ports.inb(0x3C6)

    def _grey(self, frame: Frame) -> None:
        """Sum entries to grey: 30 % red, 59 % green, 11 % blue."""
        count = min(frame.cx, 256)
        levels = self.read_dac(frame.bl, count)
        out = bytearray()
        for n in range(count):
            red, green, blue = levels[3 * n : 3 * n + 3]
            out += bytes((min((77 * red + 151 * green + 28 * blue + 0x80) >> 8, 0x3F),)) * 3
        self.write_dac(frame.bl, bytes(out))

    # -- AH=0Bh ---------------------------------------------------------------------------------------------

    def cga(self, frame: Frame) -> None:
        """BH=0: border (and background in graphics); BH=1: one of the two palettes of four colours."""
        at = Bda.CGA_PALETTE
        value = self.memory.u8(at)
        if frame.bh == 0:
            value = value & ~0x1F | frame.bl & 0x1F
            colour = frame.bl & 0x0F
            self._set(_OVERSCAN, colour & 7 | (colour & 8) << 1)
            if self.memory.u8(Bda.VIDEO_MODE) > 3:
                self._set(0, colour & 7 | (colour & 8) << 1)
        else:
            value = value & ~0x20 | (frame.bl & 1) << 5
        bright = value & 0x10
        if self.memory.u8(Bda.VIDEO_MODE) in (4, 5):
            for n in range(1, 4):
                self._set(n, (2 * n + (value >> 5 & 1)) | bright)
        self.memory.set8(at, value)
