"""Saved state: conditions, counts, queues, and the description of what was written."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.qom.vmstate import (
    I64,
    U8,
    U16,
    U32,
    Array,
    Bitmap,
    Buffer,
    BytesReader,
    Equal8,
    Fifo8,
    LoadError,
    Struct,
    Tmp,
    VMState,
)

point = VMState("point", version=1, fields=(U8("x"), U8("y", maximum=9)))


def test_a_field_may_depend_on_an_earlier_one() -> None:
    layout = VMState("t", fields=(U8("there"), Buffer("data", 3, when="there"), U8("last")))
    thing = SimpleNamespace(there=0, data=bytearray(3), last=5)
    assert layout.save(thing) == b"\0\5"
    layout.load(thing, b"\1abc\7")
    assert (thing.there, bytes(thing.data), thing.last) == (1, b"abc", 7)


def test_an_array_as_long_as_a_field_says() -> None:
    layout = VMState("t", fields=(U8("count"), Array("items", U16, 4, count="count")))
    thing = SimpleNamespace(count=2, items=[1, 2, 3, 4])
    assert layout.save(thing).hex() == "0200010002"
    with pytest.raises(LoadError, match=r"items: expected at most 4 elements, found 5, at byte 0x1"):
        layout.load(thing, b"\5" + bytes(10))


def test_errors_name_the_field_the_value_and_the_place() -> None:
    layout = VMState("t", fields=(U32("head"), Array("points", point, 2), Equal8("kind")))
    thing = SimpleNamespace(head=0, points=[SimpleNamespace(x=0, y=0), SimpleNamespace(x=0, y=0)], kind=4)
    with pytest.raises(LoadError) as caught:
        layout.load(thing, bytes((0, 0, 0, 0, 1, 2, 3, 200, 4)))
    assert str(caught.value) == "points.[1].y: expected 0 to 9, found 200, at byte 0x7"
    with pytest.raises(LoadError, match="kind: expected 4, found 3, at byte 0x8"):
        layout.load(thing, bytes((0, 0, 0, 0, 1, 2, 3, 4, 3)))
    assert thing.points[0].x == 0  # nothing was changed


def test_what_was_written_is_described() -> None:
    layout = VMState(
        "t",
        version=2,
        fields=(Array("many", U16, 3), Array("points", point, 2), Array("each", point, 1, each=True),
                Struct("one", point, wire="first")),
        subsections=(VMState("t/more", fields=(U8("extra"),), needed=lambda thing: thing.extra != 0),),
    )  # fmt: skip
    inside = {"vmsd_name": "point", "version": 1, "fields": [
        {"name": "x", "type": "uint8", "size": 1}, {"name": "y", "type": "uint8", "size": 1},
    ]}  # fmt: skip
    places = [SimpleNamespace(x=1, y=2) for _ in range(4)]
    thing = SimpleNamespace(many=[1, 2, 3], points=places[:2], each=places[2:3], one=places[3], extra=1)
    out = bytearray()
    assert layout.write(thing, out) == {
        "vmsd_name": "t",
        "version": 2,
        "fields": [
            {"name": "many", "array_len": 3, "type": "uint16", "size": 2},
            {"name": "points", "array_len": 2, "type": "struct", "struct": inside, "size": 2},
            {"name": "each", "index": 0, "type": "struct", "struct": inside, "size": 2},
            {"name": "first", "type": "struct", "struct": inside, "size": 2},
        ],
        "subsections": [
            {"vmsd_name": "t/more", "version": 1, "fields": [{"name": "extra", "type": "uint8", "size": 1}]}
        ],
    }


def test_something_made_only_for_saving() -> None:
    """The two nibbles of a byte, as two fields."""

    def unmake(thing: SimpleNamespace, made: SimpleNamespace) -> None:
        thing.value = made.x << 4 | made.y

    nibbles = Tmp(point, lambda thing: SimpleNamespace(x=thing.value >> 4, y=thing.value & 15), unmake)
    layout = VMState("t", fields=(nibbles,))
    thing = SimpleNamespace(value=0x58)
    assert layout.save(thing) == b"\5\x08"
    layout.load(thing, b"\3\4")
    assert thing.value == 0x34


@given(st.binary(max_size=8))
def test_a_queue_comes_back(data: bytes) -> None:
    layout = VMState("t", fields=(Fifo8("queue", 8),))
    thing = SimpleNamespace(queue=deque(data))
    saved = layout.save(thing)
    thing.queue.clear()
    layout.load(thing, saved)
    assert bytes(thing.queue) == data


def test_a_queue_that_begins_in_the_middle_of_its_ring() -> None:
    layout = VMState("t", fields=(Fifo8("queue", 4),))
    thing = SimpleNamespace(queue=deque[int]())
    layout.load(thing, b"cdab" + bytes.fromhex("00000002 00000003"))
    assert bytes(thing.queue) == b"abc"
    with pytest.raises(LoadError, match="at most 4 bytes in the ring, found 5 at 0"):
        layout.load(thing, b"abcd" + bytes.fromhex("00000000 00000005"))


def test_a_bitmap_is_in_words_the_lowest_first() -> None:
    layout = VMState("t", fields=(Bitmap("bits", 65),))
    thing = SimpleNamespace(bits=1 << 64 | 2)
    assert layout.save(thing).hex() == "00000000000000020000000000000001"
    saved = layout.save(thing)
    thing.bits = 0
    layout.load(thing, saved)
    assert thing.bits == 1 << 64 | 2


def test_checks_come_before_anything_is_applied() -> None:
    def check(_: object, values: object) -> None:
        raise LoadError("no")

    layout = VMState("t", fields=(U8("value"),), check=check)
    thing = SimpleNamespace(value=1)
    with pytest.raises(LoadError, match="no"):
        layout.load(thing, b"\2")
    assert thing.value == 1


def test_a_subsection_of_another_family_is_left_alone() -> None:
    layout = VMState("t", fields=(U8("value"),), subsections=(VMState("t/a", fields=(U8("extra"),)),))
    reader = BytesReader(b"\1\5\3x/b\0\0\0\1\7")
    layout.read(SimpleNamespace(value=0, extra=0), reader)
    assert reader.position == 1
    with pytest.raises(LoadError, match="'t' has no subsection 't/b'"):
        layout.read(SimpleNamespace(value=0, extra=0), BytesReader(b"\1\5\3t/b\0\0\0\1\7"))


def test_a_subsection_with_a_strange_name_is_named_in_one_line() -> None:
    """A stream with the name's length too large put line ends and zeros into the message."""
    layout = VMState("t", fields=(U8("x"),), subsections=(VMState("t/a", fields=(U8("x"),), needed=lambda _: False),))
    with pytest.raises(LoadError, match=r"^'t' has no subsection 't/b\.\.\.', at byte 0x1$"):
        layout.load(SimpleNamespace(x=0), b"\1\5\6t/b\n\0\xff")


def test_a_signed_number_that_grew_too_large_wraps() -> None:
    """A time-stamp counter that was loaded just below its end could not be saved again."""
    layout = VMState("t", fields=(I64("x"),))
    assert layout.save(SimpleNamespace(x=(1 << 63) + 5)).hex() == "8000000000000005"
    assert layout.save(SimpleNamespace(x=-2)).hex() == "fffffffffffffffe"
