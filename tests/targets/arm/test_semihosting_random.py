"""Calls of semihosting at random: whatever a program asks, it gets an answer, and the host is unharmed."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu.targets.arm.semihosting import AskAgain
from pyqemu.tcg.env import EXIT_REQUEST
from tests.targets.arm.test_semihosting import BLOCK, BUFFER, NOWHERE, TEXT, Asking, asking, make

__all__ = ["asking"]


class Endless(Exception):
    """A program has made a loop of itself."""


@contextlib.contextmanager
def bounded(asking: Asking) -> Iterator[None]:
    """Let a program run for no more than some seconds.

    :raise Endless: it would have gone on.
    """
    engine, cpu = asking.guest.engine, asking.guest.cpu
    execute, is_over = engine.execute, threading.Event()

    def end() -> None:
        is_over.set()
        cpu.l[EXIT_REQUEST >> 2] = 1

    def checked() -> None:
        execute()
        if is_over.is_set():
            raise Endless

    timer = threading.Timer(5, end)
    timer.start()
    try:
        engine.execute = checked  # type: ignore[method-assign]
        yield
    finally:
        timer.cancel()
        del engine.execute  # type: ignore[method-assign]


def test_a_program_that_loops_is_ended() -> None:
    asking = make("arm")
    asking.instruction = "b #0x1000"
    with pytest.raises(Endless), bounded(asking):
        asking.run()
    asking.close()


def test_random_calls_do_no_harm(
    asking: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, seed: int
) -> None:
    """Whatever is asked, a program gets an answer, or an exception of its own after it has overwritten itself."""
    monkeypatch.chdir(tmp_path)
    chance = random.Random(seed)
    for dangerous in ("run", "remove", "rename"):
        monkeypatch.setattr(asking.host, dangerous, lambda *arguments: 0)
    end = len(asking.guest.ram)
    values = (*range(9), 11, 12, 255, 4095, TEXT, BUFFER, BLOCK, NOWHERE, end - 4, end, 100_000, 1 << 31, (1 << 63) - 1,
              1 << 63, -8, -1)  # fmt: skip
    for _ in range(4000 if request.config.getoption("--full") else 300):
        asking.text(chance.choice(("file", ":tt", "")))
        asking.put(BLOCK, *chance.choices(values, k=4))
        if chance.random() < 0.1:
            os.write(asking.keyboard, b"keys")
        parameter = BLOCK if chance.random() < 0.8 else chance.choice(values)
        registers = chance.randrange(0x20), parameter & (1 << 8 * asking.word) - 1
        name = "x" if asking.is_64bit else "r"
        with contextlib.suppress(AskAgain, Endless), bounded(asking):
            asking.run(**{f"{name}{number}": value for number, value in enumerate(registers)})
