"""Identification registers of coprocessor 15 (ARM DDI 0406C.b, B3.17.2, B7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.cp15 import Read, constant, define, storage

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu


def _ccsidr(cpu: ArmCpu) -> int:
    """The cache that CSSELR selects: level and kind."""
    index = cpu.sys.csselr_el1
    sizes = cpu.model.ccsidr
    return sizes[index] if index < len(sizes) else 0


def _l2ctlr(cpu: ArmCpu) -> int:
    """How many processors there are, and that there is an interrupt controller (DDI 0438, 4.3.49)."""
    return len(cpu.peers) - 1 << 24 | 1 << 23


def _of(name: str, index: int) -> Read:
    """A register that is one of a row of numbers of the model."""
    return lambda cpu: int(getattr(cpu.model, name)[index])


def _isar5(cpu: ArmCpu) -> int:
    """Of ARMv8; reserved before."""
    return cpu.model.isar[5] if len(cpu.model.isar) > 5 else 0


def define_all() -> None:
    """Enter them."""
    constant("MIDR", (15, 0, 0, 0, 0), lambda cpu: cpu.midr)
    constant("CTR", (15, 0, 0, 0, 1), lambda cpu: cpu.model.ctr)
    constant("TCMTR", (15, 0, 0, 0, 2), 0)
    constant("TLBTR", (15, 0, 0, 0, 3), 0)
    constant("MPIDR", (15, 0, 0, 0, 5), lambda cpu: cpu.mpidr, feature="v7")
    constant("MPIDR", (15, 0, 0, 0, 5), lambda cpu: cpu.mpidr, feature="mpidr")
    constant("REVIDR", (15, 0, 0, 0, 6), lambda cpu: cpu.midr)
    for opc2 in (4, 5, 7):  # what is not implemented reads as MIDR (B4.1.105)
        constant("MIDR", (15, 0, 0, 0, opc2), lambda cpu: cpu.midr)
    for number in range(2):
        constant(f"ID_PFR{number}", (15, 0, 0, 1, number), _of("pfr", number), feature="v6")
    constant("ID_DFR0", (15, 0, 0, 1, 2), lambda cpu: cpu.model.dfr0, feature="v6")
    constant("ID_AFR0", (15, 0, 0, 1, 3), lambda cpu: cpu.model.afr0, feature="v6")
    for number in range(4):
        constant(f"ID_MMFR{number}", (15, 0, 0, 1, 4 + number), _of("mmfr", number), feature="v6")
    for number in range(5):
        constant(f"ID_ISAR{number}", (15, 0, 0, 2, number), _of("isar", number), feature="v6")
    constant("ID_ISAR5", (15, 0, 0, 2, 5), _isar5, feature="v6")
    for number in (6, 7):
        constant("reserved", (15, 0, 0, 2, number), 0, feature="v6")
    define("CCSIDR", (15, 1, 0, 0, 0), read=_ccsidr, feature="v7")
    constant("CLIDR", (15, 1, 0, 0, 1), lambda cpu: cpu.model.clidr, feature="v7")
    constant("AIDR", (15, 1, 0, 0, 7), 0, feature="v7")
    storage("CSSELR", (15, 2, 0, 0, 0), "csselr_el1", mask=15, feature="v7")
    define("L2CTLR", (15, 1, 9, 0, 2), read=_l2ctlr, write=lambda cpu, value: None, feature="lpae")
    constant("CBAR", (15, 4, 15, 0, 0), lambda cpu: cpu.cbar, feature="v7")
