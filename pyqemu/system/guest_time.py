"""What time it is for the guest, as it is saved: the clock, and the counter that processors show as time-stamp counter.

The counter runs at 1 GHz on a machine that begins here. One that comes from elsewhere has been measured by its guest
already, so it goes on as fast as it was: both clock and counter began at zero together, which tells their ratio.
"""

from __future__ import annotations

from pyqemu.qom.vmstate import I64, Unused, Values, VMState
from pyqemu.system.clock import Clock, VirtualClock

LONG_ENOUGH = 100_000_000  # ns after which the ratio means something
SLOWEST, FASTEST = 10, 10  # a tenth of a GHz, ten GHz


def _check(time: GuestTime, values: Values) -> None:
    time.expect(values["ticks"], values["now"] if values.version >= 2 else 0)


class GuestTime:
    """Both, for one machine."""

    vmstate = VMState(
        "timer",
        version=2,
        minimum_version=1,
        fields=(
            I64("ticks", wire="cpu_ticks_offset"),
            Unused(8),
            I64("now", wire="cpu_clock_offset", since=2, minimum=0, maximum=1 << 62),
        ),
        check=_check,
        post_load=lambda time: time.loaded(),
    )

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._base_ticks = self._base_time = 0
        self._numerator = self._denominator = 1
        self._expected = 0, 0

    def read(self) -> int:
        """The counter."""
        passed = self.clock.now() - self._base_time
        if self._denominator == 1:
            return self._base_ticks + passed
        return self._base_ticks + passed * self._numerator // self._denominator

    @property
    def ticks(self) -> int:
        """The counter, for the saved state."""
        return self.read()

    @ticks.setter
    def ticks(self, value: int) -> None:
        """It is set with the clock, when all is known."""

    @property
    def now(self) -> int:
        """The clock, for the saved state."""
        return self.clock.now()

    @now.setter
    def now(self, value: int) -> None:
        """As ``ticks``."""

    def expect(self, ticks: int, now: int) -> None:
        """Note what will be loaded."""
        self._expected = ticks, now

    def loaded(self) -> None:
        """Set clock and counter; the clock stands still."""
        ticks, now = self._expected
        if isinstance(self.clock, VirtualClock):
            self.clock.warp(now - self.clock.now())
        self._base_ticks, self._base_time = ticks, self.clock.now()
        self._numerator = self._denominator = 1
        sensible = now // SLOWEST < ticks < now * FASTEST
        if now >= LONG_ENOUGH and sensible and ticks != now:
            self._numerator, self._denominator = ticks, now
