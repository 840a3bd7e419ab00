"""The share of real time for which the vCPUs are held up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from pyqemu.system.throttle import MOST, TIMESLICE, Throttle

PATIENCE = 60.0


class Holds:
    """What a throttle asks for: when, for how long, until when."""

    def __init__(self, throttle: Throttle) -> None:
        self.asked: list[tuple[float, float]] = []
        self.ends: list[float] = []
        self.enough = threading.Event()
        throttle.hold = self.hold

    def hold(self, until: float) -> None:
        now = time.monotonic()
        self.asked.append((now, until and until - now))
        self.ends.append(until)
        if len(self.asked) == 5:
            self.enough.set()


@pytest.fixture
def throttle() -> Iterator[Throttle]:
    throttle = Throttle()
    yield throttle
    throttle.stop()


@pytest.mark.parametrize("percentage", [20, 50, 90])
def test_it_holds_for_that_share_and_leaves_a_timeslice_between(throttle: Throttle, percentage: int) -> None:
    holds = Holds(throttle)
    throttle.set(percentage)
    assert holds.enough.wait(PATIENCE)
    halt = TIMESLICE * percentage / (100 - percentage)
    assert max(length for _, length in holds.asked) > 0.5 * halt
    assert max(length for _, length in holds.asked) <= halt
    for end, following in pairwise(holds.ends):
        assert following - end >= halt + 0.9 * TIMESLICE


def test_it_never_holds_for_ever(throttle: Throttle) -> None:
    throttle.set(100)
    assert throttle.percentage == MOST


def test_the_end_lets_go_at_once_and_asks_for_nothing_more(throttle: Throttle) -> None:
    holds = Holds(throttle)
    throttle.set(99)  # holds for a second
    throttle.stop()
    assert (holds.asked[-1][1], throttle.percentage) == (0.0, 0)
    count = len(holds.asked)
    throttle.stop()
    throttle.set(50)
    assert holds.enough.wait(PATIENCE)
    assert len(holds.asked) > count
