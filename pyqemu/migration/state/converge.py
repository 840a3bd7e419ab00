"""Auto-converge: a guest that writes memory faster than it can be sent is held up more and more, until it does not."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyqemu.migration.halves import Statistics
from pyqemu.migration.parameters import Parameters
from pyqemu.system.throttle import Throttle

PERIOD = 1.0  # seconds that are looked at together, at least
PATIENCE = 2  # such periods with too much written before something is done


class AutoConverge:
    """Decides by what the guest has written, and what was sent, since the last look."""

    def __init__(self, throttle: Throttle, parameters: Parameters, statistics: Statistics, *,
                 clock: Callable[[], float] = time.monotonic) -> None:  # fmt: skip
        self._throttle = throttle
        self._parameters = parameters
        self._statistics = statistics
        self._clock = clock
        self._since = clock()
        self._sent = 0
        self._written = 0
        self._too_much = 0

    def look(self, written: int) -> None:
        """Another pass begins.

        :param written: bytes of the pages that the guest has written so far
        """
        now, sent = self._clock(), self._statistics.ram.transferred
        if now - self._since < PERIOD:
            return
        if written - self._written > (sent - self._sent) / 2:
            self._too_much += 1
            if self._too_much >= PATIENCE:
                self._too_much = 0
                self._hold_up_more()
        self._since, self._sent, self._written = now, sent, written

    def _hold_up_more(self) -> None:
        parameters, present = self._parameters, self._throttle.percentage
        wanted = present + parameters.cpu_throttle_increment if present else parameters.cpu_throttle_initial
        self._throttle.set(min(wanted, parameters.max_cpu_throttle))
        self._statistics.cpu_throttle_percentage = self._throttle.percentage

    def end(self) -> None:
        """The migration is over, well or not."""
        self._throttle.stop()
        self._statistics.cpu_throttle_percentage = None
