"""IT blocks (ARM DDI 0406C.b, A2.5.2, A8.8.54): ITSTATE is part of the mode, and moves on with every instruction."""

from __future__ import annotations

import pytest

from pyqemu.targets.arm.exceptions import Kind
from pyqemu.targets.arm.layout import Z
from pyqemu.targets.arm.modes import SVC, advance, it_bits, it_of
from tests.targets.arm.guest import CODE, Guest


@pytest.mark.parametrize(("zero", "expected"), [(0, (1, 1, 0, 1)), (1, (0, 0, 1, 0))])
def test_then_and_else(guest: Guest, zero: int, expected: tuple[int, ...]) -> None:
    code = ".hword 0xbf1b; add.w r0, r0, #1; add.w r1, r1, #1; add.w r2, r2, #1; add.w r3, r3, #1"  # ITTET NE
    assert guest.run(code, thumb=True, cpsr=0x1F3 | (Z if zero else 0), r0=0, r1=0, r2=0, r3=0) is None
    assert tuple(guest.cpu.r[n] for n in range(4)) == expected
    assert it_of(guest.cpu.cpsr) == 0


def test_16_bit_arithmetic_leaves_the_flags_alone(guest: Guest) -> None:
    guest.run(".hword 0xbf08; .hword 0x1c40", thumb=True, cpsr=0x1F3 | Z, r0=0xFFFFFFFE)  # IT EQ; ADDEQ R0, #1
    assert guest.cpu.r[0] == 0xFFFFFFFF
    assert guest.cpu.nzcv == Z


def test_comparisons_set_flags_for_the_rest_of_the_block(guest: Guest) -> None:
    code = ".hword 0xbf04; .hword 0x2801; .hword 0x2207"  # ITT EQ; CMPEQ R0, #1; MOVEQ R2, #7
    guest.run(code, thumb=True, cpsr=0x1F3 | Z, r0=2, r2=0)
    assert guest.cpu.r[2] == 0


def test_a_fault_saves_itstate_of_the_instruction_that_faults(guest: Guest) -> None:
    code = ".hword 0xbf04; .hword 0x1c40; .hword 0xde00"  # ITT EQ; ADDEQ; UDF
    guest.take(code, thumb=True, cpsr=0x1F3 | Z)
    assert it_of(guest.cpu.spsr) == 0x08
    assert it_of(guest.cpu.cpsr) == 0
    assert guest.cpu.r[14] == CODE + 4 + 2


def test_a_supervisor_call_saves_itstate_of_the_next_instruction(guest: Guest) -> None:
    code = ".hword 0xbf04; .hword 0xdf00; .hword 0x1c40"  # ITT EQ; SVCEQ; ADDEQ
    guest.take(code, thumb=True, cpsr=0x1F3 | Z)
    assert it_of(guest.cpu.spsr) == 0x08
    assert guest.cpu.r[14] == CODE + 4


def test_returning_into_a_block_goes_on_with_it(guest: Guest) -> None:
    """RFE to the second instruction of ITE EQ: it is executed where Z is clear."""
    guest.put(0x8000, CODE + 0x100 | 1)
    guest.put(0x8004, 0x1F3 | it_bits(0x18))
    guest.cpu.memory.write(CODE + 0x100, bytes.fromhex("401c fede ffe7"))
    guest.run("rfe r1", r0=5, r1=0x8000)
    assert (guest.cpu.r[0], guest.cpu.cpu_mode, it_of(guest.cpu.cpsr)) == (6, SVC, 0)


def test_branch_ends_the_block(guest: Guest) -> None:
    code = ".hword 0xbf08; .hword 0xe001; .hword 0x2001; .hword 0x2002; .hword 0x1c49"  # IT EQ; BEQ .+6; MOVS; MOVS
    guest.run(code, thumb=True, cpsr=0x1F3 | Z, r0=0, r1=0xFFFFFFFF)
    assert (guest.cpu.r[0], guest.cpu.r[1], guest.cpu.nzcv & Z) == (0, 0, Z)


@pytest.mark.parametrize(("before", "after"), [(0x08, 0), (0x04, 0x08), (0x1C, 0x18), (0xE5, 0xEA), (0x18, 0)])
def test_advance(before: int, after: int) -> None:
    assert advance(before) == after


@pytest.mark.parametrize("itstate", [0, 0x01, 0x08, 0x5A, 0xE5, 0xFF])
def test_places_in_the_status_register(itstate: int) -> None:
    assert it_of(it_bits(itstate)) == itstate


def test_a_breakpoint_does_not_mind_its_condition(guest: Guest) -> None:
    found = guest.run(".hword 0xbf08; .hword 0xbe00", thumb=True, cpsr=0x1F3)  # IT EQ; BKPT
    assert found is not None
    assert found.kind == Kind.PREFETCH_ABORT
