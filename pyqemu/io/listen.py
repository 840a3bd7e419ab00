"""Waiting for somebody who connects."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from pyqemu.io.channel import Timeouts
from pyqemu.io.errors import ListenError, reason
from pyqemu.io.interrupt import READABLE, Interrupt
from pyqemu.io.resolve import Address, SocketAddress, resolve
from pyqemu.io.sockets import SocketChannel

CONNECTIONS_WAITING = 16


class Listener:
    """Listening sockets, one or several, behind one address.

    :ivar addresses: where it listens, for TCP: with the ports that were really taken
    """

    def __init__(self, sockets: list[socket.socket], path: str = "") -> None:
        self.path = path
        self._sockets = sockets
        for listener in sockets:
            listener.setblocking(False)

    @property
    def addresses(self) -> list[Address]:
        """Where it listens by TCP."""
        return [Address(entry.family, entry.getsockname()) for entry in self._sockets if not self.path]

    def accept(self, interrupt: Interrupt, timeouts: Timeouts) -> SocketChannel:
        """Wait for a peer.

        :raise Interrupted: somebody ended the wait.
        """
        by_fd = {listener.fileno(): listener for listener in self._sockets}
        while True:
            for fd in interrupt.wait(dict.fromkeys(by_fd, READABLE)):
                try:
                    connection, where = by_fd[fd].accept()
                except (BlockingIOError, ConnectionAbortedError):
                    continue  # it was in a hurry
                peer = f"unix:{self.path}" if self.path else str(Address(by_fd[fd].family, cast(SocketAddress, where)))
                return SocketChannel(connection, peer, interrupt, timeouts)

    def close(self) -> None:
        """Listen no more. May be called again."""
        for listener in self._sockets:
            listener.close()
        if self._sockets and self.path:
            _unlink_socket(self.path)
        self._sockets = []


def listen_tcp(
    host: str,
    port: str,
    interrupt: Interrupt,
    timeouts: Timeouts,
    *,
    last_port: int = 0,
    family: socket.AddressFamily = socket.AF_UNSPEC,
) -> Listener:
    """Listen on all addresses of a host, on the first port from *port* to *last_port* that is free.

    :raise ResolveError: the name has no address.
    :raise ListenError: nothing is free there, or the address is another host's.
    """
    first = int(port) if port.isdigit() else 0
    ports = [port, *(str(number) for number in range(first + 1, last_port + 1))]
    problem: OSError | None = None
    for candidate in ports:
        addresses = resolve(host, candidate, interrupt, timeouts.resolve, passive=True, family=family)
        try:
            return Listener(_bind_all(addresses))
        except OSError as error:
            problem = error
            if error.errno != errno.EADDRINUSE:
                break
    assert problem is not None
    shown = f"tcp:{host}:{port}" + (f" to {last_port}" if last_port else "")
    if problem.errno == errno.EADDRINUSE:
        raise ListenError(
            f"Failed to find an available port: {reason(problem)}", shown, peer=shown, cause=problem
        ) from None
    raise ListenError(f"Failed to bind socket: {reason(problem)}", shown, peer=shown, cause=problem) from None


def _bind_all(addresses: Sequence[Address]) -> list[socket.socket]:
    """:raise OSError: one of them cannot be had."""
    listeners: list[socket.socket] = []
    covered = False  # the IPv6 socket of all addresses takes IPv4 as well
    try:
        for address in sorted(addresses, key=lambda entry: entry.family != socket.AF_INET6):
            if covered and address.host == "0.0.0.0":
                continue
            where = address.where
            if listeners and where[1] == 0:
                where = (where[0], listeners[0].getsockname()[1], *where[2:])
            listener = _bind(address.family, where, dual=address.host == "::")
            if listener is None:
                continue
            listeners.append(listener)
            covered |= address.host == "::"
        if not listeners:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _bind(family: socket.AddressFamily, where: object, *, dual: bool = False) -> socket.socket | None:
    """A listening socket; None if the host has no such family of addresses."""
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            return None
        raise
    try:
        if family != socket.AF_UNIX:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not dual)
        listener.bind(where)  # type: ignore[arg-type]  # of the family
        listener.listen(CONNECTIONS_WAITING)
    except BaseException as error:
        listener.close()
        absent = isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL and family == socket.AF_INET6
        if absent and cast("tuple[str, int]", where)[0] in ("::", "::1"):
            return None  # IPv6 is switched off
        raise
    return listener


def listen_unix(path: str) -> Listener:
    """Listen on a local socket, whose file goes with it.

    :raise ListenError: it cannot be made there.
    """
    _unlink_socket(path)  # left over by a program that has ended
    try:
        listener = _bind(socket.AF_UNIX, path)
    except (OSError, ValueError) as error:
        text = reason(error) if isinstance(error, OSError) else str(error)
        raise ListenError(f"Failed to bind socket to {path}: {text}", peer=f"unix:{path}", cause=error) from None
    assert listener is not None
    return Listener([listener], path)


def _unlink_socket(path: str) -> None:
    with suppress(OSError, ValueError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
