"""The section ``block``: disks that are sent with the machine (``migrate -b``), version 1.

A record begins with 64 bits: the offset of a chunk of 1 MiB on its disk, flags in the low bits. First goes all of every
disk that can be written, then what was written since, as memory does. The big lock is held while a chunk is read, so
that a write is either in it, or noted after it was taken.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pyqemu.migration.failure import MigrationError, failure_of
from pyqemu.migration.state import frame
from pyqemu.migration.state.frame import Output, Reading, Section, damaged, string
from pyqemu.system import System
from pyqemu.util.errors import PyqemuError

if TYPE_CHECKING:
    from pyqemu.migration.halves import Counters

IDSTR, VERSION, SECTION = "block", 1, 1
CHUNK, SECTOR = 1 << 20, 512
DATA, EOS, PROGRESS, ZERO = 0x01, 0x02, 0x04, 0x08
_FLAGS = SECTOR - 1
_END = struct.pack(">Q", EOS)
_ZEROS = bytes(CHUNK)


class Disk(Protocol):
    """A disk, to those who send and load it. Its methods are called with the lock held, and raise
    :class:`~pyqemu.util.errors.PyqemuError` if the host does not let them."""

    @property
    def name(self) -> str:
        """Both sides must call it the same."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def read_only(self) -> bool:
        """Whether nobody writes to it: such disks are not sent."""

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes."""

    def write(self, offset: int, data: bytes) -> None:
        """Change it."""

    def is_own(self, offset: int, length: int) -> bool:
        """Whether something of that range is not in an image that both sides have."""

    def watch(self, written: Callable[[int, int], None]) -> Callable[[], None]:
        """Call *written* with offset and length after each write. Returns what ends that."""


@dataclass(frozen=True)
class DiskOptions:
    """How disks are sent.

    :ivar incremental: without what is in an image below, which the destination has as well
    :ivar zero_blocks: chunks of zeros are only mentioned
    """

    incremental: bool = False
    zero_blocks: bool = False


class _Pending:
    """The chunks of a disk that are still to be sent: one byte for each."""

    def __init__(self, disk: Disk, *, incremental: bool) -> None:
        self.disk = disk
        self.size = disk.size
        count = -(-self.size // CHUNK)
        self.map = bytearray(b"\1") * count
        if incremental:
            self.map[:] = bytes(
                disk.is_own(at, min(CHUNK, self.size - at)) for at in range(0, self.size, CHUNK)
            )  # fmt: skip
        self.end_watch = disk.watch(self.written)

    def written(self, offset: int, length: int) -> None:
        """Somebody has changed it. The lock is held."""
        first, end = offset // CHUNK, min(-(-(offset + length) // CHUNK), len(self.map))
        if first < end:
            self.map[first:end] = b"\1" * (end - first)

    @property
    def remaining(self) -> int:
        """Bytes, whole chunks."""
        return self.map.count(1) * CHUNK


class DiskSender:
    """Sends the disks of one machine."""

    def __init__(self, system: System, disks: Iterable[Disk], options: DiskOptions, counters: Counters) -> None:
        self.system = system
        self.options = options
        self.counters = counters
        self._disks = [disk for disk in disks if not disk.read_only]
        self._pending: list[_Pending] = []
        self._bulk = 0  # bytes that are sent at first
        self._bulk_left = 0
        self._told = -1  # percent
        self._at = self._after = 0  # the disk that is being sent, and the first chunk that has not had its turn

    def setup(self, stream: Output) -> None:
        """From now on writes are noted."""
        with self.system.lock:
            for disk in self._disks:
                self._pending.append(_Pending(disk, incremental=self.options.incremental))
        self._bulk = self._bulk_left = self.counters.total = self.remaining
        self.counters.page_size = CHUNK
        stream.write(frame.section_header(Section.START, SECTION, IDSTR, 0, VERSION) + _END + frame.footer(SECTION))

    @property
    def remaining(self) -> int:
        """Bytes that are known to be left."""
        left = sum(pending.remaining for pending in self._pending)
        self.counters.remaining = left
        return left

    @property
    def bulk_is_sent(self) -> bool:
        """Whether all of the disks has been sent once: memory comes after that."""
        return self._bulk_left <= 0

    def part(self, stream: Output) -> None:
        """Chunks, until the stream has had enough or there are no more."""
        if not self.remaining:
            self._bulk_left = 0
            return
        stream.write(struct.pack(">BI", Section.PART, SECTION))
        while self._chunk(stream) and not stream.exhausted:
            pass
        if not self.remaining:
            self._bulk_left = 0
        stream.write(_END + frame.footer(SECTION))

    def finish(self, stream: Output) -> None:
        """The guest stands still: all that is left."""
        stream.write(struct.pack(">BI", Section.END, SECTION))
        while self._chunk(stream):
            pass
        self.counters.remaining = 0
        stream.write(struct.pack(">Q", 100 * SECTOR | PROGRESS) + _END + frame.footer(SECTION))

    def cleanup(self) -> None:
        """Writes need not be noted any more."""
        with self.system.lock:
            for pending in self._pending:
                pending.end_watch()

    def _chunk(self, stream: Output) -> bool:
        """Send one; returns whether there was one."""
        with self.system.lock:
            found = self._next()
            if found is None:
                return False
            pending, number = found
            pending.map[number] = 0
            data = self._read(pending, number * CHUNK)
        self._send(stream, pending.disk.name, number * CHUNK, data)
        self._progress(stream)
        return True

    def _next(self) -> tuple[_Pending, int] | None:
        """The chunk after the last one: no chunk that is always being written keeps the others from their turn."""
        for _ in range(len(self._pending) + 1 if self._pending else 0):
            pending = self._pending[self._at]
            number = pending.map.find(1, self._after)
            if number >= 0:
                self._after = number + 1
                return pending, number
            self._at, self._after = (self._at + 1) % len(self._pending), 0
        return None

    def _read(self, pending: _Pending, offset: int) -> bytes:
        disk = pending.disk
        try:
            if disk.size != pending.size:
                raise MigrationError(
                    f"Unable to read the block device '{disk.name}'", "its medium or its size was changed meanwhile"
                )
            return disk.read(offset, min(CHUNK, pending.size - offset)).ljust(CHUNK, b"\0")
        except MigrationError:
            raise
        except PyqemuError as error:
            raise MigrationError(f"Unable to read the block device '{disk.name}'", str(failure_of(error))) from error

    def _send(self, stream: Output, name: str, offset: int, data: bytes) -> None:
        is_zero = self.options.zero_blocks and data == _ZEROS
        head = struct.pack(">Q", offset | DATA | (ZERO if is_zero else 0)) + string(name)
        stream.write(head if is_zero else head + data)
        self.counters.transferred += CHUNK
        self.counters.duplicate += is_zero
        self.counters.normal += not is_zero
        self._bulk_left -= CHUNK

    def _progress(self, stream: Output) -> None:
        """The destination may like to tell its operator."""
        percent = 100 - max(self._bulk_left, 0) * 100 // self._bulk if self._bulk else 100
        if percent != self._told:
            self._told = percent
            stream.write(struct.pack(">Q", percent * SECTOR | PROGRESS))


class DiskReceiver:
    """Loads disks.

    :param take_over: makes the images ours, before the first write
    """

    def __init__(self, system: System, disks: Callable[[], Iterable[Disk]], take_over: Callable[[], None]) -> None:
        self.system = system
        self._find_all = disks
        self._take_over = take_over
        self._disks: dict[str, Disk] | None = None

    def section(self, reading: Reading, version: int = VERSION) -> None:
        """Records up to the end of a section.

        :raise MigrationError: they are damaged, or there is no such disk.
        """
        if version != VERSION:
            raise MigrationError(f"savevm: unsupported version {version} for '{IDSTR}' v{VERSION}")
        while True:
            start = reading.position
            word = reading.u64()
            flags, offset = word & _FLAGS, word & ~_FLAGS
            if flags & DATA:
                self._block(reading, offset, is_zero=bool(flags & ZERO))
            elif flags & EOS:
                return
            elif not flags & PROGRESS:
                raise damaged(f"Unknown block migration flags: {flags:#x}", start)

    def _block(self, reading: Reading, offset: int, *, is_zero: bool) -> None:
        disk = self._disk(reading.string())
        data = _ZEROS if is_zero else reading.take(CHUNK)
        with self.system.lock:
            length = min(CHUNK, disk.size - offset)
            if length <= 0:
                raise MigrationError(
                    f"Error loading block device {disk.name}",
                    f"a chunk at {offset} is beyond its end: it has {disk.size} bytes here; must be as many as there",
                )
            try:
                if is_zero and disk.read(offset, length) == data[:length]:
                    return  # a sparse image stays so
                disk.write(offset, data[:length])
            except PyqemuError as error:
                raise MigrationError(
                    f"Error loading block device {disk.name}", str(failure_of(error))
                ) from error  # fmt: skip

    def _disk(self, name: str) -> Disk:
        if self._disks is None:
            with self.system.lock:
                try:
                    self._take_over()
                except PyqemuError as error:
                    failure = failure_of(error)
                    raise MigrationError(failure.message, failure.context) from error
                self._disks = {disk.name: disk for disk in self._find_all()}
        if name not in self._disks:
            known = ", ".join(self._disks) or "none"
            raise MigrationError(f"Error unknown block device {name}", f"disks here: {known}")
        disk = self._disks[name]
        if disk.read_only:
            raise MigrationError(f"Error loading block device {name}", "it is read-only here")
        return disk
