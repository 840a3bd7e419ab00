"""Exceptions and interrupts: mode, vector, LR, SPSR, CPSR (ARM DDI 0406C.b, B1.8)."""

from __future__ import annotations

import pytest

from pyqemu.targets.arm.delivery import REQUEST_FIQ, REQUEST_IRQ
from pyqemu.targets.arm.exceptions import Kind
from pyqemu.targets.arm.modes import ABT, CPSR_A, CPSR_E, CPSR_F, CPSR_I, CPSR_T, FIQ, IRQ, MON, SVC, UND, USR
from tests.targets.arm.guest import CODE, DATA, Guest, assemble

V, EE, TE, ALIGN = 1 << 13, 1 << 25, 1 << 30, 1 << 1


def sctlr(guest: Guest, bits: int) -> None:
    """Set bits of SCTLR."""
    guest.cpu.write_coprocessor(15, 0, 1, 0, 0, guest.cpu.sys.sctlr_el1 | bits)


@pytest.mark.parametrize(
    ("text", "thumb", "mode", "vector", "ahead"),
    [
        (".word 0xe7f000f0", False, UND, 0x04, 4),
        (".hword 0xde00", True, UND, 0x04, 2),
        ("svc #0", False, SVC, 0x08, 4),
        ("svc #0", True, SVC, 0x08, 2),
        ("bkpt #0", False, ABT, 0x0C, 4),
        ("bkpt #0", True, ABT, 0x0C, 4),
        ("ldr r0, [r1]", False, ABT, 0x10, 8),
        ("ldr r0, [r1]", True, ABT, 0x10, 8),
    ],
)
def test_entry(guest: Guest, text: str, thumb: bool, mode: int, vector: int, ahead: int) -> None:
    sctlr(guest, ALIGN)
    guest.take(text, thumb=thumb, cpsr=0x6000_0010 | thumb << 5, r1=1)
    cpu = guest.cpu
    assert (cpu.cpu_mode, cpu.pc, cpu.r[14], cpu.thumb) == (mode, vector, CODE + ahead, False)
    assert cpu.spsr == 0x6000_0010 | (CPSR_T if thumb else 0)
    assert cpu.cpsr & (CPSR_A | CPSR_I | CPSR_F) == CPSR_I | (CPSR_A if mode == ABT else 0)


def test_data_abort_tells_where_and_why(guest: Guest) -> None:
    sctlr(guest, ALIGN)
    guest.take("str r0, [r1]", r1=DATA + 2)
    assert (guest.cpu.read_coprocessor(15, 0, 6, 0, 0), guest.cpu.read_coprocessor(15, 0, 5, 0, 0)) == (DATA + 2, 0x801)


def test_breakpoint_is_a_debug_event(guest: Guest) -> None:
    guest.take("bkpt #0")
    assert guest.cpu.read_coprocessor(15, 0, 5, 0, 1) == 2
    assert guest.cpu.read_coprocessor(15, 0, 6, 0, 2) == 0  # UNKNOWN


def test_high_vectors(guest: Guest) -> None:
    sctlr(guest, V)
    guest.take("svc #0")
    assert guest.cpu.pc == 0xFFFF0008


def test_vector_base(guest: Guest) -> None:
    guest.run("mcr p15, 0, r0, c12, c0, 0", r0=0x2000)
    guest.take("svc #0")
    assert guest.cpu.pc == 0x2008


def test_handlers_can_be_thumb_and_big_endian(guest: Guest) -> None:
    sctlr(guest, TE | EE)
    guest.take("svc #0")
    assert guest.cpu.cpsr & (CPSR_T | CPSR_E) == CPSR_T | CPSR_E


@pytest.mark.parametrize(
    ("request_bit", "mode", "vector", "masked"),
    [(REQUEST_IRQ, IRQ, 0x18, CPSR_A | CPSR_I), (REQUEST_FIQ, FIQ, 0x1C, CPSR_A | CPSR_I | CPSR_F)],
)
def test_interrupts(guest: Guest, request_bit: int, mode: int, vector: int, masked: int) -> None:
    cpu = guest.cpu
    cpu.set_cpsr(0x10)
    cpu.pc = CODE
    cpu.interrupt(request_bit)
    assert cpu.service_interrupts()
    assert (cpu.cpu_mode, cpu.pc, cpu.r[14], cpu.spsr) == (mode, vector, CODE + 4, 0x10)
    assert cpu.cpsr & (CPSR_A | CPSR_I | CPSR_F) == masked


def test_masked_interrupts_wait(guest: Guest) -> None:
    cpu = guest.cpu
    cpu.set_cpsr(0xD3)
    cpu.interrupt(REQUEST_IRQ | REQUEST_FIQ)
    assert not cpu.service_interrupts()
    assert cpu.has_work()


def test_fiq_comes_first(guest: Guest) -> None:
    guest.cpu.set_cpsr(0x10)
    guest.cpu.interrupt(REQUEST_IRQ | REQUEST_FIQ)
    assert guest.cpu.service_interrupts()
    assert guest.cpu.cpu_mode == FIQ


@pytest.mark.parametrize(("model", "text"), [("cortex-a15", "wfi"), ("arm926", "mcr p15, 0, r0, c7, c0, 4")])
@pytest.mark.parametrize("engine", ["python", "stencil"])
def test_wait_for_interrupt_halts(engine: str, model: str, text: str) -> None:
    guest = Guest(engine, model)
    guest.cpu.memory.write(CODE, assemble(text))
    guest.cpu.pc = CODE
    with guest.cpu.lock:
        guest.engine.execute()
    assert (guest.cpu.halted, guest.cpu.pc) == (True, CODE + 4)


def test_firmware_answers_calls(guest: Guest) -> None:
    asked = []
    guest.cpu.firmware_call = lambda vector: asked.append(vector) is None
    guest.take(".word 0xe1600070")
    assert (asked, guest.cpu.pc, guest.cpu.cpu_mode) == ([Kind.SECURE_MONITOR_CALL.value], CODE + 4, SVC)


def test_calls_without_anybody_above_are_undefined(guest: Guest) -> None:
    for word in (0xE1600070, 0xE1400070):  # SMC, HVC
        found = guest.run(f".word {word:#x}")
        assert found is not None
        assert found.kind == Kind.UNDEFINED


def test_secure_monitor_call() -> None:
    guest = Guest(has_el3=True)
    guest.run("mcr p15, 0, r0, c12, c0, 1", r0=0x3000)
    guest.take(".word 0xe1600070")
    assert (guest.cpu.cpu_mode, guest.cpu.pc, guest.cpu.r[14]) == (MON, 0x3008, CODE + 4)


@pytest.mark.parametrize("word", [0xEE000A10, 0xF2000840, 0xED900A00])
def test_floating_point_is_undefined_while_it_is_off(guest: Guest, word: int) -> None:
    found = guest.run(f".word {word:#x}")
    assert found is not None
    assert found.kind == Kind.UNDEFINED


def test_system_control_is_undefined_in_user_mode(guest: Guest) -> None:
    found = guest.run("mrc p15, 0, r0, c1, c0, 0", mode=USR)
    assert found is not None
    assert found.kind == Kind.UNDEFINED


def test_user_mode_may_use_barriers_and_its_own_registers(guest: Guest) -> None:
    text = "mcr p15, 0, r0, c7, c10, 5; mcr p15, 0, r0, c13, c0, 2; mrc p15, 0, r1, c13, c0, 2"
    assert guest.run(text, mode=USR, r0=0x1234) is None
    assert guest.cpu.r[1] == 0x1234
    assert guest.run("mcr p15, 0, r0, c13, c0, 3", mode=USR) is not None
