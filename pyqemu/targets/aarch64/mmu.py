"""Address translation (ARM DDI 0487A.f, D4): regimes, stages, and the faults that they lead to.

The tables themselves are walked in :mod:`pyqemu.targets.arm.long_descriptors`; plain cases of the EL1&0 regime are
walked in native code, see `refill.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.access_syndrome import described, described_32
from pyqemu.targets.aarch64.exceptions import Aarch64Exception
from pyqemu.targets.aarch64.layout import EC_DATA_ABORT, EC_INSTRUCTION_ABORT, M32, M64
from pyqemu.targets.arm.long_descriptors import (
    ATTR_NS,
    EXECUTE,
    NS_TABLE,
    OUTPUT_SIZES,
    PAGE,
    READ,
    WRITE,
    FaultKind,
    Leaf,
    Table,
    TranslationFault,
    stage1_permissions,
    stage1_permissions_single,
    stage2_permissions,
    walk,
)
from pyqemu.targets.arm.mmu import abort as abort_32
from pyqemu.targets.arm.short_descriptors import ShortFault
from pyqemu.tcg.cpu import GuestException, LeaveLoop

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

PAGE_MASK = ~0xFFF
SCTLR_M, SCTLR_WXN = 1, 1 << 19
HCR_VM, HCR_DC = 1, 1 << 12
WNR, CM = 1 << 6, 1 << 8  #: of the syndrome of a data abort: a write, an operation on caches or addresses
EL_OF_MMU = (1, 0, 2, 3)
GRAIN0 = {0: 12, 1: 16, 2: 14}  #: by TG0
GRAIN1 = {1: 14, 2: 12, 3: 16}  #: by TG1
NEED = (READ, WRITE, EXECUTE)  #: by access
FETCH = 2
ALL = READ | WRITE | EXECUTE


def fill(cpu: Aarch64Cpu, vaddr: int, access: int, mmu_index: int) -> tuple[int, int, int]:
    """Translate for the software TLB: physical page address, permissions, page size.

    :param access: 0 to read, 1 to write, 2 to execute
    :raise Aarch64Exception: an abort.
    """
    el = EL_OF_MMU[mmu_index]
    if access == FETCH:
        _untag_pc(cpu, vaddr, el)
    try:
        physical, permissions, size = translate(cpu, vaddr, access, el)
    except (ShortFault, TranslationFault) as fault:
        raise _abort_of(cpu, fault, vaddr, access, el) from None
    if size > PAGE and vaddr >> 56 not in (0, 0xFF):
        size = PAGE  # the parts of a large page are known by their addresses, tags included
    if vaddr >> 56 not in (0, 0xFF):
        cpu.tagged_pages = True
    return physical & PAGE_MASK, permissions, size


def _abort_of(cpu: Aarch64Cpu, fault: ShortFault | TranslationFault, vaddr: int, access: int,
              el: int) -> GuestException:  # fmt: skip
    if isinstance(fault, ShortFault) or (el < 2 and cpu.el1_is_aarch32 and not fault.stage2):
        return abort_32(fault, vaddr & M32, access)
    return abort(cpu, fault, vaddr, access)


def _untag_pc(cpu: Aarch64Cpu, vaddr: int, el: int) -> None:
    """Where the top byte is ignored, a branch does not put it into the program counter (D4.1.1)."""
    plain = untagged(cpu, vaddr, el)
    if plain != vaddr and cpu.pc == vaddr:
        cpu.pc = plain
        raise LeaveLoop


def abort(cpu: Aarch64Cpu, fault: TranslationFault, vaddr: int, access: int) -> Aarch64Exception:
    """The abort that a fault leads to (D7.2.24, ISS of aborts)."""
    iss = fault.status | (1 << 7 if fault.of_walk else 0)
    if access == 1:
        iss |= WNR
    ec = EC_INSTRUCTION_ABORT if access == FETCH else EC_DATA_ABORT
    if not fault.stage2:
        return Aarch64Exception(ec, iss, vaddr)
    cpu.sys.hpfar_el2 = fault.address >> 12 << 4
    exc = Aarch64Exception(ec, iss, vaddr, target_el=2)
    if access != FETCH and not fault.of_walk and cpu.mmu is not None:
        _describe(cpu, exc)
    return exc


def abort_of_translation(cpu: Aarch64Cpu, fault: TranslationFault, vaddr: int) -> Aarch64Exception:
    """The abort of an address translation instruction that the second stage keeps from the guest's tables."""
    exc = abort(cpu, fault, vaddr, 1)
    exc.iss |= CM
    return exc


def _describe(cpu: Aarch64Cpu, exc: Aarch64Exception) -> None:
    """Let a syndrome tell what it can about the present instruction."""
    assert cpu.mmu is not None
    code = cpu.mmu.page(cpu.pc, FETCH, cpu.mmu_index())
    if code.view is None:
        return
    if not cpu.is_aarch32:
        at = cpu.pc & 0xFFC
        exc.iss |= described(int.from_bytes(code.view[at : at + 4], "little"))
    elif found := described_32(cpu.aarch32):
        exc.iss |= found
        exc.length = len(cpu.aarch32.code())


def untagged(cpu: Aarch64Cpu, vaddr: int, el: int) -> int:
    """The address without its tag, where the top byte is ignored (D4.1.1)."""
    high = vaddr >> 55 & 1
    if el < 2:
        ignored = cpu.sys.tcr_el1 >> (38 if high else 37) & 1
        if ignored:
            return vaddr | 0xFF << 56 if high else vaddr & (1 << 56) - 1
        return vaddr
    return vaddr & (1 << 56) - 1 if cpu.sys.of("tcr", el) >> 20 & 1 else vaddr


def translate(cpu: Aarch64Cpu, vaddr: int, access: int, el: int, *, stage2: bool = True) -> tuple[int, int, int]:
    """Physical address of the byte, permissions, and size of the page or block.

    :param el: whose access it is
    :param stage2: whether the second stage follows, where it is on
    :raise TranslationFault: it is not permitted, or leads nowhere.
    :raise ShortFault: the same, where tables have short descriptors.
    """
    second = stage2 and el < 2 and cpu.el2_enabled and bool(cpu.sys.hcr_el2 & (HCR_VM | HCR_DC))
    of_32 = el < 2 and cpu.el1_is_aarch32
    if not cpu.sys.of("sctlr", max(el, 1)) & SCTLR_M or (second and cpu.sys.hcr_el2 & HCR_DC):
        address = vaddr & M32 if of_32 else untagged(cpu, vaddr, el)
        if address >> cpu.model.pa_bits:
            raise TranslationFault(FaultKind.ADDRESS_SIZE, 0, vaddr)
        physical, permissions, size = address | cpu.space_of(el), ALL, PAGE
    elif of_32:
        physical, permissions, size = cpu.aarch32.stage1(vaddr, access, user=el == 0)
    else:
        physical, permissions, size = _stage1(cpu, vaddr, access, el)
    if not second:
        return physical, permissions, size
    leaf = _stage2(cpu, physical, of_walk=False)
    both = permissions & stage2_permissions(leaf)
    if not both & NEED[access]:
        raise TranslationFault(FaultKind.PERMISSION, leaf.level, physical, stage2=True)
    return leaf.address | physical & (1 << leaf.bits) - 1, both, min(size, 1 << leaf.bits)


def _stage1(cpu: Aarch64Cpu, vaddr: int, access: int, el: int) -> tuple[int, int, int]:
    table, offset = stage1_table(cpu, vaddr, el)
    space = cpu.space_of(el)

    def read(address: int) -> int:
        nonlocal space
        descriptor = load_descriptor(cpu, address, 8, space) if el < 2 else cpu.memory.load(address | space, 8)
        if descriptor & NS_TABLE:
            space = 0  # of no concern where it was the last one
        return descriptor

    try:
        leaf = walk(table, offset, read)
    except TranslationFault as fault:
        fault.address = fault.address if fault.stage2 else vaddr
        raise
    permissions = leaf_permissions(cpu, leaf, el)
    if not permissions & NEED[access]:
        raise TranslationFault(FaultKind.PERMISSION, leaf.level, vaddr)
    space = 0 if leaf.tables & NS_TABLE or leaf.descriptor & ATTR_NS else cpu.space_of(el)
    return leaf.address | offset & (1 << leaf.bits) - 1 | space, permissions, 1 << leaf.bits


def load_descriptor(cpu: Aarch64Cpu, address: int, size: int, space: int) -> int:
    """Read a descriptor of 4 or 8 bytes of the EL1&0 regime, where the second stage has its table.

    :raise TranslationFault: it does not have it.
    """
    if cpu.el2_enabled and cpu.sys.hcr_el2 & (HCR_VM | HCR_DC):
        leaf = _stage2(cpu, address, of_walk=True)
        address = leaf.address | address & (1 << leaf.bits) - 1
    return cpu.memory.load(address | space, size)


def leaf_permissions(cpu: Aarch64Cpu, leaf: Leaf, el: int) -> int:
    """What a descriptor of stage 1 permits."""
    wxn = bool(cpu.sys.of("sctlr", max(el, 1)) & SCTLR_WXN)
    if el < 2:
        return stage1_permissions(leaf, unprivileged=el == 0, write_is_never_execute=wxn)
    return stage1_permissions_single(leaf, write_is_never_execute=wxn)


def stage1_table(cpu: Aarch64Cpu, vaddr: int, el: int) -> tuple[Table, int]:
    """The tables that translate an address, and the address within what they translate.

    :raise TranslationFault: none do.
    """
    high = el < 2 and bool(vaddr >> 55 & 1)
    plain = untagged(cpu, vaddr, el)
    tcr = cpu.sys.tcr_el1 if el < 2 else cpu.sys.of("tcr", el)
    size = tcr >> 16 & 63 if high else tcr & 63
    bits = 64 - min(max(size, 16), 39)
    top = plain >> bits
    if top != (M64 >> bits if high else 0) or (el < 2 and tcr >> (23 if high else 7) & 1):
        raise TranslationFault(FaultKind.TRANSLATION, 0, vaddr)
    grain = GRAIN1.get(tcr >> 30 & 3, 12) if high else GRAIN0.get(tcr >> 14 & 3, 12)
    output = min(OUTPUT_SIZES[tcr >> (32 if el < 2 else 16) & 7], cpu.model.pa_bits)
    register = cpu.sys.ttbr1_el1 if high else cpu.sys.ttbr0_el1 if el < 2 else cpu.sys.of("ttbr0", el)
    table = Table(0, bits, grain, output)
    first_bits = max(bits - (grain + (grain - 3) * (3 - table.first_level)) + 3, 4)
    base = register & (1 << 48) - 1 & -(1 << first_bits)
    return Table(base, bits, grain, output), plain & (1 << bits) - 1


def _stage2(cpu: Aarch64Cpu, address: int, *, of_walk: bool) -> Leaf:
    """The descriptor of stage 2 for an intermediate physical address; what was found before a flush is kept."""
    if not cpu.sys.hcr_el2 & HCR_VM:
        return Leaf(0xC0, address & PAGE_MASK, 12, 3)
    leaf = cpu.stage2_leaves.get(address >> 12)
    try:
        if leaf is None:
            leaf = cpu.stage2_leaves[address >> 12] = _walk_stage2(cpu, address)
        if of_walk and not stage2_permissions(leaf) & READ:
            raise TranslationFault(FaultKind.PERMISSION, leaf.level, address)
    except TranslationFault as fault:
        raise TranslationFault(fault.kind, fault.level, address, stage2=True, of_walk=of_walk) from None
    return leaf


def _walk_stage2(cpu: Aarch64Cpu, address: int) -> Leaf:
    vtcr = cpu.sys.vtcr_el2
    bits = 64 - min(max(vtcr & 63, 16), 39)
    grain = GRAIN0.get(vtcr >> 14 & 3, 12)
    start = (2 if grain == 12 else 3) - (vtcr >> 6 & 3)
    output = min(OUTPUT_SIZES[vtcr >> 16 & 7], cpu.model.pa_bits)
    first_bits = max(bits - (grain + (grain - 3) * (3 - start)) + 3, 4)
    base = cpu.sys.vttbr_el2 & (1 << 48) - 1 & -(1 << first_bits)
    if address >> bits:
        raise TranslationFault(FaultKind.TRANSLATION, 0, address)
    return walk(Table(base, bits, grain, output, start), address, lambda place: cpu.memory.load(place, 8))


def debug_translate(cpu: Aarch64Cpu, vaddr: int) -> int | None:
    """Return the physical address of *vaddr* without any side effect, or None."""
    try:
        return translate(cpu, vaddr, 0, max(cpu.el, 1))[0]
    except (ShortFault, TranslationFault):
        return None


def translate_for_par(cpu: Aarch64Cpu, vaddr: int, el: int, *, write: bool, stage2: bool) -> int:
    """What an address translation instruction leaves in PAR_EL1 (D7.2.69).

    :raise Aarch64Exception: EL2 is to know that its tables do not translate the address of EL1's tables.
    """
    try:
        physical = translate(cpu, vaddr, int(write), el, stage2=stage2)[0]
        nonsecure = not cpu.secure_space or not physical & cpu.secure_space
    except ShortFault as fault:
        return 1 | fault.long_status << 1 | 1 << 11
    except TranslationFault as fault:
        if fault.stage2 and cpu.el == 1:
            raise abort_of_translation(cpu, fault, vaddr) from None
        return 1 | fault.status << 1 | (1 << 8 if fault.of_walk else 0) | (1 << 9 if fault.stage2 else 0) | 1 << 11
    return physical & (1 << 48) - 1 & PAGE_MASK | 1 << 11 | 0xFF << 56 | nonsecure << 9
