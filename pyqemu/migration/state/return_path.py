"""The way back, as the source sees it: what a destination says while it loads a machine."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pyqemu.io.errors import ReadError
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.refusal import MOST_TEXT, SHUT, reason_in
from pyqemu.migration.state import commands
from pyqemu.migration.state.commands import Answer, Command, Message
from pyqemu.migration.state.frame import Reading, damaged
from pyqemu.migration.state.machine import PAGE_SIZE
from pyqemu.migration.stream import StreamReader, StreamWriter

_HEAD = 4  # bytes of a message before its payload


class ReturnPath:
    """Of one migration.

    :raise MigrationError: the transport has no way back.
    """

    def __init__(self, stream: StreamWriter) -> None:
        if stream.reader is None:
            raise MigrationError("Unable to open return-path for postcopy", "the transport has no way back")
        self._stream = stream
        self._reader: StreamReader = stream.reader
        self._reading = Reading(stream.reader)
        self._last_wanted: str | None = None

    def open(self, *, postcopy: bool, page_size: int = PAGE_SIZE) -> None:
        """Tell the destination to use it, before the first section; and that post-copy may follow, with memory in
        records of *page_size* bytes."""
        self._stream.write(commands.command(Command.OPEN_RETURN_PATH) + commands.ping(1))
        if postcopy:
            self._stream.write(commands.command(Command.POSTCOPY_ADVISE, struct.pack(">QQ", PAGE_SIZE, page_size)))

    def serve(self, want: Callable[[str, int, int], None]) -> None:
        """Look, without waiting, for what the destination asks: block, offset and length of memory.

        :raise MigrationError: it has failed, or speaks nonsense.
        :raise ChannelError: it has gone.
        """
        self._reader.poll()
        while (answer := self._next()) is not None:
            if answer.kind in (Message.REQUEST_PAGES, Message.REQUEST_PAGES_NAMED):
                start, length, name = answer.request
                self._last_wanted = name or self._last_wanted
                if self._last_wanted is None:
                    raise damaged("RP: Received 'REQ_PAGES' of no block")
                want(self._last_wanted, start, length)
            elif answer.kind is Message.SHUT:
                self._check(answer)

    def wait(self, seconds: float) -> None:
        """Until the destination says something, at most so long."""
        self._reader.wait(seconds)

    def _next(self) -> Answer | None:
        """A message that has come as a whole."""
        if self._reader.available < _HEAD:
            return None
        _, length = struct.unpack(">HH", self._reader.peek(_HEAD))
        return commands.read_message(self._reading) if self._reader.available >= _HEAD + length else None

    def await_shut(self) -> None:
        """The destination says how it went.

        :raise MigrationError: badly.
        """
        while True:
            answer = commands.read_message(self._reading)
            if answer.kind is Message.SHUT:
                self._check(answer)
                return

    def _check(self, answer: Answer) -> None:
        if answer.number:
            raise MigrationError("the destination could not load the machine", self._why())

    def _why(self) -> str:
        """A destination of ours says so behind its message, and then closes the connection."""
        try:
            heard = self._reader.peek(len(SHUT) + MOST_TEXT)
        except ReadError:
            heard = self._reader.peek(self._reader.available)
        reason = reason_in(heard)
        return f"{self._reader.peer} refused the machine: {reason}" if reason else "its log says why"
