"""What refill subroutines see of guest-physical memory: the RAM that begins at address 0, and a byte for each of its
pages.

A page whose byte is zero is plain RAM: native code may enter it into the software TLB by itself. Any bit sends the
access to Python.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from pyqemu.tcg.env import PAGE_FLAGS, RAM_BASE, RAM_LIMIT, Env

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace, RamBlock

CODE = 1  #: translated code was made from the page
WATCHED = 2  #: somebody wants to know of accesses
NO_RAM = 4  #: a device, a ROM, or RAM that is mapped from elsewhere


class RamWindow:
    """Keeps the window of one vCPU in step with its memory."""

    def __init__(self, env: Env, memory: AddressSpace) -> None:
        self.env = env
        self.memory = memory
        self.block: RamBlock | None = None
        self.flags = bytearray(1)
        self.code: set[int] = set()  # pages of host memory
        self.watched: frozenset[int] = frozenset()  # the same, as all of the block is shown at its own addresses
        self.closed = False
        self.refresh()

    def refresh(self) -> None:
        """Look at the memory map anew: it has changed."""
        section = self.memory.lookup(0)
        block = section.ram
        q = self.env.q
        if block is None or section.base != 0 or block.dirty.enabled or self.closed:
            self.block = None
            q[RAM_LIMIT >> 3] = 0
            return
        pages = self._pages(block)
        if self.block is not block or len(self.flags) != pages:
            self.block = block
            self.flags = bytearray(pages)
            self._address = ctypes.addressof(ctypes.c_char.from_buffer(self.flags))
            q[RAM_BASE >> 3], q[PAGE_FLAGS >> 3] = block.host, self._address
        self.flags[:] = bytes([NO_RAM]) * pages
        for section in self.memory.sections:
            if section.ram is block and section.base == 0 and section.writable:
                first, end = (section.start + 0xFFF) >> 12, section.end >> 12
                self.flags[first:end] = bytes(max(0, end - first))
        for host_page in self.code:
            page = host_page - (block.host >> 12)
            if 0 <= page < pages:
                self.flags[page] |= CODE
        for page in self.watched:
            if page < pages:
                self.flags[page] |= WATCHED
        q[RAM_LIMIT >> 3] = pages << 12

    def watch(self, pages: frozenset[int], *, closed: bool) -> None:
        """Send accesses to these guest-physical pages to Python; with *closed*, all that the software TLB has not."""
        self.watched, self.closed = pages, closed
        self.refresh()

    def _pages(self, block: RamBlock) -> int:
        """The pages up to the end of the last section that shows the block at its own addresses."""
        return max(s.end for s in self.memory.sections if s.ram is block and s.base == 0) >> 12

    def mark_code(self, host_page: int, present: bool) -> None:
        """Translated code appears on a page of host memory, or is gone from it."""
        (self.code.add if present else self.code.discard)(host_page)
        if self.block is None:
            return
        page = host_page - (self.block.host >> 12)
        if 0 <= page < len(self.flags):
            self.flags[page] = self.flags[page] & ~CODE | (CODE if present else 0)
