"""A paused pc, its commands and its events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyqemu.api import Machine, MachineConfig
from tests.monitor.commands.asker import Asker


@pytest.fixture(scope="module")
def asker() -> Iterator[Asker]:
    """Of a machine that is only looked at."""
    with paused_machine() as machine:
        yield Asker(machine)


@pytest.fixture
def fresh() -> Iterator[Asker]:
    """Of a machine that the test changes."""
    with paused_machine() as machine:
        yield Asker(machine)


def paused_machine() -> Machine:
    """A small pc with a name that has not begun to run."""
    machine = Machine(MachineConfig(memory=16 << 20, paused=True, serials=["null"], name="guest"))
    machine.start()
    return machine
