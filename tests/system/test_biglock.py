"""The big lock changes hands, also when its holder lets go of it only for moments."""

from __future__ import annotations

import threading

import pytest

from pyqemu.system import biglock
from pyqemu.system.biglock import BigLock

PATIENCE = 60.0  # seconds; only a failure takes that long


@pytest.fixture(autouse=True)
def busy_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is next may need long until it has the lock."""
    monkeypatch.setattr(biglock, "PATIENCE", PATIENCE)


def in_thread(work: object) -> threading.Thread:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    return thread


def test_it_is_reentrant_and_conditions_work_on_it() -> None:
    lock = BigLock()
    changed = threading.Condition(lock)
    seen: list[int] = []

    def waiter() -> None:
        with changed:
            while not seen:
                changed.wait(PATIENCE)
            seen.append(2)

    thread = in_thread(waiter)
    with lock, lock, changed:
        seen.append(1)
        changed.notify_all()
    thread.join(PATIENCE)
    assert seen == [1, 2]


def test_who_waits_says_so() -> None:
    lock = BigLock()
    said = threading.Event()
    lock.on_contention = said.set
    with lock:
        assert not said.is_set()
        thread = in_thread(lambda: lock.__enter__() and lock.release())
        assert said.wait(PATIENCE)
    thread.join(PATIENCE)


def test_without_contention_nobody_is_asked() -> None:
    lock = BigLock()
    lock.on_contention = lambda: (_ for _ in ()).throw(AssertionError)
    with lock, lock:
        pass
    with lock:
        lock.make_way()


def test_make_way_lets_exactly_those_through_who_wait() -> None:
    lock = BigLock()
    order: list[str] = []
    waiting = threading.Semaphore(0)
    lock.on_contention = waiting.release

    def other() -> None:
        with lock:
            order.append("other")

    with lock:
        thread = in_thread(other)
        waiting.acquire(timeout=PATIENCE)
        order.append("holder")
        lock.make_way()
        order.append("holder again")
    thread.join(PATIENCE)
    assert order == ["holder", "other", "holder again"]


def test_a_holder_that_lets_go_for_moments_only() -> None:
    """From one who takes it back at once, the lock is had a hundred times, each time when it first makes way."""
    lock = BigLock()
    attention = threading.Event()
    lock.on_contention = attention.set
    stop = threading.Event()
    ways: list[bool] = []

    def vcpu() -> None:
        lock.acquire()
        while not stop.is_set():
            lock.release()
            lock.acquire()
            if attention.is_set():
                attention.clear()
                lock.make_way()
                ways.append(True)
        lock.release()

    thread = in_thread(vcpu)
    for _ in range(100):
        with lock:
            pass
    stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert len(ways) <= 100
