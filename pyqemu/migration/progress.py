"""The state of one migration: where it stands, how it ended, and how long everything took.

The end is recorded exactly once; whoever comes later with another one is not heard.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from pyqemu.migration.failure import Failure
from pyqemu.qapi.generated.types import MigrationStatus

FINAL: Final = frozenset((MigrationStatus.COMPLETED, MigrationStatus.FAILED, MigrationStatus.CANCELLED))
UNDER_WAY: Final = frozenset(
    (MigrationStatus.ACTIVE, MigrationStatus.CANCELLING, MigrationStatus.POSTCOPY_ACTIVE,
     MigrationStatus.PRE_SWITCHOVER, MigrationStatus.DEVICE)
)  # fmt: skip


class MigrationState:
    """Status, failure and times. Any thread.

    :param tell: called with each new status, in the thread that enters it
    """

    def __init__(self, tell: Callable[[MigrationStatus], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._ended: float | None = None
        self._halted: float | None = None
        self._is_sent = False
        self.status = MigrationStatus.NONE
        self.failure: Failure | None = None
        self.setup_time = 0  # milliseconds
        self.downtime = 0

    @property
    def is_final(self) -> bool:
        """Whether it is over."""
        return self.status in FINAL

    def enter(self, status: MigrationStatus) -> bool:
        """Go to a state that is not the last one. Returns False if it is over or is being cancelled, or too late to be
        cancelled: then nothing changes."""
        with self._lock:
            if self.is_final or self.status in (MigrationStatus.CANCELLING, status):
                return False
            if status is MigrationStatus.CANCELLING and self._is_sent:
                return False
            if status is MigrationStatus.ACTIVE:
                self.setup_time = self._milliseconds(self._began)
            self.status = status
        self._tell(status)
        return True

    def finish(self, status: MigrationStatus, failure: Failure | None = None) -> bool:
        """Record how it ended. Returns False if that was recorded before.

        What was being cancelled is cancelled, whatever came of it.
        """
        with self._lock:
            if self.is_final:
                return False
            if self.status is MigrationStatus.CANCELLING:
                status, failure = MigrationStatus.CANCELLED, None
            self._ended = self._clock()
            if self._halted is not None:
                self.downtime = self._milliseconds(self._halted)
            self.failure = failure
            self.status = status
        self._tell(status)
        return True

    def add_consequence(self, stuck: Failure) -> None:
        """The guest cannot go on here after the failure."""
        with self._lock:
            if self.failure is not None:
                self.failure = self.failure.followed_by(stuck)

    def send_last(self) -> bool:
        """The last bytes are about to leave: with them the guest may run elsewhere, so that nothing is cancelled any
        more. Returns False if it is being cancelled already: then they must not leave."""
        with self._lock:
            self._is_sent = self.status is not MigrationStatus.CANCELLING
            return self._is_sent

    def halt(self) -> None:
        """The guest stands still from now on."""
        self._halted = self._clock()

    def resume(self) -> None:
        """It runs again, at the other side."""
        if self._halted is not None:
            self.downtime = self._milliseconds(self._halted)
            self._halted = None

    def _milliseconds(self, since: float) -> int:
        return round((self._clock() - since) * 1000)

    @property
    def total_time(self) -> int:
        """Milliseconds, up to now or its end."""
        return round(((self._clock() if self._ended is None else self._ended) - self._began) * 1000)
