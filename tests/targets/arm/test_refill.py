"""The walk in native code against the one in Python: for random tables both permit the same, and lead to the same."""

from __future__ import annotations

import random

import pytest

from pyqemu.targets.arm.exceptions import ArmException
from pyqemu.targets.arm.refill import BASE0, BASE1, ENABLED, LIMIT
from tests.targets.arm.guest import Guest

TTB, TABLE, PAGES = 0x4000, 0x9000, 0x10_0000
FIRST = 0x4000_0000  # what the test maps; the first megabyte is code
AFE, WXN = 1 << 29, 1 << 19


def control(guest: Guest, sctlr: int, dacr: int, ttbcr: int = 0) -> None:
    """Switch translation on."""
    cpu = guest.cpu
    for numbers, value in (((2, 0, 0), TTB), ((2, 0, 2), ttbcr), ((3, 0, 0), dacr), ((1, 0, 0), 0x00C50079 | sctlr)):
        cpu.write_coprocessor(15, 0, *numbers, value)


def descriptor(rng: random.Random) -> tuple[int, int]:
    """A section, or a table and the descriptor of a small page in it."""
    where = PAGES + 0x1000 * rng.randrange(16)
    ap = rng.randrange(8)
    if rng.random() < 0.4:
        bits = (ap & 3) << 10 | (ap & 4) << 13 | rng.randrange(2) << 4 | rng.randrange(3) << 5
        return 2 | bits | rng.randrange(2), 0
    small = rng.choice((0, 2, 2, 2)) | rng.randrange(2) | (ap & 3) << 4 | (ap & 4) << 7 | where
    return TABLE | 1 | rng.randrange(2) << 2 | rng.randrange(3) << 5, small


@pytest.mark.parametrize("afe", [0, AFE])
def test_native_and_python_agree(rng: random.Random, afe: int) -> None:
    guest = Guest("stencil")
    walked = 0
    for _ in range(300):
        first, second = descriptor(rng)
        guest.put(TTB, 0x00000402)
        guest.put(TTB + 4 * (FIRST >> 20), first)
        guest.put(TABLE, second)
        control(guest, afe, rng.choice((0b110101, 0b010101, 0b000001)) | 1)
        text, access = rng.choice(
            (("ldr r0, [r1]", 0), ("str r0, [r1]", 1), ("ldrt r0, [r1]", 0), ("strt r0, [r1]", 1))
        )
        where = FIRST + (PAGES if first & 2 else 0)
        try:
            expected = guest.cpu.fill(where, access, 1 if "rt " in text else 0)[0]
        except ArmException:
            expected = -1
        guest.cpu.tlb_flush()
        guest.put(PAGES, 0)
        value = rng.getrandbits(32)
        if expected >= 0:
            guest.put(expected, value)
        found = guest.run(text, r1=where, r0=~value & 0xFFFFFFFF)
        assert (found is None) == (expected >= 0), (hex(first), hex(second), text)
        if found is None:
            walked += 1
            assert guest.word(expected) == (guest.cpu.r[0] if access else value)
            assert access or guest.cpu.r[0] == value
    assert walked > 30


def test_what_is_prepared() -> None:
    guest = Guest("stencil")
    slot = guest.cpu.q
    assert slot[ENABLED >> 3] == 0
    control(guest, 0, 1, ttbcr=2)
    guest.cpu.write_coprocessor(15, 0, 2, 0, 1, 0x1234_5678)
    assert [slot[at >> 3] for at in (ENABLED, BASE0, BASE1, LIMIT)] == [1, TTB, 0x1234_4000, 1 << 30]
    control(guest, WXN, 1)
    assert slot[ENABLED >> 3] == 0
