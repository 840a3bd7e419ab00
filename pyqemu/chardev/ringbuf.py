"""``ringbuf``: output kept in memory, the oldest is overwritten; for monitors and tests to read."""

from __future__ import annotations

from pyqemu.chardev.base import Chardev, ChardevHost
from pyqemu.chardev.errors import ChardevError

DEFAULT_SIZE = 65536


class RingbufChardev(Chardev):
    """The last *size* bytes of output."""

    backend = "ringbuf"

    def __init__(self, label: str, host: ChardevHost, *, size: int = DEFAULT_SIZE) -> None:
        super().__init__(label, host)
        if size <= 0 or size & size - 1:
            raise ChardevError("size of ringbuf chardev must be power of two")
        self.size = size
        self._data = bytearray()

    def _write(self, data: bytes) -> None:
        self._data += data
        del self._data[: -self.size]

    def read(self, size: int) -> bytes:
        """Take up to *size* of the oldest bytes out (``ringbuf_read``)."""
        data = bytes(self._data[:size])
        del self._data[:size]
        return data

    def peek(self) -> bytes:
        """All bytes, left where they are."""
        return bytes(self._data)

    def feed(self, data: bytes) -> None:
        """Send *data* to the frontend as if the host had; what it has no room for is lost (tests)."""
        with self.host.lock:
            while data and (room := self.can_receive()) > 0:
                self._deliver(data[:room])
                data = data[room:]
