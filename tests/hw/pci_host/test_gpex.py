"""The generic PCI Express host: configuration space in memory, windows, interrupts."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.net.e1000 import E1000
from pyqemu.hw.pci.regs import BASE_ADDRESS_0, COMMAND
from pyqemu.hw.pci_host.gpex import GpexHost
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import FakeClock, Irq, System
from tests.hw.board_rig import Region, compare
from tests.qtest_reference import QtestReference, needs_qemu_arm


class Rig:
    """A host with a card in slot 2, and its memory at 256 MiB of the processor's."""

    def __init__(self) -> None:
        memory = MemoryRegion.container("system")
        self.space = AddressSpace("memory", memory)
        self.irqs = [Irq() for _ in range(4)]
        self.host = GpexHost(System(clock=FakeClock()), address_space=self.space, irqs=self.irqs)
        memory.add(0x10000000, MemoryRegion.alias("window", self.host.mmio, 0x10000000, 0x2EFF0000))
        self.card = E1000()
        self.host.pci.add(self.card, 2 << 3)
        self.ecam = Region(self.host)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_functions_are_found_by_address(rig: Rig) -> None:
    assert rig.ecam.read(0) == 0x00081B36 and rig.ecam.read(8) == 0x06000000
    assert rig.ecam.read(2 << 15) == 0x100E8086
    assert rig.ecam.read(3 << 15) == 0xFFFFFFFF
    assert rig.ecam.read((2 << 15) + 2, 2) == 0x100E


def test_there_is_no_other_bus_and_no_extended_space(rig: Rig) -> None:
    assert rig.ecam.read(1 << 20) == 0xFFFFFFFF
    assert rig.ecam.read((2 << 15) + 0x100) == 0xFFFFFFFF


def test_a_bar_shows_in_the_window(rig: Rig) -> None:
    config = 2 << 15
    rig.ecam.write(config + BASE_ADDRESS_0, 4, 0x10020000)
    rig.ecam.write(config + COMMAND, 2, 2)
    rig.ecam.write(config + COMMAND, 2, 2)
    assert rig.space.load(0x10020000, 4) == rig.card.bars[0].region.load(0, 4) != 0xFFFFFFFF


def test_pins_rotate_over_the_lines(rig: Rig) -> None:
    rig.card.irq.set(True)
    assert [line.level for line in rig.irqs] == [False, False, True, False]
    rig.card.irq.set(False)
    assert not any(line.level for line in rig.irqs)


@needs_qemu_arm
def test_the_bridge_is_qemus(rng: random.Random) -> None:
    readable = [*range(0, 0x40, 4), 0x40, 0xFC, 1 << 15]
    with QtestReference("-M", "virt-2.6", "-cpu", "cortex-a15") as qemu:
        compare(Rig().host, qemu, 0x3F000000, rng, readable, [0x0C, 0x3C, 0x10, 0x14, 0x30], count=500)
