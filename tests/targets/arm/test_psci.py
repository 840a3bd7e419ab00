"""PSCI: what a kernel asks and what it is told."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pyqemu.targets.arm import psci
from pyqemu.targets.arm.psci import Psci


@dataclass
class FakeCpu:
    """A processor that only remembers."""

    affinity: int
    powered_off: bool = False
    halted: bool = False
    started: tuple[int, int, int] | None = None

    def turn_on(self, entry: int, context: int, level: int) -> None:
        self.powered_off, self.started = False, (entry, context, level)

    def turn_off(self) -> None:
        self.powered_off = True


class Machine:
    """Two clusters: 0.0 asks, 0.1 and 1.0 are off."""

    def __init__(self) -> None:
        self.cpus = [FakeCpu(0), FakeCpu(1, powered_off=True), FakeCpu(0x100, powered_off=True)]
        self.asked: list[str] = []
        self.psci = Psci(lambda: self.asked.append("off"), lambda: self.asked.append("reset"), self.cpus)

    def call(self, function: int, *arguments: int, alignment: int = 4) -> int | None:
        first, second, third = (*arguments, 0, 0, 0)[:3]
        return self.psci.call(self.cpus[0], function, (first, second, third), alignment=alignment)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize(
    ("function", "arguments", "answer"),
    [
        (psci.VERSION, (), 2),
        (psci.CPU_ON, (0, 0x1000), psci.ALREADY_ON),
        (psci.CPU_ON | psci.SMC64, (2, 0x1000), psci.INVALID_PARAMETERS),
        (psci.CPU_ON | psci.SMC64, (1, 0x1002), psci.INVALID_PARAMETERS),  # nothing begins there
        (psci.AFFINITY_INFO, (0,), psci.ON),
        (psci.AFFINITY_INFO, (1,), psci.OFF),
        (psci.AFFINITY_INFO, (5,), psci.INVALID_PARAMETERS),
        (psci.AFFINITY_INFO, (0x100, 1), psci.ON),  # a cluster
        (psci.MIGRATE_INFO_TYPE, (), 2),
        (psci.MIGRATE, (0,), psci.NOT_SUPPORTED),
        (psci.CPU_SUSPEND, (0x0100_0000,), psci.INVALID_PARAMETERS),  # a power level
        (psci.VERSION | psci.SMC64, (), None),  # has no such variant
        (0x8400FFFF, (), None),
        (0, (), None),
    ],
)
def test_answers(machine: Machine, function: int, arguments: tuple[int, ...], answer: int | None) -> None:
    assert machine.call(function, *arguments) == answer
    assert not machine.asked
    assert [cpu.started for cpu in machine.cpus] == [None] * 3


@pytest.mark.parametrize(("function", "action"), [(psci.SYSTEM_OFF, "off"), (psci.SYSTEM_RESET, "reset")])
def test_the_machine_ends(machine: Machine, function: int, action: str) -> None:
    machine.call(function)
    assert machine.asked == [action]


@pytest.mark.parametrize("function", [psci.CPU_SUSPEND, psci.CPU_SUSPEND | psci.SMC64])
def test_the_caller_waits_for_an_interrupt(machine: Machine, function: int) -> None:
    assert machine.call(function) == psci.SUCCESS
    assert machine.cpus[0].halted


def test_a_processor_is_turned_on_and_off(machine: Machine) -> None:
    assert machine.call(psci.CPU_ON | psci.SMC64, 0x100, 0x4000_0000, 7) == psci.SUCCESS
    second = machine.cpus[2]
    assert second.started == (0x4000_0000, 7, 1)
    assert machine.call(psci.AFFINITY_INFO, 0x100) == psci.ON
    assert machine.call(psci.CPU_ON, 0x100, 0x4000_0000) == psci.ALREADY_ON
    machine.psci.call(second, psci.CPU_OFF, (0, 0, 0))
    assert machine.call(psci.AFFINITY_INFO, 0x100) == psci.OFF


def test_thumb_begins_at_odd_addresses(machine: Machine) -> None:
    assert machine.call(psci.CPU_ON, 1, 0x4000_0001, alignment=1) == psci.SUCCESS
