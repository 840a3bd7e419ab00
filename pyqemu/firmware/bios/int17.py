"""INT 17h: printers (IBM PC/AT Technical Reference, printer I/O)."""

from __future__ import annotations

from pyqemu.firmware.bios.context import LinearMemory, Ports
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import Bda

_TIMEOUT = 0x01
_STROBE, _INIT, _SELECT = 0x01, 0x04, 0x08


class PrinterServices:
    """Output to the parallel ports that POST has found."""

    def __init__(self, memory: LinearMemory, ports: Ports) -> None:
        self.memory = memory
        self.ports = ports

    def service(self, frame: Frame) -> None:
        """Run function AH for printer DX: 0 print AL, 1 initialize, 2 status."""
        if frame.dx > 2 or not (base := self.memory.u16(Bda.PARALLEL_PORTS + 2 * frame.dx)):
            frame.ah = _TIMEOUT
            return
        if frame.ah == 0:
            self.ports.outb(base, frame.al)
            self.ports.outb(base + 2, _SELECT | _INIT | _STROBE)
            self.ports.outb(base + 2, _SELECT | _INIT)
        elif frame.ah == 1:
            self.ports.outb(base + 2, _SELECT)
            self.ports.outb(base + 2, _SELECT | _INIT)
        elif frame.ah != 2:
            return
        frame.ah = (self.ports.inb(base + 1) ^ 0x48) & 0xF8
