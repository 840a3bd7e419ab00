"""INT 15h AH=53h: Advanced Power Management 1.2, as far as switching off and idling need it."""

from __future__ import annotations

from pyqemu.firmware.bios.context import BiosContext
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import BIOS_SEGMENT

_NO_EVENTS, _UNSUPPORTED_FUNCTION, _UNKNOWN_DEVICE, _NOT_CONNECTED = 0x80, 0x0C, 0x09, 0x03
_ALL_DEVICES = (0x0001, 0x8000)
_STATE_OFF = 3


class ApmServices:
    """There is nothing to save power with but the CPU's HLT, so most functions only succeed."""

    def __init__(self, context: BiosContext, entry_32: int) -> None:
        self.context = context
        self.entry_32 = entry_32  # offset in segment F000h

    def service(self, frame: Frame) -> None:
        """Run function AL."""
        frame.carry = False
        match frame.al:
            case 0x00:  # installation check
                frame.ax, frame.bx, frame.cx = 0x0102, 0x504D, 0x0003  # 16- and 32-bit interfaces
            case 0x01 | 0x02 | 0x04:  # connect real mode, 16-bit; disconnect
                if frame.al == 0x02:
                    self._error(frame, 0x06)  # 16-bit protected mode is not supported
            case 0x03:
                frame.ax = frame.cx = frame.dx = BIOS_SEGMENT
                frame.ebx = self.entry_32
                frame.esi, frame.di = 0xFFFF_FFFF, 0xFFFF
            case _:
                self._common(frame)

    def protected_mode(self, frame: Frame) -> None:
        """A call through the 32-bit entry point."""
        frame.carry = False
        self._common(frame)

    def _common(self, frame: Frame) -> None:
        match frame.al:
            case 0x05 | 0x06 | 0x08 | 0x0D | 0x0F | 0x10:  # idle, busy, enable, engage
                pass
            case 0x07:
                self._set_state(frame)
            case 0x0A:  # mains, no battery
                frame.bx, frame.cx, frame.dx = 0x01FF, 0x80FF, 0xFFFF
            case 0x0B:
                self._error(frame, _NO_EVENTS)
            case 0x0C:
                frame.cx = 0
            case 0x0E:
                frame.ax = 0x0102
            case _:
                self._error(frame, _UNSUPPORTED_FUNCTION)

    def _set_state(self, frame: Frame) -> None:
        if frame.bx not in _ALL_DEVICES:
            self._error(frame, _UNKNOWN_DEVICE)
        elif frame.cx == _STATE_OFF:
            self.context.power_off()

    @staticmethod
    def _error(frame: Frame, code: int) -> None:
        frame.ah, frame.carry = code, True
