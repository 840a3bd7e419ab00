"""The processor models as monitors show them: those of 64 bits, and those of 32 bits that are there as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.qom.types import TYPES, PropertyType
from pyqemu.targets.aarch64.models import FEATURES, MODELS, Model, cpu_model
from pyqemu.targets.arm import introspection as arm
from pyqemu.targets.arm.introspection import ArmModels, CpuNode, type_name

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

PARENT = "aarch64-cpu"
SWITCHES = {"aarch64": True, "pmu": True}  #: what QEMU's clients look for; here no model can be without them


def properties(model: Model) -> dict[str, bool]:
    """What a model has."""
    return SWITCHES | {feature: model.has(feature) for feature in FEATURES}


def register_types() -> None:
    """Let ``qom-list-types`` show the models."""
    arm.register_types()
    TYPES.add(PARENT, arm.PARENT, abstract=True)
    shown = [PropertyType("midr", "uint64"), *(PropertyType(name, "bool") for name in (*SWITCHES, *FEATURES))]
    for name in MODELS:
        TYPES.add(type_name(name), PARENT, lambda: shown)


class Aarch64CpuNode(CpuNode):
    """A processor in the tree of objects."""

    def __init__(self, cpu: Aarch64Cpu) -> None:
        super().__init__(cpu.model.name, properties(cpu.model), {"midr": cpu.model.midr})


class Aarch64Models(ArmModels):
    """The models of ``-cpu``."""

    switches = SWITCHES

    def names(self) -> list[str]:
        """Of all models, of either size."""
        return [*MODELS, *(name for name in super().names() if name not in MODELS)]

    def properties_of(self, text: str) -> dict[str, bool]:
        """What the model of a ``-cpu`` argument has."""
        if text.partition(",")[0] in MODELS:
            return properties(cpu_model(text))
        return super().properties_of(text)
