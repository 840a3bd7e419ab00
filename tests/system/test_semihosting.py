"""The host as guests see it that ask for files, a console, the time."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyqemu.system import FakeClock, ShutdownCause, System
from pyqemu.system import semihosting as module
from pyqemu.system.semihosting import MAX_COMMANDS, MAX_FILES, STDIN, NotReady, Semihosting


class Streams:
    """Standard streams of its own: what is typed goes into *keyboard*."""

    def __init__(self) -> None:
        self.input, self.keyboard = os.pipe()
        self.outputs = [os.memfd_create(name) for name in ("stdout", "stderr")]

    @property
    def descriptors(self) -> tuple[int, int, int]:
        return self.input, self.outputs[0], self.outputs[1]

    def text(self, number: int) -> bytes:
        """What has come out."""
        return os.pread(self.outputs[number - 1], 4096, 0)

    def close(self) -> None:
        for descriptor in (self.input, self.keyboard, *self.outputs):
            os.close(descriptor)


@pytest.fixture
def streams() -> Iterator[Streams]:
    streams = Streams()
    yield streams
    streams.close()


@pytest.fixture
def host(streams: Streams) -> Iterator[Semihosting]:
    host = Semihosting(System(clock=FakeClock()), streams=streams.descriptors)
    yield host
    host.reset()


def error(function: Callable[..., object], *arguments: object) -> int | None:
    with pytest.raises(OSError) as caught:
        function(*arguments)
    return caught.value.errno


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# --- files ------------------------------------------------------------------------------------------------------------


def test_file_is_written_and_read(host: Semihosting, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path / "file")
    handle = host.open(name, os.O_RDWR | os.O_CREAT)
    assert host.write(handle, b"some text") == 9
    host.seek(handle, 5)
    assert host.read(handle, 100) == b"text"
    assert host.read(handle, 100) == b"", "the end"
    assert host.read(handle, 0) == b""
    assert host.length(handle) == 9
    assert not host.is_terminal(handle)
    host.close(handle)
    assert Path(tmp_path, "file").read_bytes() == b"some text"


def test_handles_are_the_guests_own(host: Semihosting) -> None:
    """A descriptor of ours is nothing to a guest, whatever number it tries."""
    outside = os.open("/dev/null", os.O_RDWR)
    for handle in (outside, 3, 255, 1 << 40):
        assert error(host.read, handle, 1) == errno.EBADF
        assert error(host.close, handle) == errno.EBADF
        assert error(host.length, handle) == errno.EBADF
        assert error(host.is_terminal, handle) == errno.EBADF
        assert error(host.seek, handle, 0) == errno.EBADF
    os.close(outside)


def test_handles_run_out_before_descriptors_do(host: Semihosting) -> None:
    handles = [host.open(b"/dev/null", os.O_RDONLY) for _ in range(MAX_FILES - 3)]
    assert error(host.open, b"/dev/null", os.O_RDONLY) == errno.EMFILE
    host.close(handles[7])
    assert host.open(b"/dev/null", os.O_RDONLY) == handles[7]


def test_reset_closes_what_the_guest_left_open(host: Semihosting) -> None:
    before = open_descriptors()
    handle = host.open(b"/dev/null", os.O_RDONLY)
    host.system.reset()
    assert open_descriptors() == before
    assert error(host.read, handle, 1) == errno.EBADF


def test_standard_streams_survive_their_handles(host: Semihosting, streams: Streams) -> None:
    host.close(1)
    assert error(host.write, 1, b"x") == errno.EBADF
    assert host.open_stream(1) == 1
    assert host.write(1, b"still there") == 11
    assert streams.text(1) == b"still there"


def test_file_without_a_writer_does_not_hold_us_up(host: Semihosting, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert error(host.open, os.fsencode(fifo), os.O_WRONLY) == errno.ENXIO
    handle = host.open(os.fsencode(fifo), os.O_RDONLY)
    with pytest.raises(NotReady):
        host.read(handle, 1)
    writer = os.open(fifo, os.O_WRONLY)
    os.write(writer, b"x")
    assert host.read(handle, 10) == b"x"
    os.close(writer)
    assert host.read(handle, 10) == b"", "the writer has gone"


def test_pipe_that_nobody_reads_takes_what_it_can(host: Semihosting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    reader, writer = os.pipe()
    full = Semihosting(System(clock=FakeClock()), streams=(0, writer, 2))
    written = full.write(1, bytes(1 << 20))
    assert 0 < written < 1 << 20
    assert error(full.write, 1, b"more") == errno.EAGAIN
    os.close(reader)
    assert error(full.write, 1, b"more") == errno.EPIPE
    os.close(writer)


def test_errors_of_the_host_are_its_own(host: Semihosting, tmp_path: Path) -> None:
    assert error(host.open, os.fsencode(tmp_path / "none"), os.O_RDONLY) == errno.ENOENT
    assert error(host.open, b"", os.O_RDONLY) == errno.ENOENT
    assert error(host.write, host.open(os.fsencode(__file__), os.O_RDONLY), b"x") == errno.EBADF
    assert error(host.read, host.open(os.fsencode(tmp_path), os.O_RDONLY), 10) == errno.EISDIR
    assert error(host.seek, host.open(b"/dev/null", os.O_RDONLY), 1 << 63) == errno.EINVAL
    assert error(host.seek, STDIN, 0) == errno.ESPIPE


def test_names_are_removed_and_changed(host: Semihosting, tmp_path: Path) -> None:
    Path(tmp_path, "a").touch()
    Path(tmp_path, "d").mkdir()
    host.rename(os.fsencode(tmp_path / "a"), os.fsencode(tmp_path / "b"))
    assert sorted(os.listdir(tmp_path)) == ["b", "d"]
    host.remove(os.fsencode(tmp_path / "b"))
    host.remove(os.fsencode(tmp_path / "d"))
    assert os.listdir(tmp_path) == []
    assert error(host.remove, os.fsencode(tmp_path / "b")) == errno.ENOENT


def test_temporary_names_are_not_there_and_stay_the_same(host: Semihosting) -> None:
    names = [host.temporary_name(number) for number in range(256)]
    assert len(set(names)) == 256
    assert names[7] == host.temporary_name(7)
    assert not any(os.path.exists(name) for name in names)


# --- the console ------------------------------------------------------------------------------------------------------


def test_keys_come_as_they_are_typed(host: Semihosting, streams: Streams) -> None:
    with pytest.raises(NotReady):
        host.read_key()
    os.write(streams.keyboard, b"\xffb")
    assert host.read_key() == 0xFF
    assert host.read(STDIN, 10) == b"b"


def test_end_of_input_is_an_error_of_who_wants_a_key() -> None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    host = Semihosting(System(clock=FakeClock()), streams=(descriptor, 1, 2))
    assert error(host.read_key) == errno.EIO
    assert host.read(STDIN, 10) == b""
    os.close(descriptor)


def test_debuggers_console_is_standard_error(host: Semihosting, streams: Streams) -> None:
    host.print(b"\xff text")
    assert (streams.text(1), streams.text(2)) == (b"", b"\xff text")


def test_each_complaint_comes_once_and_not_too_many(host: Semihosting, streams: Streams) -> None:
    for number in (1, 1, *range(100)):
        host.complain(f"no {number}")
    assert streams.text(2).splitlines() == [b"semihosting: no %d" % number for number in (1, 0, *range(2, 8))]


# --- time, commands, the end ------------------------------------------------------------------------------------------


def test_clock_is_the_guests(host: Semihosting) -> None:
    assert isinstance(host.system.clock, FakeClock)
    host.system.clock.advance(1_239_999_999)
    assert host.centiseconds() == 123
    assert host.seconds() == int(host.system.rtc_clock.time())


def run(host: Semihosting, command: bytes) -> int:
    while True:
        try:
            return host.run(0, command)
        except NotReady:
            os.sched_yield()


def test_command_ends_as_wait_tells_it(host: Semihosting) -> None:
    assert run(host, b"exit 3") == 3 << 8
    assert run(host, b"kill -9 $$") == signal.SIGKILL


def test_commands_do_not_hold_us_up_nor_are_there_too_many(host: Semihosting) -> None:
    for who in range(MAX_COMMANDS):
        with pytest.raises(NotReady):
            host.run(who, b"exec sleep 1000")
    assert error(host.run, MAX_COMMANDS, b"true") == errno.EAGAIN
    host.reset()
    assert run(host, b"true") == 0


def test_exit_status_is_the_guests(host: Semihosting) -> None:
    host.exit(0x1_0125)
    assert (host.system.exit_code, host.system.process_requests()) == (0x25, True)
    assert host.system.exit_cause is ShutdownCause.GUEST_SHUTDOWN
