"""A counter that counts down at some rate, once or over and over, as timers of boards are made of.

Nothing runs while it counts: the count follows from the clock when somebody looks, and one deadline is kept.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.qom.vmstate import I64, U8, U32, U64, Timer64, VMState
from pyqemu.system.clock import SECOND, Clock

MIN_PERIOD = 10_000
"""ns between two ends of a counter that reloads itself, whatever the guest programs."""
FRACTION = 1 << 32


class PTimer:
    """The counter.

    :param expired: called when it reaches zero
    :ivar limit: what it begins with again
    """

    vmstate = VMState(
        "ptimer",
        version=1,
        fields=(
            U8("enabled", maximum=2), U64("limit"), U64("delta"), U32("period_frac"), I64("period", minimum=0),
            I64("last_event"), I64("next_event"), Timer64("timer"),
        ),
        pre_save=lambda timer: timer.settle(),
        post_load=lambda timer: timer.loaded(),
    )  # fmt: skip

    def __init__(self, clock: Clock, expired: Callable[[], None]) -> None:
        self.clock = clock
        self.expired = expired
        self.timer = clock.timer(self._due)
        self.enabled = 0  # 0: it stands still, 1: it runs, 2: it runs once
        self.limit = self.delta = 0
        self.period, self.period_frac = 0, 0
        self.last_event = self.next_event = 0

    # -- how fast

    @property
    def _step(self) -> int:
        """The time of one count in units of 2^-32 ns."""
        return self.period * FRACTION + self.period_frac

    def set_frequency(self, hertz: int) -> None:
        """How often it counts in a second."""
        count = self.count
        step = SECOND * FRACTION // hertz
        self.period, self.period_frac = divmod(step, FRACTION)
        self.set_count(count)

    # -- the count

    @property
    def count(self) -> int:
        """The count now."""
        if not self.enabled or not self._step:
            return self.delta
        left = self.next_event - self.clock.now()
        if left <= 0:
            return 0
        return min(-(-left * FRACTION // self._step), self.delta)

    def set_count(self, count: int) -> None:
        """Go on from another count."""
        self.delta = count
        if self.enabled:
            self._arm()

    def set_limit(self, limit: int, *, reload: bool) -> None:
        """Begin with another count the next time, or with *reload* at once."""
        self.limit = limit
        if reload:
            self.set_count(limit)

    def run(self, *, once: bool) -> None:
        """Start, or go on in another way."""
        count = self.count
        self.enabled = 2 if once else 1
        self.set_count(count)

    def stop(self) -> None:
        """Stand still."""
        self.delta = self.count
        self.enabled = 0
        self.timer.cancel()

    def _arm(self) -> None:
        self.last_event = self.clock.now()
        if not self._step or not (self.delta or self.limit):
            self.timer.cancel()  # it has nothing to count
            return
        if self.delta == 0 and self.enabled == 1:
            self.delta = self.limit
        time = self.delta * self._step // FRACTION
        if self.enabled == 1:
            time = max(time, MIN_PERIOD)
        self.next_event = self.last_event + time
        self.timer.set(self.next_event)

    def _due(self) -> None:
        if self.enabled == 2:
            self.enabled = self.delta = 0
        else:
            self.delta = self.limit
            late = self.next_event
            self._arm()
            if self.limit and self.next_event - self.last_event > MIN_PERIOD:
                # The next round began when this one ended, not when somebody noticed.
                self.last_event = late
                self.next_event = late + self.limit * self._step // FRACTION
                self.timer.set(self.next_event)
        self.expired()

    # -- the saved state

    def settle(self) -> None:
        """Before saving: what counts is the deadline."""

    def loaded(self) -> None:
        """State was loaded: a deadline says when it ends."""
        if self.enabled and self.timer.pending:
            self.next_event = self.timer.deadline or 0
