"""Disks on their way: chunks, writes meanwhile, zeros, images below; and streams that are wrong."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from pyqemu.block import BlockNode, Drive, MemoryNode
from pyqemu.block.errors import LockError
from pyqemu.block.overlay import SnapshotNode
from pyqemu.block.sent import SentDrive, sent_drives
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.halves import Counters
from pyqemu.migration.state import frame
from pyqemu.migration.state.disks import (
    CHUNK,
    DATA,
    EOS,
    PROGRESS,
    SECTION,
    SECTOR,
    ZERO,
    DiskOptions,
    DiskReceiver,
    DiskSender,
)
from pyqemu.migration.state.frame import MemoryInput, MemoryOutput, Reading, Section
from pyqemu.system import FakeClock, System

SIZE = 3 * CHUNK + 5 * SECTOR
SYSTEM = System(clock=FakeClock())


def nothing() -> None:
    return None


class Stream(MemoryOutput):
    """Takes a chunk in each section."""

    exhausted = True


class Sending:
    """Drives that are sent, and what of the stream a destination with drives of the same names has loaded."""

    def __init__(self, *drives: Drive, **options: bool) -> None:
        self.counters = Counters()
        self.stream = Stream()
        self.sender = DiskSender(SYSTEM, sent_drives(drives), DiskOptions(**options), self.counters)
        self.sender.setup(self.stream)

    def parts(self) -> None:
        """Until no chunk is left."""
        while self.sender.remaining:
            self.sender.part(self.stream)

    def end(self) -> bytes:
        """What is left; the whole stream."""
        self.sender.finish(self.stream)
        self.sender.cleanup()
        return bytes(self.stream.data)


def receive(data: bytes, *drives: Drive, take_over: Callable[[], None] = nothing) -> None:
    reading = Reading(MemoryInput(data))
    receiver = DiskReceiver(SYSTEM, lambda: sent_drives(drives), take_over)
    while reading.position < len(data):
        kind = reading.u8()
        assert reading.u32() == SECTION
        if kind == Section.START:
            assert (reading.string(), reading.u32(), reading.u32()) == ("block", 0, 1)
        receiver.section(reading)
        assert (reading.u8(), reading.u32()) == (Section.FOOTER, SECTION)


def random_node(rng: random.Random, size: int = SIZE) -> MemoryNode:
    return MemoryNode(rng.randbytes(size))


def contents(drive: Drive) -> bytes:
    assert drive.node is not None
    return drive.node.read(0, drive.size)


@pytest.mark.parametrize("zero_blocks", [False, True])
def test_disks_arrive_whatever_is_written_meanwhile(rng: random.Random, zero_blocks: bool) -> None:
    first, second = Drive("ide0-hd0", random_node(rng)), Drive("ide0-hd1", random_node(rng, 2 * CHUNK))
    sending = Sending(first, second, zero_blocks=zero_blocks)
    for _ in range(12):
        sending.sender.part(sending.stream)
        drive = rng.choice((first, second))
        offset = rng.randrange(drive.size // SECTOR - 16) * SECTOR
        drive.write(offset, rng.choice((rng.randbytes(SECTOR), bytes(16 * SECTOR))))
    data = sending.end()
    assert sending.counters.remaining == 0
    copies = Drive("ide0-hd0", random_node(rng)), Drive("ide0-hd1", random_node(rng, 2 * CHUNK))
    receive(data, *copies)
    assert [contents(copy) for copy in copies] == [contents(first), contents(second)]
    assert first.on_write == []


def test_the_bulk_is_sent_when_every_chunk_had_its_turn_and_a_busy_one_does_not_hold_it_up(rng: random.Random) -> None:
    drive = Drive("d", random_node(rng))
    sending = Sending(drive)
    rounds = 0
    while not sending.sender.bulk_is_sent:
        drive.write(0, rng.randbytes(SECTOR))
        sending.sender.part(sending.stream)
        rounds += 1
    assert rounds == 4
    copy = Drive("d", MemoryNode(SIZE))
    receive(sending.end(), copy)
    assert contents(copy) == contents(drive)


def test_statistics_and_progress(rng: random.Random) -> None:
    drive = Drive("d", random_node(rng, 4 * CHUNK))
    drive.write(CHUNK, bytes(CHUNK))
    sending = Sending(drive, zero_blocks=True)
    counters = sending.counters
    assert (counters.total, counters.remaining) == (4 * CHUNK, 4 * CHUNK)
    sending.parts()
    assert (counters.transferred, counters.remaining, counters.duplicate, counters.normal) == (4 * CHUNK, 0, 1, 3)
    told = [struct.pack(">Q", percent * SECTOR | PROGRESS) in sending.stream.data for percent in (25, 50, 75, 100)]
    assert told == [True] * 4


def test_zeros_are_only_mentioned_with_zero_blocks() -> None:
    drive = Drive("d", MemoryNode(2 * CHUNK))
    assert len(Sending(drive, zero_blocks=True).end()) < 200
    assert len(Sending(drive).end()) > 2 * CHUNK


def test_a_record_is_as_qemus(rng: random.Random) -> None:
    drive = Drive("hd", random_node(rng, SECTOR))
    sending = Sending(drive)
    begin = len(sending.stream.data)
    sending.sender.part(sending.stream)
    record = struct.pack(">Q", DATA) + b"\2hd" + contents(drive).ljust(CHUNK, b"\0")
    end = struct.pack(">QQ", 100 * SECTOR | PROGRESS, EOS) + frame.footer(SECTION)
    assert sending.stream.data[begin:] == bytes((2, 0, 0, 0, 1)) + record + end


def test_what_is_only_read_is_not_sent(rng: random.Random) -> None:
    node = MemoryNode(rng.randbytes(SIZE), read_only=True)
    assert Sending(Drive("cd", node), Drive("empty")).sender.remaining == 0


def test_incremental_leaves_out_what_is_in_the_image_below(rng: random.Random) -> None:
    base = random_node(rng)
    drive = Drive("d", SnapshotNode(base))
    drive.write(CHUNK + SECTOR, rng.randbytes(SECTOR))
    sending = Sending(drive, incremental=True)
    assert sending.sender.remaining == CHUNK
    copy = Drive("d", SnapshotNode(MemoryNode(bytes(base.data))))
    receive(sending.end(), copy)
    assert contents(copy) == contents(drive)


def test_a_discard_is_a_write(rng: random.Random) -> None:
    drive = Drive("d", random_node(rng))
    sending = Sending(drive)
    sending.parts()
    drive.discard(2 * CHUNK, SECTOR)
    assert sending.sender.remaining == CHUNK


def test_the_guests_statistics_do_not_count_it(rng: random.Random) -> None:
    drive = Drive("d", random_node(rng))
    receive(Sending(drive).end(), drive)
    assert drive.accounting.read.operations == drive.accounting.write.operations == 0


def test_another_medium_ends_it(rng: random.Random) -> None:
    drive = Drive("floppy0", random_node(rng))
    sending = Sending(drive)
    drive.change(random_node(rng))
    with pytest.raises(MigrationError) as caught:
        sending.sender.part(sending.stream)
    assert str(caught.value) == (
        "Unable to read the block device 'floppy0' (its medium or its size was changed meanwhile)"
    )


# -- what is wrong with a stream


def records(*parts: bytes) -> bytes:
    return bytes((Section.PART, 0, 0, 0, SECTION)) + b"".join(parts) + struct.pack(">Q", EOS) + frame.footer(SECTION)


def chunk(name: bytes, number: int, flags: int = DATA | ZERO) -> bytes:
    data = b"" if flags & ZERO else bytes(CHUNK)
    return struct.pack(">Q", number * CHUNK | flags) + bytes((len(name),)) + name + data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (records(chunk(b"other", 0)), "Error unknown block device other (disks here: d, cd)"),
        (records(chunk(b"cd", 0)), "Error loading block device cd (it is read-only here)"),
        (records(chunk(b"d", 4)), f"Error loading block device d (a chunk at {4 * CHUNK} is beyond its end: it has "
                                  f"{SIZE} bytes here; must be as many as there)"),
        (records(chunk(b"d", 1 << 43, DATA)), "is beyond its end"),
        (records(struct.pack(">Q", 0x10)), "Unknown block migration flags: 0x10"),
        (records(struct.pack(">Q", 0)), "Unknown block migration flags: 0x0"),
    ],
)  # fmt: skip
def test_streams_that_are_refused(rng: random.Random, data: bytes, message: str) -> None:
    disk = random_node(rng)
    before = bytes(disk.data)
    with pytest.raises(MigrationError) as caught:
        receive(data, Drive("d", disk), Drive("cd", MemoryNode(SIZE, read_only=True)))
    assert message in str(caught.value)
    assert disk.data == before


def test_an_unknown_version(rng: random.Random) -> None:
    with pytest.raises(MigrationError, match="savevm: unsupported version 2 for 'block' v1"):
        DiskReceiver(SYSTEM, list, nothing).section(Reading(MemoryInput(b"")), 2)


def test_images_are_taken_before_the_first_write_and_only_then(rng: random.Random) -> None:
    def refuse() -> None:
        raise LockError("somebody has it")

    disk = random_node(rng)
    before = bytes(disk.data)
    receive(records(), Drive("d", disk), take_over=refuse)
    with pytest.raises(MigrationError, match="somebody has it"):
        receive(records(chunk(b"d", 0)), Drive("d", disk), take_over=refuse)
    assert disk.data == before


class Counting(MemoryNode):
    """Counts writes."""

    writes = 0

    def _write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self.writes += 1
        super()._write(offset, data)


def test_zeros_over_zeros_are_not_written() -> None:
    node: BlockNode = Counting(2 * CHUNK)
    assert isinstance(node, Counting)
    node.data[CHUNK] = 1
    receive(records(chunk(b"d", 0), chunk(b"d", 1)), Drive("d", node))
    assert (node.writes, node.data[CHUNK]) == (1, 0)


def test_a_drive_without_a_medium_is_none() -> None:
    with pytest.raises(ValueError, match="medium"):
        SentDrive(Drive("d"))
