"""``-icount``: budgets are kept to the instruction, and what helpers and devices see of the count is exact."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from toy import MMIO, Line, Toy

from pyqemu.accel.tcg import IcountClock
from pyqemu.system.clock import VirtualClock


def straight(toy: Toy, count: int) -> None:
    toy.put(0x1000, *[("addi", 2, 2, 1)] * count, ("stop",))


@pytest.mark.parametrize("budget", [0, 1, 2, 3, 5, 63, 64, 65, 100, 127, 128, 129])
def test_budget_of_straight_code(icount_toy: Toy, budget: int) -> None:
    straight(icount_toy, 300)
    icount_toy.cpu.pc = 0x1000
    icount_toy.run_budget(budget)
    assert (icount_toy.cpu[2], icount_toy.engine.executed()) == (budget, budget)
    assert icount_toy.cpu.pc == 0x1000 + 4 * budget


@pytest.mark.parametrize("budget", [1, 2, 3, 4, 5, 97, 98, 99, 100, 1000])
def test_budget_of_a_loop(icount_toy: Toy, budget: int) -> None:
    """Chained blocks of three instructions: the counters tell where it stopped."""
    toy = icount_toy
    toy.put(0x1000, "loop", ("addi", 2, 2, 1), ("addi", 3, 3, 1), ("jmp", 0, 0, "loop"))
    toy.cpu.pc = 0x1000
    toy.run_budget(budget)
    assert toy.engine.executed() == budget
    assert (toy.cpu[2], toy.cpu[3]) == ((budget + 2) // 3, (budget + 1) // 3)
    assert toy.cpu.pc == 0x1000 + 4 * (budget % 3)


def test_many_small_budgets(icount_toy: Toy) -> None:
    toy = icount_toy
    rng = random.Random(3)
    toy.put(0x1000, "loop", ("addi", 2, 2, 1), ("addi", 3, 3, 1), ("jmp", 0, 0, "loop"))
    toy.cpu.pc = 0x1000
    total = 0
    for _ in range(60):
        step = rng.randrange(12)
        total += step
        toy.run_budget(step)
        assert toy.engine.executed() == total
        assert toy.cpu[2] == (total + 2) // 3


def test_count_in_helpers_and_devices(icount_toy: Toy) -> None:
    """The instruction that calls does not count itself, those before it in its block do, those behind it do not."""
    toy = icount_toy
    toy.cpu.calls = [lambda argument: None]
    toy.cpu[6] = MMIO
    toy.put(0x1000, ("nop",), ("call", 2, 0, 0), ("nop",), ("ld32", 3, 6), ("nop",), ("st8", 3, 6), ("jmp", 0, 0, 4),
            ("call", 2, 0, 0), ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert [entry[2:] for entry in toy.cpu.called] == [(0x1004, 1), (0x101C, 7)]
    assert [entry[4:] for entry in toy.device.log] == [(0x100C, 3), (0x1014, 5)]
    assert toy.engine.executed() == 9


def test_count_at_a_fault(icount_toy: Toy) -> None:
    """An instruction that faults is not counted, nor is anything behind it; it counts once when it is done again."""
    toy = icount_toy
    toy.cpu.table[9] = (9, 0)
    toy.cpu.vector = 0x2000

    def fix(argument: int) -> None:
        toy.cpu.table[9] = (9, 7)

    toy.cpu.calls = [fix]
    toy.cpu[6] = 0x9000
    toy.put(0x1000, ("nop",), ("ld64", 3, 6), ("nop",), ("nop",), ("stop",))
    toy.put(0x2000, ("call", 4, 0, 0), ("jr", 0, 15))
    toy.run(0x1000)
    assert toy.cpu.called[0][2:] == (0x2000, 1)
    assert toy.engine.executed() == 1 + 2 + 4


def test_helper_that_leaves_the_loop_counts(icount_toy: Toy) -> None:
    """It has written the program counter: its instruction is done."""
    from pyqemu.tcg.cpu import LeaveLoop

    def leave(argument: int) -> None:
        icount_toy.cpu.pc = 0x1008
        raise LeaveLoop

    icount_toy.cpu.calls = [leave]
    icount_toy.put(0x1000, ("nop",), ("call", 2, 0, 0), ("nop",), ("stop",))
    icount_toy.run(0x1000)
    assert icount_toy.engine.executed() == 4


def test_count_when_the_running_block_becomes_stale(icount_toy: Toy) -> None:
    toy = icount_toy
    from toy import assemble

    code = assemble([("addi", 2, 2, 1)], 0)
    toy.cpu.calls = [lambda argument: toy.cpu.write(0x1008, code)]
    toy.put(0x1000, ("nop",), ("call", 3, 0, 0), ("nop",), ("nop",), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu[2], toy.engine.executed()) == (1, 5)


def test_main_loop_instructions_count(icount_toy: Toy) -> None:
    toy = icount_toy
    toy.put(0x1000, ("li", 1, 0, 10), "loop", ("sync",), ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("stop",))
    toy.run(0x1000)
    assert toy.engine.executed() == 1 + 30 + 1


def test_short_blocks_at_the_end_of_a_budget_are_reused(icount_toy: Toy) -> None:
    """A block that fits into what is left is used, though a longer one might not."""
    toy = icount_toy
    toy.put(0x1000, "loop", ("addi", 2, 2, 1), ("jmp", 0, 0, "loop"))
    toy.cpu.pc = 0x1000
    toy.run_budget(10)
    translated = toy.engine.translator.translated
    toy.run_budget(20)
    assert toy.engine.translator.translated == translated


@pytest.mark.parametrize("engine", ["stencil", "python"])
def test_timer_is_due_at_its_instruction(engine: str) -> None:
    """Guest time is the count; the timer's interrupt comes between the two instructions that it lies between."""
    clock = VirtualClock()
    toy = Toy(engine, icount=True, clock=clock)
    icount = IcountClock(toy.engine, 3)
    clock.use_icount(icount.now)
    clock.start()
    toy.cpu.turns.before_execution = lambda: icount.budget(clock)
    times = []

    def tick() -> None:
        times.append(toy.engine.executed())
        toy.cpu.interrupt(1)
        if len(times) < 5:
            timer.set(clock.now() + 8 * 100)

    timer = clock.timer(tick)
    timer.set(8 * 100)
    toy.cpu.interrupt_vector = 0x3000
    toy.put(0x3000, ("addi", 4, 4, 1), ("jr", 0, 13))
    toy.put(0x1000, ("li", 1, 0, 200), "loop", ("addi", 2, 2, 1), ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("stop",))
    toy.run(0x1000)
    assert times == [100, 200, 300, 400, 500]
    assert toy.cpu[4] == 5
    assert toy.engine.executed() == 1 + 600 + 1 + 10


def random_program(rng: random.Random) -> list[Line]:
    """Loops, memory, devices, helpers, flags, faults; ends with ``stop``."""
    lines: list[Line] = [("li64", 6, 0, 0x8000), ("li64", 7, 0, MMIO), ("li", 1, 0, rng.randrange(2, 9)), "loop"]
    kinds = (
        lambda: ("addi", rng.randrange(2, 6), rng.randrange(2, 6), rng.randrange(-9, 9)),
        lambda: (rng.choice(("addf", "subf", "andf", "xor", "mul")), *(rng.randrange(2, 6) for _ in range(3))),
        lambda: (rng.choice(("ld64", "ld8", "lds")), rng.randrange(2, 6), 6, rng.randrange(-32, 0x1010)),
        lambda: (rng.choice(("st64", "st8", "addm")), rng.randrange(2, 6), 6, rng.randrange(-32, 0x1010)),
        lambda: (rng.choice(("ld32", "st16")), rng.randrange(2, 6), 7, 4 * rng.randrange(8)),
        lambda: ("call", rng.randrange(2, 6), rng.randrange(2, 6), 0),
        lambda: (rng.choice(("getc", "getz")), rng.randrange(2, 6)),
        lambda: ("shli", rng.randrange(2, 6), rng.randrange(2, 6), rng.randrange(3)),
        lambda: ("shlf", rng.randrange(2, 6), rng.randrange(2, 6), rng.randrange(2, 6)),
        lambda: ("bz", 0, 0, 8),
        lambda: ("fault", 0, 0, 1),
        lambda: ("sync",),
    )
    lines += [rng.choice(kinds)() for _ in range(rng.randrange(4, 24))]
    return [*lines, ("nop",), ("nop",), ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("stop",)]


def trace_of(toy: Toy, program: list[Line], rng: random.Random) -> list[object]:
    """State after budgets of random sizes, and all that helpers, devices and faults saw."""
    toy.cpu.calls = [lambda argument: argument * 3 + 1 & 0xFFFF]
    toy.cpu.vector = 0x3000
    toy.put(0x3000, ("addi", 15, 15, 4), ("jr", 0, 15))  # skips the instruction that faulted
    toy.cpu.table[9] = (9, 1)
    toy.put(0x1000, *program)
    toy.cpu.pc = 0x1000
    seen: list[object] = []
    for _ in range(40):
        toy.run_budget(rng.randrange(1, 40))
        seen.append((toy.engine.executed(), toy.cpu.pc, toy.cpu.registers, toy.memory.read(0x7FE0, 0x1040)))
    return [*seen, toy.cpu.called, toy.device.log, toy.cpu.faults]


@pytest.mark.parametrize("seed", range(25))
def test_engines_have_identical_traces(seed: int) -> None:
    traces = []
    machines: list[Callable[[], Toy]] = [
        lambda: Toy("stencil", icount=True), lambda: Toy("python", icount=True),
        lambda: Toy("stencil", icount=True, refill=True),
    ]  # fmt: skip
    for machine in machines:
        rng = random.Random(seed)
        traces.append(trace_of(machine(), random_program(rng), rng))
    for name, parts in zip(("python", "refill"), traces[1:], strict=True):
        for n, (left, right) in enumerate(zip(traces[0], parts, strict=True)):
            assert left == right, (name, n)
