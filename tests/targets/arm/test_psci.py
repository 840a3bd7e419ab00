"""PSCI: what a kernel asks and what it is told."""

from __future__ import annotations

import pytest

from pyqemu.targets.arm import psci
from pyqemu.targets.arm.psci import Psci


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def interface(asked: list[str]) -> Psci:
    return Psci(lambda: asked.append("off"), lambda: asked.append("reset"), lambda: asked.append("suspend"))


@pytest.mark.parametrize(
    ("function", "arguments", "answer", "action"),
    [
        (psci.VERSION, (0, 0, 0), 2, []),
        (psci.SYSTEM_OFF, (0, 0, 0), 0, ["off"]),
        (psci.SYSTEM_RESET, (0, 0, 0), 0, ["reset"]),
        (psci.CPU_SUSPEND, (0, 0, 0), 0, ["suspend"]),
        (psci.CPU_SUSPEND | psci.SMC64, (0, 0, 0), 0, ["suspend"]),
        (psci.CPU_OFF, (0, 0, 0), psci.DENIED, []),
        (psci.CPU_ON, (0, 0, 0), psci.ALREADY_ON, []),
        (psci.CPU_ON | psci.SMC64, (1, 0, 0), psci.INVALID_PARAMETERS, []),
        (psci.AFFINITY_INFO, (0, 0, 0), 0, []),
        (psci.AFFINITY_INFO, (5, 0, 0), psci.INVALID_PARAMETERS, []),
        (psci.MIGRATE_INFO_TYPE, (0, 0, 0), 2, []),
        (psci.MIGRATE, (0, 0, 0), psci.NOT_SUPPORTED, []),
        (psci.VERSION | psci.SMC64, (0, 0, 0), None, []),  # has no such variant
        (0x8400FFFF, (0, 0, 0), None, []),
        (0, (0, 0, 0), None, []),
    ],
)
def test_answers(interface: Psci, asked: list[str], function: int, arguments: tuple[int, int, int], answer: int | None,
                 action: list[str]) -> None:  # fmt: skip
    assert interface.call(function, arguments) == answer
    assert asked == action
