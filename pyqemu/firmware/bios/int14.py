"""INT 14h: serial ports (IBM PC/AT Technical Reference, RS232 I/O), with the PS/2's extended initialization."""

from __future__ import annotations

from pyqemu.firmware.bios.context import LinearMemory, Ports
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import Bda

_DIVISORS = (1047, 768, 384, 192, 96, 48, 24, 12)
_EXTENDED_DIVISORS = (*_DIVISORS, 6)  # up to 19200
_TIMEOUT = 0x80
_DATA_READY, _HOLDING_EMPTY = 0x01, 0x20


class SerialServices:
    """Polled input and output; a byte that does not come or go at once is a time-out, since UARTs here are quick."""

    def __init__(self, memory: LinearMemory, ports: Ports) -> None:
        self.memory = memory
        self.ports = ports

    def service(self, frame: Frame) -> None:
        """Run function AH for port DX."""
        if frame.dx > 3 or not (base := self.memory.u16(Bda.SERIAL_PORTS + 2 * frame.dx)):
            frame.ah = _TIMEOUT
            return
        match frame.ah:
            case 0:
                self._initialize(base, _DIVISORS[frame.al >> 5], frame.al & 0x1F)
            case 1:
                self._send(frame, base)
                return
            case 2:
                self._receive(frame, base)
                return
            case 3:
                pass
            case 4:
                divisor = _EXTENDED_DIVISORS[min(frame.cl, 8)]
                parity = (0x00, 0x08, 0x18, 0x28, 0x38)[min(frame.bh, 4)]
                self._initialize(base, divisor, frame.ch & 3 | (frame.bl & 1) << 2 | parity)
            case 5:
                self._modem_control(frame, base)
                return
            case _:
                return
        self._status(frame, base)

    def _initialize(self, base: int, divisor: int, format_: int) -> None:
        outb = self.ports.outb
        outb(base + 3, 0x80)
        outb(base, divisor)
        outb(base + 1, divisor >> 8)
        outb(base + 3, format_ & 0x3F)
        outb(base + 1, 0)

    def _status(self, frame: Frame, base: int) -> None:
        frame.ah, frame.al = self.ports.inb(base + 5), self.ports.inb(base + 6)

    def _send(self, frame: Frame, base: int) -> None:
        self.ports.outb(base + 4, self.ports.inb(base + 4) | 3)
        if not self.ports.inb(base + 5) & _HOLDING_EMPTY:
            frame.ah = self.ports.inb(base + 5) | _TIMEOUT
            return
        self.ports.outb(base, frame.al)
        frame.ah = self.ports.inb(base + 5)

    def _receive(self, frame: Frame, base: int) -> None:
        line = self.ports.inb(base + 5)
        if not line & _DATA_READY:
            frame.ah = line | _TIMEOUT
            return
        frame.al = self.ports.inb(base)
        frame.ah = line & 0x1E

    def _modem_control(self, frame: Frame, base: int) -> None:
        if frame.al == 0:
            frame.bl = self.ports.inb(base + 4)
        elif frame.al == 1:
            self.ports.outb(base + 4, frame.bl)
        self._status(frame, base)
