"""The frame of a stream: the magic number, types of sections, what stands around a body.

All numbers are big-endian. A body has no length of its own: who reads it must know its layout.
"""

from __future__ import annotations

import enum
import struct
from typing import Protocol

from pyqemu.migration.failure import MigrationError
from pyqemu.util.text import bytes_shown

MAGIC = 0x5145564D  # "QEVM"
VERSION = 3
OBSOLETE_VERSION = 2
MAX_MACHINE_NAME = 256  # bytes that we are willing to read
MAX_DESCRIPTION = 64 << 20
PIECE = 64 << 10  # bytes that are skipped at once


class Section(enum.IntEnum):
    """The byte that a section begins with."""

    EOF = 0
    START = 1
    PART = 2
    END = 3
    FULL = 4
    SUBSECTION = 5
    VMDESC = 6
    CONFIGURATION = 7
    COMMAND = 8
    FOOTER = 0x7E


class Output(Protocol):
    """Where a stream goes (:class:`pyqemu.migration.stream.StreamWriter`)."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it."""

    @property
    def exhausted(self) -> bool:
        """Whether a section should end here, so that others get their turn."""


class Input(Protocol):
    """Where a stream comes from (:class:`pyqemu.migration.stream.StreamReader`)."""

    @property
    def position(self) -> int:
        """Bytes read so far."""

    def read(self, size: int) -> bytes:
        """That many bytes."""

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay; fewer at the end."""

    @property
    def two_way(self) -> bool:
        """Whether there is a way back."""

    def answer(self, data: bytes) -> None:
        """Send something back."""


class Reading:
    """The fields of a frame, from any input. It is a reader of saved state, too."""

    def __init__(self, source: Input) -> None:
        self._source = source
        self.take = source.read
        self.peek = source.peek

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._source.position

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Two."""
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        """Four."""
        return int.from_bytes(self.take(4), "big")

    def u64(self) -> int:
        """Eight."""
        return int.from_bytes(self.take(8), "big")

    def string(self) -> str:
        """A counted string of up to 255 bytes: a name.

        :raise MigrationError: no name looks like that.
        """
        start = self.position
        return name_of(self.take(self.u8()), start)

    def counted(self, limit: int, what: str) -> bytes:
        """Bytes behind a 32-bit length.

        :raise MigrationError: there are more than *limit*.
        """
        return self.take(self._length(limit, what))

    def skip_counted(self, limit: int, what: str) -> None:
        """The same, without keeping them.

        :raise MigrationError: there are more than *limit*.
        """
        left = self._length(limit, what)
        while left:
            left -= len(self.take(min(left, PIECE)))

    def _length(self, limit: int, what: str) -> int:
        start = self.position
        length = self.u32()
        if length > limit:
            raise damaged(f"the {what} is {length} bytes long, at most {limit} were expected", start)
        return length


class MemoryInput:
    """A stream that lies in memory."""

    two_way = False

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def read(self, size: int) -> bytes:
        """That many bytes."""
        end = self.position + size
        if end > len(self.data):
            raise MigrationError("Unable to read from memory: Unexpected end of file", f"after {len(self.data)} bytes")
        found = self.data[self.position : end]
        self.position = end
        return found

    def peek(self, size: int) -> bytes:
        """The next bytes."""
        return self.data[self.position : self.position + size]

    def answer(self, data: bytes) -> None:
        """Nobody hears it."""


class MemoryOutput:
    """Collects a stream."""

    exhausted = False

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take it."""
        self.data += data


def name_of(data: bytes, position: int) -> str:
    """A name as text that may stand in messages."""
    text = data.decode("latin-1")
    if not text.isascii() or not text.isprintable():
        raise damaged(f"expected a name, found {bytes_shown(data)}", position)
    return text


def string(text: str) -> bytes:
    """A counted string."""
    encoded = text.encode("latin-1")
    return bytes((len(encoded),)) + encoded


def section_header(kind: Section, number: int, idstr: str, instance: int, version: int) -> bytes:
    """The begin of a section that says whose state it is."""
    return struct.pack(">BI", kind, number) + string(idstr) + struct.pack(">II", instance, version)


def footer(number: int) -> bytes:
    """The end of a section."""
    return struct.pack(">BI", Section.FOOTER, number)


def damaged(what: str, position: int | None = None) -> MigrationError:
    """The bytes make no sense."""
    at = "" if position is None else f", at byte {position:#x}"
    return MigrationError("the migration stream is damaged", f"{what}{at}")
