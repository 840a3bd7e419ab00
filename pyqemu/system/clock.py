"""Clocks and timers. All times are integer nanoseconds.

A timer belongs to a clock; timers wait in a heap. ``set`` and ``cancel`` may be called from any
thread. Callbacks run in whichever thread calls ``run_due`` (the vCPU's for guest time), which must
hold the big lock, since they touch devices.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
MICROSECOND = 1_000


class Timer:
    """Calls ``callback`` once when its clock reaches ``deadline``. Setting it again re-arms it."""

    __slots__ = ("_clock", "_ticket", "callback", "deadline")

    def __init__(self, clock: Clock, callback: Callable[[], None]) -> None:
        self._clock = clock
        self._ticket = 0  # of the heap entry that counts; 0: none
        self.callback = callback
        self.deadline: int | None = None
        """When it is due; None while it is not pending."""

    @property
    def pending(self) -> bool:
        """Whether it is armed."""
        return self.deadline is not None

    def set(self, deadline: int) -> None:
        """Arm it for ``deadline`` on its clock; one in the past is due at once."""
        self._clock._arm(self, deadline)

    def cancel(self) -> None:
        """Disarm it; nothing happens if it is not armed."""
        self._clock._disarm(self)


class Clock:
    """A time source with timers. Subclasses say what time it is."""

    def __init__(self) -> None:
        self.deadline_changed: Callable[[], None] | None = None
        """Called when a timer becomes the first one due, from the thread that set it, without any
        lock of the clock's: whoever sleeps until :meth:`next_deadline` must look again."""
        self._heap: list[tuple[int, int, Timer]] = []
        self._tickets = 0
        self._mutex = threading.Lock()

    def now(self) -> int:
        """Return the time in nanoseconds."""
        raise NotImplementedError

    def timer(self, callback: Callable[[], None]) -> Timer:
        """Return a new, disarmed timer."""
        return Timer(self, callback)

    def next_deadline(self) -> int | None:
        """Return when the next timer is due, or None if none is armed."""
        with self._mutex:
            return self._first()

    def run_due(self) -> bool:
        """Run the timers that are due, in order. Return whether there were any."""
        now = self.now()
        ran = False
        while True:
            with self._mutex:
                deadline = self._first()
                if deadline is None or deadline > now:
                    return ran
                timer = heapq.heappop(self._heap)[2]
                timer._ticket = 0
                timer.deadline = None
            timer.callback()
            ran = True

    def _first(self) -> int | None:
        """The earliest deadline; drops entries of timers that were cancelled or set anew."""
        heap = self._heap
        while heap:
            deadline, ticket, timer = heap[0]
            if timer._ticket == ticket:
                return deadline
            heapq.heappop(heap)
        return None

    def _arm(self, timer: Timer, deadline: int) -> None:
        with self._mutex:
            self._tickets += 1
            timer._ticket = self._tickets
            timer.deadline = deadline
            heapq.heappush(self._heap, (deadline, timer._ticket, timer))
            first = self._heap[0][2] is timer
            if len(self._heap) > 64:
                self._compact()
        if first and self.deadline_changed is not None:
            self.deadline_changed()

    def _disarm(self, timer: Timer) -> None:
        with self._mutex:
            timer._ticket = 0
            timer.deadline = None

    def _compact(self) -> None:
        """Drop dead entries when they are the majority; a timer set again and again makes many."""
        live = [entry for entry in self._heap if entry[2]._ticket == entry[1]]
        if 2 * len(live) < len(self._heap):
            heapq.heapify(live)
            self._heap = live


class RealtimeClock(Clock):
    """The host's time since some start; never stops (QEMU_CLOCK_REALTIME)."""

    def now(self) -> int:
        return time.monotonic_ns()


def _stopped() -> int:
    """The source of a guest time that stands still."""
    return 0


class VirtualClock(Clock):
    """Guest time: starts at 0 and stands still while the machine is stopped.

    With an ``icount`` source, a callable, guest time is what it returns (plus what was warped over
    while the CPU slept), so that a run is deterministic.
    """

    def __init__(self, icount: Callable[[], int] | None = None) -> None:
        super().__init__()
        self._icount = icount
        self._running = False
        self._offset = 0  # guest time minus what _read returns
        self._read: Callable[[], int] = _stopped

    def now(self) -> int:
        return self._read() + self._offset

    @property
    def running(self) -> bool:
        """Whether guest time passes."""
        return self._running

    @property
    def icount(self) -> Callable[[], int] | None:
        """The source of guest time instead of the host's clock, if there is one."""
        return self._icount

    def use_icount(self, source: Callable[[], int]) -> None:
        """Take guest time from ``source`` (nanoseconds) from now on."""
        running = self._running
        self.stop()
        self._icount = source
        if running:
            self.start()

    def start(self) -> None:
        """Let guest time pass."""
        if self._running:
            return
        self._running = True
        self._read = self._icount if self._icount is not None else time.monotonic_ns
        self._offset -= self._read()
        if self.deadline_changed is not None:
            self.deadline_changed()

    def stop(self) -> None:
        """Let guest time stand still."""
        if not self._running:
            return
        self._offset = self.now()
        self._read = _stopped
        self._running = False

    def warp(self, nanoseconds: int) -> None:
        """Skip time in which nothing could happen (icount, all CPUs halted), or set it (loading)."""
        self._offset += nanoseconds


class FakeClock(Clock):
    """A clock for tests, moved by hand."""

    def __init__(self, now: int = 0) -> None:
        super().__init__()
        self._now = now

    def now(self) -> int:
        return self._now

    def advance(self, nanoseconds: int) -> None:
        """Move on; each timer that comes due runs at its very deadline, in order."""
        target = self._now + nanoseconds
        while True:
            deadline = self.next_deadline()
            if deadline is None or deadline > target:
                break
            self._now = max(self._now, deadline)
            self.run_due()
        self._now = target


class RtcClock:
    """The wall time that real-time clock chips show: ``-rtc base=...,clock=...``.

    ``time()`` is in seconds since the epoch. ``base`` is ``utc``, ``localtime`` or the start date as
    seconds since the epoch; ``source`` is ``host`` (jumps with the host's date), ``rt`` (does not) or
    ``vm`` (guest time).
    """

    def __init__(self, base: str | float = "utc", source: str = "host", virtual: Clock | None = None) -> None:
        if source == "vm" and virtual is None:
            raise ValueError("clock=vm needs the virtual clock")
        self.base = base
        self.source = source
        self._virtual = virtual
        now = time.time()
        start = float(base) if isinstance(base, (int, float)) else now
        if base == "localtime":
            start += time.localtime(now).tm_gmtoff
        self._offset = start - self._elapsed()

    def _elapsed(self) -> float:
        if self.source == "vm":
            assert self._virtual is not None
            return self._virtual.now() / SECOND
        if self.source == "rt":
            return time.monotonic()
        return time.time()

    def time(self) -> float:
        """Return the wall time that a guest should see, in seconds since the epoch."""
        return self._elapsed() + self._offset
