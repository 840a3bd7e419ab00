"""What the two sides tell each other besides state: commands in the stream, messages on the way back."""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from pyqemu.migration.state.frame import Reading, Section, damaged, string


class Command(enum.IntEnum):
    """From source to destination."""

    OPEN_RETURN_PATH = 1
    PING = 2
    POSTCOPY_ADVISE = 3
    POSTCOPY_LISTEN = 4
    POSTCOPY_RUN = 5
    POSTCOPY_RAM_DISCARD = 6
    PACKAGED = 7
    ENABLE_COLO = 8
    POSTCOPY_RESUME = 9
    RECV_BITMAP = 10


_LENGTHS = {
    Command.OPEN_RETURN_PATH: (0,), Command.PING: (4,), Command.POSTCOPY_ADVISE: (0, 16),
    Command.POSTCOPY_LISTEN: (0,), Command.POSTCOPY_RUN: (0,), Command.PACKAGED: (4,), Command.ENABLE_COLO: (0,),
    Command.POSTCOPY_RESUME: (0,),
}  # fmt: skip
"""Payload lengths that may be."""
DISCARD_RANGES = 12  # at most, in one command


class Message(enum.IntEnum):
    """From destination to source."""

    SHUT = 1
    PONG = 2
    REQUEST_PAGES_NAMED = 3
    REQUEST_PAGES = 4
    RECEIVED_BITMAP = 5
    RESUME_ACK = 6


_MESSAGE_LENGTHS = {Message.SHUT: 4, Message.PONG: 4, Message.REQUEST_PAGES: 12, Message.RESUME_ACK: 4}


def command(code: Command, payload: bytes = b"") -> bytes:
    """A command section."""
    return struct.pack(">BHH", Section.COMMAND, code, len(payload)) + payload


def ping(number: int) -> bytes:
    """Ask for a sign of life."""
    return command(Command.PING, struct.pack(">I", number))


def discard(block: str, ranges: list[tuple[int, int]]) -> bytes:
    """Commands that name ranges of a block whose pages are not those of the source any more: (offset, length)."""
    out = bytearray()
    for at in range(0, len(ranges), DISCARD_RANGES):
        payload = b"\0" + string(block) + b"\0"
        for start, length in ranges[at : at + DISCARD_RANGES]:
            payload += struct.pack(">QQ", start, length)
        out += command(Command.POSTCOPY_RAM_DISCARD, payload)
    return bytes(out)


def parse_discard(payload: bytes) -> tuple[str, list[tuple[int, int]]]:
    """The block and the ranges of a discard command.

    :raise MigrationError: it is damaged.
    """
    if len(payload) < 3 or len(payload) < 3 + payload[1] or payload[0] or payload[2 + payload[1]]:
        raise damaged("CMD_POSTCOPY_RAM_DISCARD invalid")
    name = payload[2 : 2 + payload[1]].decode("latin-1")
    rest = payload[3 + payload[1] :]
    if len(rest) % 16:
        raise damaged(f"CMD_POSTCOPY_RAM_DISCARD invalid length {len(payload)}")
    return name, list(struct.iter_unpack(">QQ", rest))


def read_command(reading: Reading) -> tuple[Command, bytes]:
    """A command behind its section byte.

    :raise MigrationError: it is unknown, or of a wrong length.
    """
    start = reading.position
    code, length = reading.u16(), reading.u16()
    try:
        found = Command(code)
    except ValueError:
        raise damaged(f"MIG_CMD {code:#x} unknown (len {length:#x})", start) from None
    expected = _LENGTHS.get(found)
    if expected is not None and length not in expected:
        wanted = " or ".join(map(str, expected))
        raise damaged(f"{found.name} received with bad length - expecting {wanted}, got {length}", start)
    return found, reading.take(length)


@dataclass(frozen=True)
class Answer:
    """A message of the return path."""

    kind: Message
    payload: bytes

    @property
    def number(self) -> int:
        """Of a pong or shut."""
        return int.from_bytes(self.payload[:4], "big")

    @property
    def request(self) -> tuple[int, int, str | None]:
        """Offset, length and block of the pages asked for; None: the block of the request before."""
        start, length = struct.unpack_from(">QI", self.payload)
        return start, length, self.payload[13:].decode("latin-1") if self.kind is Message.REQUEST_PAGES_NAMED else None


def message(kind: Message, payload: bytes) -> bytes:
    """A message."""
    return struct.pack(">HH", kind, len(payload)) + payload


def pong(number: int) -> bytes:
    """The answer to a ping."""
    return message(Message.PONG, struct.pack(">I", number))


def shut(failed: bool) -> bytes:
    """The last message: how it went."""
    return message(Message.SHUT, struct.pack(">I", int(failed)))


def request_pages(start: int, length: int, block: str | None) -> bytes:
    """Ask for pages; without a block: of the one of the request before."""
    payload = struct.pack(">QI", start, length)
    if block is None:
        return message(Message.REQUEST_PAGES, payload)
    return message(Message.REQUEST_PAGES_NAMED, payload + string(block))


def read_message(reading: Reading) -> Answer:
    """The next message of the return path.

    :raise MigrationError: it makes no sense.
    """
    kind, length = reading.u16(), reading.u16()
    try:
        found = Message(kind)
    except ValueError:
        raise damaged(f"RP: Received invalid message {kind:#06x} length {length:#06x}") from None
    expected = _MESSAGE_LENGTHS.get(found)
    if expected is not None and length != expected:
        raise damaged(f"RP: Received '{found.name}' message with length {length}, expecting {expected}")
    payload = reading.take(length)
    if found is Message.REQUEST_PAGES_NAMED and (length < 13 or length != 13 + payload[12]):
        raise damaged(f"RP: Received '{found.name}' with length {length}")
    return Answer(found, payload)
