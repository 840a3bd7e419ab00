"""Whatever a driver writes into its rings, the device neither fails nor hangs nor touches what is no memory."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.queue import CHUNK, Element, gather, needs_event, ranges, scatter
from pyqemu.hw.virtio.ring import BadRing, Piece, Ring, is_memory
from pyqemu.memory import AddressSpace, MemoryRegion
from tests.hw.virtio.virtio_rig import Echo, Part, Queue, Window

SIZE = 8
RING = 0x1000
BUFFER = 0x10_0000

addresses = st.one_of(
    st.integers(0, Window.MEMORY), st.integers(0x1000_0000 - 8, 0x1000_0208), st.integers(0, (1 << 64) - 1),
    st.integers(RING, RING + 0x2000), st.sampled_from([0, (1 << 64) - 1, Window.MEMORY - 1, RING]),
)  # fmt: skip
lengths = st.one_of(
    st.integers(0, 64), st.sampled_from([16, 32, 128, 0xFFFF_FFFF, 0x1_0000]), st.integers(0, 1 << 32 - 1)
)
flags = st.one_of(st.integers(0, 7), st.integers(0, 0xFFFF))
descriptors = st.tuples(addresses, lengths, flags, st.one_of(st.integers(0, SIZE), st.integers(0, 0xFFFF)))


def driven(features: int, *, legacy: bool = True) -> tuple[Window, Queue]:
    """A window whose driver has set up the first queue, of eight elements."""
    window = Window(legacy=legacy)
    window.write(0x70, 3)
    if legacy:
        window.write(0x20, features & 0xFFFF_FFFF)
    else:
        for half in range(2):
            window.write(0x24, half)
            window.write(0x20, (features | 1 << r.F_VERSION_1) >> 32 * half & 0xFFFF_FFFF)
    queue = Queue(window, RING, SIZE)  # type: ignore[arg-type]
    window.write(0x38, SIZE)
    if legacy:
        window.write(0x28, 4096)
        window.write(0x40, RING >> 12)
    else:
        for offset, address in ((0x80, queue.desc), (0x90, queue.avail), (0xA0, queue.used)):
            window.write(offset, address)
        window.write(0x44, 1)
    window.write(0x70, 7 if legacy else 15)
    return window, queue


@settings(max_examples=150, deadline=None)
@given(
    table=st.lists(descriptors, min_size=SIZE, max_size=SIZE),
    indirect=st.lists(descriptors, max_size=4),
    heads=st.lists(st.one_of(st.integers(0, SIZE - 1), st.integers(0, 0xFFFF)), max_size=SIZE),
    index=st.one_of(st.none(), st.integers(0, 0xFFFF)),
    event=st.integers(0, 0xFFFF),
    accepted=st.sampled_from(
        [0, 1 << r.F_EVENT_IDX, 1 << r.F_INDIRECT_DESC, 1 << r.F_EVENT_IDX | 1 << r.F_INDIRECT_DESC]
    ),
    legacy=st.booleans(),
)
def test_any_rings(
    table: list[tuple[int, int, int, int]], indirect: list[tuple[int, int, int, int]], heads: list[int],
    index: int | None, event: int, accepted: int, legacy: bool,
) -> None:  # fmt: skip
    """Hostile descriptors: the device gives back at most what it was given, or is broken; a reset mends it."""
    window, queue = driven(accepted, legacy=legacy)
    for number, row in enumerate(indirect):
        window.poke(BUFFER + 16 * number, struct.pack("<QIHH", *row))
    for number, (address, length, bits, following) in enumerate(table):
        queue.write_descriptor(number, address, length, bits, following)
    for head in heads:
        queue.publish(head)
    if index is not None:
        window.poke(queue.avail + 2, index.to_bytes(2, "little"))
    window.poke(queue.avail + 4 + 2 * SIZE, event.to_bytes(2, "little"))
    window.write(0x50, 0)
    device = window.device
    assert isinstance(device, Echo)
    assert device.broken or len(device.seen) == device.queues[0].used_idx
    assert len(device.seen) <= SIZE
    seen = len(device.seen)
    window.write(0x50, 0)
    assert len(device.seen) == seen
    _works_after_reset(window)


def _works_after_reset(window: Window) -> None:
    window.write(0x70, 0)
    device = window.device
    assert isinstance(device, Echo)
    device.seen.clear()
    assert not device.broken
    window.write(0x70, 3)
    queue = Queue(window, 0x8000, SIZE)  # type: ignore[arg-type]
    device.queues[0].set_num(SIZE)
    device.queues[0].place(0x8000)
    window.write(0x70, 7)
    queue.put(Part(BUFFER, b"hello"), Part(BUFFER + 0x100, room=5))
    window.write(0x50, 0)
    assert device.seen == [(b"hello", 5)]
    assert window.peek(BUFFER + 0x100, 5) == b"olleh"
    assert queue.used_entries == [(0, 5)]


@settings(max_examples=60, deadline=None)
@given(desc=addresses, avail=addresses, used=addresses)
@example(desc=0x1000_0000, avail=0x1000_0040, used=0x1000_0050)  # the window's own registers
@example(desc=(1 << 64) - 64, avail=RING, used=RING)
def test_rings_anywhere(desc: int, avail: int, used: int) -> None:
    """A ring that is not in memory breaks the device, and registers are not touched."""
    window, _ = driven(0, legacy=False)
    device = window.device
    device.queues[0].set_rings(desc, avail, used)
    window.write(0x50, 0)
    everywhere = all(is_memory(window.memory, address, length) for address, length in
                     ((desc, 16 * SIZE), (avail, 6 + 2 * SIZE), (used, 6 + 8 * SIZE)))  # fmt: skip
    if not everywhere and desc and avail:
        assert device.broken
        assert device.status & r.STATUS_NEEDS_RESET


def test_a_device_does_not_write_to_its_own_registers() -> None:
    """A buffer at the window's notification register would be an endless loop."""
    window, queue = driven(0)
    queue.put(Part(BUFFER, bytes(4)), Part(0x1000_0050, room=4))
    window.write(0x50, 0)
    assert window.device.failure == "bogus descriptor or out of resources"


@pytest.mark.parametrize("count", [1, 3, 8])
def test_events(count: int) -> None:
    """With event indices the driver is interrupted when the one that it waits for is used."""
    window, queue = driven(1 << r.F_EVENT_IDX)
    window.poke(queue.avail + 4 + 2 * SIZE, (count - 1).to_bytes(2, "little"))
    for number in range(8):
        queue.free = 0
        queue.put(Part(BUFFER, b"x"))
        window.write(0x50, 0)
        first = number == 0  # QEMU's first interrupt after a reset comes in any case
        assert bool(window.read(0x60)) == (first or number == count - 1), number
        window.write(0x64, 3)
    assert int.from_bytes(window.peek(queue.used + 4 + 8 * SIZE, 2), "little") == 8


def test_no_interrupt_flag() -> None:
    window, queue = driven(0)
    window.poke(queue.avail, b"\1\0")
    queue.put(Part(BUFFER, b"x"))
    window.write(0x50, 0)
    assert (queue.used_idx, window.read(0x60)) == (1, 0)


def test_notify_on_empty_overrides_it() -> None:
    window, queue = driven(1 << r.F_NOTIFY_ON_EMPTY)
    window.poke(queue.avail, b"\1\0")
    queue.put(Part(BUFFER, b"x"))
    window.write(0x50, 0)
    assert window.read(0x60) == 1


def test_indices_wrap() -> None:
    window, queue = driven(0)
    for number in range(0x10003):
        if number > 4 and 12 < number < 0xFFF0:
            continue
        queue.free = 0
        if number == 0xFFF0:
            device = window.device.queues[0]
            device.last_avail_idx = device.used_idx = queue.put_idx = number
        queue.put(Part(BUFFER, b"x"))
        window.write(0x50, 0)
        assert queue.used_idx == number + 1 & 0xFFFF


@given(event=st.integers(0, 0xFFFF), old=st.integers(0, 0xFFFF), step=st.integers(0, 0xFFFF))
def test_needs_event_is_the_standards(event: int, old: int, step: int) -> None:
    """2.4.7.2: an interrupt if the index went past the event's: it was one of those that were given back."""
    assert needs_event(event, old + step & 0xFFFF, old) == ((event - old) & 0xFFFF < step)


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6), offset=st.integers(0, 200), data=st.binary(max_size=250)
)
def test_scattering_and_gathering(sizes: list[int], offset: int, data: bytes) -> None:
    root = MemoryRegion.container("memory")
    root.add(0, MemoryRegion.ram("ram", 0x10000))
    space = AddressSpace("memory", root)
    pieces = [Piece(0x1000 * n + 7, size) for n, size in enumerate(sizes, 1)]
    whole = bytearray(sum(sizes))
    part = data[: max(0, len(whole) - offset)]
    whole[offset : offset + len(part)] = part
    assert scatter(space, pieces, data, offset) == len(part)
    assert gather(space, pieces) == bytes(whole)
    assert Element(0, pieces, []).out_size == len(whole)


def test_large_pieces_are_cut() -> None:
    assert [piece.length for piece in ranges([Piece(0, 2 * CHUNK + 5)], 3, 4 * CHUNK)] == [CHUNK, CHUNK, 2]


def test_legacy_layout() -> None:
    """2.4.2: the used ring begins at a page."""
    ring = Ring(256)
    ring.place(0x10000)
    assert (ring.desc, ring.avail, ring.used) == (0x10000, 0x11000, 0x12000)
    ring.align = 64
    ring.place(0x10000)
    assert ring.used == 0x11240
    with pytest.raises(BadRing, match="Cannot map desc"):
        ring.check(AddressSpace("none", MemoryRegion.container("none")))
