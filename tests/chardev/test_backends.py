"""Backends against the real thing: files, pipes, sockets, pseudo terminals."""

from __future__ import annotations

import os
import socket
import termios
from pathlib import Path
from typing import Any

import pytest

from pyqemu.chardev import ChardevError, ChardevEvent, Chardevs
from pyqemu.chardev.fd import FdChardev
from pyqemu.chardev.pty import PtyChardev
from pyqemu.chardev.socket import SocketChardev
from pyqemu.chardev.stdio import StdioChardev
from pyqemu.chardev.telnet import TelnetFilter


def test_file(host: Any, tmp_path: Path) -> None:
    path = tmp_path / "out"
    table = Chardevs(host.system)
    table.open(f"file:{path}", "serial0").write(b"hello")
    assert path.read_bytes() == b"hello"
    table.close_all()


def test_pipe_both_ways(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = tmp_path / "p"
    os.mkfifo(f"{path}.in")
    os.mkfifo(f"{path}.out")
    chardev = Chardevs(host.system).open(f"pipe:{path}", "serial0")
    front = frontend(chardev)
    reader = os.open(f"{path}.out", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(f"{path}.in", os.O_WRONLY)
    chardev.write(b"out")
    assert os.read(reader, 10) == b"out"
    os.write(writer, b"in")
    host.wait(lambda: front.data == b"in")
    chardev.close()


def test_input_waits_for_room(host: Any, frontend: Any) -> None:
    read_fd, write_fd = os.pipe()
    chardev = FdChardev("x", host.system)
    front = frontend(chardev, room=3)
    chardev._attach(read_fd, -1)
    os.write(write_fd, b"abcdefg")
    host.wait(lambda: chardev._stalled)
    assert front.data == b"abc"
    front.room = 2
    chardev.accept_input()
    host.wait(lambda: chardev._stalled)
    assert front.data == b"abcde"
    chardev.close()


def test_regular_file_as_input(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"x" * 10000)
    fd = os.open(path, os.O_RDONLY)
    chardev = FdChardev("x", host.system)
    front = frontend(chardev)
    chardev._attach(fd, -1)
    chardev._set_open(True)
    host.wait(lambda: ChardevEvent.CLOSED in front.events)
    assert front.data == b"x" * 10000


def test_output_queues_and_drains(host: Any) -> None:
    ours, theirs = socket.socketpair()
    chardev = FdChardev("x", host.system)
    drained: list[bool] = []
    chardev.on_drain = lambda: drained.append(True)
    ours.setblocking(False)
    chardev._attach(-1, ours.fileno())
    data = bytes(range(256)) * 8192
    chardev.write(data)
    assert chardev.backlog > 0
    theirs.setblocking(False)
    got = bytearray()

    def all_read() -> bool:
        try:
            got.extend(theirs.recv(1 << 20))
        except BlockingIOError:
            pass
        return len(got) == len(data)

    host.wait(all_read)
    assert bytes(got) == data
    host.wait(lambda: drained)
    assert chardev.backlog == 0
    chardev.close()


def test_unix_server_takes_one_peer_after_another(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    table = Chardevs(host.system)
    chardev = table.create("socket", {"id": "s", "path": path, "server": "on", "wait": "off"})
    front = frontend(chardev)
    for text in (b"first", b"second"):
        peer = socket.socket(socket.AF_UNIX)
        host.wait(lambda: not chardev.is_open)
        peer.connect(path)
        host.wait(lambda: chardev.is_open)
        peer.send(text)
        host.wait(lambda text=text: front.data.endswith(text))
        chardev.write(text.upper())
        assert peer.recv(100) == text.upper()
        peer.close()
    host.wait(lambda: not chardev.is_open)
    opened, closed = ChardevEvent.OPENED, ChardevEvent.CLOSED
    assert front.events == [opened, closed, opened, closed]
    table.close_all()
    assert not os.path.exists(path)


def test_tcp_client_and_telnet_server(host: Any, frontend: Any) -> None:
    table = Chardevs(host.system)
    server = table.open("telnet:127.0.0.1:0,server,nowait", "a")
    assert isinstance(server, SocketChardev)
    at_server = frontend(server)
    client = table.open(f"tcp:127.0.0.1:{server.port}", "b")
    at_client = frontend(client)
    host.wait(lambda: server.is_open)
    server.write(b"\xffx")
    host.wait(lambda: at_client.data.endswith(b"\xff\xffx"))
    client.write(b"a\xff\xf3b\xff\xffc")
    host.wait(lambda: at_server.data == b"ab\xffc")
    assert ChardevEvent.BREAK in at_server.events
    table.close_all()


def test_refused_connection_is_told() -> None:
    from pyqemu.system import System

    with pytest.raises(ChardevError, match=r"Failed to connect to '127\.0\.0\.1:1': Connection refused"):
        Chardevs(System()).open("tcp:127.0.0.1:1", "serial0")


def test_reconnecting_client(host: Any, frontend: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    chardev = Chardevs(host.system).create("socket", {"id": "s", "path": path, "reconnect": "1"})
    assert not chardev.is_open
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    host.wait(lambda: chardev.is_open)
    chardev.close()


def test_telnet_subnegotiation_is_dropped_across_portions() -> None:
    telnet = TelnetFilter()
    assert telnet.feed(b"a\xff\xfa\x18\x00xx") == (b"a", 0)
    assert telnet.feed(b"yy\xff\xf0b\xff\xfd\x01c") == (b"bc", 0)


def test_pty(host: Any, frontend: Any) -> None:
    chardev = PtyChardev("serial0", host.system, announce=False)
    chardev.open()
    front = frontend(chardev)
    chardev.write(b"nobody is there")
    slave = os.open(chardev.slave_name, os.O_RDWR | os.O_NOCTTY)
    host.wait(lambda: chardev.is_open)
    chardev.write(b"hello")
    assert os.read(slave, 100) == b"hello"
    os.write(slave, b"keys\r")
    host.wait(lambda: front.data == b"keys\r")
    os.close(slave)
    host.wait(lambda: not chardev.is_open)
    chardev.close()


def test_stdio_is_raw_meanwhile_and_exclusive(host: Any, frontend: Any) -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    chardev = StdioChardev("serial0", host.system, allow_signals=False, input_fd=slave, output_fd=slave)
    chardev.open()
    front = frontend(chardev)
    modes = termios.tcgetattr(slave)
    assert not modes[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
    with pytest.raises(ChardevError, match="cannot use stdio by multiple character devices"):
        StdioChardev("serial1", host.system).open()
    os.write(master, b"\x03\r")
    host.wait(lambda: front.data == b"\x03\r")
    chardev.write(b"out\n")
    assert os.read(master, 100) == b"out\r\n"
    chardev.close()
    assert termios.tcgetattr(slave) == before
