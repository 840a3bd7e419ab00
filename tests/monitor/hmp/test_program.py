"""The human monitor of the whole program: on terminals, telnet and sockets."""

from __future__ import annotations

import array
import os
import re
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.program import COMMAND, PATIENCE, AtTerminal, environment
from tests.ports import free_port

# mov dx, 604h; mov ax, 2000h: the ACPI way to turn the power off, once a key has been pressed
POWER_OFF = bytes.fromhex("31c0 cd16 ba0406 b80020 ef f4 ebfd")
CTRL_A, CTRL_C, CTRL_R, TAB, UP = b"\x01", b"\x03", b"\x12", b"\t", b"\x1b[A"
PROMPT, CONSOLE_PROMPT = b"(qemu) ", b"(qemu)"  # the console moves the cursor instead of writing a space
IAC, WILL, DO, BINARY, ECHO, SUPPRESS_GO_AHEAD = 255, 251, 253, 0, 1, 3


@pytest.fixture
def disk(tmp_path: Path) -> str:
    """A ``-drive`` argument; its guest turns the power off when a key is pressed."""
    path = tmp_path / "disk.img"
    path.write_bytes((POWER_OFF.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    return f"file={path},format=raw,id=disk0"


@pytest.fixture(autouse=True)
def own_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history of its own, and a terminal that is not asked where its cursor is."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PROMPT_TOOLKIT_NO_CPR", "1")


# --- terminals --------------------------------------------------------------------------------------------------------


def on_stdio(disk: str) -> AtTerminal:
    return AtTerminal("-display", "none", "-monitor", "stdio", "-drive", disk)


def test_stdio_completes_drives_and_gives_the_terminal_back_after_quit(disk: str) -> None:
    with on_stdio(disk) as program:
        program.wait_for(CONSOLE_PROMPT)
        program.type(b"info block dis" + TAB + b"\r")
        program.wait_for(b"Cache mode:       writeback")
        program.type(CTRL_C + CTRL_C)
        program.type(b"info stat" + TAB + b"\r")
        program.wait_for(b"VM status: running")
        program.type(b"quit\r")
        assert program.finish() == 0
        assert program.settings == program.before
        assert not program.output.rstrip().endswith(b"(qemu)")


def test_history_is_kept_for_the_next_run(disk: str) -> None:
    with on_stdio(disk) as program:
        program.wait_for(CONSOLE_PROMPT)
        program.type(b"print 0x1230+4\r")
        program.wait_for(b"\n0x1234")
        program.type(b"quit\r")
        program.finish()
    with on_stdio(disk) as program:
        program.wait_for(CONSOLE_PROMPT)
        program.type(CTRL_R + b"1230")
        program.wait_for(b"print 0x1230+4")
        program.type(b"\r")
        program.type(b"\r")
        program.wait_for(b"0x1234")
        program.type(b"quit\r")
        assert program.finish() == 0


def test_terminal_is_given_back_when_the_guest_turns_the_power_off(disk: str) -> None:
    with on_stdio(disk) as program:
        program.wait_for(CONSOLE_PROMPT)
        while program.process.poll() is None:  # the firmware may not listen to the keyboard yet
            program.type(b"sendkey a\r")
            time.sleep(0.3)
            program._more(0)
        assert program.finish() == 0
        assert program.settings == program.before


def test_nographic_has_the_monitor_behind_ctrl_a_c(disk: str) -> None:
    with AtTerminal("-nographic", "-drive", disk) as program:
        while program.settings == program.before:  # keys are the guest's once the terminal is raw
            time.sleep(0.01)
        program.type(CTRL_A + b"c")
        program.wait_for(PROMPT)
        program.type(b"info bl" + TAB + TAB)
        program.wait_for(b"block       block-jobs  blockstats")
        program.type(b" disk0\r")
        program.wait_for(b"Cache mode:       writeback")
        program.type(b"print 5" + CTRL_C)
        program.wait_for(b"print 5^C")
        program.type(UP + b"\r" + b"info kvm\r")
        program.wait_for(b"kvm support: not compiled")
        program.type(CTRL_A + b"c" + CTRL_A + b"c" + b"quit\r")
        assert program.finish() == 0
        assert program.settings == program.before


# --- connections ------------------------------------------------------------------------------------------------------


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*COMMAND, "-display", "none", *arguments], env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def dial(process: subprocess.Popen[bytes], kind: socket.AddressFamily, address: object) -> socket.socket:
    end = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, process.communicate()[1]
        peer = socket.socket(kind)
        try:
            peer.connect(address)
            return peer
        except OSError:
            peer.close()
            assert time.monotonic() < end
            time.sleep(0.1)


def read_until(peer: socket.socket, text: bytes, count: int = 1) -> bytes:
    """What comes until it ends with *text*, which has come *count* times by then."""
    seen, end = b"", time.monotonic() + PATIENCE
    while not seen.endswith(text) or seen.count(text) < count:
        assert time.monotonic() < end, f"{text!r} did not come; so far: {seen!r}"
        if select.select([peer], [], [], 0.2)[0]:
            data = peer.recv(65536)
            assert data, f"ended before {text!r} came: {seen!r}"
            seen += data
    return seen


def test_telnet(disk: str) -> None:
    """The client hears that we echo and that bytes have eight bits; what it says about that is no typing."""
    port = free_port()
    with running("-drive", disk, "-monitor", f"telnet:127.0.0.1:{port},server,nowait") as process:
        with dial(process, socket.AF_INET, ("127.0.0.1", port)) as peer:
            greeting = read_until(peer, PROMPT)
            for option in (ECHO, SUPPRESS_GO_AHEAD, BINARY):
                assert bytes((IAC, WILL, option)) in greeting
                peer.sendall(bytes((IAC, DO, option)))
            assert greeting.endswith(b"QEMU 2.6.50 monitor - type 'help' for more information\r\n" + PROMPT)
            peer.sendall(b"info st" + TAB)
            assert read_until(peer, b"atus ") == b"info status "
            peer.sendall(b"\r\0")  # the return key, as telnet has it
            assert read_until(peer, PROMPT) == b"\r\nVM status: running\r\n" + PROMPT
        with dial(process, socket.AF_INET, ("127.0.0.1", port)) as peer:  # the next client is greeted as well
            read_until(peer, PROMPT)
            peer.sendall(b"quit\r\n")
            assert process.wait(PATIENCE) == 0


def test_unix_socket_takes_lines_and_descriptors(disk: str, tmp_path: Path) -> None:
    path = tmp_path / "monitor"
    with (
        running("-drive", disk, "-monitor", f"unix:{path},server,nowait") as process,
        dial(process, socket.AF_UNIX, str(path)) as peer,
    ):
        read_until(peer, PROMPT)
        peer.sendall(b"getfd left\n")
        assert b"No file descriptor supplied via SCM_RIGHTS" in read_until(peer, PROMPT)
        with open(os.devnull) as file:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))
            peer.sendmsg([b"getfd right\n"], [rights])
            assert read_until(peer, PROMPT) == b"getfd right\r\n" + PROMPT
        peer.sendall(b"closefd right\nclosefd right\nstop\ninfo status\n")
        answers = read_until(peer, PROMPT, 4)
        assert answers.count(b"File descriptor named 'right' not found") == 1
        assert re.search(rb"VM status: paused\r\n", answers)
        peer.sendall(b"quit\n")
        assert process.wait(PATIENCE) == 0
