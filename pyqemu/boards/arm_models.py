"""The processor models of the architectures ``arm`` and ``aarch64``, for monitors."""

from __future__ import annotations

from pyqemu.system.machine import CpuModels
from pyqemu.targets.aarch64 import introspection as aarch64
from pyqemu.targets.arm import introspection as arm


def processor_models(target: str) -> CpuModels:
    """Those that there are under an architecture's name, which ``qom-list-types`` shows from now on."""
    if target == "arm":
        arm.register_types()
        return arm.ArmModels()
    aarch64.register_types()
    return aarch64.Aarch64Models()
