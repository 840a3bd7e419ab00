"""Where a migration goes to or comes from: ``tcp:``, ``unix:``, ``exec:``, ``fd:``, ``file:``."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from pyqemu.qapi.errors import QapiError
from pyqemu.util.errors import UserError
from pyqemu.util.options import parse_bool
from pyqemu.util.units import parse_size

DEFER: Final = "defer"
UNSUPPORTED: Final = {
    "rdma": "RDMA ERROR: could not create CM channel: pyqemu has no access to RDMA hardware",
    "vsock": "vsock: is not supported by this build of pyqemu",
}


@dataclass(frozen=True)
class TcpUri:
    """``tcp:HOST:PORT[,to=PORT][,ipv4][,ipv6]``; an empty host means all addresses of this one."""

    host: str
    port: str
    last_port: int = 0
    family: socket.AddressFamily = socket.AF_UNSPEC


@dataclass(frozen=True)
class UnixUri:
    """``unix:PATH``."""

    path: str


@dataclass(frozen=True)
class ExecUri:
    """``exec:COMMAND`` of the shell."""

    command: str


@dataclass(frozen=True)
class FdUri:
    """``fd:NAME`` of ``getfd``, or a number."""

    name: str


@dataclass(frozen=True)
class FileUri:
    """``file:PATH[,offset=N]``."""

    path: str
    offset: int = 0


Uri: TypeAlias = TcpUri | UnixUri | ExecUri | FdUri | FileUri


def parse_outgoing(text: str) -> Uri:
    """Where to.

    :raise QapiError: it is nothing that one can migrate to.
    """
    found = _parse(text)
    if found is None:
        raise QapiError(
            "Parameter 'uri' expects a valid migration protocol",
            hint="tcp:HOST:PORT, unix:PATH, exec:COMMAND, fd:NAME or file:PATH",
        )
    return found


def parse_incoming(text: str) -> Uri:
    """Where from.

    :raise QapiError: it is nothing that one can migrate from.
    """
    found = _parse(text)
    if found is None:
        raise QapiError(
            f"unknown migration protocol: {text}",
            hint="tcp:[HOST]:PORT, unix:PATH, exec:COMMAND, fd:NAME or file:PATH",
        )
    return found


def _parse(text: str) -> Uri | None:
    protocol, colon, rest = text.partition(":")
    if not colon:
        return None
    if protocol in UNSUPPORTED:
        raise QapiError(UNSUPPORTED[protocol])
    parser = _PARSERS.get(protocol)
    return parser(rest) if parser is not None else None


def _tcp(text: str) -> TcpUri:
    match = re.match(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^:,]*)):(?P<port>[^,:]+)(?=,|$)", text)
    if match is None:
        kind = "IPv6 address" if text.startswith("[") else "address"
        raise QapiError(f"error parsing {kind} '{text}'", hint="HOST:PORT, or [ADDRESS]:PORT for IPv6")
    last_port, families = 0, {"ipv4": False, "ipv6": "v6" in match.groupdict() and match["v6"] is not None}
    allowed: dict[str, bool | None] = {"ipv4": None, "ipv6": True if families["ipv6"] else None}
    for option in text[match.end() :].split(",")[1:]:
        key, equals, value = option.partition("=")
        if key in allowed:
            allowed[key] = _flag(value if equals else "on", key)
        elif key == "to" and value.isdecimal() and int(value) <= 65535:
            last_port = int(value)
        else:
            raise QapiError(f"error parsing '{option}' in address '{text}'", hint="to=PORT, ipv4, ipv6")
    host = match["host"] if match["v6"] is None else match["v6"]
    return TcpUri(host, match["port"], last_port, _family(allowed["ipv4"], allowed["ipv6"]))


def _flag(value: str, key: str) -> bool:
    try:
        return parse_bool(value, key)
    except UserError as error:
        raise QapiError(error.message) from None


def _family(ipv4: bool | None, ipv6: bool | None) -> socket.AddressFamily:
    """QEMU's rule: what is on excludes what is not mentioned; what is off leaves the other."""
    use4 = ipv4 if ipv4 is not None else not ipv6
    use6 = ipv6 if ipv6 is not None else not ipv4
    if use4 == use6:
        return socket.AF_UNSPEC
    return socket.AF_INET if use4 else socket.AF_INET6


def _unix(text: str) -> UnixUri:
    if not text:
        raise QapiError("invalid Unix socket address", hint="unix:PATH")
    return UnixUri(text)


def _file(text: str) -> FileUri:
    path, comma, option = text.rpartition(",")
    if not comma or not option.startswith("offset="):
        path, option = text, ""
    if not path:
        raise QapiError("invalid file name", hint="file:PATH")
    try:
        return FileUri(path, parse_size(option.removeprefix("offset="), "offset") if option else 0)
    except UserError as error:
        raise QapiError(error.message) from None


_PARSERS: Final[dict[str, Callable[[str], Uri]]] = {
    "tcp": _tcp,
    "unix": _unix,
    "exec": ExecUri,
    "fd": FdUri,
    "file": _file,
}
