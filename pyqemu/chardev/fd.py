"""Chardevs that stand on file descriptors: the shared reading and writing machinery.

Descriptors need not be non-blocking: standard input and output share their open file with the shell that
started us, and flags set there would outlive us.  Input is read only when the loop says that there is some,
output is written after ``poll`` said that there is room, in portions that do not block then.
"""

from __future__ import annotations

import os
import select
import time
from collections import deque

from pyqemu.chardev.base import Chardev, ChardevHost

READ_SIZE = 4096
# A write of this size to a descriptor that polls as writable does not block (POSIX's PIPE_BUF).
WRITE_SIZE = 512
CLOSE_PATIENCE = 1.0  # seconds that close() gives the host to take what is queued


class FdChardev(Chardev):
    """A chardev with a descriptor to read, one to write (maybe the same), or only one of them."""

    def __init__(self, label: str, host: ChardevHost) -> None:
        super().__init__(label, host)
        self.read_fd = -1
        self.write_fd = -1
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._reading = False
        self._writing = False
        self._stalled = False  # input waits until the frontend has room
        self._pollable = True
        self._poll = select.poll()

    @property
    def backlog(self) -> int:
        return self._queued

    # -- life -----------------------------------------------------------------------------------------

    def _attach(self, read_fd: int, write_fd: int) -> None:
        """Start to work with these descriptors (-1: there is none)."""
        self.read_fd, self.write_fd = read_fd, write_fd
        self._stalled = False
        if write_fd >= 0:
            self._poll = select.poll()
            self._poll.register(write_fd, select.POLLOUT)
        if read_fd >= 0:
            self.host.call_soon(self._resume)

    def _detach(self) -> None:
        """Forget the descriptors without closing them; what was queued for them is lost."""
        self._stop_reading()
        self._stop_writing()
        self.read_fd = self.write_fd = -1
        self._queue.clear()
        self._queued = 0

    def close(self) -> None:
        self._flush_before_close()
        self._detach()
        super().close()

    def _flush_before_close(self) -> None:
        end = time.monotonic() + CLOSE_PATIENCE
        while self._queue and self.write_fd >= 0 and time.monotonic() < end:
            self._poll.poll(50)
            if not self._send_queue():
                return

    # -- input ----------------------------------------------------------------------------------------

    def accept_input(self) -> None:
        if self._stalled:
            self._stalled = False
            self.host.call_soon(self._resume)

    def _resume(self) -> None:
        """(In the loop's thread.) Watch for input."""
        loop = self.host.loop
        if loop is None or self._reading or self.read_fd < 0:
            return
        self._reading = True
        try:
            loop.add_reader(self.read_fd, self._readable)
        except PermissionError:  # a regular file: epoll does not take it, it is always readable
            self._pollable = False
            loop.call_soon(self._pump)

    def _stop_reading(self) -> None:
        if self._reading and self._pollable and self.host.loop is not None and not self.host.loop.is_closed():
            self.host.loop.remove_reader(self.read_fd)
        self._reading = False

    def _pump(self) -> None:
        """Read a descriptor that cannot be watched, a portion each turn of the loop."""
        if self._reading:
            self._readable()
        if self._reading and self.host.loop is not None:
            self.host.loop.call_soon(self._pump)

    def _readable(self) -> None:
        with self.host.lock:
            if self.read_fd < 0:
                return
            room = self.can_receive()
            if room <= 0:
                self._stalled = True
                self._stop_reading()
                return
            try:
                data = self._read(min(room, READ_SIZE))
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if data is None:
                return
            if data:
                self._deliver(data)
            else:
                self._end_of_input()

    def _read(self, size: int) -> bytes | None:
        """Up to *size* bytes; empty at the end of input, None if these bytes were not for the frontend."""
        return os.read(self.read_fd, size)

    def _end_of_input(self) -> None:
        self._stop_reading()
        self.read_fd = -1
        self._set_open(False)

    # -- output ---------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        if self.write_fd < 0 or not data:
            return
        self._queue.append(memoryview(data))
        self._queued += len(data)
        if not self._writing and not self._send_queue():
            self._writing = True
            self.host.call_soon(self._watch_output)

    def _watch_output(self) -> None:
        """(In the loop's thread.) Go on when the host takes more."""
        loop = self.host.loop
        if loop is None or self.write_fd < 0:
            self._writing = False
            return
        try:
            loop.add_writer(self.write_fd, self._writable)
        except PermissionError:  # a regular file never makes us wait
            self._writing = False

    def _stop_writing(self) -> None:
        if self._writing and self.host.loop is not None and not self.host.loop.is_closed():
            self.host.loop.remove_writer(self.write_fd)
        self._writing = False

    def _writable(self) -> None:
        with self.host.lock:
            if not self._send_queue():
                return
            self._stop_writing()
            if self.on_drain is not None:
                self.on_drain()

    def _send_queue(self) -> bool:
        """Write what the host takes now; True if nothing is left."""
        while self._queue:
            if not self._poll.poll(0):
                return False
            data = self._queue.popleft()
            try:
                done = self._send(data)
            except BlockingIOError:
                done = 0
            except OSError:  # nobody reads any more: output goes nowhere, as on an unplugged line
                self._queue.clear()
                self._queued = 0
                return True
            self._queued -= done
            if done < len(data):
                self._queue.appendleft(data[done:])
        return True

    def _send(self, data: memoryview) -> int:
        """Write a first part of *data*; the number of bytes that went out."""
        return os.write(self.write_fd, data[:WRITE_SIZE])
