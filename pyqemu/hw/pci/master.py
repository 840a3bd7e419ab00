"""Guest memory as a PCI bus master sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.hw.pci.regs import COMMAND_MASTER
from pyqemu.memory import AddressSpace, MemoryRegion, Section
from pyqemu.memory.address_space import Buffer

if TYPE_CHECKING:
    from pyqemu.hw.pci.device import PciDevice


class BusMasterSpace(AddressSpace):
    """The bus's memory, as long as the device's bus-master bit is set; else nothing answers.

    It passes accesses on instead of flattening a tree of its own: there is one per device, and the
    listeners of the real space (which drop translated code) must hear of its writes anyway.
    """

    def __init__(self, device: PciDevice) -> None:
        super().__init__("bus master", MemoryRegion.container("bus master"))
        self._device = device

    def _target(self) -> AddressSpace | None:
        bus = self._device.bus
        if bus is None or not self._device.config[4] & COMMAND_MASTER:
            return None
        return bus.dma_space

    def lookup(self, addr: int) -> Section:
        """The section of the real space."""
        target = self._target()
        return super().lookup(addr) if target is None else target.lookup(addr)

    def load(self, addr: int, size: int) -> int:
        """A read by the device."""
        target = self._target()
        return super().load(addr, size) if target is None else target.load(addr, size)

    def store(self, addr: int, size: int, value: int) -> None:
        """A write by the device."""
        target = self._target()
        if target is not None:
            target.store(addr, size, value)

    def read(self, addr: int, length: int) -> bytes:
        """A burst read by the device."""
        target = self._target()
        return super().read(addr, length) if target is None else target.read(addr, length)

    def write(self, addr: int, data: Buffer) -> None:
        """A burst write by the device."""
        target = self._target()
        if target is not None:
            target.write(addr, data)

    def view(self, addr: int, length: int) -> memoryview | None:
        """RAM for reading, if it is contiguous."""
        target = self._target()
        return None if target is None else target.view(addr, length)
