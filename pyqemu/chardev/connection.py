"""What all stream sockets share once a peer is there, and the peers of a server that has many."""

from __future__ import annotations

import array
import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from pyqemu.chardev.base import ChardevEvent, ChardevHost
from pyqemu.chardev.fd import FdChardev
from pyqemu.chardev.telnet import GREETING, TelnetFilter

MOST_DESCRIPTORS = 16  # that are taken at once
_DESCRIPTOR = array.array("i").itemsize


class StreamSocket(FdChardev):
    """A stream socket with a peer, or without one for the time being."""

    backend = "socket"

    def __init__(self, label: str, host: ChardevHost, *, telnet: bool, nodelay: bool) -> None:
        super().__init__(label, host)
        self.telnet = telnet
        self.nodelay = nodelay
        self._socket: socket.socket | None = None
        self._filter = TelnetFilter()

    def close(self) -> None:
        super().close()
        self._drop_socket()

    def _drop_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

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

    def _hang_up(self) -> None:
        self._detach()
        self._drop_socket()
        self._set_open(False)

    def _give_away(self) -> socket.socket | None:
        """The peer, if there is one, for another object to talk to."""
        peer, self._socket = self._socket, None
        if peer is not None:
            self._detach()
            self._set_open(False)
        return peer

    # -- data -----------------------------------------------------------------------------------------

    def _read(self, size: int) -> bytes | None:
        data = self._receive(size)
        if not self.telnet or not data:
            return data
        text, breaks = self._filter.feed(data)
        for _ in range(breaks):
            self.on_event(ChardevEvent.BREAK)
        return text or None

    def _receive(self, size: int) -> bytes:
        assert self._socket is not None
        if not self.wants_descriptors or self._socket.family != socket.AF_UNIX:
            return self._socket.recv(size)
        space = socket.CMSG_SPACE(MOST_DESCRIPTORS * _DESCRIPTOR)
        data, ancillary, _flags, _address = self._socket.recvmsg(size, space, socket.MSG_CMSG_CLOEXEC)
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                whole = len(payload) - len(payload) % _DESCRIPTOR
                self.descriptors += array.array("i", payload[:whole])
        return data

    def _deliver(self, data: bytes) -> None:
        super()._deliver(data)
        while self.descriptors:  # nobody took them
            os.close(self.descriptors.pop())

    def _write(self, data: bytes) -> None:
        super()._write(data.replace(b"\xff", b"\xff\xff") if self.telnet else data)

    def _send(self, data: memoryview) -> int:
        assert self._socket is not None
        return self._socket.send(data)


class Server(Protocol):
    """What a connection needs of the server that it came to."""

    label: str
    host: ChardevHost
    telnet: bool
    nodelay: bool

    @property
    def filename(self) -> str:
        """What ``info chardev`` shows."""

    def disconnected(self, connection: Connection) -> None:
        """The peer is gone."""


class _LoopThread:
    """The host as those see it who touch no device: they live in the loop's thread, and no lock is taken for them."""

    def __init__(self, host: ChardevHost) -> None:
        self._host = host
        self.lock: AbstractContextManager[Any] = nullcontext()

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The main loop."""
        return self._host.loop

    def call_soon(self, fn: Callable[[], None]) -> object:
        """Run *fn* in the loop's thread."""
        loop = self._host.loop
        return None if loop is None or loop.is_closed() else loop.call_soon_threadsafe(fn)


class Connection(StreamSocket):
    """One of many peers of a server; it is closed for good when the peer hangs up.

    Other than with single chardevs, all its methods and callbacks belong to the thread of the main loop, and the
    machine's lock is not held in them: a client that talks must not wait for the guest.
    """

    def __init__(self, server: Server, peer: socket.socket) -> None:
        super().__init__(server.label, _LoopThread(server.host), telnet=server.telnet, nodelay=server.nodelay)
        self._server = server
        self.in_use = True
        self._connected(peer)

    @property
    def filename(self) -> str:
        return self._server.filename

    def close(self) -> None:
        super().close()
        self._server.disconnected(self)

    def _end_of_input(self) -> None:
        self._hang_up()
        self._server.disconnected(self)
