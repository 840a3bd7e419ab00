"""Several processors that run in turn on one thread: who runs when, and what they share."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from toy import MMIO, Toy, ToyCpu

from pyqemu.accel.tcg import IcountClock, Slicer
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system.clock import VirtualClock
from pyqemu.tcg.turns import SLICE_INSTRUCTIONS

FIRST, SECOND, DATA = 0x1000, 0x2000, 0x8000
GIVE_WAY, DOZE = 0, 1


def add_cpu(toy: Toy) -> ToyCpu:
    """Another processor of the machine."""
    cpu = ToyCpu(memory=toy.memory, engine=toy.engine, refill=toy.cpu.refill, clock=toy.cpu.clock)
    for each in (toy.cpu, cpu):
        each.calls = [lambda _: toy.cpu.turns.end_turn(), lambda _, each=each: each.doze()]  # type: ignore[misc, list-item]
        each.observe = False
    return cpu


def run(toy: Toy, *starts: int) -> None:
    for cpu, start in zip(toy.cpu.turns.cpus, starts, strict=True):
        cpu.q[cpu.pc_slot >> 3] = start
    toy.run()


def run_guarded(toy: Toy, *starts: int) -> None:
    """Run what would never end if the second one had no turn."""
    late: list[bool] = []
    guard = threading.Timer(60, lambda: (late.append(True), toy.cpu.stop()))
    guard.start()
    run(toy, *starts)
    guard.cancel()
    assert not late


def test_they_run_in_turn(toy: Toy) -> None:
    """Each gives way after one round; neither is ahead by more than one, and the first ends it."""
    second = add_cpu(toy)
    toy.put(FIRST, "loop", ("addi", 2, 2, 1), ("call", 3, 2, GIVE_WAY), ("sync",), ("addi", 1, 1, -1),
            ("bnz", 1, 0, "loop"), ("stop",))  # fmt: skip
    toy.put(SECOND, "loop", ("addi", 2, 2, 1), ("call", 3, 2, GIVE_WAY), ("sync",), ("jmp", 0, 0, "loop"))
    toy.cpu[1] = 10
    run(toy, FIRST, SECOND)
    assert toy.cpu[2] == 10
    assert second[2] in (9, 10)


def test_code_is_translated_once_for_all(toy: Toy) -> None:
    second = add_cpu(toy)
    toy.put(FIRST, ("addi", 2, 2, 1), ("call", 3, 2, GIVE_WAY), ("sync",), ("halt",), ("stop",))
    for cpu in toy.cpu.turns.cpus:
        cpu.turns.on_idle = toy.cpu.stop
    run(toy, FIRST, FIRST)
    assert (toy.cpu[2], second[2]) == (1, 1)
    assert len([block for block in toy.blocks() if block.pc == FIRST]) == 1


def test_sleeping_ones_are_passed_over(toy: Toy) -> None:
    second = add_cpu(toy)
    second.halted = True
    toy.put(FIRST, ("addi", 2, 2, 1), ("call", 3, 2, GIVE_WAY), ("sync",), ("addi", 2, 2, 1), ("stop",))
    run(toy, FIRST, SECOND)
    assert (toy.cpu[2], second[2], second.pc) == (2, 0, SECOND)


def test_interrupt_of_another_one_ends_the_turn(toy: Toy) -> None:
    """A device that the first one accesses wakes the second; the first waits in a loop that never gives way."""
    second = add_cpu(toy)
    second.halted = True
    toy.device.on_access = lambda offset: second.interrupt(1)
    toy.cpu[6], toy.cpu[7] = MMIO, DATA
    second[7], second[5] = DATA, 1
    toy.put(FIRST, ("ld32", 5, 6), "loop", ("ld32", 1, 7), ("bnz", 1, 0, 8), ("jmp", 0, 0, "loop"), ("stop",))
    toy.put(SECOND, ("st32", 5, 7), ("halt",))
    run_guarded(toy, FIRST, SECOND)
    assert (toy.cpu[1], second.serviced) == (1, 1)


def test_slices_end_endless_loops(toy: Toy) -> None:
    """Neither gives way; the second stops it all once it has been let run."""
    second = add_cpu(toy)
    slicer = Slicer(toy.cpu.turns)
    slicer.start()
    toy.put(FIRST, "loop", ("addi", 2, 2, 1), ("jmp", 0, 0, "loop"))
    toy.put(SECOND, ("addi", 2, 2, 1), ("stop",))
    run_guarded(toy, FIRST, SECOND)
    slicer.close()
    assert second[2] == 1


def test_all_asleep(toy: Toy) -> None:
    """Whoever waits for idleness hears of it when the last one sleeps, and not before."""
    second = add_cpu(toy)
    toy.put(FIRST, ("halt",))
    toy.put(SECOND, ("call", 3, 2, GIVE_WAY), ("sync",), ("addi", 2, 2, 1), ("halt",))
    heard: list[int] = []
    toy.cpu.turns.on_idle = lambda: (heard.append(second[2]), toy.cpu.stop())  # type: ignore[assignment, func-returns-value]
    run(toy, FIRST, SECOND)
    assert heard == [1]


def test_who_waits_for_an_event_goes_on_after_a_while(toy: Toy) -> None:
    """All wait for what only another one could do: that is no sleep for good."""
    second = add_cpu(toy)
    for address in (FIRST, SECOND):
        toy.put(address, ("call", 3, 2, DOZE), ("sync",), ("addi", 2, 2, 1), ("call", 3, 2, DOZE), ("sync",), ("stop",))
    run(toy, FIRST, SECOND)
    assert (toy.cpu[2], second[2]) == (1, 1)


def test_code_that_another_one_overwrites(toy: Toy) -> None:
    """The second one runs code in a loop; the first one changes it, with a store that it made to that page before."""
    second = add_cpu(toy)
    toy.put(0x3000, ("stop",))
    stop = int.from_bytes(toy.ram.ram_block.data[0x3000:0x3004], "little")  # type: ignore[union-attr]
    toy.cpu[6], toy.cpu[5] = SECOND, stop
    toy.put(FIRST, ("st32", 5, 6, 0x800), ("call", 3, 2, GIVE_WAY), ("sync",), ("st32", 5, 6, 4),
            "loop", ("call", 3, 2, GIVE_WAY), ("sync",), ("jmp", 0, 0, "loop"))  # fmt: skip
    toy.put(SECOND, "loop", ("addi", 2, 2, 1), ("addi", 3, 3, 1), ("call", 4, 2, GIVE_WAY), ("sync",),
            ("jmp", 0, 0, "loop"))  # fmt: skip
    run(toy, FIRST, SECOND)
    assert (second[2], second[3]) == (2, 1)


def test_code_thrown_away_is_in_no_jump_cache(toy: Toy) -> None:
    """Both find a block by an indirect jump; one of them overwrites it, and the other jumps there again."""
    second = add_cpu(toy)
    toy.put(0x4000, ("addi", 2, 2, 1), ("jr", 0, 9))
    toy.put(0x4800, ("addi", 2, 2, 0x10), ("jr", 0, 9))
    new = int.from_bytes(toy.ram.ram_block.data[0x4800:0x4804], "little")  # type: ignore[union-attr]
    calls = [("jr", 0, 8), ("call", 3, 2, GIVE_WAY), ("sync",)]
    for cpu, start in ((toy.cpu, FIRST), (second, SECOND)):
        cpu[8], cpu[9], cpu[6], cpu[5] = 0x4000, start + 4, 0x4000, new
    toy.put(FIRST, *calls, ("bnz", 1, 0, 12), ("addi", 1, 1, 1), ("jmp", 0, 0, FIRST - (FIRST + 20)),
            ("st32", 5, 6), "loop", ("call", 3, 2, GIVE_WAY), ("sync",), ("jmp", 0, 0, "loop"))  # fmt: skip
    toy.put(SECOND, *calls, ("addi", 1, 1, 1), ("addi", 4, 1, -4), ("bnz", 4, 0, -20), ("stop",))
    run(toy, FIRST, SECOND)
    assert (toy.cpu[2], second[2]) == (2, 0x22)


def test_flush_of_everything(toy: Toy) -> None:
    second = add_cpu(toy)
    calls = [("call", 3, 2, GIVE_WAY), ("sync",)]
    toy.put(FIRST, "loop", ("addi", 2, 2, 1), *calls, ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("stop",))
    for _ in range(3):
        toy.cpu[1] = second[1] = 4
        run(toy, FIRST, FIRST)
        toy.engine.flush()
    assert toy.cpu[2] == 12


def test_memory_map_changes_for_all(toy: Toy) -> None:
    """A page of RAM that a device of the first one hides is hidden from the second one, too."""
    second = add_cpu(toy)
    cover = MemoryRegion.ram("cover", 0x1000)
    toy.device.on_access = lambda offset: toy.root.add(DATA, cover, priority=1)
    toy.ram.ram_block.data[DATA] = 7  # type: ignore[union-attr]
    toy.cpu[6], second[7] = MMIO, DATA
    toy.put(FIRST, ("call", 3, 2, GIVE_WAY), ("sync",), ("ld32", 5, 6), ("halt",))
    toy.put(SECOND, ("ld32", 1, 7), ("call", 3, 2, GIVE_WAY), ("sync",), ("ld32", 2, 7), ("stop",))
    run(toy, FIRST, SECOND)
    assert (second[1], second[2]) == (7, 0)


def test_dirty_log_hears_of_all_stores(toy: Toy) -> None:
    """Both have stored to a page; after the log was taken both stores count anew."""
    second = add_cpu(toy)
    block = toy.ram.ram_block
    assert block is not None
    block.dirty.enable("migration")
    toy.cpu[6], second[6] = DATA, DATA + 0x1000
    body = [("st32", 5, 6), ("call", 3, 2, GIVE_WAY), ("sync",), ("st32", 5, 6), ("halt",)]
    toy.put(FIRST, *body)
    toy.put(SECOND, *body)
    toy.cpu.turns.on_idle = toy.cpu.stop
    taken: list[list[int]] = []

    def take(_: int) -> None:
        toy.cpu.turns.end_turn()
        taken.append(sorted(block.dirty.take("migration", 0, 16)))

    toy.cpu.calls[GIVE_WAY] = toy.cpu.turns.cpus[1].calls[GIVE_WAY] = take  # type: ignore[assignment]
    run(toy, FIRST, SECOND)
    assert sorted(block.dirty.take("migration", 0, 16)) == [DATA >> 12, (DATA >> 12) + 1]


def counts(new_toy: Callable[..., Toy]) -> tuple[int, ...]:
    """What three loops had counted when the first was done, with a clock of instructions."""
    clock = VirtualClock()
    toy = new_toy(icount=True, clock=clock)
    cpus = [toy.cpu, add_cpu(toy), add_cpu(toy)]
    icount = IcountClock(toy.engine, 0)
    clock.use_icount(icount.now)
    toy.cpu.turns.before_execution = lambda: icount.budget(clock)
    rung: list[int] = []
    timer = clock.timer(lambda: rung.append(clock.now()))
    timer.set(1000)
    clock.start()
    toy.put(FIRST, "loop", ("addi", 2, 2, 1), ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("stop",))
    toy.put(SECOND, "loop", ("addi", 2, 2, 1), ("jmp", 0, 0, "loop"))
    toy.put(0x3000, "loop", ("addi", 2, 2, 1), ("addi", 2, 2, 1), ("jmp", 0, 0, "loop"))
    toy.cpu[1] = 4000 if toy.engine.name == "python" else SLICE_INSTRUCTIONS
    run(toy, FIRST, SECOND, 0x3000)
    return (*(cpu[2] for cpu in cpus), toy.engine.executed(), *rung)


def test_instruction_count_is_of_all_and_repeats(new_toy: Callable[..., Toy], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyqemu.tcg.turns.SLICE_INSTRUCTIONS", 3000)
    first = counts(new_toy)
    assert first == counts(new_toy)
    one, two, three, executed, rung = first
    assert executed == 3 * one + 1 + 2 * two + 3 * (three // 2) + three % 2
    assert abs(2 * two - 3 * three // 2) <= 3000
    assert rung == 1000


def test_processors_of_one_engine_see_the_same_memory(toy: Toy) -> None:
    with pytest.raises(ValueError, match="same memory"):
        ToyCpu(memory=AddressSpace("other", MemoryRegion.container("root", 1 << 32)), engine=toy.engine)


def test_hooks_are_called_for_each(toy: Toy) -> None:
    """A function that holds one processor before an instruction is called once for each, and both go on."""
    second = add_cpu(toy)
    toy.put(FIRST, ("addi", 2, 2, 1), ("addi", 2, 2, 1), ("call", 3, 2, GIVE_WAY), ("sync",), ("halt",))
    called: list[int] = []

    def reached(address: int) -> None:
        called.append(toy.cpu.hooks.cpu.index)
        toy.cpu.hooks.hold()
        toy.cpu.stop()

    toy.cpu.hooks.add_address(FIRST + 4, reached)
    toy.cpu.turns.on_idle = toy.cpu.stop
    run(toy, FIRST, FIRST)
    assert (called, toy.cpu[2], second[2]) == ([0], 1, 0)
    toy.run()
    assert (called, toy.cpu[2], second[2]) == ([0, 1], 2, 1)
    toy.run()
    assert (called, toy.cpu[2], second[2]) == ([0, 1], 2, 2)
    assert toy.cpu.hooks is second.hooks
