"""The generic timer: counters, comparisons, lines."""

from __future__ import annotations

import pytest

from pyqemu.system import FakeClock
from pyqemu.targets.arm.generic_timer import (
    ENABLE,
    IMASK,
    ISTATUS,
    PHYSICAL,
    SCALE,
    VIRTUAL,
    CycleCounter,
    GenericTimer,
)


class Rig:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.timer = GenericTimer(self.clock)
        self.lines = [False] * 4
        self.timer.outputs = [self._line(number) for number in range(4)]

    def _line(self, number: int):  # type: ignore[no-untyped-def]
        def drive(level: bool) -> None:
            self.lines[number] = level

        return drive


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_counters_follow_the_clock(rig: Rig) -> None:
    rig.clock.advance(100 * SCALE)
    rig.timer.set_offset(30)
    assert (rig.timer.physical, rig.timer.virtual) == (100, 70)
    rig.timer.set_offset(101)
    assert rig.timer.virtual == (1 << 64) - 1


@pytest.mark.parametrize("number", [PHYSICAL, VIRTUAL])
def test_a_timer_fires_when_its_time_has_come(rig: Rig, number: int) -> None:
    rig.timer.set_offset(7)
    rig.timer.write_value(number, 50)
    rig.timer.write_control(number, ENABLE)
    rig.clock.advance(49 * SCALE)
    assert not rig.lines[number]
    assert rig.timer.read_control(number) == ENABLE
    assert rig.timer.read_value(number) == 1
    rig.clock.advance(SCALE)
    assert rig.lines[number]
    assert rig.timer.read_control(number) == ENABLE | ISTATUS
    rig.timer.write_control(number, ENABLE | IMASK)
    assert not rig.lines[number]
    assert rig.timer.read_control(number) == ENABLE | IMASK | ISTATUS
    rig.timer.write_control(number, ENABLE)
    assert rig.lines[number]
    rig.timer.write_value(number, 10)
    assert not rig.lines[number]


def test_values_have_a_sign(rig: Rig) -> None:
    rig.clock.advance(1000 * SCALE)
    rig.timer.write_value(PHYSICAL, 0xFFFFFFF6)  # 10 counts ago
    assert rig.timer.compare[PHYSICAL] == 990
    rig.timer.write_control(PHYSICAL, ENABLE)
    assert rig.lines[PHYSICAL]
    rig.clock.advance(5 * SCALE)
    assert rig.timer.read_value(PHYSICAL) == 0xFFFFFFF1


def test_moving_the_offset_may_fire_the_virtual_timer(rig: Rig) -> None:
    rig.clock.advance(100 * SCALE)
    rig.timer.set_offset(100)
    rig.timer.write_compare(VIRTUAL, 50)
    rig.timer.write_control(VIRTUAL, ENABLE)
    assert not rig.lines[VIRTUAL]
    rig.timer.set_offset(40)
    assert rig.lines[VIRTUAL]


def test_what_is_disabled_tells_nothing(rig: Rig) -> None:
    rig.timer.write_compare(PHYSICAL, 0)
    assert rig.timer.read_control(PHYSICAL) == 0
    assert rig.clock.next_deadline() is None
    rig.timer.write_compare(PHYSICAL, (1 << 63) - 1)  # as Linux does to wait for ever
    rig.timer.write_control(PHYSICAL, ENABLE)
    assert rig.clock.next_deadline() is None


def test_cycles(rig: Rig) -> None:
    counter = CycleCounter(rig.clock)
    rig.clock.advance(1000)
    assert counter.value == 0
    counter.switch(on=True, divider=1)
    rig.clock.advance(640)
    assert counter.value == 640
    counter.switch(on=True, divider=64)
    rig.clock.advance(640)
    assert counter.value == 650
    counter.set(5)
    counter.switch(on=False, divider=1)
    rig.clock.advance(640)
    assert counter.value == 5


class HurriedClock(FakeClock):
    """Time passes whenever somebody looks."""

    def now(self) -> int:
        self._now += 100
        return super().now()


@pytest.mark.parametrize("number", [PHYSICAL, VIRTUAL])
def test_a_deadline_is_the_very_count_that_was_asked_for(number: int) -> None:
    """However long it takes to find that out: a machine that is saved, and loaded elsewhere, has the same."""
    timer = GenericTimer(HurriedClock())
    timer.set_offset(1000 if number == VIRTUAL else 0)
    timer.write_compare(number, 50_000)
    timer.write_control(number, ENABLE)
    assert timer.timers[number].deadline == (51_000 if number == VIRTUAL else 50_000) * SCALE
