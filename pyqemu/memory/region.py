"""The tree of memory regions (QEMU: ``docs/memory.txt``).

A region is RAM, ROM, MMIO, an alias of a part of another region, or a container; RAM and MMIO
regions may have subregions too, which lie above them. Among siblings that overlap, the higher
priority wins, and among equal priorities the one added last.
"""

from __future__ import annotations

import enum
import weakref
from typing import Protocol

from pyqemu.memory.ram import RamBlock
from pyqemu.memory.transaction import TopologyObserver, notify

MASKS = {1: 0xFF, 2: 0xFFFF, 3: 0xFF_FFFF, 4: 0xFFFF_FFFF, 8: 0xFFFF_FFFF_FFFF_FFFF}
"""All ones by access size: what nobody answers to, and what fits."""

MAX_SIZE = 1 << 64


class MmioHandler(Protocol):
    """The device side of an MMIO or port region. ``size`` is 1, 2, 4 or 8."""

    def read(self, offset: int, size: int) -> int:
        """Return the value at ``offset``, little-endian."""

    def write(self, offset: int, size: int, value: int) -> None:
        """Store ``value`` at ``offset``."""


class RegionKind(enum.Enum):
    """What a region is made of."""

    CONTAINER = "container"
    ALIAS = "alias"
    RAM = "ram"
    ROM = "rom"
    ROM_DEVICE = "romd"
    MMIO = "i/o"
    UNASSIGNED = "unassigned"


class MemoryRegion:
    """A node of the tree; made by :meth:`container`, :meth:`ram`, :meth:`rom`, :meth:`mmio`,
    :meth:`alias` and :meth:`rom_device`. The base class is the container."""

    kind = RegionKind.CONTAINER
    ram_block: RamBlock | None = None
    terminates = False  # whether it answers by itself where no subregion does

    def __init__(self, name: str, size: int) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise ValueError(f"memory region '{name}': size {size:#x}")
        self.name = name
        self.parent: MemoryRegion | None = None
        self.priority = 0
        self.children: list[MemoryRegion] = []  # the one that wins first
        self.aliases: weakref.WeakSet[MemoryRegion] = weakref.WeakSet()
        self.observers: weakref.WeakSet[TopologyObserver] = weakref.WeakSet()
        self._size = size
        self._address = 0
        self._enabled = True
        self._readonly = False

    # -- makers

    @classmethod
    def container(cls, name: str, size: int = MAX_SIZE) -> MemoryRegion:
        """A region that only holds others."""
        return MemoryRegion(name, size)

    @classmethod
    def ram(cls, name: str, size: int, block: RamBlock | None = None) -> MemoryRegion:
        """Guest RAM, in a new block or in ``block``."""
        return _RamRegion(name, size, block or RamBlock(name, size))

    @classmethod
    def rom(cls, name: str, contents: bytes | int) -> MemoryRegion:
        """A ROM of the given contents, or of that size for a loader to fill. Writes are ignored."""
        size = contents if isinstance(contents, int) else len(contents)
        block = RamBlock(name, size)
        if not isinstance(contents, int):
            block.data[:] = contents
        return _RomRegion(name, size, block)

    @classmethod
    def rom_device(cls, name: str, contents: bytes | int, handler: MmioHandler) -> RomDeviceRegion:
        """A flash-like chip: read straight from memory, written through ``handler``."""
        size = contents if isinstance(contents, int) else len(contents)
        block = RamBlock(name, size)
        if not isinstance(contents, int):
            block.data[:] = contents
        return RomDeviceRegion(name, size, block, handler)

    @classmethod
    def mmio(
        cls,
        name: str,
        size: int,
        handler: MmioHandler,
        *,
        access: tuple[int, int] = (1, 8),
        impl: tuple[int, int] | None = None,
    ) -> MemoryRegion:
        """Registers: the guest may use the sizes ``access``; the handler takes ``impl``.

        Wider accesses are split. Narrower ones than the handler takes are widened to the aligned
        unit, with the bytes in their lanes (a narrow write sends zero in the others).
        """
        return _MmioRegion(name, size, handler, access, impl or access)

    @classmethod
    def alias(cls, name: str, target: MemoryRegion, offset: int, size: int) -> AliasRegion:
        """A window of ``size`` bytes on ``target`` from ``offset`` on."""
        return AliasRegion(name, target, offset, size)

    # -- the tree

    def add(self, offset: int, sub: MemoryRegion, priority: int = 0) -> MemoryRegion:
        """Map ``sub`` at ``offset`` into this region, and return it."""
        if sub.parent is not None:
            raise ValueError(f"memory region '{sub.name}' is mapped already, in '{sub.parent.name}'")
        sub.parent = self
        sub.priority = priority
        sub._address = offset
        self._insert(sub)
        self._changed()
        return sub

    def remove(self, sub: MemoryRegion) -> None:
        """Unmap ``sub``."""
        self.children.remove(sub)
        sub.parent = None
        self._changed()

    def _insert(self, sub: MemoryRegion) -> None:
        position = 0
        while position < len(self.children) and self.children[position].priority > sub.priority:
            position += 1
        self.children.insert(position, sub)

    @property
    def enabled(self) -> bool:
        """A disabled region is as if it were not mapped."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        if enabled != self._enabled:
            self._enabled = enabled
            self._changed(toggled=True)

    @property
    def address(self) -> int:
        """Where it lies in its parent."""
        return self._address

    @address.setter
    def address(self, address: int) -> None:
        if address != self._address:
            self._address = address
            if self.parent is not None:  # among equals, the one that moved last wins
                self.parent.children.remove(self)
                self.parent._insert(self)
            self._changed()

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self._size

    @size.setter
    def size(self, size: int) -> None:
        if size != self._size:
            self._size = size
            self._changed()

    @property
    def readonly(self) -> bool:
        """Whether writes to the RAM in it are ignored."""
        return self._readonly

    @readonly.setter
    def readonly(self, readonly: bool) -> None:
        if readonly != self._readonly:
            self._readonly = readonly
            self._changed()

    def contents_changed(self) -> None:
        """What is in it is reached in another way than before."""
        self._changed()

    def _changed(self, *, toggled: bool = False) -> None:
        """Tell every address space in whose tree this region is visible (or was, if ``toggled``)."""
        found: dict[int, TopologyObserver] = {}
        seen: set[int] = set()
        stack: list[MemoryRegion] = [self]
        while stack:
            region = stack.pop()
            if id(region) in seen:
                continue
            seen.add(id(region))
            if not region._enabled and not (toggled and region is self):
                continue  # nothing of it shows
            for observer in region.observers:
                found[id(observer)] = observer
            if region.parent is not None:
                stack.append(region.parent)
            stack.extend(region.aliases)
        if found:
            notify(list(found.values()))

    # -- access by offset

    def load(self, offset: int, size: int) -> int:
        """Return the little-endian value at ``offset`` of this very region."""
        return MASKS[size]

    def store(self, offset: int, size: int, value: int) -> None:
        """Store at ``offset`` of this very region. RAM is not marked dirty: that is the space's."""

    def takes(self, offset: int, size: int) -> bool:
        """Whether that access goes to a device in one piece.

        It then does so even where another region covers a part of it, since a device decodes the
        address that an access starts at (the byte port 0xCF9 lies inside of the long port 0xCF8).
        """
        return False

    def __repr__(self) -> str:
        return f"<MemoryRegion {self.name} {self.kind.value} {self._size:#x}>"


class UnassignedRegion(MemoryRegion):
    """What is between the regions: reads as ones, or as zero; takes no writes."""

    kind = RegionKind.UNASSIGNED

    def __init__(self, *, zero: bool = False) -> None:
        super().__init__("unassigned", MAX_SIZE)
        self._zero = zero

    def load(self, offset: int, size: int) -> int:
        return 0 if self._zero else MASKS[size]


class AliasRegion(MemoryRegion):
    """A window on another region."""

    kind = RegionKind.ALIAS

    def __init__(self, name: str, target: MemoryRegion, offset: int, size: int) -> None:
        super().__init__(name, size)
        self.target = target
        self._offset = offset
        target.aliases.add(self)

    @property
    def offset(self) -> int:
        """Where the window begins in the target."""
        return self._offset

    @offset.setter
    def offset(self, offset: int) -> None:
        if offset != self._offset:
            self._offset = offset
            self._changed()


class _RamRegion(MemoryRegion):
    kind = RegionKind.RAM
    terminates = True

    def __init__(self, name: str, size: int, block: RamBlock) -> None:
        super().__init__(name, size)
        self.ram_block: RamBlock = block
        self._data = block.data
        block.regions.add(self)

    def load(self, offset: int, size: int) -> int:
        return int.from_bytes(self._data[offset : offset + size], "little")

    def store(self, offset: int, size: int, value: int) -> None:
        self._data[offset : offset + size] = (value & MASKS[size]).to_bytes(size, "little")


class _RomRegion(_RamRegion):
    kind = RegionKind.ROM

    def store(self, offset: int, size: int, value: int) -> None:
        """A mask ROM has no write line."""


class RomDeviceRegion(_RamRegion):
    """Memory for reads (while ``romd_mode``), registers for writes."""

    kind = RegionKind.ROM_DEVICE

    def __init__(self, name: str, size: int, block: RamBlock, handler: MmioHandler) -> None:
        super().__init__(name, size, block)
        self.handler = handler
        self._romd_mode = True

    @property
    def romd_mode(self) -> bool:
        """Whether reads come from the memory; else they go to the handler too."""
        return self._romd_mode

    @romd_mode.setter
    def romd_mode(self, romd_mode: bool) -> None:
        if romd_mode != self._romd_mode:
            self._romd_mode = romd_mode
            self._changed()

    def load(self, offset: int, size: int) -> int:
        if self._romd_mode:
            return super().load(offset, size)
        return self.handler.read(offset, size) & MASKS[size]

    def store(self, offset: int, size: int, value: int) -> None:
        self.handler.write(offset, size, value & MASKS[size])


class _MmioRegion(MemoryRegion):
    kind = RegionKind.MMIO
    terminates = True

    def __init__(
        self, name: str, size: int, handler: MmioHandler, access: tuple[int, int], impl: tuple[int, int]
    ) -> None:
        super().__init__(name, size)
        self.handler = handler
        self.access = access
        self.impl = impl
        low, high = max(access[0], impl[0]), min(access[1], impl[1])
        # Sizes that go to the handler as they are, with the mask of what it may answer.
        self._direct = {size: MASKS[size] for size in (1, 2, 4, 8) if low <= size <= high}

    def load(self, offset: int, size: int) -> int:
        mask = self._direct.get(size)
        if mask is not None:
            return self.handler.read(offset, size) & mask
        return self._load_adjusted(offset, size)

    def store(self, offset: int, size: int, value: int) -> None:
        mask = self._direct.get(size)
        if mask is not None:
            self.handler.write(offset, size, value & mask)
        else:
            self._store_adjusted(offset, size, value & MASKS[size])

    def takes(self, offset: int, size: int) -> bool:
        return size in self._direct and offset + size <= self._size

    def _load_adjusted(self, offset: int, size: int) -> int:
        if size < self.access[0]:
            return MASKS[size]
        unit = min(self.access[1], self.impl[1])
        if size > unit:
            value = 0
            for position in range(0, size, unit):
                value |= self.load(offset + position, unit) << (8 * position)
            return value
        unit = self.impl[0]
        value = self.handler.read(offset & -unit, unit) & MASKS[unit]
        return value >> (8 * (offset & (unit - 1))) & MASKS[size]

    def _store_adjusted(self, offset: int, size: int, value: int) -> None:
        if size < self.access[0]:
            return
        unit = min(self.access[1], self.impl[1])
        if size > unit:
            for position in range(0, size, unit):
                self.store(offset + position, unit, value >> (8 * position) & MASKS[unit])
            return
        unit = self.impl[0]
        lanes = value << (8 * (offset & (unit - 1)))
        self.handler.write(offset & -unit, unit, lanes & MASKS[unit])
