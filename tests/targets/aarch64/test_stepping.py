"""Software step (ARM DDI 0487A.f, D2.12): where it is active, and what it does beside what `tests/boards` compares with
QEMU."""

from __future__ import annotations

from typing import Any

import pytest

from pyqemu.targets.aarch64.layout import (
    EC_BRK,
    EC_ILLEGAL_STATE,
    EC_STEP,
    EC_SVC64,
    IRQ,
    PSTATE_D,
    PSTATE_IL,
    PSTATE_SS,
)
from pyqemu.targets.aarch64.sysregs import BY_NAME
from pyqemu.targets.aarch64.vmstate import SavedCpu
from pyqemu.tcg.env import EXIT_REQUEST
from tests.targets.aarch64.guest import CODE, Guest, assemble
from tests.targets.aarch64.test_aarch32 import assemble32

PROGRAM, VECTORS = 0x10000, 0x40000
LOWER, SAME, IRQ_VECTOR = 0x400, 0x200, 0x80
SS, KDE = 1, 1 << 13
EL0, EL1, USER, THUMB = 0, 5, 0x10, 0x20
STEPPED, PENDING = 1 << 24 | 0x22, 0x22  # syndromes
EC_STEP_LOWER = EC_STEP - 1
MDCR_SDD, MDCR_TDE, SCR_RW, HCR_RW = 1 << 16, 1 << 8, 1 << 10, 1 << 31


def prepare(guest: Guest, program: bytes, mdscr: int = SS) -> None:
    """A program, and an ERET that leads to it."""
    cpu = guest.cpu
    cpu.memory.write(PROGRAM, program)
    cpu.memory.write(CODE, assemble("eret"))
    cpu.sys.vbar_el1 = VECTORS
    put(guest, "OSLAR_EL1", 0)
    put(guest, "MDSCR_EL1", mdscr)
    cpu.set_elr(1, PROGRAM)


def put(guest: Guest, name: str, value: int) -> None:
    """Write a system register."""
    BY_NAME[name].write(guest.cpu, value)


def returned(guest: Guest, spsr: int, el: int = 1) -> tuple[int, int, int]:
    """Return from EL1, or another level; the class, ISS and ELR of the exception that comes back there."""
    cpu = guest.cpu
    if cpu.el != el:
        cpu.enter(el, 1)
    cpu.set_spsr(el, spsr)
    cpu.pc = CODE
    run(guest, el)
    esr = cpu.sys.of("esr", cpu.el)
    return esr >> 26, esr & 0x1FFFFFF, cpu.elr(cpu.el)


def run(guest: Guest, el: int = 1) -> None:
    """Run until an exception is taken to that level."""
    taken: list[Any] = []
    guest.cpu.on_deliver = taken.append
    with guest.cpu.lock:
        for _ in range(10):
            if not taken or guest.cpu.el < el:
                guest.cpu.execute()
    assert taken


def test_a_step_is_one_instruction(guest: Guest) -> None:
    prepare(guest, assemble("mov x1, #1; mov x2, #2"))
    assert returned(guest, EL0 | PSTATE_SS) == (EC_STEP_LOWER, STEPPED, PROGRAM + 4)
    cpu = guest.cpu
    assert (cpu.x[1], cpu.x[2], cpu.el, cpu.pc) == (1, 0, 1, VECTORS + LOWER)
    assert not cpu.spsr(1) & PSTATE_SS, "it has been stepped"
    assert not cpu.pstate & PSTATE_SS


def test_without_ss_the_exception_comes_first(guest: Guest) -> None:
    prepare(guest, assemble("mov x1, #1"))
    assert returned(guest, EL0) == (EC_STEP_LOWER, PENDING, PROGRAM)
    assert guest.cpu.x[1] == 0


@pytest.mark.parametrize(("register", "value"), [("OSLAR_EL1", 1), ("OSDLR_EL1", 1), ("MDSCR_EL1", KDE)])
def test_there_are_no_steps(guest: Guest, register: str, value: int) -> None:
    """Under the OS lock and the double lock, and where nobody asks."""
    prepare(guest, assemble("mov x1, #1; brk #3"))
    put(guest, register, value)
    assert returned(guest, EL0 | PSTATE_SS) == (EC_BRK, 3, PROGRAM + 4)
    assert not guest.cpu.spsr(1) & PSTATE_SS, "nothing was to be stepped when the program began"


@pytest.mark.parametrize(("mdscr", "spsr"), [(SS, EL1), (SS | KDE, EL1 | PSTATE_D)])
def test_there_are_no_steps_at_the_same_level(guest: Guest, mdscr: int, spsr: int) -> None:
    """Unless MDSCR_EL1.KDE is set and PSTATE.D is clear."""
    prepare(guest, assemble("mov x1, #1; svc #3"), mdscr)
    assert returned(guest, spsr | PSTATE_SS) == (EC_SVC64, 3, PROGRAM + 8)
    assert not guest.cpu.spsr(1) & PSTATE_SS


@pytest.mark.parametrize("masks", ["msr daifset, #8", "msr daif, x9", "msr mdscr_el1, xzr", "msr oslar_el1, x9"])
def test_steps_end_within_a_step(guest: Guest, masks: str) -> None:
    """What is behind the instruction runs freely."""
    prepare(guest, assemble(f"mov x9, #0x3c1; {masks}; mov x1, #1; svc #3"), SS | KDE)
    assert returned(guest, EL1 | PSTATE_SS) == (EC_STEP, STEPPED, PROGRAM + 4)
    assert returned(guest, EL1 | PSTATE_SS) == (EC_SVC64, 3, PROGRAM + 16)


@pytest.mark.parametrize("opens", ["msr daifclr, #8", "msr daif, xzr"])
def test_steps_begin_where_pstate_d_is_cleared(guest: Guest, opens: str) -> None:
    prepare(guest, assemble(f"nop; {opens}; mov x1, #1; mov x2, #2"), SS | KDE)
    assert returned(guest, EL1 | PSTATE_D) == (EC_STEP, PENDING, PROGRAM + 8)
    assert guest.cpu.pc == VECTORS + SAME


def test_a_return_that_is_stepped_asks_for_no_more_steps(guest: Guest) -> None:
    """SPSR_EL1.SS counts where debug exceptions are disabled (D2.12.4). This one returns to itself."""
    prepare(guest, assemble("eret"), SS | KDE)
    assert returned(guest, EL1 | PSTATE_SS) == (EC_STEP, STEPPED, PROGRAM)


def test_an_illegal_return_is_stepped_at_its_own_level(guest: Guest) -> None:
    """The exception is that of the instruction, which is not stepped then."""
    prepare(guest, b"", SS | KDE)
    assert returned(guest, 2 << 2 | PSTATE_SS) == (EC_ILLEGAL_STATE, 0, PROGRAM)
    assert guest.cpu.spsr(1) & (PSTATE_SS | PSTATE_IL) == PSTATE_SS | PSTATE_IL
    assert returned(guest, 2 << 2) == (EC_STEP, PENDING, PROGRAM)
    assert guest.cpu.spsr(1) & PSTATE_IL


def test_an_interrupt_comes_before_a_step(guest: Guest) -> None:
    """It leaves the step to its return."""
    prepare(guest, assemble("mov x1, #1; mov x2, #2"))
    cpu = guest.cpu
    cpu.pc = PROGRAM
    cpu.set_pstate(EL0 | PSTATE_SS)
    cpu.interrupt(IRQ)
    assert cpu.service_interrupts()
    assert (cpu.pc, cpu.elr(1)) == (VECTORS + LOWER + IRQ_VECTOR, PROGRAM)
    assert cpu.spsr(1) & PSTATE_SS
    cpu.clear_interrupt(IRQ)
    cpu.l[EXIT_REQUEST >> 2] = 0
    assert returned(guest, cpu.spsr(1)) == (EC_STEP_LOWER, STEPPED, PROGRAM + 4)


def test_a_step_does_not_wait(guest: Guest) -> None:
    guest.cpu.sys.sctlr_el1 |= 1 << 16
    prepare(guest, assemble("wfi"))
    assert returned(guest, EL0 | PSTATE_SS) == (EC_STEP_LOWER, STEPPED, PROGRAM + 4)
    assert not guest.cpu.halted


def test_a_hooked_instruction_is_stepped_once(guest: Guest) -> None:
    prepare(guest, assemble("mov x1, #1; add x1, x1, #1; mov x2, #2"))
    reached: list[int] = []
    guest.cpu.hooks.add_address(PROGRAM + 4, reached.append)
    for number in (1, 2, 3):
        assert returned(guest, EL0 | PSTATE_SS) == (EC_STEP_LOWER, STEPPED, PROGRAM + 4 * number)
    assert reached == [PROGRAM + 4]
    assert (guest.cpu.x[1], guest.cpu.x[2]) == (2, 2)


def test_code_is_as_it_was_when_steps_are_over(guest: Guest) -> None:
    """It has been translated for steps, and is so again without."""
    prepare(guest, assemble("mov x1, #1; add x1, x1, #1; svc #3"))
    assert returned(guest, EL0 | PSTATE_SS) == (EC_STEP_LOWER, STEPPED, PROGRAM + 4)
    put(guest, "MDSCR_EL1", 0)
    guest.cpu.set_elr(1, PROGRAM)
    assert returned(guest, EL0) == (EC_SVC64, 3, PROGRAM + 12)
    assert guest.cpu.x[1] == 2


# --- other levels -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdd", [False, True])
def test_steps_in_secure_state(sdd: bool) -> None:
    """MDCR_EL3.SDD disables them there."""
    guest = Guest(has_el3=True)
    prepare(guest, assemble("mov x1, #1; brk #3"))
    put(guest, "SCR_EL3", SCR_RW)
    put(guest, "MDCR_EL3", MDCR_SDD if sdd else 0)
    assert returned(guest, EL0 | PSTATE_SS)[0] == (EC_BRK if sdd else EC_STEP_LOWER)


@pytest.mark.parametrize(("register", "value"), [("MDCR_EL2", MDCR_TDE), ("HCR_EL2", HCR_RW | 1 << 27)])
def test_el2_takes_debug_exceptions(register: str, value: int) -> None:
    """MDCR_EL2.TDE and HCR_EL2.TGE: those of breakpoint instructions, too."""
    guest = Guest(has_el2=True)
    cpu = guest.cpu
    put(guest, "HCR_EL2", HCR_RW)
    prepare(guest, assemble("mov x1, #1; brk #3"))
    put(guest, register, value)
    cpu.set_elr(2, PROGRAM)
    assert returned(guest, EL0 | PSTATE_SS, el=2) == (EC_STEP_LOWER, STEPPED, PROGRAM + 4)
    assert cpu.el == 2
    assert returned(guest, EL0 | PSTATE_SS, el=2) == (EC_BRK, 3, PROGRAM + 4)
    assert cpu.el == 2


def test_a_hypervisor_steps_through_el1_in_aarch32_state() -> None:
    """EL1 does not notice: its exceptions are stepped into, and so are its returns."""
    guest = Guest(has_el2=True)
    cpu = guest.cpu
    put(guest, "HCR_EL2", 0)
    prepare(guest, assemble32("movs r0, #1; svc #2; udf #0"))
    cpu.memory.write(VECTORS + 8, assemble32("movs pc, lr"))
    put(guest, "MDCR_EL2", MDCR_TDE)
    cpu.set_elr(2, PROGRAM)
    supervisor = 0x13
    assert returned(guest, supervisor | PSTATE_SS, el=2) == (EC_STEP_LOWER, STEPPED, PROGRAM + 4)
    assert returned(guest, USER | PSTATE_SS, el=2) == (EC_STEP_LOWER, PENDING, VECTORS + 8)
    assert returned(guest, cpu.spsr(2) | PSTATE_SS, el=2) == (EC_STEP_LOWER, STEPPED, PROGRAM + 8)
    assert cpu.spsr(2) & 0x1F == USER


# --- moving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cpsr", [EL0, USER, USER | THUMB], ids=["A64", "A32", "T32"])
def test_a_program_that_is_stepped_moves(cpsr: int) -> None:
    """Whether one more instruction runs, or the exception is pending, moves with it."""
    code = (
        assemble("mov x1, #1; mov x2, #2")
        if cpsr == EL0
        else assemble32("movs r1, #1; movs r2, #2", thumb=cpsr != USER)
    )
    for ss, expected in (
        (PSTATE_SS, (EC_STEP_LOWER, STEPPED, PROGRAM + len(code) // 2)),
        (0, (EC_STEP_LOWER, PENDING, PROGRAM)),
    ):
        first, second = Guest(), Guest()
        prepare(first, code)
        first.cpu.pc = PROGRAM
        first.cpu.set_pstate(cpsr | ss)
        second.cpu.memory.write(PROGRAM, code)
        SavedCpu.vmstate.load(SavedCpu(second.cpu), SavedCpu.vmstate.save(SavedCpu(first.cpu)))
        assert (second.cpu.pstate, second.cpu.mode) == (first.cpu.pstate, first.cpu.mode)
        run(second)
        cpu = second.cpu
        assert (cpu.sys.esr_el1 >> 26, cpu.sys.esr_el1 & 0x1FFFFFF, cpu.elr(1)) == expected
