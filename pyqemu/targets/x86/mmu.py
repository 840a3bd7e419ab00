"""Paging: from linear to physical addresses (SDM vol. 3, chapter 4).

One walk serves all four paging modes. It collects the entries on the way, so that rights (4.6), reserved bits (4.7),
accessed and dirty bits (4.8) are each looked at in one place. The result goes into the software TLB, which asks again
when a page that was only read is written, so the dirty bit is set in time.

Accesses come with an mmu index: 0 supervisor, 1 user, 2 supervisor while SMAP keeps it from user pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import (
    CR0_PG,
    CR0_WP,
    CR3,
    CR4,
    CR4_PAE,
    CR4_PSE,
    CR4_SMEP,
    EFER,
    EFER_LMA,
    EFER_NXE,
    EXC_GP,
    EXC_PF,
    M32,
)

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu

Entries = tuple[tuple[int, int], ...]  # physical address and value of each

READ, WRITE, FETCH = 0, 1, 2
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
SUPERVISOR, USER, SUPERVISOR_SMAP = 0, 1, 2

PTE_P, PTE_RW, PTE_US, PTE_A, PTE_D, PTE_PS, PTE_G = 1, 2, 4, 0x20, 0x40, 0x80, 0x100
PTE_NX = 1 << 63
PTE_ADDRESS = 0x000F_FFFF_FFFF_F000
ERROR_P, ERROR_W, ERROR_U, ERROR_RSVD, ERROR_I = 1, 2, 4, 8, 16


@dataclass(slots=True)
class Walk:
    """What a walk found. `error` is None, or the P and RSVD bits of the page fault's error code."""

    error: int | None
    page: int = 0  # physical address of the page
    size: int = 0
    rights: int = 0  # PTE_RW and PTE_US, each where every level grants it; other bits mean nothing
    nx: bool = False
    leaf: int = 0  # the last entry, and where it stands
    leaf_address: int = 0
    upper: Entries = ()  # the entries above it that are to be marked as accessed
    width: int = 8  # bytes of an entry


def canonical(vaddr: int) -> bool:
    """Return whether bits 63 to 47 of `vaddr` are equal (SDM vol. 1, 3.3.7.1)."""
    return vaddr < 1 << 47 or vaddr >= (1 << 64) - (1 << 47)


def walk(cpu: X86Cpu, vaddr: int) -> Walk:
    """Walk the tables that CR3 points to. Nothing is checked but presence and reserved bits, nothing is changed."""
    q = cpu.q
    if not q[CR4 >> 3] & CR4_PAE:
        return _walk_32bit(cpu, vaddr)
    if q[EFER >> 3] & EFER_LMA:
        return _walk_wide(cpu, vaddr, q[CR3 >> 3] & PTE_ADDRESS, 39)
    return _walk_pae(cpu, vaddr)


def _walk_32bit(cpu: X86Cpu, vaddr: int) -> Walk:
    """Two levels of 4-byte entries, 4 MiB pages with CR4.PSE (SDM vol. 3, 4.3)."""
    above_address = (cpu.cr3 & 0xFFFFF000) + (vaddr >> 20 & 0xFFC) & cpu.a20_mask
    above = cpu.memory.load(above_address, 4)
    if not above & PTE_P:
        return Walk(0)
    if above & PTE_PS and cpu.cr4 & CR4_PSE:
        if above & (0x200000 if cpu.model.has("pse36") else 0x3FE000):
            return Walk(ERROR_P | ERROR_RSVD)
        page = above & 0xFFC00000 | (above & 0x1FE000) << 19
        return Walk(None, page, 0x400000, above, False, above, above_address, (), 4)
    address = (above & 0xFFFFF000) + (vaddr >> 10 & 0xFFC) & cpu.a20_mask
    entry = cpu.memory.load(address, 4)
    if not entry & PTE_P:
        return Walk(0)
    upper = () if above & PTE_A else ((above_address, above),)
    return Walk(None, entry & 0xFFFFF000, 0x1000, above & entry, False, entry, address, upper, 4)


def _walk_pae(cpu: X86Cpu, vaddr: int) -> Walk:
    """Four page-directory pointers, then two levels of 8-byte entries (SDM vol. 3, 4.4).

    The pointers are read anew each time, as AMD's processors do (APM vol. 2, 5.2.3), not kept since the load of CR3.
    """
    address = (cpu.cr3 & 0xFFFFFFE0) + (vaddr >> 27 & 0x18) & cpu.a20_mask
    entry = cpu.memory.load(address, 8)
    if not entry & PTE_P:
        return Walk(0)
    if entry & (0x1E6 | ~((1 << cpu.model.physical_bits) - 1)):
        return Walk(ERROR_P | ERROR_RSVD)
    return _walk_wide(cpu, vaddr, entry & PTE_ADDRESS, 21)


def _walk_wide(cpu: X86Cpu, vaddr: int, table: int, shift: int) -> Walk:
    """Levels of 8-byte entries from the one that `shift` selects down to 4 KiB pages (SDM vol. 3, 4.5)."""
    load, a20, reserved = cpu.memory.load, cpu.a20_mask, cpu.reserved_bits
    rights, highest = -1, 0
    upper: Entries = ()
    while True:
        address = table + ((vaddr >> shift & 0x1FF) << 3) & a20
        entry = load(address, 8)
        if not entry & PTE_P:
            return Walk(0)
        if entry & reserved:
            return Walk(ERROR_P | ERROR_RSVD)
        rights &= entry
        highest |= entry
        if shift == 12:
            return Walk(None, entry & PTE_ADDRESS, 4096, rights, highest >= PTE_NX, entry, address, upper)
        if entry & PTE_PS:
            wrong = (1 << shift) - 0x2000
            if shift == 39 or (shift == 30 and not cpu.model.has("pdpe1gb")):
                wrong |= PTE_PS
            if entry & wrong:
                return Walk(ERROR_P | ERROR_RSVD)
            page = entry & PTE_ADDRESS & -(1 << shift)
            return Walk(None, page, 1 << shift, rights, highest >= PTE_NX, entry, address, upper)
        if not entry & PTE_A:
            upper += ((address, entry),)
        table = entry & PTE_ADDRESS
        shift -= 9


def reserved_bits(cpu: X86Cpu) -> int:
    """Return which bits of every 8-byte entry must be zero (SDM vol. 3, 4.4.2, 4.5); depends on EFER and the model."""
    reserved = PTE_ADDRESS & ~((1 << cpu.model.physical_bits) - 1)
    if not cpu.efer & EFER_LMA:
        reserved |= 0x7FF0_0000_0000_0000
    if not cpu.efer & EFER_NXE:
        reserved |= PTE_NX
    return reserved


def permissions(cpu: X86Cpu, found: Walk, mmu: int) -> int:
    """Return what an access with index `mmu` may do with the page, as PROT_* bits (SDM vol. 3, 4.6)."""
    user = found.rights & PTE_US
    if mmu == USER:
        if not user:
            return 0
        prot = PROT_READ | (PROT_WRITE if found.rights & PTE_RW else 0)
        return prot if found.nx else prot | PROT_EXEC
    prot = 0
    if not (user and mmu == SUPERVISOR_SMAP):
        prot = PROT_READ
        if found.rights & PTE_RW or not cpu.cr0 & CR0_WP:
            prot |= PROT_WRITE
    if not found.nx and not (user and cpu.cr4 & CR4_SMEP):
        prot |= PROT_EXEC
    return prot


def page_fault(cpu: X86Cpu, vaddr: int, access: int, mmu: int, cause: int) -> X86Exception:
    """Set CR2 and return the exception; `cause` has the P and RSVD bits (SDM vol. 3, 4.7)."""
    error = cause | (ERROR_U if mmu == USER else 0)
    if access == WRITE:
        error |= ERROR_W
    elif access == FETCH and ((cpu.cr4 & CR4_PAE and cpu.efer & EFER_NXE) or cpu.cr4 & CR4_SMEP):
        error |= ERROR_I
    cpu.cr2 = vaddr
    return X86Exception(EXC_PF, error)


def fill(cpu: X86Cpu, vaddr: int, access: int, mmu: int) -> tuple[int, int, int]:
    """Translate the page of `vaddr` for one kind of access and set accessed and dirty bits.

    :return: physical address of the 4 KiB page, PROT_* bits, size of the mapping that it is a part of.
    :raise X86Exception: #PF with CR2 set, or #GP(0) for a non-canonical address.
    """
    if not cpu.cr0 & CR0_PG:
        return vaddr & M32 & cpu.a20_mask & -4096, 7, 4096
    if not canonical(vaddr):
        raise X86Exception(EXC_GP, 0)
    found = walk(cpu, vaddr)
    if found.error is not None:
        raise page_fault(cpu, vaddr, access, mmu, found.error)
    prot = permissions(cpu, found, mmu)
    if not prot & 1 << access:
        raise page_fault(cpu, vaddr, access, mmu, ERROR_P)
    if not _mark(cpu, found, access == WRITE):
        prot &= ~PROT_WRITE
    return (found.page + (vaddr & found.size - 0x1000)) & cpu.a20_mask, prot, found.size


def _mark(cpu: X86Cpu, found: Walk, write: bool) -> bool:
    """Set accessed bits, and for a write the leaf's dirty bit; return whether the page is dirty (SDM vol. 3, 4.8)."""
    for address, entry in found.upper:
        cpu.memory.store(address, found.width, entry | PTE_A)
    wanted = found.leaf | (PTE_A | PTE_D if write else PTE_A)
    if wanted != found.leaf:
        cpu.memory.store(found.leaf_address, found.width, wanted)
    return bool(wanted & PTE_D)


def debug_translate(cpu: X86Cpu, vaddr: int) -> int | None:
    """Return the physical address of `vaddr`, None where nothing is mapped. No rights are checked, no bit is set."""
    if not cpu.cr0 & CR0_PG:
        return vaddr & M32 & cpu.a20_mask
    if not canonical(vaddr):
        return None
    found = walk(cpu, vaddr)
    if found.error is not None:
        return None
    return (found.page + (vaddr & found.size - 1)) & cpu.a20_mask
