"""The generic timer of one processor (ARM DDI 0487A.f, D6): counters that follow the guest's clock, and four timers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pyqemu.system.clock import Clock

FREQUENCY = 62_500_000  #: Hz: 16 ns for each count
SCALE = 10**9 // FREQUENCY  #: ns
ENABLE, IMASK, ISTATUS = 1, 2, 4
M64 = (1 << 64) - 1
PHYSICAL, VIRTUAL, HYPERVISOR, SECURE = range(4)  #: CNTP, CNTV, CNTHP, CNTPS
_FAR = 1 << 62  # ns: what is later is never


class GenericTimer:
    """The counters, and the timers that compare with them.

    :ivar offset: CNTVOFF: what the virtual counter is behind
    :ivar outputs: lines to the interrupt controller, by timer
    :ivar timers: of the clock: when they will change
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.offset = 0
        self.compare = [0, 0, 0, 0]
        self.control = [0, 0, 0, 0]
        self.outputs: list[Callable[[bool], None]] = [lambda level: None] * 4
        self.timers = [clock.timer(partial(self.update, number)) for number in range(4)]

    def reset(self) -> None:
        """All timers off."""
        self.offset = 0
        for number in range(4):
            self.compare[number] = self.control[number] = 0
            self.update(number)

    # -- counters

    @property
    def physical(self) -> int:
        """CNTPCT: counts since the guest's clock began."""
        return self._clock.now() // SCALE

    @property
    def virtual(self) -> int:
        """CNTVCT."""
        return self.physical - self.offset & M64

    def count(self, number: int) -> int:
        """The counter that a timer compares with."""
        return self.virtual if number == VIRTUAL else self.physical

    # -- timers

    def read_control(self, number: int) -> int:
        """CTL; ISTATUS only tells while the timer is enabled."""
        control = self.control[number]
        return control | ISTATUS if control & ENABLE and self._is_due(number) else control

    def saved_control(self, number: int) -> int:
        """CTL as QEMU saves it: with ISTATUS, which is stored there. A timer that has it does not ring again."""
        has_rung = self.timers[number].deadline is None
        return self.read_control(number) if has_rung else self.control[number]

    def write_control(self, number: int, value: int) -> None:
        """CTL."""
        self.control[number] = value & (ENABLE | IMASK)
        self.update(number)

    def write_compare(self, number: int, value: int) -> None:
        """CVAL."""
        self.compare[number] = value & M64
        self.update(number)

    def read_value(self, number: int) -> int:
        """TVAL: counts that are left, 32 bits."""
        return self.compare[number] - self.count(number) & 0xFFFFFFFF

    def write_value(self, number: int, value: int) -> None:
        """TVAL: so many counts from now on, 32 bits with a sign."""
        value &= 0xFFFFFFFF
        self.write_compare(number, self.count(number) + (value - (1 << 32) if value >> 31 else value))

    def set_offset(self, value: int) -> None:
        """CNTVOFF."""
        self.offset = value & M64
        self.update(VIRTUAL)

    def _is_due(self, number: int) -> bool:
        return self.count(number) - self.compare[number] & M64 < 1 << 63

    def update(self, number: int) -> None:
        """Drive a timer's line, and wait for the next time that it changes."""
        control, physical = self.control[number], self.physical  # read once: time passes meanwhile
        count = physical - self.offset & M64 if number == VIRTUAL else physical
        due = bool(control & ENABLE) and count - self.compare[number] & M64 < 1 << 63
        self.outputs[number](due and not control & IMASK)
        timer = self.timers[number]
        deadline = (physical + (self.compare[number] - count & M64)) * SCALE
        if control & ENABLE and not due and deadline < _FAR:
            timer.set(deadline)
        else:
            timer.cancel()

    def resume(self, number: int) -> None:
        """State was loaded, the deadline too. A timer that was due, and had not rung when the guest stopped,
        rings when it goes on."""
        deadline = self.timers[number].deadline
        if deadline is None or deadline > self._clock.now() or not self.control[number] & ENABLE:
            self.update(number)


class CycleCounter:
    """PMCCNTR: nanoseconds of guest time stand for cycles, as nothing here has others.

    :ivar on: whether it counts
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.on = False
        self._divider = 1
        self._base = 0  # value when it was switched on, or while it is off
        self._since = 0

    @property
    def value(self) -> int:
        """Cycles."""
        if not self.on:
            return self._base
        return self._base + (self._clock.now() - self._since) // self._divider & M64

    def set(self, value: int) -> None:
        """Count on from *value*."""
        self._base, self._since = value & M64, self._clock.now()

    def switch(self, *, on: bool, divider: int) -> None:
        """Count every, or every 64th, cycle; or none."""
        self.set(self.value)
        self.on, self._divider = on, divider
