"""kdump's compressed form, which ``crash`` and ``makedumpfile`` read (their ``diskdump.h`` and ``IMPLEMENTATION``).

Its blocks are pages::

    disk_dump_header | kdump_sub_header and notes | bitmap of pages that exist | bitmap of pages dumped |
    a page_desc for each page dumped | the pages' data, compressed one by one

All pages of zeros share one piece of data. What is written is the "flattened" form, in which each piece says where it
belongs: it can be written from beginning to end, so also into a pipe.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyqemu.system.dump.memory import Block

PAGE = 4096
VERSION = 6
COMPRESSED_ZLIB = 1  # of the header's status and of a page's flags
EXCLUDE_ZERO_PAGES = 1  # of dump_level
FLAT_HEADER_SIZE = 4096
CACHE = 1 << 20  # bytes of descriptors or data that are written at once
ZLIB_LEVEL = 1

# struct disk_dump_header: signature, version, utsname, timestamp, then numbers (see _header).
_HEADER = struct.Struct("<8sI390s22s10i")
# struct kdump_sub_header of 64-bit kernels (see _sub_header); without padding.
_SUB_HEADER = struct.Struct("<QiiQQQQQQQQQQQ")
_SUB_HEADER_32 = struct.Struct("<IiiIIQIQIQIQQQ")
_DESC = struct.Struct("<QIIQ")  # offset, size, flags, page_flags


def flat_start() -> bytes:
    """What a flattened file begins with: its numbers are big-endian."""
    return struct.pack(">16sqq", b"makedumpfile", 1, 1).ljust(FLAT_HEADER_SIZE, b"\0")


def flat_piece(offset: int, data: bytes) -> bytes:
    """*data* that belongs at *offset*."""
    return struct.pack(">qq", offset, len(data)) + data


FLAT_END = struct.pack(">qq", -1, -1)


@dataclass(frozen=True)
class Kdump:
    """One dump. *read* gives physical memory; it is asked page by page, from the lowest address up."""

    blocks: list[Block]
    notes: bytes
    machine_name: str
    cpus: int
    wide: bool
    read: Callable[[int, int], bytes]

    @property
    def max_pfn(self) -> int:
        """The number after that of the last page."""
        return -(-self.blocks[-1].end // PAGE)

    @property
    def _sub_size(self) -> int:
        size = (_SUB_HEADER if self.wide else _SUB_HEADER_32).size
        return -(-(size + len(self.notes)) // PAGE)

    @property
    def _bitmap_size(self) -> int:
        """Bytes of one of the two bitmaps, in whole blocks."""
        return -(-self.max_pfn // (8 * PAGE)) * PAGE

    def pieces(self) -> Iterator[bytes]:
        """The file, piece by piece."""
        pages = list(self._pages())
        bitmap = self._bitmap(pages)
        start = PAGE * (1 + self._sub_size)
        yield flat_start()
        yield flat_piece(0, self._header())
        yield flat_piece(PAGE, self._sub_header() + self.notes)
        yield flat_piece(start, bitmap * 2)
        yield from self._data(pages, start + 2 * len(bitmap))
        yield FLAT_END

    def _pages(self) -> Iterator[int]:
        """Numbers of pages that have memory, if only in part."""
        last = -1
        for block in self.blocks:
            for pfn in range(max(block.start // PAGE, last + 1), -(-block.end // PAGE)):
                last = pfn
                yield pfn

    def _bitmap(self, pages: list[int]) -> bytes:
        bits = bytearray(self._bitmap_size)
        for pfn in pages:
            bits[pfn >> 3] |= 1 << (pfn & 7)
        return bytes(bits)

    def _header(self) -> bytes:
        names = ("", "", "", "", self.machine_name, "")  # sysname, nodename, release, version, machine, domainname
        utsname = b"".join(name.encode().ljust(65, b"\0") for name in names)
        return _HEADER.pack(
            b"KDUMP   ", VERSION, utsname, bytes(22),
            COMPRESSED_ZLIB,                  # status
            PAGE,                             # block_size
            self._sub_size,                   # sub_hdr_size
            2 * self._bitmap_size // PAGE,    # bitmap_blocks
            min(self.max_pfn, 0x7FFFFFFF),    # max_mapnr; the sub header has it in 64 bits
            0, 0, 0, 0,                       # total_ram_blocks, device_blocks, written_blocks, current_cpu
            self.cpus,                        # nr_cpus
        ).ljust(PAGE, b"\0")  # fmt: skip

    def _sub_header(self) -> bytes:
        form = _SUB_HEADER if self.wide else _SUB_HEADER_32
        return form.pack(
            0, EXCLUDE_ZERO_PAGES,            # phys_base, dump_level
            0, 0, 0,                          # split, start_pfn, end_pfn
            0, 0,                             # offset_vmcoreinfo, size_vmcoreinfo
            PAGE + form.size, len(self.notes),  # offset_note, note_size
            0, 0,                             # offset_eraseinfo, size_eraseinfo
            0, 0, self.max_pfn,               # start_pfn_64, end_pfn_64, max_mapnr_64
        )  # fmt: skip

    # -- pages

    def _data(self, pages: list[int], descs_at: int) -> Iterator[bytes]:
        """Descriptors and data, each in pieces of about `CACHE` bytes."""
        data_at = descs_at + _DESC.size * len(pages)
        zero = _DESC.pack(data_at, PAGE, 0, 0)
        descs, data = bytearray(), bytearray(bytes(PAGE))
        for pfn in pages:
            page = self._page(pfn)
            if not page.strip(b"\0"):
                descs += zero
            else:
                packed = zlib.compress(page, ZLIB_LEVEL)
                flags = COMPRESSED_ZLIB if len(packed) < PAGE else 0
                stored = packed if flags else page
                descs += _DESC.pack(data_at + len(data), len(stored), flags, 0)
                data += stored
            if len(descs) >= CACHE:
                yield flat_piece(descs_at, bytes(descs))
                descs_at += len(descs)
                descs.clear()
            if len(data) >= CACHE:
                yield flat_piece(data_at, bytes(data))
                data_at += len(data)
                data.clear()
        yield flat_piece(descs_at, bytes(descs))
        yield flat_piece(data_at, bytes(data))

    def _page(self, pfn: int) -> bytes:
        """A page; where there is no memory, zeros."""
        address = pfn * PAGE
        parts = bytearray(PAGE)
        for block in self.blocks:
            start, end = max(block.start, address), min(block.end, address + PAGE)
            if start < end:
                parts[start - address : end - address] = self.read(start, end - start)
        return bytes(parts)
