"""Maintenance of caches and of the TLB, and address translation instructions (ARM DDI 0487A.f, C5.3, C5.4, D4.7).

There are no caches: maintenance has nothing to do but to be permitted. Translated code notices by itself when
instructions are written, so invalidating instruction caches has nothing to do either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.aarch64 import mmu
from pyqemu.targets.aarch64.sysregs import Trap, define, hypervisor_traps, ignored

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

HCR_TSW, HCR_TPC, HCR_TPU, HCR_TTLB = 1 << 22, 1 << 23, 1 << 24, 1 << 25
SCTLR_UCI = 1 << 26
VA_MASK = (1 << 56) - 1


def _by_set(cpu: Aarch64Cpu, is_write: bool) -> None:
    if cpu.el == 1:
        hypervisor_traps(cpu, HCR_TSW)


def _to_coherency(cpu: Aarch64Cpu, is_write: bool) -> None:
    """SCTLR_EL1.UCI lets EL0 clean caches."""
    if cpu.el == 0 and not cpu.sys.sctlr_el1 & SCTLR_UCI:
        raise Trap(1)
    if cpu.el < 2:
        hypervisor_traps(cpu, HCR_TPC)


def _to_unification(cpu: Aarch64Cpu, is_write: bool) -> None:
    if cpu.el == 0 and not cpu.sys.sctlr_el1 & SCTLR_UCI:
        raise Trap(1)
    if cpu.el < 2:
        hypervisor_traps(cpu, HCR_TPU)


def _caches() -> None:
    for name, crm, op2 in (("IALLUIS", 1, 0), ("IALLU", 5, 0)):
        ignored(f"IC {name}", (1, 0, 7, crm, op2), check=_to_unification)
    ignored("IC IVAU", (1, 3, 7, 5, 1), el=0, check=_to_unification)
    ignored("DC IVAC", (1, 0, 7, 6, 1), check=_to_coherency)
    for name, crm in (("ISW", 6), ("CSW", 10), ("CISW", 14)):
        ignored(f"DC {name}", (1, 0, 7, crm, 2), check=_by_set)
    for name, crm, check in (("CVAC", 10, _to_coherency), ("CVAU", 11, _to_unification), ("CIVAC", 14, _to_coherency)):
        ignored(f"DC {name}", (1, 3, 7, crm, 1), el=0, check=check)


# --- the TLB ----------------------------------------------------------------------------------------------------------


def _traps_tlb(cpu: Aarch64Cpu, is_write: bool) -> None:
    if cpu.el == 1:
        hypervisor_traps(cpu, HCR_TTLB)


def _everything(cpu: Aarch64Cpu, value: int) -> None:
    cpu.tlb_flush()


def _everything_of_all(cpu: Aarch64Cpu, value: int) -> None:
    cpu.tlb_flush_all()


def _address(value: int) -> int:
    """An address, in bits 43 to 0 without its lowest 12; the rest of it is the sign."""
    address = (value & (1 << 44) - 1) << 12
    return address | 0xFF << 56 if address >> 55 else address


def _page(cpu: Aarch64Cpu, value: int) -> None:
    cpu.tlb_flush_page(_address(value))


def _page_of_all(cpu: Aarch64Cpu, value: int) -> None:
    cpu.tlb_flush_page_of_all(_address(value))


def _tlb() -> None:
    for inner, crm, stage2, everything, page in (("IS", 3, 0, _everything_of_all, _page_of_all),
                                                 ("", 7, 4, _everything, _page)):  # fmt: skip
        for name, op2, action in (("VMALLE1", 0, everything), ("VAE1", 1, page), ("ASIDE1", 2, everything),
                                  ("VAAE1", 3, page), ("VALE1", 5, page), ("VAALE1", 7, page)):  # fmt: skip
            define(f"TLBI {name}{inner}", (1, 0, 8, crm, op2), write=action, check=_traps_tlb)
        for el, op1 in ((2, 4), (3, 6)):
            define(f"TLBI ALLE{el}{inner}", (1, op1, 8, crm, 0), el=el, write=everything)
            define(f"TLBI VAE{el}{inner}", (1, op1, 8, crm, 1), el=el, write=page)
            define(f"TLBI VALE{el}{inner}", (1, op1, 8, crm, 5), el=el, write=page)
        define(f"TLBI ALLE1{inner}", (1, 4, 8, crm, 4), el=2, write=everything)
        define(f"TLBI VMALLS12E1{inner}", (1, 4, 8, crm, 6), el=2, write=everything)
        for name, op2 in (("IPAS2E1", 1), ("IPAS2LE1", 5)):  # of stage 2: it is folded into what the TLB has
            define(f"TLBI {name}{inner}", (1, 4, 8, stage2, op2), el=2, write=everything)


# --- AT ---------------------------------------------------------------------------------------------------------------


def _translate(el: int, *, write: bool, stage2: bool = False) -> Callable[[Aarch64Cpu, int], None]:
    def translate(cpu: Aarch64Cpu, address: int) -> None:
        cpu.sys.par_el1 = mmu.translate_for_par(cpu, address, el, write=write, stage2=stage2)

    return translate


def _address_translation() -> None:
    for name, op1, op2, el, write in (("S1E1R", 0, 0, 1, False), ("S1E1W", 0, 1, 1, True), ("S1E0R", 0, 2, 0, False),
                                      ("S1E0W", 0, 3, 0, True), ("S1E2R", 4, 0, 2, False), ("S1E2W", 4, 1, 2, True),
                                      ("S1E3R", 6, 0, 3, False), ("S1E3W", 6, 1, 3, True)):  # fmt: skip
        define(f"AT {name}", (1, op1, 7, 8, op2), el=max(el, 1), write=_translate(el, write=write))
    for name, op2, el, write in (("S12E1R", 4, 1, False), ("S12E1W", 5, 1, True), ("S12E0R", 6, 0, False),
                                 ("S12E0W", 7, 0, True)):  # fmt: skip
        define(f"AT {name}", (1, 4, 7, 8, op2), el=2, write=_translate(el, write=write, stage2=True))


def define_all() -> None:
    """Enter them."""
    _caches()
    _tlb()
    _address_translation()
