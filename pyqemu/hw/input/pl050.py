"""PrimeCell PS/2 keyboard and mouse interface PL050 (DDI 0143C, table 3-1)."""

from __future__ import annotations

from pyqemu.hw.core.primecell import identification, peripheral_id
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.input.ps2 import Ps2Device, Ps2Keyboard, Ps2Mouse
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import I32, U32, VMState
from pyqemu.system import Irq

# fmt: off
CR, STAT, DATA, CLKDIV, IR                          = 0x00, 0x04, 0x08, 0x0C, 0x10
CR_TX_INTERRUPT, CR_RX_INTERRUPT                    = 0x08, 0x10
STAT_PARITY, STAT_RX_FULL, STAT_TX_EMPTY            = 0x04, 0x10, 0x40
IR_RX, IR_TX                                        = 0x01, 0x02
# fmt: on
IDS = peripheral_id(0x050)


class Pl050(SysBusDevice):
    """The interface, with what is plugged in."""

    vmstate = VMState(
        "pl050",
        version=2,
        fields=(U32("cr"), U32("clk"), U32("last"), I32("pending")),
        post_load=lambda port: port.update(),
    )

    def __init__(self, irq: Irq, device: Ps2Device) -> None:
        super().__init__()
        self.irq = irq
        self.device = device
        self.cr = self.clk = self.last = self.pending = 0
        device.on_data = self.update
        self.add_registers("pl050", 0x1000, self)

    def update(self) -> None:
        """Drive the interrupt from state."""
        self.pending = int(bool(self.device.queue))
        self.irq.set(bool((self.pending and self.cr & CR_RX_INTERRUPT) or self.cr & CR_TX_INTERRUPT))

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0x00:
                return self.cr
            case 0x04:  # a byte has odd parity on its way
                parity = 0 if self.last.bit_count() & 1 else STAT_PARITY
                return STAT_TX_EMPTY | parity | (STAT_RX_FULL if self.pending else 0)
            case 0x08:
                return self._read_data()
            case 0x0C:
                return self.clk
            case 0x10:
                return IR_TX | self.pending
            case _:
                return identification(IDS, offset)

    def _read_data(self) -> int:
        if self.pending:
            self.last = self.device.take()
            self.update()
        return self.last

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 0x00:
                self.cr = value
            case 0x08:
                self.device.write(value & 0xFF)
            case 0x0C:
                self.clk = value
        self.update()


@device_class("pl050_keyboard", bus="sysbus", user_creatable=False)
class Pl050Keyboard(Pl050):
    """With a keyboard."""

    def __init__(self, irq: Irq) -> None:
        self.keyboard = Ps2Keyboard()
        super().__init__(irq, self.keyboard)


@device_class("pl050_mouse", bus="sysbus", user_creatable=False)
class Pl050Mouse(Pl050):
    """With a mouse."""

    def __init__(self, irq: Irq) -> None:
        self.mouse = Ps2Mouse()
        super().__init__(irq, self.mouse)
