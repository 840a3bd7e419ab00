"""TCP ports for tests, from below those that hosts give out by themselves: nobody else comes upon one of them between
the moment when it is chosen and the moment when somebody listens on it."""

from __future__ import annotations

import random
import socket

PORTS = range(20000, 32768)
_chance = random.SystemRandom()  # tests that run side by side have the same seed


def free_port() -> int:
    """A port that nobody listens on."""
    while True:
        port = _chance.choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port
