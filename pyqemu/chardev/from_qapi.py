"""From ``ChardevBackend``, which ``chardev-add`` takes, to chardevs that are not open yet."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from pyqemu.chardev.base import Chardev, ChardevHost, NullChardev
from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.file import FileChardev, PipeChardev
from pyqemu.chardev.pty import PtyChardev
from pyqemu.chardev.ringbuf import DEFAULT_SIZE, RingbufChardev
from pyqemu.chardev.socket import SocketAddress, SocketChardev
from pyqemu.chardev.stdio import StdioChardev
from pyqemu.chardev.table import FONT_HEIGHT, FONT_WIDTH
from pyqemu.chardev.tty import TtyChardev
from pyqemu.chardev.udp import UdpChardev
from pyqemu.chardev.vc import VcChardev
from pyqemu.io.descriptors import DescriptorError, Descriptors
from pyqemu.qapi.generated import types as qapi

__all__ = ["BACKENDS", "make_chardev"]

Data: TypeAlias = Any  # the struct that belongs to the backend
Maker: TypeAlias = Callable[[str, ChardevHost, Data, Descriptors], Chardev]


def _null(label: str, host: ChardevHost, _data: Data, _descriptors: Descriptors) -> Chardev:
    return NullChardev(label, host)


def _file(label: str, host: ChardevHost, data: qapi.ChardevFile, _descriptors: Descriptors) -> Chardev:
    return FileChardev(label, host, data.out, append=bool(data.append), input_path=data.in_ or "")


def _pipe(label: str, host: ChardevHost, data: qapi.ChardevHostdev, _descriptors: Descriptors) -> Chardev:
    return PipeChardev(label, host, data.device)


def _serial(label: str, host: ChardevHost, data: qapi.ChardevHostdev, _descriptors: Descriptors) -> Chardev:
    return TtyChardev(label, host, data.device)


def _pty(label: str, host: ChardevHost, _data: Data, _descriptors: Descriptors) -> Chardev:
    return PtyChardev(label, host, announce=False)


def _stdio(label: str, host: ChardevHost, data: qapi.ChardevStdio, _descriptors: Descriptors) -> Chardev:
    return StdioChardev(label, host, allow_signals=data.signal is not False)


def _vc(label: str, host: ChardevHost, data: qapi.ChardevVC, _descriptors: Descriptors) -> Chardev:
    columns = data.cols if data.cols is not None else (data.width or 80 * FONT_WIDTH) // FONT_WIDTH
    rows = data.rows if data.rows is not None else (data.height or 24 * FONT_HEIGHT) // FONT_HEIGHT
    return VcChardev(label, host, columns=max(1, columns), rows=max(1, rows))


def _ringbuf(label: str, host: ChardevHost, data: qapi.ChardevRingbuf, _descriptors: Descriptors) -> Chardev:
    return RingbufChardev(label, host, size=DEFAULT_SIZE if data.size is None else data.size)


def _udp(label: str, host: ChardevHost, data: qapi.ChardevUdp, _descriptors: Descriptors) -> Chardev:
    remote, local = _inet(data.remote), None if data.local is None else _inet(data.local)
    where = ("", "0") if local is None else (local.host, local.port)
    return UdpChardev(label, host, (remote.host, remote.port), where)


def _inet(address: qapi.SocketAddress) -> qapi.InetSocketAddress:
    if not isinstance(address, qapi.SocketAddress_inet):
        raise ChardevError(f"a datagram socket has no address of type '{address.type.value}'", "inet")
    return address.data


def _socket(label: str, host: ChardevHost, data: qapi.ChardevSocket, descriptors: Descriptors) -> Chardev:
    for name, value in (("tls-creds", data.tls_creds), ("tls-authz", data.tls_authz), ("tn3270", data.tn3270),
                        ("websocket", data.websocket)):  # fmt: skip
        if value:
            raise ChardevError(f"'{name}' is not supported by this build of pyqemu")
    address, fd = _address(data.addr, descriptors)
    return SocketChardev(
        label,
        host,
        address,
        server=data.server is not False,
        wait=False,  # who asked waits, not the machine
        reconnect=data.reconnect or 0,
        telnet=bool(data.telnet),
        nodelay=bool(data.nodelay),
        listen_fd=fd,
    )


def _address(address: qapi.SocketAddress, descriptors: Descriptors) -> tuple[SocketAddress, int | None]:
    """Where, or a descriptor that the client has handed over."""
    match address:
        case qapi.SocketAddress_unix():
            if address.data.abstract:
                raise ChardevError("abstract socket addresses are not supported by this build of pyqemu")
            return SocketAddress(path=address.data.path), None
        case qapi.SocketAddress_inet():
            return _inet_address(address.data), None
        case qapi.SocketAddress_fd():
            return SocketAddress(), descriptors.take_named(address.data.str)
        case _:
            raise ChardevError(f"socket addresses of type '{address.type.value}' are not supported")


def _inet_address(inet: qapi.InetSocketAddress) -> SocketAddress:
    family = socket.AF_UNSPEC
    if inet.ipv4 is False and inet.ipv6 is False:
        raise ChardevError("Cannot disable IPv4 and IPv6 at same time")
    if inet.ipv6 is False or (inet.ipv4 and not inet.ipv6):
        family = socket.AF_INET
    elif inet.ipv4 is False or (inet.ipv6 and not inet.ipv4):
        family = socket.AF_INET6
    return SocketAddress(host=inet.host, port=inet.port, last_port=inet.to or 0, family=family)


BACKENDS: dict[str, Maker] = {
    "file": _file,
    "memory": _ringbuf,
    "null": _null,
    "pipe": _pipe,
    "pty": _pty,
    "ringbuf": _ringbuf,
    "serial": _serial,
    "socket": _socket,
    "stdio": _stdio,
    "udp": _udp,
    "vc": _vc,
}
"""Without ``mux``, which is made of a chardev that is there already."""


def make_chardev(label: str, host: ChardevHost, backend: qapi.ChardevBackend, descriptors: Descriptors) -> Chardev:
    """Make a chardev; the caller opens it.

    :raise ChardevError: it cannot be.
    """
    make = BACKENDS.get(backend.type.value)
    if make is None:
        _no_driver(backend.type.value)
    try:
        return make(label, host, backend.data, descriptors)
    except DescriptorError as error:
        raise ChardevError(error.message) from None


def _no_driver(name: str) -> NoReturn:
    raise ChardevError(
        f"chardev backend '{name}' is not supported by this build of pyqemu", ", ".join(sorted(BACKENDS))
    )
