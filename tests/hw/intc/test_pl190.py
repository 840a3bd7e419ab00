"""The PL190: which handler comes first, and the Versatile's secondary controller."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.intc.pl190 import (
    DEFVECTADDR,
    FIQSTATUS,
    INTENABLE,
    INTSELECT,
    IRQSTATUS,
    SOFTINT,
    SOFTINTCLEAR,
    VECTADDR,
    VECTADDR0,
    VECTCNTL0,
    Pl190,
    VersatileSic,
)
from pyqemu.system import Irq
from tests.hw.board_rig import PRIMECELL_ID, Region, compare, saved_and_loaded, words
from tests.qtest_reference import QtestReference, needs_qemu_arm


class Vic(Region):
    """The controller with its outputs."""

    def __init__(self) -> None:
        self.irq, self.fiq = Irq(), Irq()
        self.chip = Pl190(self.irq, self.fiq)
        super().__init__(self.chip)

    def slot(self, number: int, line: int, handler: int) -> None:
        self.write(VECTADDR0 + 4 * number, 4, handler)
        self.write(VECTCNTL0 + 4 * number, 4, 0x20 | line)
        self.write(INTENABLE, 4, 1 << line)


@pytest.fixture
def vic() -> Vic:
    return Vic()


def test_an_enabled_line_is_an_irq_or_a_fiq(vic: Vic) -> None:
    vic.chip.inputs[4].raise_()
    assert not vic.irq.level
    vic.write(INTENABLE, 4, 1 << 4)
    assert vic.irq.level and vic.read(IRQSTATUS) == 1 << 4
    vic.write(INTSELECT, 4, 1 << 4)
    assert (vic.irq.level, vic.fiq.level, vic.read(FIQSTATUS)) == (False, True, 1 << 4)


def test_software_makes_interrupts(vic: Vic) -> None:
    vic.write(INTENABLE, 4, 2)
    vic.write(SOFTINT, 4, 2)
    assert vic.irq.level
    vic.write(SOFTINTCLEAR, 4, 2)
    assert not vic.irq.level


def test_a_handler_is_interrupted_by_lower_slots_alone(vic: Vic) -> None:
    vic.slot(0, 10, 0x1000)
    vic.slot(1, 11, 0x1100)
    vic.slot(2, 12, 0x1200)
    vic.chip.inputs[11].raise_()
    assert vic.read(VECTADDR) == 0x1100 and not vic.irq.level
    vic.chip.inputs[12].raise_()
    assert not vic.irq.level
    vic.chip.inputs[10].raise_()
    assert vic.irq.level and vic.read(VECTADDR) == 0x1000
    for line in (10, 11):
        vic.chip.inputs[line].lower()
        vic.write(VECTADDR, 4, 0)
    assert vic.irq.level and vic.read(VECTADDR) == 0x1200


def test_lines_in_no_slot_come_last(vic: Vic) -> None:
    vic.write(DEFVECTADDR, 4, 0xDEF0)
    vic.slot(15, 3, 0x1500)
    vic.write(INTENABLE, 4, 1 << 30)
    vic.chip.inputs[30].raise_()
    assert vic.irq.level and vic.read(VECTADDR) == 0xDEF0 and not vic.irq.level
    vic.chip.inputs[3].raise_()
    assert vic.irq.level and vic.read(VECTADDR) == 0x1500


def test_a_loaded_controller_goes_on(vic: Vic) -> None:
    vic.slot(1, 11, 0x1100)
    vic.slot(0, 10, 0x1000)
    vic.chip.inputs[11].raise_()
    vic.read(VECTADDR)
    other = Vic()
    assert saved_and_loaded(vic.chip, other.chip)
    assert not other.irq.level
    other.write(SOFTINT, 4, 1 << 10)
    assert other.irq.level


def test_the_secondary_controller_collects_and_passes_on() -> None:
    outputs = [Irq() for _ in range(32)]
    sic = VersatileSic(outputs)
    registers = Region(sic)
    sic.inputs[3].raise_()
    assert not outputs[31].level and registers.read(4) == 8
    registers.write(8, 4, 8)
    assert outputs[31].level and registers.read(0) == 8
    registers.write(0x20, 4, 1 << 25)
    sic.inputs[25].raise_()
    assert outputs[25].level
    registers.write(0x24, 4, 1 << 25)
    assert not outputs[25].level


@needs_qemu_arm
def test_registers_are_qemus(rng: random.Random) -> None:
    """But for the status of FIQs and the choice of handlers, which in QEMU do not ask whether a line is enabled."""
    control = [each for each in words(0, 0x38) if each not in (FIQSTATUS, VECTADDR)]
    slots = [*words(0x100, 0x140), *words(0x200, 0x240)]
    only = dict.fromkeys(words(512, 576), (33, 34, 63, 5, 0))
    with QtestReference("-M", "versatilepb") as qemu:
        compare(
            Vic().chip, qemu, 0x10140000, rng, [*control * 3, *slots, *PRIMECELL_ID], [*control * 3, *slots], only=only
        )
        sic = VersatileSic([Irq() for _ in range(32)])
        compare(sic, qemu, 0x10003000, rng, words(0, 0x28), (0, 4, 8, 0xC, 0x20, 0x24))
