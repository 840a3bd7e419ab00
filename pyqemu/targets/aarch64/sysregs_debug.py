"""Debug registers and performance monitors (ARM DDI 0487A.f, D7.3, D7.4).

There are no counters of events, only the cycle counter, which follows the guest's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.self_hosted import HCR_TGE, MDCR_TDE, OS_DOUBLE_LOCKED, OS_LOCKED
from pyqemu.targets.aarch64.sysregs import M32, M64, Check, Read, Trap, Write, constant, define, ignored

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

MDCR_TPM, MDCR_TDA, MDCR_TDOSA, MDCR_TDRA = 1 << 6, 1 << 9, 1 << 10, 1 << 11
USERENR_EN, USERENR_CR = 1, 4
PMCR_E, PMCR_C, PMCR_D, PMCR_WRITABLE = 1, 4, 8, 0x79
PMCR_RESET = 0x41000000  #: implementer Arm, no event counters
CYCLES = 1 << 31  #: the cycle counter, in the masks of counters


def _trapped_by(bit: int, of_el3: int) -> Check:
    """MDCR_EL2 and MDCR_EL3 keep registers from lower levels; who takes their debug exceptions keeps all of them."""

    def check(cpu: Aarch64Cpu, is_write: bool) -> None:
        if cpu.el < 2 and cpu.el2_enabled and (cpu.sys.mdcr_el2 & (bit | MDCR_TDE) or cpu.sys.hcr_el2 & HCR_TGE):
            raise Trap(2)
        if cpu.el < 3 and cpu.has_el3 and cpu.sys.mdcr_el3 & of_el3:
            raise Trap(3)

    return check


_traps_debug = _trapped_by(MDCR_TDA, MDCR_TDA)
_traps_os = _trapped_by(MDCR_TDOSA, MDCR_TDOSA)
_traps_rom = _trapped_by(MDCR_TDRA, MDCR_TDA)


def _write_mdscr(cpu: Aarch64Cpu, value: int) -> None:
    cpu.sys.mdscr_el1 = value & M32
    cpu.mode_changed()
    cpu.breakpoints.update()


def _lock_os(cpu: Aarch64Cpu, value: int) -> None:
    cpu.sys.oslsr_el1 = cpu.sys.oslsr_el1 & ~OS_LOCKED | (OS_LOCKED if value & 1 else 0) | 8
    cpu.mode_changed()


def _lock_os_twice(cpu: Aarch64Cpu, value: int) -> None:
    cpu.sys.osdlr_el1 = value & OS_DOUBLE_LOCKED
    cpu.mode_changed()


def _debug() -> None:
    define("MDSCR_EL1", (2, 0, 0, 2, 2), check=_traps_debug, write=_write_mdscr)
    define("MDCCINT_EL1", (2, 0, 0, 2, 0), check=_traps_debug, mask=0x60000000)
    constant("MDCCSR_EL0", (2, 3, 0, 1, 0), 0, el=0, check=_traps_debug)
    constant("MDRAR_EL1", (2, 0, 1, 0, 0), 0, check=_traps_rom)
    define("OSLAR_EL1", (2, 0, 1, 0, 4), el=1, write=_lock_os, read=lambda cpu: 0, check=_traps_os)
    constant("OSLSR_EL1", (2, 0, 1, 1, 4), lambda cpu: cpu.sys.oslsr_el1, check=_traps_os)
    define("OSDLR_EL1", (2, 0, 1, 3, 4), write=_lock_os_twice, check=_traps_os)
    ignored("DBGPRCR_EL1", (2, 0, 1, 4, 4), check=_traps_os)
    define("DBGCLAIMSET_EL1", (2, 0, 7, 8, 6), read=lambda cpu: 0xFF, write=_claim_set, check=_traps_debug)
    define("DBGCLAIMCLR_EL1", (2, 0, 7, 9, 6), read=lambda cpu: cpu.sys.dbgclaim, write=_claim_clear,
           check=_traps_debug)  # fmt: skip
    constant("DBGAUTHSTATUS_EL1", (2, 0, 7, 14, 6), 0, check=_traps_debug)
    for number in range(16):
        for op2, name in ((4, "dbgbvr"), (5, "dbgbcr"), (6, "dbgwvr"), (7, "dbgwcr")):
            define(f"{name.upper()}{number}_EL1", (2, 0, 0, number, op2), read=_element(name, number),
                   write=_set_element(name, number), check=_traps_debug)  # fmt: skip


def _claim_set(cpu: Aarch64Cpu, value: int) -> None:
    cpu.sys.dbgclaim |= value & 0xFF


def _claim_clear(cpu: Aarch64Cpu, value: int) -> None:
    cpu.sys.dbgclaim &= ~(value & 0xFF)


def _element(name: str, number: int) -> Read:
    def read(cpu: Aarch64Cpu) -> int:
        values: list[int] = getattr(cpu.sys, name)
        return values[number]

    return read


def _set_element(name: str, number: int) -> Write:
    def write(cpu: Aarch64Cpu, value: int) -> None:
        values: list[int] = getattr(cpu.sys, name)
        values[number] = value & (M64 if name.endswith("vr") else M32)
        cpu.breakpoints.update()

    return write


# --- performance monitors ---------------------------------------------------------------------------------------------


def _monitors(cpu: Aarch64Cpu, is_write: bool) -> None:
    """PMUSERENR_EL0 lets EL0 in; MDCR_EL2.TPM and MDCR_EL3.TPM keep others out."""
    enabled = cpu.sys.pmuserenr_el0
    if cpu.el == 0 and not enabled & USERENR_EN:
        raise Trap(1)
    _restricted(cpu, is_write)


def _cycles_allowed(cpu: Aarch64Cpu, is_write: bool) -> None:
    enabled = cpu.sys.pmuserenr_el0
    if cpu.el == 0 and not enabled & USERENR_EN and (is_write or not enabled & USERENR_CR):
        raise Trap(1)
    _restricted(cpu, is_write)


def _restricted(cpu: Aarch64Cpu, is_write: bool) -> None:
    if cpu.el < 2 and cpu.el2_enabled and cpu.sys.mdcr_el2 & MDCR_TPM:
        raise Trap(2)
    if cpu.el < 3 and cpu.has_el3 and cpu.sys.mdcr_el3 & MDCR_TPM:
        raise Trap(3)


def _write_pmcr(cpu: Aarch64Cpu, value: int) -> None:
    if value & PMCR_C:
        cpu.cycle_counter.set(0)
    cpu.sys.pmcr_el0 = value & PMCR_WRITABLE
    _switch_cycles(cpu)


def _switch_cycles(cpu: Aarch64Cpu) -> None:
    pmcr = cpu.sys.pmcr_el0
    cpu.cycle_counter.switch(on=bool(pmcr & PMCR_E and cpu.sys.pmcnten & CYCLES), divider=64 if pmcr & PMCR_D else 1)


def _enable(cpu: Aarch64Cpu, value: int) -> None:
    cpu.sys.pmcnten |= value & CYCLES
    _switch_cycles(cpu)


def _disable(cpu: Aarch64Cpu, value: int) -> None:
    cpu.sys.pmcnten &= ~(value & CYCLES)
    _switch_cycles(cpu)


def _clear(attribute: str) -> Write:
    def write(cpu: Aarch64Cpu, value: int) -> None:
        setattr(cpu.sys, attribute, getattr(cpu.sys, attribute) & ~value)

    return write


def _set(attribute: str) -> Write:
    def write(cpu: Aarch64Cpu, value: int) -> None:
        setattr(cpu.sys, attribute, getattr(cpu.sys, attribute) | value & CYCLES)

    return write


def _counters() -> None:
    define("PMCR_EL0", (3, 3, 9, 12, 0), el=0, read=lambda cpu: cpu.sys.pmcr_el0 | PMCR_RESET, write=_write_pmcr,
           check=_monitors)  # fmt: skip
    define("PMCNTENSET_EL0", (3, 3, 9, 12, 1), el=0, read=lambda cpu: cpu.sys.pmcnten, write=_enable, check=_monitors)
    define("PMCNTENCLR_EL0", (3, 3, 9, 12, 2), el=0, read=lambda cpu: cpu.sys.pmcnten, write=_disable, check=_monitors)
    define(
        "PMOVSCLR_EL0", (3, 3, 9, 12, 3), el=0, read=lambda cpu: cpu.sys.pmovs, write=_clear("pmovs"), check=_monitors
    )
    define("PMOVSSET_EL0", (3, 3, 9, 14, 3), el=0, read=lambda cpu: cpu.sys.pmovs, write=_set("pmovs"), check=_monitors)
    ignored("PMSWINC_EL0", (3, 3, 9, 12, 4), el=0, check=_monitors)
    define("PMSELR_EL0", (3, 3, 9, 12, 5), el=0, mask=31, check=_monitors)
    constant("PMCEID0_EL0", (3, 3, 9, 12, 6), 0, el=0, check=_monitors)
    constant("PMCEID1_EL0", (3, 3, 9, 12, 7), 0, el=0, check=_monitors)
    define("PMCCNTR_EL0", (3, 3, 9, 13, 0), el=0, read=lambda cpu: cpu.cycle_counter.value,
           write=lambda cpu, value: cpu.cycle_counter.set(value), check=_cycles_allowed)  # fmt: skip
    define("PMXEVTYPER_EL0", (3, 3, 9, 13, 1), el=0, read=_event_type, write=_write_event_type, check=_monitors)
    ignored("PMXEVCNTR_EL0", (3, 3, 9, 13, 2), el=0, check=_monitors)
    define("PMUSERENR_EL0", (3, 3, 9, 14, 0), el=0, write_el=1, mask=15)
    define("PMINTENSET_EL1", (3, 0, 9, 14, 1), read=lambda cpu: cpu.sys.pminten, write=_set("pminten"),
           check=_restricted)  # fmt: skip
    define("PMINTENCLR_EL1", (3, 0, 9, 14, 2), read=lambda cpu: cpu.sys.pminten, write=_clear("pminten"),
           check=_restricted)  # fmt: skip
    define("PMCCFILTR_EL0", (3, 3, 14, 15, 7), el=0, mask=0xF8000000, check=_monitors)


def _event_type(cpu: Aarch64Cpu) -> int:
    return cpu.sys.pmccfiltr_el0 if cpu.sys.pmselr_el0 == 31 else 0


def _write_event_type(cpu: Aarch64Cpu, value: int) -> None:
    if cpu.sys.pmselr_el0 == 31:
        cpu.sys.pmccfiltr_el0 = value & 0xF8000000


def define_all() -> None:
    """Enter them."""
    _debug()
    _counters()
