"""Every cause that a migration can fail for, provoked for real. Each returns what source and destination say."""

from __future__ import annotations

import os
import resource
import signal
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from pyqemu.crypto.credentials import TlsCreds, TlsCredsAnon, TlsCredsX509
from pyqemu.io.channel import Timeouts
from pyqemu.qapi.errors import QapiError
from pyqemu.qom import Container
from pyqemu.qom.objects import create_object
from pyqemu.system import RunState
from tests.crypto.pki import FUTURE, PAST, Authority, Directory
from tests.migration.machine import PATIENCE, PATIENT, QUICK, FakeDestination, FakeSource, Side, eventually
from tests.migration.peers import Peer, connect, full_listener, read_and_close
from tests.migration.pinned import NOTHING
from tests.ports import free_port
from tests.unprivileged import without_root

Said: TypeAlias = tuple[str, str]
Cause: TypeAlias = Callable[["Scene"], Said]
CAUSES: dict[str, Cause] = {}
HOSTS = ("localhost",)
TLS_1_2, TLS_1_3 = "NORMAL:-VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3"


def cause(name: str) -> Callable[[Cause], Cause]:
    """Register a function under the cause's name in the document."""

    def register(function: Cause) -> Cause:
        assert name not in CAUSES
        CAUSES[name] = function
        return function

    return register


class Scene:
    """Two programs, a directory, an authority."""

    def __init__(self, make: Callable[..., Side], directory: Path) -> None:
        self.make = make
        self.directory = directory
        self.authority = Authority()
        self._numbers = iter(range(100))

    # -- programs

    def send(self, uri: str) -> str:
        """What a source says that goes there."""
        return self.make().send(uri)

    def refused(self, uri: str, side: Side | None = None) -> str:
        """What ``migrate`` answers at once."""
        try:
            (side or self.make()).migrate(uri)
        except QapiError as error:
            return error.desc
        return NOTHING

    def not_opened(self, uri: str) -> str:
        """What ``migrate-incoming`` answers; the same is said of the command line."""
        try:
            self.make().expect(uri)
        except QapiError as error:
            return f"{error.desc} ({error.hint})" if error.hint else error.desc
        return NOTHING

    def refused_both(self, uri: str) -> Said:
        return self.refused(uri), self.not_opened(uri).partition(" (")[0]

    def load(self, uri: str) -> str:
        """The line that a destination prints that takes from there."""
        side = self.make()
        side.expect(uri)
        side.wait_loaded()
        (line,) = side.lines
        return line

    def both(self, source: Side, destination: Side, uri: str = "tcp:localhost:0") -> Said:
        """One migration, plain or not; the line of the destination."""
        said = source.send(destination.expect(uri))
        return said, _line(destination)

    # -- TLS

    def server(self, issuer: Authority | None = None, hosts: tuple[str, ...] = HOSTS, **how: object) -> TlsCredsX509:
        priority = how.pop("priority", None)
        pair = (issuer or self.authority).issue("server1", hosts=hosts, **how)  # type: ignore[arg-type]
        directory = Directory(self.directory / str(next(self._numbers)), self.authority).put("server", pair)
        return TlsCredsX509(str(directory), endpoint="server", sanity_check=False, priority=priority)  # type: ignore[arg-type]

    def client(
        self, issuer: Authority | None = None, *, priority: str | None = None, bare: bool = False, **how: object
    ) -> TlsCredsX509:
        directory = Directory(self.directory / str(next(self._numbers)), self.authority)
        if not bare:
            pair = (issuer or self.authority).issue("client1", purpose="client", **how)  # type: ignore[arg-type]
            directory.put("client", pair)
        return TlsCredsX509(str(directory), endpoint="client", sanity_check=False, priority=priority)

    def tls(self, client: object, server: object, host_name: str = "", uri: str = "tcp:localhost:0") -> Said:
        """One migration with these credentials; None is none."""
        return self.both(self.with_creds(client, host_name), self.with_creds(server), uri)

    def with_creds(self, creds: object, host_name: str = "", *, id: str = "tls0", timeouts: Timeouts = PATIENT) -> Side:
        side = self.make(timeouts=timeouts)
        if creds is not None:
            side.objects[id] = creds
            side.migration.parameters.tls_creds = "tls0"
        side.migration.parameters.tls_hostname = host_name
        return side


def _line(side: Side) -> str:
    """What it has printed, once it has."""
    eventually(lambda: bool(side.lines))
    (line,) = side.lines
    return line


# -- before the command returns

CAUSES["unknown protocol"] = lambda scene: scene.refused_both("bogus:x")
CAUSES["TCP address without a port"] = lambda scene: scene.refused_both("tcp:localhost")
CAUSES["empty Unix path"] = lambda scene: scene.refused_both("unix:")
CAUSES["empty file name"] = lambda scene: scene.refused_both("file:")
CAUSES["RDMA"] = lambda scene: scene.refused_both("rdma:localhost:1")
CAUSES["fd without such a name"] = lambda scene: scene.refused_both("fd:nosuch")
CAUSES["fd that is not open"] = lambda scene: scene.refused_both("fd:777")


@cause("fd of getfd that was closed")
def closed_descriptor(scene: Scene) -> Said:
    side = scene.make()
    fd = os.open(os.devnull, os.O_WRONLY)
    side.migration.descriptors.add_named("gone", fd)
    os.close(fd)
    return scene.refused("fd:gone", side), NOTHING


@cause("another migration is active")
def busy(scene: Scene) -> Said:
    source, destination = scene.make(FakeSource(gates={"ram": threading.Event()})), scene.make()
    source.migrate(destination.expect("tcp:127.0.0.1:0"))
    refused = scene.refused("tcp:127.0.0.1:1", source)
    try:
        destination.migration.start_incoming("tcp:127.0.0.1:0")
    except QapiError as error:
        refused_incoming = error.desc
    source.source.gates["ram"].set()
    assert source.wait() == "completed"
    return refused, refused_incoming


@cause("a device forbids it")
def blocked(scene: Scene) -> Said:
    side = scene.make()
    side.migration.blockers.add_device(object(), "nvme0")
    return scene.refused("tcp:127.0.0.1:1", side), NOTHING


@cause("the machine has left already")
def left(scene: Scene) -> Said:
    side = scene.make()
    assert side.send("exec:cat > /dev/null") == "completed"
    return scene.refused("exec:cat", side), NOTHING


@cause("the machine has not come yet")
def not_here(scene: Scene) -> Said:
    side = scene.make()
    side.migration.expect_incoming("defer")
    assert side.system.state is RunState.INMIGRATE
    return scene.refused("exec:cat", side), NOTHING


@cause("no machine is expected")
def not_expected(scene: Scene) -> Said:
    try:
        scene.make().migration.start_incoming("tcp:127.0.0.1:0")
    except QapiError as error:
        return NOTHING, error.desc
    return NOTHING, NOTHING


@cause("resume without a pause")
def resume(scene: Scene) -> Said:
    try:
        scene.make().migration.migrate("exec:cat", resume=True)
    except QapiError as error:
        return error.desc, NOTHING
    return NOTHING, NOTHING


# -- connecting


def _both_ways(uri: str) -> Cause:
    """Neither can one connect there nor listen."""
    return lambda scene: (scene.send(uri), scene.not_opened(uri))


CAUSES["refused port"] = lambda scene: (scene.send(f"tcp:127.0.0.1:{free_port()}"), NOTHING)
CAUSES["refused port, by name"] = lambda scene: (scene.send(f"tcp:localhost:{free_port()}"), NOTHING)
CAUSES["refused port, IPv6"] = lambda scene: (scene.send(f"tcp:[::1]:{free_port()}"), NOTHING)
CAUSES["unreachable network"] = lambda scene: (scene.send("tcp:224.0.0.1:9000"), NOTHING)
CAUSES["unresolvable name"] = _both_ways("tcp:nosuchhost.invalid:9000")
CAUSES["unknown name of a port"] = _both_ways("tcp:localhost:nosuchport")
CAUSES["port above 65535"] = _both_ways("tcp:localhost:99999")
CAUSES["missing Unix socket"] = lambda scene: (scene.send(f"unix:{scene.directory}/nosuch"), NOTHING)
CAUSES["address of another host"] = lambda scene: (NOTHING, scene.not_opened("tcp:192.0.2.1:9000"))
CAUSES["Unix socket in a missing directory"] = lambda scene: (NOTHING, scene.not_opened("unix:/nosuch/dir/s"))
CAUSES["exec command that cannot start"] = lambda scene: (
    scene.send("exec:/nosuch/command"),
    scene.load("exec:/nosuch/command"),
)
CAUSES["file in a missing directory"] = _both_ways("file:/nosuch/f")


@cause("connect time-out")
def connect_time_out(scene: Scene) -> Said:
    listener, waiting = full_listener()
    try:
        return scene.make(timeouts=QUICK).send(f"tcp:127.0.0.1:{listener.getsockname()[1]}"), NOTHING
    finally:
        for entry in (listener, *waiting):
            entry.close()


@cause("abandoned Unix socket")
def abandoned(scene: Scene) -> Said:
    path = str(scene.directory / "stale")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
    return scene.send(f"unix:{path}"), NOTHING


@cause("Unix socket without permission")
def closed_socket(scene: Scene) -> Said:
    path = str(scene.directory / "closed")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        os.chmod(path, 0)
        with without_root(scene.directory):
            return scene.send(f"unix:{path}"), NOTHING


@cause("file without permission")
def closed_file(scene: Scene) -> Said:
    path = scene.directory / "closed"
    path.write_bytes(b"")
    path.chmod(0)
    with without_root(scene.directory):
        return scene.send(f"file:{path}"), scene.not_opened(f"file:{path}")


@cause("port in use")
def in_use(scene: Scene) -> Said:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return NOTHING, scene.not_opened(f"tcp:127.0.0.1:{listener.getsockname()[1]}")


# -- TLS

CAUSES["object of another type"] = lambda scene: scene.tls(object(), scene.server())
CAUSES["object for the other end"] = lambda scene: scene.tls(scene.server(), scene.server())
CAUSES["expired"] = lambda scene: scene.tls(scene.client(), scene.server(valid=PAST))
CAUSES["not yet valid"] = lambda scene: scene.tls(scene.client(), scene.server(valid=FUTURE))
CAUSES["unknown CA"] = lambda scene: scene.tls(scene.client(), scene.server(Authority("Other CA")))
CAUSES["wrong host name"] = lambda scene: scene.tls(scene.client(), scene.server(hosts=("other.example", "10.0.0.1")))
CAUSES["wrong tls-hostname"] = lambda scene: scene.tls(scene.client(), scene.server(), "wrong.example")
CAUSES["certificate for another purpose"] = lambda scene: scene.tls(scene.client(), scene.server(purpose="client"))
CAUSES["client certificate missing"] = lambda scene: scene.tls(scene.client(bare=True), scene.server())
CAUSES["client certificate missing, TLS 1.2"] = lambda scene: scene.tls(
    scene.client(bare=True, priority=TLS_1_2), scene.server()
)


@cause("client certificate missing, destination is QEMU")
def closed_without_alert(scene: Scene) -> Said:
    """It closes the connection without an alert, and without reading."""
    context = scene.server().context

    def handshake(connection: socket.socket) -> None:
        context.verify_mode = ssl.CERT_OPTIONAL
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return _tls_source_meets(scene, handshake, scene.client(bare=True)), NOTHING


CAUSES["client certificate of an unknown CA"] = lambda scene: scene.tls(
    scene.client(Authority("Other CA")), scene.server()
)
CAUSES["client certificate expired"] = lambda scene: scene.tls(scene.client(valid=PAST), scene.server())
CAUSES["plain source, TLS destination"] = lambda scene: scene.tls(None, scene.server())
CAUSES["TLS source, plain destination"] = lambda scene: scene.tls(scene.client(), None)
CAUSES["no common version"] = lambda scene: scene.tls(scene.client(priority=TLS_1_2), scene.server(priority=TLS_1_3))
CAUSES["no common cipher suite"] = lambda scene: scene.tls(TlsCredsAnon(), scene.server())


def _authorized(scene: Scene, **objects: object) -> Said:
    """A destination whose ``tls-authz`` is *auth0*."""
    destination = scene.with_creds(scene.server())
    destination.objects |= objects
    destination.migration.parameters.tls_authz = "auth0"
    return scene.both(scene.with_creds(scene.client()), destination)


def _list(type_name: str = "authz-simple", **values: object) -> object:
    return create_object(Container(), type_name, "auth0", values)


CAUSES["name not on the access list"] = lambda scene: _authorized(
    scene, auth0=_list("authz-list", rules=[{"match": "O=Test,CN=server*", "policy": "allow", "format": "glob"}])
)
CAUSES["no access list"] = lambda scene: _authorized(scene)
CAUSES["access list of another type"] = lambda scene: _authorized(scene, auth0=object())


@cause("access list, but no certificate")
def nameless(scene: Scene) -> Said:
    destination = scene.with_creds(TlsCredsAnon(endpoint="server"))
    destination.objects["auth0"] = _list(identity="anybody")
    destination.migration.parameters.tls_authz = "auth0"
    return scene.both(scene.with_creds(TlsCredsAnon()), destination)


@cause("access list that has gone")
def list_gone(scene: Scene) -> Said:
    path = scene.directory / "names"
    path.write_text('{"policy": "allow"}')
    found = _list("authz-list-file", filename=str(path))
    path.unlink()
    return _authorized(scene, auth0=found)


@cause("no credentials object")
def no_credentials(scene: Scene) -> Said:
    return scene.both(scene.with_creds(scene.client(), id="other"), scene.with_creds(scene.server()))


@cause("no credentials object at the destination")
def no_credentials_there(scene: Scene) -> Said:
    return scene.both(scene.with_creds(scene.client()), scene.with_creds(scene.server(), id="other"))


@cause("no host name to expect")
def no_host_name(scene: Scene) -> Said:
    return scene.tls(scene.client(), scene.server(), uri=f"unix:{scene.directory}/s")


@cause("TLS over exec")
def tls_over_exec(scene: Scene) -> Said:
    destination = scene.with_creds(scene.server())
    destination.expect("exec:cat")
    return scene.with_creds(scene.client()).send("exec:cat"), _line(destination)


def _tls_source_meets(
    scene: Scene, behave: Callable[[socket.socket], None], creds: TlsCreds, timeouts: Timeouts = PATIENT
) -> str:
    peer = Peer(behave)
    try:
        return scene.with_creds(creds, "localhost", timeouts=timeouts).send(peer.uri)
    finally:
        peer.close()


@cause("destination speaks something else")
def speaks_something_else(scene: Scene) -> Said:
    def greet(connection: socket.socket) -> None:
        connection.sendall(b"SSH-2.0-x\r\n")
        while connection.recv(65536):
            pass

    return _tls_source_meets(scene, greet, scene.client()), NOTHING


@cause("handshake time-out")
def handshake_time_out(scene: Scene) -> Said:
    def wait(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    return _tls_source_meets(scene, wait, scene.client(), QUICK), NOTHING


@cause("handshake time-out at the destination")
def handshake_time_out_there(scene: Scene) -> Said:
    destination = scene.with_creds(scene.server(), timeouts=QUICK)
    with connect(destination.expect("tcp:127.0.0.1:0")):
        return NOTHING, _line(destination)


@cause("closed during the handshake")
def closed_during_handshake(scene: Scene) -> Said:
    def read_once(connection: socket.socket) -> None:
        connection.recv(65536)

    return _tls_source_meets(scene, read_once, scene.client()), NOTHING


# -- while it goes on


def _send_and_stop(scene: Scene, data: bytes) -> str:
    """What a destination says to a source that ends after these bytes."""
    destination = scene.make()
    with connect(destination.expect("tcp:127.0.0.1:0")) as source:
        source.sendall(data)
        source.shutdown(socket.SHUT_WR)
        destination.wait_loaded()
    return _line(destination)


def _stream(count: int) -> bytes:
    source = FakeSource()
    ram = source.ram * source.rounds
    header = b"QEVM\0\0\0\3" + len(ram).to_bytes(8) + len(source.devices).to_bytes(8)
    return (header + ram + source.devices)[:count]


def _peer_closes(after: int, gate: str = "") -> Callable[[Scene], str]:
    def source(scene: Scene) -> str:
        peer = Peer(read_and_close(after))
        side = scene.make(FakeSource(gates={gate: threading.Event()} if gate else {}))
        side.migrate(peer.uri)
        if gate:
            assert side.source.reached[gate].wait(PATIENCE)
            peer.close()
            side.source.gates[gate].set()
        said = side.wait()
        peer.close()
        return said

    return source


CAUSES["peer closed during setup"] = lambda scene: (_peer_closes(4)(scene), _send_and_stop(scene, _stream(8)))
CAUSES["peer closed during RAM"] = lambda scene: (_peer_closes(100_000)(scene), _send_and_stop(scene, _stream(4000)))
CAUSES["peer closed during devices"] = lambda scene: (
    _peer_closes(4_194_304, "devices")(scene),
    _send_and_stop(scene, _stream(4_194_328)),
)
CAUSES["peer is not a migration peer"] = lambda scene: (NOTHING, _send_and_stop(scene, b"GET / HTTP/1.0\r\n\r\n"))
CAUSES["nothing was sent"] = lambda scene: (NOTHING, _send_and_stop(scene, b""))
CAUSES["exec command that exits late"] = lambda scene: (
    scene.send("exec:cat > /dev/null; echo too late >&2; exit 4"),
    NOTHING,
)
CAUSES["exec command on a full disk"] = lambda scene: (scene.send("exec:cat > /dev/full"), NOTHING)
CAUSES["exec command that does not end"] = lambda scene: (
    scene.make(timeouts=QUICK).send("exec:cat > /dev/null; exec sleep 60"),
    NOTHING,
)
CAUSES["disk full"] = lambda scene: (scene.send("file:/dev/full"), NOTHING)
for name, command in (
    ("exec command that exits early", "exec:echo no room >&2; exit 3"),
    ("exec command that is killed", "exec:kill -9 $$"),
):
    CAUSES[name] = lambda scene, command=command: (scene.send(command), scene.load(command))  # type: ignore[misc]


def _refused_after(phase: str) -> Cause:
    return lambda scene: scene.both(scene.make(), scene.make(destination=FakeDestination(phase)), "tcp:127.0.0.1:0")


CAUSES["machine refused after setup"] = _refused_after("setup")
CAUSES["machine refused after RAM"] = _refused_after("ram")
CAUSES["machine refused after devices"] = _refused_after("devices")
CAUSES["machine refused, by a Unix socket"] = lambda scene: scene.both(
    scene.make(), scene.make(destination=FakeDestination("devices")), f"unix:{scene.directory}/s"
)


@cause("machine refused, by TLS")
def refused_by_tls(scene: Scene) -> Said:
    destination = scene.with_creds(scene.server())
    destination.destination.stop_after = "devices"
    return scene.both(scene.with_creds(scene.client()), destination)


@cause("destination stands still")
def stands_still(scene: Scene) -> Said:
    done = threading.Event()
    peer = Peer(lambda connection: done.wait(PATIENCE) and None)
    try:
        return scene.make(FakeSource(rounds=64), timeouts=QUICK).send(peer.uri), NOTHING
    finally:
        done.set()
        peer.close()


@cause("destination stands still at the end")
def stands_still_at_the_end(scene: Scene) -> Said:
    """The last megabyte has left the program, not the host."""
    done = threading.Event()
    peer = Peer(lambda connection: done.wait(PATIENCE) and None)
    try:
        return scene.make(FakeSource(rounds=1), timeouts=QUICK).send(peer.uri), NOTHING
    finally:
        done.set()
        peer.close()


@cause("source stands still")
def source_stands_still(scene: Scene) -> Said:
    destination = scene.make(timeouts=QUICK)
    with connect(destination.expect("tcp:127.0.0.1:0")) as source:
        source.sendall(_stream(5000))
        return NOTHING, _line(destination)


@cause("file larger than allowed")
def too_large(scene: Scene) -> Said:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        return scene.send(f"file:{scene.directory}/f"), NOTHING
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@cause("file that is cut off")
def cut_off(scene: Scene) -> Said:
    (scene.directory / "f").write_bytes(_stream(5000))
    return NOTHING, scene.load(f"file:{scene.directory}/f")


@cause("a defect of ours")
def defect(scene: Scene) -> Said:
    return scene.both(scene.make(FakeSource(broken=True)), scene.make(), "tcp:127.0.0.1:0")
