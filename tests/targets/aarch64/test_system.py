"""Exceptions that are taken, interrupts, system registers and their traps, translation in use."""

from __future__ import annotations

import pytest

from pyqemu.hw.intc.arm_gicv3 import ArmGicV3
from pyqemu.targets.aarch64 import delivery
from pyqemu.targets.aarch64.exceptions import Aarch64Exception
from pyqemu.targets.aarch64.layout import (
    EC_DATA_ABORT,
    EC_HVC64,
    EC_INSTRUCTION_ABORT,
    EC_SVC64,
    EC_SYSTEM,
    EC_UNKNOWN,
    FIQ,
    IRQ,
    M_ILLEGAL,
    PSTATE_DAIF,
    PSTATE_I,
    PSTATE_IL,
)
from pyqemu.targets.aarch64.state import HCR_VI, Aarch64Cpu
from pyqemu.targets.aarch64.sysregs import BY_NAME, NEVER, REGISTERS
from tests.targets.aarch64.guest import CODE, DATA, Guest

VECTORS, TABLES = 0x40000, 0x20000
PAGE = 0x403  # valid page, access flag
EL0, READ_ONLY, PXN, UXN = 1 << 6, 1 << 7, 1 << 53, 1 << 54
TCR = 25 | 25 << 16 | 2 << 30 | 5 << 32  # two halves of 39 bits, granules of 4 KiB


def cpu_of(guest: Guest) -> Aarch64Cpu:
    guest.cpu.sys.vbar_el1 = VECTORS
    return guest.cpu


# --- exceptions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("el", "spsel", "vector"), [(1, 1, 0x200), (1, 0, 0x000), (0, 0, 0x400)], ids=["EL1h", "EL1t", "EL0"]
)
def test_an_exception_is_taken(guest: Guest, el: int, spsel: int, vector: int) -> None:
    cpu = cpu_of(guest)
    cpu.set_banked_sp(1, 0x9000)
    cpu.daif = 0
    cpu.enter(el, spsel)
    cpu.pc, cpu.nzcv = 0x1234, 0xA0000000
    cpu.deliver(Aarch64Exception(EC_SVC64, 0x42, following=True))
    assert (cpu.el, cpu.spsel, cpu.pc) == (1, 1, VECTORS + vector)
    assert (cpu.elr(1), cpu.spsr(1)) == (0x1238, 0xA0000000 | el << 2 | spsel)
    assert cpu.sys.esr_el1 == EC_SVC64 << 26 | 1 << 25 | 0x42
    assert (cpu.daif, cpu.sp) == (PSTATE_DAIF, 0x9000)


def test_classes_tell_whether_the_level_changed(guest: Guest) -> None:
    cpu = cpu_of(guest)
    cpu.enter(0, 0)
    cpu.deliver(Aarch64Exception(EC_DATA_ABORT, 0x47, 0xDEAD000))
    assert (cpu.sys.esr_el1 >> 26, cpu.sys.far_el1) == (EC_DATA_ABORT - 1, 0xDEAD000)
    cpu.deliver(Aarch64Exception(EC_INSTRUCTION_ABORT, 5, 0xBEEF000))
    assert (cpu.sys.esr_el1 >> 26, cpu.sys.far_el1) == (EC_INSTRUCTION_ABORT, 0xBEEF000)


@pytest.mark.parametrize("answered", [True, False])
def test_firmware_answers_calls_or_there_is_no_such_instruction(guest: Guest, answered: bool) -> None:
    cpu = cpu_of(guest)
    cpu.firmware_call = lambda ec: answered
    cpu.pc = 0x1000
    cpu.deliver(Aarch64Exception(EC_HVC64, 0, following=True, target_el=2))
    if answered:
        assert (cpu.el, cpu.pc) == (1, 0x1004)
    else:
        assert (cpu.el, cpu.pc, cpu.elr(1), cpu.sys.esr_el1 >> 26) == (1, VECTORS + 0x200, 0x1000, EC_UNKNOWN)


def test_return(guest: Guest) -> None:
    cpu = cpu_of(guest)
    cpu.set_banked_sp(0, 0x7000)
    cpu.set_elr(1, 0x4444)
    cpu.set_spsr(1, 0x60000000 | PSTATE_I)
    delivery.exception_return(cpu)
    assert (cpu.el, cpu.spsel, cpu.pc, cpu.nzcv, cpu.daif, cpu.sp) == (0, 0, 0x4444, 0x60000000, PSTATE_I, 0x7000)


@pytest.mark.parametrize("spsr", [0x13, 2, 1, 2 << 2, 3 << 2 | 1], ids=["SVC mode", "M1", "EL0h", "EL2", "EL3"])
def test_return_to_what_there_is_not_is_illegal(guest: Guest, spsr: int) -> None:
    cpu = cpu_of(guest)
    cpu.set_elr(1, 0x4444)
    cpu.set_spsr(1, spsr | 0x80000000)
    delivery.exception_return(cpu)
    assert (cpu.el, cpu.spsel, cpu.pc, cpu.nzcv) == (1, 1, 0x4444, 0x80000000)
    assert cpu.mode & M_ILLEGAL
    assert cpu.pstate & PSTATE_IL


@pytest.mark.parametrize(("request_", "vector"), [(IRQ, 0x280), (FIQ, 0x300), (IRQ | FIQ, 0x300)])
def test_interrupts(guest: Guest, request_: int, vector: int) -> None:
    cpu = cpu_of(guest)
    cpu.interrupt(request_)
    assert not cpu.service_interrupts()  # masked
    assert cpu.has_work()
    assert cpu.pending_interrupts() == (0x80 if request_ & IRQ else 0) | (0x40 if request_ & FIQ else 0)
    cpu.daif, cpu.pc = 0, 0x5550
    assert cpu.service_interrupts()
    assert (cpu.pc, cpu.elr(1), cpu.daif) == (VECTORS + vector, 0x5550, PSTATE_DAIF)


def test_interrupts_go_where_the_hypervisor_says() -> None:
    guest = Guest(has_el2=True)
    cpu = guest.cpu
    cpu.sys.vbar_el1, cpu.sys.vbar_el2 = VECTORS, 2 * VECTORS
    cpu.enter(1, 1)
    cpu.interrupt(IRQ)
    cpu.write_sysreg(*BY_NAME["DAIF"].key, PSTATE_DAIF)
    cpu.sys.hcr_el2 = delivery.HCR_IMO
    assert cpu.service_interrupts()  # masks of EL1 are not for EL2
    assert (cpu.el, cpu.pc) == (2, 2 * VECTORS + 0x480)
    cpu.clear_interrupt(IRQ)
    cpu.write_sysreg(*BY_NAME["HCR_EL2"].key, delivery.HCR_IMO | HCR_VI)
    cpu.enter(1, 1)
    assert cpu.pending_interrupts() == 0x80
    cpu.daif = 0
    assert cpu.service_interrupts()
    assert (cpu.el, cpu.pc) == (1, VECTORS + 0x280)
    cpu.enter(2, 1)
    cpu.write_sysreg(*BY_NAME["HCR_EL2"].key, delivery.HCR_IMO)
    assert not cpu.has_work()


# --- system registers -------------------------------------------------------------------------------------------------


def test_every_register_can_be_read_by_the_highest_level_or_is_not_there() -> None:
    guest = Guest(has_el2=True, has_el3=True)
    cpu = guest.cpu
    cpu.enter(3, 1)
    for key, register in REGISTERS.items():
        if key[0] in (2, 3) and register.read_el < NEVER and cpu.has(register):
            assert 0 <= cpu.read_sysreg(*key) < 1 << 64, register.name


@pytest.mark.parametrize("name", ["TTBR0_EL1", "MAIR_EL1", "TPIDR_EL1", "VBAR_EL1", "CNTKCTL_EL1", "PAR_EL1"])
def test_storage_keeps_what_is_written(guest: Guest, name: str) -> None:
    key = BY_NAME[name].key
    guest.cpu.write_sysreg(*key, 0x5800)
    value = guest.cpu.read_sysreg(*key)
    assert value == 0x5800 & (0x3FF if name == "CNTKCTL_EL1" else (1 << 64) - 1)


def test_the_interface_of_a_gicv3_is_there_if_the_controller_is() -> None:
    guest = Guest()
    key = BY_NAME["ICC_IAR1_EL1"].key
    with pytest.raises(Aarch64Exception):
        guest.cpu.read_sysreg(*key)
    assert guest.cpu.aa64pfr0 >> 24 & 15 == 0
    gic = ArmGicV3(num_cpu=1, num_irq=64)
    guest.cpu.gic = gic.cpus[0].interface
    assert guest.cpu.aa64pfr0 >> 24 & 15 == 1
    assert guest.cpu.read_sysreg(*key) == 1023  # nothing is pending
    guest.cpu.write_sysreg(*BY_NAME["ICC_PMR_EL1"].key, 0xF0)
    assert guest.cpu.read_sysreg(*BY_NAME["ICC_PMR_EL1"].key) == 0xF0
    assert guest.cpu.read_sysreg(*BY_NAME["ICC_SRE_EL1"].key) == 7


def test_what_a_level_may_not_touch_is_undefined(guest: Guest) -> None:
    cpu = guest.cpu
    for el, name in ((0, "SCTLR_EL1"), (1, "HCR_EL2"), (1, "SCR_EL3"), (0, "MIDR_EL1")):
        cpu.enter(el, el)
        with pytest.raises(Aarch64Exception) as caught:
            cpu.read_sysreg(*BY_NAME[name].key)
        assert caught.value.ec == EC_UNKNOWN
    cpu.enter(1, 1)
    with pytest.raises(Aarch64Exception):
        cpu.write_sysreg(*BY_NAME["MIDR_EL1"].key, 0)
    with pytest.raises(Aarch64Exception):
        cpu.read_sysreg(3, 7, 15, 15, 7)


def test_control_bits_let_el0_in(guest: Guest) -> None:
    cpu = guest.cpu
    cpu.enter(0, 0)
    for name, attribute, bit in (("CNTVCT_EL0", "cntkctl_el1", 2), ("CTR_EL0", "sctlr_el1", 1 << 15),
                                 ("PMCCNTR_EL0", "pmuserenr_el0", 1)):  # fmt: skip
        key = BY_NAME[name].key
        setattr(cpu.sys, attribute, getattr(cpu.sys, attribute) & ~bit)
        with pytest.raises(Aarch64Exception) as caught:
            cpu.read_sysreg(*key)
        op0, op1, crn, crm, op2 = key
        assert caught.value.ec == EC_SYSTEM
        assert caught.value.iss & ~(31 << 5) == op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | crm << 1 | 1
        setattr(cpu.sys, attribute, getattr(cpu.sys, attribute) | bit)
        cpu.read_sysreg(*key)


def test_the_hypervisor_traps_what_it_wants() -> None:
    guest = Guest(has_el2=True)
    cpu = guest.cpu
    cpu.enter(1, 1)
    cpu.sys.hcr_el2 = 1 << 26  # TVM
    cpu.read_sysreg(*BY_NAME["SCTLR_EL1"].key)
    with pytest.raises(Aarch64Exception) as caught:
        cpu.write_sysreg(*BY_NAME["SCTLR_EL1"].key, 0)
    assert (caught.value.ec, caught.value.target_el) == (EC_SYSTEM, 2)


# --- translation ------------------------------------------------------------------------------------------------------


class Mapped:
    """A guest with tables: level 1 at TABLES, level 2 and 3 behind it; CODE is mapped to itself, for EL1."""

    def __init__(self, guest: Guest) -> None:
        self.guest, self.cpu = guest, cpu_of(guest)
        guest.put(TABLES, TABLES + 0x1000 | 3)
        guest.put(TABLES + 0x1000, TABLES + 0x2000 | 3)
        self.map(CODE, CODE, READ_ONLY | UXN)
        self.cpu.write_sysreg(*BY_NAME["TTBR0_EL1"].key, TABLES)
        self.cpu.write_sysreg(*BY_NAME["TTBR1_EL1"].key, TABLES)
        self.cpu.write_sysreg(*BY_NAME["TCR_EL1"].key, TCR)
        self.cpu.write_sysreg(*BY_NAME["SCTLR_EL1"].key, self.cpu.sys.sctlr_el1 | 1)

    def map(self, virtual: int, physical: int, attributes: int = 0) -> None:
        self.guest.put(TABLES + 0x2000 + (virtual >> 12 & 511) * 8, physical | PAGE ^ attributes)


def test_pages_are_mapped_in_both_halves(guest: Guest) -> None:
    mapped = Mapped(guest)
    mapped.map(0x5000, DATA)
    guest.put(DATA + 8, 0x1122334455667788)
    high = 0xFFFFFF80_00005000
    assert guest.run("ldr x0, [x1, #8]; str x0, [x2, #16]", x1=0x5000, x2=high) is None
    assert guest.cpu.x[0] == guest.word(DATA + 16) == 0x1122334455667788


@pytest.mark.parametrize(
    ("text", "attributes", "status", "write"),
    [
        ("ldr x0, [x1]", None, 7, 0),
        ("str x0, [x1]", READ_ONLY, 0xF, 1),
        ("str x0, [x1]", None, 7, 1),
        ("ldr x0, [x1]", 0x400, 0xB, 0),  # takes the access flag away
    ],
    ids=["read", "read-only", "write", "access flag"],
)
def test_aborts(guest: Guest, text: str, attributes: int | None, status: int, write: int) -> None:
    mapped = Mapped(guest)
    if attributes is not None:
        mapped.map(0x5000, DATA, attributes)
    exc = guest.run(text, x1=0x5010)
    assert exc is not None
    assert (exc.ec, exc.iss, exc.far) == (EC_DATA_ABORT, status | write << 6, 0x5010)


def test_what_was_mapped_stays_until_it_is_invalidated(guest: Guest) -> None:
    mapped = Mapped(guest)
    mapped.map(0x5000, DATA)
    guest.put(DATA, 1)
    guest.put(DATA + 0x1000, 2)
    assert guest.run("ldr x0, [x1]", x1=0x5000) is None
    mapped.map(0x5000, DATA + 0x1000)
    assert guest.run("tlbi vae1, x2; dsb sy; ldr x0, [x1]", x1=0x5000, x2=5) is None
    assert guest.cpu.x[0] == 2


def test_tags_are_ignored_where_tcr_says_so(guest: Guest) -> None:
    mapped = Mapped(guest)
    mapped.map(0x5000, DATA)
    guest.put(DATA, 77)
    tagged = 0x5A << 56 | 0x5000
    exc = guest.run("ldr x0, [x1]", x1=tagged)
    assert exc is not None
    assert exc.iss & 0x3F == 4
    mapped.cpu.write_sysreg(*BY_NAME["TCR_EL1"].key, TCR | 1 << 37)
    assert guest.run("ldr x0, [x1]", x1=tagged) is None
    assert guest.cpu.x[0] == 77
    mapped.map(0x5000, DATA + 0x1000)
    assert guest.run("tlbi vae1, x2; ldr x0, [x1]", x1=tagged, x2=5) is None
    assert guest.cpu.x[0] == guest.word(DATA + 0x1000)


def test_address_translation_instructions(guest: Guest) -> None:
    mapped = Mapped(guest)
    mapped.map(0x5000, DATA)
    assert guest.run("at s1e1r, x1; mrs x0, par_el1; at s1e0r, x1; mrs x2, par_el1; at s1e1r, x3; mrs x4, par_el1",
                     x1=0x5678, x3=0x9000) is None  # fmt: skip
    x = guest.cpu.x
    assert x[0] & 0xFFFFFFFFF001 == DATA
    assert x[2] & 0x7F == 1 | 0xF << 1  # permission fault, level 3
    assert x[4] & 0x7F == 1 | 7 << 1  # translation fault, level 3


def test_stage_2() -> None:
    """What EL1 takes for physical is translated once more; its own tables, too."""
    made = Guest(has_el2=True)
    cpu = made.cpu
    made.put(TABLES, TABLES + 0x1000 | 3)
    for page in range(0x40):
        made.put(TABLES + 0x1000 + 8 * page, page << 12 | 0x4C3 | 3)
    made.put(TABLES + 0x1000 + 8 * 5, DATA | 0x443 | 3)  # readable only
    cpu.sys.vttbr_el2, cpu.sys.vtcr_el2 = TABLES, 39 | 0 << 6 | 5 << 16
    cpu.sys.hcr_el2 = 1
    cpu.hypervisor_changed()
    made.put(DATA, 99)
    assert made.run("ldr x0, [x1]", el=1, x1=0x5000) is None
    assert cpu.x[0] == 99
    exc = made.run("str x0, [x1]", el=1, x1=0x5008)
    assert exc is not None
    assert (exc.ec, exc.iss & 0x3F, exc.target_el, exc.far) == (EC_DATA_ABORT, 0xF, 2, 0x5008)
    assert cpu.sys.hpfar_el2 == 5 << 4
