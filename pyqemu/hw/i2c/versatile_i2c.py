"""The serial bus interface of Arm's boards (DUI 0225D 4.11): software drives both lines by bits of a register."""

from __future__ import annotations

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.i2c.bitbang import BitBang
from pyqemu.hw.i2c.bus import I2cBus
from pyqemu.qom import device_class
from pyqemu.system import System

SET, CLEAR = 0x00, 0x04
SCL, SDA = 1, 2


@device_class("versatile_i2c", bus="sysbus", user_creatable=False)
class VersatileI2c(SysBusDevice):
    """The interface. Nothing of it is saved, in QEMU neither: who was in the middle of a transfer begins anew."""

    def __init__(self, system: System) -> None:
        super().__init__()
        self.i2c = I2cBus("i2c", system)
        self.bits = BitBang(self.i2c)
        self.out = 0
        self.add_registers("versatile_i2c", 0x1000, self)

    @property
    def child_buses(self) -> tuple[I2cBus, ...]:
        """The bus."""
        return (self.i2c,)

    def read(self, offset: int, size: int) -> int:
        """Both lines: the clock as it is driven, data as it is."""
        return self.out & SCL | self.bits.data << 1 if offset == SET else (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """Drive lines high, or low."""
        if offset == SET:
            self.out |= value & (SCL | SDA)
        elif offset == CLEAR:
            self.out &= ~value
        self.bits.set(self.out & SCL, self.out >> 1 & 1)
