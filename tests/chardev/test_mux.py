"""The multiplexer and its escape key."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pyqemu.chardev import ChardevEvent
from pyqemu.chardev.mux import MuxChardev
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.system import System


@pytest.fixture
def setup(frontend: Any) -> tuple[RingbufChardev, MuxChardev, Any, Any]:
    system = System()
    below = RingbufChardev("x", system)
    mux = MuxChardev("x", system, below)
    mux.open()
    return below, mux, frontend(mux.claim()), frontend(mux.claim())


def test_input_goes_to_the_focus(setup: tuple[RingbufChardev, MuxChardev, Any, Any]) -> None:
    below, _, first, second = setup
    below.feed(b"ab\x01ccd")
    assert (first.data, second.data) == (b"ab", b"cd")
    assert ChardevEvent.MUX_OUT in first.events
    assert ChardevEvent.MUX_IN in second.events
    below.feed(b"\x01cx")
    assert first.data == b"abx"


def test_output_of_all_goes_out(setup: tuple[RingbufChardev, MuxChardev, Any, Any]) -> None:
    below, _, first, second = setup
    first.chardev.write(b"1")
    second.chardev.write(b"2")
    assert below.peek() == b"12"


def test_escape_commands(setup: tuple[RingbufChardev, MuxChardev, Any, Any]) -> None:
    below, mux, first, _ = setup
    called: list[str] = []
    mux.on_quit = lambda: called.append("quit")
    mux.on_commit = lambda: called.append("commit")
    below.feed(b"\x01\x01")
    assert first.data == b"\x01"
    below.feed(b"\x01b")
    assert first.events[-1] is ChardevEvent.BREAK
    below.feed(b"\x01h")
    assert b"C-a x    exit emulator\r\n" in below.read(1000)
    below.feed(b"\x01s\x01x")
    assert called == ["commit", "quit"]
    assert below.read(100) == b"QEMU: Terminated\r\n"


def test_escape_works_while_the_guest_takes_nothing(
    setup: tuple[RingbufChardev, MuxChardev, Any, Any],
) -> None:
    below, mux, first, _ = setup
    quits: list[bool] = []
    mux.on_quit = lambda: quits.append(True)
    first.room = 0
    below.feed(b"abc\x01x")
    assert quits
    first.room = 10
    first.chardev.accept_input()
    assert first.data == b"abc"


def test_timestamps(setup: tuple[RingbufChardev, MuxChardev, Any, Any]) -> None:
    below, _, first, _ = setup
    first.chardev.write(b"start ")
    below.feed(b"\x01t")
    first.chardev.write(b"end\none\ntwo")
    stamp = rb"\[\d\d:\d\d:\d\d\.\d{3}\] "
    assert re.fullmatch(rb"start end\n" + stamp + rb"one\n" + stamp + rb"two", below.peek())


def test_other_escape_key(frontend: Any) -> None:
    system = System()
    below = RingbufChardev("x", system)
    mux = MuxChardev("x", system, below, escape=20)
    mux.open()
    front = frontend(mux.claim())
    below.feed(b"\x01\x14\x14")
    assert front.data == b"\x01\x14"
