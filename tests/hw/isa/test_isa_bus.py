"""The ISA bus."""

from __future__ import annotations

import pytest

from pyqemu.hw.isa.bus import IsaBus, IsaDevice
from pyqemu.qom import Device, DeviceError, Property
from pyqemu.system import FakeIrq


class Card(IsaDevice):
    type_name = "card"
    iobase = Property.uint("iobase", 0x300)

    def realize(self) -> None:
        self.line = self.bus.irq(5)
        self.resets = 0
        self.bus.register_ports(self.iobase, 2, self, "card", access=(1, 1))

    def reset(self) -> None:
        self.resets += 1

    def read(self, offset: int, size: int) -> int:
        return 0x20 + offset

    def write(self, offset: int, size: int, value: int) -> None:
        self.line.set(value & 1)


def test_ports_and_lines() -> None:
    bus = IsaBus.standalone()
    bus.add(Card(iobase=0x310))
    inputs = [FakeIrq() for _ in range(16)]
    bus.address_space_io.store(0x310, 1, 1)
    bus.connect_irqs(inputs)  # the controller learns of a line that is high already
    assert inputs[5].level
    assert bus.address_space_io.load(0x310, 2) == 0x2120
    bus.address_space_io.store(0x310, 1, 0)
    assert not inputs[5].level


def test_a_line_has_two_sources() -> None:
    bus, inputs = IsaBus.standalone(), [FakeIrq() for _ in range(16)]
    bus.connect_irqs(inputs)
    bus.irq(11).raise_()
    bus.steered_irq(11).raise_()
    bus.irq(11).lower()
    assert inputs[11].level
    bus.steered_irq(11).lower()
    assert not inputs[11].level


def test_devices_are_reset_with_the_machine() -> None:
    bus = IsaBus.standalone()
    card = Card()
    bus.add(card)
    bus.system.reset()
    assert card.resets == 1


def test_mistakes_are_told() -> None:
    bus = IsaBus.standalone()
    with pytest.raises(DeviceError, match="Invalid ISA IRQ 16"):
        bus.irq(16)
    with pytest.raises(DeviceError, match="DMA channel 2"):
        bus.dma(2)

    class PciCard(Device):
        type_name = "e1000"
        bus_type = "PCI"

    with pytest.raises(DeviceError, match=r"^No 'PCI' bus found for device 'e1000'$"):
        bus.plug(PciCard())  # type: ignore[arg-type]
