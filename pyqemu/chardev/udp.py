"""``udp``: each portion of output is a datagram to one peer, datagrams from it are input."""

from __future__ import annotations

import os
import socket

from pyqemu.chardev.base import ChardevHost
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.fd import FdChardev

DATAGRAM_SIZE = 65536


class UdpChardev(FdChardev):
    """A connected datagram socket."""

    backend = "udp"

    def __init__(
        self, label: str, host: ChardevHost, remote: tuple[str, str], local: tuple[str, str] = ("", "0")
    ) -> None:
        super().__init__(label, host)
        self.remote = remote
        self.local = local
        self._socket: socket.socket | None = None
        self._pending = b""  # the rest of a datagram that the frontend had no room for

    @property
    def filename(self) -> str:
        return f"udp:{self.remote[0]}:{self.remote[1]}"

    def open(self) -> None:
        where = ":".join(self.remote)
        try:
            family, _, _, _, peer = socket.getaddrinfo(*self.remote, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.bind((self.local[0], int(self.local[1] or 0)))
            self._socket.connect(peer)
        except OSError as error:
            raise ChardevError(f"Failed to connect to '{where}': {error.strerror}") from None
        self._socket.setblocking(False)
        self._attach(self._socket.fileno(), self._socket.fileno())
        self._set_open(True)

    def _read(self, size: int) -> bytes | None:
        data = self._pending or os.read(self.read_fd, DATAGRAM_SIZE)
        self._pending = data[size:]
        return data[:size] or None

    def accept_input(self) -> None:
        """Deliver what is left of the last datagram before the loop looks for another."""
        while self._pending and (room := self.can_receive()) > 0:
            data, self._pending = self._pending[:room], self._pending[room:]
            self._deliver(data)
        super().accept_input()

    def _send(self, data: memoryview) -> int:
        return os.write(self.write_fd, data)

    def close(self) -> None:
        super().close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
