"""Configuration mechanism #1: an address port and a data window (PCI 3.0, 3.2.2.3.2)."""

from __future__ import annotations

from pyqemu.hw.pci.bus import PciBus
from pyqemu.memory import MemoryRegion

CONFIG_ADDRESS = 0xCF8
CONFIG_DATA = 0xCFC
ENABLE = 0x8000_0000


class ConfigAddress:
    """Port 0xCF8. Only a 32-bit access reaches it; others are ordinary I/O on the bus."""

    def __init__(self) -> None:
        self.value = 0

    def read(self, offset: int, size: int) -> int:
        """Return the register."""
        return self.value if (offset, size) == (0, 4) else (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """Set the register."""
        if (offset, size) == (0, 4):
            self.value = value


class ConfigData:
    """Ports 0xCFC to 0xCFF: the register that the address port selects."""

    def __init__(self, bus: PciBus, address: ConfigAddress) -> None:
        self._bus = bus
        self._address = address

    def read(self, offset: int, size: int) -> int:
        """A configuration read."""
        address = self._address.value
        if not address & ENABLE:
            return (1 << 8 * size) - 1
        return self._bus.config_read(address >> 8 & 0xFFFF, address & 0xFC | offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        """A configuration write."""
        address = self._address.value
        if address & ENABLE:
            self._bus.config_write(address >> 8 & 0xFFFF, address & 0xFC | offset, size, value)


class ConfigPorts:
    """Both, mapped into the ports of ``bus``."""

    def __init__(self, bus: PciBus) -> None:
        self.address = ConfigAddress()
        self.data = ConfigData(bus, self.address)
        bus.io.add(CONFIG_ADDRESS, MemoryRegion.mmio("pci-conf-idx", 4, self.address, access=(1, 4)))
        bus.io.add(CONFIG_DATA, MemoryRegion.mmio("pci-conf-data", 4, self.data, access=(1, 4)))

    def reset(self) -> None:
        """After reset no register is selected."""
        self.address.value = 0
