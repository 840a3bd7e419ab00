"""Exclusive accesses: when a store succeeds, and what opens the monitor (ARM DDI 0487A.f, B2.10)."""

from __future__ import annotations

import pytest

from pyqemu.targets.aarch64.layout import ALIGNMENT_FAULT, EC_DATA_ABORT, NO_ADDRESS
from tests.targets.aarch64.guest import CODE, DATA, Guest


@pytest.mark.parametrize(
    ("load", "store", "size"),
    [
        ("ldxrb w0, [x1]", "stxrb w2, w3, [x1]", 1),
        ("ldaxrh w0, [x1]", "stlxrh w2, w3, [x1]", 2),
        ("ldxr w0, [x1]", "stxr w2, w3, [x1]", 4),
        ("ldaxr x0, [x1]", "stlxr w2, x3, [x1]", 8),
    ],
)
def test_a_pair_without_anything_between_succeeds(guest: Guest, load: str, store: str, size: int) -> None:
    guest.put(DATA, 0x8877665544332211)
    assert guest.run(f"{load}; {store}", x1=DATA, x3=0xA8A7A6A5A4A3A2A1, x2=7) is None
    mask = (1 << 8 * size) - 1
    assert (guest.cpu.x[0], guest.cpu.x[2]) == (0x8877665544332211 & mask, 0)
    assert guest.word(DATA) == 0x8877665544332211 & ~mask | 0xA8A7A6A5A4A3A2A1 & mask
    assert guest.cpu.exclusive_address == NO_ADDRESS


@pytest.mark.parametrize(
    ("load", "store", "size"),
    [("ldxp w0, w4, [x1]", "stxp w2, w3, w5, [x1]", 4), ("ldaxp x0, x4, [x1]", "stlxp w2, x3, x5, [x1]", 8)],
)
def test_pairs_of_registers(guest: Guest, load: str, store: str, size: int) -> None:
    guest.put(DATA, 0x1111, size)
    guest.put(DATA + size, 0x2222, size)
    assert guest.run(f"{load}; {store}", x1=DATA, x3=0x3333, x5=0x5555) is None
    assert (guest.cpu.x[0], guest.cpu.x[4], guest.cpu.x[2]) == (0x1111, 0x2222, 0)
    assert (guest.word(DATA, size), guest.word(DATA + size, size)) == (0x3333, 0x5555)


@pytest.mark.parametrize(
    "between",
    [
        "clrex",
        "str x5, [x1]",  # another value: somebody else has written
        "ldxr x6, [x4]",  # the monitor is elsewhere now
        "stxr w6, x5, [x4]",  # fails, and opens the monitor
    ],
)
def test_what_makes_a_store_fail(guest: Guest, between: str) -> None:
    assert guest.run(f"ldxr x0, [x1]; {between}; stxr w2, x3, [x1]", x1=DATA, x3=3, x4=DATA + 64, x5=5) is None
    assert guest.cpu.x[2] == 1
    assert guest.word(DATA) == (5 if between.startswith("str ") else 0)


def test_a_pair_fails_if_only_its_second_half_has_changed(guest: Guest) -> None:
    assert guest.run("ldxp x0, x4, [x1]; str x3, [x1, #8]; stxp w2, x3, x3, [x1]", x1=DATA, x3=3) is None
    assert (guest.cpu.x[2], guest.word(DATA), guest.word(DATA + 8)) == (1, 0, 3)


@pytest.mark.parametrize(
    ("text", "offset", "write"),
    [("ldxr x0, [x1]", 4, 0), ("stxr w2, x3, [x1]", 4, 1), ("ldar w0, [x1]", 2, 0), ("stlr w0, [x1]", 1, 1),
     ("ldxp x0, x4, [x1]", 8, 0), ("stxp w2, w3, w5, [x1]", 4, 1)],
)  # fmt: skip
def test_they_must_be_aligned(guest: Guest, text: str, offset: int, write: int) -> None:
    exc = guest.run(text, x1=DATA + offset)
    assert exc is not None
    assert (exc.ec, exc.iss, exc.far) == (EC_DATA_ABORT, write << 6 | ALIGNMENT_FAULT, DATA + offset)
    assert guest.cpu.pc == CODE


def test_an_ordinary_access_need_not_be_aligned(guest: Guest) -> None:
    guest.put(DATA, 0x8877665544332211)
    assert guest.run("ldr w0, [x1, #1]!; str x0, [x2]", x1=DATA + 2, x2=DATA + 4095) is None
    assert (guest.cpu.x[0], guest.word(DATA + 4095)) == (0x77665544, 0x77665544)
