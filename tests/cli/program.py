"""Runs ``pyqemu`` as people do: as a process, at a terminal or without one."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

COMMAND = (sys.executable, "-m", "pyqemu")
ROOT = Path(__file__).parents[2]
_PARTS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b\(B|\x1b[=>78]|[\s\S]")
PATIENCE = 60.0  # seconds; the hosts that run tests have other things to do as well
LAST = b"\x1b_the end\x1b\\"  # an application's string, which terminals do not show


def environment() -> dict[str, str]:
    """The environment of the tests, with the package findable from any directory."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), str(ROOT)]))
    return {**os.environ, "PYTHONPATH": path, "TERM": "xterm", "LC_ALL": "C.UTF-8"}


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run to the end without a terminal."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


class Piped:
    """A running program whose serial port is on pipes."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        self.output = b""

    def __enter__(self) -> Piped:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def wait_for(self, text: bytes, count: int = 1) -> None:
        """Read until *text* was seen *count* times."""
        assert self.process.stdout is not None
        end = time.monotonic() + PATIENCE
        while self.output.count(text) < count:
            assert time.monotonic() < end, f"{text!r} did not come; so far: {self.output!r}"
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                chunk = os.read(self.process.stdout.fileno(), 65536)
                assert chunk, f"ended before {text!r} came: {self.output!r}"
                self.output += chunk

    def type(self, text: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)

    def finish(self) -> tuple[int, str]:
        """Wait for the end: exit status and standard error."""
        out, errors = self.process.communicate(timeout=PATIENCE)
        self.output += out
        return self.process.returncode, errors.decode()


class AtTerminal:
    """A running program in a pseudo terminal of its own."""

    def __init__(self, *arguments: str, command: Sequence[str] = COMMAND) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [*command, *arguments], env=environment(), stdin=self.slave, stdout=self.slave, stderr=self.slave,
            start_new_session=True, preexec_fn=self._control,
        )  # fmt: skip
        self.output = b""

    @staticmethod
    def _control() -> None:
        """Make the terminal the controlling one, so that its keys make signals."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def __enter__(self) -> AtTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    @property
    def settings(self) -> list[object]:
        """The terminal's modes now."""
        return termios.tcgetattr(self.slave)

    @property
    def text(self) -> bytes:
        """The output without escape sequences; each movement of the cursor but by one column begins a new line."""
        line: list[bytes] = []
        lines, column = [line], 0
        for part in _PARTS.findall(self.output):
            if part == b"\x08":
                column = max(0, column - 1)
            elif part == b"\x1b[C":
                column += 1
            elif part[:1] not in b"\x1b\r\n":
                line[column : column + 1] = [part]
                column += 1
            elif part[-1:] in b"HdGA\r\n":
                line, column = [], 0
                lines.append(line)
        return b"\n".join(map(b"".join, lines))

    def wait_for(self, text: bytes) -> None:
        """Read until *text* has come."""
        end = time.monotonic() + PATIENCE
        while text not in self.output and text not in self.text:
            assert time.monotonic() < end, f"{text!r} did not come; so far: {self.output!r}"
            if self.process.poll() is None:
                self._more(0.2)
            else:
                self.finish()
                assert text in self.output or text in self.text, f"ended before {text!r} came: {self.output!r}"

    def _more(self, seconds: float) -> bool:
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.output += os.read(self.master, 65536)
        return True

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def finish(self) -> int:
        """Wait for the end, reading on; the exit status.

        The kernel takes its time to bring what was written at one end of a terminal to the other: all has come when
        what was written last has.
        """
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end; so far: {self.output!r}"
            self._more(0.1)
        while self._more(0):  # or there might be no room for it
            pass
        os.write(self.slave, LAST)
        while not self.output.endswith(LAST):
            assert time.monotonic() < end, f"the terminal is stuck; so far: {self.output!r}"
            self._more(0.1)
        self.output = self.output.removesuffix(LAST)
        return self.process.returncode
