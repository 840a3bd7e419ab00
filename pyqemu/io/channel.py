"""What all connections have in common: bytes go out and come in, with bounds in time.

A channel is used by one thread for writing and maybe another one for reading. :meth:`Channel.shutdown` may come from
any thread. Nothing here knows what the bytes mean.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass

from pyqemu.io.errors import EndOfStream, ReadError, WriteError, reason
from pyqemu.io.interrupt import READABLE, WRITABLE, Interrupt

CHUNK = 256 << 10  # bytes that are handed to the kernel at once


@dataclass(frozen=True)
class Timeouts:
    """Seconds after which one of us gives up. None waits for ever."""

    resolve: float | None = 30
    connect: float | None = 30  # for each address
    handshake: float | None = 15
    write: float | None = 120  # without a byte that is taken
    read: float | None = 120  # without a byte that comes
    close: float | None = 10  # until the peer has closed its side, or the command has ended


def deadline_of(seconds: float | None) -> float | None:
    """The moment that is so many seconds from now."""
    return None if seconds is None else time.monotonic() + seconds


class Channel(ABC):
    """One connection.

    :ivar kind: as messages name it: ``socket``, ``command``, ``file``, ``TLS channel``
    :ivar peer: the other end
    :ivar two_way: whether bytes go both ways
    """

    kind = "channel"
    cannot = "Unable to"
    """How QEMU's complaints about this kind begin."""

    def __init__(self, peer: str, interrupt: Interrupt, timeouts: Timeouts, *, two_way: bool) -> None:
        self.peer = peer
        self.interrupt = interrupt
        self.timeouts = timeouts
        self.two_way = two_way

    # -- primitives

    @abstractmethod
    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it; waits while the peer does not take it.

        :raise WriteError: it cannot be sent, or nothing was taken for too long.
        :raise Interrupted: somebody called :meth:`shutdown`.
        """

    @abstractmethod
    def read_now(self, size: int) -> bytes | None:
        """At most *size* bytes that are there; None if none are; empty when the peer has closed its side.

        :raise ReadError: the connection is broken.
        """

    @abstractmethod
    def wait_readable(self, deadline: float | None) -> bool:
        """Wait until :meth:`read_now` has something to tell. Returns False when time is over.

        :raise Interrupted: somebody called :meth:`shutdown`.
        """

    @abstractmethod
    def finish(self) -> None:
        """All has been written: make sure that it arrives, as far as this kind of channel can know.

        :raise CloseError: it did not.
        :raise Interrupted: somebody called :meth:`shutdown`.
        """

    @abstractmethod
    def close(self) -> None:
        """Give everything back, without waiting. May be called again."""

    def end_output(self) -> None:
        """Say that nothing follows, where that can be said; reading goes on."""

    def heard(self) -> list[bytes]:
        """What the peer sent while :meth:`finish` waited for it, or before it broke the connection."""
        return []

    # -- made of them

    def shutdown(self) -> None:
        """End every wait, now and in future. From any thread."""
        self.interrupt.set()

    def read(self, size: int) -> bytes:
        """At least one and at most *size* bytes; empty when the peer has closed its side.

        :raise ReadError: the connection is broken, or nothing came for too long.
        :raise Interrupted: somebody called :meth:`shutdown`.
        """
        deadline = deadline_of(self.timeouts.read)
        while True:
            data = self.read_now(size)
            if data is not None:
                return data
            if not self.wait_readable(deadline):
                raise ReadError(
                    f"{self.cannot} read from {self.kind}: Connection timed out",
                    f"{self.peer} sent nothing for {self.timeouts.read:g} seconds",
                    peer=self.peer, timed_out=True,
                )  # fmt: skip

    def read_exactly(self, size: int) -> bytes:
        """That many bytes.

        :raise EndOfStream: the peer closed its side before.
        :raise ReadError: as :meth:`read`.
        """
        parts = bytearray()
        while len(parts) < size:
            data = self.read(size - len(parts))
            if not data:
                raise EndOfStream(
                    f"{self.cannot} read from {self.kind}: Unexpected end of file",
                    f"{self.peer} closed the connection",
                    peer=self.peer,
                )
            parts += data
        return bytes(parts)


class DescriptorChannel(Channel):
    """A channel over descriptors that never block."""

    @abstractmethod
    def _send(self, data: memoryview) -> int:
        """Hand bytes to the kernel; returns how many it took."""

    @abstractmethod
    def _receive(self, size: int) -> bytes:
        """Take bytes from the kernel."""

    @abstractmethod
    def _fileno(self, events: int) -> int:
        """What to wait for."""

    def _wait(self, events: int, deadline: float | None) -> bool:
        return bool(self.interrupt.wait({self._fileno(events): events}, deadline))

    def _write_failed(self, error: OSError) -> WriteError:
        return WriteError(f"Unable to write to {self.kind}: {reason(error)}", self.peer, peer=self.peer, cause=error)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data).cast("B")
        position = 0
        while position < len(view):
            self.interrupt.check()
            try:
                position += self._send(view[position : position + CHUNK])
            except BlockingIOError:
                if not self._wait(WRITABLE, deadline_of(self.timeouts.write)):
                    raise WriteError(
                        f"Unable to write to {self.kind}: Connection timed out",
                        f"{self.peer} took nothing for {self.timeouts.write:g} seconds",
                        peer=self.peer, timed_out=True,
                    ) from None  # fmt: skip
            except OSError as error:
                self.interrupt.check()
                raise self._write_failed(error) from error

    def read_now(self, size: int) -> bytes | None:
        self.interrupt.check()
        try:
            return self._receive(size)
        except BlockingIOError:
            return None
        except OSError as error:
            self.interrupt.check()
            raise ReadError(
                f"Unable to read from {self.kind}: {reason(error)}", self.peer, peer=self.peer, cause=error
            ) from error

    def wait_readable(self, deadline: float | None) -> bool:
        return self._wait(READABLE, deadline)


class PipeChannel(DescriptorChannel):
    """One end of a pipe, a terminal, or another descriptor that can be waited for. It is closed with the channel."""

    kind = "pipe"

    def __init__(self, fd: int, peer: str, interrupt: Interrupt, timeouts: Timeouts) -> None:
        super().__init__(peer, interrupt, timeouts, two_way=False)
        self._fd: int | None = fd
        os.set_blocking(fd, False)

    def _fileno(self, events: int) -> int:
        if self._fd is None:
            raise OSError(9, os.strerror(9))
        return self._fd

    def _send(self, data: memoryview) -> int:
        return os.write(self._fileno(WRITABLE), data)

    def _receive(self, size: int) -> bytes:
        return os.read(self._fileno(READABLE), size)

    def finish(self) -> None:
        """The reader sees the end."""
        self.close()

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            with suppress(OSError):
                os.close(fd)
