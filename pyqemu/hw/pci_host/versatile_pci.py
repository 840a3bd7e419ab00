"""The PCI bridge of the Versatile boards (DUI 0225D 4.12): configuration space in memory, and windows on the bus.

Which line a card's pin leads to was wrong in QEMU and in Linux for years, in the same way. So, as in QEMU, a guest that
writes a wrong number into a card's register Interrupt Line gets the wrong wiring that it expects.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.hw.pci import regs
from pyqemu.hw.pci.bus import PINS, PciBus, swizzle
from pyqemu.hw.pci.device import PciDevice
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.memory.region import AliasRegion
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import U8, U32, Array, VMState
from pyqemu.system import Irq, System

# fmt: off
IMAP, SELFID, FLAGS, SMAP, END          = 0x00, 0x0C, 0x10, 0x14, 0x20
ASSUME_RIGHT, WRONG, RIGHT              = range(3)  # which wiring the guest expects
# fmt: on
CONFIG_SIZE = 0x100_0000
PORTS = 0x10_0000
WINDOW_SIZES = (0x0C00_0000, 0x1000_0000, 0x1000_0000)
FIRST_SLOT = 11
FIRST_IRQ = 27  #: of the secondary controller; the guest writes it, or with 64 added
LINUX_OFFSET = 64
VENDOR_XILINX, XC2VP30 = 0x10EE, 0x0300


@device_class("versatile_pci_host", category="bridge", user_creatable=False)
class VersatilePciFunction(PciDevice):
    """The bridge as the bus sees it."""

    vendor_id, device_id, revision, class_id = VENDOR_XILINX, XC2VP30, 0, 0x0B40
    hotpluggable = False

    def realize(self) -> None:
        """It has no more than a header."""
        self.set_word(regs.STATUS, regs.STATUS_66MHZ | regs.STATUS_DEVSEL_MEDIUM)
        self.config[regs.LATENCY_TIMER] = 0x10


class Configuration:
    """Configuration space: 8 bits of address each bus, 8 each function."""

    def __init__(self, host: VersatilePci) -> None:
        self._host = host

    def read(self, offset: int, size: int) -> int:
        """A configuration read."""
        return self._host.pci.config_read(offset >> 8, offset & 0xFF, size)

    def write(self, offset: int, size: int, value: int) -> None:
        """A configuration write."""
        if offset & 0xFF == regs.INTERRUPT_LINE and self._host.irq_mapping == ASSUME_RIGHT:
            self._host.irq_mapping = expected_wiring(offset >> 11 & 0x1F, value)
        self._host.pci.config_write(offset >> 8, offset & 0xFF, size, value)


def expected_wiring(slot: int, irq: int) -> int:
    """Which wiring a guest expects that writes *irq* into a card's Interrupt Line.

    Old kernels thought that all cards share the first interrupt; later ones rotate, but begin in the wrong place.
    """
    slot %= PINS
    if irq == FIRST_IRQ:
        return ASSUME_RIGHT if slot == 2 else WRONG
    return WRONG if irq in (FIRST_IRQ + slot, FIRST_IRQ + slot + LINUX_OFFSET) else RIGHT


@device_class("versatile_pci", bus="sysbus", user_creatable=False, category="bridge")
class VersatilePci(SysBusDevice):
    """The bridge. Its regions: registers, configuration space of itself and of all, ports, three windows on memory.

    :param irqs: where INTA to INTD lead
    :param address_space: what cards read and write by themselves
    """

    broken_irq_mapping = Property.uint("broken-irq-mapping", ASSUME_RIGHT)

    vmstate = VMState(
        "versatile-pci",
        version=1,
        fields=(
            Array("imap", U32, 3), Array("smap", U32, 3), U32("selfid"), U32("flags"), U8("irq_mapping", maximum=RIGHT),
        ),
        post_load=lambda host: host.update(),
    )  # fmt: skip

    def __init__(
        self, system: System, *, address_space: AddressSpace, irqs: Sequence[Irq], **props: object
    ) -> None:  # fmt: skip
        super().__init__(**props)
        self.irqs = list(irqs)
        self.mmio = MemoryRegion.container("pci_mem", 1 << 32)
        self.ioport = MemoryRegion.container("pci_io", 1 << 32)
        self.pci = PciBus(
            system, memory=self.mmio, io=self.ioport, dma_space=address_space, name="pci", has_messages=False
        )
        self.pci.first_free_slot = FIRST_SLOT
        self.function = VersatilePciFunction()
        self.add_registers("pci-vpb-regs", 0x1000, self, access=(4, 4), impl=(4, 4))
        for name in ("pci-vpb-selfconfig", "pci-vpb-config"):
            self.add_registers(name, CONFIG_SIZE, Configuration(self), access=(1, 4), impl=(1, 4))
        self.regions.append(MemoryRegion.alias("pci-vbp-io-window", self.ioport, 0, PORTS))
        self.windows: list[AliasRegion] = [MemoryRegion.alias("pci-vbp-window", self.mmio, 0, size)
                                           for size in WINDOW_SIZES]  # fmt: skip
        self.regions += self.windows
        self.reset()
        self.pci.route_irqs(self._set_irq, self._line)
        self.pci.add(self.function)

    @property
    def child_buses(self) -> tuple[PciBus, ...]:
        """The PCI bus."""
        return (self.pci,)

    def _set_irq(self, line: int, level: bool) -> None:
        self.irqs[line].set(level)

    def _line(self, devfn: int, pin: int) -> int:
        """The board's connector has the pins one place further round than one would think."""
        return pin if self.irq_mapping == WRONG else swizzle(devfn, pin + 2)

    def reset(self) -> None:
        """All windows show the beginning."""
        self.imap, self.smap = [0] * 3, [0] * 3
        self.selfid = self.flags = 0
        self.irq_mapping = self.broken_irq_mapping
        self.update()

    def update(self) -> None:
        """Show what the registers say: four bits of the address, in each window."""
        for window, value in zip(self.windows, self.imap, strict=True):
            window.offset = (value & 0xF) << 28

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        values = (*self.imap, self.selfid, self.flags, *self.smap)
        return values[offset >> 2] if offset < END else 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if offset < SELFID:
            self.imap[offset >> 2] = value
            self.update()
        elif offset == SELFID:
            self.selfid = value
        elif offset == FLAGS:
            self.flags = value
        elif SMAP <= offset < END:
            self.smap[offset - SMAP >> 2] = value
