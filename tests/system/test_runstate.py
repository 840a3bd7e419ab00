"""Run state and requests."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pyqemu.system import FakeClock, InvalidTransition, RunState, ShutdownCause, System, VirtualClock
from pyqemu.system.states import _TRANSITIONS


class Vcpus:
    def __init__(self) -> None:
        self.log: list[str] = []

    def pause(self) -> None:
        self.log.append("pause")

    def resume(self) -> None:
        self.log.append("resume")


class Recorder:
    """A system with fake CPUs and a log of events."""

    def __init__(self) -> None:
        self.system = System(clock=FakeClock())
        self.vcpus = Vcpus()
        self.system.vcpus = self.vcpus
        self.events: list[tuple[str, dict[str, object]]] = []
        self.system.event_sinks.append(lambda name, data: self.events.append((name, data)))


def test_transitions_name_states_that_exist() -> None:
    states = {state.value for state in RunState}
    assert set(_TRANSITIONS) == states
    assert all(set(targets.split()) <= states for targets in _TRANSITIONS.values())


def test_start_and_stop_move_clock_cpus_and_state() -> None:
    system = System()
    vcpus = Vcpus()
    system.vcpus = vcpus
    changes: list[tuple[bool, RunState]] = []
    system.on_state_change(lambda running, state: changes.append((running, state)))
    assert isinstance(system.clock, VirtualClock)
    system.start()
    assert system.running
    assert system.clock.running
    system.stop(RunState.IO_ERROR)
    assert not system.clock.running
    assert changes == [(True, RunState.RUNNING), (False, RunState.IO_ERROR)]
    assert vcpus.log == ["resume", "pause"]


def test_impossible_transition_is_an_error() -> None:
    system = System(clock=FakeClock())
    with pytest.raises(InvalidTransition, match="from prelaunch to shutdown"):
        system.set_state(RunState.SHUTDOWN)


def test_reset_waits_for_the_main_loop_and_parks_the_cpus() -> None:
    rec = Recorder()
    order: list[str] = []
    rec.system.on_reset(lambda: order.append("first"))
    rec.system.on_reset(lambda: order.append("second"))
    woken: list[int] = []
    rec.system.wakeups.append(lambda: woken.append(1))
    rec.system.start()
    rec.system.request_reset(ShutdownCause.GUEST_RESET)
    assert order == []
    assert woken == [1]
    assert rec.system.request_pending
    assert not rec.system.process_requests()
    assert order == ["first", "second"]
    assert rec.vcpus.log == ["resume", "pause", "resume"]
    assert rec.events[-1] == ("RESET", {"guest": True, "reason": ShutdownCause.GUEST_RESET})
    assert not rec.system.request_pending


def test_no_reboot_turns_reset_into_exit() -> None:
    rec = Recorder()
    rec.system.no_reboot = True
    rec.system.start()
    rec.system.request_reset()
    assert rec.system.process_requests()
    assert (rec.system.exit_code, rec.system.exit_cause) == (0, ShutdownCause.GUEST_RESET)


def test_no_shutdown_keeps_the_machine_stopped() -> None:
    rec = Recorder()
    rec.system.no_shutdown = True
    rec.system.start()
    rec.system.request_shutdown()
    assert not rec.system.process_requests()
    assert rec.system.state is RunState.SHUTDOWN
    rec.system.request_shutdown(ShutdownCause.HOST_SIGNAL)
    assert rec.system.process_requests()


def test_exit_hooks_run_once_last_first() -> None:
    rec = Recorder()
    order: list[int] = []
    rec.system.on_exit(lambda: order.append(1))
    rec.system.on_exit(lambda: order.append(2))
    rec.system.start()
    rec.system.request_exit(3)
    assert rec.system.process_requests()
    rec.system.run_exit_hooks()
    assert order == [2, 1]
    assert rec.system.exit_code == 3
    assert ("SHUTDOWN", {"guest": False, "reason": ShutdownCause.HOST_ERROR}) in rec.events


def test_power_button_reaches_its_hooks() -> None:
    rec = Recorder()
    pressed: list[int] = []
    rec.system.on_powerdown(lambda: pressed.append(1))
    rec.system.request_powerdown()
    rec.system.process_requests()
    assert pressed == [1]


def test_sleep_and_wakeup() -> None:
    rec = Recorder()
    woken: list[int] = []
    rec.system.on_wakeup(lambda: woken.append(1))
    rec.system.start()
    rec.system.request_suspend()
    rec.system.process_requests()
    assert rec.system.state is RunState.SUSPENDED
    rec.system.request_wakeup()
    rec.system.process_requests()
    assert rec.system.running
    assert woken == [1]
    assert rec.vcpus.log == ["resume", "pause", "resume"]


def test_call_soon_runs_in_the_loops_thread_under_the_lock() -> None:
    async def main() -> tuple[int, bool]:
        system = System(clock=FakeClock(), loop=asyncio.get_running_loop())
        done = asyncio.Event()
        result: list[int] = []

        def work() -> None:
            result.append(threading.get_ident())
            done.set()

        thread = threading.Thread(target=lambda: system.call_soon(work))
        thread.start()
        await asyncio.wait_for(done.wait(), 10)
        thread.join()
        return result[0], result[0] == threading.get_ident()

    assert asyncio.run(main())[1]


def test_call_soon_without_a_loop_waits_for_the_requests() -> None:
    system = System(clock=FakeClock())
    ran: list[int] = []
    system.call_soon(lambda: ran.append(1))
    assert ran == []
    system.process_requests()
    assert ran == [1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (RunState.PAUSED, RunState.PRELAUNCH),
        (RunState.SHUTDOWN, RunState.PRELAUNCH),
        (RunState.SUSPENDED, RunState.RUNNING),
    ],
)
def test_reset_of_a_machine_that_stands_still(before: RunState, after: RunState) -> None:
    rec = Recorder()
    rec.system.start()
    rec.system.set_state(before)
    rec.system.request_reset(ShutdownCause.HOST_QMP_SYSTEM_RESET)
    rec.system.process_requests()
    assert rec.system.state is after
    assert rec.vcpus.log == (["resume", "resume"] if after is RunState.RUNNING else ["resume"])


def test_what_the_guest_asks_for_until_it_stands_still_is_one_request() -> None:
    """A guest runs on for some instructions after it asked for a reset, and may ask in another way, too."""
    recorder = Recorder()
    system = recorder.system

    class EagerVcpus(Vcpus):
        def pause(self) -> None:
            assert system.end_pending
            system.request_reset(ShutdownCause.GUEST_RESET)

    system.vcpus = EagerVcpus()
    system.start()
    system.request_reset(ShutdownCause.GUEST_RESET)
    system.process_requests()
    assert not system.end_pending
    assert [name for name, _ in recorder.events].count("RESET") == 1
