"""``socket`` (``tcp:``, ``unix:``, ``telnet:``): one peer at a time, as server or client."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from pyqemu.chardev.base import ChardevEvent, ChardevHost
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.fd import FdChardev
from pyqemu.chardev.telnet import GREETING, TelnetFilter

Where = tuple[str | int, ...] | str


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

        :raise ChardevError: the name is not known.
        """
        if self.path:
            return [(socket.AF_UNIX, self.path)]
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


class SocketChardev(FdChardev):
    """A stream socket. A server keeps listening while a peer is connected and takes the next one after."""

    backend = "socket"

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
        super().__init__(label, host)
        if server and reconnect:
            raise ChardevError("'reconnect' option is incompatible with 'server'")
        self.address = address
        self.server = server
        self.wait = wait
        self.reconnect = reconnect
        self.telnet = telnet
        self.nodelay = nodelay
        self._listen_fd = listen_fd
        self._listener: socket.socket | None = None
        self._socket: socket.socket | None = None
        self._accepting = False
        self._filter = TelnetFilter()
        self._closed = False

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
        self._drop_socket()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            if self.address.path:
                self._unlink_stale()

    def _drop_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _end_of_input(self) -> None:
        self._detach()
        self._drop_socket()
        self._set_open(False)
        if self._closed:
            return
        if self.server:
            self._watch_listener()
        elif self.reconnect and self.host.loop is not None:
            self.host.loop.call_later(self.reconnect, self._try_again)

    def _connected(self, peer: socket.socket) -> None:
        peer.setblocking(False)
        if self.nodelay and peer.family != socket.AF_UNIX:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = peer
        self._filter = TelnetFilter()
        with self.host.lock:
            self._attach(peer.fileno(), peer.fileno())
            if self.telnet:
                super()._write(GREETING)
            self._set_open(True)

    # -- server ---------------------------------------------------------------------------------------

    def _unlink_stale(self) -> None:
        try:
            if stat.S_ISSOCK(os.stat(self.address.path).st_mode):
                os.unlink(self.address.path)
        except OSError:
            pass  # not there

    def _listen(self) -> None:
        if self._listen_fd is not None:
            self._listener = socket.socket(fileno=self._listen_fd)
            return
        problem: OSError | None = None
        if self.address.path:
            self._unlink_stale()
        for family, where in self.address.resolve(passive=True):
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
        self._stop_accepting()
        self._connected(peer)

    # -- client ---------------------------------------------------------------------------------------

    def _connect(self) -> None:
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

    # -- telnet ---------------------------------------------------------------------------------------

    def _read(self, size: int) -> bytes | None:
        data = super()._read(size)
        if not self.telnet or not data:
            return data
        text, breaks = self._filter.feed(data)
        for _ in range(breaks):
            self.on_event(ChardevEvent.BREAK)
        return text or None

    def _write(self, data: bytes) -> None:
        super()._write(data.replace(b"\xff", b"\xff\xff") if self.telnet else data)
