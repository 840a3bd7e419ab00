"""Registers that QEMU's 32-bit processors have in their list and these have not.

QEMU 7.2 gives every register of its own list a value when it loads a machine: one that is not in the stream gets what
happens to be in its memory. Registers that cannot be written must then read as the list says. So these are sent, too,
as they are after a reset; what came from elsewhere goes on as it came. A register that is in the list twice, under its
AArch64 numbers and under AArch32's, has its value where QEMU reads it last: in the former.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.arm.cp15_debug import OS_LOCK_IMPLEMENTED, OS_LOCKED
from pyqemu.targets.arm.multiprocessor import Multiprocessor
from pyqemu.targets.arm.vmstate_registers import NON_SECURE, Get, has, own, own_pair, shared

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

COPSDBG, PERFMON = 0xF << 4, 0xF << 24  #: fields of ID_DFR0: debugging the Secure state, performance monitors
INTERRUPT_CONTROLLER = 1 << 23  #: of L2CTLR: there is one
SECURE = {
    "": (own(1, 0, 0), own(2, 0, 0), own(2, 0, 1), own(3, 0, 0), own(5, 0, 1), own(6, 0, 0), own(13, 0, 0),
         own(13, 0, 1)),
    "v6": (own(6, 0, 2),),
    "v6k": (own(13, 0, 2), own(13, 0, 3), own(13, 0, 4)),
    "v7|arm1176|arm11mpcore": (own(7, 4, 0),),  # PAR
    "v7": (own(0, 0, 0, opc1=2), own(10, 2, 0), own(10, 2, 1), own(12, 0, 0)),
    "lpae": (own_pair(0, 7),),
}  # fmt: skip
"""What QEMU has for the Secure state, which there is none of."""
ZERO = {
    # JIDR, JOSCR, JMCR; TCMTR, TLBTR; reserved; DFAR, CONTEXTIDR
    "": (own(0, 0, 0, opc1=7, cp=14), own(1, 0, 0, opc1=7, cp=14), own(2, 0, 0, opc1=7, cp=14), own(0, 0, 2),
         own(0, 0, 3), *(own(0, crm, 0) for crm in range(3, 8)), own(6, 0, 0), own(13, 0, 1)),
    # lockdown of caches
    "!v7": (own(9, 0, 0), own(9, 0, 1)),
    # HACTLR, WFAR; ACTLR_EL2, ACTLR_EL3
    "v6|arm1026": (own(1, 0, 1, opc1=4), own(6, 0, 1), shared(4, 1, 0, 1), shared(6, 1, 0, 1)),
    # ID_ISAR5, ID_MMFR4, ID_ISAR6 under both numbers; IFAR
    "v6": (*(own(0, 2, n) for n in (5, 6, 7)), *(shared(0, 0, 2, n) for n in (5, 6, 7)), own(6, 0, 2)),
    # TPIDRURW, TPIDRURO, TPIDRPRW
    "v6k": (own(13, 0, 2), own(13, 0, 3), own(13, 0, 4)),
    # TEECR, TEEHBR; DBGDSCRext, DBGDRAR, DBGOSDLR, DBGDSAR; AIDR, ADFSR, AIFSR; PMOVSR, PMUSERENR; PRRR, NMRR
    "v7 !v8": (own(0, 0, 0, opc1=6, cp=14), own(1, 0, 0, opc1=6, cp=14), own(0, 2, 2, cp=14), own(1, 0, 0, cp=14),
               own(1, 3, 4, cp=14), own(2, 0, 0, cp=14), own(0, 0, 7, opc1=1), own(5, 1, 0), own(5, 1, 1),
               own(9, 12, 3), own(9, 14, 0), own(10, 2, 0), own(10, 2, 1)),
    # MDRAR_EL1, OSDLR_EL1, MDCCSR_EL0; AFSR0_EL1, AFSR1_EL1; AIDR_EL1; MAIR_EL3
    # PMINTENSET_EL1, PMCNTENSET_EL0, PMSELR_EL0, PMCCFILTR_EL0
    "v7": (shared(0, 1, 0, 0, op0=2), shared(0, 1, 3, 4, op0=2), shared(3, 0, 1, 0, op0=2), shared(0, 5, 1, 0),
           shared(0, 5, 1, 1), shared(1, 0, 0, 7), shared(6, 10, 2, 0), shared(0, 9, 14, 1), shared(3, 9, 12, 1),
           shared(3, 9, 12, 5), shared(3, 14, 15, 7)),
    # the cache's own controls of a Cortex-A8
    "cortex-a8": (own(9, 0, 0, opc1=1), own(9, 0, 2, opc1=1)),
    # power and neon controls, TLB lockdown of a Cortex-A9
    "cortex-a9": (*(own(15, 0, n) for n in (0, 1, 2)), own(15, 1, 0), *(own(15, n, 2, opc1=5) for n in (5, 6, 7))),
    # DBGDEVID2; L2ECTLR; PAR, AMAIR0, AMAIR1, CNTKCTL; DBGDRAR and DBGDSAR of 64 bits; CNTPS_CTL_EL1, CNTPS_CVAL_EL1
    "lpae": (own(7, 0, 0, cp=14), own(9, 0, 3, opc1=1), own(7, 4, 0), own(10, 3, 0), own(10, 3, 1), own(14, 1, 0),
             own_pair(0, 1, cp=14), own_pair(0, 2, cp=14), shared(7, 14, 2, 1), shared(7, 14, 2, 2)),
}  # fmt: skip
"""Zero, or read last from another place of the list."""


DEBUG_DEVICE = {"cortex-a7": (1, 0x01110F13)}
DEBUG_DEVICE_OF_OTHERS = (0, 0x01110F13)
"""DBGDEVID1 and DBGDEVID of QEMU's processors with LPAE."""
EVENT_COUNTERS = {"cortex-a7": 4, "cortex-a8": 4}
EVENT_COUNTERS_OF_OTHERS = 6


def event_counters(count: int) -> list[int]:
    """PMEVCNTR<n>_EL0 and PMEVTYPER<n>_EL0."""
    return [shared(3, 14, 8 + each, number) for each in (0, 4) for number in range(count)]


def debug_features(dfr0: int, *, has_pmu: bool, has_el3: bool = False) -> int:
    """ID_DFR0 as QEMU has it."""
    return dfr0 & ~(0 if has_pmu else PERFMON) & ~(0 if has_el3 else COPSDBG)


def processors(cpu: Multiprocessor) -> int:
    """L2CTLR's field of how many there are."""
    return len(cpu.peers) - 1 << 24


def zero(_cpu: object) -> int:
    """How a register reads that is never anything else."""
    return 0


def always(value: int) -> Callable[[object], int]:
    """How a register reads that tells what the processor is."""
    return lambda cpu: value


def _constants(cpu: ArmCpu, *, has_pmu: bool) -> dict[str, dict[int, int]]:
    """Those that tell what the processor is."""
    model = cpu.model
    dfr0 = debug_features(model.dfr0, has_pmu=has_pmu)
    debug_device = DEBUG_DEVICE.get(model.name, DEBUG_DEVICE_OF_OTHERS)
    return {
        "": {own(0, 0, 0, cp=14): model.dbgdidr, shared(3, 0, 0, 1): model.ctr},
        "arm1026": {own(1, 0, 1): model.actlr},
        "v6|arm1026": {shared(0, 1, 0, 1): model.actlr},
        "v6": {
            own(0, 1, 2): dfr0, own(0, 1, 3): model.afr0,
            shared(0, 0, 1, 0): model.pfr[0], shared(0, 0, 1, 2): dfr0, shared(0, 0, 1, 3): model.afr0,
            **{shared(0, 0, 1, 4 + number): model.mmfr[number] for number in range(4)},
            **{shared(0, 0, 2, number): model.isar[number] for number in range(5)},
        },
        "v7": {own(1, 1, 4, cp=14): OS_LOCK_IMPLEMENTED | OS_LOCKED, shared(1, 0, 0, 1): model.clidr},
        "lpae": {own(7, 0, 1, cp=14): debug_device[0], own(7, 0, 2, cp=14): debug_device[1]},
    }  # fmt: skip


def absent_registers(cpu: ArmCpu, *, has_pmu: bool) -> dict[int, Get]:
    """How those of QEMU's processor of that model read, by their identifiers.

    :param has_pmu: whether QEMU's board has the performance monitors
    """
    found: dict[int, Get] = {}
    for features, numbers in SECURE.items():
        if has(cpu, features):
            found |= dict.fromkeys((number & ~NON_SECURE for number in numbers), zero)
    for features, numbers in ZERO.items():
        if has(cpu, features):
            found |= dict.fromkeys(numbers, zero)
    for features, values in _constants(cpu, has_pmu=has_pmu).items():
        if has(cpu, features):
            found |= {number: always(value) for number, value in values.items()}
    if has(cpu, "v7"):
        counters = event_counters(EVENT_COUNTERS.get(cpu.model.name, EVENT_COUNTERS_OF_OTHERS))
        found |= dict.fromkeys(counters, zero)
    if has(cpu, "v7mp"):
        found[own(15, 0, 0, opc1=4)] = lambda cpu: cpu.cbar
    if has(cpu, "lpae"):
        found[own(9, 0, 2, opc1=1)] = lambda cpu: processors(cpu) | INTERRUPT_CONTROLLER
    return found
