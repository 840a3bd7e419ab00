"""The clock manager of a BCM2835 and BCM2836 (*BCM2835 ARM Peripherals*, 6.3; Linux: drivers/clk/bcm/clk-bcm2835.c).

Dividers and oscillators for all clocks. Nothing here runs at such a clock, so what is written is only kept; but a
kernel computes from it, so registers have what the firmware of a Raspberry Pi leaves in them. QEMU has this device
since version 5.2.
"""

from __future__ import annotations

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U32, Array, VMState

SIZE = 0x2000
PASSWORD = 0x5A  #: in the upper byte of what is written, or nothing happens
VALUE = 0x00FF_FFFF
# fmt: off
LOCK            = 0x114
ALL_LOCKED      = 0x1F00  #: PLLs A, C, D, H and B have their frequency

FIRMWARE = {
    # CM_*CTL and CM_*DIV, by two: the clocks of buses and devices
    0x008: 0x245, 0x00C: 0x3000, 0x028: 0x244, 0x02C: 0x3000, 0x030: 0x244, 0x034: 0x3000,
    0x070: 0x200, 0x078: 0x096, 0x07C: 0x14000, 0x080: 0x291, 0x084: 0x249F00, 0x090: 0x091, 0x094: 0x4000,
    0x098: 0x200, 0x0A0: 0x200, 0x0A8: 0x200, 0x0E0: 0x091, 0x0E4: 0xA000, 0x0E8: 0x291, 0x0EC: 0x13333,
    0x0F0: 0x296, 0x0F4: 0xA6AB, 0x0F8: 0x097, 0x0FC: 0x2000, 0x1A8: 0x4006, 0x1AC: 0x3000,
    0x1C0: 0x295, 0x1C4: 0x6000,
    # CM_PLLA, C, D: which outputs are on
    0x104: 0x08A, 0x108: 0x228, 0x10C: 0x20A,
    # A2W_*: the PLLs' analogue parts, multipliers, fractions, and dividers of their outputs
    0x1014: 0x144000, 0x101C: 0x100, 0x1034: 0x144000, 0x103C: 0x100, 0x1054: 0x144000, 0x105C: 0x100,
    0x1070: 0x900000, 0x1074: 0xC,
    0x1100: 0x2103A, 0x1120: 0x2103E, 0x1140: 0x21034, 0x1160: 0x2102D,
    0x1200: 0x98000, 0x1220: 0x80000, 0x1240: 0x15556,
    0x1300: 0x100, 0x1320: 0x100, 0x1340: 0x100, 0x1360: 0x4, 0x1400: 0x3, 0x1420: 0x100, 0x1440: 0x4,
    0x1520: 0x2, 0x1540: 0x4, 0x1600: 0x100, 0x1620: 0x2, 0x1640: 0x100,
}
# fmt: on


@device_class("bcm2835-cprman", bus="sysbus", user_creatable=False)
class Bcm2835Cprman(SysBusDevice):
    """The manager."""

    vmstate = VMState("bcm2835-cprman", version=1, fields=(Array("regs", U32, SIZE // 4),))

    def __init__(self) -> None:
        super().__init__()
        self.add_registers("bcm2835-cprman", SIZE, self, access=(4, 4), impl=(4, 4))
        self.reset()

    def reset(self) -> None:
        """What the firmware leaves."""
        self.regs = [FIRMWARE.get(offset, 0) for offset in range(0, SIZE, 4)]

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        return ALL_LOCKED if offset == LOCK else self.regs[offset >> 2]

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register, given the password."""
        if value >> 24 == PASSWORD and offset != LOCK:
            self.regs[offset >> 2] = value & VALUE
