"""HPET: counter, comparators, level and edge interrupts, legacy replacement."""

from __future__ import annotations

import pytest

from pyqemu.hw.timer.hpet import Hpet
from pyqemu.system.clock import FakeClock
from pyqemu.system.irq import FakeIrq

CONFIG, STATUS, COUNTER = 0x10, 0x20, 0xF0
T0_CONFIG, T0_CMP = 0x100, 0x108
LEVEL, ENABLE, PERIODIC, SETVAL, WIDTH32 = 2, 4, 8, 0x40, 0x100
ROUTE2 = 2 << 9


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock(now=5_000)
        self.irqs = [FakeIrq() for _ in range(24)]
        self.pit_enable = FakeIrq()
        self.pit_enable.set(True)
        self.hpet = Hpet(self.clock, self.irqs, self.pit_enable)

    def write(self, offset: int, value: int, size: int = 4) -> None:
        self.hpet.write(offset, size, value)

    def read(self, offset: int, size: int = 4) -> int:
        return self.hpet.read(offset, size)


@pytest.fixture
def b() -> Bench:
    return Bench()


def test_capabilities(b: Bench) -> None:
    assert b.read(0) == 0x8086A201
    assert b.read(4) == 10_000_000
    assert b.read(0, 8) == 0x989680_8086A201
    assert b.read(T0_CONFIG, 8) == 0x4_00000030


def test_counter_runs_only_while_enabled(b: Bench) -> None:
    b.clock.advance(1000)
    assert b.read(COUNTER) == 0
    b.write(COUNTER, 77)
    b.write(COUNTER + 4, 1)
    b.write(CONFIG, 1)
    b.clock.advance(1000)
    assert b.read(COUNTER, 8) == 1 << 32 | 177
    b.write(COUNTER, 0)  # ignored
    b.write(CONFIG, 0)
    b.clock.advance(1000)
    assert b.read(COUNTER) == 177


def test_one_shot_edge(b: Bench) -> None:
    b.write(CONFIG, 1)
    b.write(T0_CONFIG, ENABLE | WIDTH32 | ROUTE2)
    b.write(T0_CMP, 1000)
    b.clock.advance(9_999)
    assert b.irqs[2].edges == 0
    b.clock.advance(1)
    assert b.irqs[2].edges == 1
    assert not b.irqs[2].level
    assert b.read(STATUS) == 0
    b.clock.advance(10**9)
    assert b.irqs[2].edges == 1


def test_level_holds_until_acknowledged(b: Bench) -> None:
    b.write(CONFIG, 1)
    b.write(T0_CONFIG, ENABLE | LEVEL | WIDTH32 | ROUTE2)
    b.write(T0_CMP, 1000)
    b.clock.advance(20_000)
    assert b.irqs[2].level
    assert b.read(STATUS) == 1
    b.write(STATUS, 1)
    assert not b.irqs[2].level
    assert b.read(STATUS) == 0


def test_deadline_that_has_passed_fires_at_once(b: Bench) -> None:
    b.write(CONFIG, 1)
    b.clock.advance(50_000)
    b.write(T0_CONFIG, ENABLE | WIDTH32 | ROUTE2)
    b.write(T0_CMP, 4990)
    b.clock.advance(0)
    assert b.irqs[2].edges == 1


def test_periodic_as_guests_program_it(b: Bench) -> None:
    b.write(CONFIG, 1)
    b.write(T0_CONFIG, ENABLE | PERIODIC | SETVAL | WIDTH32 | ROUTE2)
    b.write(T0_CMP, 50_000)  # first at
    b.write(T0_CMP, 10_000)  # then every
    assert b.read(T0_CMP) == 50_000
    b.clock.advance(500_000)
    assert b.irqs[2].edges == 1
    assert b.read(T0_CMP) == 60_000
    for number in range(100):
        assert b.clock.next_deadline() == 5_000 + 600_000 + number * 100_000
        b.clock.advance(100_000)
    assert b.irqs[2].edges == 101


def test_late_periodic_keeps_its_grid(b: Bench) -> None:
    b.write(CONFIG, 1)
    b.write(T0_CONFIG, ENABLE | PERIODIC | SETVAL | WIDTH32 | ROUTE2)
    b.write(T0_CMP, 10_000)
    b.write(T0_CMP, 10_000)
    b.clock._now += 1_234_567
    b.clock.run_due()
    assert b.irqs[2].edges == 1
    assert b.clock.next_deadline() == 5_000 + 1_300_000


def test_32_bit_comparator_wraps(b: Bench) -> None:
    b.write(COUNTER, 0xFFFF_FF00)
    b.write(CONFIG, 1)
    b.write(T0_CONFIG, ENABLE | WIDTH32 | ROUTE2)
    b.write(T0_CMP, 0x100)
    b.clock.advance(0x1FF * 10)
    assert b.irqs[2].edges == 0
    b.clock.advance(10)
    assert b.irqs[2].edges == 1


def test_legacy_replacement(b: Bench) -> None:
    b.hpet.rtc_irq.set(True)
    assert b.irqs[8].level
    b.write(CONFIG, 3)
    assert not b.pit_enable.level
    assert not b.irqs[8].level
    for number, line in ((0, 0), (1, 8)):
        b.write(T0_CONFIG + 0x20 * number, ENABLE | WIDTH32)
        b.write(T0_CMP + 0x20 * number, b.read(COUNTER) + 100)
        edges = b.irqs[line].edges
        b.clock.advance(1000)
        assert b.irqs[line].edges == edges + 1
    b.write(CONFIG, 1)
    assert b.pit_enable.level
    assert b.irqs[8].level


def test_reset_gives_irq0_back(b: Bench) -> None:
    b.write(CONFIG, 3)
    b.hpet.reset()
    assert b.pit_enable.level
    assert b.read(CONFIG) == 0


def test_periodic_without_period_is_no_storm(b: Bench) -> None:
    b.write(CONFIG, 1)
    b.write(T0_CONFIG, ENABLE | PERIODIC | SETVAL | WIDTH32 | ROUTE2)
    b.write(T0_CMP, 1)
    b.write(T0_CMP, 1)
    b.clock.advance(1_000_000)
    assert b.irqs[2].edges <= 52


def test_saved_state_round_trip(b: Bench) -> None:
    b.write(CONFIG, 1)
    b.write(T0_CONFIG, ENABLE | WIDTH32 | ROUTE2)
    b.write(T0_CMP, 100_000)
    b.clock.advance(7_000)
    data = b.hpet.vmstate.save(b.hpet)
    assert len(data) == 151
    other = Bench()
    other.clock.advance(7_000)
    other.hpet.vmstate.load(other.hpet, data)
    assert other.read(COUNTER) == b.read(COUNTER)
    assert other.clock.next_deadline() == b.clock.next_deadline()
