"""Lazy flags: what a record means, from the definitions of the flags (SDM vol. 1, 3.4.3.1)."""

from __future__ import annotations

import random

import pytest

from pyqemu.targets.x86 import flags
from pyqemu.targets.x86.layout import AF, CC_MASK, CF, OF, PF, SF, ZF
from pyqemu.tcg.stencil_engine import StencilEngine
from tests.targets.x86.differential.cases import INTERESTING
from tests.targets.x86.differential.layout import CODE, CODE_SIZE, HLT, State
from tests.targets.x86.differential.machine import Ours, OursWhole

WIDTHS = [8, 16, 32, 64]


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def expected(result: int, bits: int, carry: bool, overflow: bool, adjust: bool) -> int:
    """The six flags of a result of `bits` bits."""
    return (
        (carry and CF)
        | (overflow and OF)
        | (adjust and AF)
        | (result == 0 and ZF)
        | (result >> bits - 1 and SF)
        | (bin(result & 0xFF).count("1") % 2 == 0 and PF)
    )


def pairs(bits: int) -> list[tuple[int, int]]:
    mask = (1 << bits) - 1
    numbers = sorted({n & mask for n in INTERESTING})
    chance = random.Random(bits)
    return [(a, b) for a in numbers for b in numbers] + [
        (chance.getrandbits(bits), chance.getrandbits(bits)) for _ in range(200)
    ]


@pytest.mark.parametrize("carry", [0, 1])
@pytest.mark.parametrize("bits", WIDTHS)
def test_sums(bits: int, carry: int) -> None:
    mask = (1 << bits) - 1
    for a, b in pairs(bits):
        total = a + b + carry
        result = total & mask
        wanted = expected(
            result,
            bits,
            total > mask,
            signed(a, bits) + signed(b, bits) + carry != signed(result, bits),
            (a & 15) + (b & 15) + carry > 15,
        )
        carries = a & b | (a | b) & ~result & mask
        assert flags.compute(flags.kind(flags.CARRY, bits), result, carries) == wanted
        if not carry:
            assert flags.compute(flags.kind(flags.ADD, bits), result, b) == wanted
            if b == 1:
                incremented = flags.compute(flags.kind(flags.INC, bits), result, total > mask)
                assert incremented == wanted


@pytest.mark.parametrize("borrow", [0, 1])
@pytest.mark.parametrize("bits", WIDTHS)
def test_differences(bits: int, borrow: int) -> None:
    mask = (1 << bits) - 1
    for a, b in pairs(bits):
        total = a - b - borrow
        result = total & mask
        wanted = expected(
            result,
            bits,
            total < 0,
            signed(a, bits) - signed(b, bits) - borrow != signed(result, bits),
            (a & 15) - (b & 15) - borrow < 0,
        )
        borrows = ~a & b | (~a | b) & result
        assert flags.compute(flags.kind(flags.CARRY, bits), result, borrows & mask) == wanted
        if not borrow:
            assert flags.compute(flags.kind(flags.SUB, bits), result, b) == wanted
            if b == 1:
                assert flags.compute(flags.kind(flags.DEC, bits), result, total < 0) == wanted


@pytest.mark.parametrize("image", [0, CC_MASK, CF, ZF | SF, OF | PF])
def test_record_of_an_image(image: int) -> None:
    kind, result, source = flags.record(image)
    assert flags.compute(kind, result, source) == image
    assert (result == 0) == bool(image & ZF)  # the rule that jumps on ZF rely on


def all_records() -> list[tuple[int, int, int]]:
    chance = random.Random(1)
    found = []
    for operation in range(flags.LOGIC, flags.DEC + 1):
        for bits in WIDTHS:
            for _ in range(6):
                result, source = chance.getrandbits(bits), chance.getrandbits(1 if operation >= flags.MUL else bits)
                found.append((flags.kind(operation, bits), result, source))
            found.append((flags.kind(operation, bits), 0, 0))
    return found + [flags.record(chance.getrandbits(12)) for _ in range(20)]


@pytest.mark.parametrize("engine", ["functions", "known", "stencil"])
@pytest.mark.parametrize("code", range(16))
def test_conditions_agree_with_the_flags(code: int, engine: str) -> None:
    """SETcc from every kind of record, the kind being known at translation or not."""
    machine = Ours() if engine != "stencil" else OursWhole(StencilEngine())
    machine.ram[:CODE_SIZE] = HLT * CODE_SIZE
    machine.enter(32)
    for record in all_records():
        image = flags.compute(*record)
        cf, zf, sf, of, pf = (bool(image & bit) for bit in (CF, ZF, SF, OF, PF))
        holds = (of, cf, zf, cf or zf, sf, pf, sf != of, zf or sf != of)[code >> 1] != bool(code & 1)
        state = State((0x55,) * 16, record, False, CODE + 0x100)
        outcome = machine.run(bytes((0x0F, 0x90 + code, 0xC0)), state, repeats=False, static=engine == "known")
        assert outcome.registers[0] == holds, record
        assert outcome.flags == image
