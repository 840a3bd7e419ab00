"""The big lock changes hands, also when its holder lets go of it only for moments."""

from __future__ import annotations

import threading
import time

from pyqemu.system.biglock import BigLock


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
                changed.wait(5)
            seen.append(2)

    thread = in_thread(waiter)
    with lock, lock, changed:
        seen.append(1)
        changed.notify_all()
    thread.join(5)
    assert seen == [1, 2]


def test_who_waits_says_so() -> None:
    lock = BigLock()
    said = threading.Event()
    lock.on_contention = said.set
    with lock:
        assert not said.is_set()
        thread = in_thread(lambda: lock.__enter__() and lock.release())
        assert said.wait(5)
    thread.join(5)


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
        waiting.acquire(timeout=5)
        order.append("holder")
        lock.make_way()
        order.append("holder again")
    thread.join(5)
    assert order == ["holder", "other", "holder again"]


def test_a_holder_that_lets_go_for_moments_only() -> None:
    """A hundred times the lock is had within milliseconds, from one who takes it back at once."""
    lock = BigLock()
    attention = threading.Event()
    lock.on_contention = attention.set
    stop = threading.Event()

    def vcpu() -> None:
        lock.acquire()
        while not stop.is_set():
            lock.release()
            lock.acquire()
            if attention.is_set():
                attention.clear()
                lock.make_way()
        lock.release()

    thread = in_thread(vcpu)
    started = time.monotonic()
    for _ in range(100):
        with lock:
            pass
    stop.set()
    thread.join(5)
    assert time.monotonic() - started < 5
