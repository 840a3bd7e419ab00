"""The mini UART of the BCM2835 ("BCM2835 ARM Peripherals", 2): some registers of a 16550, a receive FIFO of eight."""

from __future__ import annotations

from collections import deque

from pyqemu.chardev import Chardev
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U8, Array, VMState
from pyqemu.system import Irq

FIFO_SIZE = 8
# fmt: off
AUX_IRQ, AUX_ENABLES                                    = 0x00, 0x04
MU_IO, MU_IER, MU_IIR, MU_LCR, MU_MCR, MU_LSR, MU_MSR   = 0x40, 0x44, 0x48, 0x4C, 0x50, 0x54, 0x58
MU_SCRATCH, MU_CNTL, MU_STAT, MU_BAUD                   = 0x5C, 0x60, 0x64, 0x68
# As they are, not as the manual has them: receiving is bit 0, sending bit 1 (errata of page 12).
IER_RX, IER_TX, IIR_RX, IIR_TX                          = 1, 2, 4, 2
# fmt: on


@device_class("bcm2835-aux", bus="sysbus", user_creatable=False)
class Bcm2835Aux(SysBusDevice):
    """The UART. What is written is out at once.

    :param chardev: the backend, already claimed; None leaves the line unconnected
    """

    vmstate = VMState(
        "bcm2835-aux",
        fields=(
            Array("saved_fifo", U8, FIFO_SIZE, wire="read_fifo"), U8("read_pos", maximum=FIFO_SIZE - 1),
            U8("read_count", maximum=FIFO_SIZE), U8("ier"), U8("iir"),
        ),
        pre_save=lambda uart: uart.settle(),
        post_load=lambda uart: uart.loaded(),
    )  # fmt: skip

    def __init__(self, irq: Irq, chardev: Chardev | None = None) -> None:
        super().__init__()
        self.irq = irq
        self.chardev = chardev
        self.fifo: deque[int] = deque()
        self.saved_fifo, self.read_pos, self.read_count = [0] * FIFO_SIZE, 0, 0
        self.ier = self.iir = 0
        self.add_registers("bcm2835-aux", 0x100, self, access=(4, 4), impl=(4, 4))
        if chardev is not None:
            chardev.connect(self.receive, self.can_receive)

    def reset(self) -> None:
        """Interrupts off, nothing received."""
        self.ier = 0
        self.fifo.clear()
        self.update()

    def update(self) -> None:
        """Drive the interrupt from state."""
        self.iir = 0
        if self.ier & IER_RX and self.fifo:
            self.iir |= IIR_RX
        if self.ier & IER_TX:
            self.iir |= IIR_TX
        self.irq.set(bool(self.iir))

    def settle(self) -> None:
        """Before saving."""
        self.saved_fifo = [*self.fifo, *([0] * (FIFO_SIZE - len(self.fifo)))]
        self.read_pos, self.read_count = 0, len(self.fifo)

    def loaded(self) -> None:
        """After loading."""
        ring = self.saved_fifo[self.read_pos :] + self.saved_fifo[: self.read_pos]
        self.fifo = deque(ring[: self.read_count])
        self.update()

    def read(self, offset: int, size: int) -> int:
        """Read a register (2.2)."""
        match offset:
            case 0x00:
                return int(self.iir != 0)
            case 0x04:
                return 1  # the UART is on, the two SPI masters are not there
            case 0x40:
                return self._read_data()
            case 0x44:
                return 0xC0 | self.ier
            case 0x48:  # FIFOs on; 1 for nothing pending
                return 0xC0 | (self.iir or 1)
            case 0x54:
                return 0x60 | bool(self.fifo)
            case 0x60:
                return 3  # receiver and transmitter on
            case 0x64:
                return 0x30E | len(self.fifo) << 16 | bool(self.fifo)
            case _:
                return 0

    def _read_data(self) -> int:
        value = self.fifo.popleft() if self.fifo else 0
        self.update()
        if self.chardev is not None:
            self.chardev.accept_input()
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 0x40:
                if self.chardev is not None:
                    self.chardev.write(bytes((value & 0xFF,)))
            case 0x44:
                self.ier = value & (IER_RX | IER_TX)
            case 0x48 if value & 2:
                self.fifo.clear()
        self.update()

    def can_receive(self) -> int:
        """Characters for which there is room."""
        return FIFO_SIZE - len(self.fifo)

    def receive(self, data: bytes) -> None:
        """Characters arrive on the line."""
        self.fifo.extend(data[: self.can_receive()])
        self.update()
