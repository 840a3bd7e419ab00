"""The processor and its models as QMP shows them: feature words, properties, definitions, expansions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pyqemu.qapi.errors import QapiError
from pyqemu.qom.tree import Node, Slot
from pyqemu.qom.types import TYPES, PropertyType
from pyqemu.system.machine import CpuModels
from pyqemu.targets.x86.features import ALIASES, BITS, WORDS, canonical
from pyqemu.targets.x86.models import MODELS, CpuModel, CpuModelError, cpu_model
from pyqemu.targets.x86.state import X86Cpu

if TYPE_CHECKING:
    from pyqemu.qapi.generated.types import CpuDefinitionInfo, CpuModelExpansionType, CpuModelInfo
    from pyqemu.qapi.visit import Json

_UNKNOWN = -1  # of numbers that a model does not have
_VERSION = ("family", "model", "stepping", "level", "xlevel")


def spelled(name: str) -> str:
    """A feature's name as clients of today know it."""
    return name.replace("_", "-")


FEATURES = tuple(spelled(name) for names in WORDS.values() for name in names if name)
"""All that have a name, each once."""


def type_name(model: str, target: str) -> str:
    """The type of the processors of a model."""
    return f"{model}-{target}-cpu"


def feature_names(words: Mapping[str, int]) -> list[str]:
    """The names of the bits that are set."""
    return [
        spelled(name)
        for word, names in WORDS.items()
        for bit, name in enumerate(names)
        if name and words.get(word, 0) >> bit & 1
    ]


def feature_words(words: Mapping[str, int]) -> list[dict[str, Json]]:
    """Words as ``X86CPUFeatureWordInfo``."""
    result: list[dict[str, Json]] = []
    for word in WORDS:
        leaf, register = word.split(".")
        entry: dict[str, Json] = {"cpuid-input-eax": int(leaf, 16), "cpuid-register": register.upper()}
        if leaf == "7":
            entry["cpuid-input-ecx"] = 0
        result.append({**entry, "features": words.get(word, 0)})
    return result


class X86CpuNode(Node):
    """A processor in the tree of objects."""

    def __init__(self, cpu: X86Cpu, target: str) -> None:
        super().__init__()
        self.cpu = cpu
        self.type_name = type_name(cpu.model.name, target)

    def qom_slots(self) -> Iterator[Slot]:
        """Its place, its version, its features."""
        yield from super().qom_slots()
        model = self.cpu.model
        for row in _properties():
            name = row.name
            yield Slot(name, row.type, lambda name=name: self._value(model, name))  # type: ignore[misc]
        yield Slot("feature-words", "X86CPUFeatureWordInfo", lambda: feature_words(model.words))
        yield Slot("filtered-features", "X86CPUFeatureWordInfo", lambda: feature_words(model.filtered))
        yield Slot("unavailable-features", "strList", lambda: feature_names(model.filtered))

    def _value(self, model: CpuModel, name: str) -> object:
        fixed: dict[str, object] = {
            "parent_bus": "", "realized": True, "hotplugged": False, "hotpluggable": False, "vendor": model.vendor,
            "model-id": model.model_id, "apic-id": self.cpu.apic_id, "tsc-frequency": 0,
            "socket-id": 0, "core-id": 0, "thread-id": 0,
        }  # fmt: skip
        if name in fixed:
            return fixed[name]
        return getattr(model, name) if name in _VERSION else model.has(canonical(name))


def _properties() -> list[PropertyType]:
    """What every x86 processor has, besides its words."""
    return [
        PropertyType("parent_bus", "link<bus>"),
        *(PropertyType(name, "bool") for name in ("realized", "hotplugged", "hotpluggable")),
        *_model_properties(),
    ]


def _model_properties() -> list[PropertyType]:
    numbers = [("apic-id", "uint32"), ("tsc-frequency", "int")]
    numbers += [(name, "int32") for name in ("socket-id", "core-id", "thread-id")]
    return [
        PropertyType("vendor", "string"),
        PropertyType("model-id", "string"),
        *(PropertyType(name, "uint32" if "level" in name else "int") for name in _VERSION),
        *(PropertyType(name, kind) for name, kind in numbers),
        *(PropertyType(name, "bool") for name in FEATURES),
    ]


def register_types(target: str) -> None:
    """Let ``qom-list-types`` show the models."""
    parent = f"{target}-cpu"
    TYPES.add(parent, "cpu", abstract=True)
    words = [PropertyType(name, "X86CPUFeatureWordInfo") for name in ("feature-words", "filtered-features")]
    shown = [*_model_properties(), *words, PropertyType("unavailable-features", "strList")]
    for name in MODELS:
        TYPES.add(type_name(name, target), parent, lambda: shown)


class X86Models(CpuModels):
    """The models of ``-cpu``, with the types of *target*."""

    def __init__(self, target: str) -> None:
        self.target = target

    def definitions(self) -> list[CpuDefinitionInfo]:
        """What this emulator lacks of a model is left out of it, and said here."""
        from pyqemu.qapi.generated.types import CpuDefinitionInfo  # needs the whole schema: not for every start

        return [
            CpuDefinitionInfo(
                name=name, typename=type_name(name, self.target), static=name == "base", deprecated=False,
                migration_safe=name != "max", unavailable_features=feature_names(model.filtered),
            )
            for name, model in MODELS.items()
        ]  # fmt: skip

    def expand(self, kind: CpuModelExpansionType, model: CpuModelInfo) -> CpuModelInfo:
        """*Static*: as changes of ``base``, which never changes itself. *Full*: with all properties that there are."""
        from pyqemu.qapi.generated.types import CpuModelExpansionType, CpuModelInfo  # as in `definitions`

        if model.name not in MODELS:
            raise QapiError(f"CPU model '{model.name}' not found")
        chosen = _changed(model.name, model.props)
        # A feature with two names is said once, and the name that QEMU prefers is in WORDS.
        props: dict[str, Json] = {name: chosen.has(canonical(name)) for name in FEATURES}
        props |= {"family": chosen.family, "model": chosen.model, "stepping": chosen.stepping}
        props |= {"vendor": chosen.vendor, "model-id": chosen.model_id, "level": chosen.level, "xlevel": chosen.xlevel}
        if kind is CpuModelExpansionType.STATIC:
            return CpuModelInfo(name="base", props=props)
        props |= {spelled(alias): chosen.has(canonical(name)) for alias, name in ALIASES.items()}
        props |= {"tsc-frequency": 0, "apic-id": 0}
        props |= dict.fromkeys(("socket-id", "core-id", "thread-id"), _UNKNOWN)
        return CpuModelInfo(name=model.name, props=props)


def _changed(name: str, props: object) -> CpuModel:
    """The model with the properties that a client wants of it."""
    if props is None:
        return cpu_model(name)
    if not isinstance(props, dict):
        raise QapiError("Invalid parameter type for 'model.props', expected: object")
    items = [name]
    for key, value in props.items():
        if "," in f"{key}{value}" or isinstance(value, dict | list) or value is None:
            raise QapiError(f"Invalid parameter type for 'model.props.{key}', expected: string")
        is_feature = canonical(key) in BITS
        if is_feature and not isinstance(value, bool):
            raise QapiError(f"Invalid parameter type for 'model.props.{key}', expected: boolean")
        items.append(f"{key}={('off', 'on')[value] if isinstance(value, bool) else value}")
    try:
        return cpu_model(",".join(items))
    except CpuModelError as error:
        raise QapiError(error.message, hint=error.hint) from None
