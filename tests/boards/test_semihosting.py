"""``-semihosting``: bare-metal programs find the host as they do with Debian's QEMU.

That is QEMU 7.2. Where it does other things than QEMU 2.6, which we follow, programs here do not look: there handles 0
to 2 are not open from the start, ``:tt`` in an appending mode is standard error, other files are not appended to but
overwritten, SYS_WRITEC and SYS_WRITE0 leave rubbish in the register of the result, a failed SYS_WRITE returns a length,
SYS_READC wants a chardev, and BKPT 0xAB is heard of processors for microcontrollers only.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import pyqemu
from tests.semihosting_program import (
    CLOSE,
    ERRNO,
    FLEN,
    GET_CMDLINE,
    HEAPINFO,
    ISTTY,
    READ,
    READC,
    REMOVE,
    RENAME,
    RESULTS_FILE,
    RW,
    SEEK,
    SYSTEM,
    TIME,
    TMPNAM,
    W_PLUS,
    WRITE,
    WRITE0,
    WRITEC,
    Program,
    R,
    W,
)

PATIENCE = 60
OURS = (sys.executable, "-m", "pyqemu")
QUIET = ("-nodefaults", "-display", "none", "-kernel", "program.elf")
ROOT = str(Path(pyqemu.__file__).parents[1])


@dataclass(frozen=True)
class Kind:
    """An instruction set, on a board where programs of it run."""

    name: str
    architecture: str
    board: tuple[str, ...]
    base: int

    @property
    def qemu(self) -> str:
        return f"qemu-system-{self.architecture}"

    def program(self) -> Program:
        return Program(self.name, self.base)


KINDS = [
    Kind("arm", "arm", ("-M", "versatilepb"), 0x1_0000),
    Kind("thumb", "arm", ("-M", "virt", "-cpu", "cortex-a15"), 0x4020_0000),
    Kind("aarch64", "aarch64", ("-M", "virt", "-cpu", "cortex-a57"), 0x4020_0000),
]
slow = pytest.mark.slow
of_all_kinds = pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=kind.name, marks=[slow] * (kind.name == "thumb")) for kind in KINDS]
)


@dataclass(frozen=True)
class Outcome:
    """What a run has left behind."""

    status: int
    output: bytes
    errors: bytes
    results: tuple[int, ...]
    files: dict[str, bytes]


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), ROOT]))
    return {**os.environ, "PYTHONPATH": path, "QEMU_AUDIO_DRV": "none"}


def run(kind: Kind, program: Program, directory: Path, *options: str, command: tuple[str, ...] = OURS,
        text: bytes = b"") -> Outcome:  # fmt: skip
    """Run a program to its end."""
    directory.mkdir()
    (directory / "program.elf").write_bytes(program.elf())
    done = subprocess.run(
        [*command, *kind.board, *QUIET, *(options or ("-semihosting",))], cwd=directory, env=environment(),
        input=text, capture_output=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    files = {path.name: path.read_bytes() for path in directory.iterdir() if path.suffix != ".elf"}
    table, word = files.pop(RESULTS_FILE, b""), program.set.word
    results = tuple(int.from_bytes(table[at : at + word], "little") for at in range(0, len(table), word))
    return Outcome(done.returncode, done.stdout, done.stderr, results, files)


def compare(kind: Kind, build: Callable[[Program], set[int]], directory: Path, *options: str,
            text: bytes = b"") -> None:  # fmt: skip
    """Run a program on both. What builds it returns the numbers of results that differ."""
    if shutil.which(kind.qemu) is None:
        pytest.skip(f"needs Debian's {kind.qemu}")
    program = kind.program()
    ignored = build(program)
    ours = run(kind, program, directory / "ours", *options, text=text)
    theirs = run(kind, program, directory / "theirs", *options, command=(kind.qemu,), text=text)

    def plain(outcome: Outcome) -> list[int]:
        return [-1 if number in ignored else result for number, result in enumerate(outcome.results)]

    assert len(ours.results) == program.calls_before_end
    assert plain(ours) == plain(theirs)
    assert (ours.status, ours.files, ours.output) == (theirs.status, theirs.files, theirs.output)
    assert ours.errors.splitlines() == [line for line in theirs.errors.splitlines() if not line.startswith(b"qemu")]


# --- the same as on QEMU ----------------------------------------------------------------------------------------------


def files(program: Program) -> set[int]:
    """Every call about files, some of them in vain."""
    buffer = program.room(64)
    handle = program.open("made", W_PLUS)
    handles = {handle.number}
    program.write(handle, b"some text of the guest\n")
    for call, *fields in ((FLEN,), (ISTTY,), (SEEK, 5), (READ, buffer, 9), (READ, buffer + 16, 48), (READ, buffer, 8),
                          (SEEK, 1000), (FLEN,), (CLOSE,), (CLOSE,)):  # fmt: skip
        program.ask(call, handle, *fields)
    program.call(ERRNO)
    for name, mode in (("made", RW), ("added", W_PLUS), ("made", R), ("empty", W)):
        handle = program.open(name, mode)
        handles.add(handle.number)
        program.ask(WRITE, handle, buffer, 25 if mode != R else 0)
        program.ask(FLEN, handle)
        program.ask(CLOSE, handle)
    for name, mode in (("absent", R), ("absent", RW), ("made", 12), (".", W), ("made/absent", W)):
        program.open(name, mode)
        program.call(ERRNO)
    made, moved = program.text("made"), program.text("moved")
    for call, fields in ((RENAME, [made, 4, moved, 5]), (RENAME, [made, 4, moved, 5]), (REMOVE, [made, 4]),
                         (REMOVE, [program.text("empty"), 5]), (FLEN, [77]), (ISTTY, [77]), (SEEK, [77, 0]),
                         (CLOSE, [77])):  # fmt: skip
        program.ask(call, *fields)
        program.call(ERRNO)
    program.end_with(37)
    return handles


@of_all_kinds
def test_files(kind: Kind, tmp_path: Path) -> None:
    compare(kind, files, tmp_path)


def console(program: Program) -> set[int]:
    """What is said, and what is typed."""
    buffer = program.room(64)
    output = program.open(":tt", W)
    program.write(output, b"standard output\n")
    program.ask(ISTTY, output)
    keyboard = program.open(":tt", R)
    program.ask(READ, keyboard, buffer, 5)
    program.ask(READ, keyboard, buffer + 5, 50)
    program.ask(READ, keyboard, buffer, 5)
    program.ask(WRITE, output, buffer, 11)
    texts = [program.call(WRITE0, program.text("\xff error\n".encode("latin-1")))]
    texts += [program.call(WRITEC, program.text(letter)) for letter in "c\n"]
    program.ask(SYSTEM, program.text("echo said by the host; exit 3"), 29)
    program.end_with(0, reason=0x20023)
    return {each.number for each in (output, keyboard, *texts)}


@of_all_kinds
def test_console(kind: Kind, tmp_path: Path) -> None:
    compare(kind, console, tmp_path, text=b"typed line\n")


def command_line(program: Program) -> set[int]:
    """What the program is told: where it fits."""
    buffer = program.room(80)
    blocks = [program.block(buffer, size) for size in (80, 3)]
    for block in blocks:
        program.call(GET_CMDLINE, block)
    handle = program.open("told", W)
    program.ask(WRITE, handle, buffer, 80)
    program.ask(WRITE, handle, blocks[0] + program.set.word, program.set.word)
    program.ask(TMPNAM, buffer, 1, 80)
    program.ask(TMPNAM, buffer, 1, 2)
    program.end_with(0)
    return {handle.number}


@pytest.mark.parametrize(
    "options",
    [
        ("-semihosting",),
        pytest.param(("-semihosting", "-append", "a  b   c"), marks=slow),
        ("-semihosting-config", "arg=x,arg=two words,arg=y,,z", "-append", "unheard"),
        pytest.param(("-semihosting-config", "enable=on,target=native,arg=x"), marks=slow),
    ],
    ids=" ".join,
)
def test_command_line(options: tuple[str, ...], tmp_path: Path) -> None:
    compare(KINDS[0], command_line, tmp_path, *options)


# --- ours -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[2]], ids=lambda kind: kind.name)
def test_heap_is_in_the_boards_memory(kind: Kind, tmp_path: Path) -> None:
    program = kind.program()
    room = program.room(32)
    program.ask(HEAPINFO, room)
    handle = program.open("heap", W)
    program.ask(WRITE, handle, room, 4 * program.set.word)
    program.end_with(0)
    data = run(kind, program, tmp_path / "run", "-semihosting", "-m", "64").files["heap"]
    base = 0 if kind.name == "arm" else 0x4000_0000
    words = [int.from_bytes(data[at : at + program.set.word], "little") for at in range(0, len(data), program.set.word)]
    assert words == [base + (32 << 20), base + (64 << 20), base + (64 << 20), base]


@pytest.mark.parametrize(
    "options", [("-semihosting-config", "enable=off,arg=x"), pytest.param(("-append", "x"), marks=slow)], ids=" ".join
)
def test_nobody_listens_who_was_not_told_to(options: tuple[str, ...], tmp_path: Path) -> None:
    """The program goes to the vector of SVC, where nothing is: so it is ended from outside."""
    program = KINDS[0].program()
    program.call(WRITE0, program.text("heard"))
    program.end_with(0)
    (tmp_path / "program.elf").write_bytes(program.elf())
    process = subprocess.Popen(
        [*OURS, *KINDS[0].board, *QUIET, *options, "-d", "int"], cwd=tmp_path, env=environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    assert b"supervisor call" in process.stderr.readline()
    process.kill()
    output, _ = process.communicate()
    assert (output, os.listdir(tmp_path)) == (b"", ["program.elf"])


def test_nothing_is_run_after_the_end(tmp_path: Path) -> None:
    kind = KINDS[0]
    program = kind.program()
    program.end_with(0)
    program.call(WRITE0, program.text("too late"))
    outcome = run(kind, program, tmp_path / "run", "-semihosting", "-no-shutdown")
    assert (outcome.status, outcome.errors) == (0, b"")


@pytest.mark.parametrize(
    "options",
    [(), pytest.param(("-icount", "shift=3"), marks=slow), pytest.param(("-smp", "2"), marks=slow)],
    ids=" ".join,
)
def test_machine_goes_on_while_a_key_is_waited_for(options: tuple[str, ...], tmp_path: Path) -> None:
    kind = KINDS[2]
    program = kind.program()
    program.call(WRITE0, program.text("waiting\n"))
    key = program.call(READC)
    program.call(TIME)
    program.end_with(5)
    (tmp_path / "program.elf").write_bytes(program.elf())
    monitor = ("-monitor", f"unix:{tmp_path}/monitor,server=on,wait=off")
    process = subprocess.Popen(
        [*OURS, *kind.board, *QUIET, "-semihosting", *monitor, *options], cwd=tmp_path, env=environment(),
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stderr is not None
    assert process.stderr.readline() == b"waiting\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "monitor"))
        client.settimeout(PATIENCE)
        client.sendall(b"stop\ninfo status\ncont\ninfo status\n")
        said = b""
        while said.count(b"VM status") < 2:
            said += client.recv(4096)
    assert b"paused" in said
    assert b"running" in said
    assert not select.select([process.stderr], [], [], 0)[0]
    process.stdin.write(b"k")
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 5
    results = (tmp_path / RESULTS_FILE).read_bytes()
    assert results[key.number * 8] == ord("k")
