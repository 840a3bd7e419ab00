"""The parallel port in its compatible mode (IEEE 1284; IBM PC/AT Technical Reference, printer adapter).

A printer that is always ready: every byte strobed goes to the backend, and is acknowledged at once.
"""

from __future__ import annotations

from pyqemu.chardev import Chardev
from pyqemu.system.irq import Irq

# Status; BUSY is active low on the register
STS_TIMEOUT, STS_ERROR, STS_ONLINE, STS_PAPER, STS_ACK, STS_BUSY = 0x01, 0x08, 0x10, 0x20, 0x40, 0x80
# Control
CTR_STROBE, CTR_AUTOLF, CTR_INIT, CTR_SELECT, CTR_INTEN, CTR_DIR = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20

STS_READY = STS_BUSY | STS_ACK | STS_ONLINE | STS_ERROR | STS_TIMEOUT


class Parallel:
    """Data, status and control registers at offsets 0, 1 and 2.

    :param chardev: where the printer's input goes, already claimed; None: to nowhere
    """

    def __init__(self, irq: Irq, chardev: Chardev | None) -> None:
        self.irq, self.chardev = irq, chardev
        self.reset()

    def reset(self) -> None:
        """Power-on state."""
        self.datar = self.dataw = 0xFF
        self.status = STS_READY
        self.control = CTR_SELECT | CTR_INIT | 0xC0
        self.irq_pending = False
        self.epp_timeout = False
        self.update()

    def update(self) -> None:
        """Drive the interrupt line from state."""
        self.irq.set(self.irq_pending)

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0:
                return self.datar if self.control & CTR_DIR else self.dataw
            case 1:
                return self._read_status()
            case 2:
                return self.control
            case _:
                return 0xFF

    def _read_status(self) -> int:
        value = self.status
        self.irq_pending = False
        if not self.status & STS_BUSY and not self.control & CTR_STROBE:
            # After a look at "busy" the printer pulses ACK, after the next it is ready again.
            self.status |= STS_BUSY if not self.status & STS_ACK else 0
            self.status ^= STS_ACK
        self.update()
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        value &= 0xFF
        if offset == 0:
            self.dataw = value
            self.update()
        elif offset == 2:
            self._write_control(value | 0xC0)

    def _write_control(self, value: int) -> None:
        before, self.control = self.control, value
        if not value & CTR_INIT:
            self.status = STS_READY
        elif value & CTR_SELECT and value & CTR_STROBE:
            self.status &= ~STS_BUSY
            if not before & CTR_STROBE and self.chardev is not None:
                self.chardev.write(bytes((self.dataw,)))
        elif value & CTR_INTEN and before & CTR_STROBE and not value & CTR_STROBE:
            self.irq_pending = True  # the end of the strobe: the byte is taken
        self.update()
