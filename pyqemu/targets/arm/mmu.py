"""Address translation of the PL1&0 regime (ARM DDI 0406C.b, B3), and the faults that it leads to.

Tables themselves are walked in :mod:`pyqemu.targets.arm.short_descriptors` and
:mod:`pyqemu.targets.arm.long_descriptors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm import domains
from pyqemu.targets.arm.exceptions import WRITE as WNR
from pyqemu.targets.arm.exceptions import ArmException, Kind
from pyqemu.targets.arm.layout import M32
from pyqemu.targets.arm.long_descriptors import (
    AP_TABLE_NO_EL0,
    AP_TABLE_READ_ONLY,
    ATTR_AP_EL0,
    ATTR_AP_READ_ONLY,
    ATTR_NS,
    ATTR_PXN,
    ATTR_UXN,
    EXECUTE,
    NS_TABLE,
    PXN_TABLE,
    READ,
    WRITE,
    XN_TABLE,
    FaultKind,
    Leaf,
    Table,
    TranslationFault,
    walk,
)
from pyqemu.targets.arm.modes import M_LEVEL
from pyqemu.targets.arm.short_descriptors import PERMISSION, SECTION_BITS, Regime, ShortFault, permissions
from pyqemu.targets.arm.short_descriptors import walk as short_walk

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

SCTLR_M, SCTLR_S, SCTLR_R, SCTLR_WXN, SCTLR_UWXN = 1, 1 << 8, 1 << 9, 1 << 19, 1 << 20
SCTLR_XP, SCTLR_AFE = 1 << 23, 1 << 29
TTBCR_EAE = 1 << 31
FCSE_SIZE = 1 << 25  #: addresses below are of the process that FCSEIDR names
USER_MMU = 1
PAGE, NEED, FETCH = 4096, (READ, WRITE, EXECUTE), 2
ALL = READ | WRITE | EXECUTE
LONG_FORMAT = 1 << 9  #: of DFSR and IFSR


def is_long(cpu: ArmCpu) -> bool:
    """Whether tables have long descriptors (TTBCR.EAE)."""
    return cpu.model.has("lpae") and bool(cpu.sys.tcr_el1 & TTBCR_EAE)


def fill(cpu: ArmCpu, vaddr: int, access: int, mmu_index: int) -> tuple[int, int, int]:
    """Translate for the software TLB: physical page address, permissions, page size.

    :param access: 0 to read, 1 to write, 2 to execute
    :raise ArmException: an abort.
    """
    try:
        physical, permitted, size = translate(cpu, vaddr & M32, access, user=mmu_index == USER_MMU)
    except (ShortFault, TranslationFault) as fault:
        raise abort(fault, vaddr & M32, access) from None
    return physical & -PAGE, permitted, max(size, PAGE)


def abort(fault: ShortFault | TranslationFault, vaddr: int, access: int) -> ArmException:
    """The abort that a fault leads to (B3.13)."""
    status = fault.status
    if isinstance(fault, TranslationFault):
        status |= LONG_FORMAT
    if access == FETCH:
        return ArmException(Kind.PREFETCH_ABORT, status if status & LONG_FORMAT else status & 15, vaddr)
    return ArmException(Kind.DATA_ABORT, status | (WNR if access == 1 else 0), vaddr)


def translate(cpu: ArmCpu, vaddr: int, access: int, *, user: bool) -> tuple[int, int, int]:
    """Physical address of the byte, permissions, and size of the page or section.

    :raise ShortFault: it is not permitted, or leads nowhere.
    :raise TranslationFault: the same, with long descriptors.
    """
    if cpu.fcse and vaddr < FCSE_SIZE:
        vaddr |= cpu.fcse
    if not cpu.sys.sctlr_el1 & SCTLR_M:
        return vaddr | cpu.space_of_page(nonsecure=False), ALL, PAGE
    if is_long(cpu):
        return _long(cpu, vaddr, access, user)
    regime = regime_of(cpu)
    leaf = short_walk(regime, vaddr, lambda address: cpu.load_descriptor(address, 4))
    permitted = permissions(regime, leaf, user=user)
    domains.note(cpu, leaf.domain, user=user)
    if regime.dacr >> 2 * leaf.domain & 3 != 3:
        permitted = _never_execute(cpu, permitted, user, leaf.ap in (2, 3))
    if not permitted & NEED[access]:
        raise ShortFault(PERMISSION, leaf.domain, page=leaf.bits < SECTION_BITS)
    physical = leaf.address | vaddr & (1 << leaf.bits) - 1 | cpu.space_of_page(nonsecure=leaf.ns)
    return physical, permitted, 1 << leaf.bits


def regime_of(cpu: ArmCpu) -> Regime:
    """What the registers say about short descriptors."""
    sys, sctlr, v7, v6 = cpu.sys, cpu.sys.sctlr_el1, cpu.model.has("v7"), cpu.model.has("v6")
    return Regime(
        sys.ttbr0_el1 & M32,
        sys.ttbr1_el1 & M32,
        sys.tcr_el1 & 0x37 if v6 else 0,
        sys.dacr32_el2,
        subpages=not v7 and not (v6 and bool(sctlr & SCTLR_XP)),
        fine=not v6,
        access_flag=v6 and bool(sctlr & SCTLR_AFE),
        pxn=cpu.model.has("lpae"),
        system=not v7 and bool(sctlr & SCTLR_S),
        rom=not v7 and bool(sctlr & SCTLR_R),
    )


def _never_execute(cpu: ArmCpu, permitted: int, user: bool, user_writes: bool) -> int:
    """SCTLR.WXN and UWXN (B3.7.2)."""
    sctlr = cpu.sys.sctlr_el1
    if not cpu.model.has("lpae") or not sctlr & (SCTLR_WXN | SCTLR_UWXN):
        return permitted
    if (sctlr & SCTLR_WXN and permitted & WRITE) or (sctlr & SCTLR_UWXN and user_writes and not user):
        return permitted & ~EXECUTE
    return permitted


# --- long descriptors -------------------------------------------------------------------------------------------------


def _long(cpu: ArmCpu, vaddr: int, access: int, user: bool) -> tuple[int, int, int]:
    table, offset = long_table(cpu, vaddr)
    leaf = walk(table, offset, lambda address: cpu.load_descriptor(address, 8))
    permitted, user_writes = _long_permissions(leaf, user)
    permitted = _never_execute(cpu, permitted, user, user_writes)
    if not permitted & NEED[access]:
        raise TranslationFault(FaultKind.PERMISSION, leaf.level, vaddr)
    nonsecure = bool(leaf.tables & NS_TABLE or leaf.descriptor & ATTR_NS)
    physical = leaf.address | offset & (1 << leaf.bits) - 1 | cpu.space_of_page(nonsecure=nonsecure)
    return physical, permitted, 1 << leaf.bits


def long_table(cpu: ArmCpu, vaddr: int) -> tuple[Table, int]:
    """The tables that translate an address, and the address within what they translate (B3.6.4).

    :raise TranslationFault: none do.
    """
    ttbcr = cpu.sys.tcr_el1
    size0, size1 = ttbcr & 7, ttbcr >> 16 & 7
    upper = bool(size0 and vaddr >> 32 - size0) or bool(not size0 and size1 and vaddr >> 32 - size1 == (1 << size1) - 1)
    bits = 32 - (size1 if upper else size0)
    if ttbcr >> (23 if upper else 7) & 1 or (upper and size1 and vaddr >> bits != (1 << size1) - 1):
        raise TranslationFault(FaultKind.TRANSLATION, 1, vaddr)
    first = max(bits - (30 if bits > 30 else 21) + 3, 4)
    base = (cpu.sys.ttbr1_el1 if upper else cpu.sys.ttbr0_el1) & (1 << 40) - 1 & -(1 << first)
    return Table(base, bits, 12, 40, 1 if bits > 30 else 2), vaddr & (1 << bits) - 1


def _long_permissions(leaf: Leaf, user: bool) -> tuple[int, bool]:
    """What a descriptor permits, and whether User mode may write (B3.7.1, B3.7.2)."""
    read_only = bool(leaf.descriptor & ATTR_AP_READ_ONLY or leaf.tables & AP_TABLE_READ_ONLY)
    for_user = bool(leaf.descriptor & ATTR_AP_EL0) and not leaf.tables & AP_TABLE_NO_EL0
    data = READ if read_only else READ | WRITE
    if user and not for_user:
        data = 0
    never = bool(leaf.descriptor & ATTR_UXN or leaf.tables & XN_TABLE)
    if not user and (leaf.descriptor & ATTR_PXN or leaf.tables & PXN_TABLE):
        never = True
    return data | (0 if never or not data else EXECUTE), for_user and not read_only


# --- for debuggers and PAR --------------------------------------------------------------------------------------------


def debug_translate(cpu: ArmCpu, vaddr: int) -> int | None:
    """Return the physical address of *vaddr* without any side effect, or None."""
    try:
        return translate(cpu, vaddr & M32, 0, user=not cpu.mode & M_LEVEL)[0]
    except (ShortFault, TranslationFault):
        return None


def translate_for_par(cpu: ArmCpu, vaddr: int, *, write: bool, user: bool) -> int:
    """What an address translation operation leaves in PAR (B4.1.112).

    :raise TranslationFault: a hypervisor's tables do not translate the address of a table.
    """
    try:
        physical, _, size = translate(cpu, vaddr, int(write), user=user)
    except TranslationFault as fault:
        if fault.stage2:
            raise  # an exception, and nothing for PAR
        return 1 | fault.status << 1 | 1 << 11
    except ShortFault as fault:
        return 1 | (fault.status & 15) << 1
    if is_long(cpu):
        return physical & (1 << 40) - 1 & -PAGE | 1 << 11
    if size == 1 << 24:
        return physical & 0xFF000000 | (physical >> 32 & 0xFF) << 16 | 2
    return physical & M32 & -PAGE
