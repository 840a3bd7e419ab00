"""The VGA's register files behind their ports (PS/2 Hardware Interface Technical Reference, "Video").

Five groups, most of them an index and a data port: sequencer 3C4h, graphics controller 3CEh, attribute
controller 3C0h (one port, index and data in turn), CRT controller 3D4h or 3B4h, and the DAC 3C6h to 3C9h.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.system.clock import Clock

# Ports
ATTRIBUTE, ATTRIBUTE_READ, MISC_WRITE, SEQUENCER = 0x3C0, 0x3C1, 0x3C2, 0x3C4
PEL_MASK, DAC_READ_INDEX, DAC_WRITE_INDEX, DAC_DATA = 0x3C6, 0x3C7, 0x3C8, 0x3C9
FEATURE_READ, MISC_READ, GRAPHICS = 0x3CA, 0x3CC, 0x3CE
CRTC_MONO, STATUS_MONO, CRTC_COLOUR, STATUS_COLOUR = 0x3B4, 0x3BA, 0x3D4, 0x3DA

# Sequencer
SR_CLOCKING, SR_MAP_MASK, SR_FONT, SR_MEMORY_MODE = 1, 2, 3, 4
SR_CLOCKING_8DOT, SR_CLOCKING_HALF, SR_CLOCKING_OFF = 0x01, 0x08, 0x20
SR_MEMORY_CHAIN4 = 0x08
# Graphics controller
GR_SET_RESET, GR_ENABLE_SET_RESET, GR_COMPARE, GR_ROTATE, GR_READ_MAP = 0, 1, 2, 3, 4
GR_MODE, GR_MISC, GR_DONT_CARE, GR_BIT_MASK = 5, 6, 7, 8
GR_MODE_READ_COMPARE, GR_MODE_ODD_EVEN = 0x08, 0x10
GR_MISC_GRAPHICS = 0x01
# CRT controller
CR_H_DISPLAY, CR_OVERFLOW, CR_PRESET_ROW, CR_MAX_SCAN = 0x01, 0x07, 0x08, 0x09
CR_CURSOR_START, CR_CURSOR_END, CR_START_HIGH, CR_START_LOW = 0x0A, 0x0B, 0x0C, 0x0D
CR_CURSOR_HIGH, CR_CURSOR_LOW, CR_V_SYNC_END, CR_V_DISPLAY = 0x0E, 0x0F, 0x11, 0x12
CR_OFFSET, CR_UNDERLINE, CR_MODE, CR_LINE_COMPARE = 0x13, 0x14, 0x17, 0x18
CR_PROTECT = 0x80  # in CR_V_SYNC_END
# Attribute controller
AR_MODE, AR_OVERSCAN, AR_PLANE_ENABLE, AR_PANNING, AR_COLOUR_SELECT = 0x10, 0x11, 0x12, 0x13, 0x14
AR_INDEX_VIDEO_ON = 0x20
# Miscellaneous output, status 1
MISC_COLOUR = 0x01
ST01_DISABLED, ST01_RETRACE = 0x01, 0x08

# fmt: off
SEQUENCER_MASKS = (0x03, 0x3D, 0x0F, 0x3F, 0x0E, 0x00, 0x00, 0xFF)
GRAPHICS_MASKS  = (0x0F, 0x0F, 0x0F, 0x1F, 0x03, 0x7B, 0x0F, 0x0F, 0xFF, 0, 0, 0, 0, 0, 0, 0)
ATTRIBUTE_MASKS = (0x3F,) * 16 + (0xEF, 0xFF, 0x3F, 0x0F, 0x0F)
# fmt: on

FRAME_TIME = 1_000_000_000 // 70
RETRACE_SHARE = 16  # one part in so many of a frame is vertical retrace


class VgaRegisters:
    """The registers alone, without memory or picture.

    :param on_change: called when a register that rules the mapping of memory or the writing to it changed
    :param clock: tells when retrace is; None makes status 1 change on each look, which is quicker for guests
        that wait for it and never wrong for those that only poll
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None, clock: Clock | None = None) -> None:
        self.on_change = on_change
        self.clock = clock
        self.sr = bytearray(8)
        self.gr = bytearray(16)
        self.ar = bytearray(21)
        self.cr = bytearray(256)
        self.palette = bytearray(768)
        self.dac_cache = bytearray(3)
        self.dac_8bit = False
        self.reset_registers()

    def reset_registers(self) -> None:
        """Power-on state: everything zero, the DAC mask open."""
        for array in (self.sr, self.gr, self.ar, self.cr, self.palette, self.dac_cache):
            array[:] = bytes(len(array))
        self.sr_index = self.gr_index = self.ar_index = self.cr_index = 0
        self.ar_flip_flop = False  # whether the next write to 3C0h is data
        self.msr = self.fcr = self.st00 = self.st01 = 0
        self.dac_state = self.dac_sub_index = self.dac_read_index = self.dac_write_index = 0
        self.pel_mask = 0xFF
        self.dac_8bit = False

    # -- reading --------------------------------------------------------------------------------------

    def read_port(self, port: int) -> int:
        """A byte from one of the ports 3B0h to 3DFh."""
        if self._elsewhere(port):
            return 0xFF
        match port:
            case 0x3C0:
                return 0 if self.ar_flip_flop else self.ar_index
            case 0x3C1:
                index = self.ar_index & 0x1F
                return self.ar[index] if index < len(self.ar) else 0
            case 0x3C2:
                return self.st00
            case 0x3C4:
                return self.sr_index
            case 0x3C5:
                return self.sr[self.sr_index]
            case 0x3C6 | 0x3C7 | 0x3C8 | 0x3C9:
                return self._read_dac(port)
            case 0x3CA:
                return self.fcr
            case 0x3CC:
                return self.msr
            case 0x3CE:
                return self.gr_index
            case 0x3CF:
                return self.gr[self.gr_index]
            case 0x3B4 | 0x3D4:
                return self.cr_index
            case 0x3B5 | 0x3D5:
                return self.cr[self.cr_index]
            case 0x3BA | 0x3DA:
                return self._read_status()
            case _:
                return 0

    def _elsewhere(self, port: int) -> bool:
        """Colour and monochrome adapters have their CRT controllers at different ports."""
        if self.msr & MISC_COLOUR:
            return 0x3B0 <= port <= 0x3BF
        return 0x3D0 <= port <= 0x3DF

    def _read_dac(self, port: int) -> int:
        match port:
            case 0x3C6:
                return self.pel_mask
            case 0x3C7:
                return self.dac_state
            case 0x3C8:
                return self.dac_write_index
        value = self.palette[self.dac_read_index * 3 + self.dac_sub_index]
        self.dac_sub_index += 1
        if self.dac_sub_index == 3:
            self.dac_sub_index = 0
            self.dac_read_index = (self.dac_read_index + 1) & 0xFF
        return value

    def _read_status(self) -> int:
        self.ar_flip_flop = False
        if self.clock is None:
            self.st01 ^= ST01_RETRACE | ST01_DISABLED
        else:
            position = self.clock.now() % FRAME_TIME
            in_retrace = position >= FRAME_TIME - FRAME_TIME // RETRACE_SHARE
            line_blank = position * 480 // FRAME_TIME & 7 == 0
            self.st01 = (ST01_RETRACE if in_retrace else 0) | (ST01_DISABLED if in_retrace or line_blank else 0)
        return self.st01

    # -- writing --------------------------------------------------------------------------------------

    def write_port(self, port: int, value: int) -> None:
        """A byte to one of the ports 3B0h to 3DFh."""
        if self._elsewhere(port):
            return
        match port:
            case 0x3C0:
                self._write_attribute(value)
            case 0x3C2:
                self.msr = value & 0xEF
            case 0x3C4:
                self.sr_index = value & 7
            case 0x3C5:
                self._set(self.sr, self.sr_index, value & SEQUENCER_MASKS[self.sr_index])
            case 0x3C6 | 0x3C7 | 0x3C8 | 0x3C9:
                self._write_dac(port, value)
            case 0x3CE:
                self.gr_index = value & 0x0F
            case 0x3CF:
                self._set(self.gr, self.gr_index, value & GRAPHICS_MASKS[self.gr_index])
            case 0x3B4 | 0x3D4:
                self.cr_index = value
            case 0x3B5 | 0x3D5:
                self._write_crtc(value)
            case 0x3BA | 0x3DA:
                self.fcr = value & 0x10
            case _:
                pass

    def drop_absent_bits(self) -> None:
        """Saved state was loaded: bits that these registers do not have are forgotten, as when they are written."""
        for registers, masks in (
            (self.sr, SEQUENCER_MASKS), (self.gr, GRAPHICS_MASKS), (self.ar, ATTRIBUTE_MASKS)
        ):  # fmt: skip
            registers[:] = bytes(value & mask for value, mask in zip(registers, masks, strict=True))

    def _set(self, array: bytearray, index: int, value: int) -> None:
        if array[index] != value:
            array[index] = value
            self.on_change()

    def _write_attribute(self, value: int) -> None:
        if not self.ar_flip_flop:
            self.ar_index = value & 0x3F
        else:
            index = self.ar_index & 0x1F
            if index < len(self.ar):
                self.ar[index] = value & ATTRIBUTE_MASKS[index]
        self.ar_flip_flop = not self.ar_flip_flop

    def _write_crtc(self, value: int) -> None:
        index = self.cr_index
        if index <= CR_OVERFLOW and self.cr[CR_V_SYNC_END] & CR_PROTECT:
            if index == CR_OVERFLOW:  # the line compare bit is not protected
                self.cr[index] = self.cr[index] & 0xEF | value & 0x10
            return
        self.cr[index] = value

    def _write_dac(self, port: int, value: int) -> None:
        match port:
            case 0x3C6:
                self.pel_mask = value
            case 0x3C7:
                self.dac_read_index, self.dac_sub_index, self.dac_state = value, 0, 3
            case 0x3C8:
                self.dac_write_index, self.dac_sub_index, self.dac_state = value, 0, 0
            case _:
                self.dac_cache[self.dac_sub_index] = value
                self.dac_sub_index += 1
                if self.dac_sub_index == 3:
                    self.dac_sub_index = 0
                    start = self.dac_write_index * 3
                    self.palette[start : start + 3] = self.dac_cache
                    self.dac_write_index = (self.dac_write_index + 1) & 0xFF
