"""The code of a run of ops: its two halves, and displacements that are as short as they can be."""

from __future__ import annotations

import pytest
from native import Native

from pyqemu.tcg.assembler import Code
from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import EXIT_CHAIN, EXIT_REASON, GLOBALS, POINTER, TEMPORARIES, Env
from pyqemu.tcg.tables import full_table

A, B, D = GLOBALS, GLOBALS + 8, GLOBALS + 16
FAR = TEMPORARIES
TABLE = full_table()


@pytest.fixture(scope="module")
def native() -> Native:
    return Native(TABLE)


def assembled(native: Native, *ops: Insn) -> Code:
    return native.assembler.assemble(list(ops))


def test_ways_out_of_accesses_are_in_the_cold_half(native: Native) -> None:
    code = assembled(native, ("ld64_a64", D, A, 0, 0))
    assert code.cold and len(code.links) == 1 and len(code.back_links) == 1
    assert list(code.exits) == [0]
    assert not assembled(native, ("add64", D, A, B)).cold


def test_near_slots_have_short_displacements(native: Native) -> None:
    near = assembled(native, ("add64", D, A, B)).data
    assert len(assembled(native, ("add64", FAR, A, B)).data) == len(near) + 3
    assert len(assembled(native, ("add64", FAR, FAR + 8, FAR + 16)).data) == len(near) + 9


@pytest.mark.parametrize("slot", [POINTER - 128, POINTER, POINTER + 96, POINTER + 120, POINTER + 128, POINTER - 136])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_displacements_at_the_border_of_what_is_near(slot: int, place: int, native: Native) -> None:
    slots = [D, A, B]
    slots[place] = slot
    env = Env()
    env.q[slots[1] >> 3], env.q[slots[2] >> 3] = 1000, 234
    native.run([("add64", *slots)], env)
    assert env.q[slots[0] >> 3] == 1234


@pytest.mark.parametrize("record", [POINTER + 88, POINTER + 96, POINTER + 104, POINTER + 112, POINTER + 120, FAR])
def test_records_at_the_border_of_what_is_near(record: int, native: Native) -> None:
    env = Env()
    env.q[A >> 3], env.q[B >> 3] = 7, 9
    native.run([("add_cc64", D, A, B, record, 33)], env)
    assert env.q[record >> 3 : (record >> 3) + 3].tolist() == [16, 9, 33]


GOTO = (("goto_tb", 0), ("movi64", B, 77), ("goto_ptr", A, B))


def chained_exit(native: Native, ops: list[Insn], a: int) -> Env:
    env = Env()
    env.q[A >> 3] = a
    native.run(ops, env)
    return env


def test_conditional_jump_alone_is_the_jump_that_can_be_chained(native: Native) -> None:
    branch = assembled(native, ("brcond_eq64i", A, 5, 1), ("label", 1))
    code = assembled(native, ("brcond_eq64i", A, 5, 1), *GOTO, ("label", 1), *GOTO)
    assert len(code.data) == len(branch.data) + 5  # one more jump, for the other way
    assert sorted(code.exits) == [0, len(branch.data)]


@pytest.mark.parametrize("a", [5, 6])
def test_both_ways_leave_for_a_jump_that_is_not_chained(a: int, native: Native) -> None:
    ops: list[Insn] = [("brcond_eq64i", A, 5, 1), ("movi64", D, 1), *GOTO, ("label", 1), *GOTO]
    env = chained_exit(native, ops, a)
    assert env.q[EXIT_REASON >> 3] == EXIT_CHAIN
    assert (env.q[B >> 3], env.q[D >> 3]) == (77, int(a != 5))


@pytest.mark.parametrize("a", [5, 6, 7])
def test_several_jumps_to_what_can_be_chained(a: int, native: Native) -> None:
    """From two labels at the same place, and twice to one of them."""
    ops: list[Insn] = [
        ("brcond_eq64i", A, 5, 1), ("brcond_eq64i", A, 6, 2), ("movi64", D, 1), ("leave",), ("label", 1),
        ("label", 2), *GOTO,
    ]  # fmt: skip
    env = chained_exit(native, ops, a)
    assert env.q[D >> 3] == int(a == 7)
    assert (env.q[EXIT_REASON >> 3] == EXIT_CHAIN) == (a != 7)


def test_label_that_is_also_fallen_into(native: Native) -> None:
    for a in (5, 6):
        env = chained_exit(native, [("brcond_eq64i", A, 5, 1), ("movi64", D, 1), ("label", 1), *GOTO], a)
        assert (env.q[EXIT_REASON >> 3], env.q[D >> 3]) == (EXIT_CHAIN, int(a != 5))


@pytest.mark.parametrize(("a", "b"), [(1 << 40, 1 << 63), (1 << 40, 1), (1, 1 << 63)])
def test_guard_wants_both_numbers(a: int, b: int, native: Native) -> None:
    env = Env()
    env.q[A >> 3], env.q[B >> 3] = a, b
    native.run([("guard", A, B, 1 << 40, 1 << 63, 1), ("movi64", D, 1), ("label", 1)], env)
    assert env.q[D >> 3] == int((a, b) == (1 << 40, 1 << 63))
