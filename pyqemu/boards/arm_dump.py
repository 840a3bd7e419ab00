"""Processors of Arm boards for dumps of the guest's memory."""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.system.dump.target import DumpTarget
from pyqemu.targets.aarch64.dump import Aarch64DumpTarget
from pyqemu.targets.aarch64.state import Aarch64Cpu
from pyqemu.targets.arm.dump import ArmDumpTarget
from pyqemu.targets.arm.state import ArmCpu


def dump_target(cpus: Sequence[ArmCpu | Aarch64Cpu]) -> DumpTarget:
    """What dumps tell of processors, which are of one model."""
    wide = [cpu for cpu in cpus if isinstance(cpu, Aarch64Cpu)]
    return Aarch64DumpTarget(wide) if wide else ArmDumpTarget([cpu for cpu in cpus if isinstance(cpu, ArmCpu)])
