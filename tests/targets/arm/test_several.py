"""Several 32-bit processors of one machine: what instructions of one do to another."""

from __future__ import annotations

import pytest

from pyqemu.targets.arm.modes import CPSR_T
from pyqemu.targets.arm.state import ArmCpu
from tests.targets.arm.guest import Guest

DATA = 0x8000


@pytest.fixture
def pair(guest: Guest) -> tuple[ArmCpu, ArmCpu]:
    """The guest's processor and another one."""
    guest.cpu.turns.kick = lambda: None  # type: ignore[method-assign]  # there is no loop that would hear of it
    return guest.cpu, ArmCpu("cortex-a15", memory=guest.cpu.memory, engine=guest.engine, lock=guest.cpu.lock)


def run_on(guest: Guest, cpu: ArmCpu, text: str, **registers: int) -> None:
    """Run instructions on one of the processors, which must all succeed."""
    guest.cpu = cpu
    guest.engine.select(cpu)
    assert guest.run(text, **registers) is None


def test_each_knows_who_it_is(guest: Guest, pair: tuple[ArmCpu, ArmCpu]) -> None:
    for cpu in pair:
        run_on(guest, cpu, "mrc p15, 0, r0, c0, c0, 5")
    assert [cpu.r[0] for cpu in pair] == [0x8000_0000, 0x8000_0001]


@pytest.mark.parametrize(
    ("operation", "reaches_all", "whole"),
    [
        ("mcr p15, 0, r0, c8, c3, 0", True, True), ("mcr p15, 0, r0, c8, c7, 0", False, True),
        ("mcr p15, 0, r0, c8, c3, 1", True, False), ("mcr p15, 0, r0, c8, c7, 1", False, False),
        ("mcr p15, 0, r0, c8, c3, 3", True, False),
    ],
)  # fmt: skip
def test_translations_that_others_forget(guest: Guest, pair: tuple[ArmCpu, ArmCpu], operation: str,
                                         reaches_all: bool, whole: bool) -> None:  # fmt: skip
    """TLBIALLIS, TLBIALL, TLBIMVAIS, TLBIMVA, TLBIMVAAIS."""
    first, second = pair
    assert second.mmu is not None
    second.load(DATA, 4), second.load(DATA + 4096, 4)
    run_on(guest, first, operation, r0=DATA)
    index = second.mmu_index()
    assert (DATA | index in second.mmu.pages) is not reaches_all
    assert (DATA + 4096 | index in second.mmu.pages) is not (reaches_all and whole)


def test_who_waits_for_an_event_lets_others_run(guest: Guest, pair: tuple[ArmCpu, ArmCpu]) -> None:
    first, second = pair
    run_on(guest, first, "wfe")
    assert first.dozing
    run_on(guest, second, "sev")
    assert [(cpu.dozing, cpu.event) for cpu in pair] == [(False, True)] * 2
    run_on(guest, first, "wfe")
    assert (first.dozing, first.event) == (False, False)


@pytest.mark.parametrize(("written", "status"), [(5, 1), (4, 0)])
def test_exclusive_store_fails_if_another_one_wrote_in_between(
    guest: Guest, pair: tuple[ArmCpu, ArmCpu], written: int, status: int
) -> None:
    first, second = pair
    guest.put(DATA, 4)
    run_on(guest, first, "ldrex r0, [r1]", r1=DATA)
    run_on(guest, second, "str r2, [r1]", r1=DATA, r2=written)
    run_on(guest, first, "strex r3, r2, [r1]", r1=DATA, r2=9)
    assert (first.r[3], guest.word(DATA)) == (status, written if status else 9)


@pytest.mark.parametrize(("entry", "thumb"), [(0x1234, 0), (0x1235, CPSR_T)])
def test_turned_on_where_another_one_says(guest: Guest, pair: tuple[ArmCpu, ArmCpu], entry: int, thumb: int) -> None:
    """Bit 0 of the address is the instruction set."""
    _, second = pair
    second.turn_off()
    second.turn_on(entry, 77, 1)
    assert (second.pc, second.r[0], second.cpsr & CPSR_T, second.is_awake()) == (0x1234, 77, thumb, True)
