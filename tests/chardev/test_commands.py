"""The QMP commands of character devices, on a whole machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.chardev import ChardevEvent
from pyqemu.io.descriptors import Descriptors
from tests.command_rig import Commands
from tests.qemu_reference import Reference, differences, needs_qemu


@pytest.fixture
def pc() -> Iterator[Commands]:
    with Commands(serials=["null"]) as commands:
        yield commands


def add(pc: Commands, id: str, type: str, **data: object) -> dict[str, str]:
    backend = {"type": type, "data": {key.replace("_", "-"): value for key, value in data.items()}}
    answer: dict[str, str] = pc.ask("chardev-add", id=id, backend=backend)
    return answer


def add_error(pc: Commands, id: str, type: str, **data: object) -> str:
    return pc.error("chardev-add", id=id, backend={"type": type, "data": data})


def unix(path: Path) -> dict[str, object]:
    return {"type": "unix", "data": {"path": str(path)}}


@needs_qemu
def test_answers_have_the_form_of_qemus(pc: Commands) -> None:
    with Reference("-chardev", "null,id=a") as qemu:
        ours, theirs = pc.ask("query-chardev"), qemu.ask("query-chardev")
        assert not list(differences(ours, theirs))
        names = {entry["name"] for entry in pc.ask("query-chardev-backends")}
        assert names <= {entry["name"] for entry in qemu.ask("query-chardev-backends")}


@needs_qemu
def test_a_multiplexer_and_its_backend_are_listed_as_qemu_lists_them() -> None:
    def entries(chardevs: list[dict[str, object]]) -> set[tuple[object, ...]]:
        return {(entry["label"], entry["filename"], entry["frontend-open"]) for entry in chardevs}

    with (
        Reference("-chardev", "null,id=a,mux=on") as qemu,
        Commands(chardevs=[("null", {"id": "a", "mux": "on"})]) as pc,
    ):
        ours = entries(pc.ask("query-chardev"))
        assert ours == {("a", "mux", False), ("a-base", "null", False)}
        assert ours <= entries(qemu.ask("query-chardev"))
        pc.ask("chardev-remove", id="a")
        assert pc.ask("query-chardev") == []


def test_chardevs_of_the_command_line_are_listed(pc: Commands) -> None:
    assert pc.ask("query-chardev") == [{"label": "serial0", "filename": "null", "frontend-open": True}]


def test_a_pty_tells_its_name(pc: Commands) -> None:
    name = add(pc, "p", "pty")["pty"]
    assert os.stat(name)
    assert pc.ask("query-chardev")[1] == {"label": "p", "filename": f"pty:{name}", "frontend-open": False}


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("null", {}),
        ("vc", {"cols": 40, "rows": 10}),
        ("ringbuf", {"size": 64}),
        ("memory", {}),
        ("udp", {"remote": {"type": "inet", "data": {"host": "127.0.0.1", "port": "9"}}}),
        ("socket", {"addr": {"type": "inet", "data": {"host": "127.0.0.1", "port": "0"}}, "wait": False}),
    ],
)
def test_every_backend_comes_and_goes(pc: Commands, type: str, data: dict[str, object]) -> None:
    assert add(pc, "x", type, **data) == {}
    pc.ask("chardev-remove", id="x")
    assert [entry["label"] for entry in pc.ask("query-chardev")] == ["serial0"]


def test_a_file_has_output_input_and_a_log(pc: Commands, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"hello")
    files = {"out": str(tmp_path / "out"), "in": str(tmp_path / "in"), "logfile": str(tmp_path / "log")}
    add(pc, "f", "file", **files)
    chardev = pc.machine.chardevs.find("f")
    heard = bytearray()
    chardev.claim().connect(heard.extend, lambda: 100)
    chardev.write(b"out")
    assert pc.machine.run_for(10, lambda: bytes(heard) == b"hello")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "log").read_bytes() == b"out"


def test_a_server_that_shall_wait_answers_when_somebody_came(pc: Commands, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as client:

        def connect() -> None:
            client.connect(str(path))

        pc.machine.loop.call_later(0.1, connect)
        add(pc, "s", "socket", addr=unix(path), server=True, wait=True)
        assert pc.machine.chardevs.find("s").is_open


def test_a_multiplexer_uses_its_chardev(pc: Commands) -> None:
    add(pc, "below", "ringbuf")
    add(pc, "m", "mux", chardev="below")
    assert pc.error("chardev-remove", id="below") == "Chardev 'below' is busy"
    pc.machine.chardevs.find("m").claim().write(b"through")
    assert pc.ask("ringbuf-read", device="below", size=100) == "through"
    assert pc.error("chardev-remove", id="m") == "Chardev 'm' is busy"


def test_a_multiplexer_gives_its_chardev_back(pc: Commands) -> None:
    add(pc, "below", "ringbuf")
    add(pc, "m", "mux", chardev="below")
    pc.ask("chardev-remove", id="m")
    pc.ask("chardev-remove", id="below")


def test_errors_of_adding(pc: Commands) -> None:
    assert add_error(pc, "serial0", "null") == "Chardev with id 'serial0' already exists"
    assert add_error(pc, "x", "ringbuf", size=3) == (
        "Failed to add chardev 'x': size of ringbuf chardev must be power of two"
    )
    assert "No such file or directory" in add_error(pc, "x", "file", out="/nope/x")
    assert "not supported" in add_error(pc, "x", "braille")
    assert "not supported" in add_error(pc, "x", "socket", addr=unix(Path("/x")), websocket=True)
    assert add_error(pc, "x", "mux", chardev="nope") == "Failed to add chardev 'x': Chardev 'nope' not found"
    assert "has not been found" in add_error(pc, "x", "socket", addr={"type": "fd", "data": {"str": "nofd"}})
    assert len(pc.ask("query-chardev")) == 1


def test_errors_of_removing(pc: Commands) -> None:
    assert pc.error("chardev-remove", id="serial0") == "Chardev 'serial0' is busy"
    assert pc.error("chardev-remove", id="nope") == "Chardev 'nope' not found"


def test_a_backend_without_frontend_is_changed(pc: Commands) -> None:
    add(pc, "x", "null")
    pc.ask("chardev-change", id="x", backend={"type": "ringbuf", "data": {}})
    assert pc.ask("query-chardev")[1]["filename"] == "ringbuf"
    null = {"type": "null", "data": {}}
    assert "hotswap" in pc.error("chardev-change", id="serial0", backend=null)
    assert pc.error("chardev-change", id="nope", backend=null) == "Chardev 'nope' does not exist"
    bad = {"type": "file", "data": {"out": "/nope/x"}}
    pc.error("chardev-change", id="x", backend=bad)
    assert pc.ask("query-chardev")[1]["filename"] == "ringbuf"


def test_a_break_reaches_the_frontend(pc: Commands) -> None:
    add(pc, "x", "null")
    events: list[ChardevEvent] = []
    pc.machine.chardevs.find("x").claim().connect(lambda data: None, lambda: 0, events.append)
    pc.ask("chardev-send-break", id="x")
    assert events[-1] is ChardevEvent.BREAK
    assert pc.error("chardev-send-break", id="nope") == "Chardev 'nope' not found"


# -- ring buffers


def test_ring_buffers_are_written_and_read(pc: Commands) -> None:
    add(pc, "r", "ringbuf", size=16)
    pc.ask("ringbuf-write", device="r", data="aGVsbG8=", format="base64")
    pc.ask("ringbuf-write", device="r", data="hé")
    assert pc.ask("ringbuf-read", device="r", size=100) == "hellohé"
    pc.ask("ringbuf-write", device="r", data="/w==", format="base64")
    assert pc.ask("ringbuf-read", device="r", size=100) == "\ufffd"
    pc.ask("ringbuf-write", device="r", data="0123456789abcdefXYZ")
    assert pc.ask("ringbuf-read", device="r", size=2, format="base64") == "MzQ="


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("ringbuf-read", {"device": "nope", "size": 1}, "Device 'nope' not found"),
        ("ringbuf-read", {"device": "serial0", "size": 1}, "serial0 is not a ringbuf device"),
        ("ringbuf-read", {"device": "r", "size": 0}, "size must be greater than zero"),
        ("ringbuf-write", {"device": "serial0", "data": "x"}, "serial0 is not a ringbuf device"),
        ("ringbuf-write", {"device": "r", "data": "?", "format": "base64"}, "Base64 data '?' is not valid"),
    ],
)
def test_errors_of_ring_buffers(pc: Commands, command: str, arguments: dict[str, object], message: str) -> None:
    add(pc, "r", "ringbuf")
    assert pc.error(command, **arguments) == message


# -- descriptors


def test_a_socket_may_be_a_descriptor_that_was_handed_over(pc: Commands) -> None:
    ours, theirs = socket.socketpair()
    pc.system.part(Descriptors).add_named("mine", ours.detach())
    add(pc, "s", "socket", addr={"type": "fd", "data": {"str": "mine"}}, server=False)
    pc.machine.chardevs.find("s").write(b"hello")
    assert theirs.recv(10) == b"hello"
    theirs.close()


def test_a_file_may_be_a_descriptor_set(pc: Commands, tmp_path: Path) -> None:
    path = tmp_path / "out"
    pc.system.part(Descriptors).add_to_set(os.open(path, os.O_WRONLY | os.O_CREAT), 5)
    add(pc, "f", "file", out="/dev/fdset/5")
    pc.machine.chardevs.find("f").write(b"through the set")
    assert path.read_bytes() == b"through the set"
