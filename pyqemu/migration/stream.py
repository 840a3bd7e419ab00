"""The bytes of a migration, over any channel: written with a speed limit, read with look-ahead."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyqemu.io.channel import Channel
from pyqemu.io.errors import EndOfStream

BUFFER = 128 << 10  # bytes that are collected before the channel sees them
WINDOW = 0.1  # seconds in which a tenth of the limit may be sent
PIECE = 1 << 20  # bytes that are asked for at once


class StreamWriter:
    """What a source writes to.

    :param limit: bytes a second at present; 0 for no limit
    :ivar position: bytes written so far
    :ivar unlimited: whether the limit does not count (the guest stands still)
    :ivar reader: the way back; None if the transport has none
    """

    def __init__(
        self, channel: Channel, limit: Callable[[], int] = lambda: 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._channel = channel
        self._limit = limit
        self._clock = clock
        self._buffer = bytearray()
        self._window_start = clock()
        self._window_sent = 0
        self.position = 0
        self.unlimited = False
        self.reader = StreamReader(channel) if channel.two_way else None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send *data*, which may be changed afterwards. Waits while the peer or the limit does not let it out.

        :raise ChannelError: it cannot be sent, or the migration was cancelled.
        """
        self.position += len(data)
        if len(data) >= BUFFER:
            self.flush()
            self._send(data)
            return
        self._buffer += data
        if len(self._buffer) >= BUFFER:
            self.flush()

    def flush(self) -> None:
        """Send what was collected.

        :raise ChannelError: as :meth:`write`.
        """
        if self._buffer:
            buffer, self._buffer = self._buffer, bytearray()
            self._send(buffer)

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        self._throttle()
        self._channel.write(data)
        self._window_sent += len(data)

    @property
    def exhausted(self) -> bool:
        """Whether this tenth of a second's bytes have been written: a section should end here."""
        limit = self._limit()
        if not limit or self.unlimited:
            return self._clock() - self._window_start >= WINDOW
        return self._window_sent + len(self._buffer) >= limit * WINDOW

    def end_round(self) -> None:
        """Between two rounds of a source: wait until more may be sent."""
        self.flush()
        self._throttle()
        if self._clock() - self._window_start >= WINDOW:
            self._new_window()

    def _throttle(self) -> None:
        limit = self._limit()
        if self.unlimited or not limit or self._window_sent < limit * WINDOW:
            return
        remaining = self._window_start + WINDOW - self._clock()
        if remaining > 0:
            self._channel.interrupt.sleep(remaining)
        self._new_window()

    def pause(self, limit: int) -> float:
        """Seconds until more may be sent, for one who has better to do meanwhile than to sleep in :meth:`write`.

        :param limit: bytes a second; 0 for no limit
        """
        remaining = self._window_start + WINDOW - self._clock()
        if remaining <= 0:
            self._new_window()
        return remaining if limit and remaining > 0 and self._window_sent >= limit * WINDOW else 0.0

    def _new_window(self) -> None:
        self._window_start = self._clock()
        self._window_sent = 0


class StreamReader:
    """What a destination reads from. Lengths are the caller's to bound; memory is taken only as bytes arrive.

    :ivar position: bytes read so far
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._buffer = bytearray()
        self._taken = 0  # bytes of the buffer that were read
        self.position = 0

    @property
    def peer(self) -> str:
        """Who sends."""
        return self._channel.peer

    @property
    def two_way(self) -> bool:
        """Whether there is a way back."""
        return self._channel.two_way

    def answer(self, data: bytes) -> None:
        """Send something back: only over a two-way transport.

        :raise ChannelError: it cannot be sent.
        """
        self._channel.write(data)

    @property
    def available(self) -> int:
        """Bytes that can be read without waiting, as far as :meth:`poll` knows."""
        return len(self._buffer) - self._taken

    def wait(self, seconds: float) -> None:
        """Until something comes, at most so long.

        :raise Interrupted: the migration was cancelled.
        """
        self._channel.wait_readable(time.monotonic() + seconds)

    def poll(self) -> None:
        """Take what has come, without waiting.

        :raise EndOfStream: the peer closed its side.
        :raise ChannelError: the connection broke, or the migration was cancelled.
        """
        data = self._channel.read_now(PIECE)
        if data is not None:
            self._take(data)

    def _take(self, data: bytes) -> None:
        if not data:
            raise EndOfStream(
                f"{self._channel.cannot} read from {self._channel.kind}: Unexpected end of file",
                f"{self.peer} closed the connection after {self.position + self.available} bytes",
                peer=self.peer,
            )
        self._buffer += data

    def read(self, size: int) -> bytes:
        """That many bytes.

        :raise EndOfStream: the peer closed its side before.
        :raise ChannelError: the connection broke, or the migration was cancelled.
        """
        self._fill(size)
        data = bytes(memoryview(self._buffer)[self._taken : self._taken + size])
        self._skip(size)
        return data

    def read_into(self, target: memoryview) -> None:
        """Fill *target*: as :meth:`read`, with one copy less for pages."""
        size = len(target)
        self._fill(size)
        target[:] = memoryview(self._buffer)[self._taken : self._taken + size]
        self._skip(size)

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay; fewer at the end of the stream."""
        try:
            self._fill(size)
        except EndOfStream:
            pass
        return bytes(self._buffer[self._taken : self._taken + size])

    def _skip(self, size: int) -> None:
        self._taken += size
        self.position += size
        if self._taken >= PIECE or self._taken == len(self._buffer):
            del self._buffer[: self._taken]
            self._taken = 0

    def _fill(self, size: int) -> None:
        while len(self._buffer) - self._taken < size:
            self._take(self._channel.read(PIECE))
