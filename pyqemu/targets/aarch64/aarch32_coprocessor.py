"""Coprocessors 14 and 15 as EL0 and EL1 in AArch32 state find them under higher levels in AArch64 state.

Most registers are as in a processor of 32 bits (:mod:`pyqemu.targets.arm.cp15`). Here is who else wants to know of an
access (ARM DDI 0487A.f, D1.15, D1.16): what traps an access to an AArch64 register traps it to the AArch32 register of
the same meaning, too. Registers that both states have alike, with all that they do, are AArch64's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from pyqemu.targets.aarch64 import sysregs
from pyqemu.targets.aarch64.exceptions import ANY_CONDITION, Aarch64Exception
from pyqemu.targets.aarch64.layout import EC_CP14, EC_CP14_PAIR, EC_CP15, EC_CP15_PAIR, EC_VMRS
from pyqemu.targets.aarch64.sysregs import NEVER, SystemRegister, Trap
from pyqemu.targets.arm.exceptions import undefined

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.aarch32 import Aarch32State
    from pyqemu.targets.aarch64.state import Aarch64Cpu

Key = tuple[int, ...]
Check = Callable[["Aarch64Cpu", bool], None]
HCR_TID0, HCR_TID3, HCR_TIDCP = 1 << 15, 1 << 18, 1 << 20
UNTRAPPED = (4, 14)  #: CRn of accesses that HSTR_EL2 has no bit for
RESERVED = {9: (0, 1, 2, 5, 6, 7, 8), 10: (0, 1, 4, 8), 11: (0, 1, 2, 3, 4, 5, 6, 7, 8, 15)}
"""CRn and CRm of what HCR_EL2.TIDCP traps: lockdown and tightly coupled memory (D7.2.34)."""
MONITORS, TIMER_MONITORS, INTERRUPTS = 9, 14, 12

SAME: dict[Key, str] = {
    (1, 0, 0): "SCTLR_EL1", (1, 0, 1): "ACTLR_EL1", (1, 0, 2): "CPACR_EL1", (2, 0, 0): "TTBR0_EL1",
    (2, 0, 1): "TTBR1_EL1", (2, 0, 2): "TCR_EL1", (3, 0, 0): "TCR_EL1", (5, 0, 0): "ESR_EL1", (5, 0, 1): "ESR_EL1",
    (5, 1, 0): "AFSR0_EL1", (5, 1, 1): "AFSR1_EL1", (6, 0, 0): "FAR_EL1", (6, 0, 2): "FAR_EL1",
    (10, 2, 0): "MAIR_EL1", (10, 2, 1): "MAIR_EL1", (10, 3, 0): "AMAIR_EL1", (10, 3, 1): "AMAIR_EL1",
    (13, 0, 1): "CONTEXTIDR_EL1",
    (0, 0, 1): "CTR_EL0", (0, 0, 2): "REVIDR_EL1", (0, 0, 3): "REVIDR_EL1", (0, 0, 6): "REVIDR_EL1",
    **{(0, crm, opc2): "ID_PFR0_EL1" for crm in (1, 2) for opc2 in range(8)},
    **{(7, crm, 2): "DC ISW" for crm in (6, 10, 14)}, **{(7, crm, 1): "DC CIVAC" for crm in (6, 10, 14)},
    (7, 1, 0): "IC IALLU", (7, 5, 0): "IC IALLU", (7, 5, 1): "IC IVAU", (7, 11, 1): "DC CVAU",
    **{(8, crm, opc2): "TLBI VMALLE1" for crm in (3, 5, 6, 7) for opc2 in range(8)},
    (14, 0, 0): "CNTFRQ_EL0", (14, 2, 0): "CNTP_TVAL_EL0", (14, 2, 1): "CNTP_CTL_EL0",
    (14, 3, 0): "CNTV_TVAL_EL0", (14, 3, 1): "CNTV_CTL_EL0",
}  # fmt: skip
"""CRn, CRm, opc2 where opc1 is 0: the AArch64 register of which the same traps are asked for."""
SAME_CACHE: dict[Key, str] = {(1, 0, 0, 0): "CCSIDR_EL1", (1, 0, 0, 1): "CLIDR_EL1", (1, 0, 0, 7): "AIDR_EL1",
              (2, 0, 0, 0): "CSSELR_EL1"}  # fmt: skip
"""The same with opc1 first."""
SAME_PAIRS: dict[Key, str] = {(0, 2): "TTBR0_EL1", (1, 2): "TTBR1_EL1", (0, 14): "CNTPCT_EL0", (1, 14): "CNTVCT_EL0",
              (2, 14): "CNTP_CVAL_EL0", (3, 14): "CNTV_CVAL_EL0"}  # fmt: skip
"""The same of registers of 64 bits: opc1, CRm."""
MONITOR = {(1, 1, 0), (1, 3, 1), (12, 0, 1)}
"""SCR, SDCR, MVBAR: of the Secure state, whose master EL3 is (D1.15.2, "Trapping of Secure EL1")."""
SDER = (1, 1, 1)  #: which Secure EL1 has for itself
NSACR = (1, 1, 2)
NSACR_OPEN = SystemRegister("NSACR", (0, 0, 1, 1, 2), 1, NEVER, lambda cpu: 0xC00, lambda cpu, value: None)
"""What is read of it: nobody is kept from coprocessors 10 and 11 by it where EL3 is not in AArch32 state (G6.2.102)."""
DEBUG, OS_LOCK = "MDSCR_EL1", "OSLSR_EL1"
OS_REGISTERS = {(1, 0, 4), (1, 1, 4), (1, 3, 4)}  #: DBGOSLAR, DBGOSLSR, DBGOSDLR: CRn, CRm, opc2
GROUP_PAIRS = {0: (11, 5), 1: (11, 6), 2: (11, 7)}  #: ICC_SGI1R, ICC_ASGI1R, ICC_SGI0R by opc1: CRm and op2


def value_of(cpu: Aarch64Cpu, name: str) -> int:
    """What EL1 reads in an AArch64 register."""
    return sysregs.BY_NAME[name].read(cpu)


def admitted(state: Aarch32State, key: Key, *, write: bool) -> SystemRegister | None:
    """Ask higher levels for leave to access a register, which has the numbers of :mod:`pyqemu.targets.arm.cp15`.

    :return: the AArch64 register that it is; None if it is AArch32's own
    :raise Aarch64Exception: it is trapped.
    :raise ArmException: it is UNDEFINED.
    """
    cpu = state.whole
    shared, check, monitors = _known(key)
    if shared is not None and not cpu.has(shared):
        shared = check = None
    try:
        if cpu.el2_enabled:
            _ask_hypervisor(cpu, key)
        if monitors:
            _ask_monitor(cpu, key, write=write)
        if check is not None:
            check(cpu, write)
    except Trap as trap:
        if trap.el == 1 and state.has_el1:
            raise undefined() from None
        raise Aarch64Exception(*_syndrome(state, key, write=write), target_el=trap.el) from None
    if shared is not None and cpu.el < (shared.write_el if write else shared.read_el):
        raise undefined()
    return shared


def admitted_to_vmrs(state: Aarch32State, reg: int) -> None:
    """Ask EL2 for leave to read FPSID (0) or one of MVFR0 to MVFR2 (D7.2.34, TID0 and TID3).

    :raise Aarch64Exception: it is trapped.
    """
    cpu = state.whole
    trap = HCR_TID3 if reg else HCR_TID0
    if cpu.el == 1 and cpu.el2_enabled and cpu.sys.hcr_el2 & trap:
        register = state.view(_word(state) >> 12 & 15)
        raise Aarch64Exception(EC_VMRS, ANY_CONDITION | 7 << 14 | reg << 10 | register << 5 | 1, target_el=2)


def _ask_hypervisor(cpu: Aarch64Cpu, key: Key) -> None:
    """HSTR_EL2 and HCR_EL2.TIDCP."""
    if key[0] != 15:
        return
    crn = key[2]
    if crn not in UNTRAPPED and cpu.sys.hstr_el2 >> crn & 1:
        raise Trap(2)
    if len(key) == 5 and cpu.el == 1 and cpu.sys.hcr_el2 & HCR_TIDCP and key[3] in RESERVED.get(crn, ()):
        raise Trap(2)


def _ask_monitor(cpu: Aarch64Cpu, key: Key, *, write: bool) -> None:
    """Registers of the Secure state are EL3's."""
    if key[2:] == SDER and not cpu.is_secure:
        raise undefined()
    if key[2:] in MONITOR or (key[2:] == NSACR and (write or cpu.is_secure)):
        if cpu.el == 1 and cpu.is_secure:
            raise Trap(3)
        raise undefined()


@cache
def _known(key: Key) -> tuple[SystemRegister | None, Check | None, bool]:
    """The AArch64 register that a register is, what asks for leave, and whether EL3 may have it for itself."""
    shared = _shared(key)
    register = shared or _same(key)
    monitors = key[:2] == (15, 0) and key[2:] in {*MONITOR, SDER, NSACR}
    return shared, None if register is None else register.check, monitors


def _same(key: Key) -> SystemRegister | None:
    """The AArch64 register that has the traps of this one."""
    if len(key) == 3:
        name = SAME_PAIRS.get(key[1:]) if key[0] == 15 else DEBUG
    elif key[0] == 14:
        name = OS_LOCK if key[2:] in OS_REGISTERS else DEBUG
    else:
        name = SAME_CACHE.get(key[1:]) if key[1] else SAME.get(key[2:])
    return sysregs.BY_NAME[name] if name else None


def _shared(key: Key) -> SystemRegister | None:
    """The AArch64 register that this one is: performance monitors, and the interface to a GICv3."""
    if len(key) == 5 and key[:2] == (15, 0):
        crn, crm, opc2 = key[2:]
        if (crn == MONITORS and crm >= 12) or (crn, crm) == (TIMER_MONITORS, 15):
            return sysregs.REGISTERS.get((3, 3, crn, crm, opc2)) or sysregs.REGISTERS.get((3, 0, crn, crm, opc2))
        elif (crn == INTERRUPTS and crm >= 8) or (crn, crm, opc2) == (4, 6, 0):
            return sysregs.REGISTERS.get((3, 0, crn, crm, opc2))
        if key[2:] == NSACR:
            return NSACR_OPEN
    elif key[0] == 15 and len(key) == 3 and key[2] == INTERRUPTS and key[1] in GROUP_PAIRS:
        return sysregs.REGISTERS.get((3, 0, INTERRUPTS, *GROUP_PAIRS[key[1]]))
    elif key == (15, 0, MONITORS):
        return sysregs.BY_NAME["PMCCNTR_EL0"]
    return None


def _word(state: Aarch32State) -> int:
    """The present instruction; T32 has the fields of coprocessor instructions where A32 has them."""
    word = int.from_bytes(state.code(), "little")
    return word >> 16 | (word & 0xFFFF) << 16 if state.thumb else word


def _syndrome(state: Aarch32State, key: Key, *, write: bool) -> tuple[int, int]:
    """Exception class and ISS of a trapped access (D7.2.27)."""
    word = _word(state)
    register = state.view(word >> 12 & 15)
    iss = ANY_CONDITION | register << 5 | key[-1 if len(key) == 3 else 3] << 1 | (not write)
    if len(key) == 3:
        return EC_CP14_PAIR if key[0] == 14 else EC_CP15_PAIR, iss | key[1] << 16 | state.view(word >> 16 & 15) << 10
    return EC_CP14 if key[0] == 14 else EC_CP15, iss | key[4] << 17 | key[1] << 14 | key[2] << 10
