"""Devices at fixed places: their registers are regions that a board maps, their outputs lines that it connects.

There is nothing to find out about such a bus and nothing to choose: a board makes the device with its lines, maps its
regions, and plugs it into the :class:`SystemBus` so that it is reset with the machine and shown by ``info qtree``.
"""

from __future__ import annotations

from pyqemu.hw.core.bus import DeviceBus
from pyqemu.memory import MemoryRegion, MmioHandler
from pyqemu.qom import Device
from pyqemu.system import System


class SysBusDevice(Device):
    """A device of a board.

    :ivar regions: what it shows the processor, in QEMU's order
    """

    bus_type = "System"
    hotpluggable = False

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.regions: list[MemoryRegion] = []

    @property
    def region(self) -> MemoryRegion:
        """Its only region, or the first one."""
        return self.regions[0]

    def add_registers(
        self,
        name: str,
        size: int,
        handler: MmioHandler,
        *,
        access: tuple[int, int] = (1, 8),
        impl: tuple[int, int] = (1, 4),
    ) -> MemoryRegion:
        """Make a region of registers, for the board to map. Without more said, all widths up to 32 bits come as they
        are, and one of 64 bits as two.
        """
        region = MemoryRegion.mmio(name, size, handler, access=access, impl=impl)
        self.regions.append(region)
        return region

    def tree_lines(self) -> list[str]:
        """Where its regions are."""
        return [f"mmio {region.address:016x}/{region.size:016x}" for region in self.regions]


class SystemBus(DeviceBus[SysBusDevice]):
    """The devices of a board that are on no other bus."""

    type_name = "System"

    def __init__(self, system: System) -> None:
        super().__init__("main-system-bus", system)
