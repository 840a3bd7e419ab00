"""The TCG accelerator: a thread that runs translated code, and one that wakes it when a timer is due.

The vCPU thread holds the big lock whenever it is in Python and drops it while native code runs. Virtual-clock timers
run in the vCPU's thread, between two blocks; the waker only asks for its attention at the next deadline.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable

from pyqemu.system import System, VirtualClock
from pyqemu.tcg.engine import Engine
from pyqemu.tcg.turns import Turns
from pyqemu.util.errors import UserError

ENGINES = ("stencil", "python")
SWITCH_INTERVAL = 1e-4  # seconds; at Python's default of 5 ms the main thread waits that long for a translating vCPU
GC_THRESHOLD = 100_000  # new objects between two collections of the youngest
SLICE = 0.002  # seconds of a turn while others wait for theirs: as long as one may spin in vain for another
_PATIENCE = 0.002  # seconds until a vCPU that did not react is asked again


def make_engine(name: str | None = None, *, icount: bool = False) -> Engine:
    """The engine called *name*, or the best one that this host allows.

    :raise UserError: there is no such engine, or the host does not allow it.
    """
    from pyqemu.tcg.python_engine import PythonEngine
    from pyqemu.tcg.stencil_engine import StencilEngine
    from pyqemu.tcg.stencils import StencilsUnavailable

    if name not in (None, *ENGINES):
        raise UserError(f"-accel: there is no tcg engine '{name}': use one of {', '.join(ENGINES)}")
    if name == "python":
        return PythonEngine(icount=icount)
    try:
        return StencilEngine(icount=icount)
    except StencilsUnavailable as exc:
        if name == "stencil":
            raise UserError(f"-accel tcg,engine=stencil: {exc}; engine=python runs everywhere") from None
        return PythonEngine(icount=icount)


class IcountClock:
    """Guest time from the instruction count: *shift* is the binary logarithm of nanoseconds for one instruction.

    Keeps the engine's budget so that it ends at the next timer.
    """

    def __init__(self, engine: Engine, shift: int) -> None:
        self.engine = engine
        self.shift = shift

    def now(self) -> int:
        """Nanoseconds of guest time that instructions have taken."""
        return self.engine.executed() << self.shift

    def budget(self, clock: VirtualClock) -> None:
        """Let run what fits before the next deadline."""
        deadline = clock.next_deadline()
        if deadline is None:
            self.engine.grant(1 << 30)
            return
        left = deadline - clock.now()
        self.engine.grant(max(0, -(-left >> self.shift)))


class TcgAccel:
    """Runs the vCPUs of a machine, in turn, in a thread of their own (:class:`pyqemu.system.runstate.VcpuControl`).

    *on_crash* is called in that thread with an exception that is none of the guest's: a defect of ours.
    """

    def __init__(self, system: System, turns: Turns, on_crash: Callable[[BaseException], None]) -> None:
        self.system = system
        self.turns = turns
        self.on_crash = on_crash
        self._idle = threading.Condition(system.lock)
        self._wanted = False
        self._active = False
        self._closing = False
        several = len(turns.cpus) > 1
        self._thread = threading.Thread(target=self._main, name="ALL CPUs/TCG" if several else "CPU 0/TCG", daemon=True)
        self._waker = Waker(system.clock, turns) if isinstance(system.clock, VirtualClock) else None
        self._slicer = Slicer(turns) if several and not turns.counts_instructions else None
        system.wakeups.append(self._requested)
        system.lock.on_contention = self._contended
        system.throttle.hold = turns.hold

    def start(self) -> None:
        """Start the threads; the vCPU waits until :meth:`resume`."""
        sys.setswitchinterval(SWITCH_INTERVAL)
        # Translations are hundreds of thousands of long-lived objects without cycles: looking through them again and
        # again took 15 % of a kernel's boot.
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD, 50, 1000)
        self._thread.start()
        if self._waker is not None:
            self._waker.start()
        if self._slicer is not None:
            self._slicer.start()

    @property
    def thread_id(self) -> int:
        """What the host calls the vCPU's thread; 0 before it is started."""
        return self._thread.native_id or 0

    def close(self) -> None:
        """End the threads. The big lock is not held."""
        with self.system.lock:
            self.pause()
            self._closing = True
            self._idle.notify_all()
        if self._waker is not None:
            self._waker.close()
        if self._slicer is not None:
            self._slicer.close()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(5)
        gc.unfreeze()  # what was frozen is never collected, and a machine is full of cycles

    def pause(self) -> None:
        self._wanted = False
        if self._in_thread():
            self.turns.stop()
            return
        while self._active:
            self.turns.stop()
            self._idle.wait(0.1)

    def resume(self) -> None:
        self._wanted = True
        self._idle.notify_all()

    def _in_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def _requested(self) -> None:
        """A reset or shutdown was requested by the guest: it must not run on until that has happened."""
        if self._in_thread():
            self.turns.stop()

    def _contended(self) -> None:
        """Somebody waits for the big lock, which the vCPU may let go of too shortly to be noticed."""
        if self._active:
            self.turns.queue(self.system.lock.make_way)

    def _main(self) -> None:
        lock = self.system.lock
        while True:
            with lock:
                while not self._closing and (not self._wanted or self.system.request_pending):
                    self._active = False
                    self._idle.notify_all()
                    self._idle.wait(0.05 if self.system.request_pending else None)
                if self._closing:
                    self._active = False
                    return
                self._active = True
            try:
                self.turns.run()
            except BaseException as exc:
                with lock:
                    self._wanted = self._active = False
                    self._idle.notify_all()
                self.on_crash(exc)
                return


class Waker:
    """Asks for the vCPUs' attention when the next timer is due."""

    def __init__(self, clock: VirtualClock, turns: Turns) -> None:
        self.clock = clock
        self.turns = turns
        self._changed = threading.Condition(threading.Lock())
        self._awaited: int | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._main, name="timers", daemon=True)

    def start(self) -> None:
        if self.clock.icount is not None:
            self.clock.deadline_changed = self._icount_changed
            return
        self.clock.deadline_changed = self._deadline_changed
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()

    def _icount_changed(self) -> None:
        self.turns.kick()

    def _deadline_changed(self) -> None:
        """A timer was set that is the first to be due now."""
        with self._changed:  # the waker may be between asking for the deadline and waiting for it
            deadline = self.clock.next_deadline()
            if deadline is not None and (self._awaited is None or deadline < self._awaited):
                self._changed.notify()
        if not self.turns.is_current_thread():
            self.turns.kick()

    def _main(self) -> None:
        with self._changed:
            while not self._closing:
                deadline = self.clock.next_deadline() if self.clock.running else None
                self._awaited = deadline
                if deadline is None:
                    self._changed.wait()
                    continue
                left = (deadline - self.clock.now()) / 1e9
                if left > 0:
                    self._changed.wait(left)
                    continue
                self.turns.kick()
                self._awaited = self.clock.now() + int(_PATIENCE * 1e9)
                self._changed.wait(_PATIENCE)


class Slicer:
    """Ends turns after a while, as long as more than one vCPU has work."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self._shared = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._main, name="slices", daemon=True)

    def start(self) -> None:
        self.turns.on_shared = self._changed
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        self._shared.set()

    def _changed(self, shared: bool) -> None:
        (self._shared.set if shared else self._shared.clear)()

    def _main(self) -> None:
        while not self._closing:
            self._shared.wait()
            time.sleep(SLICE)
            if self._shared.is_set():
                self.turns.end_turn()
