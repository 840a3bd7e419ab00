"""Streams that were tampered with, sent to a machine that waits for one: it takes them, or says in one line why not.

Each stream follows from ``--seed`` and its number (:func:`tests.migration.mutations.stream`); a failure tells both.
"""

from __future__ import annotations

import random
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.migration.fuzz_rig import (
    DISK,
    PACKAGED,
    PREFIX,
    RUN,
    Target,
    forget_peak,
    make_bases,
    peak,
    resident,
    target,
)
from tests.migration.mutations import Base, Mark, Piece, command, stream
from tests.migration.programs import ROOT

SAMPLE, FULL = 4000, 200_000
PROGRAMS, FULL_PROGRAMS = 5, 300
RUNS = 8  # of so many streams that load, one is run
GROWTH = 64 << 20  # bytes that the process may grow by: translated code, mostly
BUFFERS = 4 << 20  # bytes that one stream may take while it is loaded: what the connection holds, and its copies


@pytest.fixture
def leakless() -> None:
    """Takes the place of the check that tests of connections have: the machine serves all tests here."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def bases(directory: Path) -> list[Base]:
    return make_bases(directory)


@pytest.fixture(scope="module")
def machine(directory: Path) -> Iterator[Target]:
    with target(directory) as made:
        yield made


def numbered(seed: int, number: int, directory: Path, data: bytes) -> str:
    """What helps to repeat a failure."""
    path = directory / f"stream-{seed}-{number}"
    path.write_bytes(data)
    return f"stream {number} of seed {seed}, kept in {path}"


def test_the_good_streams_load(machine: Target, bases: list[Base]) -> None:
    for base in bases:
        assert machine.load(base.data), (base.name, machine.said)
        machine.run_a_little(random.Random(base.name))


def test_the_good_streams_are_the_same_each_time(directory: Path, bases: list[Base]) -> None:
    again = make_bases(directory)
    assert [base.name for base in bases] == [base.name for base in again]
    assert all(base.data == other.data for base, other in zip(bases, again, strict=True))


@pytest.mark.timeout(7200)
def test_spoilt_streams_do_no_harm(
    machine: Target, bases: list[Base], directory: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    """Whatever comes, it is taken or refused with one clear line, in time, with no more memory than before; and a
    machine that has taken it can be run, looked at, and saved."""
    amount = FULL if request.config.getoption("--full") else SAMPLE
    begin, found, slowest, most = time.monotonic(), Counter[bool](), 0.0, 0
    warm = 0
    for number in range(amount):
        data = stream(bases, seed, number)
        started = time.monotonic()
        try:
            is_loaded = machine.load(data)
            found[is_loaded] += 1
            slowest = max(slowest, time.monotonic() - started)
            if is_loaded and found[True] % RUNS == 0:
                machine.run_a_little(random.Random(number))
        except Exception as error:
            raise AssertionError(f"{numbered(seed, number, directory, data)}: {error}") from error
        if number == amount // 4:  # by now all of the guest's memory has been touched
            forget_peak()
            warm = resident()
    most = peak() - warm
    print(f"{amount} streams of seed {seed} in {time.monotonic() - begin:.0f} s: {found[True]} loaded, the slowest "
          f"took {slowest:.3f} s, memory grew by {resident() - warm >> 10} KiB, at most {most >> 10} KiB")  # fmt: skip
    assert found[True] > amount // 20
    assert most < GROWTH


# -- memory


def growth(machine: Target, data: bytes) -> int:
    """Bytes by which the process grows at most while it loads a stream."""
    machine.load(data)  # what is kept for good comes now
    before = resident()
    forget_peak()
    machine.load(data)
    return peak() - before


def with_length(base: Base, index: int, mark: Mark, length: int) -> bytes:
    """The stream with another length at that place."""
    pieces = list(base.pieces)
    data = pieces[index].data
    data = data[: mark.start] + length.to_bytes(mark.size, "big") + data[mark.start + mark.size :]
    pieces[index] = Piece(pieces[index].name, data, [])
    return b"".join(piece.data for piece in pieces)


def test_no_length_makes_us_take_memory(machine: Target, bases: list[Base]) -> None:
    """Each length in each good stream, at its largest and at half of that."""
    tried = 0
    for base in bases:
        for index, piece in enumerate(base.pieces):
            lengths = [mark for mark in piece.marks if mark.is_length]
            for mark in lengths[:40]:
                for length in ((1 << 8 * mark.size) - 1, 1 << 8 * mark.size - 1):
                    grown = growth(machine, with_length(base, index, mark, length))
                    assert grown < BUFFERS, (base.name, piece.name, mark, length)
                    tried += 1
    assert tried > 500


def endless(base: Base, index: int, more: Callable[[int], bytes], times: int) -> bytes:
    """The stream with much that is new before a piece."""
    data = [piece.data for piece in base.pieces]
    data[index:index] = [more(number) for number in range(times)]
    return b"".join(data)


def _foreign(number: int) -> bytes:
    """The section of a device that others have, as long as it may be."""
    head = b"\4" + struct.pack(">I", 1000 + number) + b"\5slirp" + struct.pack(">II", 0, 1)
    return head + b"\1" * 900_000 + b"\x7e" + struct.pack(">I", 1000 + number)


def _begun(number: int) -> bytes:
    """Memory that begins to be sent under another number."""
    head = b"\1" + struct.pack(">I", 1000 + number) + b"\3ram" + struct.pack(">II", 0, 4)
    return head + struct.pack(">Q", 0x10) + b"\x7e" + struct.pack(">I", 1000 + number)


@pytest.mark.parametrize(
    ("more", "times", "said"),
    [
        (_foreign, 40, "device 'slirp' (its section comes twice"),
        (_begun, 200_000, "section 'ram' begins twice"),
    ],
)
def test_what_comes_again_and_again_is_not_collected(
    machine: Target, bases: list[Base], more: Callable[[int], bytes], times: int, said: str
) -> None:
    """Sections that were kept without a bound."""
    grown = growth(machine, endless(bases[0], 3, more, times))
    assert said in machine.said[0]
    assert grown < BUFFERS


def test_a_description_is_not_kept(machine: Target, bases: list[Base]) -> None:
    """64 MiB of it took twice as much memory."""
    base, length = bases[0], 60 << 20
    data = b"".join(piece.data for piece in base.pieces[:-1]) + b"\6" + struct.pack(">I", length) + b" " * length
    assert growth(machine, data) < BUFFERS
    assert machine.said == []


def test_pings_are_answered_as_long_as_somebody_listens(machine: Target, bases: list[Base]) -> None:
    (base,) = (base for base in bases if base.name == "return path")
    ping = command(2, b"\0\0\0\1").data
    assert growth(machine, endless(base, 3, lambda number: ping, 20_000)) < BUFFERS
    assert machine.said == []


# -- the real program


def _line_of_program(directory: Path, uri: str, data: bytes) -> str:
    """What ``pyqemu -incoming`` says of a stream; it exits with status 1."""
    path, image = directory / "socket", directory / "program.img"
    path.unlink(missing_ok=True)
    image.write_bytes(bytes(DISK))
    ours, theirs = socket.socketpair()
    options = ["-incoming", f"fd:{theirs.fileno()}" if uri == "fd" else f"unix:{path}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pyqemu", "-display", "none", "-m", "1", "-bios", str(directory / "counter.bin"),
         "-serial", "null", "-parallel", "null", "-monitor", "none", "-rtc", "base=1970-01-01,clock=vm",
         "-drive", f"file={image},format=raw,if=ide", *options],
        pass_fds=[theirs.fileno()], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    theirs.close()
    with ours, socket.socket(socket.AF_UNIX) as connection:
        try:
            for _ in range(3000 if uri == "unix" else 0):
                try:
                    connection.connect(str(path))
                    break
                except (FileNotFoundError, ConnectionRefusedError):
                    time.sleep(0.02)
            peer = connection if uri == "unix" else ours
            try:
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(1 << 16):
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has heard enough
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate()
    assert (process.returncode, output) == (1, ""), errors
    assert errors.count("\n") == 1, errors
    return errors.strip()


@pytest.mark.timeout(3600)
def test_the_program_says_the_same_and_exits_with_status_1(
    machine: Target, bases: list[Base], directory: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    """Streams that do not load, through ``fd:`` and ``unix:`` in turn."""
    amount = FULL_PROGRAMS if request.config.getoption("--full") else PROGRAMS
    done = 0
    for number in count(1_000_000):
        data = stream(bases, seed, number)
        if machine.load(data):
            continue
        expected = machine.said[0].removeprefix(PREFIX)
        uri = "fd" if done % 2 else "unix"
        said = _line_of_program(directory, uri, data)
        said = said.removeprefix(f"pyqemu: {PREFIX}").replace(f"unix:{directory / 'socket'}", "fd:fuzz")
        assert _anonymous(said) == _anonymous(expected), numbered(seed, number, directory, data)
        done += 1
        if done == amount:
            return


def _anonymous(line: str) -> str:
    """Without the name of the peer, and how much of the stream was in its buffers when somebody counted."""
    words = [word for word in line.split() if not word.startswith(("(fd:", "fd:"))]
    return " ".join(words)


# -- post-copy


def _packed(depth: int) -> bytes:
    """A package with a package in it, and so on."""
    data = b""
    for _ in range(depth):
        data = command(PACKAGED, struct.pack(">I", len(data))).data + data
    return data


def test_packages_are_not_nested(machine: Target, bases: list[Base]) -> None:
    """A thousand packages within each other were too deep for us."""
    assert not machine.load(bases[0].pieces[0].data + _packed(1000))
    assert "a package is within another one" in machine.said[0]


def test_the_guest_is_started_once(machine: Target, bases: list[Base]) -> None:
    """While memory is waited for before the guest runs, it was told to run, waited, was told to run: too deep."""
    (base,) = (base for base in bases if base.name == "post-copy")
    names = [piece.name for piece in base.pieces]
    at = len(names) - 1 - names[::-1].index("command") + 1
    assert not machine.load(endless(base, at, lambda number: command(RUN).data, 3000))
    assert "CMD_POSTCOPY_RUN in wrong postcopy state" in machine.said[0]
