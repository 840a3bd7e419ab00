"""The PCI hotplug registers of the PIIX4."""

from __future__ import annotations

import pytest

from pyqemu.hw.acpi.piix4_pm import Piix4Pm
from pyqemu.hw.pci.bus import PciBus
from pyqemu.hw.pci.device import PciDevice
from pyqemu.memory import AddressSpace
from pyqemu.qom import DeviceError
from pyqemu.system import FakeIrq

UP, DOWN, EJECT, REMOVABLE, SELECT = 0xAE00, 0xAE04, 0xAE08, 0xAE0C, 0xAE10


class Card(PciDevice):
    """A function that may come and go."""

    type_name = "card"
    vendor_id, device_id = 0x1234, 0x0001


class Bench:
    def __init__(self) -> None:
        self.bus = PciBus.standalone()
        self.io = AddressSpace("I/O", self.bus.io)
        self.pm = Piix4Pm()
        self.pm.sci = self.sci = FakeIrq()
        self.bus.add(self.pm, 0x0B)
        self.gone: list[PciDevice] = []
        self.pm.hotplug.on_eject = self.gone.append
        self.card = Card()
        self.bus.add(self.card, 5 << 3)


@pytest.fixture
def b() -> Bench:
    return Bench()


def test_new_device_raises_the_sci_and_is_told_once(b: Bench) -> None:
    b.io.store(0xAFE2, 1, 2)
    b.pm.hotplug.plugged(b.card)
    assert b.sci.level
    assert [b.io.load(UP, 4) for _ in range(2)] == [1 << 5, 0]


def test_device_stays_until_the_guest_ejects_it(b: Bench) -> None:
    b.pm.hotplug.request_unplug(b.card)
    with pytest.raises(DeviceError, match="already in the process of unplug"):
        b.pm.hotplug.request_unplug(b.card)
    assert b.io.load(DOWN, 4) == 1 << 5
    assert b.bus.find(5 << 3) is b.card
    b.io.store(EJECT, 4, 1 << 5)
    assert b.gone == [b.card]
    assert b.bus.find(5 << 3) is None
    assert b.io.load(DOWN, 4) == 0


def test_soldered_slots_are_not_removable(b: Bench) -> None:
    assert b.io.load(REMOVABLE, 4) == 0xFFFF_FFFF & ~(1 << 1)
    b.io.store(EJECT, 4, 1 << 1)
    assert b.gone == []


def test_reset_carries_out_what_was_asked_for(b: Bench) -> None:
    b.pm.hotplug.request_unplug(b.card)
    b.io.store(SELECT, 4, 3)
    b.pm.reset()
    assert b.gone == [b.card]
    assert (b.io.load(SELECT, 4), b.io.load(DOWN, 4)) == (0, 0)


def test_other_buses_have_nothing(b: Bench) -> None:
    b.pm.hotplug.request_unplug(b.card)
    b.io.store(SELECT, 4, 1000)
    assert b.io.load(SELECT, 4) == 255
    assert [b.io.load(port, 4) for port in (UP, DOWN, REMOVABLE)] == [0, 0, 0]
    b.io.store(EJECT, 4, 1 << 5)
    assert b.gone == []


def test_state_is_saved_where_qemu_has_it(b: Bench) -> None:
    b.pm.hotplug.request_unplug(b.card)
    assert Piix4Pm.vmstate is not None
    data = Piix4Pm.vmstate.save(b.pm)
    assert data.count((1 << 5).to_bytes(4, "big")) == 1
    other = Bench()
    Piix4Pm.vmstate.load(other.pm, data)
    assert other.io.load(DOWN, 4) == 1 << 5
