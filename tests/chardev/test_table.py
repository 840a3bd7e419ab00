"""Making chardevs by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyqemu.chardev import ChardevError, Chardevs
from pyqemu.chardev.mux import MuxChardev
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.system import System


@pytest.fixture
def table() -> Chardevs:
    return Chardevs(System())


@pytest.mark.parametrize(
    ("backend", "options", "message"),
    [
        ("null", {}, "chardev: no id specified"),
        ("null", {"id": "1x"}, "Parameter 'id' expects an identifier"),
        ("bar", {"id": "x"}, "'bar' is not a valid char driver name"),
        ("file", {"id": "x"}, "chardev: file: no filename given"),
        ("socket", {"id": "x", "port": "1"}, "chardev: socket: no host given"),
        ("socket", {"id": "x", "host": "h"}, "chardev: socket: no port given"),
        ("null", {"id": "x", "foo": "1"}, "Invalid parameter 'foo'"),
        ("ringbuf", {"id": "x", "size": "3"}, "size of ringbuf chardev must be power of two"),
        (
            "file",
            {"id": "x", "path": "/nonexist/y"},
            "Failed to open file '/nonexist/y': No such file or directory",
        ),
        ("pipe", {"id": "x", "path": "/nonexist"}, "Could not open '/nonexist': No such file or directory"),
        (
            "socket",
            {"id": "x", "path": "/nonexist/s"},
            "Failed to connect to '/nonexist/s': No such file or directory",
        ),
        (
            "socket",
            {"id": "x", "path": "/x", "server": "on", "reconnect": "1"},
            "'reconnect' option is incompatible",
        ),
    ],
)
def test_errors_are_one_line(table: Chardevs, backend: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(ChardevError) as caught:
        table.create(backend, options)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_find_open_and_remove(table: Chardevs) -> None:
    made = table.create("ringbuf", {"id": "r"})
    assert table.open("chardev:r", "serial0") is made
    with pytest.raises(ChardevError, match="Duplicate ID 'r'"):
        table.create("null", {"id": "r"})
    made.claim()
    with pytest.raises(ChardevError, match="in use"):
        made.claim()
    with pytest.raises(ChardevError, match="busy"):
        table.remove("r")
    made.release()
    table.remove("r")
    with pytest.raises(ChardevError, match="not found"):
        table.open("chardev:r", "serial1")


def test_ringbuf_keeps_the_newest(table: Chardevs) -> None:
    ring = table.create("ringbuf", {"id": "r", "size": "8"})
    assert isinstance(ring, RingbufChardev)
    ring.write(b"0123456789")
    assert ring.peek() == b"23456789"
    assert ring.read(3) == b"234"
    assert ring.read(100) == b"56789"


def test_mux_option_makes_a_multiplexer(table: Chardevs) -> None:
    assert isinstance(table.create("null", {"id": "m", "mux": "on"}), MuxChardev)


def test_logfile(table: Chardevs, tmp_path: Path) -> None:
    path = tmp_path / "log"
    table.create("null", {"id": "a", "logfile": str(path)}).write(b"one")
    table.close_all()
    table.create("null", {"id": "a", "logfile": str(path), "logappend": "on"}).write(b"two")
    table.close_all()
    assert path.read_bytes() == b"onetwo"
