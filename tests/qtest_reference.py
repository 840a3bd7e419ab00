"""Debian's QEMU as an oracle for devices: its registers are read and written from outside, with no processor running.

Guest time stands still in it, so that timers never run out; what follows from time is tested against data sheets alone.
"""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pytest

QEMU_ARM = "qemu-system-aarch64"
PATIENCE = 60.0  # seconds
BATCH = 500
"""Commands on the way at once: more could fill the connection in both directions, and then nobody reads."""
LETTERS = {1: "b", 2: "w", 4: "l", 8: "q"}

needs_qemu_arm = pytest.mark.skipif(shutil.which(QEMU_ARM) is None, reason="needs Debian's qemu-system-arm")


class QtestReference:
    """One stopped QEMU.

    :param arguments: its machine and the rest of its command line
    """

    def __init__(self, *arguments: str, binary: str = QEMU_ARM) -> None:
        ours, theirs = socket.socketpair()
        number = theirs.fileno()
        command = [binary, "-S", "-accel", "tcg", "-display", "none", "-nodefaults", *arguments]
        command += ["-chardev", f"socket,id=qtest,fd={number}", "-qtest", "chardev:qtest", "-qtest-log", "/dev/null"]
        self.process = subprocess.Popen(
            command, pass_fds=(number,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        theirs.close()
        ours.settimeout(PATIENCE)
        self.socket = ours
        self.lines = ours.makefile("r")
        self.levels: dict[int, bool] = {}
        """Of the lines that are intercepted, by number, as far as they have changed."""

    def many(self, commands: Sequence[str]) -> list[str]:
        """What QEMU answers to each command."""
        answers = []
        for start in range(0, len(commands), BATCH):
            batch = commands[start : start + BATCH]
            self.socket.sendall("".join(f"{command}\n" for command in batch).encode())
            answers += [self._answer() for _ in batch]
        return answers

    def _answer(self) -> str:
        while True:
            line = self.lines.readline()
            if not line:
                raise EOFError("QEMU has ended")
            word, _, rest = line.strip().partition(" ")
            if word == "IRQ":
                direction, number = rest.split()
                self.levels[int(number)] = direction == "raise"
            else:
                assert word == "OK", line
                return rest

    def read(self, address: int, size: int = 4) -> int:
        """Read a register."""
        return int(self.many([f"read{LETTERS[size]} {address:#x}"])[0], 16)

    def write(self, address: int, value: int, size: int = 4) -> None:
        """Write a register."""
        self.many([f"write{LETTERS[size]} {address:#x} {value:#x}"])

    def intercept(self, path: str) -> None:
        """Learn of the inputs of a device in QEMU's tree."""
        self.many([f"irq_intercept_in {path}"])

    def set_input(self, path: str, number: int, level: bool) -> None:
        """Drive an input of a device."""
        self.many([f"set_irq_in {path} unnamed-gpio-in {number} {int(level)}"])

    def __enter__(self) -> QtestReference:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.lines.close()
        self.socket.close()


class Registers(Protocol):
    """What both sides have: a device's registers."""

    def read(self, offset: int, size: int) -> int:
        """Read one."""

    def write(self, offset: int, size: int, value: int) -> None:
        """Write one."""


@dataclass(frozen=True)
class Access:
    """One access to a register; a read if it has no value."""

    offset: int
    value: int | None = None
    size: int = 4


def random_accesses(
    rng: random.Random,
    count: int,
    readable: Sequence[int],
    writable: Sequence[int],
    values: Sequence[int] = (),
    only: Mapping[int, Sequence[int]] | None = None,
) -> list[Access]:
    """Accesses to the offsets given.

    :param values: values that are worth trying, besides small ones, single bits, and anything
    :param only: for some offsets, all values that may be written
    """
    accesses = []
    for _ in range(count):
        if rng.random() < 0.5:
            accesses.append(Access(rng.choice(readable)))
        else:
            offset = rng.choice(writable)
            anything = [*values, rng.getrandbits(32), 1 << rng.randrange(32), rng.getrandbits(4), 0, 0xFFFFFFFF]
            accesses.append(Access(offset, rng.choice((only or {}).get(offset, anything))))
    return accesses


def disagreement(
    device: Registers, reference: QtestReference, base: int, accesses: Iterable[Access]
) -> tuple[list[Access], int, int] | None:
    """The accesses up to the first one whose answer differs from QEMU's, with what we said and what it said."""
    done = list(accesses)
    commands = []
    for each in done:
        letter, address = LETTERS[each.size], base + each.offset
        commands.append(
            f"read{letter} {address:#x}" if each.value is None else f"write{letter} {address:#x} {each.value:#x}"
        )
    for number, (each, answer) in enumerate(zip(done, reference.many(commands), strict=True)):
        if each.value is not None:
            device.write(each.offset, each.size, each.value)
            continue
        ours, theirs = device.read(each.offset, each.size), int(answer, 16)
        if ours != theirs:
            return done[: number + 1], ours, theirs
    return None
