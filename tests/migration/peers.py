"""Ends of connections that are no pyqemu: they close early, do not read, or speak something else."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable

PATIENCE = 60  # seconds


def has_ipv6() -> bool:
    """Whether this host has a loopback of that family."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


class Peer:
    """A listener on the loopback. What it does with its first connection is up to the function."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self._thread = threading.Thread(target=self._serve, args=(behave,), daemon=True)
        self.accepted = threading.Event()
        self._thread.start()

    @property
    def uri(self) -> str:
        """Where it is."""
        return f"tcp:127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self, behave: Callable[[socket.socket], None]) -> None:
        connection, _ = self._listener.accept()
        self.accepted.set()
        with connection:
            connection.settimeout(PATIENCE)
            behave(connection)

    def close(self) -> None:
        """Wait until it has done what it does."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._listener.close()


def read_and_close(count: int) -> Callable[[socket.socket], None]:
    """Take that many bytes, then go away without a word."""

    def behave(connection: socket.socket) -> None:
        left = count
        while left and (data := connection.recv(min(left, 65536))):
            left -= len(data)
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )  # as a program that is killed

    return behave


def connect(uri: str) -> socket.socket:
    """To a side that listens by ``tcp:``."""
    _, host, port = uri.split(":")
    return socket.create_connection((host, int(port)), PATIENCE)


def full_listener() -> tuple[socket.socket, list[socket.socket]]:
    """A listener whose queue is full: the host drops what asks for another connection."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        waiting.append(client)
    return listener, waiting
