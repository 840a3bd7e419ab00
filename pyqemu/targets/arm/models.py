"""The 32-bit processors: what their identification registers say, and which instructions they have.

Values are those of the Technical Reference Manuals (ARM926EJ-S DDI 0198, ARM1136 DDI 0211, ARM1176 DDI 0301, ARM11
MPCore DDI 0360, ARM1026EJ-S DDI 0244, Cortex-A8 DDI 0344, Cortex-A9 DDI 0388, Cortex-A7 DDI 0464, Cortex-A15 DDI 0438).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from pyqemu.util.errors import UserError
from pyqemu.util.options import parse_bool

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    M = TypeVar("M", bound=DataclassInstance)
else:
    M = TypeVar("M")

V5 = frozenset(("v4t", "v5", "v5e", "v5j", "vfp", "short_vectors"))
V6 = V5 | {"v6"}
V6K = V6 | {"v6k"}
V7 = V6K | {"v7", "thumb2", "vfp3", "d32", "neon", "vbar", "security"}
V7_VIRTUAL = V7 - {"short_vectors"} | {"arm_div", "thumb_div", "lpae", "generic_timer", "fp16", "vfp4", "v7mp"}
V8 = V7_VIRTUAL | {"v8"}


@dataclass(frozen=True, slots=True)
class Model:
    """A processor type.

    :ivar features: names that instructions ask for (``feature=``), and other abilities
    :ivar ccsidr: cache sizes: level 1 data, level 1 instruction, level 2 unified
    :ivar high_vectors: whether vectors are at 0xFFFF0000 after a reset (the input VINITHI)
    :ivar cbar: CBAR: where the private memory region of the processors is
    """

    name: str
    midr: int
    features: frozenset[str]
    ctr: int
    reset_sctlr: int
    fpsid: int = 0
    actlr: int = 0
    pfr: tuple[int, int] = (0, 0)
    dfr0: int = 0
    afr0: int = 0
    mmfr: tuple[int, int, int, int] = (0, 0, 0, 0)
    isar: tuple[int, ...] = (0, 0, 0, 0, 0)
    mvfr: tuple[int, int, int] = (0, 0, 0)
    dbgdidr: int = 0
    clidr: int = 0
    ccsidr: tuple[int, ...] = ()
    high_vectors: bool = False
    cbar: int = 0

    def has(self, feature: str) -> bool:
        """Whether it has a feature."""
        return feature in self.features


ARM11_ISAR = (0x00140011, 0x12002111, 0x11231111, 0x01102131, 0x00000141)
ARM11_MMFR = (0x01130003, 0x10030302, 0x01222110, 0)

MODELS = {
    model.name: model
    for model in (
        Model("arm926", 0x41069265, V5, 0x1DD20D2, 0x00090078, fpsid=0x41011090),
        Model("arm1026", 0x4106A262, V5 | {"ifar_1026"}, 0x1DD20D2, 0x00090078, fpsid=0x410110A0, actlr=1),
        Model("arm1136", 0x4117B363, V6K, 0x1DD20D2, 0x00050078, fpsid=0x410120B4, actlr=7, pfr=(0x111, 0x1),
              dfr0=2, afr0=3, mmfr=ARM11_MMFR, isar=ARM11_ISAR, mvfr=(0x11111111, 0, 0)),
        Model("arm1136-r2", 0x4107B362, V6, 0x1DD20D2, 0x00050078, fpsid=0x410120B4, actlr=7, pfr=(0x111, 0x1),
              dfr0=2, afr0=3, mmfr=ARM11_MMFR, isar=ARM11_ISAR, mvfr=(0x11111111, 0, 0)),
        Model("arm1176", 0x410FB767, V6K | {"vbar", "security"}, 0x1DD20D2, 0x00050078, fpsid=0x410120B5, actlr=7,
              pfr=(0x111, 0x11), dfr0=0x33, mmfr=(0x01130003, 0x10030302, 0x01222100, 0),
              isar=(0x0140011, 0x12002111, 0x11231121, 0x01102131, 0x01141), mvfr=(0x11111111, 0, 0)),
        Model("arm11mpcore", 0x410FB022, V6K | {"mpidr"}, 0x1D192992, 0x00050078, fpsid=0x410120B4, actlr=1,
              pfr=(0x111, 0x1), afr0=2, mmfr=(0x01100103, 0x10020302, 0x01222000, 0),
              isar=(0x00100011, 0x12002111, 0x11221011, 0x01102131, 0x141), mvfr=(0x11111111, 0, 0)),
        Model("cortex-a8", 0x410FC080, V7, 0x82048004, 0x00C50078, fpsid=0x410330C0, actlr=2, pfr=(0x1031, 0x11),
              dfr0=0x400, mmfr=(0x31100003, 0x20000000, 0x01202000, 0x11),
              isar=(0x00101111, 0x12112111, 0x21232031, 0x11112131, 0x00111142), mvfr=(0x11110222, 0x00011111, 0),
              dbgdidr=0x15141000, clidr=0x0A000003, ccsidr=(0xE007E01A, 0x2007E01A, 0xF0000000)),
        Model("cortex-a9", 0x410FC090, V7 | {"v7mp", "fp16"}, 0x80038003, 0x00C50078, fpsid=0x41033090,
              pfr=(0x1031, 0x11), mmfr=(0x00100103, 0x20000000, 0x01230000, 0x00002111),
              isar=(0x00101111, 0x13112111, 0x21232041, 0x11112131, 0x00111142), mvfr=(0x11110222, 0x01111111, 0),
              dbgdidr=0x35141000, clidr=0x09000003, ccsidr=(0xE00FE019, 0x200FE019)),
        Model("cortex-a7", 0x410FC075, V7_VIRTUAL, 0x84448003, 0x00C50078, fpsid=0x41023075, pfr=(0x1131, 0x11011),
              dfr0=0x02010555, mmfr=(0x10101105, 0x40000000, 0x01240000, 0x02102211),
              isar=(0x02101110, 0x13112111, 0x21232041, 0x11112131, 0x10011142), mvfr=(0x10110222, 0x11111111, 0),
              dbgdidr=0x3515F005, clidr=0x0A200023, ccsidr=(0x701FE00A, 0x201FE00A, 0x711FE07A)),
        Model("cortex-a15", 0x412FC0F1, V7_VIRTUAL, 0x8444C004, 0x00C50078, fpsid=0x410430F0, pfr=(0x1131, 0x11011),
              dfr0=0x02010555, mmfr=(0x10201105, 0x20000000, 0x01240000, 0x02102211),
              isar=(0x02101110, 0x13112111, 0x21232041, 0x11112131, 0x10011142), mvfr=(0x10110222, 0x11111111, 0),
              dbgdidr=0x3515F021, clidr=0x0A200023, ccsidr=(0x701FE00A, 0x201FE00A, 0x711FE07A)),
        Model("max", 0x412FC0F1, V8 | {"crc32", "aes", "sha2"}, 0x8444C004, 0x00C50078, fpsid=0x410430F0,
              pfr=(0x1131, 0x11011), dfr0=0x02010555, mmfr=(0x10201105, 0x20000000, 0x01240000, 0x02102211),
              isar=(0x02101110, 0x13112111, 0x21232041, 0x11112131, 0x10011142, 0x00011121),
              mvfr=(0x10110222, 0x12111111, 0x43), dbgdidr=0x3515F021, clidr=0x0A200023,
              ccsidr=(0x701FE00A, 0x201FE00A, 0x711FE07A)),
    )
}  # fmt: skip
ALIASES = {"any": "max"}


def _el3(model: Model, text: str) -> Model:
    return model if parse_bool(text, "has_el3") else replace(model, features=model.features - {"security"})


def number_property(name: str, bits: int) -> Callable[[M, str], M]:
    """A change that sets a field of a model to a number that fits into so many bits."""

    def change(model: M, text: str) -> M:
        try:
            value = int(text, 0)
        except ValueError:
            value = -1
        if not 0 <= value < 1 << bits:
            raise UserError(f"CPU property '{text}' is no number of {bits} bits", "such as 0x1000")
        return replace(model, **{name: value})

    return change


PROPERTIES: dict[str, tuple[str | None, Callable[[Model, str], Model]]] = {
    "reset-hivecs": (None, lambda model, text: replace(model, high_vectors=parse_bool(text, "reset-hivecs"))),
    "midr": (None, number_property("midr", 32)),
    "reset-cbar": ("v7mp", number_property("cbar", 32)),
    "has_el3": ("security", _el3),
}
"""What ``-cpu`` can change: the feature that a model needs to have the property, and the change (QEMU 2.6)."""


def properties(model: Model) -> list[str]:
    """The names of what can be changed of a model."""
    return [name for name, (feature, _) in PROPERTIES.items() if feature is None or model.has(feature)]


def cpu_model(text: str) -> Model:
    """The model of a ``-cpu`` argument: a name, and ``PROPERTY=VALUE`` each with a comma before it.

    :raise UserError: there is no such processor or property.
    """
    name, *changes = text.split(",")
    model = MODELS.get(ALIASES.get(name, name))
    if model is None:
        names = sorted({*MODELS, *ALIASES})
        raise UserError(f"unable to find CPU model '{name}'", f"one of {', '.join(names)}")
    known = properties(model)
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise UserError(f"-cpu {name}: Expected key=value format, found {change}.", f"keys: {', '.join(known)}")
        if key not in known:
            raise UserError(f"-cpu {name}: Property '.{key}' not found", f"one of {', '.join(known)}")
        model = PROPERTIES[key][1](model, value)
    return model


def list_models() -> str:
    """Return the answer to ``-cpu help``."""
    return "\n".join(["Available CPUs:", *(f"  {name}" for name in sorted({*MODELS, *ALIASES}))])
