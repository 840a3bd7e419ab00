"""Events: time stamps, rate limits, and the way from the thread where something happens to the sessions.

Some events a guest can cause as often as it likes. Of these the first is told at once; what follows within the next
second replaces its predecessor, and the last of them is told when the second is over, which begins the next one.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from pyqemu.monitor.qmp.stream import JSON
from pyqemu.qapi.events import event_data
from pyqemu.qapi.generated.events import EVENTS
from pyqemu.util.trace_events import SILENT, TraceEvents

SECOND = 1.0
# Event -> the member of its data that tells apart what is limited by itself ("" if all of its kind count together).
RATE_LIMITED: dict[str, str] = {
    "RTC_CHANGE": "",
    "WATCHDOG": "",
    "BALLOON_CHANGE": "",
    "QUORUM_REPORT_BAD": "node-name",
    "QUORUM_FAILURE": "",
    "VSERPORT_CHANGE": "id",
    "MEMORY_DEVICE_SIZE_CHANGE": "qom-path",
}
MOST_WAITING = 1024  # events that the loop has not fetched; more only while it hangs

Message = dict[str, JSON]
Listener = Callable[[str, Message], None]


class Handle(Protocol):
    """A timer that was set."""

    def cancel(self) -> None:
        """Let it not happen."""


CallLater = Callable[[float, Callable[[], None]], Handle]


def drop_one(waiting: deque[tuple[str, Message]]) -> None:
    """Make room: away with the oldest of the events that may be lost anyhow; if there is none, the oldest."""
    for position, (name, _) in enumerate(waiting):
        if name in RATE_LIMITED:
            del waiting[position]
            return
    waiting.popleft()


class Throttle:
    """Lets events through, some of them less often than they happen. All in one thread."""

    def __init__(self, tell: Listener, call_later: CallLater, trace: TraceEvents = SILENT) -> None:
        self._tell = tell
        self._trace = trace
        self._call_later = call_later
        self._last: dict[tuple[str, JSON], Message | None] = {}  # within a second after one was told
        self._timers: dict[tuple[str, JSON], Handle] = {}

    def event(self, name: str, message: Message) -> None:
        """Something happened."""
        member = RATE_LIMITED.get(name)
        if event := self._trace.monitor_protocol_event_queue:
            rate = 0 if member is None else round(SECOND * 1e9)
            event(event=_number(name), data=id(message), rate=rate)
        if member is None:
            self._tell(name, message)
            return
        key = (name, message.get("data", {}).get(member))
        if key in self._last:
            self._last[key] = message
        else:
            self._tell_now(key, message)

    def _tell_now(self, key: tuple[str, JSON], message: Message) -> None:
        self._last[key] = None
        self._timers[key] = self._call_later(SECOND, lambda: self._second_over(key))
        self._tell(key[0], message)

    def _second_over(self, key: tuple[str, JSON]) -> None:
        message = self._last.pop(key)
        del self._timers[key]
        if event := self._trace.monitor_protocol_event_handler:
            event(event=_number(key[0]), data=id(message))
        if message is not None:
            self._tell_now(key, message)

    def close(self) -> None:
        """Cancel the timers."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._last.clear()


class EventHub:
    """Brings the machine's events to the sessions, in the loop's thread.

    :param event_data: makes JSON of an event's data
    :param clock: host time in nanoseconds since the epoch
    :param call_later: sets a timer; the loop's, if not given
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        event_data: Callable[[str, Mapping[str, object]], JSON] = event_data,
        clock: Callable[[], int] = time.time_ns,
        call_later: CallLater | None = None,
        trace: TraceEvents = SILENT,
    ) -> None:
        self.loop = loop
        self.trace = trace
        self.event_data = event_data
        self.clock = clock
        self.listeners: list[Listener] = []
        self._throttle = Throttle(self._tell, call_later or loop.call_later, trace)
        self._waiting: deque[tuple[str, Message]] = deque()
        self._mutex = threading.Lock()
        self._called = False  # the loop knows that events wait

    def sink(self, name: str, data: dict[str, object]) -> None:
        """For :attr:`pyqemu.system.System.event_sinks`. Any thread."""
        seconds, rest = divmod(self.clock(), 1_000_000_000)
        message: Message = {"timestamp": {"seconds": seconds, "microseconds": rest // 1000}, "event": name}
        json = self.event_data(name, data)
        if json is not None:
            message["data"] = json
        with self._mutex:
            if len(self._waiting) >= MOST_WAITING:
                drop_one(self._waiting)
            self._waiting.append((name, message))
            called, self._called = self._called, True
        if _in_loop(self.loop):
            self.flush()
        elif not called and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.flush)

    def flush(self) -> None:
        """(In the loop's thread.) Tell what has happened until now."""
        if not self._called:
            return
        with self._mutex:
            events = list(self._waiting)
            self._waiting.clear()
            self._called = False
        for name, message in events:
            self._throttle.event(name, message)

    def _tell(self, name: str, message: Message) -> None:
        if event := self.trace.monitor_protocol_event_emit:
            event(event=_number(name), data=id(message))
        for listener in list(self.listeners):
            listener(name, message)

    def close(self) -> None:
        """Set no more timers."""
        self._throttle.close()
        self.listeners.clear()


def _number(name: str) -> int:
    """The place of an event in the schema, as traces have it."""
    return list(EVENTS).index(name)


def _in_loop(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
