"""EL1 in AArch32 state: what QEMU's programs do not show (`tests/boards/test_virt_aarch32_with_qemu.py`)."""

from __future__ import annotations

from typing import Any

import pytest

from pyqemu.targets.aarch64.layout import EC_DATA_ABORT_LOWER, EC_SMC32, EC_WFX
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.arm import modes
from pyqemu.tcg.cpu import GuestException
from tests.targets.aarch64.guest import Guest
from tests.targets.aarch64.test_aarch32 import PROGRAM, assemble32, until_exception

SVC, USR, THUMB = 0x1D3, 0x10, 0x20
SCR_NS, SCR_SMD, SCR_RW = 1, 1 << 7, 1 << 10
HCR_VM, HCR_HCD = 1, 1 << 29
UNDEFINED_VECTOR, SVC_VECTOR = 4, 8
VECTORS, TABLES = 0x4_0000, 0x6_0000
ISV = 1 << 8  #: of a syndrome, 16 bits further down


def make(engine: str = "stencil", **levels: bool) -> Guest:
    guest = Guest(engine, **{"has_el2": True, **levels})
    guest.cpu.sys.vbar_el1 = VECTORS
    return guest


def run(guest: Guest, text: str, cpsr: int = SVC, **registers: int) -> GuestException:
    """Enter a program at EL1 or EL0; returns the exception that it leads to."""
    cpu = guest.cpu
    cpu.memory.write(PROGRAM, assemble32(text, thumb=bool(cpsr & THUMB)))
    cpu.translation_changed()
    cpu.pc = PROGRAM
    cpu.set_pstate(cpsr)
    for name, value in registers.items():
        cpu.aarch32.r[int(name[1:])] = value
    return until_exception(guest)


@pytest.mark.parametrize("engine", ["python", "stencil"])
def test_its_exceptions_stay_there(engine: str) -> None:
    guest = make(engine)
    run(guest, "mov r0, #7; svc #1", USR)
    cpu = guest.cpu
    assert (cpu.is_aarch32, cpu.el, cpu.pc) == (True, 1, VECTORS + SVC_VECTOR)
    assert (cpu.aarch32.cpu_mode, cpu.aarch32.spsr, cpu.aarch32.r[14]) == (modes.SVC, USR, PROGRAM + 8)


@pytest.mark.parametrize(
    ("control", "instruction"), [("hcr_el2", "hvc #0"), ("scr_el3", "smc #0"), ("scr_el3", "hvc #0")]
)
def test_calls_that_nobody_takes_are_undefined(control: str, instruction: str) -> None:
    guest = make(has_el3=control == "scr_el3")
    guest.cpu.sys.scr_el3 = SCR_NS | SCR_SMD | SCR_RW  # HCE is clear
    guest.cpu.sys.hcr_el2 = HCR_HCD
    run(guest, instruction)
    assert guest.cpu.is_aarch32
    assert (guest.cpu.aarch32.cpu_mode, guest.cpu.pc) == (modes.UND, VECTORS + UNDEFINED_VECTOR)


def test_a_call_in_an_it_block_returns_behind_it() -> None:
    guest = make(has_el3=True)
    guest.cpu.sys.scr_el3 = SCR_NS | SCR_RW
    run(guest, "movs r0, #0; itt eq; smceq #1; moveq r0, #9", SVC | THUMB)
    assert guest.cpu.sys.esr_el3 >> 26 == EC_SMC32
    assert guest.cpu.elr(3) == PROGRAM + 8
    assert guest.cpu.spsr(3) & 0x0600_FC00 == 0x0000_0800  # one instruction of the block is left


@pytest.mark.parametrize(
    ("mode", "number", "register"),
    [(modes.SVC, 14, 18), (modes.SVC, 13, 19), (modes.FIQ, 8, 24), (modes.FIQ, 14, 30), (modes.IRQ, 13, 17),
     (modes.UND, 14, 22), (modes.SYS, 13, 13), (modes.SVC, 12, 12), (modes.ABT, 3, 3)],
)  # fmt: skip
def test_a_hypervisor_is_told_which_of_its_registers_an_access_uses(mode: int, number: int, register: int) -> None:
    """ISS.SRT is the AArch64 register that the mode's register is (D7.2.27)."""
    guest = make()
    cpu = guest.cpu
    guest.put(TABLES, TABLES + 0x1000 | 3)
    guest.put(TABLES + 0x1000, 0x7FD)  # 2 MiB that lead to themselves
    cpu.sys.hcr_el2, cpu.sys.vttbr_el2, cpu.sys.vtcr_el2 = HCR_VM, TABLES, 25 | 1 << 6
    run(guest, f"ldr r{number}, [r1]", 0x1C0 | mode, r1=0x30_0000)
    assert cpu.sys.esr_el2 >> 26 == EC_DATA_ABORT_LOWER
    assert cpu.sys.esr_el2 >> 16 & 0x11F == ISV | register


def test_waiting_in_user_mode_may_be_undefined() -> None:
    guest = make()
    guest.cpu.sys.sctlr_el1 &= ~(1 << 16)  # nTWI
    run(guest, "wfi", USR)
    assert (guest.cpu.aarch32.cpu_mode, guest.cpu.pc) == (modes.UND, VECTORS + UNDEFINED_VECTOR)


def test_a_trap_of_a_short_instruction_says_so() -> None:
    guest = make()
    guest.cpu.sys.hcr_el2 = 1 << 13  # TWI
    run(guest, "wfi", SVC | THUMB)
    assert guest.cpu.sys.esr_el2 >> 25 == EC_WFX << 1


def test_what_a_hypervisor_writes_is_what_it_finds() -> None:
    """Registers of all modes go there and back."""
    cpu: Aarch64Cpu = make().cpu
    for number in range(31):
        cpu.x[number] = 0x100 + number
    cpu.set_spsr(1, 0x1D)
    cpu.sys.spsr_fiq = 0x2D
    cpu.set_pstate(0x1D1)
    assert [cpu.aarch32.r[number] for number in range(15)] == [
        *range(0x100, 0x108), *range(0x118, 0x11F),
    ]  # fmt: skip
    assert cpu.aarch32.spsr == 0x2D
    cpu.aarch32.r[14] = 0x77
    cpu.aarch32.leave()
    expected: list[Any] = [0x100 + number for number in range(30)]
    assert [cpu.x[number] for number in range(31)] == [*expected, 0x77]
    assert (cpu.spsr(1), cpu.sys.spsr_fiq) == (0x1D, 0x2D)
