"""PCI functions on a bus of their own."""

from __future__ import annotations

import pytest

from pyqemu.hw.pci import PciBus, PciDevice, regs
from pyqemu.hw.pci.bus import parse_devfn, swizzle
from pyqemu.hw.pci.state import pci_vmstate
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import DeviceError
from pyqemu.qom.vmstate import LoadError


class Ports:
    def read(self, offset: int, size: int) -> int:
        return 0x40 + offset

    def write(self, offset: int, size: int, value: int) -> None:
        pass


class Card(PciDevice):
    """A card with a port BAR, a memory BAR, a wide BAR and INTA#."""

    type_name = "card"
    vendor_id = 0x1234
    device_id = 0x5678
    revision = 3
    class_id = 0x0280
    prog_if = 1
    interrupt_pin = 1

    def realize(self) -> None:
        self.register_bar(0, MemoryRegion.mmio("ports", 0x20, Ports()), "io")
        self.register_bar(1, MemoryRegion.ram("small", 0x1000))
        self.register_bar(2, MemoryRegion.ram("wide", 0x100000), "mem64", prefetch=True)


@pytest.fixture
def bus() -> PciBus:
    return PciBus.standalone()


@pytest.fixture
def card(bus: PciBus) -> Card:
    card = Card()
    bus.add(card, 0x18)
    return card


def spaces(bus: PciBus) -> tuple[AddressSpace, AddressSpace]:
    return bus.dma_space, AddressSpace("io", bus.io)


def test_header(card: Card) -> None:
    assert card.bus.config_read(0x18, 0, 4) == 0x56781234
    assert card.bus.config_read(0x18, 8, 4) == 0x02800103
    assert card.bus.config_read(0x18, 0x2C, 4) == 0x11001AF4
    assert card.bus.config_read(0x18, 0x3D, 1) == 1
    card.bus.config_write(0x18, 0, 4, 0)
    assert card.bus.config_read(0x18, 0, 2) == 0x1234


def test_nobody_in_an_empty_slot(bus: PciBus) -> None:
    assert bus.config_read(0x20, 0, 4) == 0xFFFF_FFFF
    assert bus.config_read(0x118, 0, 2) == 0xFFFF
    bus.config_write(0x20, 4, 2, 7)


def test_sizes_of_bars(card: Card) -> None:
    for register in (0x10, 0x14, 0x18, 0x1C, 0x20):
        card.bus.config_write(0x18, register, 4, 0xFFFF_FFFF)
    sizes = [card.bus.config_read(0x18, register, 4) for register in (0x10, 0x14, 0x18, 0x1C, 0x20)]
    assert sizes == [0xFFFF_FFE1, 0xFFFF_F000, 0xFFF0_000C, 0xFFFF_FFFF, 0]


def test_bars_map_while_decoding_is_enabled(bus: PciBus, card: Card) -> None:
    memory, io = spaces(bus)
    bus.config_write(0x18, 0x10, 4, 0xC000)
    bus.config_write(0x18, 0x14, 4, 0xFEB0_0000)
    bus.config_write(0x18, 0x18, 4, 0)
    bus.config_write(0x18, 0x1C, 4, 1)
    assert io.load(0xC001, 1) == 0xFF
    bus.config_write(0x18, 4, 1, regs.COMMAND_IO | regs.COMMAND_MEMORY)
    assert io.load(0xC001, 1) == 0x41
    memory.store(0xFEB0_0004, 4, 0x1234)
    memory.store(0x1_0000_0000, 4, 0x5678)
    assert (memory.load(0xFEB0_0004, 4), memory.load(0x1_0000_0000, 4)) == (0x1234, 0x5678)
    bus.config_write(0x18, 0x14, 4, 0xFEC0_0000)
    assert memory.load(0xFEB0_0004, 4) == 0xFFFF_FFFF
    assert memory.load(0xFEC0_0004, 4) == 0x1234
    bus.config_write(0x18, 4, 1, 0)
    assert memory.load(0xFEC0_0004, 4) == 0xFFFF_FFFF
    assert io.load(0xC001, 1) == 0xFF


def test_asking_for_the_size_maps_nothing(bus: PciBus, card: Card) -> None:
    bus.config_write(0x18, 4, 1, regs.COMMAND_IO | regs.COMMAND_MEMORY)
    for register in (0x10, 0x14, 0x18):
        bus.config_write(0x18, register, 4, 0xFFFF_FFFF)
        assert card.bar_address((register - 0x10) // 4) is None


def test_expansion_rom_needs_its_own_enable(bus: PciBus, card: Card) -> None:
    card.register_rom(b"\x55\xaa" + bytes(3000))
    bus.config_write(0x18, 0x30, 4, 0xFFFF_FFFF)
    assert bus.config_read(0x18, 0x30, 4) == 0xFFFF_F001
    bus.config_write(0x18, 4, 1, regs.COMMAND_MEMORY)
    bus.config_write(0x18, 0x30, 4, 0xFEB0_0000)
    assert bus.dma_space.load(0xFEB0_0000, 2) == 0xFFFF
    bus.config_write(0x18, 0x30, 4, 0xFEB0_0001)
    assert bus.dma_space.load(0xFEB0_0000, 2) == 0xAA55


def test_status_errors_are_cleared_by_writing_ones(bus: PciBus, card: Card) -> None:
    card.set_word(regs.STATUS, 0xF900)
    bus.config_write(0x18, regs.STATUS, 2, 0x8000)
    assert card.word(regs.STATUS) == 0x7900


def test_pins_share_lines_and_may_be_masked(bus: PciBus, card: Card) -> None:
    other = Card()
    bus.add(other, 0x38)  # four slots on: the same line
    levels: list[tuple[int, bool]] = []
    bus.route_irqs(lambda line, level: levels.append((line, level)), swizzle)
    card.irq.raise_()
    other.irq.raise_()
    card.irq.lower()
    assert levels == [(3, True)]
    assert bus.config_read(0x38, regs.STATUS, 2) & regs.STATUS_INTERRUPT
    bus.config_write(0x38, regs.COMMAND, 2, regs.COMMAND_INTX_DISABLE)
    assert levels == [(3, True), (3, False)]
    bus.config_write(0x38, regs.COMMAND, 2, 0)
    other.irq.lower()
    assert levels[2:] == [(3, True), (3, False)]


def test_dma_needs_the_bus_master_bit(bus: PciBus, card: Card) -> None:
    heard: list[int] = []
    bus.dma_space.write_listeners.append(lambda block, offset, length: heard.append(offset))
    card.dma.write(0x1000, b"data")
    assert bus.dma_space.read(0x1000, 4) == bytes(4)
    assert card.dma.load(0x1000, 4) == 0xFFFF_FFFF
    assert heard == []
    bus.config_write(0x18, 4, 1, regs.COMMAND_MASTER)
    card.dma.write(0x1000, b"data")
    card.dma.store(0x1004, 2, 0x6162)
    assert card.dma.read(0x1000, 6) == b"databa"
    assert heard == [0x1000, 0x1004]


def test_capabilities_form_a_list(card: Card) -> None:
    first = card.add_capability(regs.CAP_ID_PM, 8)
    second = card.add_capability(regs.CAP_ID_MSI, 10)
    assert (first, second) == (0x40, 0x48)
    assert card.config[0x34] == 0x48
    assert bytes(card.config[0x48:0x4A]) == bytes((regs.CAP_ID_MSI, 0x40))
    assert card.word(regs.STATUS) & regs.STATUS_CAP_LIST
    card.config_write(0x40, 1, 0xFF)
    assert card.config[0x40] == regs.CAP_ID_PM


def test_reset_unmaps_and_lowers(bus: PciBus, card: Card) -> None:
    bus.config_write(0x18, 0x14, 4, 0xFEB0_0000)
    bus.config_write(0x18, 4, 2, 7)
    card.irq.raise_()
    bus.system.reset()
    assert bus.config_read(0x18, 4, 2) == 0
    assert bus.config_read(0x18, 0x10, 4) == 1
    assert not card.irq.level
    assert not bus.line_level(3)
    assert bus.dma_space.load(0xFEB0_0000, 1) == 0xFF


def test_places(bus: PciBus) -> None:
    bus.first_free_slot = 2
    assert bus.add(Card()).devfn == 0x10
    assert bus.add(Card(addr="5.0")).devfn == 0x28
    with pytest.raises(DeviceError, match=r"slot 5 function 0 not available for card, in use by card"):
        bus.add(Card(addr="05"))
    with pytest.raises(DeviceError, match="single function device"):
        bus.add(Card(addr="05.1"))
    first = Card(addr="6", multifunction=True)
    bus.add(first)
    assert bus.config_read(0x30, 0x0E, 1) == 0x80
    bus.add(Card(addr="06.1"))
    with pytest.raises(DeviceError, match=r"doesn't take value '20\.0'"):
        parse_devfn("20.0")


def test_unplugged_card_leaves_nothing_behind(bus: PciBus, card: Card) -> None:
    bus.config_write(0x18, 0x14, 4, 0xFEB0_0000)
    bus.config_write(0x18, 4, 1, regs.COMMAND_MEMORY)
    card.irq.raise_()
    bus.remove(card)
    assert bus.config_read(0x18, 0, 4) == 0xFFFF_FFFF
    assert bus.dma_space.load(0xFEB0_0000, 1) == 0xFF
    assert not bus.line_level(3)
    bus.system.reset()
    bus.add(Card(), 0x18)


def test_a_card_that_fails_to_realize_is_not_there(bus: PciBus) -> None:
    class Broken(Card):
        def realize(self) -> None:
            raise DeviceError("no")

    with pytest.raises(DeviceError):
        bus.add(Broken(), 0x20)
    assert bus.config_read(0x20, 0, 4) == 0xFFFF_FFFF
    bus.add(Card(), 0x20)


def test_state_maps_bars_again_and_refuses_another_card(bus: PciBus, card: Card) -> None:
    bus.config_write(0x18, 0x14, 4, 0xFEB0_0000)
    bus.config_write(0x18, 4, 1, regs.COMMAND_MEMORY)
    state = pci_vmstate.save(card)
    assert len(state) == 276
    bus.system.reset()
    pci_vmstate.load(card, state)
    assert card.bar_address(1) == 0xFEB0_0000
    broken = bytearray(state)
    broken[4] ^= 1
    with pytest.raises(LoadError, match="Bad config data: i=0x0"):
        pci_vmstate.load(card, bytes(broken))
