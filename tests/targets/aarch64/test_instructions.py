"""What the comparison with Unicorn does not reach: modes, exceptions, registers of the system."""

from __future__ import annotations

import pytest

from pyqemu.targets.aarch64.layout import (
    ALIGNMENT_FAULT,
    EC_BRK,
    EC_DATA_ABORT,
    EC_FP_TRAP,
    EC_HVC64,
    EC_ILLEGAL_STATE,
    EC_PC_ALIGNMENT,
    EC_SMC64,
    EC_SVC64,
    EC_SYSTEM,
    EC_UNKNOWN,
    EC_WFX,
    IRQ,
    M_BIG_ENDIAN,
    M_FP_OFF,
    M_ILLEGAL,
    M_ZVA_TRAP,
    PSTATE_DAIF,
    PSTATE_I,
)
from pyqemu.tcg.env import EXIT_REQUEST
from tests.targets.aarch64.guest import CODE, DATA, Guest, assemble

SCTLR_A, SCTLR_UMA, SCTLR_DZE, SCTLR_NTWI, SCTLR_EE = 1 << 1, 1 << 9, 1 << 14, 1 << 16, 1 << 25
HCR_TWI = 1 << 13


def set_sctlr(guest: Guest, bits: int) -> None:
    guest.cpu.sys.sctlr_el1 |= bits
    guest.cpu.mode_changed()


# --- exceptions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ec", "iss", "following"),
    [
        ("svc #0x1234", EC_SVC64, 0x1234, True),
        ("brk #0xfffe", EC_BRK, 0xFFFE, False),
        ("hlt #1", EC_UNKNOWN, 0, False),
        ("hvc #1", EC_UNKNOWN, 0, False),  # this processor has neither EL2 nor EL3
        ("smc #1", EC_UNKNOWN, 0, False),
        (".word 0", EC_UNKNOWN, 0, False),
    ],
)
def test_exceptions_of_instructions(guest: Guest, text: str, ec: int, iss: int, following: bool) -> None:
    exc = guest.run(f"mov x0, #1; {text}; mov x0, #2")
    assert exc is not None
    assert (exc.ec, exc.iss, exc.following) == (ec, iss, following)
    assert (guest.cpu.pc, guest.cpu.x[0]) == (CODE + 4, 1), "the program counter is that of the instruction"


@pytest.mark.parametrize(("text", "ec", "target"), [("hvc #7", EC_HVC64, 2), ("smc #9", EC_SMC64, 3)])
def test_calls_to_levels_that_exist(text: str, ec: int, target: int) -> None:
    guest = Guest(has_el2=True, has_el3=True)
    exc = guest.run(text, el=1)
    assert exc is not None
    assert (exc.ec, exc.iss, exc.following, exc.target_el) == (ec, int(text[-1]), True, target)


@pytest.mark.parametrize("text", ["hvc #0", "smc #0", "eret", "msr spsel, #1", "mrs x0, sp_el0", "mrs x0, currentel"])
def test_what_el0_may_not_is_undefined(guest: Guest, text: str) -> None:
    exc = guest.run(text, el=0)
    assert exc is not None
    assert exc.ec == EC_UNKNOWN


def test_a_jump_to_an_odd_place_faults_there(guest: Guest) -> None:
    exc = guest.run("br x1", x1=DATA + 2)
    assert exc is not None
    assert (exc.ec, exc.far, guest.cpu.pc) == (EC_PC_ALIGNMENT, DATA + 2, DATA + 2)


def test_illegal_execution_state(guest: Guest) -> None:
    guest.cpu.mode |= M_ILLEGAL
    exc = guest.run("mov x0, #1", x0=0)
    assert exc is not None
    assert (exc.ec, guest.cpu.pc, guest.cpu.x[0]) == (EC_ILLEGAL_STATE, CODE, 0)


# --- accesses ---------------------------------------------------------------------------------------------------------


def test_big_endian_data(guest: Guest) -> None:
    set_sctlr(guest, SCTLR_EE)
    assert guest.cpu.mode & M_BIG_ENDIAN
    guest.put(DATA, int.from_bytes(b"\x80\x02\x03\x04\x05\x06\x07\x08", "little"))
    text = "ldr x0, [x9]; ldr w1, [x9]; ldrsh x2, [x9]; ldrsh w3, [x9]; ldrb w4, [x9]; ldp w5, w6, [x9];"
    text += "ldxp w7, w8, [x9]; stp w6, w5, [x9, #8]; strh w6, [x9, #16]; stxp w10, w6, w5, [x9]"
    assert guest.run(text, x9=DATA) is None
    x = guest.cpu.x
    assert (x[0], x[1], x[2]) == (0x8002030405060708, 0x80020304, 0xFFFFFFFFFFFF8002)
    assert (x[3], x[4], x[5], x[6], x[7], x[8]) == (0xFFFF8002, 0x80, 0x80020304, 0x05060708, 0x80020304, 0x05060708)
    assert bytes(guest.ram[DATA : DATA + 8]) == b"\x05\x06\x07\x08\x80\x02\x03\x04"
    assert bytes(guest.ram[DATA + 8 : DATA + 18]) == b"\x05\x06\x07\x08\x80\x02\x03\x04\x07\x08"


@pytest.mark.parametrize(("text", "write"), [("ldr x0, [x1, #8]", 0), ("strh w0, [x1, #8]", 1)])
def test_alignment_checks(guest: Guest, text: str, write: int) -> None:
    assert guest.run(text, x1=DATA + 1) is None
    set_sctlr(guest, SCTLR_A)
    exc = guest.run(text, x1=DATA + 1)
    assert exc is not None
    assert (exc.ec, exc.iss, exc.far) == (EC_DATA_ABORT, write << 6 | ALIGNMENT_FAULT, DATA + 9)
    assert guest.run(text, x1=DATA) is None


def test_zeroing_a_block(guest: Guest) -> None:
    guest.ram[DATA : DATA + 192] = b"\xff" * 192
    assert guest.run("dc zva, x0", x0=DATA + 64 + 13) is None
    assert bytes(guest.ram[DATA : DATA + 192]) == b"\xff" * 64 + bytes(64) + b"\xff" * 64


def test_zeroing_at_el0_can_be_forbidden(guest: Guest) -> None:
    guest.cpu.enter(0, 0)
    assert guest.cpu.mode & M_ZVA_TRAP
    exc = guest.run("dc zva, x0", x0=DATA)
    assert exc is not None
    assert (exc.ec, guest.cpu.pc) == (EC_SYSTEM, CODE)
    set_sctlr(guest, SCTLR_DZE)
    assert guest.run("dc zva, x0", x0=DATA) is None


# --- registers --------------------------------------------------------------------------------------------------------


def test_stack_pointers(guest: Guest) -> None:
    text = "msr sp_el0, x1; mov sp, x2; msr spsel, #0; mov x3, sp; mrs x4, spsel;"
    text += "mov sp, x5; msr spsel, #1; mov x6, sp; mrs x7, sp_el0"
    assert guest.run(text, x1=0x100, x2=0x200, x5=0x500) is None
    x = guest.cpu.x
    assert (x[3], x[4], x[6], x[7]) == (0x100, 0, 0x200, 0x500)
    exc = guest.run("msr spsel, #0; mrs x0, sp_el0")
    assert exc is not None
    assert (exc.ec, guest.cpu.pc) == (EC_UNKNOWN, CODE + 4), "SP_EL0 is not to be had by that name while it is SP"


def test_interrupt_masks(guest: Guest) -> None:
    guest.cpu.set_daif(0)
    assert (
        guest.run("msr daifset, #5; mrs x0, daif; msr daifclr, #1; mrs x1, daif; msr daif, x2; mrs x3, daif", x2=~0)
        is None
    )
    x = guest.cpu.x
    assert (x[0], x[1], x[3]) == (0x140, 0x100, PSTATE_DAIF)


@pytest.mark.parametrize("text", ["msr daifclr, #2", "msr daif, xzr"])
def test_unmasking_lets_a_waiting_interrupt_in(guest: Guest, text: str) -> None:
    cpu = guest.cpu
    cpu.set_daif(PSTATE_I)
    cpu.interrupt(IRQ)
    cpu.l[EXIT_REQUEST >> 2] = 0  # somebody has looked, and it was masked
    cpu.memory.write(CODE, assemble(f"{text}; b #{CODE + 4}"))
    cpu.pc = CODE
    with cpu.lock:
        guest.engine.execute()  # the second instruction jumps to itself; nothing but the request ends this
    assert (cpu.pc, cpu.l[EXIT_REQUEST >> 2]) == (CODE + 4, 1)


@pytest.mark.parametrize(
    ("text", "op0", "op1", "op2", "reads"),
    [("msr daifset, #1", 0, 3, 6, 0), ("msr daifclr, #1", 0, 3, 7, 0), ("mrs x5, daif", 3, 3, 1, 1),
     ("msr daif, x5", 3, 3, 1, 0)],
)  # fmt: skip
def test_el0_and_interrupt_masks(guest: Guest, text: str, op0: int, op1: int, op2: int, reads: int) -> None:
    """SCTLR_EL1.UMA decides; the syndrome names the access (D7.2, ISS of a trapped system register)."""
    exc = guest.run(text, el=0)
    assert exc is not None
    assert exc.ec == EC_SYSTEM
    assert (exc.iss >> 20, exc.iss >> 14 & 7, exc.iss >> 17 & 7, exc.iss & 1) == (op0, op1, op2, reads)
    set_sctlr(guest, SCTLR_UMA)
    assert guest.run(text) is None


def test_floating_point_can_be_trapped(guest: Guest) -> None:
    guest.cpu.sys.cpacr_el1 = 1 << 20  # EL0 alone
    guest.cpu.mode_changed()
    assert guest.run("msr fpcr, x0; mrs x1, fpcr", x0=~0) is None
    assert guest.cpu.x[1] == 0x07C00000, "traps of floating-point exceptions are not there"
    guest.cpu.enter(0, 0)
    assert guest.cpu.mode & M_FP_OFF
    exc = guest.run("mrs x1, fpcr")
    assert exc is not None
    assert (exc.ec, exc.iss) == (EC_FP_TRAP, 0x1E00000)


def test_registers_by_name(guest: Guest) -> None:
    registers = guest.cpu.registers()
    registers["w3"], registers["V5"], registers["nzcv"] = 0x1_2345_6789, 1 << 127 | 7, 0xA0000000
    assert (registers["x3"], registers["d5"], registers["q5"]) == (0x23456789, 7, 1 << 127 | 7)
    assert registers["pstate"] == 0xA00003C5
    with pytest.raises(KeyError):
        registers["w31"]
    with pytest.raises(ValueError):
        registers["x0"] = 1 << 64


def test_waiting_for_an_interrupt(guest: Guest) -> None:
    cpu = guest.cpu
    cpu.memory.write(CODE, assemble("wfi"))
    cpu.pc = CODE
    with cpu.lock:
        guest.engine.execute()
    assert (cpu.halted, cpu.pc) == (True, CODE + 4)
    cpu.halted = False
    cpu.interrupt(IRQ)
    cpu.l[EXIT_REQUEST >> 2], cpu.pc = 0, CODE
    with cpu.lock:
        guest.engine.execute()
    assert not cpu.halted, "a masked interrupt counts, too"


def test_waiting_at_el0_can_be_trapped() -> None:
    guest = Guest(has_el2=True)
    guest.cpu.sys.sctlr_el1 &= ~SCTLR_NTWI
    exc = guest.run("wfi", el=0)
    assert exc is not None
    assert (exc.ec, exc.iss, exc.target_el, guest.cpu.pc) == (EC_WFX, 0x1E00000, 1, CODE)
    guest.cpu.sys.sctlr_el1 |= SCTLR_NTWI
    guest.cpu.sys.hcr_el2 |= HCR_TWI
    exc = guest.run("wfi", el=0)
    assert exc is not None
    assert (exc.ec, exc.target_el) == (EC_WFX, 2)
    guest.cpu.interrupt(IRQ)
    guest.cpu.l[EXIT_REQUEST >> 2] = 0
    assert guest.run("wfi; mov x0, #7", el=0) is None, "it would not wait, and is not trapped"
    assert guest.cpu.x[0] == 7
