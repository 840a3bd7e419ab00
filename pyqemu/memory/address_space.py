"""An address space: the flat view of a region tree, and the accesses through it.

``load`` and ``store`` are what the CPU's slow path and every port instruction come through, so the
way to the device is short: one dictionary per page (per port in a small space) finds the section,
whose ``load`` is the region's bound method.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator

from pyqemu.memory.dirty import PAGE_BITS, PAGE_SIZE
from pyqemu.memory.flatview import Section, flatten
from pyqemu.memory.ram import RamBlock
from pyqemu.memory.region import MASKS, MAX_SIZE, MemoryRegion, RegionKind, UnassignedRegion

Buffer = bytes | bytearray | memoryview
WriteListener = Callable[[RamBlock, int, int], None]
Tap = Callable[[MemoryRegion, bool, int, int, int], None]
"""``(region, is_write, address, size, value)`` of an access to a device's registers."""

_SMALL = 0x10000  # spaces up to this size (ports) are cached per address


class AddressSpace:
    """Memory or ports, as one bus master sees them.

    What nobody answers to reads as all ones and takes no writes. Multi-byte values are
    little-endian. Callers hold the big lock, as all users of devices do.
    """

    def __init__(self, name: str, root: MemoryRegion, *, gaps_read_zero: bool = False) -> None:
        self.name = name
        self.root = root
        self.generation = 0
        """Counts the changes of the view."""
        self.topology_listeners: list[Callable[[], None]] = []
        """Called after the view changed."""
        self.write_listeners: list[WriteListener] = []
        """Called with (block, offset, length) after a write to RAM through this object: translated
        code that was there is stale."""
        self.main_ram: RamBlock | None = None
        """What a board says is its main RAM, where that cannot be seen from the map."""
        self._tap: Tap | None = None
        self._unassigned = UnassignedRegion(zero=gaps_read_zero)
        self._shift = 0 if root.size <= _SMALL else PAGE_BITS
        self._sections: list[Section] | None = None
        self._starts: list[int] = []
        self._cache: dict[int, Section] = {}
        root.observers.add(self)

    # -- the view

    @property
    def sections(self) -> list[Section]:
        """The flat view: assigned sections, sorted."""
        if self._sections is None:
            self._install(flatten(self.root))
        assert self._sections is not None
        return self._sections

    def _install(self, sections: list[Section]) -> None:
        if self._tap is not None:
            for section in sections:
                if section.region.kind is RegionKind.MMIO:
                    _tap(section, self._tap)
        self._sections = sections
        self._starts = [section.start for section in sections]
        self._cache = {}

    def topology_changed(self) -> None:
        """The tree changed. Without listeners the view is rebuilt when next used."""
        self.generation += 1
        if not self.topology_listeners:
            self._sections = None
            self._cache = {}
            return
        before = self._sections
        after = flatten(self.root)
        if before is not None and [s.key() for s in before] == [s.key() for s in after]:
            return
        self._install(after)
        for listener in self.topology_listeners:
            listener()

    def set_tap(self, tap: Tap | None) -> None:
        """Let *tap* hear of each access to a device from now on; with None they cost nothing but themselves."""
        self._tap = tap
        if self._sections is not None:
            self._install(flatten(self.root))

    def lookup(self, addr: int) -> Section:
        """Return the section that holds ``addr``: a region's, or the gap between two."""
        return self._cache.get(addr >> self._shift) or self._find(addr)

    def section_at(self, addr: int) -> Section:
        """As :meth:`lookup`, whether or not the memory there is to be touched."""
        sections = self.sections
        index = bisect_right(self._starts, addr)
        section = sections[index - 1] if index else None
        if section is None or section.end <= addr:
            start = section.end if section is not None else 0
            end = self._starts[index] if index < len(sections) else MAX_SIZE
            section = Section(start, end, self._unassigned, start)
        return section

    def _find(self, addr: int) -> Section:
        section = self.section_at(addr)
        while section.ram is not None and section.ram.pager is not None:
            start = max(section.start, addr & -PAGE_SIZE)
            section = section.part(start, min(section.end, (addr | PAGE_SIZE - 1) + 1))
            if not _get(section):
                break
            section = self.section_at(addr)  # somebody else may have changed the map meanwhile
        page = addr >> self._shift
        if section.start <= page << self._shift and (page + 1) << self._shift <= section.end:
            self._cache[page] = section
        return section

    # -- single accesses

    def load(self, addr: int, size: int) -> int:
        """Return the value of ``size`` (1, 2, 4 or 8) bytes at ``addr``."""
        section = self._cache.get(addr >> self._shift) or self._find(addr)
        if addr + size > section.end and not section.region.takes(addr - section.base, size):
            return int.from_bytes(self._read_pieces(addr, size), "little")
        return section.load(addr - section.base, size)

    def store(self, addr: int, size: int, value: int) -> None:
        """Store the low ``size`` bytes of ``value`` at ``addr``."""
        section = self._cache.get(addr >> self._shift) or self._find(addr)
        if addr + size > section.end and not section.region.takes(addr - section.base, size):
            self._write_pieces(addr, (value & MASKS[size]).to_bytes(size, "little"))
            return
        offset = addr - section.base
        section.store(offset, size, value)
        if section.writable:
            self._written(section, offset, size)

    def read_port_block(self, addr: int, size: int, count: int) -> bytes:
        """Up to ``count`` reads of ``size`` bytes of one place in one go; empty if its handler has none such."""
        if self._tap is not None:
            return b""  # one by one, so that each is heard of
        section = self._cache.get(addr >> self._shift) or self._find(addr)
        read_block = getattr(getattr(section.region, "handler", None), "read_block", None)
        data: bytes = read_block(addr - section.base, size, count) if read_block is not None else b""
        return data

    def write_port_block(self, addr: int, size: int, data: bytes) -> int:
        """Write ``data`` to one place, ``size`` bytes at a time, in one go; returns how much of it was taken."""
        if self._tap is not None:
            return 0
        section = self._cache.get(addr >> self._shift) or self._find(addr)
        write_block = getattr(getattr(section.region, "handler", None), "write_block", None)
        taken: int = write_block(addr - section.base, size, data) if write_block is not None else 0
        return taken

    def _written(self, section: Section, offset: int, length: int) -> None:
        block = section.ram
        assert block is not None
        block.dirty.mark(offset, length)
        for listener in self.write_listeners:
            listener(block, offset, length)

    # -- ranges

    def view(self, addr: int, length: int) -> memoryview | None:
        """A view of RAM or ROM contents if one block holds the whole range; it is for reading."""
        section = self.lookup(addr)
        if section.data is None or addr + length > section.end:
            return None
        offset = addr - section.base
        return section.data[offset : offset + length]

    def read(self, addr: int, length: int) -> bytes:
        """Return ``length`` bytes from ``addr`` on."""
        section = self._cache.get(addr >> self._shift) or self._find(addr)
        if section.data is not None and addr + length <= section.end:
            offset = addr - section.base
            return bytes(section.data[offset : offset + length])
        return self._read_pieces(addr, length)

    def write(self, addr: int, data: Buffer) -> None:
        """Write ``data`` to ``addr`` on."""
        length = len(data)
        section = self._cache.get(addr >> self._shift) or self._find(addr)
        if section.writable and section.data is not None and addr + length <= section.end:
            offset = addr - section.base
            section.data[offset : offset + length] = data
            if length:
                self._written(section, offset, length)
            return
        self._write_pieces(addr, data)

    def write_rom(self, addr: int, data: Buffer) -> None:
        """As :meth:`write`, but ROM takes it, too, as if its contents were made, and devices do not."""
        view = memoryview(data)
        for section, start, size in self._pieces(addr, len(data)):
            if section.data is not None and section.ram is not None:
                offset = start - section.base
                section.data[offset : offset + size] = view[start - addr : start - addr + size]
                self._written(section, offset, size)

    def _read_pieces(self, addr: int, length: int) -> bytes:
        out = bytearray()
        for section, start, size in self._pieces(addr, length):
            offset = start - section.base
            if section.data is not None:
                out += section.data[offset : offset + size]
            else:
                for piece, width in _accesses(offset, size):
                    out += section.load(piece, width).to_bytes(width, "little")
        return bytes(out)

    def _write_pieces(self, addr: int, data: Buffer) -> None:
        view = memoryview(data)
        position = 0
        for section, start, size in self._pieces(addr, len(data)):
            offset = start - section.base
            part = view[position : position + size]
            position += size
            if section.writable and section.data is not None:
                section.data[offset : offset + size] = part
                self._written(section, offset, size)
            elif section.assigned:
                for piece, width in _accesses(offset, size):
                    first = piece - offset
                    section.store(piece, width, int.from_bytes(part[first : first + width], "little"))

    def _pieces(self, addr: int, length: int) -> Iterator[tuple[Section, int, int]]:
        """Cut a range at the borders of sections; the view is looked at anew for each piece."""
        while length > 0:
            addr &= MAX_SIZE - 1
            section = self.lookup(addr)
            size = min(length, section.end - addr)
            yield section, addr, size
            addr += size
            length -= size

    def __repr__(self) -> str:
        return f"<AddressSpace {self.name}>"


def _get(section: Section) -> bool:
    """Wait for the pages of RAM that a section shows; returns whether anything was waited for."""
    block = section.ram
    assert block is not None and block.pager is not None
    pager, waited = block.pager, False
    for page in range(section.offset >> PAGE_BITS, (section.end - 1 - section.base >> PAGE_BITS) + 1):
        waited |= pager.need(block, page)
    return waited


def _tap(section: Section, tap: Tap) -> None:
    """Put *tap* into the way to the section's device."""
    region, base = section.region, section.base
    load, store = section.load, section.store

    def tapped_load(offset: int, size: int) -> int:
        value = load(offset, size)
        tap(region, False, base + offset, size, value)
        return value

    def tapped_store(offset: int, size: int, value: int) -> None:
        tap(region, True, base + offset, size, value)
        store(offset, size, value)

    section.load, section.store = tapped_load, tapped_store


def _accesses(offset: int, length: int) -> Iterator[tuple[int, int]]:
    """Cut a range into naturally aligned accesses of at most 4 bytes, as a bus would."""
    while length:
        width = 4
        while width > length or offset & (width - 1):
            width >>= 1
        yield offset, width
        offset += width
        length -= width
