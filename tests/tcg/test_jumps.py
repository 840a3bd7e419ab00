"""From block to block: chained jumps, the jump cache, remapped pages, blocks on two pages."""

from __future__ import annotations

from collections import Counter

import pytest
from toy import Toy
from toy_isa import assemble

from pyqemu.tcg.env import JUMP_CACHE, JUMP_CACHE_ENTRY, JUMP_CACHE_SIZE, jump_cache_slot

M64 = (1 << 64) - 1


def count_finds(toy: Toy) -> Counter[int]:
    """Count how often Python looks for a block, by program counter."""
    seen: Counter[int] = Counter()
    find = toy.engine.find

    def counted():  # type: ignore[no-untyped-def]
        seen[toy.cpu.pc] += 1
        return find()

    toy.engine.find = counted  # type: ignore[method-assign]
    return seen


def is_native(toy: Toy) -> bool:
    return toy.engine.name == "stencil"


def test_loop_is_chained(toy: Toy) -> None:
    toy.put(0x1000, ("li", 1, 0, 1000), "loop", ("addi", 2, 2, 1), ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("stop",))
    finds = count_finds(toy)
    toy.run(0x1000)
    assert toy.cpu[2] == 1000
    if is_native(toy):
        assert finds[0x1004] <= 2


def test_direct_jumps_across_pages_are_chained(toy: Toy) -> None:
    toy.put(0x1000, ("li", 1, 0, 1000), "loop", ("addi", 1, 1, -1), ("jmp", 0, 0, 0x1000))
    toy.put(0x2008, ("addi", 2, 2, 1), ("bnz", 1, 0, -0x1008), ("stop",))
    finds = count_finds(toy)
    toy.run(0x1000)
    assert toy.cpu[2] == 1000
    if is_native(toy):
        assert finds[0x2008] <= 3
        assert finds[0x1004] <= 3


@pytest.mark.parametrize("whole", [False, True], ids=["page flush", "full flush"])
def test_direct_jump_follows_its_page_when_that_is_remapped(toy: Toy, whole: bool) -> None:
    """The jump from page 4 was chained to the code on page 5; then page 6 is mapped there, and page 5 again."""
    toy.cpu.table[5] = (5, 7)
    toy.put(0x5000, ("addi", 2, 2, 1), ("jr", 0, 10))
    toy.put(0x6000, ("addi", 2, 2, 0x100), ("jr", 0, 10))

    def change(argument: int) -> None:
        toy.cpu.table[5] = (6 if toy.cpu.table[5][0] == 5 else 5, 7)
        toy.cpu.tlb_flush() if whole else toy.cpu.tlb_flush_page(0x5000)

    toy.cpu.calls = [change]
    toy.put(0x4000, ("li", 3, 0, 4), ("li64", 10, 0, 0x4014), ("jmp", 0, 0, 0xFF0), ("addi", 3, 3, -1),
            ("bnz", 3, 0, -8), ("call", 13, 12, 0), ("addi", 1, 1, -1), ("bnz", 1, 0, -0x24), ("stop",))  # fmt: skip
    toy.cpu[1] = 6
    toy.run(0x4000)
    assert toy.cpu[2] == 3 * 4 * 1 + 3 * 4 * 0x100


def test_direct_jump_to_a_page_that_loses_its_permission(toy: Toy) -> None:
    toy.cpu.table[5] = (5, 7)
    toy.put(0x5000, ("addi", 2, 2, 1), ("jr", 0, 10))

    def change(argument: int) -> None:
        if toy.cpu[2] == 3:
            toy.cpu.table[5] = (5, 3)
            toy.cpu.tlb_flush()

    toy.cpu.calls = [change]
    toy.put(0x4000, ("li64", 10, 0, 0x4010), ("jmp", 0, 0, 0xFF4), ("call", 13, 12, 0), ("jmp", 0, 0, -0x14))
    toy.run(0x4000)
    assert (toy.cpu[2], toy.cpu.faults) == (3, [(0x5000, 2, 0x5000)])


def test_direct_jump_to_code_that_is_overwritten(toy: Toy) -> None:
    """The chained jump across pages must not lead to the stale block."""
    toy.put(0x5000, ("addi", 2, 2, 1), ("jr", 0, 10))
    new = int.from_bytes(assemble([("addi", 2, 2, 16)], 0), "little")
    toy.cpu.calls = [lambda argument: toy.cpu.store(0x5000, 4, new) if toy.cpu[1] == 3 else None]
    toy.put(0x4000, ("li64", 10, 0, 0x4010), ("jmp", 0, 0, 0xFF4), ("call", 13, 12, 0), ("addi", 1, 1, -1),
            ("bnz", 1, 0, -0x18), ("stop",))  # fmt: skip
    toy.cpu[1] = 6
    toy.run(0x4000)
    assert toy.cpu[2] == 4 * 1 + 2 * 16


def test_indirect_jumps(toy: Toy) -> None:
    """A loop over targets that take turns, on the same page and on others."""
    targets = [0x1800, 0x2000, 0x3004, 0x4FFC - 8]
    for n, target in enumerate(targets):
        toy.put(target, ("addi", 2 + n, 2 + n, 1), ("jr", 0, 10))
    at = 0x1000
    at = toy.put(at, ("li", 1, 0, 100))
    loop = at
    for target in targets:
        back = at + 12 + 12 + 4
        at = toy.put(at, ("li64", 10, 0, back), ("li64", 11, 0, target), ("jr", 0, 11))
    toy.put(at, ("addi", 1, 1, -1), ("bnz", 1, 0, loop - at - 4), ("stop",))
    finds = count_finds(toy)
    toy.run(0x1000)
    assert toy.cpu.registers[2:6] == [100] * 4
    if is_native(toy):
        assert sum(finds.values()) < 40


def test_jump_cache_does_not_outlive_its_translation(toy: Toy) -> None:
    """The guest maps another page at the target, with the flush that this asks for."""
    toy.cpu.table[5] = (5, 7)
    toy.put(0x5000, ("addi", 2, 2, 1), ("jr", 0, 10))
    toy.put(0x6000, ("addi", 2, 2, 0x100), ("jr", 0, 10))

    def change(argument: int) -> None:
        toy.cpu.table[5] = (argument, 7)
        toy.cpu.tlb_flush() if argument == 6 else toy.cpu.tlb_flush_page(0x5000)

    toy.cpu.calls = [change]
    lines = [("li64", 11, 0, 0x5000)]
    at = toy.put(0x1000, *lines)
    for page in (5, 6, 5, 6):
        at = toy.put(at, ("li", 12, 0, page), ("call", 13, 12, 0))
        for _ in range(2):
            at = toy.put(at, ("li64", 10, 0, at + 16), ("jr", 0, 11))
    toy.put(at, ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 4 * 1 + 4 * 0x100


def test_page_that_loses_its_permission(toy: Toy) -> None:
    """A target that is in the jump cache is no longer executable after the flush."""
    toy.cpu.table[5] = (5, 7)
    toy.put(0x5000, ("addi", 2, 2, 1), ("jr", 0, 10))

    def change(argument: int) -> None:
        toy.cpu.table[5] = (5, 3)
        toy.cpu.tlb_flush()

    toy.cpu.calls = [change]
    toy.put(0x1000, ("li64", 11, 0, 0x5000), ("li64", 10, 0, 0x101C), ("jr", 0, 11), ("call", 13, 12, 0), ("jr", 0, 11))
    toy.put(0x1000, ("li64", 11, 0, 0x5000), ("li64", 10, 0, 0x101C), ("jr", 0, 11))
    toy.put(0x101C, ("ld64", 9, 11), ("call", 13, 12, 0), ("ld64", 9, 11), ("jr", 0, 11))
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu.faults) == (1, [(0x5000, 2, 0x5000)])


def test_modes_are_translated_apart(toy: Toy) -> None:
    """The same code in another mode is another block, in the jump cache too."""
    toy.put(0x1000, ("li64", 11, 0, 0x1100), ("li", 1, 0, 3), "loop", ("mode", 0, 0, 5), ("li64", 10, 0,
            0x1028), ("jr", 0, 11))  # fmt: skip
    toy.put(0x1028, ("mode", 0, 0, 0), ("li64", 10, 0, 0x103C), ("jr", 0, 11))
    toy.put(0x103C, ("addi", 1, 1, -1), ("bnz", 1, 0, 0x1010 - 0x1040), ("stop",))
    toy.put(0x1100, ("addi", 2, 2, 1), ("jr", 0, 10))
    toy.run(0x1000)
    assert toy.cpu[2] == 6
    assert sorted(block.flags for block in toy.blocks() if block.linear == 0x1100) == [0, 5]


def test_empty_jump_cache_entries_match_nothing(toy: Toy) -> None:
    """Address 0 in mode 0, of which zeroed entries would be full; and an address of all ones."""
    toy.put(0, ("addi", 2, 2, 1), ("stop",))
    toy.put(0x1000, ("li", 1, 0, 0), ("jr", 0, 1))
    toy.run(0x1000)
    assert toy.cpu[2] == 1
    toy.cpu.table[M64 >> 12] = (0x10, 7)
    toy.put(0x10FFC, ("stop",))
    toy.put(0x2000, ("li64", 1, 0, M64 - 3), ("jr", 0, 1))
    toy.run(0x2000)
    assert toy.cpu.faults == []


def test_entries_of_one_slot_displace_each_other(toy: Toy) -> None:
    first = 0x2000
    second = next(a for a in range(0x3000, 0xF0000, 8) if jump_cache_slot(a) == jump_cache_slot(first))
    toy.put(first, ("addi", 2, 2, 1), ("jr", 0, 10))
    toy.put(second, ("addi", 3, 3, 1), ("jr", 0, 10))
    toy.put(0x1000, ("li64", 11, 0, first), ("li64", 12, 0, second), ("li", 1, 0, 50), "loop",
            ("li64", 10, 0, 0x102C), ("jr", 0, 11))  # fmt: skip
    toy.put(0x102C, ("li64", 10, 0, 0x103C), ("jr", 0, 12))
    toy.put(0x103C, ("addi", 1, 1, -1), ("bnz", 1, 0, 0x101C - 0x1040), ("stop",))
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu[3]) == (50, 50)


def test_jump_cache_slots_are_in_range() -> None:
    for pc in (0, 1, M64, 1 << 63, 0xFFFFFFFF81000000, *range(0, 1 << 20, 4099)):
        slot = jump_cache_slot(pc)
        assert JUMP_CACHE >> 3 <= slot < JUMP_CACHE + JUMP_CACHE_ENTRY * JUMP_CACHE_SIZE >> 3
        assert slot % 4 == 0


def spanning(toy: Toy) -> None:
    """An instruction at 0x4FFE whose second half is on page 5, or on page 6 when that is mapped there: adds 1 or 16."""
    toy.put(0x4FFE, ("addi", 2, 2, 1), ("jr", 0, 10))
    data = toy.ram.ram_block.data  # type: ignore[union-attr]
    data[0x6000:0x6800] = data[0x5000:0x5800]
    data[0x6000] = 16


def test_block_on_two_pages_whose_second_is_remapped(toy: Toy) -> None:
    toy.cpu.table[5] = (5, 7)
    spanning(toy)

    def change(argument: int) -> None:
        toy.cpu.table[5] = (argument, 7)
        toy.cpu.tlb_flush_page(0x5000)

    toy.cpu.calls = [change]
    at = toy.put(0x1000, ("li64", 11, 0, 0x4FFE))
    for page in (5, 6, 5, 6):
        at = toy.put(at, ("li", 12, 0, page), ("call", 13, 12, 0))
        for _ in range(2):
            at = toy.put(at, ("li64", 10, 0, at + 16), ("jr", 0, 11))
    toy.put(at, ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 4 * 1 + 4 * 16


def test_block_on_two_pages_whose_second_is_gone(toy: Toy) -> None:
    toy.cpu.table[5] = (5, 7)
    spanning(toy)

    def change(argument: int) -> None:
        toy.cpu.table[5] = (5, 3)
        toy.cpu.tlb_flush_page(0x5000)

    toy.cpu.calls = [change]
    toy.put(0x1000, ("li64", 11, 0, 0x4FFE), ("li64", 10, 0, 0x101C), ("jr", 0, 11))
    toy.put(0x101C, ("call", 13, 12, 0), ("jr", 0, 11))
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu.faults) == (1, [(0x4FFE, 2, 0x5000)])


def test_chains_to_a_block_on_two_pages(toy: Toy) -> None:
    """They go through the jump cache, so that a remap is noticed."""
    toy.cpu.table[5] = (5, 7)
    spanning(toy)

    def change(argument: int) -> None:
        toy.cpu.table[5] = (6 if toy.cpu.table[5][0] == 5 else 5, 7)
        toy.cpu.tlb_flush_page(0x5000)

    toy.cpu.calls = [change]
    toy.put(0x4F00, ("li64", 10, 0, 0x4F10), ("jmp", 0, 0, 0xFE - 12))
    toy.put(0x4F10, ("call", 13, 12, 0), ("addi", 1, 1, -1), ("bnz", 1, 0, 0x4F00 - 0x4F18), ("stop",))
    toy.cpu[1] = 6
    toy.run(0x4F00)
    assert toy.cpu[2] == 3 * 1 + 3 * 16


def test_flush_in_mid_run(toy: Toy) -> None:
    """A helper throws all code away; the code that called it still runs to its end."""
    toy.cpu.calls = [lambda argument: toy.engine.flush()]  # type: ignore[func-returns-value]
    toy.put(0x1000, ("li", 1, 0, 20), "loop", ("addi", 2, 2, 1), ("call", 3, 0, 0), ("addi", 4, 4, 1), ("addi",
            1, 1, -1),
            ("bnz", 1, 0, "loop"), ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert (toy.cpu[2], toy.cpu[4]) == (20, 20)


def test_trace_sees_each_block(toy: Toy) -> None:
    seen: list[int] = []
    toy.engine.trace = lambda block: seen.append(block.linear)
    toy.put(0x1000, ("li", 1, 0, 3), "loop", ("addi", 1, 1, -1), ("bnz", 1, 0, "loop"), ("stop",))
    toy.run(0x1000)
    assert seen == [0x1000, 0x1004, 0x1004, 0x100C]


def test_single_steps(toy: Toy) -> None:
    """Blocks of one instruction, none of them kept."""
    seen: list[int] = []
    toy.engine.single_step = True
    toy.engine.trace = lambda block: seen.append(block.linear)
    toy.put(0x1000, ("li", 1, 0, 3), ("addf", 1, 1, 1), ("getz", 2), ("stop",))
    toy.run(0x1000)
    assert seen == [0x1000, 0x1004, 0x1008, 0x100C]
    assert toy.blocks() == []


def test_limits_of_a_block(toy: Toy) -> None:
    from pyqemu.tcg.translate import MAX_INSTRUCTIONS

    toy.put(0x1000, *[("addi", 1, 1, 1)] * 200, ("stop",))
    toy.run(0x1000)
    assert toy.cpu[1] == 200
    assert max(block.count for block in toy.blocks()) == MAX_INSTRUCTIONS
