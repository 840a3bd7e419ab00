"""PCI: configuration space, buses, base address registers, interrupt lines."""

from pyqemu.hw.pci.bus import PciBus
from pyqemu.hw.pci.device import PciDevice

__all__ = ["PciBus", "PciDevice"]
