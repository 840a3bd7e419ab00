"""Waiting that another thread can end.

All waits of a connection, from the name look-up to the last byte, go through one :class:`Interrupt`. Whoever sets it
ends the present wait and all later ones at once; nothing is polled for.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from pyqemu.io.errors import Interrupted

T = TypeVar("T")

READABLE = select.POLLIN
WRITABLE = select.POLLOUT


class Interrupt:
    """A flag that ends waits. :meth:`set` may be called from any thread, and any number of times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._closed = False
        self._flag = False

    def set(self) -> None:
        """End all waits, now and in future."""
        with self._lock:
            first, self._flag = not self._flag, True
            if first and not self._closed:
                os.write(self._writer, b"!")

    @property
    def is_set(self) -> bool:
        """Whether it was set."""
        return self._flag

    def check(self) -> None:
        """:raise Interrupted: it was set."""
        if self._flag:
            raise Interrupted("Interrupted")

    def close(self) -> None:
        """Give the descriptors back. Nobody waits any more."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._reader)
                os.close(self._writer)

    def wait(self, fds: Mapping[int, int], deadline: float | None = None) -> list[int]:
        """Wait until one of the descriptors is ready; return those that are. None are when time is over.

        :param fds: descriptors and what to wait for (``READABLE``, ``WRITABLE``); errors and hang-ups count as ready
        :param deadline: on the clock of ``time.monotonic``; None waits for ever
        :raise Interrupted: it was set.
        """
        self.check()
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        for fd, events in fds.items():
            poll.register(fd, events)
        remaining = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        ready = [fd for fd, _ in poll.poll(remaining)]
        self.check()
        return ready

    def sleep(self, seconds: float) -> None:
        """Wait for that time.

        :raise Interrupted: it was set.
        """
        self.wait({}, time.monotonic() + seconds)

    def run(self, work: Callable[[], T], deadline: float | None, name: str) -> T | None:
        """Return what *work* returns; None when time is over. It runs in a thread: for calls that can't be ended.

        The thread is left to itself if nobody waits any more.

        :raise Interrupted: it was set. Exceptions of *work* are raised, too.
        """
        reader, writer = os.pipe2(os.O_CLOEXEC)
        results: list[T] = []
        errors: list[BaseException] = []

        def body() -> None:
            try:
                results.append(work())
            except Exception as error:
                errors.append(error)
            finally:
                os.close(writer)  # a hang-up: the reader is ready

        threading.Thread(target=body, name=name, daemon=True).start()
        try:
            self.wait({reader: READABLE}, deadline)
        finally:
            os.close(reader)
        if errors:
            raise errors[0]
        return results[0] if results else None
