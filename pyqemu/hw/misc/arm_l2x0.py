"""The level 2 cache controller L2C-310 (DDI 0246H, table 3-1), of a machine without caches."""

from __future__ import annotations

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import U32, VMState

# fmt: off
CACHE_ID, CACHE_TYPE, CONTROL, AUX_CONTROL  = 0x000, 0x004, 0x100, 0x104
TAG_RAM_CONTROL, DATA_RAM_CONTROL           = 0x108, 0x10C
FILTER_START, FILTER_END                    = 0xC00, 0xC04
# fmt: on
CACHE_ID_VALUE = 0x410000C8
AUX_RESET = 0x02020000


@device_class("l2x0", bus="sysbus", user_creatable=False)
class L2x0(SysBusDevice):
    """The controller: cleaning and invalidating are done before anybody can look."""

    cache_type = Property.uint("cache-type", 0x1C100100)

    vmstate = VMState(
        "l2x0",
        version=1,
        fields=(
            U32("ctrl"), U32("aux_ctrl"), U32("data_ctrl"), U32("tag_ctrl"), U32("filter_start"), U32("filter_end"),
        ),
    )  # fmt: skip

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.add_registers("l2x0_cc", 0x1000, self)
        self.reset()

    def reset(self) -> None:
        """3.2: off."""
        self.ctrl = self.data_ctrl = self.tag_ctrl = self.filter_start = self.filter_end = 0
        self.aux_ctrl = AUX_RESET

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        match offset:
            case 0x000:
                return CACHE_ID_VALUE
            case 0x004:  # 3.3.2: with the size and the number of ways that were chosen
                ways = self.aux_ctrl >> 17 & 7, self.aux_ctrl >> 16 & 1
                chosen = ways[0] << 8 | ways[1] << 6
                return self.cache_type | chosen | chosen << 12
            case 0x100:
                return self.ctrl
            case 0x104:
                return self.aux_ctrl
            case 0x108:
                return self.tag_ctrl
            case 0x10C:
                return self.data_ctrl
            case 0xC00:
                return self.filter_start
            case 0xC04:
                return self.filter_end
            case _:
                return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        match offset:
            case 0x100:
                self.ctrl = value & 1
            case 0x104:
                self.aux_ctrl = value
            case 0x108:
                self.tag_ctrl = value
            case 0x10C:
                self.data_ctrl = value
            case 0xC00:
                self.filter_start = value
            case 0xC04:
                self.filter_end = value
