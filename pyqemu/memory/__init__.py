"""The guest's physical memory and port space.

A tree of :class:`MemoryRegion` (RAM, ROM, MMIO, aliases and containers with priorities) describes
what is where; an :class:`AddressSpace` is the flat view of such a tree as one bus master sees it.
"""

from pyqemu.memory.address_space import AddressSpace
from pyqemu.memory.dirty import PAGE_BITS, PAGE_SIZE, DirtyLog
from pyqemu.memory.flatview import Section, flatten
from pyqemu.memory.pager import PageLost, Pager
from pyqemu.memory.ram import RamBlock
from pyqemu.memory.region import MemoryRegion, MmioHandler, RegionKind
from pyqemu.memory.transaction import memory_transaction

__all__ = [
    "PAGE_BITS",
    "PAGE_SIZE",
    "AddressSpace",
    "DirtyLog",
    "MemoryRegion",
    "MmioHandler",
    "PageLost",
    "Pager",
    "RamBlock",
    "RegionKind",
    "Section",
    "flatten",
    "memory_transaction",
]
