"""The section ``ram`` as it is sent (version 4).

A record begins with 64 bits: the offset of a page in its block, flags in the low bits. Pages go out in passes: first
all of them, then those that were written since, as long as the guest runs. The order in which that is found out must
be kept, or writes are lost: the vCPU out of native code, the dirty log taken (which makes stores visible again), and
only then the pages read.
"""

from __future__ import annotations

import struct
import time
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyqemu.migration.halves import Counters, XbzrleCounters
from pyqemu.migration.state import xbzrle
from pyqemu.migration.state.frame import Output, damaged, string
from pyqemu.migration.state.machine import PAGE_SIZE, SavedBlock, SavedMachine

IDSTR, VERSION = "ram", 4
ZERO, MEM_SIZE, PAGE, EOS, CONTINUE, XBZRLE, HOOK, COMPRESSED = 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x100
LOG_CLIENT = "migration"
XBZRLE_CODING = 1
CHUNK = 256  # pages that are looked at together
FEW = 32  # pages that go out before one looks whether others are waited for
_ZERO_START = bytes(16)
_ZERO_CHUNK = bytes(PAGE_SIZE * CHUNK)
_ZERO_RECORD = struct.Struct(">QB")
_END = struct.pack(">Q", EOS)


@dataclass
class RamOptions:
    """How pages are sent.

    :ivar compress_threads: 0: they are not compressed
    :ivar cache_size: of XBZRLE; 0: it is off
    """

    compress_threads: int = 0
    compress_level: int = 1
    cache_size: int = 0


class _Pending:
    """The pages of a block that are still to be sent: one byte for each."""

    def __init__(self, saved: SavedBlock) -> None:
        self.saved = saved
        self.block = saved.block
        self.map = bytearray((saved.length + PAGE_SIZE - 1) // PAGE_SIZE)
        self.compressed_before = False

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Offset and length of the runs of pages that are to be sent."""
        end = 0
        while (first := self.map.find(1, end)) >= 0:
            end = self.map.find(0, first)
            end = end if end >= 0 else len(self.map)
            yield first * PAGE_SIZE, (end - first) * PAGE_SIZE

    def merge(self, taken: bytes) -> None:
        """More pages."""
        taken = taken[: len(self.map)]
        if 1 not in taken:
            return
        if 1 in self.map:
            merged = int.from_bytes(self.map, "little") | int.from_bytes(taken, "little")
            self.map[:] = merged.to_bytes(len(self.map), "little")
        else:
            self.map[:] = taken


class RamSender:
    """Sends the memory of one machine."""

    def __init__(self, machine: SavedMachine, options: RamOptions, counters: Counters,
                 delta_counters: XbzrleCounters | None = None) -> None:  # fmt: skip
        self.system = machine.system
        self.options = options
        self.counters = counters
        self.delta_counters = delta_counters or XbzrleCounters()
        self._pending = [_Pending(saved) for saved in machine.sorted_blocks]
        self._at = 0  # block that is looked at next
        self._page = 0
        self.wanted: deque[tuple[_Pending, int]] = deque()
        """Pages that the guest waits for, at the other side."""
        self._last: str | None = None  # block of the last record
        self._unit = machine.page_size
        self._zero_page = bytes(self._unit)
        self._cache = xbzrle.PageCache(options.cache_size, self._unit) if options.cache_size else None
        self._threads: ThreadPoolExecutor | None = None
        self._synced = time.monotonic()
        self._first_pass = True
        self.written = 0
        """Bytes of pages that the guest has written since the beginning, counted once for each pass."""
        counters.total = sum(pending.saved.length for pending in self._pending)
        counters.page_size = self._unit

    # -- the life of it

    def setup(self, stream: Output) -> None:
        """The list of blocks; from now on writes are noted."""
        total = sum(pending.saved.length for pending in self._pending)
        out = bytearray(struct.pack(">Q", total | MEM_SIZE))
        for pending in self._pending:
            out += string(pending.saved.name) + struct.pack(">Q", pending.saved.length)
        self._write(stream, out + _END)
        self.sync()

    def sync(self) -> int:
        """Begin a new pass with all that was written since the last one. Returns how many bytes are left to send."""
        found = 0
        with self.system.parked():
            for pending in self._pending:
                pending.block.dirty.enable(LOG_CLIENT)
            for pending in self._pending:
                taken = pending.block.dirty.take_map(LOG_CLIENT)
                found += taken.count(1)
                pending.merge(taken)
        now = time.monotonic()
        if self.counters.dirty_sync_count:
            self.written += found * PAGE_SIZE
            self.counters.dirty_pages_rate = int(found / max(now - self._synced, 1e-3))
            self._first_pass = False
        self._synced = now
        self.counters.dirty_sync_count += 1
        self._rate_misses()
        return self.remaining

    @property
    def remaining(self) -> int:
        """Bytes that are known to be left."""
        left = sum(pending.map.count(1) for pending in self._pending) * PAGE_SIZE
        self.counters.remaining = left
        return left

    def part(self, stream: Output) -> bool:
        """Records, until the stream has had enough, and the end of the section. Returns whether any page is left."""
        sent_all = False
        self._last = None
        while not sent_all:
            sent_all = not self._chunk(stream)
            if stream.exhausted:
                break
        self._write(stream, _END)
        return not sent_all

    def finish(self, stream: Output) -> None:
        """The guest stands still: all that is left."""
        self.sync()
        self._last = None
        while self._chunk(stream):
            pass
        self._write(stream, _END)
        self.counters.remaining = 0

    # -- post-copy

    def stay_behind(self) -> list[tuple[str, list[tuple[int, int]]]]:
        """The guest stands still and runs elsewhere soon; what is left follows it. Returns of each block the ranges
        (offset, length) that are left."""
        self.sync()
        self._cache = None
        self.options.compress_threads = 0
        return [(pending.saved.name, list(pending.ranges())) for pending in self._pending if 1 in pending.map]

    def want(self, name: str, start: int, length: int) -> None:
        """The guest waits for these bytes of a block: they come next.

        :raise MigrationError: there are none such.
        """
        pending = next((pending for pending in self._pending if pending.saved.name == name), None)
        if pending is None or start % PAGE_SIZE or not length or start + length > len(pending.map) * PAGE_SIZE:
            raise damaged(f"the destination asks for {length:#x} bytes at {start:#x} of block '{name}'")
        self.counters.postcopy_requests += 1
        first = start // PAGE_SIZE
        self.wanted.extend((pending, page) for page in range(first, first + (length + PAGE_SIZE - 1) // PAGE_SIZE))

    def wanted_part(self, stream: Output) -> bool:
        """Records of the pages that are waited for. Returns whether any page is left."""
        self._last = None
        self._send_wanted(stream)
        self._write(stream, _END)
        return self.remaining > 0

    def late_part(self, stream: Output) -> bool:
        """The same, and a few pages more."""
        self._last = None
        self._send_wanted(stream)
        self._chunk(stream, FEW)
        self._write(stream, _END)
        return self.remaining > 0

    def _send_wanted(self, stream: Output) -> None:
        while self.wanted:
            pending, page = self.wanted.popleft()
            if pending.map[page]:
                pending.map[page] = 0
                self._send(stream, pending, page, page + 1)
            self._at, self._page = self._pending.index(pending), page + 1  # what is next to it may be wanted next

    def end(self, stream: Output) -> None:
        """The end of the last section."""
        self._write(stream, _END)

    def cleanup(self) -> None:
        """Writes need not be noted any more."""
        with self.system.parked():
            for pending in self._pending:
                pending.block.dirty.disable(LOG_CLIENT)
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    # -- pages

    def _write(self, stream: Output, data: bytes | bytearray) -> None:
        self.counters.transferred += len(data)
        stream.write(data)

    def _chunk(self, stream: Output, limit: int = CHUNK) -> bool:
        """Send some pages that lie side by side; returns whether there were any."""
        for _ in range(len(self._pending) + 1):
            pending = self._pending[self._at]
            first = pending.map.find(1, self._page)
            if first >= 0:
                end = pending.map.find(0, first, first + limit)
                end = end if end >= 0 else min(first + limit, len(pending.map))
                pending.map[first:end] = bytes(end - first)
                self._page = end
                self._send(stream, pending, first, end)
                return True
            self._at = (self._at + 1) % len(self._pending)
            self._page = 0
        return False

    def _send(self, stream: Output, pending: _Pending, first: int, end: int) -> None:
        data = bytes(pending.block.data[first * PAGE_SIZE : end * PAGE_SIZE])
        if len(data) < (end - first) * PAGE_SIZE:  # a block that ends within a page
            data = data.ljust((end - first) * PAGE_SIZE, b"\0")
        if data == (_ZERO_CHUNK if end - first == CHUNK else _ZERO_CHUNK[: len(data)]):
            self._zeros(stream, pending, first, end)
            return
        start = first * PAGE_SIZE
        if self._cache is None and not self.options.compress_threads:
            self._write(stream, b"".join(self._plain(pending, start, data)))
            return
        pages = [data[at : at + self._unit] for at in range(0, len(data), self._unit)]
        encode = self._deltas if self._cache is not None else self._compressed
        self._write(stream, b"".join(encode(pending, start, pages)))

    def _head(self, pending: _Pending, address: int, kind: int) -> bytes:
        """The begin of a record: the block is named if the record before was of another one."""
        name = pending.saved.name
        if self._last == name:
            return struct.pack(">Q", address | kind | CONTINUE)
        self._last = name
        return struct.pack(">Q", address | kind) + string(name)

    def _zeros(self, stream: Output, pending: _Pending, first: int, end: int) -> None:
        unit, start = self._unit, first * PAGE_SIZE
        out = bytearray(self._head(pending, start, ZERO) + b"\0")
        pack = _ZERO_RECORD.pack
        flags = ZERO | CONTINUE
        addresses = range(start, end * PAGE_SIZE, unit)
        out += b"".join([pack(address | flags, 0) for address in addresses[1:]])
        self.counters.duplicate += len(addresses)
        if self._cache is not None:
            for address in addresses:  # what follows is the difference from zeros, or none
                self._cache.drop((pending.saved.name, address))
        self._write(stream, out)

    def _plain(self, pending: _Pending, start: int, data: bytes) -> list[bytes | memoryview]:
        """Pages as they are, and zero pages as such."""
        view, pack, unit, zero_page = memoryview(data), struct.Struct(">Q").pack, self._unit, self._zero_page
        out: list[bytes | memoryview] = [b""]
        zeros = 0
        for at in range(0, len(data), unit):
            # A look at the begin of most pages saves a copy of them.
            if data[at : at + 16] == _ZERO_START and data[at : at + unit] == zero_page:
                zeros += 1
                out += (pack(start + at | ZERO | CONTINUE), b"\0")
            else:
                out += (pack(start + at | PAGE | CONTINUE), view[at : at + unit])
        kind = int.from_bytes(out[1], "big") & (ZERO | PAGE)
        out[1] = self._head(pending, start, kind)
        self.counters.duplicate += zeros
        self.counters.normal += len(data) // unit - zeros
        return out

    def _compressed(self, pending: _Pending, start: int, pages: Sequence[bytes]) -> list[bytes | memoryview]:
        """Each page a zlib stream of its own; the first record of a block is a plain page."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.options.compress_threads, "compress")
        level = self.options.compress_level
        packed = list(self._threads.map(lambda page: zlib.compress(page, level), pages))
        out: list[bytes | memoryview] = []
        for number, (page, data) in enumerate(zip(pages, packed, strict=True)):
            address = start + number * self._unit
            if not pending.compressed_before or self._last != pending.saved.name:
                pending.compressed_before = True
                out += self._plain(pending, address, page)
            elif page == self._zero_page:
                self.counters.duplicate += 1
                out += (self._head(pending, address, ZERO), b"\0")
            else:
                self.counters.normal += 1
                out += (self._head(pending, address, COMPRESSED), struct.pack(">I", len(data)), data)
        return out

    # -- differences

    def _deltas(self, pending: _Pending, start: int, pages: Sequence[bytes]) -> list[bytes | memoryview]:
        out: list[bytes | memoryview] = []
        for number, page in enumerate(pages):
            out += self._delta(pending, start + number * self._unit, page)
        return out

    def _delta(self, pending: _Pending, address: int, page: bytes) -> list[bytes | memoryview]:
        assert self._cache is not None
        if self._first_pass:
            if page != self._zero_page:
                self._cache.put((pending.saved.name, address), page)
            return self._plain(pending, address, page)
        key = pending.saved.name, address
        before = self._cache.get(key)
        self._cache.put(key, page)
        if before is None:
            self.delta_counters.cache_miss += 1
            return self._plain(pending, address, page)
        delta = xbzrle.encode(before, page, self._unit - 1)
        if delta is None:
            self.delta_counters.overflow += 1
            return self._plain(pending, address, page)
        if not delta:
            self.counters.skipped += 1
            return []
        out: list[bytes | memoryview] = [
            self._head(pending, address, XBZRLE),
            struct.pack(">BH", XBZRLE_CODING, len(delta)),
            delta,
        ]
        self.delta_counters.pages += 1
        self.delta_counters.bytes += sum(map(len, out))
        return out

    def _rate_misses(self) -> None:
        counters = self.delta_counters
        counters.cache_size = self.options.cache_size
        tried = counters.cache_miss + counters.pages + counters.overflow
        counters.cache_miss_rate = counters.cache_miss / tried if tried else 0.0

    def set_cache_size(self, size: int) -> None:
        """The XBZRLE cache may be resized under way."""
        if self._cache is not None and size != self.options.cache_size:
            self.options.cache_size = size
            self._cache.resize(size)
