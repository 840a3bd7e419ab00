"""From a URI to a channel, plain or encrypted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pyqemu.crypto.credentials import TlsCreds
from pyqemu.crypto.session import Sides, TlsSession
from pyqemu.io.channel import Channel, Timeouts
from pyqemu.io.command import CommandChannel
from pyqemu.io.descriptor import open_descriptor
from pyqemu.io.descriptors import open_plain
from pyqemu.io.file import Open, open_file
from pyqemu.io.interrupt import Interrupt
from pyqemu.io.listen import Listener, listen_tcp, listen_unix
from pyqemu.io.sockets import connect_tcp, connect_unix
from pyqemu.io.tls import TlsChannel
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.uri import ExecUri, FdUri, FileUri, TcpUri, UnixUri, Uri

SOURCE, DESTINATION = Sides("the source", "the destination"), Sides("the destination", "the source")


@dataclass(frozen=True)
class Host:
    """What the rest of the program gives to migrations.

    :ivar find_object: the object of an id, None if there is none
    :ivar open_path: ``os.open``, or what knows descriptor sets as well
    """

    find_object: Callable[[str], object | None] = lambda id: None
    open_path: Open = open_plain
    timeouts: Timeouts = field(default_factory=Timeouts)


def connect(uri: Uri, fd: int | None, host: Host, interrupt: Interrupt) -> Channel:
    """The channel to a destination.

    :param fd: the descriptor of ``fd:``, which belongs to the channel from now on
    :raise ChannelError: there is no connection.
    """
    timeouts = host.timeouts
    match uri:
        case TcpUri():
            return connect_tcp(uri.host, uri.port, interrupt, timeouts, family=uri.family)
        case UnixUri():
            return connect_unix(uri.path, interrupt, timeouts)
        case ExecUri():
            return CommandChannel(uri.command, interrupt, timeouts, writing=True)
        case FdUri():
            assert fd is not None
            return open_descriptor(fd, uri.name, interrupt, timeouts)
        case FileUri():
            return open_file(
                uri.path, interrupt, timeouts, writing=True, offset=uri.offset, open_descriptor=host.open_path
            )


def listen(uri: TcpUri | UnixUri, host: Host, interrupt: Interrupt) -> Listener:
    """Wait for sources.

    :raise ChannelError: nobody could connect there.
    """
    if isinstance(uri, UnixUri):
        return listen_unix(uri.path)
    return listen_tcp(uri.host, uri.port, interrupt, host.timeouts, last_port=uri.last_port, family=uri.family)


def open_incoming(uri: ExecUri | FdUri | FileUri, fd: int | None, host: Host, interrupt: Interrupt) -> Channel:
    """The channel from a source that needs no listening.

    :raise ChannelError: it cannot be opened.
    """
    match uri:
        case ExecUri():
            return CommandChannel(uri.command, interrupt, host.timeouts, writing=False)
        case FdUri():
            assert fd is not None
            return open_descriptor(fd, uri.name, interrupt, host.timeouts)
        case FileUri():
            return open_file(
                uri.path, interrupt, host.timeouts, writing=False, offset=uri.offset, open_descriptor=host.open_path
            )


def find_credentials(id: str, host: Host, *, endpoint: str) -> TlsCreds:
    """The TLS credentials of that id.

    :raise MigrationError: there are none, or they are for the other side.
    """
    found = host.find_object(id)
    if found is None:
        raise MigrationError(f"No TLS credentials with id '{id}'", "object-add makes them, tls-creds names them")
    found = getattr(found, "creds", found)  # an object of users has them inside
    if not isinstance(found, TlsCreds):
        raise MigrationError(f"Object with id '{id}' is not TLS credentials")
    if found.endpoint != endpoint:
        raise MigrationError(
            f"Expected TLS credentials for a {endpoint} endpoint", f"'{id}' has endpoint={found.endpoint}"
        )
    return found


def encrypt(channel: Channel, creds: TlsCreds, host_name: str | None) -> TlsChannel:
    """Shake hands over a channel.

    :param host_name: expected in the destination's certificate, if we are the source
    :raise HandshakeError: no agreement.
    :raise MigrationError: it cannot even begin.
    """
    if not channel.two_way:
        raise MigrationError("TLS handshake failed: it needs a connection that goes both ways", channel.peer)
    if not creds.is_server and creds.context.check_hostname and not host_name:
        raise MigrationError("No hostname available for TLS", "tls-hostname tells which name to expect")
    sides = DESTINATION if creds.is_server else SOURCE
    peer = Sides(sides.local, f"{sides.peer} {channel.peer}")
    encrypted = TlsChannel(channel, TlsSession(creds, host_name=host_name, sides=peer))
    encrypted.handshake()
    return encrypted
