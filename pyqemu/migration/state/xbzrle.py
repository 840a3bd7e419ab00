"""XBZRLE: a page as the difference from what was sent of it before.

A difference is repeated: the length of a run of bytes that stayed, the length of a run of bytes that changed, and these
bytes. Lengths are little-endian in base 128, the top bit says that more follows. What stayed at the end is left out.
"""

from __future__ import annotations

import re
from collections import OrderedDict

_CHANGED = re.compile(rb"[^\0]+")


class CodingError(ValueError):
    """A difference that cannot be."""


def encode(old: bytes, new: bytes, limit: int) -> bytes | None:
    """The difference; None if it is longer than *limit*."""
    size = len(old)
    changed = (int.from_bytes(old, "little") ^ int.from_bytes(new, "little")).to_bytes(size, "little")
    out = bytearray()
    at = 0
    for run in _CHANGED.finditer(changed):
        first, end = run.span()
        out += _length(first - at) + _length(end - first) + new[first:end]
        at = end
        if len(out) > limit:
            return None
    return bytes(out)


def decode(delta: bytes, page: bytearray) -> None:
    """Apply a difference.

    :raise CodingError: it leads out of the page, or is cut.
    """
    at = where = 0
    while at < len(delta):
        count, at = _take_length(delta, at)
        where += count
        count, at = _take_length(delta, at)
        if not count or where + count > len(page) or at + count > len(delta):
            raise CodingError(f"a run of {count} bytes at {where}, {len(delta) - at} bytes left")
        page[where : where + count] = delta[at : at + count]
        where += count
        at += count


def _length(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _take_length(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift <= 14:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
    raise CodingError("a length is cut")


class PageCache:
    """What was sent of pages, up to a size; those that were not used for longest go first."""

    def __init__(self, size: int, page_size: int = 4096) -> None:
        self.page_size = page_size
        self._pages: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self.resize(size)

    def resize(self, size: int) -> None:
        """Set how many bytes it may hold."""
        self.size = size
        self._limit = max(1, size // self.page_size)
        while len(self._pages) > self._limit:
            self._pages.popitem(last=False)

    def get(self, key: tuple[str, int]) -> bytes | None:
        """The page as it was sent."""
        found = self._pages.get(key)
        if found is not None:
            self._pages.move_to_end(key)
        return found

    def put(self, key: tuple[str, int], page: bytes) -> None:
        """Remember what was sent."""
        self._pages[key] = page
        self._pages.move_to_end(key)
        if len(self._pages) > self._limit:
            self._pages.popitem(last=False)

    def drop(self, key: tuple[str, int]) -> None:
        """Something else was sent of that page."""
        self._pages.pop(key, None)
