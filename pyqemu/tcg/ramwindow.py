"""What refill subroutines see of guest-physical memory: the machine's main RAM, and a byte for each of its pages.

A page whose byte is zero is plain RAM: native code may enter it into the software TLB by itself. Of a page whose stores
somebody wants to see it may enter the reads; all else is Python's.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from typing import TYPE_CHECKING

from pyqemu.tcg.env import PAGE_FLAGS, RAM_BASE, RAM_LIMIT, RAM_START, Env

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace, RamBlock

CODE = 1  #: translated code was made from the page
CLEAN = 2  #: the next store is to be noted in the dirty log
STORES = CODE | CLEAN  #: only stores are Python's
WATCHED = 4  #: somebody wants to know of accesses
NO_RAM = 8  #: a device, a ROM, or RAM that is mapped from elsewhere

M64 = (1 << 64) - 1
_CLEAN_PAGES = bytes([CLEAN]) * 255 + b"\0"  # by the dirty log's bytes


class RamWindow:
    """Keeps the window of a vCPU, and of those that see the same memory, in step with it."""

    def __init__(self, env: Env, memory: AddressSpace) -> None:
        self.env = env
        self._sharers: list[Env] = []
        self.memory = memory
        self.block: RamBlock | None = None
        self.flags = bytearray(1)
        self.code: set[int] = set()  # pages of host memory
        self.watched: frozenset[int] = frozenset()  # guest-physical pages
        self.closed = False
        self.refresh()

    def share(self, env: Env) -> None:
        """Let another vCPU have the window, too."""
        self._sharers.append(env)
        self._tell_sharers()

    def _tell_sharers(self) -> None:
        for env in self._sharers:
            for word in (RAM_START >> 3, RAM_BASE >> 3, RAM_LIMIT >> 3, PAGE_FLAGS >> 3):
                env.q[word] = self.env.q[word]

    def refresh(self) -> None:
        """Look at the memory map anew: it has changed."""
        self._look()
        self._tell_sharers()

    def _look(self) -> None:
        main = self._main()
        q = self.env.q
        if main is None or main[0].pager is not None or self.closed:
            self.block = None
            q[RAM_LIMIT >> 3] = 0
            return
        block, start = main
        pages = self._pages(block, start)
        if self.block is not block or len(self.flags) != pages or q[RAM_START >> 3] != start:
            self.block = block
            self.flags = bytearray(pages)
            self._address = ctypes.addressof(ctypes.c_char.from_buffer(self.flags))
            q[RAM_START >> 3], q[RAM_BASE >> 3] = start, block.host - start & M64
            q[PAGE_FLAGS >> 3] = self._address
        self.flags[:] = bytes([NO_RAM]) * pages
        clean = block.dirty.map.translate(_CLEAN_PAGES) if block.dirty.enabled else bytes(pages)
        for section in self.memory.sections:
            if section.ram is block and section.base == start and section.writable:
                first, end = (section.start - start + 0xFFF) >> 12, (section.end - start) >> 12
                self.flags[first:end] = clean[first:end]
        for host_page in self.code:
            page = host_page - (block.host >> 12)
            if 0 <= page < pages:
                self.flags[page] |= CODE
        for page in self.watched:
            if 0 <= page - (start >> 12) < pages:
                self.flags[page - (start >> 12)] |= WATCHED
        q[RAM_LIMIT >> 3] = pages << 12

    def written(self, block: RamBlock, first: int, count: int) -> None:
        """Pages of a block are in the dirty log now: more stores need not be noted."""
        if block is self.block:
            for page in range(first, min(first + count, len(self.flags))):
                self.flags[page] &= ~CLEAN

    def watch(self, pages: frozenset[int], *, closed: bool) -> None:
        """Send accesses to these guest-physical pages to Python; with *closed*, all that the software TLB has not."""
        self.watched, self.closed = pages, closed
        self.refresh()

    def _main(self) -> tuple[RamBlock, int] | None:
        """The block of the main RAM, and where it is shown: what the board says, or the lowest RAM that is no fraction
        of the largest, at the place that shows most of it."""
        plain = [section for section in self.memory.sections if section.ram is not None and section.writable]
        largest = max((section.end - section.start for section in plain), default=0)
        lowest = next((section.ram for section in plain if section.end - section.start >= largest // 16), None)
        block = self.memory.main_ram or lowest
        if block is None:
            return None
        shown: Counter[int] = Counter()
        for section in plain:
            if section.ram is block and section.base >= 0 and not section.base & 0xFFF:
                shown[section.base] += section.end - section.start
        return (block, shown.most_common(1)[0][0]) if shown else None

    def _pages(self, block: RamBlock, start: int) -> int:
        """The pages up to the end of the last section that shows the block there."""
        return max(s.end - start for s in self.memory.sections if s.ram is block and s.base == start) >> 12

    def mark_code(self, host_page: int, present: bool) -> None:
        """Translated code appears on a page of host memory, or is gone from it."""
        (self.code.add if present else self.code.discard)(host_page)
        if self.block is None:
            return
        page = host_page - (self.block.host >> 12)
        if 0 <= page < len(self.flags):
            self.flags[page] = self.flags[page] & ~CODE | (CODE if present else 0)
