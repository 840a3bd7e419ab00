"""Events: time stamps, rate limits, other threads."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from pyqemu.monitor.qmp.events import MOST_WAITING, RATE_LIMITED, EventHub, drop_one


class Timers:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pending: list[tuple[float, Callable[[], None], Timers]] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        self.pending.append((self.now + delay, callback, self))
        return self

    def cancel(self) -> None:
        self.pending.clear()

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [entry for entry in self.pending if entry[0] <= end]:
            first = min(due, key=lambda entry: entry[0])
            self.pending.remove(first)
            self.now = first[0]
            first[1]()
        self.now = end


class Hub:
    """A hub and what it has told."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.timers = Timers()
        self.loop = loop
        self.hub = EventHub(
            loop,
            event_data=lambda name, data: {key.replace("_", "-"): value for key, value in data.items()} or None,
            clock=lambda: 1_464_220_800_123_456_789 + int(self.timers.now * 1e9),
            call_later=self.timers.call_later,
        )
        self.told: list[dict[str, Any]] = []
        self.hub.listeners.append(lambda name, message: self.told.append(message))

    def emit(self, name: str, **data: object) -> None:
        self.hub.sink(name, data)
        self.hub.flush()

    def news(self) -> list[Any]:
        """Data of what was told since the last call."""
        found = [event.get("data") for event in self.told]
        self.told.clear()
        return found


@pytest.fixture
def hub(loop: asyncio.AbstractEventLoop) -> Hub:
    return Hub(loop)


def test_shape(hub: Hub) -> None:
    hub.emit("STOP")
    hub.emit("DEVICE_TRAY_MOVED", device="cd", tray_open=True)
    stamp = {"seconds": 1_464_220_800, "microseconds": 123_456}
    assert hub.told == [
        {"timestamp": stamp, "event": "STOP"},
        {"timestamp": stamp, "event": "DEVICE_TRAY_MOVED", "data": {"device": "cd", "tray-open": True}},
    ]


def test_data_is_the_schemas(loop: asyncio.AbstractEventLoop) -> None:
    hub, told = EventHub(loop), []
    hub.listeners.append(lambda name, message: told.append(message["data"]))
    hub.sink("DEVICE_TRAY_MOVED", {"device": "cd", "id": "x", "tray_open": True})
    hub.flush()
    assert told == [{"device": "cd", "id": "x", "tray-open": True}]


def test_most_events_are_not_limited(hub: Hub) -> None:
    for number in range(5):
        hub.emit("RESET", n=number)
    assert [data["n"] for data in hub.news()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", RATE_LIMITED)
def test_first_at_once_last_when_the_second_is_over(hub: Hub, name: str) -> None:
    for number in range(5):
        hub.emit(name, n=number)
        hub.timers.advance(0.1)
    assert hub.news() == [{"n": 0}]
    hub.timers.advance(0.5)
    assert hub.told[0]["timestamp"]["microseconds"] == 523_456  # of when it happened
    assert hub.news() == [{"n": 4}]
    hub.emit(name, n=5)
    hub.timers.advance(0.9)
    assert hub.news() == []
    hub.timers.advance(0.1)
    assert hub.news() == [{"n": 5}]
    hub.timers.advance(1)
    hub.emit(name, n=6)
    assert hub.news() == [{"n": 6}]


@pytest.mark.parametrize(
    ("name", "member"),
    [("VSERPORT_CHANGE", "id"), ("QUORUM_REPORT_BAD", "node_name"), ("MEMORY_DEVICE_SIZE_CHANGE", "qom_path")],
)
def test_limits_for_each_by_itself(hub: Hub, name: str, member: str) -> None:
    for value in ("a", "b", "a"):
        hub.emit(name, **{member: value})
    assert len(hub.news()) == 2
    hub.timers.advance(1)
    assert hub.news() == [{member.replace("_", "-"): "a"}]


def test_other_threads_events_arrive_by_the_loop(hub: Hub) -> None:
    seen: list[int] = []
    hub.hub.listeners.append(lambda name, message: seen.append(threading.get_ident()))

    def emit() -> None:
        for number in range(100):
            hub.hub.sink("RESET", {"n": number})

    thread = threading.Thread(target=emit)
    thread.start()
    thread.join()
    assert hub.told == []
    hub.loop.run_until_complete(asyncio.sleep(0))
    assert [data["n"] for data in hub.news()] == list(range(100))
    assert set(seen) == {threading.get_ident()}


def test_the_loops_own_events_do_not_wait(hub: Hub) -> None:
    async def main() -> None:
        hub.hub.sink("STOP", {})
        assert len(hub.told) == 1

    hub.loop.run_until_complete(main())


def test_no_more_than_enough_wait_for_the_loop(hub: Hub) -> None:
    hub.hub.sink("WATCHDOG", {"n": "w"})
    for number in range(MOST_WAITING + 3):
        hub.hub.sink("RESET", {"n": number})
    hub.hub.flush()
    told = [data["n"] for data in hub.news()]
    assert len(told) == MOST_WAITING and "w" not in told and told[-1] == MOST_WAITING + 2


def test_what_is_dropped() -> None:
    waiting: deque[tuple[str, dict[str, Any]]] = deque(
        [("RESET", {}), ("RTC_CHANGE", {"n": 1}), ("STOP", {}), ("RTC_CHANGE", {"n": 2})]
    )
    for left in (["RESET", "STOP", "RTC_CHANGE"], ["RESET", "STOP"], ["STOP"]):
        drop_one(waiting)
        assert [name for name, _ in waiting] == left


def test_a_closed_loop_is_left_alone() -> None:
    loop = asyncio.new_event_loop()
    hub = EventHub(loop)
    loop.close()
    hub.sink("STOP", {})
