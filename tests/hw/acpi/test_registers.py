"""PM1 blocks, power management timer, general purpose events."""

from __future__ import annotations

import pytest

from pyqemu.hw.acpi.registers import Pm1
from pyqemu.system.clock import FakeClock
from pyqemu.system.irq import FakeIrq

SECOND = 1_000_000_000
STS, EN, CNT, TMR = 0, 2, 4, 8


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sci = FakeIrq()
        self.sleeps: list[int] = []
        self.pm = Pm1(self.clock, self.sci, 4, self.sleeps.append)


@pytest.fixture
def b() -> Bench:
    return Bench()


def test_timer_counts_at_3_579545_mhz_in_24_bits(b: Bench) -> None:
    b.clock.advance(SECOND)
    assert b.pm.read(TMR, 4) == 3_579_545
    b.clock.advance(9 * SECOND)
    assert b.pm.read(TMR, 4) == 35_795_450 & 0xFF_FFFF
    assert b.pm.read(TMR + 1, 1) == 35_795_450 >> 8 & 0xFF


def test_timer_status_is_seen_without_its_interrupt(b: Bench) -> None:
    b.clock.advance(2 * SECOND)
    assert not b.pm.read(STS, 2) & 1
    b.clock.advance(SECOND)  # 2**23 ticks are 2.34 s
    assert b.pm.read(STS, 2) & 1
    assert b.clock.next_deadline() is None
    b.pm.write(STS, 2, 1)
    assert not b.pm.read(STS, 2) & 1


def test_timer_interrupt_comes_each_half_round(b: Bench) -> None:
    b.pm.write(EN, 2, 1)
    for number in range(1, 4):
        deadline = b.clock.next_deadline()
        assert deadline == -(-number * (1 << 23) * SECOND // 3_579_545)
        b.clock.advance(deadline - b.clock.now())
        assert b.sci.level
        b.pm.write(STS, 2, 1)
        assert not b.sci.level


def test_power_button_only_if_enabled(b: Bench) -> None:
    b.pm.press_power_button()
    assert b.pm.read(STS, 2) == 0
    b.pm.write(EN, 2, 0x100)
    b.pm.press_power_button()
    assert b.sci.level
    b.pm.write(STS + 1, 1, 0x01)  # a byte access clears it too
    assert not b.sci.level


def test_double_word_access_covers_status_and_enable(b: Bench) -> None:
    b.pm.write(STS, 4, 0x0120_0000)
    assert b.pm.read(STS, 4) == 0x0120_0000
    b.pm.write(EN + 1, 1, 0x04)
    assert b.pm.read(EN, 2) == 0x0420


def test_sleep_enable_reads_as_zero(b: Bench) -> None:
    b.pm.enable_acpi(True)
    assert b.pm.read(CNT, 2) == 1
    b.pm.write(CNT, 2, 0x2000 | 5 << 10 | 1)
    assert b.sleeps == [5]
    assert b.pm.read(CNT, 2) == 5 << 10 | 1


def test_general_purpose_events(b: Bench) -> None:
    b.pm.gpe.set_event(1)
    assert not b.sci.level
    b.pm.gpe.write(2, 1, 0x02)
    assert b.sci.level
    assert b.pm.gpe.read(0, 4) == 0x0002_0002
    b.pm.gpe.write(0, 1, 0x02)
    assert not b.sci.level
    b.pm.gpe.write(3, 1, 0x80)
    assert b.pm.gpe.read(2, 2) == 0x8002


def test_overflow_time_round_trip(b: Bench) -> None:
    b.clock.advance(SECOND)
    b.pm.reset()
    ticks = b.pm.overflow_ticks
    b.pm.overflow_time = b.pm.overflow_time
    assert b.pm.overflow_ticks == ticks
