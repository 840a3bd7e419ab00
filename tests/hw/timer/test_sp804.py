"""The SP804's two counters, at 1 MHz."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.timer.sp804 import BGLOAD, CONTROL, INTCLR, LOAD, MIS, RIS, VALUE, Sp804
from pyqemu.system import FakeClock, Irq
from pyqemu.system.clock import MICROSECOND
from tests.hw.board_rig import PRIMECELL_ID, Region, compare, words
from tests.qtest_reference import Access, QtestReference, needs_qemu_arm

FREE, PERIODIC, ONE_SHOT = 0xA2, 0xE2, 0xA3  # enabled, of 32 bits, with interrupt
SECOND_TIMER = 0x20


class Timers(Region):
    """The device with clock and interrupt."""

    def __init__(self) -> None:
        self.clock, self.irq = FakeClock(), Irq()
        self.chip = Sp804(self.clock, self.irq)
        super().__init__(self.chip)

    def start(self, mode: int, count: int, which: int = 0) -> None:
        self.write(which + LOAD, 4, count)
        self.write(which + CONTROL, 4, mode)


@pytest.fixture
def timers() -> Timers:
    return Timers()


def test_reset_values(timers: Timers) -> None:
    assert [timers.read(each) for each in (LOAD, VALUE, CONTROL, RIS, MIS)] == [0, 0xFFFFFFFF, 0x20, 0, 0]


def test_a_periodic_one_comes_again(timers: Timers) -> None:
    timers.start(PERIODIC, 100)
    timers.clock.advance(40 * MICROSECOND)
    assert timers.read(VALUE) == 60
    for _ in range(3):
        timers.clock.advance(100 * MICROSECOND)
        assert timers.irq.level and timers.read(VALUE) == 60
        timers.write(INTCLR, 4, 0)
        assert not timers.irq.level


def test_periods_do_not_drift() -> None:
    timers = Timers()
    timers.start(PERIODIC, 333)
    timers.clock.advance(333 * 1000 * MICROSECOND)
    assert timers.read(VALUE) == 333


def test_a_one_shot_stops_at_zero(timers: Timers) -> None:
    timers.start(ONE_SHOT, 50)
    timers.clock.advance(50 * MICROSECOND)
    assert timers.irq.level and timers.read(VALUE) == 0
    timers.write(INTCLR, 4, 0)
    timers.clock.advance(1000 * MICROSECOND)
    assert not timers.irq.level


def test_a_free_one_goes_on_from_all_ones(timers: Timers) -> None:
    timers.start(FREE, 10)
    timers.clock.advance(15 * MICROSECOND)
    assert timers.irq.level and timers.read(VALUE) == 0xFFFFFFFF - 5


def test_sixteen_bits_and_the_prescaler(timers: Timers) -> None:
    timers.start(0xE0 | 0x04, 0x10064)  # periodic, divided by 16
    timers.clock.advance(16 * MICROSECOND)
    assert timers.read(VALUE) == 99


def test_the_background_load_waits_for_the_end(timers: Timers) -> None:
    timers.start(PERIODIC, 100)
    timers.write(BGLOAD, 4, 1000)
    timers.clock.advance(50 * MICROSECOND)
    assert timers.read(VALUE) == 50 and timers.read(LOAD) == 1000
    timers.clock.advance(60 * MICROSECOND)
    assert timers.read(VALUE) == 990


def test_both_drive_one_line(timers: Timers) -> None:
    timers.start(ONE_SHOT, 10)
    timers.start(ONE_SHOT, 20, SECOND_TIMER)
    timers.clock.advance(20 * MICROSECOND)
    timers.write(INTCLR, 4, 0)
    assert timers.irq.level and timers.read(SECOND_TIMER + MIS) == 1
    timers.write(SECOND_TIMER + INTCLR, 4, 0)
    assert not timers.irq.level


def test_a_loaded_counter_goes_on(timers: Timers) -> None:
    timers.start(PERIODIC, 100)
    timers.clock.advance(30 * MICROSECOND)
    other = Timers()
    other.clock.advance(30 * MICROSECOND)
    for before, after in zip(timers.chip.timers, other.chip.timers, strict=True):
        type(before).vmstate.load(after, type(before).vmstate.save(before))
    assert other.read(VALUE) == 70
    other.clock.advance(70 * MICROSECOND)
    assert other.irq.level


@needs_qemu_arm
def test_registers_of_standing_counters_are_qemus(rng: random.Random) -> None:
    """With a load and of 32 bits: QEMU starts from 0, keeps more than 16, and loads all ones while it runs freely."""
    control = (0x62, 0x42, 0x6E)
    both = (0, SECOND_TIMER)
    first = [Access(each + offset, value) for each in both for offset, value in ((CONTROL, 0x62), (LOAD, 5))]
    with QtestReference("-M", "vexpress-a9") as qemu:
        compare(
            Timers().chip, qemu, 0x10011000, rng, [*words(0, 0x48), *PRIMECELL_ID], words(0, 0x40), first=first,
            only={CONTROL: control, SECOND_TIMER + CONTROL: control},
        )  # fmt: skip
