"""Getting the vCPU's attention: kicks, interrupts, stop and run again, sleeping and waking, the big lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from toy import Toy

from pyqemu.system.clock import VirtualClock

PATIENCE = 60.0  # seconds; only a failure takes that long


@contextmanager
def running(toy: Toy, start: int) -> Iterator[threading.Thread]:
    """The guest runs in a thread of its own; it is stopped in the end."""
    thread = threading.Thread(target=toy.run, args=(start,))
    thread.start()
    try:
        yield thread
    finally:
        deadline = time.monotonic() + PATIENCE
        while thread.is_alive() and time.monotonic() < deadline:
            toy.cpu.stop()
            thread.join(0.01)
        assert not thread.is_alive()


def hot_loop(toy: Toy) -> None:
    """An endless chained loop of two blocks on one page."""
    toy.put(0x1000, "loop", ("addi", 2, 2, 1), ("jmp", 0, 0, 0x100))
    toy.put(0x1104, ("addi", 3, 3, 1), ("jmp", 0, 0, 0x1000 - 0x1108))


def wait_until(condition, what: str) -> float:  # type: ignore[no-untyped-def]
    """How long the guest ran until the condition held: seconds of processor time, whatever else the host does."""
    start, began = time.monotonic(), time.process_time()
    while not condition():
        assert time.monotonic() - start < PATIENCE, what
        time.sleep(0.0002)
    return time.process_time() - began


def test_two_hundred_kicks(toy: Toy) -> None:
    """Work that is queued from outside is done soon, each time; none is lost."""
    hot_loop(toy)
    done: list[int] = []
    waits = []
    with running(toy, 0x1000):
        for n in range(200):
            toy.cpu.queue(lambda n=n: done.append(n))  # type: ignore[misc]
            waits.append(wait_until(lambda n=n: len(done) > n, f"kick {n} was lost"))  # type: ignore[misc]
    assert done == list(range(200))
    assert sorted(waits)[150] < 0.05


def test_kicks_in_a_burst(toy: Toy) -> None:
    hot_loop(toy)
    done: list[int] = []
    with running(toy, 0x1000):
        for n in range(2000):
            toy.cpu.queue(lambda n=n: done.append(n))  # type: ignore[misc]
        wait_until(lambda: len(done) == 2000, "work was lost")
    assert done == list(range(2000))


def test_interrupts_from_another_thread(toy: Toy) -> None:
    """Each is taken, at an instruction's border: the counters of the two blocks differ by at most one."""
    hot_loop(toy)
    toy.cpu.interrupt_vector = 0x3000
    toy.put(0x3000, ("addi", 4, 4, 1), ("jr", 0, 13))
    with running(toy, 0x1000):
        for n in range(100):
            with toy.cpu.lock:
                toy.cpu.interrupt(1)
            wait_until(lambda n=n: toy.cpu[4] > n, "an interrupt was lost")  # type: ignore[misc]
    assert (toy.cpu[4], toy.cpu.serviced) == (100, 100)
    assert toy.cpu[2] - toy.cpu[3] in (0, 1)


def test_masked_interrupt_waits(toy: Toy) -> None:
    toy.cpu.masked = True
    toy.cpu.interrupt(1)
    toy.put(0x1000, ("addi", 2, 2, 1), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu.serviced, toy.cpu.interrupt_request) == (0, 1)
    toy.cpu.masked = False
    toy.run(0x1000)
    assert (toy.cpu.serviced, toy.cpu.interrupt_request) == (1, 0)


def test_interrupt_by_a_device_is_seen_at_the_next_block(toy: Toy) -> None:
    toy.cpu.interrupt_vector = 0x3000
    toy.device.on_access = lambda offset: toy.cpu.interrupt(1)
    toy.put(0x3000, ("addi", 4, 4, 1), ("jr", 0, 13))
    toy.cpu[6], toy.cpu[1] = 0x20_0000, 5
    toy.put(0x1000, "loop", ("ld32", 5, 6), ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("nop",), ("jmp", 0, 0,
            4), ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert toy.cpu[4] == 5


def test_pending_slot_mirrors_requests(toy: Toy) -> None:
    slot = toy.cpu.irq_pending_slot
    assert slot is not None
    toy.cpu.interrupt(4)
    toy.cpu.interrupt(1)
    assert toy.cpu.q[slot >> 3] == 5
    toy.cpu.clear_interrupt(4)
    assert toy.cpu.q[slot >> 3] == 1


def test_stop_and_run_again(toy: Toy) -> None:
    hot_loop(toy)
    start = 0x1000
    for _ in range(20):
        before = toy.cpu[2]
        with running(toy, start):
            wait_until(lambda before=before: toy.cpu[2] > before, "it does not run")  # type: ignore[misc]
        assert toy.cpu[2] - toy.cpu[3] in (0, 1)
        start = toy.cpu.pc
        assert start in (0x1000, 0x1104)


def test_stop_before_run_is_not_kept(toy: Toy) -> None:
    """A stop request counts for the run under way or the next one, and is used up by it."""
    toy.put(0x1000, ("addi", 2, 2, 1), ("stop",))
    toy.cpu.stop()
    toy.run(0x1000)
    assert toy.cpu[2] == 0
    toy.run(0x1000)
    assert toy.cpu[2] == 1


def test_halted_cpu_wakes_for_an_interrupt(toy: Toy) -> None:
    toy.put(0x1000, "loop", ("halt",), ("addi", 2, 2, 1), ("jmp", 0, 0, "loop"))
    with running(toy, 0x1000):
        for n in range(50):
            wait_until(lambda: toy.cpu.halted, "it does not halt")
            with toy.cpu.lock:
                toy.cpu.interrupt(1)
            wait_until(lambda n=n: toy.cpu[2] > n, "it sleeps on")  # type: ignore[misc]
    assert toy.cpu[2] == 50


def test_halted_cpu_sleeps_on_without_work(toy: Toy) -> None:
    toy.cpu.has_work = lambda: toy.cpu.interrupt_request & 2 != 0  # type: ignore[method-assign]
    toy.put(0x1000, ("halt",), ("addi", 2, 2, 1), ("stop",))
    done: list[bool] = []
    with running(toy, 0x1000) as thread:
        wait_until(lambda: toy.cpu.halted, "it does not halt")
        with toy.cpu.lock:
            toy.cpu.interrupt(1)
        toy.cpu.queue(lambda: done.append(toy.cpu.halted))
        wait_until(lambda: bool(done), "queued work is done while it sleeps")
        assert done == [True]
        with toy.cpu.lock:
            toy.cpu.interrupt(2)
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert toy.cpu[2] == 1


def test_wake_up_right_before_the_sleep(toy: Toy) -> None:
    """The interrupt comes between the decision to halt and the wait."""
    for _ in range(50):
        toy.put(0x1000, ("halt",), ("addi", 2, 2, 1), ("stop",))
        sleep = toy.cpu.turns._sleep

        def interrupted(sleep=sleep) -> None:  # type: ignore[no-untyped-def]
            thread = threading.Thread(target=toy.cpu.interrupt, args=(1,))
            thread.start()
            thread.join()
            sleep()

        toy.cpu.turns._sleep = interrupted  # type: ignore[method-assign]
        toy.run(0x1000)
        toy.cpu.turns._sleep = sleep  # type: ignore[method-assign]
    assert toy.cpu[2] == 50


@pytest.mark.parametrize("engine", ["stencil", "python"])
def test_timer_wakes_a_halted_cpu(engine: str) -> None:
    clock = VirtualClock()
    toy = Toy(engine, clock=clock)
    timer = clock.timer(lambda: toy.cpu.interrupt(1))
    toy.put(0x1000, ("halt",), ("addi", 2, 2, 1), ("stop",))
    clock.start()
    timer.set(clock.now() + 30_000_000)
    start = time.monotonic()
    toy.run(0x1000)
    assert toy.cpu[2] == 1
    assert 0.025 < time.monotonic() - start < PATIENCE


def test_lock_is_free_while_native_code_runs(toy: Toy) -> None:
    """And while the CPU sleeps; who holds it stops the vCPU from coming back to Python."""
    hot_loop(toy)
    with running(toy, 0x1000):
        for _ in range(50):
            assert toy.cpu.lock.acquire(timeout=PATIENCE)
            toy.cpu.lock.release()
    toy.put(0x2000, ("halt",), ("stop",))
    with running(toy, 0x2000):
        wait_until(lambda: toy.cpu.halted, "it does not halt")
        assert toy.cpu.lock.acquire(timeout=PATIENCE)
        toy.cpu.lock.release()


def test_lock_is_held_in_helpers_and_devices(toy: Toy) -> None:
    taken: list[bool] = []

    def probe(argument: int) -> None:
        thread = threading.Thread(target=lambda: taken.append(toy.cpu.lock.acquire(blocking=False)))
        thread.start()
        thread.join()

    toy.cpu.calls = [probe]
    toy.device.on_access = probe  # type: ignore[assignment]
    toy.cpu[6] = 0x20_0000
    toy.put(0x1000, ("call", 2, 0, 0), ("ld32", 3, 6), ("stop",))
    toy.run(0x1000)
    assert taken == [False, False]
    toy.run(0x1000)
    assert toy.cpu.lock.acquire(blocking=False)
    toy.cpu.lock.release()


def test_lock_is_free_after_a_failure(toy: Toy) -> None:
    """A defect in a helper ends the run with its exception; the lock is not left behind."""
    toy.cpu.calls = [lambda argument: 1 // 0]
    toy.put(0x1000, ("call", 2, 0, 0), ("stop",))
    with pytest.raises(ZeroDivisionError):
        toy.run(0x1000)
    free: list[bool] = []
    thread = threading.Thread(target=lambda: free.append(toy.cpu.lock.acquire(blocking=False)))
    thread.start()
    thread.join()
    assert free == [True]


def test_threads_that_do_everything_at_once(toy: Toy) -> None:
    """DMA over the running code, interrupts and queued work from several threads, with no deadlock."""
    from toy import assemble

    hot_loop(toy)
    toy.cpu.interrupt_vector = 0x3000
    toy.put(0x3000, ("addi", 4, 4, 1), ("jr", 0, 13))
    code = assemble([("addi", 2, 2, 1)], 0)
    done: list[int] = []

    def dma() -> None:
        for _ in range(100):
            with toy.cpu.lock:
                toy.memory.write(0x1000, code)

    def irq() -> None:
        for _ in range(100):
            with toy.cpu.lock:
                toy.cpu.interrupt(1)

    def work() -> None:
        for n in range(100):
            toy.cpu.queue(lambda n=n: done.append(n))  # type: ignore[misc]

    with running(toy, 0x1000):
        threads = [threading.Thread(target=target) for target in (dma, irq, work, dma)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        wait_until(lambda: len(done) == 100, "work was lost")
    assert toy.cpu[2] - toy.cpu[3] in (0, 1)


def test_a_guest_that_is_held_up_runs_nothing_and_its_timers_go_on(toy: Toy) -> None:
    hot_loop(toy)
    toy.cpu.clock = clock = VirtualClock()
    rung: list[int] = []
    timer = clock.timer(lambda: rung.append(toy.cpu[2]))
    with running(toy, 0x1000):
        wait_until(lambda: toy.cpu[2] > 1000, "the guest does not run")
        toy.cpu.turns.hold(time.monotonic() + 2 * PATIENCE)
        done: list[int] = []
        toy.cpu.queue(lambda: done.append(toy.cpu[2]))
        wait_until(lambda: bool(done), "queued work waits for the end of the hold")
        clock.start()
        timer.set(clock.now() + 1_000_000)
        wait_until(lambda: toy.cpu.kick() or bool(rung), "the timer waits for the end of the hold")
        assert rung == done == [toy.cpu[2]]
    with running(toy, toy.cpu.pc):
        time.sleep(0.02)
        assert toy.cpu[2] == done[0], "what was left of the hold was forgotten"
        toy.cpu.turns.hold(0.0)
        wait_until(lambda: toy.cpu[2] > done[0], "the hold does not end")
