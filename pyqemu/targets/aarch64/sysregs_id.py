"""Identification registers (ARM DDI 0487A.f, D7.2): what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.sysregs import Trap, constant, hypervisor_traps

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

HCR_TID1, HCR_TID2, HCR_TID3 = 1 << 16, 1 << 17, 1 << 18
SCTLR_UCT, SCTLR_DZE = 1 << 15, 1 << 14


def _group1(cpu: Aarch64Cpu, is_write: bool) -> None:
    if cpu.el == 1:
        hypervisor_traps(cpu, HCR_TID1)


def _group2(cpu: Aarch64Cpu, is_write: bool) -> None:
    if cpu.el == 1:
        hypervisor_traps(cpu, HCR_TID2)


def _group3(cpu: Aarch64Cpu, is_write: bool) -> None:
    if cpu.el == 1:
        hypervisor_traps(cpu, HCR_TID3)


def _cache_type(cpu: Aarch64Cpu, is_write: bool) -> None:
    """SCTLR_EL1.UCT lets EL0 read CTR_EL0."""
    if cpu.el == 0 and not cpu.sys.sctlr_el1 & SCTLR_UCT:
        raise Trap(1)
    if cpu.el < 2:
        hypervisor_traps(cpu, HCR_TID2)


def _zero_block(cpu: Aarch64Cpu) -> int:
    """DCZID_EL0: the size of DC ZVA, and whether it is prohibited here."""
    prohibited = cpu.el == 0 and not cpu.sys.sctlr_el1 & SCTLR_DZE
    return cpu.model.dczid | prohibited << 4


def _midr(cpu: Aarch64Cpu) -> int:
    return cpu.sys.vpidr_el2 if cpu.el == 1 and cpu.el2_enabled else cpu.model.midr


def _mpidr(cpu: Aarch64Cpu) -> int:
    return cpu.sys.vmpidr_el2 if cpu.el == 1 and cpu.el2_enabled else cpu.mpidr


def _cache_size(cpu: Aarch64Cpu) -> int:
    """Of the cache that CSSELR_EL1 selects: level, and whether it is for instructions."""
    selected = cpu.sys.csselr_el1
    return cpu.model.ccsidr[selected] if selected < len(cpu.model.ccsidr) else 0


def define_all() -> None:
    """Enter them."""
    constant("MIDR_EL1", (3, 0, 0, 0, 0), _midr)
    constant("MPIDR_EL1", (3, 0, 0, 0, 5), _mpidr)
    constant("REVIDR_EL1", (3, 0, 0, 0, 6), 0, check=_group1)
    constant("AIDR_EL1", (3, 1, 0, 0, 7), 0, check=_group1)
    constant("CTR_EL0", (3, 3, 0, 0, 1), lambda cpu: cpu.model.ctr, el=0, check=_cache_type)
    constant("DCZID_EL0", (3, 3, 0, 0, 7), _zero_block, el=0)
    constant("CLIDR_EL1", (3, 1, 0, 0, 1), lambda cpu: cpu.model.clidr, check=_group2)
    constant("CCSIDR_EL1", (3, 1, 0, 0, 0), _cache_size, check=_group2)
    _features()


def _features() -> None:
    known = {
        (1, 0): lambda cpu: cpu.model.pfr[0], (1, 1): lambda cpu: cpu.model.pfr[1], (1, 2): lambda cpu: cpu.model.dfr0,
        (1, 4): lambda cpu: cpu.model.mmfr[0], (1, 5): lambda cpu: cpu.model.mmfr[1],
        (1, 6): lambda cpu: cpu.model.mmfr[2], (1, 7): lambda cpu: cpu.model.mmfr[3],
        (2, 0): lambda cpu: cpu.model.isar[0], (2, 1): lambda cpu: cpu.model.isar[1],
        (2, 2): lambda cpu: cpu.model.isar[2], (2, 3): lambda cpu: cpu.model.isar[3],
        (2, 4): lambda cpu: cpu.model.isar[4], (2, 5): lambda cpu: cpu.model.isar[5],
        (3, 0): lambda cpu: cpu.model.mvfr[0], (3, 1): lambda cpu: cpu.model.mvfr[1],
        (3, 2): lambda cpu: cpu.model.mvfr[2],
        (4, 0): lambda cpu: cpu.aa64pfr0, (5, 0): lambda cpu: cpu.model.aa64dfr0,
        (6, 0): lambda cpu: cpu.model.aa64isar0, (7, 0): lambda cpu: cpu.model.aa64mmfr0,
    }  # fmt: skip
    names = {
        (1, 0): "ID_PFR0_EL1", (1, 1): "ID_PFR1_EL1", (1, 2): "ID_DFR0_EL1", (1, 3): "ID_AFR0_EL1",
        (1, 4): "ID_MMFR0_EL1", (1, 5): "ID_MMFR1_EL1", (1, 6): "ID_MMFR2_EL1", (1, 7): "ID_MMFR3_EL1",
        (2, 0): "ID_ISAR0_EL1", (2, 1): "ID_ISAR1_EL1", (2, 2): "ID_ISAR2_EL1", (2, 3): "ID_ISAR3_EL1",
        (2, 4): "ID_ISAR4_EL1", (2, 5): "ID_ISAR5_EL1", (2, 6): "ID_MMFR4_EL1",
        (3, 0): "MVFR0_EL1", (3, 1): "MVFR1_EL1", (3, 2): "MVFR2_EL1",
        (4, 0): "ID_AA64PFR0_EL1", (4, 1): "ID_AA64PFR1_EL1", (5, 0): "ID_AA64DFR0_EL1", (5, 1): "ID_AA64DFR1_EL1",
        (5, 4): "ID_AA64AFR0_EL1", (5, 5): "ID_AA64AFR1_EL1", (6, 0): "ID_AA64ISAR0_EL1", (6, 1): "ID_AA64ISAR1_EL1",
        (7, 0): "ID_AA64MMFR0_EL1", (7, 1): "ID_AA64MMFR1_EL1",
    }  # fmt: skip
    for crm in range(1, 8):
        for op2 in range(8):  # what has no name yet is reserved, and reads as zero
            name = names.get((crm, op2), f"S3_0_C0_C{crm}_{op2}")
            constant(name, (3, 0, 0, crm, op2), known.get((crm, op2), 0), check=_group3)
