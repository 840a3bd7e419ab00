"""Chains that a device holds while it is saved: QEMU's structure of a chain, as its hosts have it in memory."""

from __future__ import annotations

import struct

from pyqemu.hw.virtio.queue import Element
from pyqemu.hw.virtio.registers import MAX_QUEUE_SIZE
from pyqemu.hw.virtio.ring import Piece
from pyqemu.qom.vmstate import Reader
from pyqemu.qom.vmstate.field import mismatch

# Index, number of pieces to read and to write, padding; then their addresses, and their host addresses and lengths:
# first of all that can be written, then of all that can be read. The order of bytes is that of QEMU's hosts.
_HEAD = struct.Struct("<3I4x")
_ADDRESSES = struct.Struct(f"<{MAX_QUEUE_SIZE}Q")
_VECTORS = struct.Struct(f"<{2 * MAX_QUEUE_SIZE}Q")
SIZE = _HEAD.size + 2 * (_ADDRESSES.size + _VECTORS.size)


def pack_element(element: Element) -> bytes:
    """The bytes of a chain."""
    sides = (element.in_, element.out)
    parts = [_HEAD.pack(element.index, len(element.out), len(element.in_))]
    for pieces in sides:
        parts.append(_ADDRESSES.pack(*_filled([piece.address for piece in pieces], MAX_QUEUE_SIZE)))
    for pieces in sides:
        pairs = [number for piece in pieces for number in (0, piece.length)]
        parts.append(_VECTORS.pack(*_filled(pairs, 2 * MAX_QUEUE_SIZE)))
    return b"".join(parts)


def _filled(numbers: list[int], count: int) -> list[int]:
    return numbers + [0] * (count - len(numbers))


def read_element(reader: Reader, queue_size: int) -> Element:
    """A chain of a queue of that size.

    :raise LoadError: it can't be.
    """
    start = reader.position
    index, out_count, in_count = _HEAD.unpack(reader.take(_HEAD.size))
    if index >= queue_size:
        raise mismatch(f"a chain's head below {queue_size}", index, start)
    if out_count + in_count > MAX_QUEUE_SIZE:
        raise mismatch(f"at most {MAX_QUEUE_SIZE} pieces in a chain", out_count + in_count, start + 4)
    addresses = [_ADDRESSES.unpack(reader.take(_ADDRESSES.size)) for _ in range(2)]
    lengths = [_VECTORS.unpack(reader.take(_VECTORS.size))[1::2] for _ in range(2)]
    sides = [
        [Piece(address, length) for address, length in zip(addresses[n][:count], lengths[n], strict=False)]
        for n, count in ((0, in_count), (1, out_count))
    ]
    if any(not 0 < piece.length < 1 << 32 for pieces in sides for piece in pieces):
        raise mismatch("pieces of 1 byte to 4 GiB", "others", start)
    return Element(index, sides[1], sides[0])
