"""The multiplexer and its escape key."""

from __future__ import annotations

import asyncio
import os
import re
import select
from typing import Any

import pytest

from pyqemu.chardev import ChardevEvent
from pyqemu.chardev.mux import MuxChardev
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.chardev.stdio import StdioChardev
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


def test_nothing_follows_the_farewell(setup: tuple[RingbufChardev, MuxChardev, Any, Any]) -> None:
    """The machine runs on for a moment: its output is too late, and keys that came along are nobody's."""
    below, mux, first, second = setup
    mux.on_quit = lambda: first.chardev.write(b"the guest, ")
    first.chardev.write(b"before ")
    below.feed(b"abc\x01xdef\x01h\x01c")
    second.chardev.write(b"the monitor, ")
    below.feed(b"ghi\x01t\x01h\x01x")
    first.chardev.write(b"the guest again")
    assert below.read(1000) == b"before QEMU: Terminated\r\n"
    assert (first.data, second.data) == (b"abc", b"")
    assert ChardevEvent.MUX_OUT not in first.events


def test_what_was_queued_before_the_farewell_still_comes(host: Any, frontend: Any) -> None:
    reader, writer = os.pipe()
    keys_reader, keys = os.pipe()
    below = StdioChardev("x", host.system, input_fd=keys_reader, output_fd=writer)
    mux = MuxChardev("x", host.system, below)
    mux.open()
    front = frontend(mux.claim())
    quits: list[bool] = []
    mux.on_quit = lambda: quits.append(True)
    text = bytes(range(256)) * 1024  # more than a pipe holds
    front.chardev.write(text)
    assert mux.backlog
    os.write(keys, b"\x01x")
    host.wait(lambda: quits)
    front.chardev.write(b"too late")
    got = b""
    while mux.backlog or select.select([reader], [], [], 0)[0]:
        got += os.read(reader, 65536)
        host.loop.run_until_complete(asyncio.sleep(0))
    assert got == text + b"QEMU: Terminated\r\n"
    mux.close()
    for fd in (reader, writer, keys_reader, keys):
        os.close(fd)


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
