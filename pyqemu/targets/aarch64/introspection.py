"""The processor models as monitors show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyqemu.qapi.errors import QapiError
from pyqemu.qom.tree import Node, Slot
from pyqemu.qom.types import TYPES, PropertyType
from pyqemu.system.machine import CpuModels
from pyqemu.targets.aarch64.models import FEATURES, MODELS, Model, cpu_model
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.qapi.generated.types import CpuDefinitionInfo, CpuModelExpansionType, CpuModelInfo
    from pyqemu.targets.aarch64.state import Aarch64Cpu

PARENT = "aarch64-cpu"
SWITCHES = {"aarch64": True, "pmu": True}  #: what QEMU's clients look for; here no model can be without them


def type_name(model: str) -> str:
    """The class of a model in the tree of objects."""
    return f"{model}-arm-cpu"


def properties(model: Model) -> dict[str, bool]:
    """What a model has."""
    return SWITCHES | {feature: model.has(feature) for feature in FEATURES}


def register_types() -> None:
    """Let ``qom-list-types`` show the models."""
    TYPES.add("arm-cpu", "cpu", abstract=True)
    TYPES.add(PARENT, "arm-cpu", abstract=True)
    shown = [PropertyType("midr", "uint64"), *(PropertyType(name, "bool") for name in (*SWITCHES, *FEATURES))]
    for name in MODELS:
        TYPES.add(type_name(name), PARENT, lambda: shown)


class Aarch64CpuNode(Node):
    """A processor in the tree of objects."""

    def __init__(self, cpu: Aarch64Cpu) -> None:
        super().__init__()
        self.cpu = cpu
        self.type_name = type_name(cpu.model.name)

    def qom_slots(self) -> Iterator[Slot]:
        """Its place, its identification, its features."""
        yield from super().qom_slots()
        model = self.cpu.model
        for name, value in {"realized": True, "hotplugged": False, "hotpluggable": False, **properties(model)}.items():
            yield Slot(name, "bool", lambda value=value: value)  # type: ignore[misc]
        yield Slot("midr", "uint64", lambda: model.midr)


class Aarch64Models(CpuModels):
    """The models of ``-cpu``."""

    def definitions(self) -> list[CpuDefinitionInfo]:
        """All that there is to choose from."""
        from pyqemu.qapi.generated.types import CpuDefinitionInfo  # needs the whole schema: not for every start

        return [
            CpuDefinitionInfo(name=name, typename=type_name(name), static=False, deprecated=False) for name in MODELS
        ]

    def expand(self, kind: CpuModelExpansionType, model: CpuModelInfo) -> CpuModelInfo:
        """Only *full* makes sense: there is no model that the others are changes of."""
        from pyqemu.qapi.generated.types import CpuModelExpansionType, CpuModelInfo  # as in `definitions`

        if kind is not CpuModelExpansionType.FULL:
            raise QapiError("The requested expansion type is not supported")
        if model.name not in MODELS:
            raise QapiError(f"The CPU type '{model.name}' is not a recognized ARM CPU type")
        return CpuModelInfo(name=model.name, props={**properties(_changed(model.name, model.props))})


def _changed(name: str, props: object) -> Model:
    """The model with the properties that a client wants of it."""
    if props is None:
        return cpu_model(name)
    if not isinstance(props, dict):
        raise QapiError("Invalid parameter type for 'model.props', expected: object")
    items = [name]
    for key, value in props.items():
        if not isinstance(value, bool):
            raise QapiError(f"Invalid parameter type for 'model.props.{key}', expected: boolean")
        if key in SWITCHES:
            if not value:
                raise QapiError(f"CPU model {name} cannot be without '{key}'")
        else:
            items.append(f"{key}={('off', 'on')[value]}")
    try:
        return cpu_model(",".join(items))
    except UserError as error:
        raise QapiError(error.message, hint=error.hint) from None
