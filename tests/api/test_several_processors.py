"""Machines with several processors: each can be looked at, and hooks tell which one has called them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyqemu
from pyqemu.api.outcomes import Breakpoint, Shutdown
from tests.boards.virt_several import expected, firmware


def two(directory: Path, **options: object) -> pyqemu.Machine:
    rom = firmware(directory, cpus=2, rounds=50, laps=5)
    return pyqemu.Machine(
        machine="virt", architecture="aarch64", cpus=2, bios=rom, memory="64M", icount=True, **options
    )  # type: ignore[arg-type]


def test_hooks_tell_who_has_called_them(tmp_path: Path) -> None:
    with two(tmp_path) as machine:
        locks: Counter[int] = Counter()
        turned_on: list[int] = []
        machine.hooks.instruction("ldxr", lambda _: locks.update([machine.running.index]))
        machine.hooks.instruction("hvc", lambda _: turned_on.append(machine.running.index))
        assert isinstance(machine.run(60), Shutdown)
        assert machine.serial.output.decode().split() == expected(cpus=2, rounds=50, laps=5)
    assert set(locks) == {0, 1}
    assert turned_on[0] == 0
    assert 1 in turned_on, "it turns itself off"


def test_each_has_its_registers(tmp_path: Path) -> None:
    """The second one stops where it begins; the first one, which has turned it on, has gone on."""
    with two(tmp_path) as machine:
        first, second = machine.cpus
        assert machine.cpu is first
        assert (first.is_halted, second.is_halted) == (False, True)
        machine.hooks.instruction("hvc", lambda _: where.append(machine.running.registers["x2"]))
        where: list[int] = []
        while not where:
            machine.step(1)
        machine.breakpoint(where[0])
        assert isinstance(machine.run(60), Breakpoint)
        assert machine.running is second
        assert (second.pc, second.registers["x0"]) == (where[0], 1)
        assert first.pc != second.pc
        assert f"PC={second.pc:016x}" in second.text()


def test_history_is_each_ones_own(tmp_path: Path) -> None:
    with two(tmp_path, history=64) as machine:
        assert isinstance(machine.run(60), Shutdown)
        assert machine.cpus[1].last_instructions(1)[0][1].startswith("hvc")
