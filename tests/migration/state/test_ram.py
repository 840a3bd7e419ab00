"""Memory on its way: passes, zero pages, differences, compression."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.memory import RamBlock
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.halves import Control, Counters, Statistics, XbzrleCounters
from pyqemu.migration.parameters import Parameters
from pyqemu.migration.state import xbzrle
from pyqemu.migration.state.frame import MemoryInput, MemoryOutput, Reading
from pyqemu.migration.state.machine import PAGE_SIZE, SavedMachine
from pyqemu.migration.state.ram import RamOptions, RamSender
from pyqemu.migration.state.ram_load import RamReceiver
from pyqemu.migration.state.source import MachineSource
from pyqemu.system import FakeClock, System

PAGES = 600


def block_of(pages: int, name: str = "ram") -> RamBlock:
    return RamBlock(name, pages * PAGE_SIZE)


def machine_with(*blocks: RamBlock) -> SavedMachine:
    machine = SavedMachine("test", System(clock=FakeClock()))
    for block in blocks:
        machine.add_block(block.name, block)
    return machine


def receive(data: bytes, machine: SavedMachine) -> RamReceiver:
    reading = Reading(MemoryInput(data))
    receiver = RamReceiver(machine)
    while reading.position < len(data):
        receiver.section(reading)
    receiver.done()
    return receiver


def scribble(rng: random.Random, block: RamBlock, count: int, length: int = 64) -> None:
    for _ in range(count):
        offset = rng.randrange(block.size - length)
        block.write(offset, rng.randbytes(length))


@pytest.mark.parametrize(
    "options",
    [RamOptions(), RamOptions(compress_threads=2), RamOptions(cache_size=1 << 20), RamOptions(cache_size=8 << 20)],
    ids=["plain", "compressed", "small cache", "large cache"],
)
def test_memory_arrives(rng: random.Random, options: RamOptions) -> None:
    """Whatever is written between the passes."""
    sent, other = block_of(PAGES), block_of(3, "other")
    machine = machine_with(sent, other)
    scribble(rng, sent, 400)
    sender = RamSender(machine, options, Counters(), XbzrleCounters())
    stream = MemoryOutput()
    sender.setup(stream)
    for _ in range(3):
        assert not sender.part(stream)
        scribble(rng, sent, 40)
        sent.write(rng.randrange(PAGES) * PAGE_SIZE, bytes(PAGE_SIZE))
        sender.sync()
    scribble(rng, other, 2)
    sender.finish(stream)
    sender.cleanup()
    copy, other_copy = block_of(PAGES), block_of(3, "other")
    receive(bytes(stream.data), machine_with(copy, other_copy))
    assert bytes(copy.data) == bytes(sent.data)
    assert bytes(other_copy.data) == bytes(other.data)
    assert not sent.dirty.enabled


def test_statistics() -> None:
    sent = block_of(10)
    sent.data[5 * PAGE_SIZE] = 1
    counters = Counters()
    sender = RamSender(machine_with(sent), RamOptions(), counters)
    stream = MemoryOutput()
    sender.setup(stream)
    assert counters.remaining == 10 * PAGE_SIZE
    sender.part(stream)
    sender.finish(stream)
    assert (counters.total, counters.duplicate, counters.normal) == (10 * PAGE_SIZE, 9, 1)
    assert (counters.remaining, counters.dirty_sync_count, counters.transferred) == (0, 2, len(stream.data))


def test_differences_are_counted() -> None:
    sent = block_of(4)
    sent.data[:] = b"x" * len(sent.data)
    counters, delta = Counters(), XbzrleCounters()
    sender = RamSender(machine_with(sent), RamOptions(cache_size=1 << 20), counters, delta)
    stream = MemoryOutput()
    sender.setup(stream)
    sender.part(stream)
    sent.write(17, b"changed")
    sender.sync()
    size = len(stream.data)
    sender.part(stream)
    assert delta.pages == 1
    assert len(stream.data) - size < 100
    assert delta.cache_miss == 0


def test_a_section_ends_when_the_stream_has_had_enough() -> None:
    sent = block_of(PAGES)
    sent.data[:] = b"x" * len(sent.data)
    sender = RamSender(machine_with(sent), RamOptions(), Counters())
    stream = MemoryOutput()
    sender.setup(stream)
    stream.exhausted = True
    assert sender.part(stream)
    assert 0 < sender.remaining < sent.size


class Quick(MemoryOutput):
    """Takes so many bytes at once, as the buffer of a socket does."""

    reader, exhausted = None, True

    @property
    def position(self) -> int:
        return len(self.data)


@pytest.mark.parametrize(("limit", "settled"), [(1 << 20, False), (1 << 30, True)])
def test_the_limit_says_how_much_is_sent_while_the_guest_stands_still(limit: int, settled: bool) -> None:
    """However quickly the first bytes vanish: what is left takes more than a second, or some milliseconds."""
    sent = block_of(PAGES)
    sent.data[:] = b"x" * len(sent.data)
    parameters = Parameters()
    parameters.max_bandwidth, parameters.downtime_limit = limit, 300
    source = MachineSource(machine_with(sent), parameters=parameters)
    source.setup(Quick(), Control(Statistics(), lambda status: None))  # type: ignore[arg-type]
    assert source.iterate(Quick()) is settled  # type: ignore[arg-type]


@given(st.binary(min_size=64, max_size=64), st.lists(st.tuples(st.integers(0, 63), st.integers(0, 255)), max_size=20))
def test_a_difference_makes_the_new_page(old: bytes, changes: list[tuple[int, int]]) -> None:
    new = bytearray(old)
    for position, value in changes:
        new[position] = value
    delta = xbzrle.encode(old, bytes(new), 1000)
    assert delta is not None
    page = bytearray(old)
    xbzrle.decode(delta, page)
    assert page == new


@given(st.binary(max_size=40))
def test_no_difference_leads_out_of_the_page(delta: bytes) -> None:
    page = bytearray(64)
    try:
        xbzrle.decode(delta, page)
    except xbzrle.CodingError:
        pass
    assert len(page) == 64


def head(flags: int, offset: int = 0, name: str = "") -> bytes:
    return (offset | flags).to_bytes(8, "big") + (bytes([len(name)]) + name.encode() if name else b"")


LIST = head(4, 4 * PAGE_SIZE) + b"\3ram" + (4 * PAGE_SIZE).to_bytes(8, "big")
END = head(0x10)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (head(4, PAGE_SIZE) + b"\5other" + PAGE_SIZE.to_bytes(8, "big"), 'Unknown ramblock "other"'),
        (head(4, PAGE_SIZE) + b"\3ram" + PAGE_SIZE.to_bytes(8, "big"), "Length mismatch: ram: 0x1000 in != 0x4000"),
        (LIST + LIST, "the list of RAM blocks"),
        (head(8, 0, "ram") + bytes(PAGE_SIZE), "Can't find block 'ram'"),
        (LIST + head(8 | 0x20) + bytes(PAGE_SIZE), "A page of no block"),
        (LIST + head(8, 4 * PAGE_SIZE, "ram") + bytes(PAGE_SIZE), "at 0x4000, but its length is 0x4000"),
        (LIST + head(0x0C), "Unknown combination of migration flags: 0xc"),
        (LIST + head(0x40, 0, "ram") + b"\2\0\0", "wrong compression"),
        (LIST + head(0x40, 0, "ram") + b"\1\0\3\0\x81\x40", "decode error"),
        (LIST + head(0x100, 0, "ram") + b"\xff\xff\xff\xff", "Invalid compressed data length"),
        (LIST + head(0x100, 0, "ram") + b"\0\0\0\4junk", "decompress data failed"),
        (LIST + head(8, 0, "ram") + b"short", "Unexpected end of file"),
    ],
)
def test_a_record_that_cannot_be(data: bytes, message: str) -> None:
    with pytest.raises(MigrationError) as caught:
        receive(data + (b"" if "end of file" in message else END), machine_with(block_of(4)))
    assert message in str(caught.value)


def test_a_zero_page_clears_what_was_there() -> None:
    machine = machine_with(block_of(4))
    machine.blocks[0].block.data[7] = 7
    receive(LIST + head(2, 0, "ram") + b"\0" + END, machine)
    assert machine.blocks[0].block.data[7] == 0
