"""MC146818: date registers, SET and divider, alarm, update and periodic interrupts."""

from __future__ import annotations

import calendar

import pytest

from pyqemu.hw.timer.mc146818rtc import Mc146818Rtc, days_since_epoch
from pyqemu.system.clock import FakeClock
from pyqemu.system.irq import FakeIrq

SECOND = 1_000_000_000
START = calendar.timegm((2016, 5, 11, 23, 59, 58))


class Bench:
    """An RTC whose wall clock goes with the fake clock."""

    def __init__(self, start: float = START) -> None:
        self.clock = FakeClock()
        self.start = start
        self.irq = FakeIrq()
        self.rtc = Mc146818Rtc(self.clock, self, self.irq)

    def time(self) -> float:
        return self.start + self.clock.now() / SECOND

    def read(self, index: int) -> int:
        self.rtc.write(0, 1, index)
        return self.rtc.read(1, 1)

    def write(self, index: int, value: int) -> None:
        self.rtc.write(0, 1, index)
        self.rtc.write(1, 1, value)

    def date(self) -> list[int]:
        return [self.read(index) for index in (0x32, 9, 8, 7, 4, 2, 0)]


@pytest.fixture
def b() -> Bench:
    return Bench()


def test_bcd_date_rolls_over(b: Bench) -> None:
    assert b.date() == [0x20, 0x16, 0x05, 0x11, 0x23, 0x59, 0x58]
    assert b.read(6) == 4  # a Wednesday; Sunday is 1
    b.clock.advance(2 * SECOND)
    assert b.date() == [0x20, 0x16, 0x05, 0x12, 0x00, 0x00, 0x00]


def test_binary_and_12_hours(b: Bench) -> None:
    b.write(0x0B, 0x04)
    assert b.date() == [20, 16, 5, 11, 0x80 | 11, 59, 58]
    b.clock.advance(2 * SECOND)
    assert b.read(4) == 12  # midnight
    b.clock.advance(12 * 3600 * SECOND)
    assert b.read(4) == 0x80 | 12


def test_index_port_ignores_the_nmi_mask_and_cannot_be_read(b: Bench) -> None:
    b.write(0x80 | 0x40, 0x5A)
    assert b.read(0x40) == 0x5A
    assert b.rtc.read(0, 1) == 0xFF
    assert b.read(0x0D) == 0x80


def test_ps2_century_is_the_same_byte(b: Bench) -> None:
    assert b.read(0x37) == 0x20


def test_setting_the_time_under_set(b: Bench) -> None:
    b.write(0x0B, 0x82)
    for index, value in ((0, 0x30), (2, 0x15), (4, 0x06), (7, 0x29), (8, 0x02), (9, 0x00), (0x32, 0x20)):
        b.write(index, value)
    b.clock.advance(5 * SECOND)
    assert b.read(0) == 0x30
    b.write(0x0B, 0x02)
    b.clock.advance(SECOND)
    assert b.date() == [0x20, 0x00, 0x02, 0x29, 0x06, 0x15, 0x31]
    assert b.read(6) == 3


def test_setting_a_running_clock(b: Bench) -> None:
    b.write(4, 0x12)
    b.clock.advance(2 * SECOND)
    assert b.date()[4:] == [0x13, 0x00, 0x00]


def test_divider_reset_delays_the_first_update_by_half_a_second(b: Bench) -> None:
    b.write(0x0A, 0x76)
    b.write(0, 0x10)
    b.clock.advance(3 * SECOND)
    assert b.read(0) == 0x10
    b.write(0x0A, 0x26)
    b.clock.advance(SECOND * 49 // 100)
    assert b.read(0) == 0x10
    b.clock.advance(SECOND * 2 // 100)
    assert b.read(0) == 0x11


def test_update_in_progress(b: Bench) -> None:
    assert not b.read(0x0A) & 0x80
    b.clock.advance(SECOND - 200_000)
    assert b.read(0x0A) == 0xA6
    b.clock.advance(200_000)
    assert b.read(0x0A) == 0x26


def test_update_interrupt(b: Bench) -> None:
    b.read(0x0C)
    b.write(0x0B, 0x12)
    b.clock.advance(SECOND + 1000)
    assert b.irq.level
    b.clock.advance(SECOND)
    assert b.irq.edges == 1  # held until read
    assert b.read(0x0C) & 0x90 == 0x90
    assert not b.irq.level
    for _ in range(5):
        b.clock.advance(SECOND)
        assert b.irq.level
        b.read(0x0C)


def test_flags_are_seen_without_interrupts(b: Bench) -> None:
    b.read(0x0C)
    assert b.clock.next_deadline() is None
    assert b.read(0x0C) == 0
    b.clock.advance(SECOND)
    assert b.read(0x0C) == 0x50  # update and periodic, no IRQF
    assert b.read(0x0C) == 0


def test_periodic_interrupt_keeps_its_grid(b: Bench) -> None:
    b.read(0x0C)
    b.write(0x0A, 0x26)
    b.write(0x0B, 0x42)
    count = 0
    while b.clock.now() < 2 * SECOND:
        deadline = b.clock.next_deadline()
        assert deadline is not None
        b.clock.advance(deadline - b.clock.now() + 137)  # the guest is always a bit late
        assert b.irq.level
        assert b.read(0x0C) & 0xC0 == 0xC0
        count += 1
    assert count in (2048, 2049)


@pytest.mark.parametrize(("rate", "hertz"), [(1, 256), (2, 128), (3, 8192), (13, 8), (15, 2)])
def test_periodic_rates(b: Bench, rate: int, hertz: int) -> None:
    b.write(0x0A, 0x20 | rate)
    b.read(0x0C)
    b.write(0x0B, 0x42)
    b.clock.advance(-(-SECOND // hertz) - 1)
    assert not b.irq.level
    b.clock.advance(1)
    assert b.irq.level


def test_rate_zero_is_off(b: Bench) -> None:
    b.write(0x0A, 0x20)
    b.read(0x0C)
    b.write(0x0B, 0x42)
    b.clock.advance(10 * SECOND)
    assert not b.irq.level


@pytest.mark.parametrize(
    ("alarm", "after"),
    [
        ((0x00, 0x00, 0x05), 7),
        ((0xFF, 0xFF, 0xFF), 1),
        ((0xFF, 0xFF, 0x59), 1),
        ((0xFF, 0x01, 0xC0), 62),
        ((0x23, 0x59, 0x58), 86_400),
        ((0x02, 0xC3, 0x10), 2 + 7200 + 10),
        ((0x03, 0xFF, 0xFF), 2 + 3 * 3600),
        ((0xFF, 0x59, 0x00), 2 + 59 * 60),
    ],
)
def test_alarm(b: Bench, alarm: tuple[int, int, int], after: int) -> None:
    for index, value in zip((5, 3, 1), alarm, strict=True):
        b.write(index, value)
    b.read(0x0C)
    b.write(0x0B, 0x22)
    b.clock.advance(after * SECOND - 1)
    assert not b.irq.level
    b.clock.advance(1001)
    assert b.irq.level
    assert b.read(0x0C) & 0xA0 == 0xA0


def test_alarm_that_never_comes(b: Bench) -> None:
    b.write(5, 0x30)
    b.write(0x0B, 0x22)
    b.clock.advance(3 * 86_400 * SECOND)
    assert not b.irq.level


def test_set_clears_update_interrupt_enable(b: Bench) -> None:
    b.write(0x0B, 0x92)
    assert b.read(0x0B) == 0x82


def test_reset_keeps_time_and_clears_interrupts(b: Bench) -> None:
    b.write(0x0B, 0x72)
    b.write(0x10, 0x44)
    b.clock.advance(SECOND + 1000)
    assert b.irq.level
    b.rtc.reset()
    assert not b.irq.level
    assert b.read(0x0B) == 0x02
    assert b.read(0x10) == 0x44
    assert b.read(0) == 0x59


def test_days_since_epoch_agrees_with_the_calendar() -> None:
    for year in (1970, 1999, 2000, 2016, 2100, 2400):
        for month, day in ((1, 1), (2, 28), (3, 1), (7, 31), (12, 31)):
            assert days_since_epoch(year, month, day) * 86400 == calendar.timegm((year, month, day, 0, 0, 0))
    assert days_since_epoch(2015, 13, 1) == days_since_epoch(2016, 1, 1)


def test_nonsense_date_does_no_harm(b: Bench) -> None:
    b.write(0x0B, 0x82)
    for index in (0, 2, 4, 7, 8, 9, 0x32):
        b.write(index, 0xFF)
    b.write(0x0B, 0x02)
    b.date()
    b.write(0x0B, 0x82)
    for index in (0, 2, 4, 7, 8, 9, 0x32):
        b.write(index, 0)
    b.write(0x0B, 0x02)
    assert b.date()[0:2] == [0x19, 0x70]


def test_saved_state_round_trip(b: Bench) -> None:
    b.write(0x0B, 0x12)
    b.clock.advance(SECOND // 2)
    data = b.rtc.vmstate.save(b.rtc)
    assert len(data) == 245
    other = Bench()
    other.clock.advance(SECOND // 2)
    other.rtc.vmstate.load(other.rtc, data)
    assert other.date() == b.date()
    assert other.clock.next_deadline() == b.clock.next_deadline()
