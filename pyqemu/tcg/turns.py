"""The loop that runs processors: in turn, on the thread that calls :meth:`Turns.run`.

A turn ends when its processor sleeps or gives way, when another one is interrupted, or when its slice is over: after
some milliseconds, or, under ``-icount``, after a number of instructions, so that a run can be repeated. Sleeping
processors are passed over; if all sleep, the thread does. So translated code of one processor never runs beside that of
another: what an instruction does to memory is atomic, and no cache or TLB changes while anybody uses it.

Native code runs without the big lock; whatever comes back to Python runs with it. Other threads get attention by
:meth:`Turns.kick`, which sets a word that every block of the processor whose turn it is looks at.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyqemu.memory import PageLost
from pyqemu.tcg.env import EXIT_REQUEST

if TYPE_CHECKING:
    from pyqemu.tcg.cpu import Cpu

_REQUEST = EXIT_REQUEST >> 2
SLICE_INSTRUCTIONS = 1 << 18  #: of a turn under ``-icount``
LAST_INSTRUCTIONS = 64  #: a turn with fewer left is over: a block may have as many
NAP = 1_000_000  #: ns of guest time to sleep at most while all wait for an event, which nobody may tell


class Turns:
    """Runs processors in turn. *lock* is the big lock.

    :ivar cpus: in the order of their turns
    :ivar current: whose turn it is, or was last
    :ivar icount_sleep: with ``-icount``, sleep as long as the guest does; else skip that time
    :ivar before_execution: called after timers have run: sets the budget
    :ivar on_idle: called before all processors sleep
    :ivar on_shared: told whenever a second processor begins to have work (True), or no longer has any
    """

    current: Cpu

    def __init__(self, lock: Any) -> None:
        self.lock = lock
        self.cpus: list[Cpu] = []
        self.icount_sleep = True
        self.before_execution: Callable[[], None] | None = None
        self.on_idle: Callable[[], None] | None = None
        self.on_shared: Callable[[bool], None] | None = None
        self._thread: int | None = None
        self._wake = threading.Condition(threading.Lock())
        self._awake = False
        self._stopping = False
        self._attention = False  # somebody has kicked since work was last looked for
        self._over = False  # the turn shall end
        self._shared = False  # more than one has work
        self._slice_end = 0  # of the instruction count
        self._held_until = 0.0  # of time.monotonic
        self._work: deque[Callable[[], None]] = deque()

    def add(self, cpu: Cpu) -> None:
        """Let *cpu* have turns, after all others."""
        if not self.cpus:
            self.current = cpu
        cpu.index = len(self.cpus)
        self.cpus.append(cpu)

    @property
    def counts_instructions(self) -> bool:
        """Whether turns end after a number of instructions (``-icount``)."""
        engine = self.current.engine
        return engine is not None and engine.icount

    # --- attention ----------------------------------------------------------------------------------------------------

    def is_mine(self) -> bool:
        """Whether nobody runs processors, or the caller's thread does."""
        return self._thread is None or self._thread == threading.get_ident()

    def is_current_thread(self) -> bool:
        """Whether the caller is the thread that runs the processors."""
        return self._thread == threading.get_ident()

    def kick(self) -> None:
        """Make the thread come to its main loop soon. Any thread."""
        self._attention = True  # before the word is set: that of the next one may have been cleared already
        self.current.l[_REQUEST] = 1
        with self._wake:
            self._awake = True
            self._wake.notify_all()

    def end_turn(self) -> None:
        """Let the next processor run soon. Any thread."""
        self._over = True
        self.kick()

    def queue(self, work: Callable[[], None]) -> None:
        """Let the thread do *work* between two instructions. Any thread."""
        self._work.append(work)
        self.kick()

    def hold(self, until: float) -> None:
        """Run no instruction before that time (``time.monotonic``). Any thread.

        Timers and queued work go on; what is left of the time is kept over :meth:`stop` and another :meth:`run`.
        """
        self._held_until = until
        self.kick()

    def stop(self) -> None:
        """Make :meth:`run` return. Any thread."""
        self._stopping = True
        self.kick()

    # --- the loop -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run until :meth:`stop` is called, or a hook raises."""
        self._thread = threading.get_ident()
        try:
            with self.lock:
                while not self._stopping:
                    try:
                        self._turn()
                    except PageLost:  # the guest is over, and whoever has lost its memory ends it soon
                        self._wait(0.01)
        finally:
            self._thread = None
            self._stopping = False
            self._tell_shared(False)

    def _turn(self) -> None:
        """Queued work, timers, interrupts, which want to happen between two instructions; then some of these."""
        self._attention = False
        while self._work:
            self._work.popleft()()
        clock = self.current.clock
        if clock is not None:
            clock.run_due()
        if self.before_execution is not None:
            self.before_execution()
        cpu = self._choose() if len(self.cpus) > 1 else self._the_one()
        if cpu is None:
            self._sleep()
            return
        cpu.l[_REQUEST] = 0
        if self._attention:  # it was asked for meanwhile
            cpu.l[_REQUEST] = 1
        if cpu.interrupt_request:
            cpu.halted = False
            cpu.service_interrupts()
        if self._held_until:
            self._stay()
        else:
            cpu.execute()

    def _the_one(self) -> Cpu | None:
        cpu = self.current
        return cpu if cpu.is_awake() else None

    # --- several ------------------------------------------------------------------------------------------------------

    def _choose(self) -> Cpu | None:
        """Whose turn it is now; None if all sleep."""
        before = self.current
        engine = before.engine
        assert engine is not None
        if engine.icount and self._slice_end - engine.executed() < LAST_INSTRUCTIONS:
            self._over = True
        over, self._over = self._over, False
        start = before.index + over
        awake = [cpu for cpu in (*self.cpus[start:], *self.cpus[:start]) if cpu.is_awake()]
        self._tell_shared(len(awake) > 1)
        if not awake or (awake[0].dozing and self._all_doze(awake)):
            return None
        chosen = awake[0]
        chosen.dozing = False
        if chosen is not before:
            engine.select(chosen)
            self.current = chosen
        if engine.icount:
            if over or chosen is not before:
                self._slice_end = engine.executed() + SLICE_INSTRUCTIONS
            engine.grant_at_most(self._slice_end - engine.executed())
        return chosen

    def _tell_shared(self, shared: bool) -> None:
        if shared is not self._shared:
            self._shared = shared
            if self.on_shared is not None:
                self.on_shared(shared)

    @staticmethod
    def _all_doze(awake: list[Cpu]) -> bool:
        """Whether all wait for an event. After this time they run, whether there was one or not."""
        if not all(cpu.dozing for cpu in awake):
            return False
        for cpu in awake:
            cpu.dozing = False
        return True

    # --- waiting ------------------------------------------------------------------------------------------------------

    def _sleep(self) -> None:
        """Wait for a timer or a kick, without the big lock."""
        cpu = self.current
        clock, engine = cpu.clock, cpu.engine
        assert engine is not None
        is_nap = any(each.is_awake() for each in self.cpus)
        if self.on_idle is not None and not is_nap:
            self.on_idle()
            if self._stopping:
                return
        deadline = clock.next_deadline() if clock is not None else None
        if is_nap and clock is not None:
            end = clock.now() + NAP
            deadline = end if deadline is None else min(deadline, end)
        timeout = NAP / 1e9 if is_nap else None
        if deadline is not None and clock is not None:
            timeout = max(0, deadline - clock.now()) / 1e9
            if timeout == 0:
                return
        began = time.monotonic_ns()
        if not engine.icount or self.icount_sleep:
            self._wait(timeout)
        else:
            self.yield_lock()
        if engine.icount and clock is not None and deadline is not None:
            # An instruction count stands still while nothing runs. Undisturbed sleep ends at the very deadline.
            left = deadline - clock.now()
            elapsed = time.monotonic_ns() - began
            slept = self.icount_sleep and elapsed < (timeout or 0) * 1e9  # woken before the time was over
            clock.warp(max(0, min(left, elapsed) if slept else left))

    def _stay(self) -> None:
        """Wait for the end of a hold, a timer or a kick, without the big lock. The instruction count stands still."""
        until = self._held_until
        left = until - time.monotonic()
        if left > 0:
            self._wait(left)
        elif self._held_until == until:  # nobody has set another one meanwhile
            self._held_until = 0.0

    def _wait(self, timeout: float | None) -> None:
        """Let others have the lock until a kick, or for *timeout* seconds."""
        self.lock.release()
        try:
            with self._wake:
                if not self._awake:
                    self._wake.wait(timeout)
                self._awake = False
        finally:
            self.lock.acquire()

    def yield_lock(self) -> None:
        """Let whoever waits for the big lock have it for a moment."""
        self.lock.release()
        time.sleep(1e-6)  # a lock that is released and taken at once is never seen free by others
        self.lock.acquire()
