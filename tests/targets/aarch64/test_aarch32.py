"""32-bit programs at EL0 under a 64-bit EL1: the way there, the registers, and the exceptions back."""

from __future__ import annotations

from typing import Any

import keystone as _keystone
import pytest

from pyqemu.targets.aarch64.layout import (
    EC_BKPT32,
    EC_DATA_ABORT,
    EC_FP_TRAP,
    EC_INSTRUCTION_ABORT,
    EC_SVC32,
    EC_UNKNOWN,
    EC_WFX,
    IRQ,
    PSTATE_IL,
)
from pyqemu.tcg.cpu import GuestException
from tests.targets.aarch64.guest import CODE, DATA, Guest, assemble

keystone: Any = _keystone  # its types are not for us
PROGRAM, TABLES, VECTORS, STACK = 0x10000, 0x20000, 0x40000, 0x9000
USER, THUMB = 0x10, 0x20
LOWER_32, IRQ_VECTOR = 0x600, 0x80
SHORT, LONG = 0, 1 << 25  # ESR_EL1.IL


def assemble32(text: str, *, thumb: bool = False) -> bytes:
    mode = keystone.KS_MODE_THUMB if thumb else keystone.KS_MODE_ARM
    code, _ = keystone.Ks(keystone.KS_ARCH_ARM, mode | keystone.KS_MODE_V8).asm(text, PROGRAM)
    return bytes(code)


def run(guest: Guest, text: str, *, thumb: bool = False, cpsr: int = USER, **registers: int) -> GuestException:
    """Enter a program by ERET from EL1; returns the exception that it has taken to EL1."""
    cpu = guest.cpu
    guest.cpu.memory.write(PROGRAM, assemble32(text, thumb=thumb))
    guest.cpu.memory.write(CODE, assemble("eret"))
    cpu.set_banked_sp(1, STACK)
    cpu.sys.vbar_el1 = VECTORS
    for name, value in registers.items():
        cpu.registers()[name] = value
    cpu.pc = CODE
    cpu.set_elr(1, PROGRAM)
    cpu.set_spsr(1, cpsr | (THUMB if thumb else 0))
    return until_exception(guest)


def until_exception(guest: Guest) -> GuestException:
    """Run until an exception is taken."""
    with guest.cpu.lock:
        while True:
            try:
                guest.engine.execute()
            except GuestException as exc:
                guest.cpu.deliver(exc)
                return exc


def syndrome(guest: Guest) -> tuple[int, int, int]:
    """Class, IL and ISS."""
    esr = guest.cpu.sys.esr_el1
    return esr >> 26, esr & LONG, esr & LONG - 1


def test_a_program_runs_and_calls(guest: Guest) -> None:
    run(
        guest,
        "add r0, r0, #1; mov sp, #0x70; mov lr, r0, lsl #4; subs r2, r0, r0; svc #0x1234",
        x0=0xFFFF_FFFF_0000_0041,
    )
    cpu = guest.cpu
    assert (cpu.x[0], cpu.x[13], cpu.x[14]) == (0x42, 0x70, 0x420)
    assert (cpu.el, cpu.spsel, cpu.sp, cpu.pc) == (1, 1, STACK, VECTORS + LOWER_32)
    assert cpu.elr(1) == PROGRAM + 20
    assert cpu.spsr(1) == 0x6000_0000 | USER
    assert syndrome(guest) == (EC_SVC32, LONG, 0x1234)
    assert not cpu.is_aarch32


def test_a_thumb_program_calls(guest: Guest) -> None:
    run(guest, "movs r0, #5; svc #7", thumb=True)
    assert guest.cpu.x[0] == 5
    assert guest.cpu.elr(1) == PROGRAM + 4
    assert guest.cpu.spsr(1) == USER | THUMB
    assert syndrome(guest) == (EC_SVC32, SHORT, 7)


def test_an_it_block_goes_on_behind_a_call(guest: Guest) -> None:
    run(guest, "movs r0, #0; itt eq; svceq #1; moveq r0, #9", thumb=True)
    assert guest.cpu.spsr(1) & 0x0600_FC00 == 0x0000_0800  # the last instruction, with condition EQ
    guest.cpu.memory.write(VECTORS + LOWER_32, assemble("eret"))
    guest.cpu.memory.write(PROGRAM + 8, assemble32("svc #2", thumb=True))
    until_exception(guest)
    assert guest.cpu.x[0] == 9


def test_registers_of_other_modes_are_kept(guest: Guest) -> None:
    """X15 to X30 are banked registers there, which a program cannot reach."""
    cpu = guest.cpu
    for number in range(15, 31):
        cpu.x[number] = 0x100 + number
    cpu.set_banked_sp(0, 0x5000)
    run(guest, "mov r8, #1; svc #0")
    assert [cpu.x[number] for number in range(15, 31)] == [0x100 + number for number in range(15, 31)]
    assert cpu.banked_sp(0) == 0x5000


def test_thread_registers_are_those_of_el0(guest: Guest) -> None:
    guest.cpu.sys.tpidrro_el0 = 0x1234_5678
    run(guest, "mrc p15, 0, r1, c13, c0, 3; mrc p15, 0, r2, c13, c0, 2; mcr p15, 0, r1, c13, c0, 2; svc #0",
        tpidr_el0=0x77)  # fmt: skip
    assert (guest.cpu.x[1], guest.cpu.x[2], guest.cpu.tpidr_el0) == (0x1234_5678, 0x77, 0x1234_5678)


def test_what_is_privileged_is_undefined(guest: Guest) -> None:
    for text in ("mrc p15, 0, r0, c1, c0, 0", "hvc #0", "mcr p15, 0, r0, c13, c0, 3", "udf #0"):
        run(guest, text)
        assert syndrome(guest) == (EC_UNKNOWN, LONG, 0)
        assert guest.cpu.elr(1) == PROGRAM


def test_breakpoints(guest: Guest) -> None:
    run(guest, "bkpt #0x4321")
    assert syndrome(guest) == (EC_BKPT32, LONG, 0x4321)
    run(guest, "bkpt #0x21", thumb=True)
    assert syndrome(guest) == (EC_BKPT32, SHORT, 0x21)


def test_vector_registers_are_shared(guest: Guest) -> None:
    run(guest, "vmov.f64 d1, #1.0; vadd.f64 d3, d1, d1; vadd.i32 q2, q0, q0; svc #0", v0=3 << 96 | 5)
    v = guest.cpu.v
    assert (v[0] >> 64, v[1] >> 64, v[2]) == (0x3FF0_0000_0000_0000, 0x4000_0000_0000_0000, 2 * 0x3FF0_0000 << 96 | 10)


def test_flags_of_comparisons_are_in_fpsr_afterwards(guest: Guest) -> None:
    run(guest, "vmov.f32 s0, #1.0; vcmp.f32 s0, s0; vmrs r0, fpscr; svc #0", fpsr=0x8000_0010)
    assert guest.cpu.x[0] == guest.cpu.fpsr == 0x6000_0010


def test_vector_registers_are_trapped(guest: Guest) -> None:
    guest.cpu.sys.cpacr_el1 = 1 << 20
    guest.cpu.mode_changed()
    for thumb in (False, True):
        run(guest, "vadd.f64 d0, d0, d0", thumb=thumb)
        assert syndrome(guest) == (EC_FP_TRAP, LONG, 0x01E0_0000)


def test_waiting_may_be_trapped(guest: Guest) -> None:
    """SCTLR_EL1.nTWI."""
    guest.cpu.sys.sctlr_el1 &= ~(1 << 16)
    run(guest, "wfi")
    assert syndrome(guest) == (EC_WFX, LONG, 0x01E0_0000)


def test_an_unaligned_access(guest: Guest) -> None:
    guest.cpu.sys.sctlr_el1 |= 2
    guest.cpu.mode_changed()
    run(guest, "str r0, [r1, #1]", x1=DATA)
    assert syndrome(guest) == (EC_DATA_ABORT - 1, LONG, 0x61)
    assert guest.cpu.sys.far_el1 == DATA + 1


def test_addresses_are_translated_by_the_tables_of_el1(guest: Guest) -> None:
    """Here they are empty."""
    cpu = guest.cpu
    cpu.sys.vbar_el1, cpu.sys.ttbr0_el1, cpu.sys.tcr_el1 = VECTORS, TABLES, 25 | 25 << 16
    cpu.sys.sctlr_el1 |= 1
    cpu.translation_changed()
    cpu.pc = PROGRAM
    cpu.set_pstate(USER)
    with pytest.raises(GuestException) as raised, cpu.lock:
        guest.engine.execute()
    cpu.deliver(raised.value)
    assert syndrome(guest) == (EC_INSTRUCTION_ABORT - 1, LONG, 5)  # translation fault, level 1
    assert (cpu.sys.far_el1, cpu.pc) == (PROGRAM, VECTORS + LOWER_32)


@pytest.mark.parametrize("thumb", [False, True])
def test_calls_of_code_that_cannot_be_read(guest: Guest, thumb: bool) -> None:
    """The syndrome tells of an instruction that EL0 can only execute."""
    cpu = guest.cpu
    cpu.memory.write(TABLES, (0x401).to_bytes(8, "little"))  # a block of 1 GiB: EL1 reads, writes and executes
    cpu.sys.ttbr0_el1, cpu.sys.tcr_el1 = TABLES, 25 | 25 << 16
    cpu.sys.sctlr_el1 |= 1
    cpu.translation_changed()
    run(guest, "svc #0x12", thumb=thumb)
    assert syndrome(guest) == (EC_SVC32, SHORT if thumb else LONG, 0x12)


def test_an_interrupt(guest: Guest) -> None:
    cpu = guest.cpu
    cpu.sys.vbar_el1 = VECTORS
    cpu.pc = PROGRAM
    cpu.set_pstate(USER | THUMB)
    cpu.interrupt(IRQ)
    assert cpu.service_interrupts()
    assert cpu.pc == VECTORS + LOWER_32 + IRQ_VECTOR
    assert (cpu.elr(1), cpu.spsr(1)) == (PROGRAM, USER | THUMB)


@pytest.mark.parametrize("mode", [0x11, 0x13, 0x16, 0x1A, 0x1F])
def test_other_modes_than_user_cannot_be_returned_to(guest: Guest, mode: int) -> None:
    """EL1 is in AArch64 state."""
    run(guest, "svc #0", cpsr=mode)
    assert not guest.cpu.is_aarch32
    assert guest.cpu.spsr(1) & PSTATE_IL


def test_registers_are_shown(guest: Guest) -> None:
    cpu = guest.cpu
    cpu.memory.write(PROGRAM, assemble32("b ."))
    cpu.pc = PROGRAM
    cpu.set_pstate(0x8000_0000 | USER | THUMB)
    assert "R15=00010000" in cpu.registers_text()
    assert "PSR=80000030 N--- T usr32" in cpu.registers_text()
    assert cpu.disassemble(b"\x05\x20", PROGRAM) == [(PROGRAM, "movs r0, #5")]
