"""Private memory of the MPCore processors: timers, snoop control, interrupts (DDI 0407I)."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.cpu.mpcore import A9MpCore, A15MpCore
from pyqemu.hw.misc.arm_l2x0 import L2x0
from pyqemu.system import FakeClock, Irq
from tests.hw.board_rig import Region, compare, saved_and_loaded, words
from tests.qtest_reference import Access, QtestReference, needs_qemu_arm

SCU, CPUIF, GTIMER, TIMER, WATCHDOG, DIST = 0x000, 0x100, 0x200, 0x600, 0x620, 0x1000
LOAD, COUNTER, CONTROL, STATUS = 0, 4, 8, 0xC
COMPARE, INCREMENT = 0x10, 0x18
IAR, EOIR = CPUIF + 0xC, CPUIF + 0x10
ONCE, AGAIN = 5, 7


class Chip(Region):
    """The private memory of four processors, seen by any of them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.who = 0
        self.irqs = [Irq() for _ in range(4)]
        outputs = [(irq, Irq()) for irq in self.irqs]
        self.core = A9MpCore(self.clock, outputs, lambda: (self.who, False), num_cpu=4)
        super().__init__(self.core)
        self.set(DIST, 1)
        for self.who in range(4):
            self.set(CPUIF, 1)
            self.set(CPUIF + 4, 0xF0)
            self.set(DIST + 0x100, 0xFFFFFFFF)
        self.who = 0

    def set(self, offset: int, value: int) -> None:
        self.write(offset, 4, value)


@pytest.fixture
def chip() -> Chip:
    return Chip()


def test_the_snoop_control_unit_counts_processors(chip: Chip) -> None:
    assert chip.read(SCU + 4) == 0xF3
    chip.write(SCU + 9, 1, 3)
    assert chip.read(SCU + 8) == 0x300


def test_a_private_timer_interrupts_its_processor(chip: Chip) -> None:
    chip.who = 2
    chip.set(TIMER + LOAD, 1000)
    chip.set(TIMER + CONTROL, ONCE)
    chip.clock.advance(4000)
    assert chip.read(TIMER + COUNTER) == 600
    chip.clock.advance(6000)
    assert [irq.level for irq in chip.irqs] == [False, False, True, False]
    assert chip.read(IAR) == 29 and chip.read(TIMER + STATUS) == 1
    chip.set(TIMER + STATUS, 1)
    chip.set(EOIR, 29)
    chip.clock.advance(100_000)
    assert not chip.irqs[2].level and chip.read(TIMER + COUNTER) == 0


def test_a_private_timer_reloads_itself(chip: Chip) -> None:
    chip.set(TIMER + LOAD, 10_000)
    chip.set(TIMER + CONTROL, AGAIN)
    for _ in range(3):
        chip.clock.advance(100_000)
        assert chip.read(TIMER + STATUS) == 1
        chip.set(TIMER + STATUS, 1)
        assert chip.read(TIMER + STATUS) == 0


def test_the_prescaler_divides(chip: Chip) -> None:
    chip.set(TIMER + LOAD, 100)
    chip.set(TIMER + CONTROL, 9 << 8 | ONCE)
    chip.clock.advance(5000)
    assert chip.read(TIMER + COUNTER) == 50


def test_the_watchdog_is_another_such_timer(chip: Chip) -> None:
    chip.set(WATCHDOG + LOAD, 10)
    chip.set(WATCHDOG + CONTROL, ONCE)
    chip.clock.advance(100)
    assert chip.read(IAR) == 30


def test_the_global_timer_counts_for_all_and_each_has_a_comparator(chip: Chip) -> None:
    for chip.who, compare_with in ((1, 50), (3, 70)):
        chip.set(GTIMER + COMPARE, compare_with)
        chip.set(GTIMER + CONTROL, 7)
    chip.clock.advance(500)
    assert [irq.level for irq in chip.irqs] == [False, True, False, False]
    chip.clock.advance(200)
    assert [irq.level for irq in chip.irqs] == [False, True, False, True]
    assert chip.read(GTIMER + COUNTER - 4) == 70
    chip.who = 1
    assert chip.read(IAR) == 27


def test_a_comparator_goes_on_by_itself(chip: Chip) -> None:
    chip.set(GTIMER + COMPARE, 100)
    chip.set(GTIMER + INCREMENT, 100)
    chip.set(GTIMER + CONTROL, 0xF)
    for expected in (200, 300):
        chip.clock.advance(1000)
        assert chip.read(GTIMER + STATUS) == 1 and chip.read(GTIMER + COMPARE) == expected
        chip.set(GTIMER + STATUS, 1)


def test_timers_that_were_saved_go_on(chip: Chip) -> None:
    chip.set(TIMER + LOAD, 1000)
    chip.set(TIMER + CONTROL, ONCE)
    chip.set(GTIMER + COMPARE, 700)
    chip.set(GTIMER + CONTROL, 7)
    chip.clock.advance(4000)
    other = Chip()
    other.clock.advance(4000)
    for before, after in zip(chip.core.parts, other.core.parts, strict=True):
        assert saved_and_loaded(before, after)
    assert (other.read(TIMER + COUNTER), other.read(GTIMER)) == (600, 400)
    other.clock.advance(3000)
    assert other.read(IAR) == 27
    other.clock.advance(3000)
    assert other.read(TIMER + STATUS) == 1


def test_the_a15_has_its_controller_elsewhere() -> None:
    chip = Region(A15MpCore(FakeClock(), [(Irq(), Irq())]))
    assert chip.read(DIST + 4) == 4 and chip.read(0x20FC) == 0x2043B


@needs_qemu_arm
def test_standing_timers_are_qemus(rng: random.Random) -> None:
    chip = A9MpCore(FakeClock(), [(Irq(), Irq())])
    registers = [SCU, SCU + 4, SCU + 8, *words(TIMER, TIMER + 0x10)]
    standing = {TIMER + CONTROL: (0, 6, 0x700)}
    with QtestReference("-M", "vexpress-a9") as qemu:
        compare(chip, qemu, 0x1E000000, rng, registers, registers, only=standing)
        cache = words(0xC00, 0xC08) + [0, 4, *words(0x100, 0x110)]
        first = [Access(0x104, 0x02020000)]
        compare(L2x0(), qemu, 0x1E00A000, rng, cache, cache, first=first, only={0x104: (0x02020000, 0x02020001)})
