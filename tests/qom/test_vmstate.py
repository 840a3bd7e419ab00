"""Saved state: QEMU's bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.qom.vmstate import (
    I32,
    U8,
    U16,
    U32,
    U64,
    Array,
    Bool,
    Buffer,
    LoadError,
    Struct,
    Timer64,
    Unused,
    Version32,
    VMState,
)
from pyqemu.system import FakeClock


class Part:
    def __init__(self) -> None:
        self.count = 0


class Thing:
    def __init__(self) -> None:
        self.divider, self.ier, self.position, self.mask = 12, 1, -2, 0
        self.on = True
        self.fifo = bytearray(4)
        self.counts = [1, 2]
        self.part, self.parts = Part(), [Part(), Part()]
        self.timer = FakeClock().timer(lambda: None)
        self.extra = 0
        self.loaded = False


def loaded(thing: Any) -> None:
    thing.loaded = True


part = VMState("part", fields=(U8("count"),))
layout = VMState(
    "thing",
    version=3,
    minimum_version=2,
    fields=(
        U16("divider"), U8("ier"), I32("position"), U64("mask", since=3), Bool("on"), Buffer("fifo", 4),
        Array("counts", U16, 2), Struct("part", part), Array("parts", part, 2), Timer64("timer"), Unused(2),
        Version32(2),
    ),
    subsections=(VMState("thing/extra", fields=(U32("extra"),), needed=lambda thing: thing.extra != 0),),
    post_load=loaded,
)  # fmt: skip

STATE = (
    "00 0c 01 ff ff ff fe 00 00 00 00 00 00 00 00 01 00 00 00 00 00 01 00 02 00 00 00 "
    "ff ff ff ff ff ff ff ff 00 00 00 00 00 02"
)


def test_bytes_of_the_fields() -> None:
    assert layout.save(Thing()).hex(" ") == STATE


def test_bytes_of_a_subsection() -> None:
    thing = Thing()
    thing.extra = 5
    tail = bytes((5, 11)) + b"thing/extra" + b"\0\0\0\1" + b"\0\0\0\5"
    assert layout.save(thing) == bytes.fromhex(STATE) + tail


def test_load_is_the_inverse() -> None:
    thing, copy = Thing(), Thing()
    thing.extra, thing.divider, thing.position, thing.counts[1] = 7, 0xFFFF, -100, 9
    thing.fifo[:] = b"abcd"
    thing.parts[1].count = 3
    thing.timer.set(1234)
    fifo = copy.fifo
    layout.load(copy, layout.save(thing))
    assert layout.save(copy) == layout.save(thing)
    assert copy.fifo is fifo
    assert copy.loaded
    assert copy.timer.deadline == 1234


def test_an_older_version_lacks_newer_fields() -> None:
    data = bytes.fromhex(STATE)
    thing = Thing()
    thing.mask = 77
    layout.load(thing, data[:7] + data[15:], version=2)
    assert thing.mask == 77


@pytest.mark.parametrize(
    ("data", "version"),
    [(bytes.fromhex(STATE)[:-1], 3), (bytes.fromhex(STATE) + b"x", 3), (bytes.fromhex(STATE), 4),
     (bytes.fromhex(STATE), 1), (bytes.fromhex(STATE) + b"\5\x0bthing/other\0\0\0\1", 3),
     (bytes.fromhex(STATE)[:-1] + b"\x03", 3)],
)  # fmt: skip
def test_wrong_states_are_refused(data: bytes, version: int) -> None:
    with pytest.raises(LoadError):
        layout.load(Thing(), data, version)


@given(st.binary(max_size=80))
def test_hostile_bytes_are_refused_or_loaded_but_never_break(data: bytes) -> None:
    try:
        layout.load(Thing(), data)
    except LoadError:
        pass
