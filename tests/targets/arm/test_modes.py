"""Processor modes, banked registers, and instructions that use them (ARM DDI 0406C.b, B1.3, B9.3)."""

from __future__ import annotations

import pytest

from pyqemu.targets.arm.delivery import REQUEST_IRQ
from pyqemu.targets.arm.modes import ABT, CPSR_E, FIQ, HYP, IRQ, MON, SVC, SYS, UND, USR
from pyqemu.tcg.env import EXIT_REQUEST
from tests.targets.arm.guest import CODE, DATA, Guest, assemble

WITH_STACK = (FIQ, IRQ, SVC, ABT, UND)


def test_every_mode_has_a_stack_pointer_of_its_own(guest: Guest) -> None:
    cpu = guest.cpu
    for mode in (*WITH_STACK, SYS):
        cpu.enter_mode(mode)
        cpu.r[13], cpu.r[14] = 0x1000 + mode, 0x2000 + mode
    for mode in (*WITH_STACK, SYS):
        cpu.enter_mode(mode)
        assert (cpu.r[13], cpu.r[14]) == (0x1000 + mode, 0x2000 + mode)
    cpu.enter_mode(USR)
    assert cpu.r[13] == 0x1000 + SYS


def test_fiq_has_five_more(guest: Guest) -> None:
    cpu = guest.cpu
    for number in range(13):
        cpu.r[number] = number
    cpu.enter_mode(FIQ)
    assert [cpu.r[number] for number in range(8)] == list(range(8))
    for number in range(8, 13):
        cpu.r[number] = 0x100 + number
    cpu.enter_mode(IRQ)
    assert [cpu.r[number] for number in range(13)] == list(range(13))
    cpu.enter_mode(FIQ)
    assert [cpu.r[number] for number in range(8, 13)] == [0x100 + number for number in range(8, 13)]


def test_saved_status_registers_are_banked(guest: Guest) -> None:
    cpu = guest.cpu
    for mode in WITH_STACK:
        cpu.enter_mode(mode)
        cpu.spsr = mode << 8
    for mode in WITH_STACK:
        cpu.enter_mode(mode)
        assert cpu.spsr == mode << 8


def test_msr_changes_the_mode_and_the_masks(guest: Guest) -> None:
    guest.cpu.enter_mode(IRQ)
    guest.cpu.r[13] = 0x4444
    guest.run("msr cpsr_c, #0x92; mov r1, sp", mode=SVC, sp=0x1111)
    assert (guest.cpu.cpu_mode, guest.cpu.r[1], guest.cpu.cpsr & 0xC0) == (IRQ, 0x4444, 0x80)


@pytest.mark.parametrize("mode", [SVC, SYS])
def test_msr_of_the_masks_alone(guest: Guest, mode: int) -> None:
    guest.run("msr cpsr_c, r0; mrs r1, cpsr", cpsr=0x8000_01C0 | SVC, r0=0x40 | mode)
    assert (guest.cpu.r[1], guest.cpu.cpu_mode) == (0x8000_0140 | mode, mode)


@pytest.mark.parametrize("text", ["msr cpsr_c, r0", "cpsie i"])
def test_unmasking_lets_a_waiting_interrupt_in(guest: Guest, text: str) -> None:
    """Native code is left at the next block, so that the main loop looks."""
    cpu = guest.cpu
    cpu.memory.write(CODE, assemble(text + "; mov r1, #1"))
    cpu.set_cpsr(0x1D3)
    cpu.interrupt(REQUEST_IRQ)
    cpu.l[EXIT_REQUEST >> 2], cpu.r[0], cpu.pc = 0, 0x53, CODE
    with cpu.lock:
        guest.engine.execute()
    assert (cpu.l[EXIT_REQUEST >> 2], cpu.r[1], cpu.pc) == (1, 0, CODE + 4)


def test_user_mode_changes_nothing_but_flags(guest: Guest) -> None:
    guest.run("msr cpsr_fsxc, r0; mrs r1, cpsr", mode=USR, r0=0xF80F_00D3)
    assert guest.cpu.cpu_mode == USR
    assert guest.cpu.r[1] == 0xF80F_0000 | 0x1C0 | USR


def test_user_mode_has_no_saved_status(guest: Guest) -> None:
    assert guest.run("mrs r0, spsr", mode=USR) is not None
    assert guest.run("mrs r0, spsr", mode=SYS) is not None
    assert guest.run("mrs r0, spsr", mode=ABT, spsr=0x5A) is None
    assert guest.cpu.r[0] == 0x5A


@pytest.mark.parametrize(
    ("text", "cleared", "mode"), [("cpsid i", 0, SVC), ("cpsie if", 0xC0, SVC), ("cps #0x12", 0, IRQ)]
)
def test_cps(guest: Guest, text: str, cleared: int, mode: int) -> None:
    guest.run(text, cpsr=0x1D3)
    assert guest.cpu.cpsr & 0x1DF == 0x1C0 & ~cleared | mode


def test_cps_does_nothing_in_user_mode(guest: Guest) -> None:
    guest.run("cpsie if", cpsr=0x1D0)
    assert guest.cpu.cpsr & 0x1FF == 0x1D0


def test_banked_registers_by_name(guest: Guest) -> None:
    guest.cpu.enter_mode(ABT)
    guest.cpu.r[13], guest.cpu.spsr = 0xABCD, 0x77
    assert guest.run(".word 0xe1050300; .word 0xe1441300", mode=SVC) is None  # MRS R0, SP_abt; MRS R1, SPSR_abt
    assert (guest.cpu.r[0], guest.cpu.r[1]) == (0xABCD, 0x77)
    assert guest.run(".word 0xe125f302", r2=0x1234) is None  # MSR SP_abt, R2
    guest.cpu.enter_mode(ABT)
    assert guest.cpu.r[13] == 0x1234


def test_banked_registers_of_user_mode(guest: Guest) -> None:
    text = ".word 0xe125f200; .word 0xe1051200"  # MSR SP_usr, R0; MRS R1, SP_usr
    assert guest.run(text, mode=SVC, r0=0x99) is None
    assert guest.cpu.r[1] == 0x99
    guest.cpu.enter_mode(SYS)
    assert guest.cpu.r[13] == 0x99


def test_the_modes_own_register_has_no_banked_name(guest: Guest) -> None:
    assert guest.run(".word 0xe1030300", mode=SVC) is not None  # MRS R0, SP_svc


def test_load_and_store_of_user_registers(guest: Guest) -> None:
    guest.cpu.enter_mode(SYS)
    guest.cpu.r[13], guest.cpu.r[14] = 0x1111, 0x2222
    assert guest.run("stm r0, {r12, sp, lr}^; ldm r1, {r12, sp, lr}^", mode=FIQ, r0=DATA, r1=DATA + 0x100) is None
    assert guest.word(DATA + 4) == 0x1111
    assert guest.word(DATA + 8) == 0x2222
    guest.put(DATA + 0x100, 0xAAAA)
    guest.put(DATA + 0x104, 0xBBBB)
    assert guest.run("ldm r1, {r12, sp}^", mode=FIQ, r1=DATA + 0x100, r12=5, sp=6) is None
    assert (guest.cpu.r[12], guest.cpu.r[13]) == (5, 6)
    guest.cpu.enter_mode(USR)
    assert (guest.cpu.r[12], guest.cpu.r[13]) == (0xAAAA, 0xBBBB)


def test_srs_stores_to_another_modes_stack(guest: Guest) -> None:
    guest.cpu.enter_mode(SVC)
    guest.cpu.r[13] = DATA + 0x20
    assert guest.run("srsdb sp!, #0x13", mode=IRQ, lr=0xCAFE, spsr=0x15F) is None
    assert (guest.word(DATA + 0x18), guest.word(DATA + 0x1C)) == (0xCAFE, 0x15F)
    guest.cpu.enter_mode(SVC)
    assert guest.cpu.r[13] == DATA + 0x18


@pytest.mark.parametrize("text", ["subs pc, lr, #4", "movs pc, r8", "ldm r9, {pc}^"])
def test_return_from_an_exception(guest: Guest, text: str) -> None:
    target = CODE + 0x200
    guest.put(target, 0xE7FFDEFE)
    guest.put(DATA, target)
    guest.run(text, mode=IRQ, lr=target + 4, r8=target, r9=DATA, spsr=0x2000_0050)
    assert (guest.cpu.pc, guest.cpu.cpu_mode, guest.cpu.nzcv, guest.cpu.cpsr & 0xC0) == (target, USR, 1 << 29, 0x40)


def test_return_to_thumb(guest: Guest) -> None:
    guest.cpu.memory.write(CODE + 0x202, bytes.fromhex("fede"))
    guest.run("movs pc, lr", mode=SVC, lr=CODE + 0x202, spsr=0x30)
    assert (guest.cpu.pc, guest.cpu.thumb) == (CODE + 0x202, True)


def test_modes_above_cannot_be_entered(guest: Guest) -> None:
    for mode in (MON, HYP):
        guest.run("msr cpsr_c, r0", mode=SVC, r0=0xC0 | mode)
        assert guest.cpu.cpu_mode == SVC


def test_big_endian_data(guest: Guest) -> None:
    guest.put(DATA, 0x11223344)
    guest.run("setend be; ldr r1, [r0]; ldrh r2, [r0]; ldrsh r3, [r0]; strh r1, [r0, #8]; ldrexd r4, r5, [r0]", r0=DATA)
    cpu = guest.cpu
    assert (cpu.r[1], cpu.r[2], cpu.r[3], cpu.r[4]) == (0x44332211, 0x4433, 0x4433, 0x44332211)
    assert guest.word(DATA + 8, 2) == 0x1122
    assert cpu.cpsr & CPSR_E
    guest.run("setend le; ldr r1, [r0]", r0=DATA)
    assert cpu.r[1] == 0x11223344


@pytest.mark.parametrize("engine", ["python", "stencil"])
def test_unaligned_words_rotate_before_armv6(engine: str) -> None:
    guest = Guest(engine, "arm926")
    guest.put(DATA, 0x11223344)
    guest.run("ldr r1, [r0, #1]; str r2, [r0, #7]", r0=DATA, r2=0x55667788)
    assert guest.cpu.r[1] == 0x44112233
    assert guest.word(DATA + 4) == 0x55667788


def test_interworking(guest: Guest) -> None:
    guest.cpu.memory.write(CODE + 0x100, bytes.fromhex("0a20 7047"))  # MOVS R0, #10; BX LR
    assert guest.run("blx r4; add r0, r0, #1", r4=CODE + 0x101) is None
    assert (guest.cpu.r[0], guest.cpu.thumb) == (11, False)
