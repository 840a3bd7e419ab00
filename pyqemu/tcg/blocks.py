"""The block cache: which guest code has been translated, where, and what happens when it is overwritten.

Blocks are found by the host page and offset of their first byte, their guest-virtual address and their mode; so the
same code mapped twice is translated once for each address. Pages that hold translated code are known by the page number
of their host address, whatever guest-physical aliases lead there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyqemu.tcg.translate import Block

Key = tuple[int, int, int, int]
"""Host address, guest-virtual address, program counter, mode."""
GRANULE_BITS = 6  #: writes that touch no 64-byte granule with code are let through without looking at the blocks
PATIENCE = 16  #: stores beside its code that a page bears at first, until its code gives way

_END = (1 << 64) - 1


def _granules(page: int, first: int, last: int) -> int:
    """The granules of a page that the host addresses *first* … *last* touch, as bits."""
    low = max(first - (page << 12), 0) >> GRANULE_BITS
    high = min(last - (page << 12), 0xFFF) >> GRANULE_BITS
    return (2 << high) - (1 << low) if high >= low else 0


class BlockCache:
    """All valid blocks. *unlink* is called with a block that must not be entered any more, *gone* with a page."""

    def __init__(self, unlink: Callable[[Block], None], gone: Callable[[int], None]) -> None:
        self.blocks: dict[Key, Block] = {}
        self.pages: dict[int, list[Block]] = {}
        self._granules: dict[int, int] = {}  # page → a bit for each granule that holds code, or has held some
        self._borne: dict[int, int] = {}  # page → stores beside its code since code came to it
        self._patience: dict[int, int] = {}  # page → how many it bears now
        self.unlink = unlink
        self.gone = gone
        self.invalidated = 0  #: blocks thrown away because their bytes were written

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Block]:
        for page, blocks in self.pages.items():
            yield from (block for block in blocks if block.host >> 12 == page)

    def find(self, host: int, linear: int, pc: int, flags: int) -> Block | None:
        """The block that begins at a host address, for that place in the guest's memory and that mode."""
        return self.blocks.get((host, linear, pc, flags))

    def add(self, block: Block, host: int, second: int) -> list[int]:
        """Enter a block that begins at a host address and goes on, if *second* is not 0, on that page of host memory.

        Returns the host pages that held no code before: their stores must be watched from now on.
        """
        block.host, block.second = host, second
        self.blocks[host, block.linear, block.pc, block.flags] = block
        fresh = []
        for page in self._pages_of(block):
            if page not in self.pages:
                self.pages[page] = []
                self._granules[page] = 0
                fresh.append(page)
            self.pages[page].append(block)
        self._granules[host >> 12] |= _granules(host >> 12, host, _END if second else host + block.length - 1)
        if second:
            self._granules[second] |= 1  # an instruction's rest lies in the page's first granule
        return fresh

    @staticmethod
    def _pages_of(block: Block) -> tuple[int, ...]:
        return (block.host >> 12, block.second) if block.second else (block.host >> 12,)

    def holds_code(self, host_page: int) -> bool:
        """Whether a page of host memory holds translated code."""
        return host_page in self.pages

    def written(self, host_address: int, length: int) -> None:
        """Host memory was written: throw away what was made from it."""
        first, last = host_address >> 12, host_address + length - 1 >> 12
        for page in range(first, last + 1):
            blocks = self.pages.get(page)
            if not blocks:
                continue
            if not self._granules[page] & _granules(page, host_address, host_address + length - 1):
                self._bear(page, blocks)
                continue
            stale = [block for block in blocks if self._overlaps(block, host_address, host_address + length - 1)]
            for block in stale:
                self.remove(block)

    def _bear(self, page: int, blocks: list[Block]) -> None:
        """A store beside the code of a page, which cost a way through Python.

        Mostly the code has had its day (a boot loader's, a decompressor's) and the page is used for data now. So the
        code goes after a few stores; if it was alive after all, it is translated again, and the page bears more.
        """
        borne = self._borne.get(page, 0) + 1
        patience = self._patience.get(page, PATIENCE)
        if borne < patience:
            self._borne[page] = borne
            return
        self._patience[page] = 8 * patience
        for block in list(blocks):
            self.remove(block)

    @staticmethod
    def _overlaps(block: Block, first: int, last: int) -> bool:
        # A block on two pages lies anywhere on the second; it is rare, and goes at any write to that page.
        return block.second != 0 or (block.host <= last and first < block.host + block.length)

    def remove(self, block: Block) -> None:
        """Throw a block away."""
        if not block.valid:
            return
        block.valid = False
        self.invalidated += 1
        key = block.host, block.linear, block.pc, block.flags
        if self.blocks.get(key) is block:  # and not a shorter one that has come after it
            del self.blocks[key]
        for page in self._pages_of(block):
            owners = self.pages.get(page)
            if owners is not None:
                owners.remove(block)
                if not owners:
                    del self.pages[page], self._granules[page]
                    self._borne.pop(page, None)
                    self.gone(page)
        self.unlink(block)

    def clear(self) -> None:
        """Throw all blocks away; the caller has cleared the code buffer and the jump cache."""
        for block in self:
            block.valid = False
        self.blocks.clear()
        self.pages.clear()
        self._granules.clear()
        self._borne.clear()
        self._patience.clear()

    def statistics(self) -> dict[str, Any]:
        """Counts for ``info jit``."""
        return {"blocks": len(self), "pages": len(self.pages), "invalidated": self.invalidated}
