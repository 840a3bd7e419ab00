"""A generic PCI Express host bridge: configuration space in memory (ECAM, PCI Express 3.0, 7.2.2), a window on PCI
memory, one on ports, four interrupt lines. Any system that knows "pci-host-ecam-generic" can drive it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.pci import regs
from pyqemu.hw.pci.bus import PINS, PciBus
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.pci.state import pci_function
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import VMState
from pyqemu.system import Irq, System

ECAM_SIZE = 256 << 20
CONVENTIONAL_CONFIG = 256
"""Bytes of configuration space that our devices have; behind them there is nothing."""
PORTS = 0x10000
VENDOR_REDHAT = 0x1B36


class Ecam:
    """20 bits of address each bus, 15 each slot, 12 each function."""

    def __init__(self, bus: PciBus) -> None:
        self._bus = bus

    def read(self, offset: int, size: int) -> int:
        """A configuration read."""
        register = offset & 0xFFF
        if register >= CONVENTIONAL_CONFIG:
            return (1 << 8 * size) - 1
        return self._bus.config_read(offset >> 12, register, size)

    def write(self, offset: int, size: int, value: int) -> None:
        """A configuration write."""
        register = offset & 0xFFF
        if register < CONVENTIONAL_CONFIG:
            self._bus.config_write(offset >> 12, register, size, value)


@device_class("gpex-root", description="QEMU generic PCIe host bridge", category="bridge", user_creatable=False)
class GpexRoot(PciDevice):
    """The bridge as function 0 of slot 0."""

    vendor_id = VENDOR_REDHAT
    device_id = 0x0008
    revision = 0
    class_id = 0x0600
    hotpluggable = False

    vmstate = VMState("gpex_root", version=1, fields=(pci_function("parent_obj"),))


@device_class("gpex-pcihost", bus="sysbus", category="bridge", user_creatable=False)
class GpexHost(SysBusDevice):
    """The bridge's system side: makes the PCI bus. Its regions: ECAM, PCI memory, ports; the board shows parts of the
    first two in windows.

    :param irqs: INTA to INTD, which the pins of slots reach in turn
    :param address_space: what devices read and write by themselves
    :param has_messages: whether something on the board makes interrupts of messages
    """

    def __init__(
        self, system: System, *, address_space: AddressSpace, irqs: Sequence[Irq], has_messages: bool = True
    ) -> None:
        super().__init__()
        if len(irqs) != PINS:
            raise ValueError(f"{len(irqs)} interrupt lines, {PINS} needed")
        self.irqs = list(irqs)
        self.mmio = MemoryRegion.container("gpex_mmio")
        self.ioport = MemoryRegion.container("gpex_ioport", PORTS)
        self.pci = PciBus(
            system, memory=self.mmio, io=self.ioport, dma_space=address_space, name="pcie.0", has_messages=has_messages
        )
        self.root = GpexRoot()
        self.add_registers("pcie-mmcfg-mmio", ECAM_SIZE, Ecam(self.pci), access=(1, 8), impl=(1, 4))
        self.regions += [self.mmio, self.ioport]
        self.pci.route_irqs(self._set_irq, lambda devfn, pin: (pin + (devfn >> 3)) % PINS)
        self.pci.add(self.root, 0)

    @property
    def child_buses(self) -> tuple[PciBus, ...]:
        """The PCI bus."""
        return (self.pci,)

    def _set_irq(self, line: int, level: bool) -> None:
        self.irqs[line].set(level)

    def reset(self) -> None:
        """The bridge's function has what a reset leaves to PCI functions; nothing else has state."""
        self.root.set_word(regs.COMMAND, 0)
