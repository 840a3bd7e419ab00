"""8254: the six modes, latches, read-back, gate, IRQ 0's timing; port 61h."""

from __future__ import annotations

import pytest

from pyqemu.hw.timer.i8254 import FREQUENCY, I8254, Pcspk, ticks, time_of
from pyqemu.system.clock import FakeClock
from pyqemu.system.irq import FakeIrq

SECOND = 1_000_000_000


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock(now=12_345)
        self.irq = FakeIrq()
        self.pit = I8254(self.clock, self.irq)
        self.speaker = Pcspk(self.pit)

    def control(self, value: int) -> None:
        self.pit.write(3, 1, value)

    def program(self, counter: int, mode: int, count: int, bcd: int = 0) -> None:
        self.control(counter << 6 | 0x30 | mode << 1 | bcd)
        self.pit.write(counter, 1, count & 0xFF)
        self.pit.write(counter, 1, count >> 8)

    def read16(self, counter: int) -> int:
        return self.pit.read(counter, 1) | self.pit.read(counter, 1) << 8

    def latched(self, counter: int) -> int:
        self.control(counter << 6)
        return self.read16(counter)

    def status(self, counter: int) -> int:
        self.control(0xE0 | 2 << counter)
        return self.pit.read(counter, 1)

    def out(self, counter: int) -> bool:
        return bool(self.status(counter) & 0x80)

    def tick(self, count: int) -> None:
        """Go to the moment at which ``count`` more ticks than now have been counted from a fresh load."""
        self.clock.advance(time_of(count))


@pytest.fixture
def b() -> Bench:
    return Bench()


def test_time_and_ticks_agree_at_every_edge() -> None:
    for count in (1, 2, 3, 1193, 65536, FREQUENCY, 10**12 + 7):
        assert ticks(time_of(count)) == count
        assert ticks(time_of(count) - 1) == count - 1


def test_irq0_runs_at_18_hz_after_reset(b: Bench) -> None:
    before = b.irq.edges
    b.clock.advance(10 * SECOND)
    assert b.irq.edges - before == 182


# ---- modes ----


def test_mode_0_rises_at_terminal_count_and_stays(b: Bench) -> None:
    b.program(0, 0, 1000)
    assert not b.irq.level
    b.tick(999)
    assert b.latched(0) == 1
    assert not b.irq.level
    b.tick(2)
    assert b.irq.level
    b.clock.advance(SECOND)
    assert b.irq.edges == 1 + 1  # the reset state's level, and this one
    assert b.out(0)


def test_mode_0_first_byte_stops_second_restarts(b: Bench) -> None:
    b.program(0, 0, 10)
    b.pit.write(0, 1, 100)
    b.tick(50)
    assert not b.irq.level
    b.pit.write(0, 1, 0)
    b.tick(100)
    assert b.irq.level


def test_mode_0_gate_suspends(b: Bench) -> None:
    b.speaker.write(0, 1, 1)
    b.program(2, 0, 1000)
    b.tick(400)
    b.speaker.write(0, 1, 0)
    b.tick(5000)
    assert b.latched(2) == 600
    b.speaker.write(0, 1, 1)
    b.tick(599)
    assert not b.speaker.read(0, 1) & 0x20
    b.tick(2)
    assert b.speaker.read(0, 1) & 0x20


def test_mode_1_is_triggered_by_the_gate(b: Bench) -> None:
    b.program(2, 1, 100)
    assert b.out(2)
    b.tick(1000)
    assert b.out(2)
    b.speaker.write(0, 1, 1)
    assert not b.out(2)
    b.tick(99)
    assert not b.out(2)
    b.tick(2)
    assert b.out(2)
    b.speaker.write(0, 1, 0)
    b.speaker.write(0, 1, 1)
    assert not b.out(2)


def test_mode_2_divides_exactly(b: Bench) -> None:
    b.program(0, 2, 1193)
    start = b.clock.now()
    edges = b.irq.edges
    for number in range(1, 2000):
        deadline = b.clock.next_deadline()
        assert deadline == start + time_of(1193 * number)
        b.clock.advance(deadline - b.clock.now())
    assert b.irq.edges - edges == 1999


def test_mode_2_count_goes_from_n_to_1(b: Bench) -> None:
    b.program(2, 2, 3)
    b.speaker.write(0, 1, 1)
    seen = []
    start = b.clock.now()
    for number in range(7):
        b.clock.advance(start + time_of(number) - b.clock.now())
        seen.append((b.latched(2), b.out(2)))
    assert seen == [(3, True), (2, True), (1, False)] * 2 + [(3, True)]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (4, [(4, 1), (2, 1), (4, 0), (2, 0), (4, 1)]),
        (5, [(4, 1), (2, 1), (0, 1), (4, 0), (2, 0), (4, 1)]),
    ],
)
def test_mode_3_counts_by_two(b: Bench, count: int, expected: list[tuple[int, int]]) -> None:
    b.program(2, 3, count)
    b.speaker.write(0, 1, 1)
    start = b.clock.now()
    seen = []
    for number in range(len(expected)):
        b.clock.advance(start + time_of(number) - b.clock.now())
        seen.append((b.latched(2), int(b.out(2))))
    assert seen == expected


def test_mode_4_strobes_once(b: Bench) -> None:
    b.program(0, 4, 100)
    edges = b.irq.edges
    b.tick(100)
    assert b.irq.edges == edges
    b.tick(2)
    assert b.irq.edges == edges + 1
    b.clock.advance(SECOND)
    assert b.irq.edges == edges + 1


def test_mode_5_strobes_after_a_trigger(b: Bench) -> None:
    b.program(2, 5, 100)
    b.tick(1000)
    assert b.out(2)
    b.speaker.write(0, 1, 1)
    b.clock.advance(time_of(100))
    assert not b.out(2)
    b.tick(2)
    assert b.out(2)


def test_modes_6_and_7_are_2_and_3(b: Bench) -> None:
    b.program(2, 6, 50)
    assert b.status(2) >> 1 & 7 == 2
    b.program(2, 7, 50)
    assert b.status(2) >> 1 & 7 == 3


def test_new_count_takes_effect_after_the_running_period(b: Bench) -> None:
    b.program(0, 2, 10_000)
    start = b.clock.now()
    b.tick(2000)
    b.pit.write(0, 1, 0x88)
    b.pit.write(0, 1, 0x13)  # 5000
    assert b.status(0) & 0x40
    assert b.clock.next_deadline() == start + time_of(10_000)
    b.clock.advance(time_of(8001))
    assert not b.status(0) & 0x40
    deadline = b.clock.next_deadline()
    assert deadline is not None
    assert abs(deadline - start - time_of(15_000)) <= 1


def test_bcd(b: Bench) -> None:
    b.speaker.write(0, 1, 1)
    b.program(2, 0, 0x1000, bcd=1)
    b.tick(1)
    assert b.latched(2) == 0x0999
    b.program(2, 2, 0, bcd=1)
    b.tick(1)
    assert b.latched(2) == 0x9999


# ---- access ----


def test_single_byte_access(b: Bench) -> None:
    b.speaker.write(0, 1, 1)
    b.control(0x80 | 0x10 | 4)  # low byte only, mode 2
    b.pit.write(2, 1, 200)
    b.tick(10)
    assert b.pit.read(2, 1) == 190
    b.control(0x80 | 0x20 | 4)  # high byte only
    b.pit.write(2, 1, 2)
    assert b.pit.read(2, 1) == 2
    b.tick(1)
    assert b.pit.read(2, 1) == 1


def test_latched_count_stands_still(b: Bench) -> None:
    b.speaker.write(0, 1, 1)
    b.program(2, 2, 60_000)
    b.tick(100)
    b.control(0x80)
    b.tick(100)
    b.control(0x80)  # ignored: not read yet
    assert b.read16(2) == 59_900
    assert b.read16(2) == 59_800


def test_read_back_latches_several(b: Bench) -> None:
    b.speaker.write(0, 1, 1)
    b.program(0, 2, 1000)
    b.program(2, 2, 2000)
    b.tick(10)
    b.control(0xC0 | 2 | 8)  # status and count of 0 and 2
    b.tick(10)
    assert b.pit.read(0, 1) == 0xB4
    assert b.read16(0) == 990
    assert b.pit.read(2, 1) == 0xB4
    assert b.read16(2) == 1990


def test_status_null_count_until_loaded(b: Bench) -> None:
    b.control(0x34)
    assert b.status(0) == 0xF4
    b.pit.write(0, 1, 0)
    assert b.status(0) == 0xF4
    b.pit.write(0, 1, 0)
    assert b.status(0) == 0xB4


def test_control_port_is_write_only(b: Bench) -> None:
    assert b.pit.read(3, 1) == 0


# ---- a late host ----


def late(b: Bench, nanoseconds: int) -> None:
    b.clock._now += nanoseconds
    b.clock.run_due()


def test_missed_ticks_are_made_up_for(b: Bench) -> None:
    b.program(0, 2, 11932)  # 100 Hz
    start, edges = b.clock.now(), b.irq.edges
    late(b, 95 * SECOND // 1000)
    assert b.irq.edges == edges + 1  # no storm
    b.clock.advance(SECOND - (b.clock.now() - start))
    assert b.irq.edges - edges == 99  # 99.997 periods


def test_making_up_is_bounded(b: Bench) -> None:
    b.program(0, 2, 11932)
    edges = b.irq.edges
    late(b, 60 * SECOND)
    b.clock.advance(SECOND)
    assert b.irq.edges - edges <= 100 + 34


def test_short_periods_drop_missed_ticks(b: Bench) -> None:
    b.program(0, 2, 120)  # 10 kHz
    edges = b.irq.edges
    late(b, SECOND // 10)
    b.clock.advance(SECOND // 10)
    assert b.irq.edges - edges <= 1 + 1000


def test_nonsense_period_is_no_storm(b: Bench) -> None:
    b.program(0, 2, 1)
    edges = b.irq.edges
    b.clock.advance(SECOND // 10)
    assert b.irq.edges - edges <= 5001


# ---- surroundings ----


def test_hpet_takes_irq0_over(b: Bench) -> None:
    b.pit.irq_enable.set(False)
    edges = b.irq.edges
    b.clock.advance(SECOND)
    assert b.irq.edges == edges
    b.pit.irq_enable.set(True)
    b.clock.advance(SECOND)
    assert b.irq.edges - edges >= 18


def test_port_61h(b: Bench) -> None:
    b.speaker.write(0, 1, 3)
    assert b.speaker.read(0, 1) & 3 == 3
    b.program(2, 3, 1193)
    assert b.speaker.frequency == pytest.approx(1000, rel=1e-3)
    seen = set()
    for _ in range(4):
        seen.add(b.speaker.read(0, 1) & 0x10)
        b.clock.advance(15_100)
    assert seen == {0, 0x10}


def test_saved_state_round_trip(b: Bench) -> None:
    b.program(0, 2, 11932)
    b.tick(100)
    data = b.pit.vmstate.save(b.pit)
    assert len(data) == 108
    other = Bench()
    other.clock.advance(b.clock.now() - other.clock.now())
    other.pit.vmstate.load(other.pit, data)
    assert other.clock.next_deadline() == b.clock.next_deadline()
    assert other.latched(0) == b.latched(0)
