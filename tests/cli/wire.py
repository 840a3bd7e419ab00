"""Speaks QMP, a line a message, over whatever has a descriptor: sockets, pipes, terminals.

Where it matters what a program of the world does with us, the tests use the public client; this one sees each byte.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time
from pathlib import Path
from typing import Any

from program import PATIENCE


class Wire:
    """One end; *write_fd* is another descriptor where the two directions have one each."""

    def __init__(self, read_fd: int, write_fd: int | None = None) -> None:
        self.read_fd = read_fd
        self.write_fd = read_fd if write_fd is None else write_fd
        self.events: list[str] = []
        self.raw = b""
        self._rest = b""

    def _line(self) -> bytes:
        """The next line; empty at the end."""
        end = time.monotonic() + PATIENCE
        while b"\n" not in self._rest:
            assert time.monotonic() < end, f"no line came; so far: {self._rest!r}"
            if not select.select([self.read_fd], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self.read_fd, 65536)
            except OSError:  # a terminal whose other end is gone
                data = b""
            if not data:
                return b""
            self.raw += data
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def message(self) -> dict[str, Any] | None:
        """The next message; None at the end."""
        line = self._line()
        message: dict[str, Any] | None = json.loads(line) if line else None
        if message and "event" in message:
            self.events.append(message["event"])
        return message

    def ask(self, command: str, **arguments: object) -> Any:
        """What is answered; events before it are noted."""
        os.write(self.write_fd, json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while (message := self.message()) is not None:
            if "event" not in message:
                assert "return" in message, message
                return message["return"]
        raise AssertionError(f"the end came before the answer to {command}")

    def greet(self) -> Wire:
        """Take the greeting and negotiate."""
        greeting = self.message()
        assert greeting is not None and "QMP" in greeting
        assert self.ask("qmp_capabilities") == {}
        return self

    def read_to_end(self) -> None:
        """What still comes."""
        while self.message() is not None:
            pass


def connect(where: Path | tuple[str, int]) -> socket.socket:
    """A socket to a server that may have only begun to start."""
    family = socket.AF_INET if isinstance(where, tuple) else socket.AF_UNIX
    end = time.monotonic() + PATIENCE
    while True:
        peer = socket.socket(family, socket.SOCK_STREAM)
        try:
            peer.connect(where if isinstance(where, tuple) else str(where))
            return peer
        except (FileNotFoundError, ConnectionRefusedError):
            peer.close()
            assert time.monotonic() < end, f"nobody listens at {where}"
            time.sleep(0.02)
