"""Who answers the programs of a board that ask the host, if the operator lets somebody do so (``-semihosting``)."""

from __future__ import annotations

from pyqemu.boards.config import MachineConfig
from pyqemu.system import System
from pyqemu.system.semihosting import Semihosting
from pyqemu.targets.arm.semihosting import ArmSemihosting


def command_line(config: MachineConfig) -> str:
    """What the guest's program is told: what the operator gave for it, else the kernel's name and ``-append``."""
    assert config.semihosting is not None
    if config.semihosting.arguments or not config.kernel:
        return " ".join(config.semihosting.arguments)
    return " ".join((config.kernel, *filter(None, config.append.split(" "))))


def arm_semihosting(config: MachineConfig, system: System, ram: range) -> ArmSemihosting | None:
    """For a board with Arm's processors, whose main memory is at those addresses."""
    if config.semihosting is None:
        return None
    return ArmSemihosting(Semihosting(system, command_line(config)), ram)
