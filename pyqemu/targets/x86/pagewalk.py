"""Page walks as objects: every entry on the way with its flags (SDM vol. 3, chapter 4).

`mmu.walk` decides what the processor does; this tells what it would have seen, also where it would have faulted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyqemu.targets.x86 import mmu
from pyqemu.targets.x86.layout import CR0_PG, CR4_PAE, EFER_LMA, M32
from pyqemu.targets.x86.mmu import ERROR_RSVD, PTE_ADDRESS, PTE_NX, PTE_P, PTE_PS, PTE_RW, PTE_US, canonical
from pyqemu.tcg.pagewalk import FLAG_BITS, PageTableEntry, PageWalk

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu


class _Level(NamedTuple):
    name: str
    shift: int
    bits: int


LONG = (_Level("PML4E", 39, 9), _Level("PDPTE", 30, 9), _Level("PDE", 21, 9), _Level("PTE", 12, 9))
PAE = (_Level("PDPTE", 30, 2), *LONG[2:])
TWO = (_Level("PDE", 22, 10), _Level("PTE", 12, 10))


def walk_pages(cpu: X86Cpu, vaddr: int) -> PageWalk:
    """Return what the tables that CR3 points to say about `vaddr`; nothing is changed."""
    if not cpu.cr0 & CR0_PG:
        return PageWalk(vaddr, (), vaddr & M32 & cpu.a20_mask, 4096, True, True, True)
    if not cpu.efer & EFER_LMA:
        vaddr &= M32
    elif not canonical(vaddr):
        return PageWalk(vaddr, (), None, 0, False, False, False, "the address is not canonical")
    levels = _entries(cpu, vaddr)
    found = mmu.walk(cpu, vaddr)
    if found.error is not None:
        what = "has reserved bits set" if found.error & ERROR_RSVD else "is not present"
        return PageWalk(vaddr, levels, None, 0, False, False, False, f"{levels[-1].level} {what}")
    physical = (found.page + (vaddr & found.size - 1)) & cpu.a20_mask
    rights = found.rights
    return PageWalk(vaddr, levels, physical, found.size, bool(rights & PTE_RW), bool(rights & PTE_US), not found.nx)


def _entries(cpu: X86Cpu, vaddr: int) -> tuple[PageTableEntry, ...]:
    """Return the entries from the top to the page, or to the first that leads nowhere."""
    wide = bool(cpu.cr4 & CR4_PAE)
    kind = LONG if cpu.efer & EFER_LMA else PAE if wide else TWO
    table = cpu.cr3 & (PTE_ADDRESS if kind is LONG else 0xFFFFFFE0 if wide else 0xFFFFF000)
    width = 8 if wide else 4
    entries: list[PageTableEntry] = []
    for level in kind:
        index = vaddr >> level.shift & (1 << level.bits) - 1
        address = table + index * width & cpu.a20_mask
        value = cpu.memory.load(address, width)
        last = level.name == "PTE"
        entries.append(PageTableEntry(level.name, index, address, value, _flags(value, last, wide)))
        if not value & PTE_P or (value & PTE_PS and not last and level is not PAE[0]):
            break
        table = value & (PTE_ADDRESS if wide else 0xFFFFF000)
    return tuple(entries)


def _flags(value: int, last: bool, wide: bool) -> tuple[str, ...]:
    names = ["present"] if value & PTE_P else []
    names += ["pat" if name == "large" and last else name for name, bit in FLAG_BITS if value >> bit & 1]
    if wide and value & PTE_NX:
        names.append("no_execute")
    return tuple(names)
