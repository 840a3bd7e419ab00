"""A link between two hosts that fails when a chosen number of bytes has passed."""

from __future__ import annotations

import select
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

PIECE = 16 << 10
RESET = struct.pack("ii", 1, 0)  # a close that does not care about what is still under way


class Link:
    """Passes on what a source sends, up to *limit* bytes, and all that is answered.

    Then it sets :attr:`reached` and fails in the way of *fault*:

    ``cut``
        both sides see the connection break;
    ``stall``
        nothing is taken from the source any more, until :meth:`close`;
    ``swallow``
        all is taken and nothing passed on, until :meth:`close`;
    ``none``
        nothing is wrong with it;
    ``kill``
        *kill* is called, and what its end does to the connection passed on.

    :param connect: to the destination
    """

    def __init__(self, connect: Callable[[], socket.socket], limit: int, fault: str,
                 kill: Callable[[], None] = lambda: None) -> None:  # fmt: skip
        self.limit = limit
        self.fault = fault
        self.reached = threading.Event()
        self.passed = 0
        self._connect, self._kill = connect, kill
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(60)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where the source may connect to."""
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        """End it, whatever it does."""
        self._closing.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        with self._listener:
            source, _ = self._listener.accept()
        with source, self._connect() as destination:
            with suppress(ConnectionError):
                self._pass_on(source, destination)
            if self.fault == "kill" and self.passed == self.limit:
                with suppress(ConnectionError):
                    while self._answers(source, destination):
                        pass
            if self.reached.is_set() and self.fault in ("stall", "swallow"):
                self._hold(source)
            if self.fault != "none":
                with suppress(OSError):
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def _pass_on(self, source: socket.socket, destination: socket.socket) -> None:
        ends = [source, destination]
        while not self._closing.is_set():
            if self.passed >= self.limit and not self.reached.is_set():
                if self.fault == "kill":
                    self._kill()
                self.reached.set()
                if self.fault != "none":
                    return
            ready, _, _ = select.select(ends, [], [], 0.05)
            if source in ready:
                left = PIECE if self.reached.is_set() else self.limit - self.passed
                data = source.recv(min(PIECE, left))
                self.passed += len(data)
                destination.sendall(data)
                if not data:  # the answers may still come
                    destination.shutdown(socket.SHUT_WR)
                    ends.remove(source)
            if destination in ready and not self._answers(source, destination):
                return

    @staticmethod
    def _answers(source: socket.socket, destination: socket.socket) -> bool:
        data = destination.recv(PIECE)
        source.sendall(data)
        return bool(data)

    def _hold(self, source: socket.socket) -> None:
        while not self._closing.wait(0.005):
            if self.fault == "swallow" and select.select([source], [], [], 0)[0]:
                with suppress(OSError):
                    source.recv(PIECE)
