"""The processor models as monitors show them, and what both states of a processor have in common there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pyqemu.qapi.errors import QapiError
from pyqemu.qom.tree import Node, Slot
from pyqemu.qom.types import TYPES, PropertyType
from pyqemu.system.machine import CpuModels
from pyqemu.targets.arm.models import MODELS, Model, cpu_model
from pyqemu.util.errors import UserError

if TYPE_CHECKING:
    from pyqemu.qapi.generated.types import CpuDefinitionInfo, CpuModelExpansionType, CpuModelInfo
    from pyqemu.targets.arm.state import ArmCpu

PARENT = "arm-cpu"


def type_name(model: str) -> str:
    """The class of a model in the tree of objects."""
    return f"{model}-arm-cpu"


def properties(model: Model) -> dict[str, bool]:
    """What a model has of what clients of QEMU look for."""
    return {"pmu": True} if model.has("v7") else {}


def register_types() -> None:
    """Let ``qom-list-types`` show the models."""
    TYPES.add(PARENT, "cpu", abstract=True)
    for name, model in MODELS.items():
        switches = {"reset-hivecs": False, "start-powered-off": False, **properties(model)}
        shown = [PropertyType("midr", "uint64"), *(PropertyType(switch, "bool") for switch in switches)]
        if TYPES.find(type_name(name)) is None:  # one of 64 bits may have the name
            TYPES.add(type_name(name), PARENT, lambda shown=shown: shown)  # type: ignore[misc]


class CpuNode(Node):
    """A processor of either state in the tree of objects.

    :param switches: its properties that are true or false
    :param numbers: its properties of 64 bits
    """

    def __init__(self, model: str, switches: Mapping[str, bool], numbers: Mapping[str, int]) -> None:
        super().__init__()
        self.type_name = type_name(model)
        self._switches, self._numbers = switches, numbers

    def qom_slots(self) -> Iterator[Slot]:
        """Its place, its identification, its features."""
        yield from super().qom_slots()
        for name, value in {"realized": True, "hotplugged": False, "hotpluggable": False, **self._switches}.items():
            yield Slot(name, "bool", lambda value=value: value)  # type: ignore[misc]
        for name, number in self._numbers.items():
            yield Slot(name, "uint64", lambda number=number: number)  # type: ignore[misc]


class ArmCpuNode(CpuNode):
    """A processor of 32 bits in the tree of objects."""

    def __init__(self, cpu: ArmCpu) -> None:
        model = cpu.model
        switches = {"start-powered-off": False, "reset-hivecs": cpu.high_vectors, **properties(model)}
        if model.has("security"):
            switches["has_el3"] = cpu.has_el3
        numbers = {"midr": model.midr, "mp-affinity": cpu.mpidr & 0xFFFFFF}
        if model.has("v7mp"):
            numbers["reset-cbar"] = cpu.cbar
        super().__init__(model.name, switches, numbers)


class ArmModels(CpuModels):
    """The models of ``-cpu``.

    :cvar switches: features that clients look for and no model can be without
    """

    switches: Mapping[str, bool] = {"pmu": True}

    def names(self) -> list[str]:
        """Of all models."""
        return list(MODELS)

    def properties_of(self, text: str) -> dict[str, bool]:
        """What the model of a ``-cpu`` argument has.

        :raise UserError: there is no such model or property.
        """
        return properties(cpu_model(text))

    def definitions(self) -> list[CpuDefinitionInfo]:
        """All that there is to choose from."""
        from pyqemu.qapi.generated.types import CpuDefinitionInfo  # needs the whole schema: not for every start

        return [
            CpuDefinitionInfo(name=name, typename=type_name(name), static=False, deprecated=False)
            for name in self.names()
        ]

    def expand(self, kind: CpuModelExpansionType, model: CpuModelInfo) -> CpuModelInfo:
        """Only *full* makes sense: there is no model that the others are changes of."""
        from pyqemu.qapi.generated.types import CpuModelExpansionType, CpuModelInfo  # as in `definitions`

        if kind is not CpuModelExpansionType.FULL:
            raise QapiError("The requested expansion type is not supported")
        if model.name not in self.names():
            raise QapiError(f"The CPU type '{model.name}' is not a recognized ARM CPU type")
        try:
            return CpuModelInfo(name=model.name, props={**self.properties_of(self._text(model.name, model.props))})
        except UserError as error:
            raise QapiError(error.message, hint=error.hint) from None

    def _text(self, name: str, props: object) -> str:
        """The argument of ``-cpu`` for a model with the properties that a client wants of it."""
        if props is None:
            return name
        if not isinstance(props, dict):
            raise QapiError("Invalid parameter type for 'model.props', expected: object")
        items = [name]
        for key, value in props.items():
            if not isinstance(value, bool):
                raise QapiError(f"Invalid parameter type for 'model.props.{key}', expected: boolean")
            if key in self.switches:
                if not value:
                    raise QapiError(f"CPU model {name} cannot be without '{key}'")
            else:
                items.append(f"{key}={('off', 'on')[value]}")
        return ",".join(items)
