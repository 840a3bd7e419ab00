"""Guest-virtual memory: the software TLB and the slow path of every access.

A TLB entry has a tag for reads, one for writes, one for fetches, and an addend that turns a guest-virtual address into
a host address. A tag equals the page's address where the access may go straight to host memory; otherwise low bits are
set and no access matches it. The same translations are kept in a dictionary for accesses that Python makes.

Pages that hold translated code or whose writes are to be logged have a write tag that never matches, so that stores
come here; the code cache and the dirty log are told, and the tag is opened again when nobody is interested any more.
"""

from __future__ import annotations

from array import array
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pyqemu.tcg.env import (
    JUMP_CACHE,
    JUMP_CACHE_SIZE,
    LARGE_HIGH,
    LARGE_LOW,
    MMU_INDEXES,
    TLB,
    TLB_SIZE,
    TLB_TABLE,
    Env,
)

if TYPE_CHECKING:
    from pyqemu.memory import AddressSpace, RamBlock
    from pyqemu.tcg.hooks import WatchedMemory

PAGE_SIZE = 4096
PAGE_MASK = ~0xFFF
READ, WRITE, FETCH = 0, 1, 2
NO_TAG = 0xFFF  #: low bits set: no access matches
NO_MODE = (1 << 64) - 1  #: the mode of an empty jump cache entry
MAX_PAGES = 1 << 14  #: translations that are kept for accesses that Python makes
M64 = (1 << 64) - 1
_FORMATS = {1: Struct("<B"), 2: Struct("<H"), 4: Struct("<I"), 8: Struct("<Q")}
_CLOSED = array("Q", [NO_TAG]) * TLB_SIZE
_EMPTY_TABLE = NO_TAG.to_bytes(8, "little") * (TLB_TABLE // 8)
_EMPTY_JUMP_CACHE = b"\xff" * (32 * JUMP_CACHE_SIZE)  # flags of all ones are no mode of any CPU


class Page(NamedTuple):
    """A translation: what a page of guest-virtual addresses stands for."""

    view: memoryview | None  #: the 4096 bytes of host memory; None for devices
    physical: int  #: guest-physical address of the page
    permissions: int  #: 1 read, 2 write, 4 fetch
    block: RamBlock | None
    offset: int  #: of the page in the block
    writable: bool  #: stores change the host memory


class CodeWatcher(Protocol):
    """Who wants to know of writes to pages that hold translated code."""

    def holds_code(self, host_page: int) -> bool: ...
    def written(self, host_address: int, length: int) -> None: ...


class Translate(Protocol):
    """A target's page walk: guest-physical page address, permissions, page size; or a guest exception."""

    def __call__(self, vaddr: int, access: int, mmu: int) -> tuple[int, int, int]: ...


class SoftMmu:
    """The software TLB of one vCPU.

    *translate* is the target's page walk: it returns the guest-physical page address, the permissions and the page
    size, or raises a guest exception. *code* learns of stores to pages with translated code.
    """

    def __init__(self, env: Env, memory: AddressSpace, translate: Translate, code: CodeWatcher) -> None:
        self.env = env
        self.memory = memory
        self.translate = translate
        self.code = code
        self.pages: dict[int, Page] = {}
        self.large: list[tuple[int, int]] = []  # (first, last) address of translations wider than a page
        self.spanning: list[int] = []  # jump cache slots of blocks on two pages
        self.watch: WatchedMemory | None = None  # None while nobody wants to know of accesses
        self.clear_jump_cache()
        self.flush()

    # --- flushing -----------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Forget all translations. The jump cache looks at them, and may stay."""
        b = self.env.b
        for mmu in range(MMU_INDEXES):
            start = TLB + mmu * TLB_TABLE
            b[start : start + TLB_TABLE] = _EMPTY_TABLE
        self.pages.clear()
        self.large.clear()
        self.env.q[LARGE_LOW >> 3], self.env.q[LARGE_HIGH >> 3] = M64, 0
        self._forget_spanning()

    def flush_index(self, mmu: int) -> None:
        """Forget the translations of one mmu index."""
        start = TLB + mmu * TLB_TABLE
        self.env.b[start : start + TLB_TABLE] = _EMPTY_TABLE
        self.pages.clear()
        self._forget_spanning()

    def _forget_spanning(self) -> None:
        """After a flush nobody knows whether the second page of a block is still the one it was made from."""
        for slot in self.spanning:
            self.env.q[slot + 1] = self.env.q[slot + 5] = NO_MODE
        self.spanning.clear()

    def clear_jump_cache(self) -> None:
        """Forget where indirect jumps lead: the code itself is gone."""
        self.env.b[JUMP_CACHE : JUMP_CACHE + len(_EMPTY_JUMP_CACHE)] = _EMPTY_JUMP_CACHE

    def flush_page(self, vaddr: int) -> None:
        """Forget the translation of one page; of everything, where it belongs to a large page."""
        q = self.env.q
        if q[LARGE_LOW >> 3] <= vaddr <= q[LARGE_HIGH >> 3] or any(low <= vaddr <= high for low, high in self.large):
            self.flush()
            return
        page = vaddr & PAGE_MASK & M64
        for mmu in range(MMU_INDEXES):
            slot = self._slot(page, mmu)
            q[slot] = q[slot + 1] = q[slot + 2] = NO_TAG
            self.pages.pop(page | mmu, None)
        self._forget_spanning()

    def close_writes(self) -> None:
        """Make every store miss once more: code or dirty logging has appeared on some page."""
        q = self.env.q
        for mmu in range(MMU_INDEXES):
            start = TLB + mmu * TLB_TABLE >> 3
            q[start + 1 : start + 4 * TLB_SIZE : 4] = _CLOSED

    # --- filling ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _slot(page: int, mmu: int) -> int:
        return (TLB + mmu * TLB_TABLE >> 3) + ((page >> 12 & (TLB_SIZE - 1)) << 2)

    def fill(self, vaddr: int, access: int, mmu: int) -> Page:
        """Translate, and enter the translation.

        :raise GuestException: the guest's page tables forbid the access.
        """
        physical, permissions, size = self.translate(vaddr, access, mmu)
        vpage = vaddr & PAGE_MASK & M64
        section = self.memory.lookup(physical)
        block = section.ram
        whole = section.start <= physical and physical + PAGE_SIZE <= section.end
        if block is not None and section.data is not None and whole:
            offset = physical - section.base
            page = Page(section.data[offset : offset + 4096], physical, permissions, block, offset, section.writable)
            self._enter(vpage, mmu, page)
        else:
            page = Page(None, physical, permissions, None, 0, False)
        if len(self.pages) >= MAX_PAGES:
            self.pages.clear()
        self.pages[vpage | mmu] = page
        if size > PAGE_SIZE:
            first = vaddr & -size
            if (first, first + size - 1) not in self.large:
                self.large.append((first, first + size - 1))
        return page

    def _enter(self, vpage: int, mmu: int, page: Page) -> None:
        assert page.block is not None
        q = self.env.q
        slot = self._slot(vpage, mmu)
        host = page.block.host + page.offset
        if self.watch is not None and self.watch.covers(page.physical, vpage):
            q[slot] = q[slot + 1] = NO_TAG
            q[slot + 2] = vpage if page.permissions & 4 else NO_TAG
            q[slot + 3] = (host - vpage) & M64
            return
        q[slot] = vpage if page.permissions & 1 else NO_TAG
        q[slot + 1] = vpage if page.permissions & 2 and page.writable and self._unwatched(page, host) else NO_TAG
        q[slot + 2] = vpage if page.permissions & 4 else NO_TAG
        q[slot + 3] = (host - vpage) & M64

    def _unwatched(self, page: Page, host: int) -> bool:
        """Whether stores may go to host memory without anybody being told."""
        block = page.block
        assert block is not None
        if block.dirty.enabled and block.dirty.map[page.offset >> 12] != 0xFF:
            return False
        return not self.code.holds_code(host >> 12)

    def page(self, vaddr: int, access: int, mmu: int) -> Page:
        """The translation of the page of *vaddr*, permission checked.

        :raise GuestException: the guest's page tables forbid the access.
        """
        page = self.pages.get((vaddr & PAGE_MASK & M64) | mmu)
        if page is None or not page.permissions & (1 << access):
            return self.fill(vaddr, access, mmu)
        return page

    def fetch_address(self, vaddr: int, mmu: int) -> int | None:
        """Host address of the code at *vaddr*, where the software TLB has it."""
        q = self.env.q
        slot = self._slot(vaddr, mmu)
        if q[slot + 2] != vaddr & PAGE_MASK & M64:
            return None
        return (q[slot + 3] + vaddr) & M64

    def fetch(self, vaddr: int, length: int, mmu: int) -> bytes:
        """*length* bytes of code, for who looks at the instruction that runs; nobody who watches memory is told.

        :raise GuestException: as :meth:`page`.
        """
        out = b""
        for start, step in self._pieces(vaddr, length):
            page = self.page(start, FETCH, mmu)
            out += self.memory.read(page.physical + (start & 0xFFF), step)
        return out

    # --- accesses -----------------------------------------------------------------------------------------------------

    def load(self, vaddr: int, size: int, mmu: int) -> int:
        """Read *size* (1, 2, 4, 8, 16) bytes at *vaddr*, little-endian.

        :raise GuestException: as :meth:`page`.
        """
        offset = vaddr & 0xFFF
        if offset + size > PAGE_SIZE or size == 16:
            return int.from_bytes(self.read(vaddr, size, mmu), "little")
        page = self.page(vaddr, READ, mmu)
        if self.watch is not None:
            self.watch.ask(vaddr, size, False, mmu)
        if page.view is not None:
            value: int = _FORMATS[size].unpack_from(page.view, offset)[0]
        else:
            value = self.memory.load(page.physical + offset, size)
        if self.watch is not None:
            self.watch.tell(vaddr, page.physical + offset, size, value, False)
        return value

    def store(self, vaddr: int, size: int, value: int, mmu: int) -> None:
        """Write the low *size* bytes of *value* to *vaddr*.

        :raise GuestException: as :meth:`page`.
        """
        offset = vaddr & 0xFFF
        if offset + size > PAGE_SIZE or size == 16:
            self.write(vaddr, (value & (1 << 8 * size) - 1).to_bytes(size, "little"), mmu)
            return
        page = self.page(vaddr, WRITE, mmu)
        if self.watch is not None:
            self.watch.ask(vaddr, size, True, mmu)
        if page.writable and page.view is not None:
            _FORMATS[size].pack_into(page.view, offset, value & (1 << 8 * size) - 1)
            self._stored(page, vaddr, size, mmu)
        else:
            self.memory.store(page.physical + offset, size, value)
        if self.watch is not None:
            self.watch.tell(vaddr, page.physical + offset, size, value, True)

    def _stored(self, page: Page, vaddr: int, length: int, mmu: int) -> None:
        """RAM was written: tell who watches, and open the page for native stores if nobody does any more."""
        block = page.block
        assert block is not None
        block.dirty.mark(page.offset + (vaddr & 0xFFF), length)
        host = block.host + page.offset
        if self.code.holds_code(host >> 12):
            self.code.written(host + (vaddr & 0xFFF), length)
        if self._unwatched(page, host) and not (self.watch is not None and self.watch.covers(page.physical, vaddr)):
            slot = self._slot(vaddr, mmu)
            if self.env.q[slot + 3] == (host - (vaddr & PAGE_MASK)) & M64 and page.permissions & 2:
                self.env.q[slot + 1] = vaddr & PAGE_MASK & M64

    def _pieces(self, vaddr: int, length: int) -> list[tuple[int, int]]:
        pieces = []
        while length:
            step = min(length, PAGE_SIZE - (vaddr & 0xFFF))
            pieces.append((vaddr, step))
            vaddr, length = (vaddr + step) & M64, length - step
        return pieces

    def read(self, vaddr: int, length: int, mmu: int) -> bytes:
        """*length* bytes from *vaddr* on; every page is checked before any byte is read from a device."""
        pieces = self._pieces(vaddr, length)
        pages = [self.page(start, READ, mmu) for start, _ in pieces]
        if self.watch is not None:
            self.watch.ask(vaddr, length, False, mmu)
        out = []
        for (start, step), page in zip(pieces, pages, strict=True):
            offset = start & 0xFFF
            if page.view is not None:
                out.append(bytes(page.view[offset : offset + step]))
            else:
                out.append(self.memory.read(page.physical + offset, step))
            if self.watch is not None:
                self.watch.tell(start, page.physical + offset, step, int.from_bytes(out[-1], "little"), False)
        return b"".join(out)

    def write(self, vaddr: int, data: bytes | bytearray | memoryview, mmu: int) -> None:
        """Write *data* to *vaddr*; every page is checked before any byte is written."""
        pieces = self._pieces(vaddr, len(data))
        pages = [self.page(start, WRITE, mmu) for start, _ in pieces]
        if self.watch is not None:
            self.watch.ask(vaddr, len(data), True, mmu)
        position = 0
        for (start, step), page in zip(pieces, pages, strict=True):
            offset = start & 0xFFF
            part = data[position : position + step]
            position += step
            if page.writable and page.view is not None:
                page.view[offset : offset + step] = part
                self._stored(page, start, step, mmu)
            else:
                self.memory.write(page.physical + offset, part)
            if self.watch is not None:
                self.watch.tell(start, page.physical + offset, step, int.from_bytes(part, "little"), True)

    def probe_write(self, vaddr: int, length: int, mmu: int) -> None:
        """Raise what a write of *length* bytes would raise."""
        for start, _ in self._pieces(vaddr, length):
            self.page(start, WRITE, mmu)
