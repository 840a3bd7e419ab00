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


@dataclass(frozen=True)
class Saved:
    """A register in the list.

    :ivar store: takes what is loaded; None: it is constant
    """

    name: str
    read: Get
    store: Set | None


def _shared(op1: int, crn: int, crm: int, op2: int, *, op0: int = 3) -> int:
    """The identifier of a register that AArch64 has under these numbers."""
    return ARM64_U64 | SYSTEM_REGISTERS | op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2


def _own(crn: int, crm: int, opc2: int, *, opc1: int = 0, cp: int = 15) -> int:
    """The identifier of a register of coprocessor 14 or 15."""
    return ARM32_U32 | NON_SECURE | cp << 16 | crn << 11 | crm << 7 | opc1 << 3 | opc2


def _own_pair(opc1: int, crm: int) -> int:
    """The identifier of a register of coprocessor 15 that has 64 bits."""
    return ARM32_U64 | NON_SECURE | 15 << 16 | crm << 7 | opc1 << 3


def _sys(name: str, mask: int = M32) -> tuple[Get, Set]:
    """Storage."""
    return lambda cpu: int(getattr(cpu.sys, name)), lambda cpu, value: setattr(cpu.sys, name, value & mask)


def _of_cpu(name: str) -> tuple[Get, Set]:
    """An attribute of the processor."""
    return lambda cpu: int(getattr(cpu, name)), lambda cpu, value: setattr(cpu, name, value & M32)


def _timer(part: str, number: int, mask: int) -> tuple[Get, Set]:
    """Lines follow when all is known."""

    def store(cpu: ArmCpu, value: int) -> None:
        getattr(cpu.timer, part)[number] = value & mask

    return lambda cpu: int(getattr(cpu.timer, part)[number]), store


def _load_pmcr(cpu: ArmCpu, value: int) -> None:
    cpu.sys.pmcr_el0 = value & (PMCR_E | PMCR_D)
    cpu.cycle_counter.switch(on=bool(value & PMCR_E), divider=64 if value & PMCR_D else 1)


CYCLE_COUNTER: tuple[Get, Set] = (lambda cpu: cpu.cycle_counter.value, lambda cpu, value: cpu.cycle_counter.set(value))
PMCR: tuple[Get, Set] = (lambda cpu: int(cpu.sys.pmcr_el0), _load_pmcr)
# fmt: off
TABLE: tuple[tuple[str, int, str, tuple[Get, Set]], ...] = (
    # name, identifier, feature, how it is read and written
    ("SCTLR",      _shared(0, 1, 0, 0),   "",              _sys("sctlr_el1")),
    ("ACTLR",      _own(1, 0, 1),         "v6",            _sys("actlr_el1")),
    ("CPACR",      _own(1, 0, 2),         "v6",            _sys("cpacr_el1")),
    ("TTBR0",      _shared(0, 2, 0, 0),   "",              _sys("ttbr0_el1", M64)),
    ("TTBR1",      _shared(0, 2, 0, 1),   "",              _sys("ttbr1_el1", M64)),
    ("TTBCR",      _shared(0, 2, 0, 2),   "",              _sys("tcr_el1")),
    ("DACR",       _own(3, 0, 0),         "",              _sys("dacr32_el2")),
    ("DFSR",       _shared(0, 5, 2, 0),   "",              _sys("esr_el1")),
    ("IFSR",       _own(5, 0, 1),         "",              _sys("ifsr32_el2")),
    ("FAR",        _shared(0, 6, 0, 0),   "",              _sys("far_el1", M64)),
    ("PAR",        _own(7, 4, 0),         "v7 !lpae",      _sys("par_el1")),
    ("PAR",        _own_pair(0, 7),       "lpae",          _sys("par_el1", M64)),
    ("MAIR",       _shared(0, 10, 2, 0),  "v7",            _sys("mair_el1", M64)),
    ("AMAIR",      _shared(0, 10, 3, 0),  "lpae",          _sys("amair_el1", M64)),
    ("VBAR",       _shared(0, 12, 0, 0),  "v7",            _sys("vbar_el1")),
    ("FCSEIDR",    _own(13, 0, 0),        "",              _of_cpu("fcse")),
    ("CONTEXTIDR", _shared(0, 13, 0, 1),  "",              _sys("contextidr_el1")),
    ("TPIDRURW",   _shared(3, 13, 0, 2),  "v6k",           _of_cpu("tpidrurw")),
    ("TPIDRURO",   _shared(3, 13, 0, 3),  "v6k",           _of_cpu("tpidruro")),
    ("TPIDRPRW",   _shared(0, 13, 0, 4),  "v6k",           _of_cpu("tpidrprw")),
    ("CSSELR",     _shared(2, 0, 0, 0),   "v7",            _sys("csselr_el1")),
    ("PMCR",       _shared(3, 9, 12, 0),  "v7",            PMCR),
    ("PMCCNTR",    _shared(3, 9, 13, 0),  "v7",            CYCLE_COUNTER),
    ("CNTKCTL",    _shared(0, 14, 1, 0),  "generic_timer", _sys("cntkctl_el1")),
    ("CNTFRQ",     _shared(3, 14, 0, 0),  "generic_timer", _sys("cntfrq_el0")),
    ("CNTP_CTL",   _shared(3, 14, 2, 1),  "generic_timer", _timer("control", PHYSICAL, ENABLE | IMASK)),
    ("CNTP_CVAL",  _shared(3, 14, 2, 2),  "generic_timer", _timer("compare", PHYSICAL, M64)),
    ("CNTV_CTL",   _shared(3, 14, 3, 1),  "generic_timer", _timer("control", VIRTUAL, ENABLE | IMASK)),
    ("CNTV_CVAL",  _shared(3, 14, 3, 2),  "generic_timer", _timer("compare", VIRTUAL, M64)),
    ("DBGDSCR",    _shared(0, 0, 2, 2, op0=2), "v7",       _sys("mdscr_el1")),
    ("DBGOSLSR",   _shared(0, 1, 1, 4, op0=2), "v7",       _sys("oslsr_el1", OS_LOCKED | OS_LOCK_IMPLEMENTED)),
)
CONSTANTS: tuple[tuple[str, int, str, Get], ...] = (
    ("MIDR",       _own(0, 0, 0),         "",              lambda cpu: cpu.model.midr),
    ("CTR",        _own(0, 0, 1),         "",              lambda cpu: cpu.model.ctr),
    ("CLIDR",      _own(0, 0, 1, opc1=1), "v7",            lambda cpu: cpu.model.clidr),
    ("ID_PFR0",    _own(0, 1, 0),         "v6",            lambda cpu: cpu.model.pfr[0]),
    *((f"ID_MMFR{n}", _own(0, 1, 4 + n),  "v6",            lambda cpu, n=n: cpu.model.mmfr[n]) for n in range(4)),
    *((f"ID_ISAR{n}", _own(0, 2, n),      "v6",            lambda cpu, n=n: cpu.model.isar[n]) for n in range(5)),
)
# fmt: on


def _has(cpu: ArmCpu, features: str) -> bool:
    return all(not cpu.model.has(each[1:]) if each[0] == "!" else cpu.model.has(each) for each in features.split())


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
            found[_own(0, number, opc2, cp=14)] = found[_shared(0, 0, number, opc2, op0=2)] = register
    return found


def saved_registers(cpu: ArmCpu) -> dict[int, Saved]:
    """All registers of a processor that are in the list, by their identifiers."""
    found = {number: Saved(name, *ways) for name, number, features, ways in TABLE if _has(cpu, features)}
    if cpu.model.has("v7"):
        found |= _breakpoints(cpu)
    found |= {number: Saved(name, read, None) for name, number, features, read in CONSTANTS if _has(cpu, features)}
    return dict(sorted(found.items()))
