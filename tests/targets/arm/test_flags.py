"""Lazy condition flags: what a record means, from the definitions of the flags (ARM DDI 0487A.f, C1.2.4, J1.1)."""

from __future__ import annotations

import random

import pytest

from pyqemu.targets.arm import flags
from pyqemu.targets.arm.layout import CC_KIND, CC_RESULT, CC_SOURCE, C, N, V, Z
from pyqemu.tcg.builder import Builder, HelperTable
from pyqemu.tcg.env import Env
from pyqemu.tcg.optimize import optimize
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.shape import Shape
from pyqemu.tcg.tables import full_table
from pyqemu.tcg.translate import KEEP, Variant

NUMBERS = (
    0,
    1,
    2,
    0x7F,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
    0x100000000,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
)
OUT = CC_KIND + 0x200  # some global


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def pairs(bits: int) -> list[tuple[int, int]]:
    chance, mask = random.Random(bits), (1 << bits) - 1
    numbers = sorted({n & mask for n in NUMBERS})
    return [(a, b) for a in numbers for b in numbers] + [
        (chance.getrandbits(bits), chance.getrandbits(bits)) for _ in range(100)
    ]


def add_with_carry(a: int, b: int, carry: int, bits: int) -> tuple[int, int]:
    """The manual's function: result and flags."""
    mask = (1 << bits) - 1
    result = a + b + carry & mask
    nzcv = (result >> bits - 1 and N) | (not result and Z) | (a + b + carry > mask and C)
    return result, nzcv | (signed(a, bits) + signed(b, bits) + carry != signed(result, bits) and V)


@pytest.mark.parametrize("bits", [32, 64])
def test_additions_and_subtractions(bits: int) -> None:
    mask = (1 << bits) - 1
    for a, b in pairs(bits):
        result, nzcv = add_with_carry(a, b, 0, bits)
        assert flags.compute(flags.kind(flags.ADD, bits), result, b) == nzcv
        result, nzcv = add_with_carry(a, b ^ mask, 1, bits)
        assert flags.compute(flags.kind(flags.SUB, bits), result, b) == nzcv
        for carry in (0, 1):
            result, nzcv = add_with_carry(a, b, carry, bits)
            carries = a & b | (a | b) & ~result & mask
            assert flags.compute(flags.kind(flags.CARRY, bits), result, carries) == nzcv


def test_logic_and_shifter() -> None:
    assert flags.compute(flags.kind(flags.LOGIC, 32), 0x80000000, 5) == N
    assert flags.compute(flags.kind(flags.LOGIC, 64), 0x80000000, 5) == 0
    assert flags.compute(flags.kind(flags.LOGIC, 64), 0, 5) == Z
    assert flags.compute(flags.kind(flags.SHIFTER, 32), 0, C | V) == Z | C | V
    assert flags.compute(flags.kind(flags.SHIFTER, 32), 0x80000001, C) == N | C


@pytest.mark.parametrize("nzcv", range(16))
def test_records_of_images(nzcv: int) -> None:
    result, source, kind = flags.record(nzcv << 28)
    assert flags.compute(kind, result, source) == nzcv << 28
    assert (result == 0) == bool(nzcv & 4), "Z is that the result is zero, for every kind"


@pytest.mark.parametrize(
    ("condition", "holding"),
    [
        (0, "Z"), (1, "z"), (2, "C"), (3, "c"), (4, "N"), (5, "n"), (6, "V"), (7, "v"), (8, "Cz"), (10, "NV nv"),
        (12, "zNV znv"), (14, ""), (15, ""),
    ],
)  # fmt: skip
def test_what_conditions_mean(condition: int, holding: str) -> None:
    """Lower case: the flag is clear; several words: any of them."""
    for nzcv in range(16):
        letters = "".join(x if nzcv << 28 & bit else x.lower() for x, bit in zip("NZCV", (N, Z, C, V), strict=True))
        wanted = not holding or any(set(word) <= set(letters) for word in holding.split())
        assert flags.holds(condition, nzcv << 28) == wanted
        if condition < 14:
            assert flags.holds(condition ^ 1, nzcv << 28) != wanted or condition & 1


class Rig:
    """Runs what `Flags` emits, on an environment of its own."""

    def __init__(self) -> None:
        self.env = Env()
        self.engine = PythonEngine()
        self.helpers = HelperTable()

    def compile(self, condition: int | None, kind: int | None) -> object:
        """A function for a condition, or for the image; *kind* is what is known of the record."""
        t = Builder(full_table(), self.helpers, cc_in=kind)
        out = t.glob(OUT, 32)
        emitter = flags.Flags(t)
        t.mov(out, emitter.image() if condition is None else emitter.setcond(condition))
        variant = Variant(Shape(4, lambda t: None), optimize(t.ops, full_table()), KEEP)
        return self.engine.compile(variant)[0]

    def run(self, function: object, record: tuple[int, int, int]) -> int:
        q, env = self.env.q, self.env
        q[CC_KIND >> 3], q[CC_RESULT >> 3], q[CC_SOURCE >> 3] = record
        function(env.b, env.w, env.l, q, self, None, [])  # type: ignore[operator]
        return int(q[OUT >> 3])

    @property
    def cc_kind(self) -> int:
        return int(self.env.q[CC_KIND >> 3])

    @cc_kind.setter
    def cc_kind(self, value: int) -> None:
        self.env.q[CC_KIND >> 3] = value

    @property
    def cc_result(self) -> int:
        return int(self.env.q[CC_RESULT >> 3])

    @cc_result.setter
    def cc_result(self, value: int) -> None:
        self.env.q[CC_RESULT >> 3] = value

    @property
    def cc_source(self) -> int:
        return int(self.env.q[CC_SOURCE >> 3])

    @cc_source.setter
    def cc_source(self, value: int) -> None:
        self.env.q[CC_SOURCE >> 3] = value


def records(kind: int) -> list[tuple[int, int, int]]:
    """Records of one kind, as instructions leave them."""
    if kind == flags.KIND_IMAGE:
        return [(kind, *flags.record(n << 28)[:2]) for n in range(16)]
    bits = 64 if kind & 1 else 32
    found = [(kind, a, b) for a, b in pairs(bits)]
    return [(k, a, b & (C | V)) for k, a, b in found] if kind >> 1 == flags.SHIFTER else found


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("kind", [0, *range(2, flags.KINDS)])
def test_emitted_conditions_agree_with_the_definition(kind: int, known: bool) -> None:
    rig = Rig()
    for condition in (*range(14), None):
        function = rig.compile(condition, kind if known else None)
        for record in records(kind):
            nzcv = flags.compute(*record)
            wanted = nzcv if condition is None else int(flags.holds(condition, nzcv))
            assert rig.run(function, record) == wanted, (condition, record)
