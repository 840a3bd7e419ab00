"""The thread that asks for the vCPU's attention when a timer is due."""

from __future__ import annotations

import threading

import pytest

from pyqemu.accel.tcg import Waker
from pyqemu.system import VirtualClock

MILLISECOND = 1_000_000
PATIENCE = 60.0  # seconds; only a failure takes that long


class Cpu:
    """Notes that it was kicked."""

    def __init__(self) -> None:
        self.kicked = threading.Event()

    def kick(self) -> None:
        self.kicked.set()

    def is_current_thread(self) -> bool:
        return True  # so that setting a timer is no kick by itself


def test_timer_set_while_the_waker_looks_for_one_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waker has waited for a timer; it looks for the next one just before the vCPU sets it."""
    clock, cpu = VirtualClock(), Cpu()
    clock.start()
    waker = Waker(clock, cpu)  # type: ignore[arg-type]
    first, second = clock.timer(lambda: None), clock.timer(lambda: None)
    first.set(clock.now() + MILLISECOND)
    look = clock.next_deadline
    setters: list[threading.Thread] = []

    def look_slowly() -> int | None:
        found = look()
        if threading.current_thread() is waker._thread and found is None and not setters:
            cpu.kicked.clear()
            setters.append(threading.Thread(target=lambda: second.set(clock.now() + MILLISECOND)))
            setters[0].start()
            setters[0].join(0.05)  # as far as it gets before the waker goes to sleep
        return found

    monkeypatch.setattr(clock, "next_deadline", look_slowly)
    waker.start()
    try:
        assert cpu.kicked.wait(PATIENCE)
        clock.run_due()
        waiting = threading.Event()
        while not setters:
            waiting.wait(0.001)
        assert cpu.kicked.wait(PATIENCE)
    finally:
        waker.close()
