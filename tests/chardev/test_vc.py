"""The text console."""

from __future__ import annotations

from typing import Any

import pytest

from pyqemu.chardev.vc import VcChardev
from pyqemu.system import System


@pytest.mark.parametrize(
    ("output", "rows"),
    [
        (b"ab\r\ncd", [b"ab", b"cd", b""]),
        (b"ab\ncd", [b"ab", b"  cd", b""]),
        (b"0123456789x", [b"0123456789", b"x", b""]),
        (b"a\tb", [b"a       b", b"", b""]),
        (b"ab\bc", [b"ac", b"", b""]),
        (b"1\r\n2\r\n3\r\n4", [b"2", b"3", b"4"]),
        (b"\x1b[2;3Hx\x1b[1;31my", [b"", b"  xy", b""]),
        (b"abc\x1b[2D\x1b[K", [b"a", b"", b""]),
        (b"a\r\nb\r\nc\x1b[2J\x1b[Hz", [b"z", b"", b""]),
        (b"a\r\nb\r\nc\x1b[H\x1b[J", [b"", b"", b""]),
        (b"\x1b(Bok", [b"ok", b"", b""]),
    ],
)
def test_screen(output: bytes, rows: list[bytes]) -> None:
    vc = VcChardev("vc", System(), columns=10, rows=3)
    vc.write(output)
    assert [line.rstrip() for line in vc.screen] == rows
    assert all(len(line) == 10 for line in vc.screen)


def test_keys_wait_for_room(frontend: Any) -> None:
    vc = VcChardev("vc", System())
    front = frontend(vc, room=2)
    vc.type_bytes(b"abc")
    assert front.data == b"ab"
    front.room = 5
    vc.accept_input()
    assert front.data == b"abc"
