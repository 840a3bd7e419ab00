"""PrimeCell UART PL011 (DDI 0183G; sections and tables are its).

What the guest writes goes to the backend at once, so that the transmitter is empty again before the guest can look. A
backend that does not keep up is shown as a full transmit FIFO, which drivers wait for.
"""

from __future__ import annotations

from pyqemu.chardev import Chardev, ChardevEvent
from pyqemu.hw.core.primecell import CELL_ID, identification, peripheral_id
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import I32, U32, U64, Array, Struct, VMState
from pyqemu.system import Irq

FIFO_SIZE = 16
BACKLOG_LIMIT = 65536
"""Bytes that a backend may owe before the FIFO looks full."""

# fmt: off
DR, RSR, FR, ILPR, IBRD, FBRD   = 0x00, 0x04, 0x18, 0x20, 0x24, 0x28
LCR_H, CR, IFLS, IMSC, RIS      = 0x2C, 0x30, 0x34, 0x38, 0x3C
MIS, ICR, DMACR                 = 0x40, 0x44, 0x48

FR_BUSY, FR_RXFE, FR_TXFF, FR_RXFF, FR_TXFE     = 0x08, 0x10, 0x20, 0x40, 0x80  # table 3-4
DR_BE, RSR_ERRORS                               = 0x400, 0xF
LCR_BRK, LCR_FEN                                = 0x01, 0x10                    # table 3-9
INT_RX, INT_TX                                  = 0x10, 0x20                    # table 3-12
# fmt: on

_clock_vmstate = VMState(
    "pl011/clock",
    fields=(
        Struct("", VMState("clock", version=0, fields=(U64("clk_period", wire="period"),), subsections=(
            VMState("clock/muldiv", fields=(U32("clk_multiplier", wire="multiplier"),
                                            U32("clk_divider", wire="divider")), needed=lambda uart: False),
        )), wire="clk"),
    ),
    needed=lambda uart: False,
)  # fmt: skip
"""The clock that feeds it: newer versions of QEMU send it. Nothing here depends on it."""


@device_class("pl011", bus="sysbus", user_creatable=False)
class Pl011(SysBusDevice):
    """The UART.

    :param irq: its combined interrupt
    :param chardev: the backend, already claimed; None leaves the line unconnected
    """

    ids = peripheral_id(0x011, 0x0014)

    vmstate = VMState(
        "pl011",
        version=2,
        fields=(
            U32("readbuff"), U32("flags"), U32("lcr"), U32("rsr"), U32("cr"), U32("dmacr"), U32("int_enabled"),
            U32("int_level"), Array("read_fifo", U32, FIFO_SIZE), U32("ilpr"), U32("ibrd"), U32("fbrd"), U32("ifl"),
            I32("read_pos", minimum=0, maximum=FIFO_SIZE - 1), I32("read_count", minimum=0, maximum=FIFO_SIZE),
            I32("read_trigger"),
        ),
        subsections=(_clock_vmstate,),
        post_load=lambda uart: uart.update(),
    )  # fmt: skip

    def __init__(self, irq: Irq, chardev: Chardev | None = None) -> None:
        super().__init__()
        self.irq = irq
        self.chardev = chardev
        self.read_fifo = [0] * FIFO_SIZE
        self.clk_period, self.clk_multiplier, self.clk_divider = 0, 1, 1
        self.add_registers("pl011", 0x1000, self)
        self.reset()
        if chardev is not None:
            chardev.connect(self.receive, self.can_receive, self._event)

    def reset(self) -> None:
        """Table 3-1."""
        self.readbuff = self.lcr = self.rsr = self.dmacr = self.int_enabled = self.int_level = 0
        self.ilpr = self.ibrd = self.fbrd = 0
        self.cr = 0x300
        self.ifl = 0x12
        self.read_pos = self.read_count = 0
        self.read_trigger = 1  # characters: an interrupt for each, so that none waits for others
        self.flags = FR_TXFE | FR_RXFE
        self.update()

    def update(self) -> None:
        """Drive the interrupt from state."""
        self.irq.set(bool(self.int_level & self.int_enabled))

    # -- registers, table 3-1

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset >> 2 << 2:
            case 0x00:
                return self._read_data()
            case 0x04:
                return self.rsr
            case 0x18:
                return self._read_flags()
            case 0x20:
                return self.ilpr
            case 0x24:
                return self.ibrd
            case 0x28:
                return self.fbrd
            case 0x2C:
                return self.lcr
            case 0x30:
                return self.cr
            case 0x34:
                return self.ifl
            case 0x38:
                return self.int_enabled
            case 0x3C:
                return self.int_level
            case 0x40:
                return self.int_level & self.int_enabled
            case 0x48:
                return self.dmacr
            case _:
                return identification(self.ids, offset)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset >> 2 << 2:
            case 0x00:
                self._transmit(value & 0xFF)
            case 0x04:
                self.rsr = 0  # 3.3.2: any value clears the errors
            case 0x20:
                self.ilpr = value
            case 0x24:
                self.ibrd = value
            case 0x28:
                self.fbrd = value
            case 0x2C:
                self._write_lcr(value)
            case 0x30:
                self.cr = value  # a disabled UART works on, since firmware of boards often forgets to enable it
            case 0x34:
                self.ifl = value
            case 0x38:
                self.int_enabled = value
            case 0x44:
                self.int_level &= ~value
            case 0x48:
                self.dmacr = value
        self.update()

    def _read_flags(self) -> int:
        if self.chardev is not None and self.chardev.backlog >= BACKLOG_LIMIT:
            return self.flags & ~FR_TXFE | FR_TXFF | FR_BUSY
        return self.flags

    def _write_lcr(self, value: int) -> None:
        changed = self.lcr ^ value
        self.lcr = value
        if changed & LCR_FEN:  # 3.3.7: another depth; what is in the FIFO is lost
            self.read_pos = self.read_count = 0
            self.flags = FR_TXFE | FR_RXFE
        if changed & LCR_BRK and self.chardev is not None:
            self.chardev.send_break(bool(value & LCR_BRK))

    # -- the line

    def _transmit(self, byte: int) -> None:
        if self.chardev is not None:
            self.chardev.write(bytes((byte,)))
        self.int_level |= INT_TX

    @property
    def depth(self) -> int:
        """Characters that the receive FIFO holds."""
        return FIFO_SIZE if self.lcr & LCR_FEN else 1

    def _read_data(self) -> int:
        self.flags &= ~FR_RXFF
        value = self.read_fifo[self.read_pos]
        if self.read_count:
            self.read_count -= 1
            self.read_pos = (self.read_pos + 1) % self.depth
        if not self.read_count:
            self.flags |= FR_RXFE
        if self.read_count < self.read_trigger:
            self.int_level &= ~INT_RX
        self.rsr = value >> 8
        self.update()
        if self.chardev is not None:
            self.chardev.accept_input()
        return value

    def can_receive(self) -> int:
        """Characters for which there is room."""
        return max(0, self.depth - self.read_count)

    def receive(self, data: bytes) -> None:
        """Characters arrive on the line."""
        for byte in data[: self.can_receive()]:
            self._put(byte)

    def _put(self, value: int) -> None:
        self.read_fifo[(self.read_pos + self.read_count) % self.depth] = value
        self.read_count += 1
        self.flags &= ~FR_RXFE
        if self.read_count == self.depth:
            self.flags |= FR_RXFF
        if self.read_count >= self.read_trigger:
            self.int_level |= INT_RX
        self.update()

    def _event(self, event: ChardevEvent) -> None:
        if event is ChardevEvent.BREAK and self.can_receive():
            self._put(DR_BE)


@device_class("pl011_luminary", bus="sysbus", user_creatable=False)
class Pl011Luminary(Pl011):
    """As in Luminary's Stellaris microcontrollers."""

    ids = bytes((0x11, 0x00, 0x18, 0x01)) + CELL_ID
