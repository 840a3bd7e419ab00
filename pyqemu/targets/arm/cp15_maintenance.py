"""Operations on caches and TLBs, barriers, and address translation by hand (ARM DDI 0406C.b, B3.18, B4.2).

Caches of data hold nothing that memory does not; what was translated from code is checked whenever memory is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.cp15 import Write, define, ignored
from pyqemu.targets.arm.exceptions import wait_for_interrupt
from pyqemu.targets.arm.layout import M32
from pyqemu.targets.arm.mmu import translate_for_par
from pyqemu.targets.arm.modes import M_LEVEL

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

CACHE_OPERATIONS = (
    *((1, op) for op in (0, 6)), *((5, op) for op in (0, 1, 2, 6, 7)), *((6, op) for op in (0, 1, 2)),
    (7, 0), (7, 1), *((10, op) for op in (0, 1, 2)), (11, 0), (11, 1), *((13, op) for op in (0, 1)),
    *((14, op) for op in (0, 1, 2)), (15, 0), (15, 1),
)  # fmt: skip
"""CRm and opc2 of CRn = 7."""
BARRIERS = ((5, 4), (10, 4), (10, 5))  #: ISB, DSB, DMB: User mode may, too
SCTLR_CP15BEN = 1 << 5
CLEAN = 1 << 30  #: Z of "test and clean": the cache is clean


def _translation(op: int) -> Write:
    def write(cpu: ArmCpu, value: int) -> None:
        cpu.sys.par_el1 = translate_for_par(cpu, value, write=bool(op & 1), user=bool(op & 2))

    return write


def _define_tlb() -> None:
    def everything(cpu: ArmCpu, value: int) -> None:
        cpu.tlb_flush()

    def page(cpu: ArmCpu, value: int) -> None:
        cpu.tlb_flush_page(value & M32 & -4096)

    def everything_of_all(cpu: ArmCpu, value: int) -> None:
        cpu.tlb_flush_all()

    def page_of_all(cpu: ArmCpu, value: int) -> None:
        cpu.tlb_flush_page_of_all(value & M32 & -4096)

    for crm in (3, 5, 6, 7):
        shared = crm == 3  # with all of the inner shareable domain
        of_all = everything_of_all if shared else everything
        of_page = page_of_all if shared else page
        for op, name, write in ((0, "ALL", of_all), (1, "MVA", of_page), (2, "ASID", of_all), (3, "MVAA", of_page)):
            define(f"TLBI{name}{'IS' if shared else ''}", (15, 0, 8, crm, op), write=write)


def _has_barriers(cpu: ArmCpu, is_write: bool) -> bool:
    """Whether SCTLR of ARMv8 lets PL1 and PL0 use them (DDI 0487A.f, G6.2.118)."""
    return not cpu.model.has("v8") or cpu.mode & M_LEVEL > 1 or bool(cpu.sys.sctlr_el1 & SCTLR_CP15BEN)


def _wait(cpu: ArmCpu, value: int) -> None:
    """Wait for interrupt, as processors before ARMv7 have it; translated code comes back to the main loop behind it."""
    wait_for_interrupt(cpu)


def define_all() -> None:
    """Enter them."""
    for crm, op in CACHE_OPERATIONS:
        ignored("cache maintenance", (15, 0, 7, crm, op))
    for crm, op in BARRIERS:
        define("barrier", (15, 0, 7, crm, op), read=lambda cpu: 0, write=lambda cpu, value: None, level=0,
               check=_has_barriers)  # fmt: skip
    define("WFI", (15, 0, 7, 0, 4), write=_wait, feature="!v7")
    ignored("NOP", (15, 0, 7, 0, 4), feature="v7")
    for crm in (10, 14):
        define("test and clean", (15, 0, 7, crm, 3), read=lambda cpu: CLEAN)
    for op in range(8):
        define("ATS", (15, 0, 7, 8, op), write=_translation(op & 3), feature="security")
    define("PAR", (15, 0, 7, 4, 0), read=lambda cpu: cpu.sys.par_el1, write=_write_par, feature="v6")
    define("PAR", (15, 0, 7), read=lambda cpu: cpu.sys.par_el1, write=_write_par, feature="lpae")
    for op in range(4):  # block transfers of ARMv6: MCRR
        for crm in (5, 6, 12, 14):
            define("cache range", (15, op, crm), write=lambda cpu, value: None, feature="!lpae")
    _define_tlb()


def _write_par(cpu: ArmCpu, value: int) -> None:
    cpu.sys.par_el1 = value
