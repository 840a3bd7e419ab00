"""Connecting by TCP and Unix sockets, and talking over one."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import socket
import struct
import sys
import termios
import time
from collections.abc import Sequence
from contextlib import suppress

from pyqemu.io.channel import DescriptorChannel, Timeouts, deadline_of
from pyqemu.io.errors import CloseError, ConnectError, WriteError, reason
from pyqemu.io.interrupt import WRITABLE, Interrupt
from pyqemu.io.resolve import Address, resolve

LINGER_BYTES = 1 << 20  # bytes that a peer may still send after our end
TAKEN_INTERVAL = 0.005  # seconds between two looks at what the kernel still has
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing throws away what the peer's host does not have
BUFFER = 1 << 20  # bytes that the kernel may hold for each direction


class SocketChannel(DescriptorChannel):
    """A stream socket with a peer. It owns the socket."""

    kind = "socket"

    def __init__(self, connection: socket.socket, peer: str, interrupt: Interrupt, timeouts: Timeouts) -> None:
        super().__init__(peer, interrupt, timeouts, two_way=True)
        self._socket = connection
        self._heard: list[bytes] = []
        connection.setblocking(False)
        if connection.family in (socket.AF_INET, socket.AF_INET6):
            with suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)

    def _fileno(self, events: int) -> int:
        return self._socket.fileno()

    def _send(self, data: memoryview) -> int:
        return self._socket.send(data)

    def _receive(self, size: int) -> bytes:
        return self._socket.recv(size)

    def shutdown(self) -> None:
        super().shutdown()
        with suppress(OSError):  # not connected any more
            self._socket.shutdown(socket.SHUT_RDWR)

    def _write_failed(self, error: OSError) -> WriteError:
        """Maybe the peer has said something before it went away."""
        with suppress(OSError):
            self._heard.append(self._socket.recv(65536))
        return super()._write_failed(error)

    def end_output(self) -> None:
        with suppress(OSError):  # the peer has gone
            self._socket.shutdown(socket.SHUT_WR)

    def heard(self) -> list[bytes]:
        heard, self._heard = self._heard, []
        return heard

    def finish(self) -> None:
        """Say that nothing follows, and wait until the peer has closed its side, too.

        A peer that closes without having read everything resets the connection: that is how one learns of it. One that
        has everything and keeps the connection open is not waited for longer than ``timeouts.close``.
        """
        try:
            self._socket.shutdown(socket.SHUT_WR)
            self._wait_until_taken()
            deadline = deadline_of(self.timeouts.close)
            while sum(map(len, self._heard)) < LINGER_BYTES and self.wait_readable(deadline):
                data = self._take()
                if data == b"":
                    return
                self._heard.append(data or b"")
        except OSError as error:
            self.interrupt.check()
            raise CloseError(
                f"Unable to write to socket: {reason(error)}",
                f"{self.peer} closed the connection before it had read everything",
                peer=self.peer,
                cause=error,
            ) from error

    def _wait_until_taken(self) -> None:
        """Wait until the peer's host has all that was written: it may be as long in taking it as in :meth:`write`.

        What it has not taken by then it must never get: we say that it failed.
        """
        before, deadline = self._on_its_way(), deadline_of(self.timeouts.write)
        while before and not self._has_ended():
            self.interrupt.sleep(TAKEN_INTERVAL)
            left = self._on_its_way()
            if left < before:
                before, deadline = left, deadline_of(self.timeouts.write)
            elif deadline is not None and time.monotonic() >= deadline:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                raise CloseError(
                    "Unable to write to socket: Connection timed out",
                    f"{self.peer} took nothing of the last {left} bytes for {self.timeouts.write:g} seconds",
                    peer=self.peer, timed_out=True,
                )  # fmt: skip

    def _on_its_way(self) -> int:
        """Bytes that the peer's host has not acknowledged; 0 where all are there at once."""
        if self._socket.family not in (socket.AF_INET, socket.AF_INET6):
            return 0
        return int.from_bytes(fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4)), sys.byteorder)

    def _has_ended(self) -> bool:
        """Whether the peer has closed the connection, or broken it."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def _take(self) -> bytes | None:
        try:
            return self._socket.recv(65536)
        except BlockingIOError:
            return None

    def close(self) -> None:
        with suppress(OSError):  # what the peer did not take
            self._socket.close()


def connect_tcp(
    host: str,
    port: str,
    interrupt: Interrupt,
    timeouts: Timeouts,
    *,
    family: socket.AddressFamily = socket.AF_UNSPEC,
) -> SocketChannel:
    """Connect to a host: its addresses are tried one after the other.

    :raise ResolveError: its name has no address.
    :raise ConnectError: none of its addresses can be connected to.
    :raise Interrupted: somebody ended the wait.
    """
    addresses = resolve(host, port, interrupt, timeouts.resolve, family=family)
    failures: list[tuple[Address, OSError]] = []
    for address in addresses:
        try:
            connection = _connect(address.family, address.where, interrupt, timeouts.connect)
        except OSError as error:
            failures.append((address, error))
        else:
            return SocketChannel(connection, str(address), interrupt, timeouts)
    raise _no_connection(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", failures, timeouts.connect)


def _no_connection(shown: str, failures: Sequence[tuple[Address, OSError]], timeout: float | None) -> ConnectError:
    if not failures:
        return ConnectError("Error connecting to socket: No address", f"tcp:{shown}", peer=shown)
    last = failures[-1][1]
    reasons = {reason(error) for _, error in failures}
    context = f"tcp:{shown}"
    if len(reasons) > 1:
        context += "; " + ", ".join(f"{address.host}: {reason(error)}" for address, error in failures)
    elif len(failures) > 1 or failures[0][0].host != shown.rpartition(":")[0].strip("[]"):
        context += ", tried " + ", ".join(address.host for address, _ in failures)
    timed_out = last.errno == errno.ETIMEDOUT
    if timed_out and timeout is not None:
        context += f", no answer within {timeout:g} seconds"
    return ConnectError(
        f"Error connecting to socket: {reason(last)}", context, peer=shown, cause=last, timed_out=timed_out
    )


def connect_unix(path: str, interrupt: Interrupt, timeouts: Timeouts) -> SocketChannel:
    """Connect to a local socket.

    :raise ConnectError: there is none, or nobody listens, or we may not.
    """
    try:
        connection = _connect(socket.AF_UNIX, path, interrupt, timeouts.connect)
    except (OSError, ValueError) as error:
        text = reason(error) if isinstance(error, OSError) else str(error)
        raise ConnectError(
            f"Error connecting to socket: {text}",
            f"unix:{path}{_hint(error)}",
            peer=path,
            cause=error,
            timed_out=isinstance(error, OSError) and error.errno == errno.ETIMEDOUT,
        ) from None
    return SocketChannel(connection, f"unix:{path}", interrupt, timeouts)


def _hint(error: BaseException) -> str:
    hints = {
        errno.ENOENT: ", there is no such socket: is the destination waiting already?",
        errno.ECONNREFUSED: ", the socket is there but nobody listens: left over from a program that has ended?",
        errno.EACCES: ", its permissions do not let us in",
    }
    return hints.get(error.errno or 0, "") if isinstance(error, OSError) else ""


def _connect(family: socket.AddressFamily, where: object, interrupt: Interrupt, timeout: float | None) -> socket.socket:
    """:raise OSError: there is no connection; ``ETIMEDOUT`` after *timeout* seconds."""
    interrupt.check()
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        deadline = deadline_of(timeout)
        code = _start(connection, where)
        while code == errno.EAGAIN:  # a Unix socket whose queue is full
            if not interrupt.wait({}, _soon(deadline)) and _is_over(deadline):
                code = errno.ETIMEDOUT
            else:
                code = _start(connection, where)
        if code == errno.EINPROGRESS:
            ready = interrupt.wait({connection.fileno(): WRITABLE}, deadline)
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if ready else errno.ETIMEDOUT
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        connection.close()
        raise
    return connection


def _start(connection: socket.socket, where: object) -> int:
    return connection.connect_ex(where)  # type: ignore[arg-type]  # of the socket's own family


def _soon(deadline: float | None) -> float | None:
    soon = deadline_of(0.02)
    assert soon is not None
    return soon if deadline is None else min(soon, deadline)


def _is_over(deadline: float | None) -> bool:
    now = deadline_of(0)
    return deadline is not None and now is not None and now >= deadline
