"""The character device: a stream of bytes between a guest device and something of the host.

One end is the *backend* (terminal, socket, file ...), a :class:`Chardev`; the other the *frontend* (UART,
monitor ...), which claims the chardev and hangs its callbacks on it.

Threads: backends live in the thread of the main asyncio loop. A frontend writes from any thread, under the
machine's lock, and its callbacks are called under that lock.  So a write never waits for the host: what the
host does not take at once is queued, and the loop sends it when it can.

Flow control goes by pull: a backend reads no more than the frontend's ``can_receive`` says; a frontend that
had no room calls :meth:`Chardev.accept_input` when it has some.
"""

from __future__ import annotations

import asyncio
import enum
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Protocol

from pyqemu.chardev.errors import ChardevError
from pyqemu.io.descriptors import open_plain


class ChardevEvent(enum.Enum):
    """What can happen to a connection, apart from data."""

    OPENED = "opened"
    CLOSED = "closed"
    BREAK = "break"
    MUX_IN = "mux-in"  # a multiplexer gave this frontend the input
    MUX_OUT = "mux-out"  # ... and took it away


class ChardevHost(Protocol):
    """What chardevs need of the running machine (:class:`pyqemu.system.runstate.System` has it)."""

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """The machine's lock; re-entrant."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The main loop; None while there is none."""

    def call_soon(self, fn: Callable[[], None]) -> object:
        """Run *fn* in the thread of the main loop, under the lock."""


def _no_room() -> int:
    return 0


def _ignore_data(_data: bytes) -> None:
    return None


def _ignore_event(_event: ChardevEvent) -> None:
    return None


class Chardev:
    """A backend. The base class by itself swallows all output and never has input.

    :ivar wants_descriptors: set by a frontend that has a use for file descriptors: a UNIX socket takes them then
    :ivar descriptors: those that came with the bytes being delivered; who empties the list owns them
    """

    backend = "null"

    def __init__(self, label: str, host: ChardevHost) -> None:
        self.label = label
        self.host = host
        self.is_open = False  # is somebody at the other end?
        self.in_use = False
        self.on_receive: Callable[[bytes], None] = _ignore_data
        self.can_receive: Callable[[], int] = _no_room
        self.on_event: Callable[[ChardevEvent], None] = _ignore_event
        self.on_drain: Callable[[], None] | None = None
        self.wants_descriptors = False
        self.descriptors: list[int] = []
        self.open_path: Callable[[str, int], int] = open_plain
        """How files of the host are opened."""
        self._log: BinaryIO | None = None

    @property
    def filename(self) -> str:
        """What ``info chardev`` shows."""
        return self.backend

    @property
    def backlog(self) -> int:
        """Bytes written by the frontend and not yet taken by the host.

        ``on_drain`` is called when it has become 0 again; a frontend that knows flow control stops before
        the backlog becomes large.
        """
        return 0

    def open(self) -> None:
        """Acquire host resources.

        :raise ChardevError: the host refuses.
        """
        self._set_open(True)

    @property
    def busy(self) -> bool:
        """Whether a frontend uses it."""
        return self.in_use

    def claim(self) -> Chardev:
        """The end for a frontend to use: this object, or a new port of a multiplexer.

        :raise ChardevError: another frontend has it.
        """
        if self.in_use:
            raise ChardevError(f"Device '{self.label}' is in use")
        self.in_use = True
        return self

    def serve(self, new_peer: Callable[[Chardev], None]) -> None:
        """Claim the chardev for a frontend that can talk to several peers at once, each for itself.

        *new_peer* is called with an end to :meth:`connect` to: for most backends now, once, with this object or a
        port of it; a listening socket calls it with a new object for each peer.

        :raise ChardevError: another frontend has it.
        """
        new_peer(self.claim())

    def connect(
        self,
        receive: Callable[[bytes], None],
        can_receive: Callable[[], int],
        event: Callable[[ChardevEvent], None] = _ignore_event,
    ) -> None:
        """Hang a frontend on; it hears ``OPENED`` at once if the connection stands already."""
        self.on_receive, self.can_receive, self.on_event = receive, can_receive, event
        if self.is_open:
            event(ChardevEvent.OPENED)
        self.accept_input()

    def release(self) -> None:
        """Take the frontend off."""
        self.in_use = False
        self.on_receive, self.can_receive, self.on_event = _ignore_data, _no_room, _ignore_event
        self.on_drain = None

    def write(self, data: bytes) -> None:
        """Send *data*; never waits."""
        if self._log is not None:
            self._log.write(data)
            self._log.flush()
        self._write(data)

    def _write(self, data: bytes) -> None:
        """Backend's part of :meth:`write`."""

    def accept_input(self) -> None:
        """The frontend has room again."""

    def send_break(self, on: bool) -> None:
        """The guest's UART starts or ends a break condition. Only lines that know breaks care."""

    def close(self) -> None:
        """Flush what can be flushed and release host resources; a second call does nothing."""
        if self._log is not None:
            self._log.close()
            self._log = None
        self._set_open(False)

    def open_log(self, path: str, append: bool) -> None:
        """Copy all output to the file *path* (``logfile=``, ``logappend=``).

        :raise ChardevError: it cannot be opened.
        """
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_APPEND if append else os.O_TRUNC)
            self._log = open(self.open_path(path, flags), "ab" if append else "wb")  # noqa: SIM115
        except OSError as error:
            raise ChardevError(f"Unable to open logfile {path}: {error.strerror}") from None

    def _deliver(self, data: bytes) -> None:
        """Hand received bytes to the frontend; the lock is held."""
        self.on_receive(data)

    def _set_open(self, is_open: bool) -> None:
        """Note a change of the connection and tell the frontend."""
        if self.is_open == is_open:
            return
        self.is_open = is_open
        with self.host.lock:
            self.on_event(ChardevEvent.OPENED if is_open else ChardevEvent.CLOSED)


class NullChardev(Chardev):
    """``null``: swallows output, has no input."""
