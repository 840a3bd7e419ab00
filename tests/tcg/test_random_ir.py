"""Random programs of IR: both engines agree, and no optimizer pass changes what a program does."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from native import Fields, Native, run_python

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import GLOBALS, TEMPORARIES, Env
from pyqemu.tcg.hole import Hole
from pyqemu.tcg.ops import CONDITIONS, Op, base_table
from pyqemu.tcg.optimize import optimize
from pyqemu.tcg.optimize.copies import forward_copies
from pyqemu.tcg.optimize.dead import drop_dead
from pyqemu.tcg.optimize.fold import fold_constants
from pyqemu.tcg.tables import full_table

TABLE = full_table()
GLOBAL_SLOTS = [GLOBALS + 16 * n for n in range(5)]
RECORD = GLOBALS + 0x100
TEMPORARY_SLOTS = [TEMPORARIES + 16 * n for n in range(5)]
EDGES = (0, 1, -1, 0x7F, 0x80, 0x7FFF, 0x8000, (1 << 31) - 1, 1 << 31, -(1 << 31), 1 << 32, (1 << 63) - 1, 1 << 63)
DIVISIONS = ("div", "rem")
ROWS = [op for op in base_table().values() if op.kind in ("pure",
        "flags") and op.py and not op.name.startswith(DIVISIONS)]  # fmt: skip
BRANCHES = [op for op in base_table().values() if op.name.startswith("brcond")]
PASSES: dict[str, Callable[[list[Insn], dict[str, Op]], list[Insn]]] = {
    "fold": fold_constants, "copies": forward_copies, "dead": drop_dead, "all": optimize,
    "twice": lambda ops, table: optimize(optimize(ops, table), table),
}  # fmt: skip


@pytest.fixture(scope="module")
def native() -> Native:
    return Native(TABLE)


class Author:
    """Writes random programs: many copies and constants, so that the passes find work."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.ops: list[Insn] = []
        self.labels = 0

    def slot(self, bits: int) -> int:
        offset = self.rng.choice(GLOBAL_SLOTS + TEMPORARY_SLOTS)
        if bits == 8 and self.rng.random() < 0.2:
            return offset + self.rng.randrange(8)
        if bits == 16 and self.rng.random() < 0.1:
            return offset + self.rng.randrange(7)
        if bits == 32 and self.rng.random() < 0.1:
            return offset + self.rng.choice((1, 2, 4, 7))
        return offset

    def immediate(self, bits: int) -> int | Hole:
        mask = (1 << bits) - 1
        if self.rng.random() < 0.3:
            hole = self.rng.choice((Hole(imm=True), Hole(disp=True), Hole(pc=True), Hole(pc=True, disp=True)))
            return (hole + self.rng.choice((0, 0, 4, -8))).masked(bits)
        return (self.rng.choice(EDGES) if self.rng.random() < 0.6 else self.rng.getrandbits(64)) & mask

    def instance(self, op: Op, label: int = 0) -> Insn:
        values: list[object] = []
        for letter, bits in op.operands:
            match letter:
                case "i":
                    values.append(self.immediate(bits))
                case "k":
                    values.append(self.rng.randrange(64))
                case "s":
                    values.append(RECORD)
                case "l":
                    values.append(label)
                case "d" if bits == 32:
                    values.append(self.slot(64))  # clears the upper half: has a slot of its own
                case _:
                    values.append(self.slot(bits))
        return (op.name, *values)

    def division(self) -> None:
        """Operands that the caller of a division would let through."""
        bits = self.rng.choice((32, 64))
        a, b = self.slot(64), self.slot(64)
        if a == b:
            return
        name = self.rng.choice(("divu", "remu", "divs", "rems"))
        self.ops += [(f"or{bits}i", b, b, 1), (f"shr{bits}i", a, a, 1), (f"{name}{bits}", self.slot(64), a, b)]

    def step(self) -> None:
        kind = self.rng.random()
        if kind < 0.2:
            self.ops.append(self.instance(TABLE[self.rng.choice(("mov8", "mov16", "mov32", "mov64", "mov128"))]))
        elif kind < 0.4:
            self.ops.append(self.instance(TABLE[self.rng.choice(("movi8", "movi16", "movi32", "movi64"))]))
        elif kind < 0.45:
            self.division()
        elif kind < 0.55:
            self.branch()
        else:
            self.ops.append(self.instance(self.rng.choice(ROWS)))

    def branch(self) -> None:
        """A forward branch over a few ops, or a loop that runs at most three times."""
        self.labels += 1
        label = self.labels
        if self.rng.random() < 0.7:
            self.ops.append(self.instance(self.rng.choice(BRANCHES), label))
            for _ in range(self.rng.randrange(4)):
                self.step()
            self.ops.append(("label", label))
            return
        counter = TEMPORARIES + 0x200 + 8 * label
        self.ops += [("movi64", counter, self.rng.randrange(1, 4)), ("label", label)]
        for _ in range(self.rng.randrange(4)):
            self.step()
        again = self.rng.choice(("brcond_ne64i", "brcond_gtu64i"))
        self.ops += [("sub64i", counter, counter, 1), (again, counter, 0, label)]

    def program(self, length: int) -> list[Insn]:
        for slot in TEMPORARY_SLOTS:  # temporaries have no value before they are written
            self.ops.append(("movi64", slot, self.immediate(64)))
            self.ops.append(("movi64", slot + 8, self.immediate(64)))
        while len(self.ops) < length:
            self.step()
        return self.ops

    def fields(self) -> Fields:
        number = lambda bits: self.rng.choice((0, 1, -1, (1 << bits - 1) - 9, -(1 << bits - 1) + 9))  # noqa: E731
        return (self.rng.getrandbits(48), number(32), number(32))

    def env(self) -> Env:
        env = Env()
        for offset in range(GLOBALS, RECORD + 24, 8):
            env.q[offset >> 3] = self.rng.choice((*EDGES, self.rng.getrandbits(64))) & (1 << 64) - 1
        return env


def outcome(env: Env) -> bytes:
    return bytes(env.b[GLOBALS : RECORD + 24])


def copy_of(env: Env) -> Env:
    other = Env()
    other.b[:] = env.b
    return other


@pytest.mark.parametrize("first", range(0, 400, 40))
def test_engines_and_passes_agree(first: int, native: Native) -> None:
    for seed in range(first, first + 40):
        author = Author(seed)
        ops, fields, env = author.program(28), author.fields(), author.env()
        reference = copy_of(env)
        run_python(TABLE, ops, reference, fields)
        differ = []
        for name, optimized in [("none", ops), *((name, run(ops, TABLE)) for name, run in PASSES.items())]:
            there, here = copy_of(env), copy_of(env)
            native.run(optimized, there, fields)
            run_python(TABLE, optimized, here, fields)
            differ += [(name, engine) for engine, env_after in (("stencil", there), ("python", here))
                       if outcome(env_after) != outcome(reference)]  # fmt: skip
        assert not differ, seed


def test_copy_that_overwrites_its_original(native: Native) -> None:
    """A 32-bit copy clears four bytes more; if its original lies there, nothing may be forwarded (fuzz, seed 2842)."""
    slot = TEMPORARY_SLOTS[0]
    ops: list[Insn] = [("movi64", slot, 0x1122334455667788), ("mov32", slot, slot + 4), ("mov32", GLOBALS, slot)]
    for version in (ops, forward_copies(ops, TABLE)):
        env = Env()
        native.run(version, env)
        assert env.q[GLOBALS >> 3] == 0x11223344


def test_passes_find_work() -> None:
    """The programs above are such that each pass has something to do."""
    changed = dict.fromkeys(PASSES, 0)
    for seed in range(100):
        ops = Author(seed).program(28)
        for name, run in PASSES.items():
            changed[name] += run(ops, TABLE) != ops
    assert min(changed.values()) > 10


@pytest.mark.parametrize("cond", CONDITIONS)
def test_condition_and_its_inverse(cond: str, native: Native) -> None:
    from pyqemu.tcg.ops import INVERSE

    for a, b in ((0, 0), (1, -1), (-1, 1), (1 << 63, 1), (5, 5), (7, 1 << 31)):
        env = Env()
        env.q[GLOBALS >> 3], env.q[(GLOBALS >> 3) + 1] = a & (1 << 64) - 1, b & (1 << 64) - 1
        d = GLOBALS + 64
        native.run([(f"setcond_{cond}64", d, GLOBALS, GLOBALS + 8),
                    (f"setcond_{INVERSE[cond]}64", d + 8, GLOBALS, GLOBALS + 8)], env)  # fmt: skip
        assert env.q[d >> 3] + env.q[(d >> 3) + 1] == 1
