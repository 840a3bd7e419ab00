"""From the name of a host to addresses, without blocking anybody who wants to end it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import NamedTuple

from pyqemu.io.channel import deadline_of
from pyqemu.io.errors import ResolveError
from pyqemu.io.interrupt import Interrupt

LAST_PORT = 65535

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


class Address(NamedTuple):
    """One way to a host."""

    family: socket.AddressFamily
    where: SocketAddress

    @property
    def host(self) -> str:
        """Its number."""
        return self.where[0]

    def __str__(self) -> str:
        return f"[{self.host}]:{self.where[1]}" if ":" in self.host else f"{self.host}:{self.where[1]}"


def resolve(
    host: str,
    port: str,
    interrupt: Interrupt,
    timeout: float | None,
    *,
    passive: bool = False,
    family: socket.AddressFamily = socket.AF_UNSPEC,
) -> Sequence[Address]:
    """All addresses of a host in the order of preference.

    :param passive: to listen there; an empty host then means all of ours
    :raise ResolveError: it has none, or the name service does not answer.
    :raise Interrupted: somebody ended the wait.
    """
    shown = f"{host}:{port}"
    if (port.isdecimal() and int(port) > LAST_PORT) or not (host or passive):
        raise ResolveError(f"address resolution failed for {shown}: {_known_reason(host, port)}", peer=shown)

    def look_up() -> list[Address]:
        flags = socket.AI_PASSIVE if passive else 0
        found = socket.getaddrinfo(host or None, port, family=family, type=socket.SOCK_STREAM, flags=flags)
        return [Address(entry[0], entry[4]) for entry in found if len(entry[4]) in (2, 4)]  # type: ignore[arg-type]

    try:
        addresses = interrupt.run(look_up, deadline_of(timeout), "resolver")
    except (socket.gaierror, UnicodeError, ValueError) as error:
        why = error.strerror if isinstance(error, socket.gaierror) else "it cannot be a host name"
        raise ResolveError(f"address resolution failed for {shown}: {why}", peer=shown, cause=error) from None
    if addresses is None:
        raise ResolveError(
            f"address resolution failed for {shown}: Connection timed out",
            f"no answer from the name service within {timeout:g} seconds",
            peer=shown,
            timed_out=True,
        )
    return addresses


def _known_reason(host: str, port: str) -> str:
    if not host:
        return "Name or service not known"
    return f"'{port}' is no port number: the largest is {LAST_PORT}"
