"""The frame that makes interrupts of messages for version 2 of Arm's controller (SBSA 3.0, appendix E): PCI devices
write the number of a shared interrupt, which is an edge to the controller.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.system import Irq

MSI_TYPER, SETSPI_NS, MSI_IIDR = 0x008, 0x040, 0xFCC
INTERNAL = 32
MAX_SPI = 1020
PRODUCT = ord("Q")


@device_class("arm-gicv2m", bus="sysbus", user_creatable=False)
class ArmGicV2m(SysBusDevice):
    """The frame; it has no state.

    :param inputs: of the controller, shared interrupts from number 32 on
    """

    base_spi = Property.uint("base-spi", 0, description="number of its first interrupt, without the first 32")
    num_spi = Property.uint("num-spi", 64)

    def __init__(self, inputs: Sequence[Irq], **props: object) -> None:
        super().__init__(**props)
        if self.base_spi + INTERNAL + self.num_spi > MAX_SPI or self.base_spi + self.num_spi > len(inputs):
            raise DeviceError(f"requested base SPI {self.base_spi}+{self.num_spi} exceeds max. number 1020")
        self.lines = inputs[self.base_spi : self.base_spi + self.num_spi]
        self.add_registers("gicv2m", 0x1000, self)

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0x008:
                return self.base_spi + INTERNAL << 16 | self.num_spi
            case 0xFCC:
                return PRODUCT << 20
            case _:
                return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """A message."""
        number = (value & 0x3FF) - INTERNAL - self.base_spi
        if offset == SETSPI_NS and 0 <= number < len(self.lines):
            self.lines[number].pulse()
