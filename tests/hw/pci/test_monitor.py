"""PCI for people."""

from __future__ import annotations

from pyqemu.hw.pci import PciBus, PciDevice, regs
from pyqemu.hw.pci.monitor import pci_text
from pyqemu.memory import MemoryRegion


class Card(PciDevice):
    """Two BARs and a pin."""

    type_name = "card"
    vendor_id, device_id, class_id, interrupt_pin = 0x1234, 0x5678, 0x0200, 1

    def realize(self) -> None:
        self.register_bar(0, MemoryRegion.container("mem", 0x1000), prefetch=True)
        self.register_bar(1, MemoryRegion.container("io", 0x20), "io")


class Strange(PciDevice):
    """Of a class that nobody knows."""

    type_name = "strange"
    class_id = 0xFF12


def test_info_pci_and_qtree() -> None:
    bus = PciBus.standalone()
    card = Card()
    card.id = "net0"
    bus.add(Strange(), 5 << 3 | 1)
    bus.add(card, 3 << 3)
    card.config_write(regs.BASE_ADDRESS_0, 4, 0xFEB00000)
    card.config_write(regs.COMMAND, 2, regs.COMMAND_MEMORY)
    card.config_write(regs.INTERRUPT_LINE, 1, 11)
    assert pci_text(bus).splitlines() == [
        "  Bus  0, device   3, function 0:",
        "    Ethernet controller: PCI device 1234:5678",
        "      IRQ 11.",
        "      BAR0: 32 bit prefetchable memory at 0xfeb00000 [0xfeb00fff].",
        "      BAR1: I/O at 0xffffffffffffffff [0x001e].",
        '      id "net0"',
        "  Bus  0, device   5, function 1:",
        "    Class ff12: PCI device ffff:ffff",
        '      id ""',
    ]
    assert card.tree_lines() == [
        "class Ethernet controller, addr 00:03.0, pci id 1234:5678 (sub 1af4:1100)",
        "bar 0: mem at 0xfeb00000 [0xfeb00fff]",
        "bar 1: i/o at 0xffffffffffffffff [0x1e]",
    ]
    assert card.get_option("addr") == "03.0"
