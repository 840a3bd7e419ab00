"""The terminal is given back as it was found, however the program ends."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import time

import pytest

PATIENCE = 60.0  # seconds; only a failure takes that long
PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it
from pyqemu.chardev.terminal import Terminal
terminal = Terminal(0)
terminal.enter()
print("raw", flush=True)
{ending}
"""


def run(ending: str) -> tuple[subprocess.Popen[bytes], int, list[object]]:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(ending=ending)], stdin=slave, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"raw\n"
    os.set_inheritable(master, False)
    return process, slave, before


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("terminal.leave()", 0),
        ("sys.exit(3)", 3),
        ("sys.stderr.close(); 1 / 0", 1),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(10)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGHUP); time.sleep(10)", -signal.SIGHUP),
    ],
)
def test_restored_at_every_end(ending: str, status: int) -> None:
    process, slave, before = run(ending)
    assert process.wait(PATIENCE) == status
    assert termios.tcgetattr(slave) == before


def test_suspend_restores_and_continue_makes_raw_again() -> None:
    process, slave, before = run("\nwhile True: time.sleep(0.01)")
    raw = termios.tcgetattr(slave)
    assert raw != before
    process.send_signal(signal.SIGTSTP)
    os.waitpid(process.pid, os.WUNTRACED)
    assert termios.tcgetattr(slave) == before
    process.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + PATIENCE
    while termios.tcgetattr(slave) != raw and time.monotonic() < deadline:
        os.sched_yield()
    assert termios.tcgetattr(slave) == raw
    process.terminate()
    process.wait(PATIENCE)
    assert termios.tcgetattr(slave) == before
