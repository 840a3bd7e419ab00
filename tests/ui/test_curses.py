"""The curses display in a terminal of its own."""

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

PATIENCE = 60.0  # seconds; only a failure takes that long
PROGRAM = """
import asyncio, threading
from pyqemu.system import FakeClock
from pyqemu.ui.curses import CursesDisplay
from pyqemu.ui.frame import Cursor, Frame
from pyqemu.ui.typist import Typist

clock = FakeClock()
typed = []
loop = asyncio.new_event_loop()

def render():
    clock.advance(1_000_000_000)
    rows = (b"Hello \\xc9", (" ".join(typed)).encode().ljust(7))
    return Frame("text", 56, 32, b"", rows, (b"\\x1e" * 7, b"\\x07" * len(rows[1])), Cursor(2, 1))

def put_key(key, down):
    if down:
        typed.append(key)

class Console:
    x, y = 0, 0
    screen = [b"second console"]
    def type_bytes(self, data):
        self.screen = [b"typed " + data]

display = CursesDisplay(loop, threading.RLock(), render, Typist(put_key, clock), consoles=[Console()],
                        on_quit=loop.stop)
display.start()
loop.run_forever()
display.stop()
print("bye", typed)
"""


class Screen:
    """A program in a pseudo terminal, and all that it wrote."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        self.output = b""

    def expect(self, pattern: str) -> None:
        end = time.monotonic() + PATIENCE
        while not re.search(pattern.encode(), self.output):
            assert time.monotonic() < end, self.output
            if select.select([self.master], [], [], 0.1)[0]:
                self.output += os.read(self.master, 65536)

    def type(self, keys: bytes) -> None:
        self.output = b""
        os.write(self.master, keys)


def test_shows_text_takes_keys_and_restores_the_terminal() -> None:
    screen = Screen()
    screen.expect("Hello ╔")
    screen.type(b"aB")
    screen.expect("a shift b")
    screen.type(b"\x1b[A\x1bOB\x1bOP\x03")
    screen.expect("up down f1 ctrl c")
    screen.type(b"\x1bx")
    screen.expect("alt x")
    screen.type(b"\x1b2")
    screen.expect("second console")
    screen.type(b"k")
    screen.expect("typed k")
    screen.type(b"\x1b1")
    screen.expect("Hello")
    screen.type(b"\x01h")
    screen.expect("x: exit")
    screen.type(b"\x01\x01")
    screen.expect("ctrl a")
    screen.type(b"\x01x")
    screen.expect(r"bye \['a', ")
    assert screen.process.wait(PATIENCE) == 0
    assert termios.tcgetattr(screen.slave) == screen.before


def test_sigterm_restores_the_terminal() -> None:
    screen = Screen()
    screen.expect("Hello")
    screen.process.terminate()
    assert screen.process.wait(PATIENCE) == -15
    assert termios.tcgetattr(screen.slave) == screen.before
