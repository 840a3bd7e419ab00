"""Long-descriptor tables below a 32-bit processor (ARM DDI 0406C.b, B3.6, B3.13)."""

from __future__ import annotations

import pytest

from pyqemu.targets.arm.exceptions import Kind
from pyqemu.targets.arm.mmu import long_table
from tests.targets.arm.guest import Guest

FIRST, SECOND, THIRD = 0x4000, 0x5000, 0x6000
AF, USER, READ_ONLY, XN = 1 << 10, 1 << 6, 1 << 7, 1 << 54
EAE = 1 << 31


@pytest.fixture
def mapped(guest: Guest) -> Guest:
    """The first two megabytes are themselves; 0x400000 is the second two, by pages."""
    guest.put(FIRST, SECOND | 3, 8)
    guest.put(SECOND, AF | 1, 8)
    guest.put(SECOND + 16, THIRD | 3, 8)
    for number, bits in enumerate((USER, READ_ONLY, USER | XN)):
        guest.put(THIRD + 8 * number, 0x200000 + 0x1000 * number | AF | bits | 3, 8)
    guest.put(THIRD + 24, 0x203000 | 3, 8)
    guest.cpu.write_coprocessor(15, 0, 2, 0, 2, EAE)
    guest.cpu.write_coprocessor_pair(15, 0, 2, FIRST)
    guest.cpu.write_coprocessor(15, 0, 1, 0, 0, guest.cpu.sys.sctlr_el1 | 1)
    return guest


def test_pages_are_where_the_table_says(mapped: Guest) -> None:
    mapped.put(0x200010, 0xCAFE)
    assert mapped.run("ldrt r0, [r1]; str r0, [r1, #4]", r1=0x400010) is None
    assert mapped.word(0x200014) == 0xCAFE


@pytest.mark.parametrize(
    ("text", "address", "status"),
    [("ldr r0, [r1]", 0x600000, 0x206), ("str r0, [r1]", 0x401000, 0xA0F), ("ldr r0, [r1]", 0x403000, 0x20B),
     ("ldr r0, [r1]", 0x404000, 0x207), ("ldr r0, [r1]", 0x40000000, 0x205), ("ldrt r0, [r1]", 0x401000, 0x20F)],
)  # fmt: skip
def test_faults(mapped: Guest, text: str, address: int, status: int) -> None:
    mapped.take(text, r1=address)
    cpu = mapped.cpu
    assert (cpu.read_coprocessor(15, 0, 5, 0, 0), cpu.read_coprocessor(15, 0, 6, 0, 0)) == (status, address)


def test_never_executed(mapped: Guest) -> None:
    found = mapped.run("bx r1", r1=0x402000)
    assert found is not None
    assert (found.kind, found.status, found.address) == (Kind.PREFETCH_ABORT, 0x20F, 0x402000)


def test_alignment_has_the_status_of_the_format(mapped: Guest) -> None:
    found = mapped.run("ldrex r0, [r1]", r1=2)
    assert found is not None
    assert found.status == 0x221


@pytest.mark.parametrize(
    ("ttbcr", "address", "base", "bits"),
    [(0, 0xFFFFFFFF, 0x1000, 32), (1, 0x7FFFFFFF, 0x1000, 31), (1, 0x80000000, 0x2000, 32),
     (1 << 16, 0x80000000, 0x2000, 31), (2 << 16, 0x80000000, 0x1000, 32), (2, 0x3FFFFFFF, 0x1000, 30)],
)  # fmt: skip
def test_which_table(guest: Guest, ttbcr: int, address: int, base: int, bits: int) -> None:
    sys = guest.cpu.sys
    sys.ttbr0_el1, sys.ttbr1_el1, sys.tcr_el1 = 0x1000, 0x2000, EAE | ttbcr
    table, _ = long_table(guest.cpu, address)
    assert (table.base, table.input_bits) == (base, bits)
