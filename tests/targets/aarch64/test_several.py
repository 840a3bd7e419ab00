"""Several processors of one machine: what instructions of one do to another."""

from __future__ import annotations

import pytest

from pyqemu.targets.aarch64.state import Aarch64Cpu
from tests.targets.aarch64.guest import DATA, Guest


@pytest.fixture
def pair(guest: Guest) -> tuple[Aarch64Cpu, Aarch64Cpu]:
    """The guest's processor and another one."""
    return guest.cpu, add_cpu(guest)


def add_cpu(guest: Guest) -> Aarch64Cpu:
    guest.cpu.turns.kick = lambda: None  # type: ignore[method-assign]  # there is no loop that would hear of it
    return Aarch64Cpu(memory=guest.cpu.memory, engine=guest.engine, lock=guest.cpu.lock)


def run_on(guest: Guest, cpu: Aarch64Cpu, text: str, **registers: int) -> None:
    """Run instructions on one of the processors, which must all succeed."""
    guest.cpu = cpu
    guest.engine.select(cpu)
    assert guest.run(text, **registers) is None


def test_each_knows_who_it_is(guest: Guest) -> None:
    cpus = [guest.cpu, *(add_cpu(guest) for _ in range(9))]
    for cpu in cpus:
        run_on(guest, cpu, "mrs x0, mpidr_el1")
    assert [cpu.x[0] for cpu in cpus] == [1 << 31 | affinity for affinity in (*range(8), 0x100, 0x101)]


@pytest.mark.parametrize(
    ("operation", "reaches_all", "whole"),
    [
        ("tlbi vmalle1is", True, True), ("tlbi vmalle1", False, True), ("tlbi aside1is, x0", True, True),
        ("tlbi vae1is, x0", True, False), ("tlbi vae1, x0", False, False), ("tlbi vaale1is, x0", True, False),
    ],
)  # fmt: skip
def test_translations_that_others_forget(guest: Guest, pair: tuple[Aarch64Cpu, Aarch64Cpu], operation: str,
                                         reaches_all: bool, whole: bool) -> None:  # fmt: skip
    first, second = pair
    for cpu in pair:
        run_on(guest, cpu, "ldr x2, [x1]; ldr x2, [x1, #4096]", x1=DATA)
    assert second.mmu is not None
    second.load(DATA, 8), second.load(DATA + 4096, 8)
    run_on(guest, first, operation, x0=DATA >> 12)
    index = second.mmu_index()
    assert (DATA | index in second.mmu.pages) is not reaches_all
    assert (DATA + 4096 | index in second.mmu.pages) is not (reaches_all and whole)


def test_who_waits_for_an_event_lets_others_run(guest: Guest, pair: tuple[Aarch64Cpu, Aarch64Cpu]) -> None:
    first, second = pair
    run_on(guest, first, "sevl; wfe")
    assert (first.dozing, first.event) == (False, False)
    run_on(guest, first, "wfe")
    assert first.dozing
    run_on(guest, second, "sev")
    assert [(cpu.dozing, cpu.event) for cpu in pair] == [(False, True)] * 2
    run_on(guest, first, "wfe")
    assert (first.dozing, first.event) == (False, False)


def test_one_alone_goes_on(guest: Guest) -> None:
    run_on(guest, guest.cpu, "wfe; yield; sev; wfe")
    assert not guest.cpu.dozing


@pytest.mark.parametrize(("written", "status"), [(5, 1), (6, 1), (4, 0)])
def test_exclusive_store_fails_if_another_one_wrote_in_between(
    guest: Guest, pair: tuple[Aarch64Cpu, Aarch64Cpu], written: int, status: int
) -> None:
    """That is seen by the value: one that was put back is as good as one that stayed."""
    first, second = pair
    guest.put(DATA, 4)
    run_on(guest, first, "ldxr x0, [x1]", x1=DATA)
    run_on(guest, second, "ldxr x0, [x1]; stxr w3, x2, [x1]", x1=DATA, x2=written)
    assert second.x[3] == 0
    run_on(guest, first, "stxr w3, x2, [x1]", x1=DATA, x2=9)
    assert (first.x[3], guest.word(DATA)) == (status, written if status else 9)


def test_turned_on_where_another_one_says(guest: Guest, pair: tuple[Aarch64Cpu, Aarch64Cpu]) -> None:
    _, second = pair
    second.turn_off()
    second.interrupt(1)
    assert not second.is_awake(), "an interrupt does not turn it on"
    second.turn_on(0x1234, 77, 1)
    assert (second.pc, second.x[0], second.el, second.is_awake()) == (0x1234, 77, 1, True)
