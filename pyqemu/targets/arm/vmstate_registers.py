"""Registers of coprocessors 14 and 15 in the saved state: a list of identifiers and values, as QEMU and KVM have it.

An identifier is that of KVM's interface for single registers (Linux: Documentation/virt/kvm/api.rst, KVM_GET_ONE_REG).
QEMU lists a register that AArch64 has, too, under AArch64's numbers alone. Those of the Secure state are not here:
there is one copy of each register.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.targets.arm.cp15_debug import BREAKPOINTS_SHIFT, OS_LOCK_IMPLEMENTED, OS_LOCKED, WATCHPOINTS_SHIFT
from pyqemu.targets.arm.cp15_timer import PMCR_D, PMCR_E
from pyqemu.targets.arm.generic_timer import ENABLE, IMASK, PHYSICAL, VIRTUAL
from pyqemu.targets.arm.layout import M32

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

Get = Callable[["ArmCpu"], int]
Set = Callable[["ArmCpu", int], None]

ARM64_U64, SYSTEM_REGISTERS = 0x6030 << 48, 0x13 << 16
ARM32_U32, ARM32_U64, NON_SECURE = 0x4020 << 48, 0x4030 << 48, 1 << 29
M64 = (1 << 64) - 1
CPACR_ASEDIS, CPACR_D32DIS = 1 << 31, 1 << 30
PAR_RESERVED = {False: 0xE00, True: 0x900}  #: of short descriptors, before ARMv7 and from it on, to QEMU


@dataclass(frozen=True)
class Saved:
    """A register in the list.

    :ivar store: takes what is loaded; None: it is constant
    """

    name: str
    read: Get
    store: Set | None


def shared(op1: int, crn: int, crm: int, op2: int, *, op0: int = 3) -> int:
    """The identifier of a register that AArch64 has under these numbers."""
    return ARM64_U64 | SYSTEM_REGISTERS | op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2


def own(crn: int, crm: int, opc2: int, *, opc1: int = 0, cp: int = 15) -> int:
    """The identifier of a register of coprocessor 14 or 15."""
    return ARM32_U32 | NON_SECURE | cp << 16 | crn << 11 | crm << 7 | opc1 << 3 | opc2


def own_pair(opc1: int, crm: int, *, cp: int = 15) -> int:
    """The identifier of a register of a coprocessor that has 64 bits."""
    return ARM32_U64 | NON_SECURE | cp << 16 | crm << 7 | opc1 << 3


def _sys(name: str, mask: int = M32) -> tuple[Get, Set]:
    """Storage."""
    return lambda cpu: int(getattr(cpu.sys, name)), lambda cpu, value: setattr(cpu.sys, name, value & mask)


def _of_cpu(name: str) -> tuple[Get, Set]:
    """An attribute of the processor."""
    return lambda cpu: int(getattr(cpu, name)), lambda cpu, value: setattr(cpu, name, value & M32)


def _timer_control(number: int) -> tuple[Get, Set]:
    """Lines follow when all is known."""

    def store(cpu: ArmCpu, value: int) -> None:
        cpu.timer.control[number] = value & (ENABLE | IMASK)

    return lambda cpu: cpu.timer.saved_control(number), store


def _timer_compare(number: int) -> tuple[Get, Set]:
    def store(cpu: ArmCpu, value: int) -> None:
        cpu.timer.compare[number] = value & M64

    return lambda cpu: cpu.timer.compare[number], store


def _load_pmcr(cpu: ArmCpu, value: int) -> None:
    cpu.sys.pmcr_el0 = value & (PMCR_E | PMCR_D)
    cpu.cycle_counter.switch(on=bool(value & PMCR_E), divider=64 if value & PMCR_D else 1)


def _cpacr_absent(cpu: ArmCpu) -> int:
    """What a processor does not have is disabled in QEMU's list, though not for guests."""
    return (0 if cpu.model.has("neon") else CPACR_ASEDIS) | (0 if cpu.model.has("d32") else CPACR_D32DIS)


def _read_cpacr(cpu: ArmCpu) -> int:
    return int(cpu.sys.cpacr_el1) | _cpacr_absent(cpu)


def _load_cpacr(cpu: ArmCpu, value: int) -> None:
    cpu.sys.cpacr_el1 = value & M32 & ~_cpacr_absent(cpu)


def _read_par(cpu: ArmCpu) -> int:
    return int(cpu.sys.par_el1) & ~PAR_RESERVED[cpu.model.has("v7")]


def _ignore(cpu: ArmCpu, value: int) -> None:
    """It is elsewhere in the list, or never changes."""


CYCLE_COUNTER: tuple[Get, Set] = (lambda cpu: cpu.cycle_counter.value, lambda cpu, value: cpu.cycle_counter.set(value))
CPACR: tuple[Get, Set] = (_read_cpacr, _load_cpacr)
PAR: tuple[Get, Set] = (_read_par, lambda cpu, value: setattr(cpu.sys, "par_el1", value & M32))
PMCR: tuple[Get, Set] = (lambda cpu: int(cpu.sys.pmcr_el0), _load_pmcr)
# fmt: off
TABLE: tuple[tuple[str, int, str, tuple[Get, Set]], ...] = (
    # name, identifier, feature, how it is read and written
    ("SCTLR",      shared(0, 1, 0, 0),   "",              _sys("sctlr_el1")),
    ("ACTLR",      own(1, 0, 1),         "v6",            (lambda cpu: cpu.model.actlr, _ignore)),
    ("CPACR",      own(1, 0, 2),         "v6",            CPACR),
    ("CPACR_EL1",  shared(0, 1, 0, 2),   "v6",            (_read_cpacr, _ignore)),
    ("TTBR0",      shared(0, 2, 0, 0),   "",              _sys("ttbr0_el1", M64)),
    ("TTBR1",      shared(0, 2, 0, 1),   "",              _sys("ttbr1_el1", M64)),
    ("TTBCR",      shared(0, 2, 0, 2),   "",              _sys("tcr_el1")),
    ("DACR",       own(3, 0, 0),         "",              _sys("dacr32_el2")),
    ("DFSR",       shared(0, 5, 2, 0),   "",              _sys("esr_el1")),
    ("IFSR",       own(5, 0, 1),         "",              _sys("ifsr32_el2")),
    ("FAR",        shared(0, 6, 0, 0),   "",              _sys("far_el1", M64)),
    ("PAR",        own(7, 4, 0),         "v7 !lpae|arm1176|arm11mpcore", PAR),
    ("PAR",        own_pair(0, 7),       "lpae",          _sys("par_el1", M64)),
    ("MAIR",       shared(0, 10, 2, 0),  "v7",            _sys("mair_el1", M64)),
    ("AMAIR",      shared(0, 10, 3, 0),  "lpae",          (lambda cpu: 0, _ignore)),
    ("VBAR",       shared(0, 12, 0, 0),  "v7",            _sys("vbar_el1")),
    ("FCSEIDR",    own(13, 0, 0),        "",              _of_cpu("fcse")),
    ("CONTEXTIDR", shared(0, 13, 0, 1),  "",              _sys("contextidr_el1")),
    ("TPIDRURW",   shared(3, 13, 0, 2),  "v6k",           _of_cpu("tpidrurw")),
    ("TPIDRURO",   shared(3, 13, 0, 3),  "v6k",           _of_cpu("tpidruro")),
    ("TPIDRPRW",   shared(0, 13, 0, 4),  "v6k",           _of_cpu("tpidrprw")),
    ("CSSELR",     shared(2, 0, 0, 0),   "v7",            _sys("csselr_el1")),
    ("PMCR",       shared(3, 9, 12, 0),  "v7",            PMCR),
    ("PMCCNTR",    shared(3, 9, 13, 0),  "v7",            CYCLE_COUNTER),
    ("CNTKCTL",    shared(0, 14, 1, 0),  "generic_timer", _sys("cntkctl_el1")),
    ("CNTFRQ",     shared(3, 14, 0, 0),  "generic_timer", _sys("cntfrq_el0")),
    ("CNTP_CTL",   shared(3, 14, 2, 1),  "generic_timer", _timer_control(PHYSICAL)),
    ("CNTP_CVAL",  shared(3, 14, 2, 2),  "generic_timer", _timer_compare(PHYSICAL)),
    ("CNTV_CTL",   shared(3, 14, 3, 1),  "generic_timer", _timer_control(VIRTUAL)),
    ("CNTV_CVAL",  shared(3, 14, 3, 2),  "generic_timer", _timer_compare(VIRTUAL)),
    ("DBGDSCR",    shared(0, 0, 2, 2, op0=2), "v7",       _sys("mdscr_el1")),
    ("DBGOSLSR",   shared(0, 1, 1, 4, op0=2), "v7",       _sys("oslsr_el1", OS_LOCKED | OS_LOCK_IMPLEMENTED)),
)
CONSTANTS: tuple[tuple[str, int, str, Get], ...] = (
    ("MIDR",       own(0, 0, 0),         "",              lambda cpu: cpu.model.midr),
    ("CTR",        own(0, 0, 1),         "",              lambda cpu: cpu.model.ctr),
    ("CLIDR",      own(0, 0, 1, opc1=1), "v7",            lambda cpu: cpu.model.clidr),
    ("ID_PFR0",    own(0, 1, 0),         "v6",            lambda cpu: cpu.model.pfr[0]),
    *((f"ID_MMFR{n}", own(0, 1, 4 + n),  "v6",            lambda cpu, n=n: cpu.model.mmfr[n]) for n in range(4)),
    *((f"ID_ISAR{n}", own(0, 2, n),      "v6",            lambda cpu, n=n: cpu.model.isar[n]) for n in range(5)),
)
# fmt: on


def has(cpu: ArmCpu, features: str) -> bool:
    """Whether a processor has all of some features: names of features or models, "!" before what it must not have, and
    "|" between sets of which one is enough."""
    model = cpu.model

    def one(word: str) -> bool:
        return not one(word[1:]) if word[0] == "!" else model.has(word) or word == model.name

    return any(all(one(word) for word in words.split()) for words in features.split("|"))


def _element(name: str, number: int) -> tuple[Get, Set]:
    """One of a row of registers."""

    def store(cpu: ArmCpu, value: int) -> None:
        getattr(cpu.sys, name)[number] = value & M32

    return lambda cpu: int(getattr(cpu.sys, name)[number]), store


def _breakpoints(cpu: ArmCpu) -> dict[int, Saved]:
    """Those that there are; QEMU has them under both numbers."""
    found = {}
    for opc2, name, shift in ((4, "dbgbvr", BREAKPOINTS_SHIFT), (5, "dbgbcr", BREAKPOINTS_SHIFT),
                              (6, "dbgwvr", WATCHPOINTS_SHIFT), (7, "dbgwcr", WATCHPOINTS_SHIFT)):  # fmt: skip
        for number in range((cpu.model.dbgdidr >> shift & 15) + 1):
            register = Saved(f"{name.upper()}{number}", *_element(name, number))
            found[own(0, number, opc2, cp=14)] = found[shared(0, 0, number, opc2, op0=2)] = register
    return found


def saved_registers(cpu: ArmCpu) -> dict[int, Saved]:
    """All registers of a processor that are in the list, by their identifiers."""
    found = {number: Saved(name, *ways) for name, number, features, ways in TABLE if has(cpu, features)}
    if cpu.model.has("v7"):
        found |= _breakpoints(cpu)
    found |= {number: Saved(name, read, None) for name, number, features, read in CONSTANTS if has(cpu, features)}
    return dict(sorted(found.items()))
