"""Flattening: from the tree of regions to a sorted list of what answers where.

The tree is walked from the region that wins to the one that loses; each fills only the addresses
that are still free. Nothing is ever overwritten, so the order of the walk is the whole rule.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from pyqemu.memory.ram import RamBlock
from pyqemu.memory.region import AliasRegion, MemoryRegion, RegionKind, RomDeviceRegion


class Section:
    """The addresses from ``start`` to ``end`` (exclusive) are ``region`` from ``offset`` on.

    ``base`` is what to subtract from an address to get the offset in the region. ``ram`` is the
    block if reads may go straight to memory, ``writable`` tells whether writes may too; ``is_paged``
    whether its pages came from elsewhere when the section was made.
    """

    __slots__ = ("base", "data", "end", "is_paged", "load", "offset", "ram", "region", "start", "store", "writable")

    def __init__(self, start: int, end: int, region: MemoryRegion, offset: int, readonly: bool = False) -> None:
        self.start = start
        self.end = end
        self.region = region
        self.offset = offset
        self.base = start - offset
        direct = not isinstance(region, RomDeviceRegion) or region.romd_mode
        self.ram: RamBlock | None = region.ram_block if direct else None
        self.data: memoryview | None = self.ram.data if self.ram else None
        self.is_paged = self.ram is not None and self.ram.pager is not None
        self.writable = region.kind is RegionKind.RAM and not readonly
        self.load: Callable[[int, int], int] = region.load
        self.store: Callable[[int, int, int], None] = region.store
        if region.kind is RegionKind.RAM and readonly:
            self.store = _ignore

    @property
    def assigned(self) -> bool:
        """Whether anything answers here at all."""
        return self.region.kind is not RegionKind.UNASSIGNED

    def key(self) -> tuple[object, ...]:
        """What makes two sections the same."""
        return (self.start, self.end, id(self.region), self.offset, self.writable, self.ram is None, self.is_paged)

    def part(self, start: int, end: int) -> Section:
        """A part of it as a section of its own."""
        return Section(start, end, self.region, start - self.base, not self.writable)

    def __repr__(self) -> str:
        return f"<Section {self.start:#x}-{self.end - 1:#x} {self.region.name}+{self.offset:#x}>"


def _ignore(offset: int, size: int, value: int) -> None:
    """A write to RAM that is mapped read-only."""


class _Flattener:
    """The view under construction: disjoint pieces, sorted by start."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.pieces: list[tuple[int, int, MemoryRegion, int, bool]] = []

    def render(self, region: MemoryRegion, base: int, low: int, high: int, readonly: bool) -> None:
        """Put ``region``, whose offset 0 is at ``base``, into what is free of [low, high)."""
        low, high = max(low, base), min(high, base + region.size)
        if not region.enabled or low >= high:
            return
        readonly = readonly or region.readonly
        if isinstance(region, AliasRegion):
            self.render(region.target, base - region.offset, low, high, readonly)
            return
        for child in region.children:
            self.render(child, base + child.address, low, high, readonly)
        if region.terminates:
            self._fill(region, base, low, high, readonly)

    def _fill(self, region: MemoryRegion, base: int, low: int, high: int, readonly: bool) -> None:
        index = bisect_right(self.starts, low)
        if index and self.pieces[index - 1][1] > low:
            low = self.pieces[index - 1][1]
        while low < high:
            following = self.starts[index] if index < len(self.starts) else high
            end = min(high, following)
            if low < end:
                self.starts.insert(index, low)
                self.pieces.insert(index, (low, end, region, low - base, readonly))
                index += 1
            if index >= len(self.pieces):
                return
            low = max(low, self.pieces[index][1])
            index += 1

    def sections(self) -> list[Section]:
        """The finished view; neighbours that continue each other become one."""
        merged: list[tuple[int, int, MemoryRegion, int, bool]] = []
        for piece in self.pieces:
            if merged:
                start, end, region, offset, readonly = merged[-1]
                follows = end == piece[0] and offset + (end - start) == piece[3]
                if follows and region is piece[2] and readonly == piece[4]:
                    merged[-1] = (start, piece[1], region, offset, readonly)
                    continue
            merged.append(piece)
        return [Section(*piece) for piece in merged]


def flatten(root: MemoryRegion) -> list[Section]:
    """Return the sections that ``root`` and all below it make, sorted, disjoint."""
    flattener = _Flattener()
    flattener.render(root, 0, 0, root.size, False)
    return flattener.sections()
