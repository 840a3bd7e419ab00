"""INT 10h AH=4Fh: VESA BIOS Extension Core Functions 3.0 on the Bochs adapter's registers (Bochs ``vbe_spec.txt``)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.firmware.bios.context import LinearMemory, Ports, far
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import BIOS_SEGMENT, VIDEO_SEGMENT, Bda
from pyqemu.firmware.bios.pci_setup import PciConfig
from pyqemu.firmware.bios.rom import Rom
from pyqemu.firmware.bios.vbe_modes import VBE_MODES, VbeMode
from pyqemu.firmware.bios.video_state import StateServices
from pyqemu.hw.display.vga_modes import MODES, load_palette, palette_256

if TYPE_CHECKING:
    from pyqemu.firmware.bios.int10 import VideoServices

_INDEX, _DATA = 0x1CE, 0x1D0
(_ID, _XRES, _YRES, _BPP, _ENABLE, _BANK, _VIRT_WIDTH, _VIRT_HEIGHT, _X_OFFSET, _Y_OFFSET, _MEMORY) = range(11)
_ENABLED, _DAC_8BIT, _LINEAR, _KEEP = 0x01, 0x20, 0x40, 0x80
_LINEAR_FLAG, _KEEP_FLAG = 0x4000, 0x8000
_WINDOW_KB = 64
_SUPPORTED, _FAILED = 0x004F, 0x014F
_UNSUPPORTED = 0x0100
# Bits and positions of red, green, blue and the rest, by depth
_MASKS = {15: (5, 10, 5, 5, 5, 0, 1, 15), 16: (5, 11, 6, 5, 5, 0, 0, 0), 24: (8, 16, 8, 8, 8, 0, 0, 0),
          32: (8, 16, 8, 8, 8, 0, 8, 24)}  # fmt: skip
_PLANAR, _PACKED, _DIRECT = 3, 4, 6


class VbeServices:
    """The functions; each returns AX."""

    def __init__(self, memory: LinearMemory, ports: Ports, rom: Rom, video: VideoServices,
                 state: StateServices) -> None:  # fmt: skip
        self.memory = memory
        self.ports = ports
        self.rom = rom
        self.video = video
        self.state = state
        self.config = PciConfig(ports)
        self._functions: dict[int, Callable[[Frame], int]] = {
            0x00: self._information,
            0x01: self._mode_information,
            0x02: self._set_mode,
            0x03: self._get_mode,
            0x04: self._state,
            0x05: self._window,
            0x06: self._line_length,
            0x07: self._display_start,
            0x08: self._dac_width,
            0x09: self._palette,
        }

    @property
    def present(self) -> bool:
        """Whether the adapter has the registers."""
        return self._get(_ID) & 0xFFF0 == 0xB0C0

    def service(self, frame: Frame) -> None:
        """Run function AL; AX stays as it is if there is no VBE."""
        if not self.present:
            return
        handler = self._functions.get(frame.al)
        frame.ax = handler(frame) if handler is not None else _UNSUPPORTED

    def _get(self, register: int) -> int:
        self.ports.outw(_INDEX, register)
        return self.ports.inw(_DATA)

    def _put(self, register: int, value: int) -> None:
        self.ports.outw(_INDEX, register)
        self.ports.outw(_DATA, value)

    def disable(self) -> None:
        """Back to VGA."""
        if self.present:
            self._put(_ENABLE, 0)

    def _pointer(self, name: str) -> int:
        return VIDEO_SEGMENT << 16 | self.rom.symbols[f"video_{name}"]

    @property
    def _memory_size(self) -> int:
        return self._get(_MEMORY) << 16

    def _frame_buffer(self) -> int:
        """BAR 0 of the display adapter."""
        for devfn in self.config.scan():
            if self.config.class_code(devfn) >> 8 in (0x0300, 0x0380):
                return self.config.read(devfn, 0x10, 4) & ~0xF
        return 0

    # -- information ----------------------------------------------------------------------------------------

    def _information(self, frame: Frame) -> int:
        """512 bytes (256 for VBE 1 callers) to ES:DI. The caller's block leads to strings and modes in our ROM."""
        address = far(frame.es, frame.di)
        extended = self.memory.read(address, 4) == b"VBE2"
        block = struct.pack(
            "<4sHIIIHHIII", b"VESA", 0x0300, self._pointer("oem"), 1, self._pointer("modes"), self._get(_MEMORY),
            0x0100, self._pointer("vendor"), self._pointer("product"), self._pointer("revision"),
        )  # fmt: skip
        self.memory.write(address, block.ljust(512 if extended else 256, b"\x00") if extended else block[:34])
        return _SUPPORTED

    def _fits(self, mode: VbeMode | None) -> bool:
        return mode is not None and mode.size <= self._memory_size

    def _mode_information(self, frame: Frame) -> int:
        mode = VBE_MODES.get(frame.cx & 0x3FFF)
        if mode is None or not self._fits(mode):
            return _FAILED
        self.memory.write(far(frame.es, frame.di), self._describe(mode).ljust(256, b"\x00"))
        return _SUPPORTED

    def _describe(self, mode: VbeMode) -> bytes:
        """ModeInfoBlock (VBE 3.0, 4.4)."""
        planar = mode.depth == 4
        linear = 0 if planar else self._frame_buffer()
        attributes = 0x1B | (0x80 if linear else 0)  # supported, extended, colour, graphics, linear
        model = _PLANAR if planar else _PACKED if mode.depth == 8 else _DIRECT
        masks = bytes(_MASKS.get(mode.depth, (0,) * 8))
        images = max(1, self._memory_size // mode.size) - 1
        height = 8 if mode.height < 400 else 16
        head = struct.pack("<HBBHHHHIH", attributes, 7, 0, _WINDOW_KB, _WINDOW_KB, 0xA000, 0,
                           BIOS_SEGMENT << 16 | self.rom.symbols["vbe_window"], mode.line_bytes)  # fmt: skip
        bits = 16 if mode.depth == 15 else mode.depth
        middle = struct.pack("<HHBBBBBBBBB", mode.width, mode.height, 8, height, 4 if planar else 1, bits, 1, model, 0,
                             min(images, 255), 1)  # fmt: skip
        direct = masks + bytes((2 if mode.depth == 32 else 0,))
        flat = struct.pack("<IIH", linear, 0, 0)
        version_3 = struct.pack("<HBB", mode.line_bytes, min(images, 255), min(images, 255)) + masks
        return head + middle + direct + flat + version_3 + struct.pack("<I", 0)

    # -- modes ----------------------------------------------------------------------------------------------

    def _set_mode(self, frame: Frame) -> int:
        number, keep = frame.bx & 0x1FF, bool(frame.bx & _KEEP_FLAG)
        if number < 0x100:
            mode = MODES.get(number & 0x7F)
            if mode is None:
                return _FAILED
            self.video.set_mode(mode, clear=not keep)
            return _SUPPORTED
        vbe_mode = VBE_MODES.get(number)
        if vbe_mode is None or not self._fits(vbe_mode):
            return _FAILED
        if frame.bx & _LINEAR_FLAG and (vbe_mode.depth == 4 or not self._frame_buffer()):
            return _FAILED
        self._program(vbe_mode, linear=bool(frame.bx & _LINEAR_FLAG), keep=keep)
        self.memory.set16(Bda.VBE_MODE, frame.bx & ~0x3E00)
        return _SUPPORTED

    def _program(self, mode: VbeMode, *, linear: bool, keep: bool) -> None:
        base = MODES[0x12 if mode.depth == 4 else 0x13]
        self.video.set_mode(base, clear=False)
        if mode.depth == 8:
            load_palette(self.ports.outb, palette_256())
        self._put(_BPP, mode.depth)
        self._put(_XRES, mode.width)
        self._put(_YRES, mode.height)
        self._put(_BANK, 0)
        self._put(_ENABLE, _ENABLED | (_LINEAR if linear else 0) | (_KEEP if keep else 0))
        self.memory.set16(Bda.COLUMNS, mode.width // 8)
        height = self.memory.u16(Bda.CHARACTER_HEIGHT) or 16
        self.memory.set8(Bda.ROWS, min(mode.height // height, 256) - 1)

    def _get_mode(self, frame: Frame) -> int:
        vbe_mode = self.memory.u16(Bda.VBE_MODE)
        frame.bx = vbe_mode or self.memory.u8(Bda.VIDEO_MODE)
        return _SUPPORTED

    def _state(self, frame: Frame) -> int:
        parts = frame.cx & 0x0F
        if frame.dl == 0:
            frame.bx = self.state.size(parts) // 64
        elif frame.dl == 1:
            self.state.save(far(frame.es, frame.bx), parts)
        elif frame.dl == 2:
            self.state.restore(far(frame.es, frame.bx), parts)
        else:
            return _FAILED
        return _SUPPORTED

    # -- what is seen of memory -----------------------------------------------------------------------------

    def _window(self, frame: Frame) -> int:
        """Bank of window A."""
        if frame.bl != 0 or frame.bh > 1:
            return _FAILED
        if frame.bh == 1:
            frame.dx = self._get(_BANK)
            return _SUPPORTED
        self._put(_BANK, frame.dx)
        return _SUPPORTED if self._get(_BANK) == frame.dx else _FAILED

    def _line_length(self, frame: Frame) -> int:
        """BL: 0 set in pixels, 1 get, 2 set in bytes, 3 get the greatest."""
        depth = self._get(_BPP)
        per_pixel = (depth + 7) // 8
        if frame.bl == 0:
            self._put(_VIRT_WIDTH, frame.cx)
        elif frame.bl == 2:
            self._put(_VIRT_WIDTH, frame.cx * 8 if depth == 4 else frame.cx // per_pixel)
        elif frame.bl == 3:
            height = self._get(_YRES)
            width = self._memory_size // (height * per_pixel) & ~7
            frame.cx, frame.bx, frame.dx = min(width, 0xFFF8), min(width * per_pixel, 0xFFFF), height
            return _SUPPORTED
        elif frame.bl != 1:
            return _FAILED
        width = self._get(_VIRT_WIDTH)
        frame.cx, frame.bx = width, width // 8 if depth == 4 else width * per_pixel
        frame.dx = self._get(_VIRT_HEIGHT)
        return _SUPPORTED

    def _display_start(self, frame: Frame) -> int:
        if frame.bl in (0x00, 0x80):
            self._put(_X_OFFSET, frame.cx)
            self._put(_Y_OFFSET, frame.dx)
            done = self._get(_X_OFFSET) == frame.cx and self._get(_Y_OFFSET) == frame.dx
            return _SUPPORTED if done else _FAILED
        if frame.bl == 0x01:
            frame.bh, frame.cx, frame.dx = 0, self._get(_X_OFFSET), self._get(_Y_OFFSET)
            return _SUPPORTED
        return _FAILED

    # -- colours --------------------------------------------------------------------------------------------

    def _dac_width(self, frame: Frame) -> int:
        if self._get(_BPP) > 8 or frame.bl > 1:
            return _FAILED
        enable = self._get(_ENABLE)
        if frame.bl == 0:
            enable = enable | _DAC_8BIT if frame.bh >= 8 else enable & ~_DAC_8BIT
            self._put(_ENABLE, enable | _KEEP)
        frame.bh = 8 if enable & _DAC_8BIT else 6
        return _SUPPORTED

    def _palette(self, frame: Frame) -> int:
        """Entries of blue, green, red and padding at ES:DI. BL: 0 or 80h set, 1 get."""
        count, first, address = frame.cx, frame.dx, far(frame.es, frame.di)
        if first + count > 256:
            return _FAILED
        if frame.bl in (0x00, 0x80):
            data = self.memory.read(address, 4 * count)
            self.ports.outb(0x3C8, first)
            for n in range(count):
                for level in reversed(data[4 * n : 4 * n + 3]):
                    self.ports.outb(0x3C9, level)
            return _SUPPORTED
        if frame.bl == 0x01:
            self.ports.outb(0x3C7, first)
            out = bytearray()
            for _ in range(count):
                red, green, blue = (self.ports.inb(0x3C9) for _ in range(3))
                out += bytes((blue, green, red, 0))
            self.memory.write(address, bytes(out))
            return _SUPPORTED
        return _FAILED
