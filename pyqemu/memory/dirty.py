"""Which pages of a RAM block were written, told to several clients ("vga", "migration", ...).

There is one byte per page and one bit of it per client. A writer stores 0xFF, so that native code
needs no read-modify-write; a client takes its own bit. Both are one pass of ``bytes.translate``.

A taker must follow this order, or it loses writes: the vCPU out of native code, take, re-mark the
TLB entries (``on_take``), and only then read the pages.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

PAGE_BITS = 12
PAGE_SIZE = 1 << PAGE_BITS
MAX_CLIENTS = 8

_ISOLATE = [bytes((byte >> bit) & 1 for byte in range(256)) for bit in range(MAX_CLIENTS)]
_CLEAR = [bytes(byte & ~(1 << bit) for byte in range(256)) for bit in range(MAX_CLIENTS)]


class DirtyLog:
    """The dirty map of one RAM block. Nothing is recorded while no client is enabled."""

    def __init__(self, size: int) -> None:
        self.pages = (size + PAGE_SIZE - 1) >> PAGE_BITS
        self.map = bytearray(self.pages)
        self.clients: dict[str, int] = {}
        self.on_take: list[Callable[[int, int], None]] = []
        """Called with (first page, pages) when pages become clean or logging starts: writes must
        be seen again from then on."""
        self.on_mark: list[Callable[[int, int], None]] = []
        """Called with (first page, pages) when some of them, clean before, were written."""
        self.on_end: list[Callable[[], None]] = []
        """Called when nobody wants to know of writes any more."""

    @property
    def enabled(self) -> bool:
        """Whether anybody wants to know of writes."""
        return bool(self.clients)

    @property
    def host(self) -> int:
        """The host address of the byte map, for native code (its size never changes)."""
        return ctypes.addressof(ctypes.c_char.from_buffer(self.map))

    def enable(self, client: str) -> None:
        """Start to log for ``client``. Every page counts as dirty at first."""
        if client in self.clients:
            return
        used = set(self.clients.values())
        self.clients[client] = next(bit for bit in range(MAX_CLIENTS) if bit not in used)
        self.map[:] = b"\xff" * self.pages
        self._taken(0, self.pages)

    def disable(self, client: str) -> None:
        """Stop to log for ``client``."""
        if self.clients.pop(client, None) is not None and not self.clients:
            for listener in self.on_end:
                listener()

    def mark(self, offset: int, length: int) -> None:
        """Note a write of ``length`` bytes at ``offset``."""
        if not self.clients or length <= 0:
            return
        first = offset >> PAGE_BITS
        last = (offset + length - 1) >> PAGE_BITS
        if first == last:
            if self.map[first] == 0xFF:
                return
            self.map[first] = 0xFF
        else:
            self.map[first : last + 1] = b"\xff" * (last + 1 - first)
        for listener in self.on_mark:
            listener(first, last + 1 - first)

    def is_dirty(self, client: str, page: int) -> bool:
        """Whether ``client`` has not taken ``page`` since it was last written."""
        return bool(self.map[page] >> self.clients[client] & 1)

    def take_map(self, client: str, first: int = 0, count: int | None = None) -> bytes:
        """Return one byte (0 or 1) per page from page ``first`` on, and make the pages clean."""
        end = self.pages if count is None else min(self.pages, first + count)
        bit = self.clients[client]
        snapshot = bytes(self.map[first:end])
        taken = snapshot.translate(_ISOLATE[bit])
        if 1 in taken:
            self.map[first:end] = snapshot.translate(_CLEAR[bit])
            self._taken(first, end - first)
        return taken

    def take(self, client: str, first: int = 0, count: int | None = None) -> set[int]:
        """Return the numbers of the dirty pages in the range, and make them clean."""
        taken = self.take_map(client, first, count)
        pages: set[int] = set()
        position = taken.find(1)
        while position >= 0:
            pages.add(first + position)
            position = taken.find(1, position + 1)
        return pages

    def _taken(self, first: int, count: int) -> None:
        for listener in self.on_take:
            listener(first, count)
