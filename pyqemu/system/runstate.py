"""The machine as a whole: its state, its lock, its clocks, and what it was asked to do.

Requests (reset, shutdown, powerdown, suspend, wakeup) may come from any thread and from inside a
device access of the running guest, so they are only noted. They are carried out by
:meth:`System.process_requests`, which the main loop's thread runs with the lock held and the vCPUs
parked; every request calls ``wakeups``, so that whoever runs the guest comes out of it soon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from pyqemu.qapi.errors import QapiError
from pyqemu.system.biglock import BigLock
from pyqemu.system.clock import Clock, RealtimeClock, RtcClock, VirtualClock
from pyqemu.system.states import InvalidTransition, RunState, ShutdownCause
from pyqemu.system.throttle import Throttle
from pyqemu.util.trace_events import TraceEvents

if TYPE_CHECKING:
    from pyqemu.qom.device import Device

__all__ = ["InvalidTransition", "RunState", "ShutdownCause", "System", "VcpuControl"]

Hook = Callable[[], None]
EventSink = Callable[[str, dict[str, object]], None]
Part = TypeVar("Part")
WAKEUP_OTHER = 3  #: the reason that QEMU gives where it is neither the clock nor the power management timer


class VcpuControl(Protocol):
    """What runs the vCPUs. Both are called with the lock held."""

    def pause(self) -> None:
        """Return when no vCPU runs. It may wait on the lock's condition meanwhile."""

    def resume(self) -> None:
        """Let them run again."""


class System:
    """One running machine."""

    def __init__(
        self, *, clock: Clock | None = None, rtc_clock: RtcClock | None = None,
        loop: asyncio.AbstractEventLoop | None = None, trace: TraceEvents | None = None,
    ) -> None:  # fmt: skip
        self.lock = BigLock()
        """The big lock: whoever touches a device holds it."""
        self.clock: Clock = clock if clock is not None else VirtualClock()
        self.rtc_clock = rtc_clock or RtcClock()
        self.trace = trace or TraceEvents()
        """What is told of the machine as it happens."""
        self.realtime_clock = RealtimeClock()
        self.loop = loop
        self.vcpus: VcpuControl | None = None
        self.throttle = Throttle()
        """Holds the vCPUs up while a migration cannot keep pace with them."""
        self.state = RunState.PRELAUNCH
        self.no_reboot = False
        self.no_shutdown = False
        self.panic_action = "pause"
        """What a guest's panic leads to: ``pause``, ``shutdown``, ``exit-failure`` or ``none``."""
        self.watchdog_action = "reset"
        """What a watchdog's bite leads to (schema, ``WatchdogExpirationAction``)."""
        self.autostart = True
        """Whether a guest that comes from elsewhere runs on when it is here; ``cont`` and ``stop`` change it before."""
        self.exit_code: int | None = None
        """Set when the program should end, by shutdown or by :meth:`request_exit`."""
        self.exit_cause = ShutdownCause.NONE
        self.wakeups: list[Hook] = []
        """Called from any thread when there is a request: must not block."""
        self.event_sinks: list[EventSink] = []
        self.before_start: list[Hook] = []
        """Called before the guest runs again; what one raises keeps it from that."""
        self.before_realize: list[Callable[[Device], None]] = []
        """Called with each device before it becomes real."""
        self._deferred: list[Hook] = []
        self._reset_hooks: list[Hook] = []
        self._powerdown_hooks: list[Hook] = []
        self._suspend_hooks: list[Hook] = []
        self._wakeup_hooks: list[Hook] = []
        self._exit_hooks: list[Hook] = []
        self._state_hooks: list[Callable[[bool, RunState], None]] = []
        self._reset: ShutdownCause | None = None
        self._shutdown: ShutdownCause | None = None
        self._powerdown = False
        self._suspend = False
        self._wakeup = False
        self._stop: RunState | None = None
        self._parts: list[object] = []
        self._parkers = 0  # how many `parked` blocks are open

    # -- the parts that the machine is made of

    def add_part(self, part: object) -> None:
        """Let :meth:`part` find *part*, by its class or a base of it; one that was added later is found first."""
        self._parts.insert(0, part)

    def part(self, kind: type[Part]) -> Part:
        """The machine's part of that class: how commands find what they command.

        :raise QapiError: this machine has none.
        """
        part = self.optional_part(kind)
        if part is None:
            raise QapiError(f"this machine has no {kind.__name__}")
        return part

    def optional_part(self, kind: type[Part]) -> Part | None:
        """The machine's part of that class, if it has one."""
        return next((part for part in self._parts if isinstance(part, kind)), None)

    # -- who wants to know

    def on_reset(self, hook: Hook) -> None:
        """Call ``hook`` when the machine is reset; hooks run in the order of registration."""
        self._reset_hooks.append(hook)

    def remove_reset(self, hook: Hook) -> None:
        """Forget a reset hook (the device is gone)."""
        self._reset_hooks.remove(hook)

    def on_powerdown(self, hook: Hook) -> None:
        """Call ``hook`` when the power button is pressed."""
        self._powerdown_hooks.append(hook)

    def on_suspend(self, hook: Hook) -> None:
        """Call ``hook`` when the guest goes to sleep (ACPI S3)."""
        self._suspend_hooks.append(hook)

    def on_wakeup(self, hook: Hook) -> None:
        """Call ``hook`` when it is woken."""
        self._wakeup_hooks.append(hook)

    def on_exit(self, hook: Hook) -> None:
        """Call ``hook`` before the program ends: last registered first."""
        self._exit_hooks.append(hook)

    def on_state_change(self, hook: Callable[[bool, RunState], None]) -> None:
        """Call ``hook(running, state)`` when the machine starts or stops."""
        self._state_hooks.append(hook)

    def emit(self, event: str, **data: object) -> None:
        """Send a QMP event."""
        for sink in self.event_sinks:
            sink(event, data)

    # -- looking at a running guest

    @contextmanager
    def parked(self) -> Iterator[None]:
        """Hold the lock, and the vCPUs out of native code: their state and memory may be read and written.

        The run state does not change and nobody is told; blocks may be nested, in any thread.
        """
        with self.lock:
            self._parkers += 1
            try:
                if self.running and self.vcpus is not None:
                    self.vcpus.pause()
                yield
            finally:
                self._parkers -= 1
                self._resume_vcpus()

    def _resume_vcpus(self) -> None:
        """Let the vCPUs run, if the guest does and nobody looks at it; the last who looks calls again."""
        if self.vcpus is not None and self.running and not self._parkers:
            self.vcpus.resume()

    # -- state

    @property
    def running(self) -> bool:
        """Whether the guest runs."""
        return self.state is RunState.RUNNING

    def set_state(self, state: RunState) -> None:
        """Change the state.

        :raise InvalidTransition: there is no way from the present state to that one.
        """
        if state is self.state:
            return
        if not self.state.may_become(state):
            raise InvalidTransition(f"run state may not go from {self.state.value} to {state.value}")
        if event := self.trace.runstate_set:
            event(new_state=state.number)
        self.state = state

    def start(self) -> None:
        """Let the guest run (``cont``). The lock is held."""
        if self.running:
            return
        for prepare in self.before_start:
            prepare()
        self.set_state(RunState.RUNNING)
        if isinstance(self.clock, VirtualClock):
            self.clock.start()
        self._notify_state(True)
        for hook in self._state_hooks:
            hook(True, self.state)
        self.emit("RESUME")
        self._resume_vcpus()

    def stop(self, state: RunState = RunState.PAUSED) -> None:
        """Stop the guest, for the reason that ``state`` tells. The lock is held."""
        if not self.running:
            return
        if self.vcpus is not None:
            self.vcpus.pause()
        if isinstance(self.clock, VirtualClock):
            self.clock.stop()
        self.set_state(state)
        self._notify_state(False)
        for hook in reversed(self._state_hooks):
            hook(False, self.state)
        self.emit("STOP")

    def _notify_state(self, running: bool) -> None:
        if event := self.trace.vm_state_notify:
            event(running=int(running), reason=self.state.number)

    # -- requests

    def request_reset(self, cause: ShutdownCause = ShutdownCause.GUEST_RESET) -> None:
        """Reset the machine soon; with ``-no-reboot``, end it."""
        if self.no_reboot and cause is not ShutdownCause.SUBSYSTEM_RESET:
            self._shutdown = self._shutdown or cause
        else:
            self._reset = self._reset or cause
        self._notify()

    def request_shutdown(self, cause: ShutdownCause = ShutdownCause.GUEST_SHUTDOWN) -> None:
        """Turn the machine off soon and end the program. ``-no-shutdown`` keeps it stopped instead,
        unless the operator asked."""
        if event := self.trace.qemu_system_shutdown_request:
            event()
        self._shutdown = self._shutdown or cause
        self._notify()

    def request_exit(self, code: int, cause: ShutdownCause = ShutdownCause.HOST_ERROR) -> None:
        """End the program soon, whatever ``-no-shutdown`` says, with exit status ``code``."""
        self.exit_code = code
        self._shutdown = self._shutdown or cause
        self._notify()

    def request_powerdown(self) -> None:
        """Press the power button."""
        if event := self.trace.qemu_system_powerdown_request:
            event()
        self._powerdown = True
        self._notify()

    def request_suspend(self) -> None:
        """Put the machine to sleep (ACPI S3)."""
        self._suspend = True
        self._notify()

    def request_wakeup(self) -> None:
        """Wake it, if it sleeps."""
        if event := self.trace.system_wakeup_request:
            event(reason=WAKEUP_OTHER)
        self._wakeup = True
        self._notify()

    def request_stop(self, state: RunState) -> None:
        """Stop the guest soon: for devices that find an I/O error, a panic, a watchdog bite."""
        self._stop = self._stop or state
        self._notify()

    def guest_panicked(self) -> None:
        """The guest says that it is dead."""
        if self.panic_action == "none":
            self.emit("GUEST_PANICKED", action="run")
            return
        ends = self.panic_action == "exit-failure" or (self.panic_action == "shutdown" and not self.no_shutdown)
        self.emit("GUEST_PANICKED", action="poweroff" if ends else "pause")
        self.request_stop(RunState.GUEST_PANICKED)
        if self.panic_action == "exit-failure":
            self.request_exit(1, ShutdownCause.GUEST_PANIC)
        elif ends:
            self.request_shutdown(ShutdownCause.GUEST_PANIC)

    @property
    def request_pending(self) -> bool:
        """Whether :meth:`process_requests` has something to do."""
        return bool(
            self._reset or self._shutdown or self._powerdown or self._suspend or self._wakeup
            or self._stop or self._deferred
        )  # fmt: skip

    @property
    def end_pending(self) -> bool:
        """Whether a reset or a shutdown has been requested and not happened yet."""
        return self._reset is not None or self._shutdown is not None

    def _notify(self) -> None:
        for wakeup in self.wakeups:
            wakeup()
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.process_requests)

    def call_soon(self, function: Hook) -> None:
        """Run ``function`` under the lock in the main loop's thread. Safe from any thread."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._locked, function)
        else:
            self._deferred.append(function)
            self._notify()

    def _locked(self, function: Hook) -> None:
        with self.lock:
            function()

    def process_requests(self) -> bool:
        """Carry out what was requested. Return whether the program should end."""
        with self.lock:
            while self._deferred:
                self._deferred.pop(0)()
            if self._stop is not None:
                state, self._stop = self._stop, None
                self.stop(state)
            if self._suspend:
                self._suspend = False
                self._do_suspend()
            if self._shutdown is not None:
                self._do_shutdown()
            if self._reset is not None and self.exit_code is None:
                self._do_reset()
            if self._wakeup:
                self._wakeup = False
                self._do_wakeup()
            if self._powerdown:
                self._powerdown = False
                self.emit("POWERDOWN")
                for hook in self._powerdown_hooks:
                    hook()
            return self.exit_code is not None

    def _do_shutdown(self) -> None:
        cause = self._shutdown
        assert cause is not None
        if self.vcpus is not None and self.running:
            self.vcpus.pause()
        self._shutdown = None  # only now: what the guest asked for until it stood still is the same request
        self.emit("SHUTDOWN", guest=cause.guest, reason=cause)
        if self.no_shutdown and self.exit_code is None and not cause.host:
            self.stop(RunState.SHUTDOWN)
            return
        self.exit_cause = cause
        self.exit_code = self.exit_code or 0
        self.run_exit_hooks()

    def run_exit_hooks(self) -> None:
        """Run the exit hooks, each once."""
        while self._exit_hooks:
            self._exit_hooks.pop()()

    def _do_reset(self) -> None:
        cause = self._reset
        assert cause is not None
        if self.running and self.vcpus is not None:
            self.vcpus.pause()
        self._reset = None
        self.reset(cause)
        if self.state is RunState.SUSPENDED:  # a reset wakes
            self.set_state(RunState.RUNNING)
        if self.running:
            self._resume_vcpus()
        elif self.state is not RunState.INMIGRATE:
            self.set_state(RunState.PRELAUNCH)

    def reset(self, cause: ShutdownCause = ShutdownCause.NONE) -> None:
        """Run all reset hooks. The lock is held and no vCPU runs."""
        for hook in list(self._reset_hooks):
            if hook in self._reset_hooks:  # an earlier one may have unplugged its device
                hook()
        if cause is not ShutdownCause.NONE:
            self.emit("RESET", guest=cause.guest, reason=cause)

    def _do_suspend(self) -> None:
        if not self.running:
            return
        if self.vcpus is not None:
            self.vcpus.pause()
        for hook in self._suspend_hooks:
            hook()
        self.set_state(RunState.SUSPENDED)
        self.emit("SUSPEND")

    def _do_wakeup(self) -> None:
        if self.state is not RunState.SUSPENDED:
            return
        self.set_state(RunState.RUNNING)
        self.reset()
        for hook in self._wakeup_hooks:
            hook()
        self.emit("WAKEUP")
        self._resume_vcpus()
