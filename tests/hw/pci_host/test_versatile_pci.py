"""The PCI bridge of the Versatile boards: configuration space, windows that move, and the wiring of interrupts."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.net.e1000 import E1000
from pyqemu.hw.pci.regs import BASE_ADDRESS_0, COMMAND, INTERRUPT_LINE
from pyqemu.hw.pci_host import versatile_pci as vpci
from pyqemu.hw.pci_host.versatile_pci import VersatilePci
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import FakeClock, Irq, System
from tests.hw.board_rig import Region, compare, saved_and_loaded, words
from tests.qtest_reference import QtestReference, needs_qemu_arm

WINDOWS = (0x4400_0000, 0x5000_0000, 0x6000_0000)
CARD = 12 << 11


class Rig:
    """A bridge with a card in slot 12, and its windows in the processor's memory."""

    def __init__(self) -> None:
        memory = MemoryRegion.container("system")
        self.space = AddressSpace("memory", memory)
        self.irqs = [Irq() for _ in range(4)]
        self.host = VersatilePci(System(clock=FakeClock()), address_space=self.space, irqs=self.irqs)
        for address, window in zip(WINDOWS, self.host.windows, strict=True):
            memory.add(address, window)
        self.card = E1000()
        self.host.pci.add(self.card)
        self.registers, self.config = Region(self.host), Region(self.host, 2)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_functions_are_found_by_address(rig: Rig) -> None:
    assert rig.config.read(11 << 11) == 0x030010EE and rig.config.read(CARD) == 0x100E8086
    assert rig.config.read((11 << 11) + 8) == 0x0B400000
    assert rig.config.read(13 << 11) == 0xFFFFFFFF and rig.config.read(1 << 16 | CARD) == 0xFFFFFFFF


def test_a_window_shows_what_the_register_says(rig: Rig) -> None:
    rig.config.write(CARD + BASE_ADDRESS_0, 4, 0x9002_0000)
    rig.config.write(CARD + COMMAND, 2, 2)
    status = rig.card.bars[0].region.load(8, 4)
    rig.registers.write(vpci.IMAP + 4, 4, 9)
    assert rig.space.load(0x5002_0008, 4) == status
    rig.registers.write(vpci.IMAP + 4, 4, 8)
    assert rig.space.load(0x5002_0008, 4) != status


@pytest.mark.parametrize(("written", "line"), [
    (None, 2),  # INTA of slot 12 leads to the third line: 29
    (29, 2),    # and a guest that knows it
    (27, 0),    # which the first kernels thought to be shared by all
    (91, 0),    # and later ones, which number interrupts from 64
    (93, 2),
])  # fmt: skip
def test_the_guest_tells_which_wiring_it_expects(rig: Rig, written: int | None, line: int) -> None:
    if written is not None:
        rig.config.write(CARD + INTERRUPT_LINE, 1, written)
    rig.card.irq.set(True)
    assert [each.level for each in rig.irqs].index(True) == line


def test_state_is_saved(rig: Rig) -> None:
    rig.registers.write(vpci.IMAP, 4, 5)
    other = Rig()
    assert saved_and_loaded(rig.host, other.host) and other.host.windows[0].offset == 5 << 28


@needs_qemu_arm
def test_registers_are_qemus(rig: Rig, rng: random.Random) -> None:
    with QtestReference("-M", "versatilepb") as qemu:
        compare(rig.host, qemu, 0x1000_1000, rng, words(0, 0x24), words(0, 0x20))
        header = [11 << 11 | offset for offset in range(0, 0x40, 4)]
        compare(rig.host, qemu, 0x4200_0000, rng, header, [(11 << 11) + INTERRUPT_LINE], number=2)
