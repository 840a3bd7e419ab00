"""What the benchmarks share: running an emulator and reading its serial port and its costs."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TICK = os.sysconf("SC_CLK_TCK")
QEMU = {"x86_64": "qemu-system-x86_64", "i386": "qemu-system-i386", "aarch64": "qemu-system-aarch64",
        "arm": "qemu-system-arm"}  # fmt: skip


def pyqemu(*options: str) -> list[str]:
    """The command line of this checkout."""
    return [sys.executable, "-m", "pyqemu", "-M", "pc", *options]


def qemu(*options: str, architecture: str = "x86_64") -> list[str]:
    """The command line of Debian's QEMU, with the options both understand."""
    return [QEMU[architecture], "-accel", "tcg", "-M", "pc", "-net", "none", *options]


def have_qemu(architecture: str = "x86_64") -> bool:
    """Whether there is something to compare with."""
    return shutil.which(QEMU[architecture]) is not None


@dataclass
class Cost:
    """What a process has used so far: seconds of wall time and of processor time, KiB of proportional set size."""

    wall: float
    cpu: float
    pss: int


class Emulator:
    """A running emulator with its first serial port on a pipe. Use it as a context manager."""

    def __init__(self, command: list[str]) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=environment)  # fmt: skip
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.output = b""

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def expect(self, text: bytes, seconds: float, *, start: int = 0) -> bool:
        """Read until *text* has come after position *start* of the output; False when time is over."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while self.output.find(text, start) < 0:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    return False
                data = self.process.stdout.read() or b""
                if not data and self.process.poll() is not None:
                    return False
                self.output += data
        return True

    def send(self, data: bytes) -> None:
        """Type on the serial port."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def cost(self) -> Cost:
        """What it has used until now."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        cpu = (int(fields[11]) + int(fields[12])) / TICK
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        pss = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        return Cost(time.monotonic() - self.started, cpu, pss)
