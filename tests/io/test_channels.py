"""Channels: all bytes, back pressure, bounds in time; their errors tell stage, peer and cause."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.io.channel import Channel, Timeouts
from pyqemu.io.command import CommandChannel
from pyqemu.io.descriptor import open_descriptor
from pyqemu.io.descriptors import Descriptors
from pyqemu.io.errors import (
    ChannelError,
    CloseError,
    ConnectError,
    EndOfStream,
    Interrupted,
    ListenError,
    ReadError,
    ResolveError,
    Stage,
    WriteError,
)
from pyqemu.io.file import FileChannel, open_file
from pyqemu.io.interrupt import Interrupt
from pyqemu.io.listen import listen_tcp, listen_unix
from pyqemu.io.sockets import SocketChannel, connect_tcp, connect_unix
from tests.migration.machine import nothing_leaks
from tests.migration.peers import has_ipv6
from tests.ports import free_port

PATIENCE = 60.0  # seconds; only a failure takes that long
PATIENT = Timeouts(resolve=PATIENCE, connect=PATIENCE, write=PATIENCE, read=PATIENCE, close=PATIENCE)
QUICK = Timeouts(resolve=PATIENCE, connect=PATIENCE, write=0.3, read=0.3, close=0.5)
"""For what happens when time runs out."""


@pytest.fixture(autouse=True)
def leakless() -> Iterator[None]:
    with nothing_leaks():
        yield


@pytest.fixture
def interrupt(leakless: None) -> Iterator[Interrupt]:
    made = Interrupt()
    yield made
    made.close()


@pytest.fixture
def timeouts() -> Timeouts:
    """None runs out, unless the test says so."""
    return PATIENT


quick = pytest.mark.parametrize("timeouts", [QUICK], ids=["quick"])


@pytest.fixture
def pair(interrupt: Interrupt, timeouts: Timeouts) -> Iterator[tuple[SocketChannel, SocketChannel]]:
    one, other = socket.socketpair()
    channels = SocketChannel(one, "one", interrupt, timeouts), SocketChannel(other, "other", interrupt, timeouts)
    yield channels
    for channel in channels:
        channel.close()


def caught(error: pytest.ExceptionInfo[ChannelError]) -> tuple[Stage, str]:
    return error.value.stage, str(error.value)


def test_more_than_the_kernel_holds(pair: tuple[SocketChannel, SocketChannel]) -> None:
    data = os.urandom(5 << 20)
    received = bytearray()
    reader = threading.Thread(target=lambda: received.extend(pair[1].read_exactly(len(data))))
    reader.start()
    pair[0].write(data)
    reader.join(PATIENCE)
    assert received == data


@quick
def test_a_peer_that_does_not_read(pair: tuple[SocketChannel, SocketChannel]) -> None:
    with pytest.raises(WriteError) as error:
        pair[0].write(bytes(8 << 20))
    assert caught(error) == (
        Stage.WRITE,
        "Unable to write to socket: Connection timed out (one took nothing for 0.3 seconds)",
    )
    assert error.value.timed_out


@quick
def test_a_peer_that_does_not_write(pair: tuple[SocketChannel, SocketChannel]) -> None:
    with pytest.raises(ReadError) as error:
        pair[0].read(1)
    assert caught(error) == (
        Stage.READ,
        "Unable to read from socket: Connection timed out (one sent nothing for 0.3 seconds)",
    )


def test_a_peer_that_has_gone(pair: tuple[SocketChannel, SocketChannel]) -> None:
    pair[1].write(b"ab")
    pair[1].close()
    assert pair[0].read(10) == b"ab"
    with pytest.raises(EndOfStream):
        pair[0].read_exactly(1)
    with pytest.raises(WriteError) as error:
        pair[0].write(b"x")
    assert caught(error) == (Stage.WRITE, "Unable to write to socket: Broken pipe (one)")
    assert isinstance(error.value.cause, OSError)


def test_shutdown_ends_any_wait(pair: tuple[SocketChannel, SocketChannel]) -> None:
    timer = threading.Timer(0.05, pair[0].shutdown)
    timer.start()
    with pytest.raises(Interrupted):
        pair[0].write(bytes(8 << 20))
    with pytest.raises(Interrupted):
        pair[0].read(1)
    timer.join()


def test_finish_knows_whether_all_was_read(pair: tuple[SocketChannel, SocketChannel]) -> None:
    pair[0].write(b"all of it")
    pair[1].read(4)
    pair[1].close()
    with pytest.raises(CloseError) as error:
        pair[0].finish()
    assert caught(error) == (
        Stage.CLOSE,
        "Unable to write to socket: Connection reset by peer (one closed the connection before it had read everything)",
    )


@quick
def test_finish_does_not_wait_for_ever(pair: tuple[SocketChannel, SocketChannel]) -> None:
    pair[0].write(b"all of it")
    pair[1].write(b"answer")
    pair[0].finish()
    assert pair[0].heard() == [b"answer"]


@pytest.fixture
def far(interrupt: Interrupt, timeouts: Timeouts) -> Iterator[tuple[SocketChannel, socket.socket]]:
    """A TCP connection whose other end takes little before it is read."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        channel = connect_tcp("127.0.0.1", str(listener.getsockname()[1]), interrupt, timeouts)
        peer, _ = listener.accept()
    with peer:
        yield channel, peer
        channel.close()


@quick
def test_finish_knows_that_a_stalled_link_has_not_taken_all(far: tuple[SocketChannel, socket.socket]) -> None:
    """It said that all was well after ten seconds, though most was still in our own kernel."""
    channel, peer = far
    channel.write(bytes(1 << 20))
    with pytest.raises(CloseError) as error:
        channel.finish()
    assert error.value.timed_out
    assert "took nothing of the last" in str(error.value)
    assert str(error.value).endswith("bytes for 0.3 seconds)")
    channel.close()
    peer.settimeout(PATIENCE)
    with peer.makefile("rb") as reader, pytest.raises(ConnectionResetError):  # what follows never comes
        reader.read()


def test_finish_waits_for_a_slow_peer(far: tuple[SocketChannel, socket.socket]) -> None:
    channel, peer = far
    channel.write(bytes(1 << 20))
    received = bytearray()

    def read_slowly() -> None:
        while data := peer.recv(1 << 15):
            received.extend(data)
            threading.Event().wait(0.02)
        peer.close()

    reader = threading.Thread(target=read_slowly)
    reader.start()
    channel.finish()
    reader.join(PATIENCE)
    assert len(received) == 1 << 20


def test_all_addresses_of_a_name_are_tried(interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):

        def two_addresses(*_: object, **__: object) -> list[tuple[object, ...]]:
            kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
            return [(*kind, ("127.0.0.2", port)), (*kind, ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
        channel = connect_tcp("two", str(port), interrupt, PATIENT)
        assert channel.peer == f"127.0.0.1:{port}"
        channel.close()
    with pytest.raises(ConnectError) as error:
        connect_tcp("two", str(port), interrupt, PATIENT)
    assert caught(error) == (
        Stage.CONNECT,
        f"Error connecting to socket: Connection refused (tcp:two:{port}, tried 127.0.0.2, 127.0.0.1)",
    )


def test_a_name_service_that_does_not_answer(interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(PATIENCE))
    with pytest.raises(ResolveError) as error:
        connect_tcp("slow", "1", interrupt, Timeouts(resolve=0.05))
    release.set()
    assert str(error.value) == (
        "address resolution failed for slow:1: Connection timed out "
        "(no answer from the name service within 0.05 seconds)"
    )


def test_listening_on_the_first_free_port(interrupt: Interrupt) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listener = listen_tcp("127.0.0.1", str(port), interrupt, PATIENT, last_port=min(port + 50, 65535))
        assert listener.addresses[0].where[1] > port
        listener.close()
        with pytest.raises(ListenError, match="Address already in use"):
            listen_tcp("127.0.0.1", str(port), interrupt, PATIENT)


@pytest.mark.skipif(not has_ipv6(), reason="this host has no IPv6")
def test_all_addresses_means_both_families(interrupt: Interrupt) -> None:
    listener = listen_tcp("::", "0", interrupt, PATIENT)
    port = str(listener.addresses[0].where[1])
    for host in ("127.0.0.1", "::1"):
        client = connect_tcp(host, port, interrupt, PATIENT)
        server = listener.accept(interrupt, PATIENT)
        client.write(b"x")
        assert server.read(1) == b"x"
        client.close()
        server.close()
    listener.close()


def test_a_unix_socket_goes_with_its_listener(interrupt: Interrupt, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    listen_unix(path).close()
    assert not os.path.exists(path)
    with pytest.raises(ConnectError) as error:
        connect_unix("x" * 200, interrupt, PATIENT)
    assert "too long" in str(error.value)


# -- commands


def test_a_command_reads_and_ends(interrupt: Interrupt, tmp_path: Path) -> None:
    channel = CommandChannel(f"cat > {tmp_path}/f", interrupt, PATIENT, writing=True)
    channel.write(b"abc")
    channel.finish()
    channel.close()
    assert (tmp_path / "f").read_bytes() == b"abc"


def test_a_command_that_complains_a_lot_does_not_stand_still(interrupt: Interrupt) -> None:
    command = (
        "i=0; while [ $i -lt 4000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done; exit 1"
    )
    channel = CommandChannel(command, interrupt, Timeouts(write=PATIENCE), writing=True)
    with pytest.raises(CloseError) as error:
        channel.finish()
    channel.close()
    assert str(error.value).startswith("Command failed: the command exited with status 1: ")
    assert len(str(error.value)) < 3000


def test_what_a_command_writes(interrupt: Interrupt) -> None:
    channel = CommandChannel("echo abc", interrupt, PATIENT, writing=False)
    assert channel.read_exactly(4) == b"abc\n"
    assert channel.read(1) == b""
    channel.close()


def test_a_command_ends_with_its_channel(interrupt: Interrupt) -> None:
    channel = CommandChannel("trap '' TERM; sleep 100 & wait; wait", interrupt, PATIENT, writing=True)
    channel.close()
    channel.close()


def test_a_command_that_cannot_even_be_tried(interrupt: Interrupt) -> None:
    with pytest.raises(ConnectError) as error:
        CommandChannel("a\0b", interrupt, PATIENT, writing=True)
    assert str(error.value).startswith("Failed to start command: embedded null byte")


# -- descriptors and files


def test_a_descriptor_gets_the_channel_that_fits(interrupt: Interrupt, tmp_path: Path) -> None:
    one, other = socket.socketpair()
    reader, writer = os.pipe()
    fds = [one.detach(), reader, os.open(tmp_path / "f", os.O_CREAT | os.O_RDWR)]
    channels: list[Channel] = [open_descriptor(fd, str(fd), interrupt, PATIENT) for fd in fds]
    assert [channel.kind for channel in channels] == ["socket", "pipe", "file"]
    assert [channel.two_way for channel in channels] == [True, False, False]
    for channel in channels:
        channel.close()
    os.close(writer)
    other.close()
    with pytest.raises(ConnectError, match="Invalid file descriptor number '999'"):
        open_descriptor(999, "999", interrupt, PATIENT)


def test_a_file_of_a_descriptor_set(interrupt: Interrupt, tmp_path: Path) -> None:
    descriptors = Descriptors()
    descriptors.add_to_set(os.open(tmp_path / "f", os.O_CREAT | os.O_WRONLY), 3)
    channel = open_file("/dev/fdset/3", interrupt, PATIENT, writing=True, open_descriptor=descriptors.open)
    channel.write(b"abc")
    channel.finish()
    channel.close()
    descriptors.close_all()
    assert (tmp_path / "f").read_bytes() == b"abc"


def test_a_disk_that_fails_at_the_end(interrupt: Interrupt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    channel = open_file(str(tmp_path / "f"), interrupt, PATIENT, writing=True)
    channel.write(b"x")
    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(CloseError) as error:
        channel.finish()
    channel.close()
    assert caught(error) == (Stage.CLOSE, f"Unable to write to file: Input/output error (file:{tmp_path}/f)")
    assert isinstance(channel, FileChannel)
