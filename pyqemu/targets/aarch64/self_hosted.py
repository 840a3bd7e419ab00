"""Self-hosted debug: which exception level takes debug exceptions, and where they are enabled (ARM DDI 0487A.f, D2.3,
D2.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

MDSCR_SS, MDSCR_KDE, MDSCR_MDE = 1, 1 << 13, 1 << 15
OS_LOCKED, OS_DOUBLE_LOCKED = 2, 1  #: of OSLSR_EL1, of OSDLR_EL1
HCR_TGE, MDCR_TDE, MDCR_SDD = 1 << 27, 1 << 8, 1 << 16


def target_level(cpu: Aarch64Cpu, *, secure: bool) -> int:
    """The exception level that takes debug exceptions of a security state."""
    to_el2 = cpu.has_el2 and not secure and (cpu.sys.hcr_el2 & HCR_TGE or cpu.sys.mdcr_el2 & MDCR_TDE)
    return 2 if to_el2 else 1


def is_locked(cpu: Aarch64Cpu) -> bool:
    """Whether one of the OS locks holds all debug exceptions back, but for those of breakpoint instructions."""
    return bool(cpu.sys.oslsr_el1 & OS_LOCKED or cpu.sys.osdlr_el1 & OS_DOUBLE_LOCKED)


def may_reach(cpu: Aarch64Cpu, el: int, *, secure: bool) -> bool:
    """Whether debug exceptions of an exception level are enabled, as far as PSTATE.D allows them at their own level.

    Those of this module never are where EL1 would take them and is in AArch32 state, which has others.
    """
    if is_locked(cpu) or (secure and cpu.has_el3 and cpu.sys.mdcr_el3 & MDCR_SDD):
        return False
    target = target_level(cpu, secure=secure)
    if target == 1 and cpu.el1_is_aarch32:
        return False
    return target > el or (target == el and bool(cpu.sys.mdscr_el1 & MDSCR_KDE))


def are_enabled(cpu: Aarch64Cpu, el: int, *, secure: bool, masked: bool) -> bool:
    """Whether debug exceptions are enabled at an exception level.

    :param masked: PSTATE.D there, which counts where they would be taken to the same level
    """
    return may_reach(cpu, el, secure=secure) and not (masked and el == target_level(cpu, secure=secure))
