"""A server with several peers at once, and file descriptors that come over UNIX sockets."""

from __future__ import annotations

import array
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from pyqemu.chardev import Chardev, ChardevError, ChardevEvent, Chardevs


def serve(host: Any, frontend: Any, path: str, **options: str) -> tuple[Chardev, list[Any]]:
    """A listening chardev, and the frontends of its peers as they come."""
    chardev = Chardevs(host.system).create("socket", {"id": "s", "path": path, "server": "on", "wait": "off"} | options)
    fronts: list[Any] = []
    chardev.serve(lambda peer: fronts.append(frontend(peer)))
    return chardev, fronts


def connect(path: str) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(60)
    peer.connect(path)
    return peer


def test_each_peer_has_an_end_of_its_own(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    chardev, fronts = serve(host, frontend, path)
    assert not chardev.is_open and chardev.filename == f"disconnected:unix:{path},server"
    peers = [connect(path) for _ in range(5)]
    host.wait(lambda: len(fronts) == 5)
    assert chardev.is_open and fronts[0].chardev.filename == f"unix:{path},server"
    for number, peer in enumerate(peers):
        peer.send(b"%d" % number)
    host.wait(lambda: all(front.data for front in fronts))
    for front in fronts:
        front.chardev.write(b"to " + front.data)
    assert [peer.recv(10) for peer in peers] == [b"to %d" % number for number in range(5)]
    peers[2].close()
    host.wait(lambda: ChardevEvent.CLOSED in fronts[2].events)
    assert [front.chardev.is_open for front in fronts] == [True, True, False, True, True]
    chardev.close()
    assert [peer.recv(10) for peer in peers if peer.fileno() >= 0] == [b""] * 4
    assert not os.path.exists(path) and not chardev.is_open


def test_many_may_come_at_once(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    chardev, fronts = serve(host, frontend, path)
    peers = [socket.socket(socket.AF_UNIX) for _ in range(64)]
    for peer in peers:
        peer.setblocking(False)
        peer.connect(path)  # would fail if the host did not queue it
    host.wait(lambda: len(fronts) == 64)
    for peer in peers:
        peer.close()
    host.wait(lambda: not chardev.is_open)
    chardev.close()


def test_a_peer_that_came_before_the_frontend(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    chardev = Chardevs(host.system).create("socket", {"id": "s", "path": path, "server": "on", "wait": "off"})
    early = connect(path)
    early.send(b"early")
    host.wait(lambda: chardev.is_open)
    fronts: list[Any] = []
    chardev.serve(lambda peer: fronts.append(frontend(peer)))
    late = connect(path)
    late.send(b"late")
    host.wait(lambda: len(fronts) == 2 and all(front.data for front in fronts))
    assert [front.data for front in fronts] == [b"early", b"late"]
    chardev.close()


def test_only_one_frontend(host: Any, frontend: Any, tmp_path: Path) -> None:
    chardev, _ = serve(host, frontend, str(tmp_path / "s"))
    with pytest.raises(ChardevError, match="in use"):
        chardev.serve(lambda peer: None)
    chardev.close()


def test_other_chardevs_serve_one_peer(host: Any, frontend: Any) -> None:
    chardev = Chardevs(host.system).create("ringbuf", {"id": "r"})
    ends: list[Chardev] = []
    chardev.serve(ends.append)
    assert ends == [chardev] and chardev.in_use


def test_the_lock_is_not_taken_for_peers(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    chardev, fronts = serve(host, frontend, path)
    peer = connect(path)
    host.wait(lambda: fronts)
    held: list[bool] = []
    fronts[0].chardev.on_receive = lambda data: held.append(host.system.lock._is_owned())
    peer.send(b"x")
    host.wait(lambda: held)
    assert held == [False]
    chardev.close()


def test_telnet_for_each(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    chardev, fronts = serve(host, frontend, path, telnet="on")
    peers = [connect(path), connect(path)]
    host.wait(lambda: len(fronts) == 2)
    for peer in peers:
        assert peer.recv(100).startswith(b"\xff")
        peer.send(b"a\xff\xf3b")
    host.wait(lambda: all(front.data == b"ab" and ChardevEvent.BREAK in front.events for front in fronts))
    chardev.close()


def send_descriptor(peer: socket.socket, data: bytes, *descriptors: int) -> None:
    peer.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def test_descriptors_come_with_their_bytes(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    chardev, fronts = serve(host, frontend, path)
    peer = connect(path)
    host.wait(lambda: fronts)
    end = fronts[0].chardev
    end.wants_descriptors = True
    taken: list[tuple[bytes, int]] = []

    def receive(data: bytes) -> None:
        taken.append((data, len(end.descriptors)))
        if end.descriptors:
            os.close(end.descriptors.pop(0))  # the other one is for the chardev to close

    end.on_receive = receive
    read_fd, write_fd = os.pipe()
    peer.send(b"one")
    host.wait(lambda: taken)
    send_descriptor(peer, b"two", write_fd, write_fd)
    os.close(write_fd)
    host.wait(lambda: len(taken) == 2)
    assert taken == [(b"one", 0), (b"two", 2)]
    assert os.read(read_fd, 1) == b""  # all copies are closed
    os.close(read_fd)
    chardev.close()


def test_unwanted_descriptors_are_not_taken(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    chardev, fronts = serve(host, frontend, path)
    peer = connect(path)
    read_fd, write_fd = os.pipe()
    send_descriptor(peer, b"x", write_fd)
    os.close(write_fd)
    host.wait(lambda: fronts and fronts[0].data)
    assert os.read(read_fd, 1) == b""
    os.close(read_fd)
    chardev.close()


def test_large_output(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    chardev, fronts = serve(host, frontend, path)
    peer = connect(path)
    host.wait(lambda: fronts)
    data = os.urandom(1 << 22)
    fronts[0].chardev.write(data)
    assert fronts[0].chardev.backlog > 0
    got = bytearray()
    peer.setblocking(False)

    def read() -> bool:
        try:
            got.extend(peer.recv(1 << 20))
        except BlockingIOError:
            pass
        return len(got) == len(data)

    host.wait(read)
    assert bytes(got) == data and fronts[0].chardev.backlog == 0
    chardev.close()
