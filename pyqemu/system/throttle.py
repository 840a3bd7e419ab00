"""Holding up the vCPUs for a share of real time, so that a guest writes less memory than migration can send.

Only real time passes while they are held up: an instruction count stands still, and timers of devices run as ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

TIMESLICE = 0.01  # seconds that the guest runs between two halts
MOST = 99  # percent


def _nobody(until: float) -> None:
    return None


class Throttle:
    """Any thread.

    :ivar hold: makes the vCPUs run nothing before that time (``time.monotonic``); must not block
    """

    def __init__(self) -> None:
        self.hold: Callable[[float], None] = _nobody
        self._percentage = 0
        self._lock = threading.Lock()
        self._stopped: threading.Event | None = None  # of the thread that is at work

    @property
    def percentage(self) -> int:
        """How much of the time the guest is held up; 0: it is not."""
        return self._percentage

    def set(self, percentage: int) -> None:
        """Hold the guest up for so much of the time, at most :data:`MOST`."""
        with self._lock:
            self._percentage = min(percentage, MOST)
            if self._stopped is None:
                self._stopped = threading.Event()
                threading.Thread(target=self._main, args=(self._stopped,), name="throttle", daemon=True).start()

    def stop(self) -> None:
        """Let it run."""
        with self._lock:
            if self._stopped is None:
                return
            self._stopped.set()
            self._stopped, self._percentage = None, 0
            self.hold(0.0)

    def _main(self, stopped: threading.Event) -> None:
        while True:
            with self._lock:
                if stopped.is_set():
                    return
                share = self._percentage / 100
                halt = TIMESLICE * share / (1 - share)
                self.hold(time.monotonic() + halt)
            stopped.wait(halt + TIMESLICE)
