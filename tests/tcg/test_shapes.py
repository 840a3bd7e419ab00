"""Shapes: staged once, specialised where a number was asked for, holes filled for each instance."""

from __future__ import annotations

import random

import pytest
from toy import RAM_SIZE, Toy

from pyqemu.tcg.shape import Truncated

M64 = (1 << 64) - 1
EDGES = (0, 1, -1, (1 << 31) - 1, 1 << 31, -(1 << 31), -(1 << 31) - 1, (1 << 32) - 1, 1 << 32, (1 << 63) - 1,
        1 << 63, M64)  # fmt: skip


@pytest.mark.parametrize("value", EDGES)
def test_long_immediate(toy: Toy, value: int) -> None:
    toy.put(0x1000, ("li64", 1, 0, value), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[1] == value & M64


def test_long_immediates_side_by_side(toy: Toy) -> None:
    """One shape, many values: those that fit into a short field and those that do not, in one block and in several."""
    lines = [("li64", n, 0, value) for n, value in enumerate(EDGES)]
    toy.put(0x1000, *lines, ("stop",))
    toy.put(0x2000, ("li64", 0, 0, 5), ("li64", 1, 0, 1 << 63), ("stop",))
    toy.put(0x3000, ("li64", 0, 0, -6), ("li64", 1, 0, 7), ("stop",))
    toy.run(0x1000)
    assert toy.cpu.registers[: len(EDGES)] == [value & M64 for value in EDGES]
    toy.run(0x2000)
    assert toy.cpu.registers[:2] == [5, 1 << 63]
    toy.run(0x3000)
    assert toy.cpu.registers[:2] == [M64 - 5, 7]


@pytest.mark.parametrize("value", [0, 1, -1, 0x7FFF, -0x8000])
def test_short_immediates_of_three_widths(toy: Toy, value: int) -> None:
    start = 0x8877665544332211
    for n in (1, 2, 3, 4):
        toy.cpu[n] = start
    toy.put(0x1000, ("addi", 1, 1, value), ("addi32", 2, 2, value), ("addi8", 3, 3, value), ("li", 4, 0,
            value), ("stop",))  # fmt: skip
    toy.run(0x1000)
    assert toy.cpu[1] == start + value & M64
    assert toy.cpu[2] == start + value & 0xFFFFFFFF
    assert toy.cpu[3] == start & ~0xFF | start + value & 0xFF
    assert toy.cpu[4] == value & M64


def test_displacement_plus_constant_does_not_wrap(toy: Toy) -> None:
    """A 32-bit displacement near 2**31 with eight added to it is not a negative number."""
    toy.cpu[1] = (0x8000 - 0x7FFFFFFC) & M64
    toy.cpu[2] = 0x1234
    toy.put(0x1000, ("stx", 2, 1, 0x7FFFFFFC), ("stop",))
    toy.run(0x1000)
    assert toy.cpu.faults == []
    assert (toy.memory.load(0x8000, 8), toy.memory.load(0x8008, 8)) == (0x1234, 0x1234)


@pytest.mark.parametrize("disp", [0, 8, -8, 0x7FFF0000, -0x80000000, 0x7FFFFFF8])
def test_displacements(toy: Toy, disp: int) -> None:
    toy.memory.store(0x8000, 8, 0x1122334455667788)
    toy.cpu[1] = (0x8000 - disp) & M64
    toy.put(0x1000, ("ldx", 2, 1, disp), ("stop",))
    toy.run(0x1000)
    assert toy.cpu[2] == 0x1122334455667788


def test_same_shape_is_staged_once(toy: Toy) -> None:
    toy.put(0x1000, *[("addi", 1, 1, n) for n in range(1, 41)], ("stop",))
    toy.run(0x1000)
    assert toy.cpu[1] == sum(range(1, 41))
    staged = toy.engine.translator.staged
    toy.put(0x2000, *[("addi", 1, 1, -n) for n in range(1, 41)], ("stop",))
    toy.run(0x2000)
    assert toy.cpu[1] == 0
    assert toy.engine.translator.staged == staged


def test_number_that_was_asked_for_makes_a_variant(toy: Toy) -> None:
    toy.put(0x1000, ("li", 1, 0, 1), *[("shli", n, 1, n) for n in range(2, 12)], ("stop",))
    toy.run(0x1000)
    assert [toy.cpu[n] for n in range(2, 12)] == [1 << n for n in range(2, 12)]


@pytest.mark.parametrize("order", [(0, 3), (3, 0)])
def test_what_is_known_of_flags_belongs_to_the_number(toy: Toy, order: tuple[int, int]) -> None:
    """A shift by zero leaves the flags, a shift by three does not, though both are of one shape."""
    for n, count in enumerate(order):
        at = 0x1000 * (n + 1)
        toy.put(at, ("li", 1, 0, 5), ("li", 2, 0, 5), ("subf", 3, 1, 2), ("shli", 4, 1, count), ("getz", 5), ("stop",))
        toy.run(at)
        assert toy.cpu[5] == (1 if count == 0 else 0)


def test_instruction_that_ends_beyond_the_page(toy: Toy) -> None:
    toy.put(0x1FFE, ("li", 1, 0, 0x1234), ("li64", 2, 0, 0x1122334455667788), ("stop",))
    toy.put(0x2FF9, ("li64", 2, 0, 0x99), ("stop",))
    toy.run(0x1FFE)
    assert (toy.cpu[1], toy.cpu[2]) == (0x1234, 0x1122334455667788)
    toy.run(0x2FF9)
    assert toy.cpu[2] == 0x99


def test_block_ends_at_the_page(toy: Toy) -> None:
    toy.put(0x1FF0, *[("addi", 1, 1, 1)] * 10, ("stop",))
    toy.run(0x1FF0)
    assert toy.cpu[1] == 10
    assert all(block.linear >> 12 == (block.linear + block.length - 1) >> 12 for block in toy.blocks())


def test_truncated_code_at_the_end_of_a_device_is_no_crash(toy: Toy) -> None:
    toy.put(RAM_SIZE - 8, ("li", 1, 0, 7), ("addi", 1, 1, 1))
    toy.run(RAM_SIZE - 8)
    assert toy.cpu[1] == 8  # then 0xFFFFFFFF is fetched from nowhere: an undefined instruction
    assert toy.cpu.faults == [(RAM_SIZE, 3, M64)]


def test_decoder_says_truncated(toy: Toy) -> None:
    decoder = toy.cpu.decoder(0)
    code = bytes(3)
    with pytest.raises(Truncated):
        decoder.decode(code, 0)


def test_random_immediates_in_one_block(new_toy) -> None:  # type: ignore[no-untyped-def]
    rng = random.Random(5)
    toy = new_toy()
    for n in range(40):
        at = 0x4000 + 0x200 * n
        values = [rng.choice((rng.getrandbits(64), rng.randrange(-99, 99))) for _ in range(8)]
        toy.put(at, *[("li64", r, 0, value) for r, value in enumerate(values)], ("stop",))
        toy.run(at)
        assert toy.cpu.registers[:8] == [value & M64 for value in values]
