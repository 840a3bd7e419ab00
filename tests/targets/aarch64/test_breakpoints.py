"""Breakpoints and watchpoints (ARM DDI 0487A.f, D2.9, D2.10), beside what `tests/boards` compares with QEMU."""

from __future__ import annotations

import pytest

from pyqemu.targets.aarch64.layout import EC_BREAKPOINT, EC_SVC64, EC_WATCHPOINT, PSTATE_SS
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.aarch64.vmstate import SavedCpu
from tests.targets.aarch64.guest import DATA, Guest, assemble
from tests.targets.aarch64.test_stepping import EC_STEP_LOWER, EL0, PROGRAM, SS, STEPPED, prepare, put, returned, run

MDE, ON, EL0_ONLY, WHOLE = 1 << 15, 1, 2 << 1, 0xF << 5
LOADS, STORES, ANY = 1 << 3, 2 << 3, 3 << 3
EC_BREAKPOINT_LOWER, EC_WATCHPOINT_LOWER = EC_BREAKPOINT - 1, EC_WATCHPOINT - 1
READ, WRITTEN = 0x22, 0x62  # syndromes


def break_at(guest: Guest, number: int, address: int) -> None:
    put(guest, f"DBGBVR{number}_EL1", address)
    put(guest, f"DBGBCR{number}_EL1", ON | WHOLE | EL0_ONLY)


def watch(guest: Guest, address: int, kinds: int, size: int = 8) -> None:
    put(guest, "DBGWVR0_EL1", address)
    put(guest, "DBGWCR0_EL1", ON | (1 << size) - 1 << 5 | kinds | EL0_ONLY)


def test_a_breakpoint_comes_before_its_instruction(guest: Guest) -> None:
    """It hits again for who returns to it; a debugger steps over it without."""
    prepare(guest, assemble("mov x1, #1; mov x2, #2; svc #3"), MDE)
    break_at(guest, 0, PROGRAM + 4)
    for _ in range(2):
        assert returned(guest, EL0) == (EC_BREAKPOINT_LOWER, READ, PROGRAM + 4)
        assert (guest.cpu.x[1], guest.cpu.x[2]) == (1, 0)
    put(guest, "DBGBCR0_EL1", 0)
    put(guest, "MDSCR_EL1", MDE | SS)
    assert returned(guest, EL0 | PSTATE_SS) == (EC_STEP_LOWER, STEPPED, PROGRAM + 8)
    put(guest, "MDSCR_EL1", MDE)
    assert returned(guest, EL0) == (EC_SVC64, 3, PROGRAM + 12)


def test_a_step_may_lead_to_a_breakpoint(guest: Guest) -> None:
    """The step that is over comes first, then the breakpoint, which leaves the next step to the return (D2.12)."""
    prepare(guest, assemble("mov x1, #1; mov x2, #2"), MDE | SS)
    break_at(guest, 0, PROGRAM + 4)
    assert returned(guest, EL0 | PSTATE_SS) == (EC_STEP_LOWER, STEPPED, PROGRAM + 4)
    assert returned(guest, EL0 | PSTATE_SS) == (EC_BREAKPOINT_LOWER, READ, PROGRAM + 4)
    assert guest.cpu.spsr(1) & PSTATE_SS


def test_all_breakpoints_that_there_are(guest: Guest) -> None:
    """Six, and not one more, whose registers are only storage."""
    prepare(guest, assemble("nop; " * 7 + "svc #3"), MDE)
    for number in range(7):
        break_at(guest, number, PROGRAM + 4 * number)
    for number in range(6):
        assert returned(guest, EL0) == (EC_BREAKPOINT_LOWER, READ, PROGRAM + 4 * number)
        put(guest, f"DBGBCR{number}_EL1", 0)
    assert returned(guest, EL0)[0] == EC_SVC64


@pytest.mark.parametrize(
    ("text", "syndrome"),
    [("ldr x1, [x14]", READ), ("str x1, [x14]", WRITTEN), ("stp x1, x2, [x14, #-8]", WRITTEN),
     ("ldr x1, [x14, #-8]!", None), ("ldr q1, [x14, #-8]", READ)],
)  # fmt: skip
def test_a_watchpoint_comes_before_the_access(guest: Guest, text: str, syndrome: int | None) -> None:
    """No register has changed, nor has memory."""
    prepare(guest, assemble(f"{text}; svc #3"), MDE)
    watch(guest, DATA, ANY)
    guest.put(DATA, 0x1234)
    for number, value in ((1, 7), (2, 8), (14, DATA)):
        guest.cpu.x[number] = value
    ec = returned(guest, EL0)
    if syndrome is None:
        assert ec[0] == EC_SVC64
        return
    assert ec == (EC_WATCHPOINT_LOWER, syndrome, PROGRAM)
    assert guest.cpu.sys.far_el1 == DATA
    assert (guest.cpu.x[1], guest.cpu.x[2], guest.cpu.x[14], guest.word(DATA)) == (7, 8, DATA, 0x1234)


@pytest.mark.parametrize(("address", "far"), [(DATA + 3, DATA + 4), (DATA + 5, DATA + 5), (DATA + 0xFFE, None)])
def test_accesses_that_are_not_aligned(guest: Guest, address: int, far: int | None) -> None:
    """What is told is the lowest address of those that are watched; also where an access goes on in the next page."""
    prepare(guest, assemble("ldr w1, [x14]; svc #3"), MDE)
    watch(guest, DATA + 0x1000 if far is None else DATA + 4, LOADS, 4)
    guest.cpu.x[14] = address
    assert returned(guest, EL0) == (EC_WATCHPOINT_LOWER, READ, PROGRAM)
    assert guest.cpu.sys.far_el1 == (far or DATA + 0x1000)


def test_stores_run_at_full_speed_again(guest: Guest) -> None:
    """Nothing is left of a watchpoint that is over, and nothing of a breakpoint after a reset."""
    prepare(guest, assemble("str x1, [x14]; svc #3"), MDE)
    guest.cpu.x[14] = DATA
    watch(guest, DATA, STORES)
    assert returned(guest, EL0)[0] == EC_WATCHPOINT_LOWER
    put(guest, "DBGWCR0_EL1", 0)
    assert guest.cpu.mmu is not None
    assert guest.cpu.mmu.watch is None
    assert returned(guest, EL0)[0] == EC_SVC64
    break_at(guest, 0, PROGRAM)
    watch(guest, DATA, STORES)
    guest.cpu.reset()
    assert guest.engine.hooks is None
    assert guest.cpu.mmu.watch is None


def test_they_move_with_the_machine() -> None:
    first, second = Guest(), Guest()
    code = assemble("mov x1, #1; mov x2, #2")
    prepare(first, code, MDE)
    break_at(first, 2, PROGRAM + 4)
    first.cpu.pc = PROGRAM
    first.cpu.set_pstate(EL0)
    second.cpu.memory.write(PROGRAM, code)
    SavedCpu.vmstate.load(SavedCpu(second.cpu), SavedCpu.vmstate.save(SavedCpu(first.cpu)))
    run(second)
    assert (second.cpu.sys.esr_el1 >> 26, second.cpu.elr(1)) == (EC_BREAKPOINT_LOWER, PROGRAM + 4)


def test_each_processor_has_its_own(guest: Guest) -> None:
    """Code is shared; registers are not."""
    other = Aarch64Cpu(memory=guest.cpu.memory, engine=guest.engine)
    prepare(guest, assemble("ldr x1, [x14]; mov x2, #2; svc #3"), MDE)
    break_at(guest, 0, PROGRAM + 4)
    watch(guest, DATA, LOADS)
    taken: list[object] = []
    other.on_deliver = taken.append
    guest.engine.select(other)
    other.x[14], other.pc = DATA, PROGRAM
    other.set_pstate(EL0)
    with other.lock:
        while not taken:
            other.execute()
    assert other.sys.esr_el1 >> 26 == EC_SVC64
    guest.engine.select(guest.cpu)
    guest.cpu.x[14] = DATA
    assert returned(guest, EL0) == (EC_WATCHPOINT_LOWER, READ, PROGRAM)
