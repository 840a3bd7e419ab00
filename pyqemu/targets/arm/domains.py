"""Domains of short descriptors: what a write of DACR makes the software TLB forget (ARM DDI 0406C.b, B3.7.3).

Operating systems write DACR at each entry and exit (Linux: CONFIG_CPU_SW_DOMAIN_PAN), so it must cost little. A domain
that is given more rights needs nothing: what was refused before is not in the TLB. One that is taken rights needs a
flush only if pages of it are there; and in the table of User mode not before that is used again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.layout import DOMAINS_PRIVILEGED, DOMAINS_USER, WALK_DACR
from pyqemu.targets.arm.modes import LEVEL_MMU

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

ACCESS = 0x5555_5555  #: the lower bits of all fields: the domain may be accessed at all


def taken_from(old: int, new: int) -> int:
    """Which domains have fewer rights than before: bit 2n for domain n, as the lower bits of the fields of DACR."""
    before, now = old & ACCESS, new & ACCESS
    return before & ~now | (before & old >> 1) & ~(now & new >> 1)


def changed(cpu: ArmCpu) -> None:
    """DACR was written."""
    dacr, q = cpu.sys.dacr32_el2, cpu.q
    q[WALK_DACR >> 3] = dacr
    if q[DOMAINS_PRIVILEGED >> 3] & taken_from(cpu.privileged_dacr, dacr):
        q[DOMAINS_PRIVILEGED >> 3] = 0
        cpu.tlb_flush_index(LEVEL_MMU[1])
    cpu.privileged_dacr = dacr


def use_user_table(cpu: ArmCpu) -> None:
    """The table of User mode is about to be used: a helper of translated code, too."""
    dacr, q = cpu.sys.dacr32_el2, cpu.q
    if cpu.user_dacr == dacr:
        return
    if q[DOMAINS_USER >> 3] & taken_from(cpu.user_dacr, dacr):
        q[DOMAINS_USER >> 3] = 0
        cpu.tlb_flush_index(LEVEL_MMU[0])
    cpu.user_dacr = dacr


def note(cpu: ArmCpu, domain: int, *, user: bool) -> None:
    """A page of a domain comes into a table."""
    cpu.q[(DOMAINS_USER if user else DOMAINS_PRIVILEGED) >> 3] |= 1 << 2 * domain
