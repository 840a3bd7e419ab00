"""Lazy flags: records that nobody needs are not made; those that somebody may look at are there."""

from __future__ import annotations

from toy import ADD, LOGIC, SUB, Toy

from pyqemu.tcg.translate import Block


def records(block: Block) -> list[bool]:
    """For each instruction, whether it writes a flags record."""
    return [any("_cc" in insn[0] for insn in variant.ops) for variant in block.variants]


def block_at(toy: Toy, pc: int) -> Block:
    (block,) = [block for block in toy.blocks() if block.linear == pc]
    return block


def test_dead_record_is_dropped(toy: Toy) -> None:
    toy.put(0x1000, ("addf", 1, 1, 2), ("subf", 1, 1, 2), ("addf", 3, 3, 3), ("stop",))
    toy.run(0x1000)
    assert records(block_at(toy, 0x1000))[:3] == [False, False, True]


def test_record_before_an_access_is_kept(toy: Toy) -> None:
    """The access may fault, and then the guest looks at its flags."""
    toy.put(0x1000, ("li", 2, 0, 3), ("addf", 1, 1, 2), ("ld8", 5, 0, 0x100), ("subf", 3, 3, 3), ("stop",))
    toy.run(0x1000)
    assert records(block_at(toy, 0x1000))[1:4] == [True, False, True]


def test_flags_at_a_fault(toy: Toy) -> None:
    toy.cpu.table[0x55] = (0x55, 0)
    toy.put(0x1000, ("li64", 6, 0, 0x55000), ("li", 2, 0, 3), ("addf", 1, 1, 2), ("ld8", 5, 6, 0), ("subf", 3,
            3, 3), ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert toy.cpu.flags == (3, 3, ADD)


def test_flags_at_a_helper(toy: Toy) -> None:
    seen = []
    toy.cpu.calls = [lambda argument: seen.append(toy.cpu.flags)]  # type: ignore[func-returns-value]
    toy.put(0x1000, ("li", 2, 0, 3), ("subf", 1, 2, 2), ("call", 4, 0, 0), ("addf", 3, 3, 3), ("stop",))
    toy.run(0x1000)
    assert seen == [(0, 3, SUB)]


def test_flags_at_the_end_of_a_block(toy: Toy) -> None:
    toy.put(0x1000, ("li", 2, 0, 3), ("subf", 1, 2, 2), ("jmp", 0, 0, 8))
    toy.put(0x1010, ("getz", 5), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[5] == 1


def test_compare_leaves_its_operands(toy: Toy) -> None:
    toy.put(0x1000, ("li", 1, 0, 7), ("cmpi", 1, 0, 7), ("getz", 2), ("cmpi", 1, 0, 8), ("getz", 3), ("getc",
            4), ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert (toy.cpu[1], toy.cpu[2], toy.cpu[3], toy.cpu[4]) == (7, 1, 0, 1)


def test_kind_that_is_known_saves_the_helper(toy: Toy) -> None:
    """``getc`` has a variant for each kind of record; only where the kind is unknown it asks a helper."""
    toy.cpu[1], toy.cpu[2] = 1, (1 << 64) - 1
    toy.put(0x1000, ("addf", 3, 1, 2), ("getc", 4), ("subf", 3, 1, 2), ("getc", 5), ("andf", 3, 1, 2), ("getc",
            6), ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert (toy.cpu[4], toy.cpu[5], toy.cpu[6], toy.cpu.dynamic) == (1, 1, 0, 0)
    toy.put(0x2000, ("addf", 3, 1, 2), ("jmp", 0, 0, 4), ("getc", 4), ("stop",))
    toy.cpu[4] = 9
    toy.run(0x2000)
    assert (toy.cpu[4], toy.cpu.dynamic) == (1, 1)


def test_kind_is_unknown_after_a_conditional_record(toy: Toy) -> None:
    for count, carry in ((0, 1), (4, 0)):
        toy.cpu[1], toy.cpu[2], toy.cpu[7] = 1, (1 << 64) - 1, count
        toy.put(0x1000, ("addf", 3, 1, 2), ("shlf", 5, 2, 7), ("getc", 4), ("stop",))
        toy.run(0x1000)
        assert toy.cpu[4] == carry
    assert toy.cpu.dynamic == 2


def test_conditional_record_does_not_kill_the_one_before(toy: Toy) -> None:
    toy.cpu[1], toy.cpu[2], toy.cpu[7] = 1, 1, 0
    toy.put(0x1000, ("subf", 3, 1, 2), ("shlf", 5, 2, 7), ("getz", 4), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[4] == 1


def test_record_in_a_loop_within_an_instruction(toy: Toy) -> None:
    """The loop's body does not run the first time round, so the record before is still wanted."""
    for rounds, zero in ((0, 1), (2, 0)):
        toy.cpu[1], toy.cpu[2], toy.cpu[8], toy.cpu[9] = 1, 1, 0, rounds
        toy.put(0x1000, ("subf", 3, 1, 2), ("loopf", 8, 9), ("getz", 4), ("stop",))
        toy.run(0x1000)
        assert (toy.cpu[8], toy.cpu[4]) == (rounds + 1, zero)


def test_record_behind_an_early_way_out(toy: Toy) -> None:
    """An instruction that may have left before it records flags does not make those before it superfluous."""
    toy.cpu[1], toy.cpu[2], toy.cpu[6] = 1, 1, 0
    toy.put(0x1000, ("subf", 3, 1, 2), ("early", 6, 0, 0x10))
    toy.put(0x1014, ("getz", 4), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[4] == 1


def test_kind_is_unknown_after_a_helper(toy: Toy) -> None:
    def change(argument: int) -> None:
        toy.cpu.q[(0x400 + 0x90) >> 3] = 5

    toy.cpu.calls = [change]
    toy.cpu[1] = 1
    toy.put(0x1000, ("subf", 3, 1, 1), ("call", 5, 0, 0), ("getz", 4), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[4] == 0


def test_record_of_a_store_that_hits_its_own_block(toy: Toy) -> None:
    """The block is left behind the store, so the store's flags are seen although the old next instruction would have
    recorded others."""
    patch = toy.put(0x2000, ("getz", 5)) - 4
    toy.cpu[6] = 0x1008
    toy.put(0x1000, ("nop",), ("addm", 1, 6, 0), ("subf", 3, 4, 4), ("stop",))
    before = toy.memory.load(0x1008, 8)
    toy.cpu[1] = (toy.memory.load(patch, 4) | before & ~0xFFFFFFFF) - before & (1 << 64) - 1
    toy.cpu[4] = 0
    toy.run(0x1000)
    total = toy.memory.load(0x1008, 8)
    assert toy.cpu[5] == 0
    assert toy.cpu.flags == (total, toy.cpu[1], ADD)


def test_logic_record(toy: Toy) -> None:
    toy.cpu[1], toy.cpu[2] = 0xF0, 0x0F
    toy.put(0x1000, ("andf", 3, 1, 2), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu[3], toy.cpu.flags) == (0, (0, 0x0F, LOGIC))
