"""Registers that QEMU's 64-bit processors have in their list and these have not.

Why they are sent: :mod:`pyqemu.targets.arm.vmstate_absent`. Most are other names of AArch32 state: QEMU writes a
register first by those, then by its AArch64 name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.vmstate_registers import Get
from pyqemu.targets.arm.cp15_debug import OS_LOCK_IMPLEMENTED, OS_LOCKED
from pyqemu.targets.arm.vmstate_absent import always, debug_features, event_counters, processors, zero
from pyqemu.targets.arm.vmstate_registers import NON_SECURE, own, own_pair, shared

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

COUNTERS = 6  #: of events
AA64_PMUVER = 0xF << 8  #: of ID_AA64DFR0_EL1: performance monitors, which QEMU's boards of that age are without
NSACR_OPEN = 0xC00  #: coprocessors 10 and 11
ZERO = (
    # FCSEIDR and CONTEXTIDR of the Secure state
    own(13, 0, 0) & ~NON_SECURE, own(13, 0, 1) & ~NON_SECURE,
    # JIDR, JOSCR, JMCR; DBGDSCRext, DBGDRAR, DBGOSDLR, DBGDSAR, DBGDEVID2
    *(own(crn, 0, 0, opc1=7, cp=14) for crn in range(3)), own(0, 2, 2, cp=14), own(1, 0, 0, cp=14), own(1, 3, 4, cp=14),
    own(2, 0, 0, cp=14), own(7, 0, 0, cp=14), own_pair(0, 1, cp=14), own_pair(0, 2, cp=14),
    # TCMTR, TLBTR, REVIDR, AIDR; ID_AFR0, ID_MMFR4, ID_ISAR6; reserved
    own(0, 0, 2), own(0, 0, 3), own(0, 0, 6), own(0, 0, 7, opc1=1), own(0, 1, 3), own(0, 2, 6), own(0, 2, 7),
    *(own(0, 3, opc2) for opc2 in range(8)), *(own(0, crm, 0) for crm in range(4, 16)),
    # ACTLR, CPACR, HACTLR; DACR; IFSR, ADFSR, AIFSR; DFAR, WFAR, IFAR; PAR; L2ECTLR; PMCEID0, PMCEID1
    own(1, 0, 1), own(1, 0, 2), own(1, 0, 1, opc1=4), own(3, 0, 0), own(5, 0, 1), own(5, 1, 0), own(5, 1, 1),
    own(6, 0, 0), own(6, 0, 1), own(6, 0, 2), own(7, 4, 0), own(9, 0, 3, opc1=1), own(9, 12, 6), own(9, 12, 7),
    # PRRR, NMRR, AMAIR0, AMAIR1; FCSEIDR, CONTEXTIDR, TPIDRURW, TPIDRURO, TPIDRPRW; CNTKCTL
    own(10, 2, 0), own(10, 2, 1), own(10, 3, 0), own(10, 3, 1), *(own(13, 0, opc2) for opc2 in range(5)), own(14, 1, 0),
    # L2ACTLR; CPUACTLR, CPUECTLR, CPUMERRSR, L2MERRSR
    own(15, 0, 0, opc1=1), *(own_pair(opc1, 15) for opc1 in range(4)),
    # MDRAR_EL1, MDCCSR_EL0; L2ECTLR_EL1, L2ACTLR_EL1; CPUACTLR_EL1, CPUECTLR_EL1, CPUMERRSR_EL1, L2MERRSR_EL1
    shared(0, 1, 0, 0, op0=2), shared(3, 0, 1, 0, op0=2), shared(1, 11, 0, 3), shared(1, 15, 0, 0),
    *(shared(1, 15, 2, op2) for op2 in range(4)),
    # PMCEID0_EL0, PMCEID1_EL0; PMEVCNTR<n>_EL0, PMEVTYPER<n>_EL0
    shared(3, 9, 12, 6), shared(3, 9, 12, 7), *event_counters(COUNTERS),
)  # fmt: skip
OF_EL2 = (
    # HSCTLR, HDCR, HCPTR, HSTR, HACR; HTCR; HADFSR, HAIFSR, HSR; HDFAR, HPFAR; HMAIR0, HAMAIR0, HAMAIR1; HVBAR, HTPIDR
    own(1, 0, 0, opc1=4), *(own(1, 1, opc2, opc1=4) for opc2 in (1, 2, 3, 7)), own(2, 0, 2, opc1=4),
    own(5, 1, 0, opc1=4), own(5, 1, 1, opc1=4), own(5, 2, 0, opc1=4), own(6, 0, 0, opc1=4), own(6, 0, 4, opc1=4),
    own(10, 2, 0, opc1=4), own(10, 3, 0, opc1=4), own(10, 3, 1, opc1=4), own(12, 0, 0, opc1=4), own(13, 0, 2, opc1=4),
    # CNTHCTL, CNTHP_CTL, CNTHP_CVAL
    own(14, 1, 0, opc1=4), own(14, 2, 1, opc1=4), own_pair(6, 14),
)  # fmt: skip
"""What AArch32 state has at EL2."""
WITHOUT_EL2 = (
    # SCTLR_EL2, HCR_EL2, MDCR_EL2, CPTR_EL2, HSTR_EL2, HACR_EL2; TTBR0_EL2, TCR_EL2, VTTBR_EL2, VTCR_EL2
    shared(4, 1, 0, 0), *(shared(4, 1, 1, op2) for op2 in (0, 1, 2, 3, 7)), shared(4, 2, 0, 0), shared(4, 2, 0, 2),
    shared(4, 2, 1, 0), shared(4, 2, 1, 2),
    # AFSR0_EL2, AFSR1_EL2, ESR_EL2, FAR_EL2, HPFAR_EL2, MAIR_EL2, AMAIR_EL2, VBAR_EL2, TPIDR_EL2
    shared(4, 5, 1, 0), shared(4, 5, 1, 1), shared(4, 5, 2, 0), shared(4, 6, 0, 0), shared(4, 6, 0, 4),
    shared(4, 10, 2, 0), shared(4, 10, 3, 0), shared(4, 12, 0, 0), shared(4, 13, 0, 2),
    # CNTVOFF_EL2, CNTHCTL_EL2, CNTHP_CTL_EL2, CNTHP_CVAL_EL2
    shared(4, 14, 0, 3), shared(4, 14, 1, 0), shared(4, 14, 2, 1), shared(4, 14, 2, 2),
)  # fmt: skip
"""What EL3 sees of an EL2 that is not there."""
OF_EL3 = (own(1, 1, 1), own(5, 1, 0, opc1=6), own(5, 1, 1, opc1=6), own(12, 0, 1))
"""SDER, ADFSR and AIFSR of EL3, MVBAR."""
ACTLR_EL2, ACTLR_EL3, MDCR_EL3, MAIR_EL3 = (
    shared(4, 1, 0, 1), shared(6, 1, 0, 1), shared(6, 1, 3, 1), shared(6, 10, 2, 0),
)  # fmt: skip
HACTLR_SECURE = own(1, 0, 1, opc1=4) & ~NON_SECURE
VPIDR_EL2, VMPIDR_EL2 = shared(4, 0, 0, 0), shared(4, 0, 0, 5)
DEBUG_DEVICE = {"cortex-a53": (1, 0x00110F13)}
DEBUG_DEVICE_OF_OTHERS = (2, 0x01110F13)
"""DBGDEVID1 and DBGDEVID."""


def _constants(cpu: Aarch64Cpu, peripherals: int) -> dict[int, int]:
    """Those that tell what the processor is."""
    model = cpu.model
    dfr0 = debug_features(model.dfr0, has_pmu=False, has_el3=cpu.has_el3)
    debug_device = DEBUG_DEVICE.get(model.name, DEBUG_DEVICE_OF_OTHERS)
    return {
        own(0, 0, 0, cp=14): model.dbgdidr, own(7, 0, 1, cp=14): debug_device[0], own(7, 0, 2, cp=14): debug_device[1],
        own(1, 1, 4, cp=14): OS_LOCK_IMPLEMENTED | OS_LOCKED, own(0, 0, 1): model.ctr,
        own(0, 0, 1, opc1=1): model.clidr, own(0, 1, 0): model.pfr[0], own(0, 1, 2): dfr0, shared(0, 0, 1, 2): dfr0,
        shared(0, 0, 5, 0): model.aa64dfr0 & ~AA64_PMUVER,
        **{own(0, 1, 4 + number): value for number, value in enumerate(model.mmfr)},
        **{own(0, 2, number): value for number, value in enumerate(model.isar)},
        own(1, 1, 2): NSACR_OPEN, own(15, 3, 0, opc1=1): peripherals, shared(1, 15, 3, 0): peripherals,
    }  # fmt: skip


def _levels(cpu: Aarch64Cpu) -> dict[int, Get]:
    """What depends on the exception levels that there are. RVBAR_ELx is that of the highest one."""
    highest = 3 if cpu.has_el3 else 2 if cpu.has_el2 else 1
    found: dict[int, Get] = {shared((0, 4, 6)[highest - 1], 12, 0, 1): lambda cpu: cpu.sys.rvbar}
    if cpu.has_el2 or cpu.has_el3:
        found |= dict.fromkeys(OF_EL2, zero)
    if cpu.has_el3:
        found |= dict.fromkeys(OF_EL3, zero)
    else:
        found |= dict.fromkeys((ACTLR_EL3, MDCR_EL3, MAIR_EL3), zero)
    if not cpu.has_el2:
        found[ACTLR_EL2] = zero
    if cpu.has_el3 and not cpu.has_el2:
        secure = (HACTLR_SECURE, *(number & ~NON_SECURE for number in OF_EL2))
        found |= dict.fromkeys((*secure, *WITHOUT_EL2), zero)
        found |= {VPIDR_EL2: lambda cpu: cpu.model.midr, VMPIDR_EL2: lambda cpu: cpu.mpidr}
    return found


def absent_registers(cpu: Aarch64Cpu, peripherals: int) -> dict[int, Get]:
    """How those of QEMU's processor of that model read, by their identifiers.

    :param peripherals: CBAR_EL1: where the private memory region of the processors is
    """
    found: dict[int, Get] = dict.fromkeys(ZERO, zero)
    for number in range((cpu.model.aa64dfr0 >> 12 & 15) + 1):
        found |= dict.fromkeys((own(0, number, 4, cp=14), own(0, number, 5, cp=14)), zero)
    for number in range((cpu.model.aa64dfr0 >> 20 & 15) + 1):
        found |= dict.fromkeys((own(0, number, 6, cp=14), own(0, number, 7, cp=14)), zero)
    found |= {number: always(value) for number, value in _constants(cpu, peripherals).items()}
    found |= dict.fromkeys((own(9, 0, 2, opc1=1), shared(1, 11, 0, 2)), processors)
    return found | _levels(cpu)
