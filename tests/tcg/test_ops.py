"""Every row of the table means the same in both of its columns."""

from __future__ import annotations

import random

import pytest
from native import Native, run_python

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import GLOBALS, Env
from pyqemu.tcg.ops import Op
from pyqemu.tcg.tables import full_table

TABLE = full_table()
D, A, B, C, E, S = (GLOBALS + 64 * n for n in range(6))
SLOTS = {"d": D, "a": A, "b": B, "c": C, "e": E, "s": S}
EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62, (1 << 63) - 1,
         1 << 63, (1 << 64) - 1)  # fmt: skip
PURE = sorted(name for name, op in TABLE.items() if op.kind in ("pure", "flags", "branch") and op.py)


@pytest.fixture(scope="module")
def native() -> Native:
    return Native(TABLE)


def number(rng: random.Random, bits: int) -> int:
    value = rng.choice(EDGES) if rng.random() < 0.5 else rng.getrandbits(64)
    if bits == 128:
        value |= rng.choice((*EDGES, rng.getrandbits(64))) << 64
    return value & (1 << bits) - 1


def instance(op: Op, rng: random.Random) -> Insn:
    """The op on the fixed slots, with random immediates."""
    values = []
    for letter, bits in op.operands:
        if letter in "ij":
            values.append(number(rng, bits))
        elif letter == "k":
            values.append(rng.randrange(64))
        elif letter == "l":
            values.append(1)
        else:
            values.append(SLOTS[letter])
    return (op.name, *values)


def program(op: Op, rng: random.Random) -> list[Insn]:
    insn = instance(op, rng)
    if op.kind == "branch":  # leaves a trace of which way it went
        return [insn, ("movi64", D, 1), ("label", 1), ("add64i", D + 8, D, 5)]
    return [insn]


def traps(op: Op, insn: Insn, env: Env) -> bool:
    """Whether the caller of a division would have excluded these operands."""
    if not op.name.startswith(("div", "rem")):
        return False
    bits = op.operands[0][1]
    a, b = env.q[A >> 3] & (1 << bits) - 1, env.q[B >> 3] & (1 << bits) - 1
    return b == 0 or (a == 1 << bits - 1 and b == (1 << bits) - 1)


def filled(rng: random.Random) -> Env:
    env = Env()
    for slot in range(GLOBALS >> 3, (GLOBALS >> 3) + 64):
        env.q[slot] = number(rng, 64)
    return env


@pytest.mark.parametrize("name", PURE)
def test_columns_agree(name: str, native: Native) -> None:
    rng = random.Random(name)
    op = TABLE[name]
    for _ in range(24):
        left, right = filled(rng), Env()
        right.b[:] = left.b
        ops = program(op, rng)
        if traps(op, ops[0], left):
            continue
        native.run(ops, left)
        run_python(TABLE, ops, right)
        assert left.b[GLOBALS : GLOBALS + 512] == right.b[GLOBALS : GLOBALS + 512], ops


@pytest.mark.parametrize("value", [0, -1, 1 << 31, -(1 << 31), (1 << 31) - 1, 1 << 63, (1 << 64) - 1, 1 << 32])
def test_immediates_of_every_size(value: int, native: Native) -> None:
    env = Env()
    native.run([("movi64", D, value & (1 << 64) - 1), ("setcond_eq64i", A, D, value & (1 << 64) - 1)], env)
    assert (env.q[D >> 3], env.q[A >> 3]) == (value & (1 << 64) - 1, 1)
