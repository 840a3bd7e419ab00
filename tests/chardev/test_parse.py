"""The syntax of chardev options."""

from __future__ import annotations

import pytest

from pyqemu.chardev.errors import ChardevError
from pyqemu.chardev.parse import OptionReader, parse_device


@pytest.mark.parametrize(
    ("text", "backend", "options"),
    [
        ("null", "null", {}),
        ("stdio", "stdio", {}),
        ("mon:stdio", "stdio", {"mux": "on", "signal": "off"}),
        ("mon:pty", "pty", {"mux": "on"}),
        ("vc", "vc", {}),
        ("vc:80Cx24C", "vc", {"cols": "80", "rows": "24"}),
        ("vc:640x480", "vc", {"width": "640", "height": "480"}),
        ("file:/a/b", "file", {"path": "/a/b"}),
        ("pipe:/a", "pipe", {"path": "/a"}),
        ("unix:/s,server,nowait", "socket", {"path": "/s", "server": "on", "wait": "off"}),
        ("unix:/s,server=on,wait=off", "socket", {"path": "/s", "server": "on", "wait": "off"}),
        ("tcp:h:4444", "socket", {"host": "h", "port": "4444"}),
        ("tcp::4444,server,nodelay", "socket", {"host": "", "port": "4444", "server": "on", "delay": "off"}),
        ("tcp:[::1]:5,reconnect=2", "socket", {"host": "::1", "port": "5", "reconnect": "2"}),
        ("telnet:h:23", "socket", {"host": "h", "port": "23", "telnet": "on"}),
        ("udp:h:1@l:2", "udp", {"host": "h", "port": "1", "localaddr": "l", "localport": "2"}),
        ("udp::1", "udp", {"host": "", "port": "1"}),
        ("/dev/ttyS0", "serial", {"path": "/dev/ttyS0"}),
        ("chardev:x", "chardev", {"chardev": "x"}),
    ],
)
def test_device(text: str, backend: str, options: dict[str, str]) -> None:
    assert parse_device(text) == (backend, options)


@pytest.mark.parametrize("text", ["", "foo", "tcp:foo", "udp:", "file:", "unix:", "vc:x", "chardev:", "mon:"])
def test_what_is_no_device_is_named(text: str) -> None:
    with pytest.raises(ChardevError, match="is not a valid char driver"):
        parse_device(text)


def test_reader_types_and_leftovers() -> None:
    reader = OptionReader({"a": "on", "n": "0x10", "s": "64k", "bad": "x"})
    assert reader.flag("a", False) is True
    assert reader.number("n", 0) == 16
    assert reader.size("s", 0) == 65536
    with pytest.raises(ChardevError, match="Invalid parameter 'bad'"):
        reader.finish()


@pytest.mark.parametrize(("method", "value"), [("flag", "maybe"), ("number", "-1"), ("size", "1q")])
def test_reader_rejects(method: str, value: str) -> None:
    with pytest.raises(ChardevError, match="Parameter 'k' expects"):
        getattr(OptionReader({"k": value}), method)("k", 0)
