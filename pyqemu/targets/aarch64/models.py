"""The 64-bit processors: what their identification registers say, and what follows from it.

Values are those of the Technical Reference Manuals (Cortex-A57 r1p0, DDI 0488, 4.3; Cortex-A53 r0p4, DDI 0500, 4.3).
Fields of exception levels that a machine does not have are cleared when the processor is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pyqemu.targets.arm.models import MODELS as MODELS_32
from pyqemu.targets.arm.models import number_property
from pyqemu.util.errors import UserError
from pyqemu.util.options import parse_bool

PFR0_EL2, PFR0_EL3, PFR0_GIC = 0xF00, 0xF000, 1 << 24
AES_PMULL, SHA1, SHA2, CRC32 = 0xF0, 0xF00, 0xF000, 0xF0000
FEATURES = {"aes": (AES_PMULL, 0x20), "sha1": (SHA1, 0x100), "sha2": (SHA2, 0x1000), "crc32": (CRC32, 0x10000)}
"""What can be switched on and off: the field of ID_AA64ISAR0_EL1, and its value when it is on."""


@dataclass(frozen=True, slots=True)
class Model:
    """A processor type.

    :ivar ccsidr: cache sizes: level 1 data, level 1 instruction, level 2 unified
    :ivar rvbar: where it begins after a reset
    """

    name: str
    midr: int
    ctr: int
    ccsidr: tuple[int, int, int]
    aa64pfr0: int = 0x2222
    aa64dfr0: int = 0x10305106
    aa64isar0: int = 0x11120
    aa64mmfr0: int = 0x1124
    clidr: int = 0x0A200023
    reset_sctlr: int = 0x00C50838
    dczid: int = 4
    pfr: tuple[int, int] = (0x131, 0x11011)
    dfr0: int = 0x03010066
    mmfr: tuple[int, int, int, int] = (0x10101105, 0x40000000, 0x01260000, 0x02102211)
    isar: tuple[int, int, int, int, int, int] = (0x02101110, 0x13112111, 0x21232042, 0x01112131, 0x00011142, 0x00011121)
    mvfr: tuple[int, int, int] = (0x10110222, 0x12111111, 0x43)
    dbgdidr: int = 0x3516D000
    rvbar: int = 0

    def has(self, feature: str) -> bool:
        """Whether instructions of that group exist."""
        return bool(self.aa64isar0 & FEATURES[feature][0])

    @property
    def pa_bits(self) -> int:
        """Bits of a physical address."""
        return (32, 36, 40, 42, 44, 48)[self.aa64mmfr0 & 7]

    def without(self, *, el2: bool = False, el3: bool = False) -> Model:
        """The same with fewer exception levels."""
        gone = (PFR0_EL2 if el2 else 0) | (PFR0_EL3 if el3 else 0)
        return replace(self, aa64pfr0=self.aa64pfr0 & ~gone)


MODELS = {
    model.name: model
    for model in (
        Model("cortex-a57", 0x411FD070, 0x8444C004, (0x701FE00A, 0x201FE012, 0x70FFE07A)),
        Model("cortex-a53", 0x410FD034, 0x84448004, (0x700FE01A, 0x201FE00A, 0x707FE07A), aa64mmfr0=0x1122),
        Model("max", 0x411FD070, 0x8444C004, (0x701FE00A, 0x201FE012, 0x70FFE07A), aa64mmfr0=0x1125),
    )
}
ALIASES = {"any": "max"}
Change = Callable[[Model, str], Model]


def _always(name: str) -> Change:
    """A property that no model can be without."""

    def change(model: Model, text: str) -> Model:
        if not parse_bool(text, name):
            raise UserError(f"'{name}' feature cannot be disabled unless KVM is enabled", f"{name}=on")
        return model

    return change


def _el3(model: Model, text: str) -> Model:
    return model if parse_bool(text, "has_el3") else model.without(el3=True)


PROPERTIES: dict[str, Change] = {
    "aarch64": _always("aarch64"), "pmu": _always("pmu"), "has_el3": _el3, "midr": number_property("midr", 32),
    "rvbar": number_property("rvbar", 64),
}  # fmt: skip
"""What else ``-cpu`` can change (QEMU 2.6, and PMU of later versions)."""


def cpu_model(text: str) -> Model:
    """The model of a ``-cpu`` argument: a name, features with ``+`` and ``-`` or ``=on`` and ``=off``, properties.

    :raise UserError: there is no such processor or feature.
    """
    name, *changes = text.split(",")
    model = MODELS.get(ALIASES.get(name, name))
    if model is None:
        raise UserError(f"unable to find CPU model '{name}'", f"one of {', '.join(sorted(MODELS))}")
    for change in changes:
        key, _, value = change.partition("=")
        if key in PROPERTIES:
            model = PROPERTIES[key](model, value)
            continue
        feature, on = _change(change)
        if feature not in FEATURES:
            known = ", ".join(sorted({*FEATURES, *PROPERTIES}))
            raise UserError(f"CPU model {name} has no feature '{feature}'", f"one of {known}")
        mask, present = FEATURES[feature]
        model = replace(model, aa64isar0=model.aa64isar0 & ~mask | (present if on else 0))
    return model


def list_models() -> str:
    """Return the answer to ``-cpu help``."""
    lines = ["Available CPUs:", *(f"  {name}" for name in sorted({*MODELS, *ALIASES, *MODELS_32}))]
    return "\n".join([*lines, "", "Recognized features:", f"  {' '.join(sorted(FEATURES))}"])


def _change(text: str) -> tuple[str, bool]:
    if text[:1] in ("+", "-"):
        return text[1:], text[0] == "+"
    feature, _, value = text.partition("=")
    if value not in ("on", "off"):
        raise UserError(f"CPU feature '{text}' makes no sense", "+FEATURE, -FEATURE, FEATURE=on or FEATURE=off")
    return feature, value == "on"
