"""``socket`` (``tcp:``, ``unix:``, ``telnet:``), as server or client.

A server has one peer at a time, unless its frontend asked to :meth:`~SocketChardev.serve` each peer by itself.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from pyqemu.chardev.base import Chardev, ChardevHost
from pyqemu.chardev.connection import Connection, StreamSocket
from pyqemu.chardev.errors import ChardevError

Where = tuple[str | int, ...] | str
CLIENTS_WAITING = 128  # that the host queues for a server of many
MAX_PATH = 107  # bytes; the host's sun_path has one more, for a zero
MAX_PORT = 65535


@dataclass(frozen=True)
class SocketAddress:
    """Where to listen or connect: a Unix *path*, or *host* and *port* (as text; names of services work)."""

    path: str = ""
    host: str = ""
    port: str = ""
    last_port: int = 0  # ``to=``: a server tries all ports up to this one
    family: socket.AddressFamily = socket.AF_UNSPEC

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"tcp:{self.host}:{self.port}"

    @property
    def bare(self) -> str:
        """As messages of connecting name it."""
        return self.path or f"{self.host}:{self.port}"

    def resolve(self, *, passive: bool) -> Sequence[tuple[socket.AddressFamily, Where]]:
        """Candidate addresses in order of preference.

        :raise ChardevError: the name is not known, or the host could have no such socket.
        """
        if self.path:
            if len(os.fsencode(self.path)) > MAX_PATH:
                raise ChardevError(f"UNIX socket path '{self.path}' is too long", f"at most {MAX_PATH} bytes")
            return [(socket.AF_UNIX, self.path)]
        if self.port.isdigit() and int(self.port) > MAX_PORT:
            raise ChardevError(f"port {self.port} is out of range", f"up to {MAX_PORT}")
        flags = socket.AI_PASSIVE if passive else 0
        found: list[tuple[socket.AddressFamily, Where]] = []
        ports = [self.port]
        if self.port.isdigit():
            ports += [str(port) for port in range(int(self.port) + 1, self.last_port + 1)]
        for port in ports:
            try:
                infos = socket.getaddrinfo(
                    self.host or None, port, family=self.family, type=socket.SOCK_STREAM, flags=flags
                )
            except socket.gaierror as error:
                raise ChardevError(f"address resolution failed for {self.host}:{port}: {error.strerror}") from None
            found += [(info[0], cast(Where, info[4])) for info in infos]
        return found


def _inherited(fd: int) -> socket.socket:
    """The socket that whoever started us has opened.

    :raise ChardevError: there is none.
    """
    try:
        return socket.socket(fileno=fd)
    except OSError as error:
        raise ChardevError(
            f"File descriptor '{fd}' is not a socket: {error.strerror}", "an open, inherited socket"
        ) from None


def _has_server(path: str) -> bool:
    """Whether somebody listens there. Whoever it is sees a peer that goes away at once, if anything."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True  # and has no time for us
        except OSError:
            return False
    return True


class SocketChardev(StreamSocket):
    """A stream socket. A server keeps listening while a peer is connected and takes the next one after."""

    def __init__(
        self,
        label: str,
        host: ChardevHost,
        address: SocketAddress,
        *,
        server: bool = False,
        wait: bool = True,
        reconnect: int = 0,
        telnet: bool = False,
        nodelay: bool = False,
        listen_fd: int | None = None,
    ) -> None:
        super().__init__(label, host, telnet=telnet, nodelay=nodelay)
        if server and reconnect:
            raise ChardevError("'reconnect' option is incompatible with 'server'")
        self.address = address
        self.server = server
        self.wait = wait
        self.reconnect = reconnect
        self._listen_fd = listen_fd
        self._listener: socket.socket | None = None
        self._accepting = False
        self._closed = False
        self._new_peer: Callable[[Chardev], None] | None = None
        self._connections: set[Connection] = set()

    @property
    def filename(self) -> str:
        text = str(self.address)
        if self.telnet:
            text = text.replace("tcp:", "telnet:", 1)
        if self.server:
            text += ",server"
        return text if self.is_open else f"disconnected:{text}"

    # -- life -----------------------------------------------------------------------------------------

    def open(self) -> None:
        if self.server:
            self._listen()
            if self.wait:
                print(f"pyqemu: waiting for connection on: {self.filename}", file=sys.stderr)
                self._accept()
            else:
                self.host.call_soon(self._watch_listener)
        elif self.reconnect:
            self._try_again()
        else:
            self._connect()

    def close(self) -> None:
        self._closed = True
        super().close()
        self._stop_accepting()
        for connection in list(self._connections):
            connection.close()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            if self.address.path:
                self._unlink_stale()

    def _end_of_input(self) -> None:
        self._hang_up()
        if self._closed:
            return
        if self.server:
            self._watch_listener()
        elif self.reconnect and self.host.loop is not None:
            self.host.loop.call_later(self.reconnect, self._try_again)

    # -- server ---------------------------------------------------------------------------------------

    def _unlink_stale(self) -> None:
        """What a server that is no more has left behind must not keep us out."""
        try:
            if stat.S_ISSOCK(os.stat(self.address.path).st_mode):
                os.unlink(self.address.path)
        except OSError:
            pass  # not there

    def _listen(self) -> None:
        if self._listen_fd is not None:
            self._listener = _inherited(self._listen_fd)
            try:
                self._listener.listen(1)
            except OSError as error:
                raise ChardevError(
                    f"Failed to listen on fd {self._listen_fd}: {error.strerror}", "server=off"
                ) from None
            return
        problem: OSError | None = None
        candidates = self.address.resolve(passive=True)
        if self.address.path:
            if _has_server(self.address.path):
                raise ChardevError(
                    f"Failed to bind socket to {self.address.bare}: Address already in use", "a running server has it"
                )
            self._unlink_stale()
        for family, where in candidates:
            listener = socket.socket(family, socket.SOCK_STREAM)
            if family != socket.AF_UNIX:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(where)
                listener.listen(1)
            except OSError as error:
                listener.close()
                problem = error
                if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    break
                continue
            self._listener = listener
            return
        reason = problem.strerror if problem is not None else "no address"
        raise ChardevError(f"Failed to bind socket to {self.address.bare}: {reason}")

    @property
    def port(self) -> int:
        """The TCP port listened on (of use where port 0 was asked for)."""
        assert self._listener is not None
        return int(self._listener.getsockname()[1])

    def _watch_listener(self) -> None:
        loop = self.host.loop
        if loop is not None and self._listener is not None and not self._accepting:
            self._listener.setblocking(False)
            loop.add_reader(self._listener.fileno(), self._accept)
            self._accepting = True

    def _stop_accepting(self) -> None:
        loop = self.host.loop
        if self._accepting and loop is not None and self._listener is not None and not loop.is_closed():
            loop.remove_reader(self._listener.fileno())
        self._accepting = False

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            peer, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if self._new_peer is not None:
            self._offer(peer)
            return
        self._stop_accepting()
        self._connected(peer)

    # -- server of many -------------------------------------------------------------------------------

    def serve(self, new_peer: Callable[[Chardev], None]) -> None:
        """See :meth:`Chardev.serve`. Peers belong to the loop's thread alone: see :class:`Connection`."""
        if not self.server:
            super().serve(new_peer)
            return
        self.claim()
        assert self._listener is not None
        self._new_peer = new_peer
        self._listener.listen(CLIENTS_WAITING)
        first = self._give_away()
        if first is not None:
            self._offer(first)
        self.host.call_soon(self._watch_listener)

    def release(self) -> None:
        super().release()
        self._new_peer = None
        for connection in list(self._connections):
            connection.close()

    def _offer(self, peer: socket.socket) -> None:
        assert self._new_peer is not None
        connection = Connection(self, peer)
        self._connections.add(connection)
        self.is_open = True
        self._new_peer(connection)

    def disconnected(self, connection: Connection) -> None:
        """One of many peers is gone."""
        self._connections.discard(connection)
        self.is_open = bool(self._connections)

    # -- client ---------------------------------------------------------------------------------------

    def _connect(self) -> None:
        if self._listen_fd is not None:  # a socket that is connected already
            self._connected(_inherited(self._listen_fd))
            return
        problem: OSError | None = None
        for family, where in self.address.resolve(passive=False):
            peer = socket.socket(family, socket.SOCK_STREAM)
            try:
                peer.connect(where)
            except OSError as error:
                peer.close()
                problem = error
                continue
            self._connected(peer)
            return
        reason = problem.strerror if problem is not None else "no address"
        raise ChardevError(f"Failed to connect to '{self.address.bare}': {reason}")

    def _try_again(self) -> None:
        """Connect; if the peer is not there, try once more after ``reconnect`` seconds."""
        if self._closed or self.is_open:
            return
        try:
            self._connect()
        except ChardevError:
            if self.host.loop is not None:
                self.host.loop.call_later(self.reconnect, self._try_again)
            else:
                self.host.call_soon(self._try_again)
