"""Clocks and timers."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.system import FakeClock, RtcClock, VirtualClock
from pyqemu.system.clock import SECOND


def test_timers_run_in_order_at_their_deadlines() -> None:
    clock = FakeClock(now=100)
    ran: list[tuple[str, int]] = []
    late, early = (
        clock.timer(lambda: ran.append(("late", clock.now()))),
        clock.timer(lambda: ran.append(("early", clock.now()))),
    )
    late.set(300)
    early.set(200)
    assert clock.next_deadline() == 200
    clock.advance(150)
    assert ran == [("early", 200)]
    clock.advance(150)
    assert ran == [("early", 200), ("late", 300)]
    assert not late.pending
    assert clock.now() == 400


def test_setting_again_moves_and_cancel_forgets() -> None:
    clock = FakeClock()
    ran: list[int] = []
    timer = clock.timer(lambda: ran.append(clock.now()))
    timer.set(10)
    timer.set(50)
    assert (timer.deadline, clock.next_deadline()) == (50, 50)
    clock.advance(20)
    assert ran == []
    timer.cancel()
    assert clock.next_deadline() is None
    clock.advance(100)
    assert ran == []


def test_a_callback_may_arm_its_own_timer() -> None:
    clock = FakeClock()
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(clock.now())
        timer.set(clock.now() + 10)

    timer = clock.timer(tick)
    timer.set(10)
    clock.advance(35)
    assert ticks == [10, 20, 30]


def test_deadline_in_the_past_is_due_at_once_without_turning_time_back() -> None:
    clock = FakeClock(now=100)
    seen: list[int] = []
    clock.timer(lambda: seen.append(clock.now())).set(5)
    clock.advance(0)
    assert seen == [100]


def test_deadline_changed_tells_of_a_new_first_timer_only() -> None:
    clock = FakeClock()
    calls: list[int | None] = []
    clock.deadline_changed = lambda: calls.append(clock.next_deadline())
    first, second = clock.timer(lambda: None), clock.timer(lambda: None)
    first.set(100)
    second.set(200)
    second.set(50)
    assert calls == [100, 50]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1000) | st.none()), max_size=300))
def test_many_changes_leave_each_timer_with_its_last_deadline(changes: list[tuple[int, int | None]]) -> None:
    clock = FakeClock()
    ran: dict[int, int] = {}

    def note(number: int) -> None:
        ran[number] = clock.now()

    timers = [clock.timer(partial(note, number)) for number in range(10)]
    expected: dict[int, int] = {}
    for number, deadline in changes:
        if deadline is None:
            timers[number].cancel()
            expected.pop(number, None)
        else:
            timers[number].set(deadline)
            expected[number] = deadline
    assert clock.next_deadline() == min(expected.values(), default=None)
    clock.advance(1000)
    assert ran == expected


def test_timers_may_be_set_from_many_threads() -> None:
    clock = FakeClock()
    ran: list[int] = []

    def work(number: int) -> None:
        for turn in range(200):
            timer = clock.timer(lambda: ran.append(number))
            timer.set(turn)
            if turn % 2:
                timer.cancel()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.advance(1000)
    assert sorted(ran) == sorted([0, 1, 2, 3] * 100)


def test_virtual_time_stands_still_while_stopped() -> None:
    clock = VirtualClock()
    assert clock.now() == 0
    clock.start()
    while clock.now() == 0:
        pass
    clock.stop()
    frozen = clock.now()
    assert frozen > 0
    assert clock.now() == frozen
    clock.start()
    assert frozen <= clock.now() < frozen + 60 * SECOND


def test_virtual_time_can_be_counted_instructions() -> None:
    count = 1000
    clock = VirtualClock(lambda: count)
    clock.start()
    assert clock.now() == 0
    count = 1500
    assert clock.now() == 500
    clock.warp(100)
    clock.stop()
    count = 9999
    assert clock.now() == 600
    clock.start()
    count += 1
    assert clock.now() == 601


def test_switch_to_icount_keeps_the_time() -> None:
    clock = VirtualClock()
    clock.warp(777)
    clock.use_icount(lambda: 5)
    clock.start()
    assert clock.now() == 777


def test_wall_time_by_base_and_source() -> None:
    virtual = FakeClock()
    rtc = RtcClock(base=1_000_000, source="vm", virtual=virtual)
    virtual.advance(3 * SECOND)
    assert rtc.time() == 1_000_003
    assert abs(RtcClock().time() - time.time()) < 60
    local = time.time() + time.localtime().tm_gmtoff
    assert abs(RtcClock("localtime", "rt").time() - local) < 60
    with pytest.raises(ValueError, match="virtual clock"):
        RtcClock(source="vm")
