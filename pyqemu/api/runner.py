"""Letting a guest run until something happens.

The guest runs while somebody waits for it, and stands still between: then time-outs are the guest's own, what a script
does between two waits takes no time, and with ``icount`` each run is like the last. :meth:`Runner.resume` is for those
who want it to run on by itself.

Whatever ends a run says so by :meth:`Runner.finish`, mostly in the vCPU's thread, deep within a device. The vCPU parks
at the next block; the thread of the main loop stops clock and devices; only then the caller goes on.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pyqemu.api.machine import Machine
from pyqemu.api.outcomes import (
    Exited,
    Fault,
    HaltedForever,
    MachineClosed,
    Outcome,
    Panicked,
    Shutdown,
    Stepped,
    Stopped,
    TimedOut,
    TripleFault,
)
from pyqemu.system import RunState, ShutdownCause

SECOND = 1_000_000_000
Result = TypeVar("Result")


class Runner:
    """Runs one machine; a thread of its own serves the machine's main loop."""

    def __init__(self, core: Machine) -> None:
        self.core = core
        self.system, self.cpu = core.system, core.cpu
        self._outcome: Outcome | None = None
        self._final: Outcome | None = None
        self._error: BaseException | None = None
        self._waiting = False
        self._free = False  # runs though nobody waits
        self._faulted = False
        self._closing = False
        self._ended = threading.Event()
        self._timeout = 0.0
        self._timer = self.system.clock.timer(self._timed_out)
        self.system.on_state_change(self._state_changed)
        self.system.on_exit(self._exited)
        self.cpu.turns.on_idle = self._idle
        self.cpu.on_triple_fault = self._triple_fault  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._serve, name="main loop", daemon=True)
        core.config.paused = True
        gc.collect()  # machines that were closed before: starting one freezes what there is
        core.start()
        self._thread.start()

    # --- the main loop ------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        asyncio.set_event_loop(self.core.loop)
        while not self._closing:
            self.core.loop.run_forever()  # the end of the guest stops it, too

    def wait_for(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine in the main loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.core.loop).result()

    def close(self) -> None:
        """End it all."""
        if self._closing:
            return
        self._closing = True
        self.core.loop.call_soon_threadsafe(self.core.loop.stop)
        self._thread.join(10)
        self.core.close()

    @property
    def is_closed(self) -> bool:
        """Whether the machine is gone."""
        return self._closing

    # --- running ------------------------------------------------------------------------------------------------------

    def go(self, timeout: float | None) -> Outcome:
        """Let the guest run until something ends it, at most *timeout* seconds of its time."""
        self._check()
        if self._final is not None:
            return self._final
        self._begin(timeout)
        try:
            self._ended.wait()
        except BaseException:  # Ctrl-C above all
            self.pause()
            raise
        finally:
            self._waiting = False
        with self.system.lock:
            self._timer.cancel()
        self._check()
        assert self._outcome is not None
        return self._outcome

    def _begin(self, timeout: float | None) -> None:
        with self.system.lock:
            self._outcome = None
            self._ended.clear()
            self._waiting = True
            if timeout is not None:
                self._timeout = timeout
                self._timer.set(self.system.clock.now() + round(timeout * SECOND))
        self._after_fault()
        with self.system.lock:
            if self._final is not None:  # it came while nobody waited yet
                self._outcome = self._outcome or self._final
                self._ended.set()
            else:
                self.system.start()

    def _check(self) -> None:
        """Raise what a hook has raised, or what was wrong in the machine."""
        if self._closing:
            raise MachineClosed("the machine is closed")
        if self.cpu.is_current_thread():
            raise RuntimeError("a hook cannot let the guest run: it runs when the hook is done")
        if self.core.crash is not None:
            raise self.core.crash
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _after_fault(self) -> None:
        """After a triple fault a board resets the processor."""
        if self._faulted:
            self._faulted = False
            self.cpu.hooks.release()
            self.system.request_reset(ShutdownCause.GUEST_RESET)
            self.system.process_requests()

    def forget_fault(self) -> None:
        """The processor is not any more what a triple fault has made of it: it need not be reset."""
        if self._faulted:
            self._faulted = False
            self.cpu.hooks.release()

    def resume(self) -> None:
        """Let the guest run on by itself."""
        self._check()
        if self._final is not None:
            return
        self._after_fault()
        with self.system.lock:
            self._free = True
            self.system.start()

    def pause(self) -> None:
        """Stop it; a hook that says so ends the run."""
        if self.cpu.is_current_thread():
            self.finish(Stopped(RunState.PAUSED), always=True)
            self.cpu.hooks.hold()
            return
        with self.system.lock:
            self._free = False
            self.system.stop()

    def step(self, count: int, timeout: float | None) -> Outcome:
        """Run *count* instructions."""
        hooks = self.cpu.hooks
        with self.parked():
            hooks.step(count, lambda: self.finish(Stepped(count)))
        try:
            return self.go(timeout)
        finally:
            if not self._closing:
                with self.parked():
                    hooks.stop_stepping()

    @contextmanager
    def parked(self) -> Iterator[None]:
        """Hold the machine still, to look at it or to change it. In a hook it is still anyway."""
        if self._closing:
            raise MachineClosed("the machine is closed")
        if self.cpu.is_current_thread():
            yield
        else:
            with self.system.parked():
                yield

    # --- what ends a run ----------------------------------------------------------------------------------------------

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits and has not been told yet."""
        return self._waiting and self._outcome is None

    def finish(self, outcome: Outcome, *, always: bool = False) -> None:
        """The run ends. The lock is held. A guest that runs by itself goes on, unless *always*."""
        if self.is_awaited:
            self._outcome = outcome
            if self._free and not always:
                self._ended.set()
                return
        elif not always:
            return
        self._free = False
        self.system.request_stop(RunState.PAUSED)

    def fail(self, error: BaseException) -> None:
        """A hook has raised: the caller of the run shall have it, or whoever calls next."""
        if self._error is None:
            self._error = error
        self.finish(Stopped(RunState.PAUSED), always=True)

    def _timed_out(self) -> None:
        self.finish(TimedOut(self._timeout))

    def _idle(self) -> None:
        """All processors are halted. Without a timer nothing wakes them either, as nobody else is there."""
        are_stuck = all(cpu.is_stuck() for cpu in self.cpu.turns.cpus)
        if self.is_awaited and (are_stuck or self.system.clock.next_deadline() is None):
            self.finish(HaltedForever())

    def _triple_fault(self, chain: list[Any]) -> None:
        if self.system.end_pending or not self.is_awaited:
            self.core._triple_fault(chain)
            return
        self._faulted = True
        faults = tuple(Fault(fault.vector, fault.error_code, str(fault)) for fault in chain)
        self.finish(TripleFault(faults), always=True)

    def _state_changed(self, running: bool, state: RunState) -> None:
        if running:
            return
        if self._waiting:
            self._outcome = self._outcome or self._reason(state)
        self._ended.set()

    def _reason(self, state: RunState) -> Outcome:
        if state is RunState.GUEST_PANICKED:
            return Panicked()
        if state is RunState.SHUTDOWN:
            return Shutdown(ShutdownCause.GUEST_SHUTDOWN)
        return Stopped(state)

    def _exited(self) -> None:
        code, cause = self.system.exit_code or 0, self.system.exit_cause
        by_status = bool(code) or cause.host
        self._final = Exited(code) if by_status else Shutdown(cause)
        if self._waiting:
            self._outcome = self._outcome or self._final
        self._ended.set()
