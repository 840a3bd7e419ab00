"""The console on a real (pseudo) terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.monitor.hmp.console import HISTORY_LINES, history_path, open_history

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("console_program.py")
PATIENCE = 60.0  # seconds; only a failure takes that long
CTRL_A, CTRL_C, CTRL_D, CTRL_L, CTRL_R, UP = "\x01", "\x03", "\x04", "\x0c", "\x12", "\x1b[A"


class Screen:
    """The program on a terminal; what it wrote comes without escape sequences."""

    def __init__(self, history: Path) -> None:
        self.master, slave = pty.openpty()
        self.resize(24, 80)
        environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(history)], stdin=slave, stdout=slave, stderr=slave, env=environment,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)
        self.raw, self.answered = b"", 0

    @property
    def seen(self) -> str:
        """What has come since the last typing."""
        return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>])", "", self.raw.decode(errors="replace"))

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        self.raw, self.answered = b"", 0
        os.write(self.master, text.encode())

    def wait(self, pattern: str) -> str:
        """Read until *pattern* has come since the last typing."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen):
            assert time.monotonic() < end, f"no {pattern!r} in {self.seen!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    data = os.read(self.master, 65536)
                except OSError:
                    data = b""
                assert data, f"ended before {pattern!r}: {self.seen!r}"
                self.raw += data
                while self.answered < self.raw.count(b"\x1b[6n"):  # where is the cursor?
                    os.write(self.master, b"\x1b[1;1R")
                    self.answered += 1
        return self.seen

    def do(self, line: str, pattern: str) -> None:
        self.type(f"{line}\r")
        self.wait(pattern)
        self.wait(r"\(qemu\)(?![\s\S]*\(qemu\) " + re.escape(line) + ")")

    def quit(self) -> None:
        self.type("quit\r")
        self.wait("terminal restored")
        assert self.process.wait(PATIENCE) == 0

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history"


@pytest.fixture
def screen(history: Path) -> Iterator[Screen]:
    screen = Screen(history)
    screen.wait(r"\(qemu\)")
    yield screen
    screen.close()


def test_commands_and_the_end(screen: Screen) -> None:
    assert "QEMU 2.6.50 monitor - type 'help'" in screen.seen
    screen.do("print 6*7", "0x2a")
    screen.do("foo", "unknown command: 'foo'")
    screen.quit()


def test_completion(screen: Screen) -> None:
    screen.type("info kv\t")
    screen.wait("info kvm")
    screen.type("\r")
    screen.wait("kvm support: not compiled")
    screen.type(f"{CTRL_C}system_\t")
    screen.wait("system_powerdown")
    assert "press the power button" in screen.wait("system_reset")  # the menu tells what they do
    screen.type(CTRL_C)


def test_help_while_typing(screen: Screen) -> None:
    screen.type(f"sendkey {CTRL_L}")
    screen.wait(re.escape("sendkey keys [hold_ms] -- press keys together"))


def test_ctrl_c_clears_the_line_and_nothing_else(screen: Screen) -> None:
    screen.type(f"quit{CTRL_C}")
    screen.wait(r"\(qemu\)")
    screen.type(CTRL_C)
    screen.wait(r"\(qemu\)")
    screen.do("print 1", "0x1")
    assert screen.process.poll() is None


def test_ctrl_c_interrupts_what_waits(screen: Screen) -> None:
    screen.type("wait\r")
    screen.wait("waiting")
    screen.type(CTRL_C)
    screen.wait(r"interrupted[\s\S]*\(qemu\)")
    screen.do("print 2", "0x2")


def test_ctrl_d_is_no_end(screen: Screen) -> None:
    screen.type(CTRL_D + CTRL_D)
    screen.type(f"xprint 3{CTRL_A}{CTRL_D}\r")
    screen.wait("0x3")
    screen.quit()


def test_history_within_and_between_runs(screen: Screen, history: Path) -> None:
    screen.do("print 40+1", "0x29")
    screen.do("print 40+2", "0x2a")
    screen.type(f"{UP}{UP}\r")
    screen.wait("0x29")
    screen.do("info history", r"2: 'print 40\+1'")
    screen.quit()
    second = Screen(history)
    try:
        second.wait(r"\(qemu\)")
        second.type(f"{CTRL_R}40+2")
        second.wait(r"40\+2")
        second.type("\r")
        second.type("\r")
        second.wait("0x2a")
        second.quit()
    finally:
        second.close()


def test_logs_do_not_garble_the_line(screen: Screen) -> None:
    screen.type("say hello\r")
    screen.type("print 5")
    screen.wait(r"log: hello[\s\S]*print 5")
    screen.type("\r")
    screen.wait("0x5")


def test_resizing(screen: Screen) -> None:
    screen.do("info size", "80x24")
    screen.type("print 7")
    screen.resize(30, 100)
    os.kill(screen.process.pid, signal.SIGWINCH)
    screen.wait("print 7")
    screen.type("\r")
    screen.wait("0x7")
    screen.do("info size", "100x30")


def test_terminal_that_hangs_up_does_not_spin(screen: Screen) -> None:
    """The console ends; here the program with it."""
    os.close(screen.master)
    try:
        screen.process.wait(PATIENCE)
    finally:
        screen.master = os.open(os.devnull, os.O_RDWR)


# --- the history file -------------------------------------------------------------------------------------------------


def test_history_file_is_private_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "history"
    history = open_history(path)
    for number in range(2 * HISTORY_LINES + 1):
        history.store_string(f"line {number}")
    assert path.stat().st_mode & 0o777 == 0o600
    lines = list(open_history(path).load_history_strings())
    assert len(lines) == HISTORY_LINES
    assert lines[0] == f"line {2 * HISTORY_LINES}"


def test_history_without_a_place_is_kept_for_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    history = open_history(tmp_path / "file" / "history")
    history.append_string("x")
    assert history.get_strings() == ["x"]


def test_history_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere/state")
    assert history_path() == Path("/somewhere/state/pyqemu/monitor-history")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/somebody")
    assert history_path() == Path("/somebody/.local/state/pyqemu/monitor-history")
