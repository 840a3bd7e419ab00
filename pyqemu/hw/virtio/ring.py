"""The split ring in guest memory: descriptors, the driver's ring of what is available, the device's of what is used
(2.4, and 2.4.2 for the legacy layout in one piece).

All numbers are little-endian: legacy drivers use the guest's own order, which is that of every machine here. Nothing
that is in the ring is believed: who reads it checks it. Only memory is touched: a ring that lies in a device's
registers is none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pyqemu.hw.virtio.registers import MAX_QUEUE_SIZE
from pyqemu.memory import AddressSpace

DESCRIPTOR = struct.Struct("<QIHH")  # address, length, flags, next
USED = struct.Struct("<II")  # index of the chain's head, bytes written
HEADER = 4  # flags and index, before both rings' elements

NEXT, WRITE, INDIRECT = 1, 2, 4
NO_INTERRUPT = 1  # in the available ring's flags
NO_NOTIFY = 1  # in the used ring's flags


class BadRing(Exception):
    """The driver has broken the rules; the device stops until it is reset."""


@dataclass(frozen=True)
class Piece:
    """Some guest memory."""

    address: int
    length: int


def is_memory(space: AddressSpace, address: int, length: int) -> bool:
    """Whether there is RAM or ROM in all of a range."""
    end = address + length
    if end > 1 << 64:
        return False
    while address < end:
        section = space.lookup(address)
        if section.data is None:
            return False
        address = section.end
    return True


class Ring:
    """Where a queue's three parts are, and accesses to them.

    :ivar num: elements; a legacy driver cannot choose
    :ivar align: of the used ring in the legacy layout
    """

    def __init__(self, num: int) -> None:
        self.num = num
        self.align = 4096
        self.desc = self.avail = self.used = 0

    def place(self, address: int) -> None:
        """Lay it out in one piece from *address* on (legacy)."""
        self.desc = address
        self.avail = address + DESCRIPTOR.size * self.num
        self.used = (self.avail + HEADER + 2 * self.num + self.align - 1) & -self.align

    def check(self, space: AddressSpace) -> None:
        """See that there is memory where it is.

        :raise BadRing: there is none, or it wraps around.
        """
        for what, address, length in (("desc", self.desc, DESCRIPTOR.size * self.num),
                                      ("avail", self.avail, HEADER + 2 * self.num + 2),
                                      ("used", self.used, HEADER + USED.size * self.num + 2)):  # fmt: skip
            if not is_memory(space, address, length):
                raise BadRing(f"Cannot map {what}")

    # -- what the driver writes

    def avail_flags(self, space: AddressSpace) -> int:
        """Its flags."""
        return space.load(self.avail, 2)

    def avail_idx(self, space: AddressSpace) -> int:
        """How many chains it has made available, modulo 2**16."""
        return space.load(self.avail + 2, 2)

    def avail_head(self, space: AddressSpace, position: int) -> int:
        """The head of a chain that is available."""
        return space.load(self.avail + HEADER + 2 * (position % self.num), 2)

    def used_event(self, space: AddressSpace) -> int:
        """When it wants to be interrupted."""
        return space.load(self.avail + HEADER + 2 * self.num, 2)

    # -- what the device writes

    def set_used(self, space: AddressSpace, position: int, head: int, length: int) -> None:
        """Say that a chain is used."""
        space.write(self.used + HEADER + USED.size * (position % self.num), USED.pack(head, length))

    def used_idx(self, space: AddressSpace) -> int:
        """How many chains were used, as the driver sees it."""
        return space.load(self.used + 2, 2)

    def set_used_idx(self, space: AddressSpace, index: int) -> None:
        """Let the driver see so many."""
        space.store(self.used + 2, 2, index)

    def set_used_flag(self, space: AddressSpace, flag: int, on: bool) -> None:
        """Change a flag of the used ring."""
        flags = space.load(self.used, 2)
        space.store(self.used, 2, flags | flag if on else flags & ~flag)

    def set_avail_event(self, space: AddressSpace, index: int) -> None:
        """Say when the device wants to be notified."""
        space.store(self.used + HEADER + USED.size * self.num, 2, index & 0xFFFF)

    # -- chains

    def chain(self, space: AddressSpace, head: int) -> tuple[list[Piece], list[Piece]]:
        """Follow a chain; what the device may read, and what it may write.

        :raise BadRing: it is none.
        """
        table, limit, index = self.desc, self.num, head
        address, length, flags, _ = _descriptor(space, table, index)
        if flags & INDIRECT:
            if not length or length % DESCRIPTOR.size:
                raise BadRing("Invalid size for indirect buffer table")
            if not is_memory(space, address, length):
                raise BadRing("Cannot map indirect buffer")
            table, limit, index = address, length // DESCRIPTOR.size, 0
        out: list[Piece] = []
        in_: list[Piece] = []
        for address, length, flags in _walk(space, table, limit, index):
            if not length:
                raise BadRing("zero sized buffers are not allowed")
            if not is_memory(space, address, length):
                raise BadRing("bogus descriptor or out of resources")
            if flags & WRITE:
                in_.append(Piece(address, length))
            elif in_:
                raise BadRing("Incorrect order for descriptors")
            else:
                out.append(Piece(address, length))
        return out, in_


def _descriptor(space: AddressSpace, table: int, index: int) -> tuple[int, int, int, int]:
    found: tuple[int, int, int, int] = DESCRIPTOR.unpack(space.read(table + DESCRIPTOR.size * index, DESCRIPTOR.size))
    return found


def _walk(space: AddressSpace, table: int, limit: int, index: int) -> Iterator[tuple[int, int, int]]:
    """Address, length and flags of the descriptors of a chain, of which there can't be more than the table has."""
    for _ in range(min(limit, MAX_QUEUE_SIZE)):
        if index >= limit:
            raise BadRing(f"Desc next is {index}")
        address, length, flags, index = _descriptor(space, table, index)
        yield address, length, flags
        if not flags & NEXT:
            return
    raise BadRing("Looped descriptor")
