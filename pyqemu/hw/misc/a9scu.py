"""The snoop control unit of the Cortex-A9 MPCore (DDI 0407I, 2.2). Caches are no part of this machine, so that it only
tells how many processors there are, and remembers what it is told.
"""

from __future__ import annotations

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import U32, VMState

CONTROL, CONFIGURATION, POWER_STATUS = 0x00, 0x04, 0x08


@device_class("a9-scu", bus="sysbus", user_creatable=False)
class A9Scu(SysBusDevice):
    """The unit."""

    num_cpu = Property.uint("num-cpu", 1)

    vmstate = VMState("a9-scu", version=1, fields=(U32("control"), U32("status")))

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.add_registers("a9-scu", 0x100, self)
        self.reset()

    def reset(self) -> None:
        """2.2: off, all processors powered."""
        self.control = self.status = 0

    def read(self, offset: int, size: int) -> int:
        """Read a register, or a byte of the power status."""
        match offset & ~3:
            case 0x00:
                return self.control
            case 0x04:
                return (1 << self.num_cpu) - 1 << 4 | self.num_cpu - 1
            case 0x08:
                return self.status >> 8 * (offset & 3)
            case _:
                return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register, or a byte of the power status."""
        match offset & ~3:
            case 0x00:
                self.control = value & 1
            case 0x08:
                shift, mask = 8 * (offset & 3), (1 << 8 * size) - 1
                self.status = (self.status & ~(mask << shift) | value << shift) & 0xFFFF_FFFF
