"""The stream: nothing lost, nothing early, memory only for what has come."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyqemu.io.channel import Timeouts
from pyqemu.io.errors import EndOfStream, Interrupted
from pyqemu.io.interrupt import Interrupt
from pyqemu.io.sockets import SocketChannel
from pyqemu.migration.stream import BUFFER, StreamReader, StreamWriter


def pair() -> tuple[SocketChannel, SocketChannel]:
    one, other = socket.socketpair()
    channels = [SocketChannel(end, name, Interrupt(), Timeouts()) for end, name in ((one, "one"), (other, "other"))]
    return channels[0], channels[1]


def close(*channels: SocketChannel) -> None:
    for channel in channels:
        channel.close()
        channel.interrupt.close()


@pytest.fixture
def ends() -> Iterator[tuple[SocketChannel, SocketChannel]]:
    made = pair()
    yield made
    close(*made)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 3000), max_size=20))
def test_bytes_come_as_they_were_written(sizes: list[int]) -> None:
    here, there = pair()
    writer, reader = StreamWriter(here), StreamReader(there)
    for number, size in enumerate(sizes):
        writer.write(bytes((number,)) * size)
    writer.flush()
    assert writer.position == sum(sizes)
    for number, size in enumerate(sizes):
        assert reader.peek(1) == bytes((number,))
        target = bytearray(size)
        reader.read_into(memoryview(target))
        assert target == bytes((number,)) * size
    assert reader.position == sum(sizes)
    close(here, there)


def test_small_writes_wait_and_large_ones_do_not(ends: tuple[SocketChannel, SocketChannel]) -> None:
    writer = StreamWriter(ends[0])
    writer.write(b"x")
    assert ends[1].read_now(10) is None
    writer.write(bytes(BUFFER))
    assert ends[1].read(1) == b"x"


def test_an_end_in_the_middle(ends: tuple[SocketChannel, SocketChannel]) -> None:
    ends[0].write(b"abc")
    ends[0].end_output()
    reader = StreamReader(ends[1])
    assert reader.peek(100) == b"abc"
    assert reader.read(2) == b"ab"
    with pytest.raises(EndOfStream) as caught:
        reader.read(1 << 40)  # does not take memory for it
    assert str(caught.value) == (
        "Unable to read from socket: Unexpected end of file (other closed the connection after 3 bytes)"
    )


def test_the_limit_is_kept(ends: tuple[SocketChannel, SocketChannel]) -> None:
    writer = StreamWriter(ends[0], lambda: 10 * BUFFER)  # a buffer each tenth of a second
    began = time.monotonic()
    for _ in range(4):
        writer.write(bytes(BUFFER))
        ends[1].read_exactly(BUFFER)
        writer.end_round()
    assert 0.25 < time.monotonic() - began < 60


def test_the_limit_does_not_count_when_the_guest_stands_still(ends: tuple[SocketChannel, SocketChannel]) -> None:
    writer = StreamWriter(ends[0], lambda: 1)
    writer.unlimited = True
    began = time.monotonic()
    for _ in range(20):
        writer.write(b"abc")
        writer.flush()
    assert time.monotonic() - began < 30  # the limit would make a minute of it
    assert not writer.exhausted


def test_exhausted_tells_when_a_section_should_end(ends: tuple[SocketChannel, SocketChannel]) -> None:
    writer = StreamWriter(ends[0], lambda: 1000)
    assert not writer.exhausted
    writer.write(bytes(100))
    assert writer.exhausted
    moment = 0.0
    writer = StreamWriter(ends[0], clock=lambda: moment)
    assert not writer.exhausted
    moment = 0.2
    assert writer.exhausted


def test_interrupted(ends: tuple[SocketChannel, SocketChannel]) -> None:
    ends[1].interrupt.set()
    with pytest.raises(Interrupted):
        StreamReader(ends[1]).read(1)
    with pytest.raises(Interrupted):
        ends[1].write(b"x")
