"""CPU models: what ``-cpu`` may name, and what CPUID answers (SDM vol. 2, CPUID; APM vol. 3, appendix E).

The models are those of QEMU 2.6 with the same family, model, stepping, levels and feature words; a bit that this
target does not implement is left out of them (`features.SUPPORTED`). Users may add and remove features:
``qemu64,+popcnt,-nx,sse3=off``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from textwrap import wrap
from typing import Any

from pyqemu.targets.x86.features import AMD_REPEATED, BITS, SUPPORTED, SUPPORTED_NAMES, WORDS, canonical, words_of
from pyqemu.util.errors import UserError

INTEL, AMD = "GenuineIntel", "AuthenticAMD"
LINEAR_BITS = 48

Leaf = tuple[int, int, int, int]


class CpuModelError(UserError):
    """What the user wrote after ``-cpu`` has no meaning; the message is one line for him."""


@dataclass(frozen=True)
class CpuModel:
    """A processor as CPUID shows it."""

    name: str
    description: str
    vendor: str
    family: int
    model: int
    stepping: int
    level: int
    xlevel: int
    words: dict[str, int] = field(default_factory=dict)
    model_id: str = ""
    cores: int = 1
    threads: int = 1
    warnings: list[str] = field(default_factory=list)  # features asked for that there are not, one line each
    filtered: dict[str, int] = field(default_factory=dict)  # words of the features that there are not

    @cached_property
    def signature(self) -> int:
        """Leaf 1 EAX, also what RESET leaves in EDX."""
        family = self.family if self.family <= 15 else 15 | self.family - 15 << 12
        return self.stepping | (self.model & 15) << 4 | self.model >> 4 << 16 | family << 8

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the features that are on, in canonical spelling."""
        return frozenset(name for name, (word, bit) in BITS.items() if self.words[word] & bit)

    def has(self, name: str) -> bool:
        """Return whether feature `name` is on; the name is in canonical spelling (``sse4_1``)."""
        return name in self.names

    @cached_property
    def physical_bits(self) -> int:
        """Width of physical addresses: 40 with long mode, 36 with PAE or PSE-36, else 32."""
        return 40 if self.has("lm") else 36 if self.has("pse36") or self.has("pae") else 32

    def cpuid(self, leaf: int, subleaf: int, apic_id: int = 0, osxsave: bool = False) -> Leaf:
        """Return EAX, EBX, ECX, EDX of a CPUID leaf. Leaves beyond the highest one answer like the highest basic
        one.
        """
        if leaf > (self.xlevel if leaf & 0x80000000 else self.level):
            leaf = self.level
        if leaf & 0x80000000:
            return self._extended_leaf(leaf)
        match leaf:
            case 0:
                return (self.level, *self._vendor_words())
            case 1:
                return self._version_leaf(apic_id, osxsave)
            case 2:
                return 1, 0, 0, 0x002C307D  # one descriptor byte each: L1 data, L1 code, L2
            case 4:
                return self._cache_leaf(subleaf)
            case 5:
                return 0, 0, 3, 0  # MONITOR: extensions enumerated, interrupts break MWAIT
            case 7 if subleaf == 0:
                return 0, self.words["7.ebx"], 0, 0
            case 0xB:
                return self._topology_leaf(subleaf, apic_id)
        return 0, 0, 0, 0

    def _vendor_words(self) -> tuple[int, int, int]:
        raw = self.vendor.encode("latin-1").ljust(12, b"\0")
        ebx, edx, ecx = (int.from_bytes(raw[n : n + 4], "little") for n in (0, 4, 8))
        return ebx, ecx, edx

    def _version_leaf(self, apic_id: int, osxsave: bool) -> Leaf:
        logical = self.cores * self.threads
        ebx, edx = apic_id << 24 | 8 << 8, self.words["1.edx"]  # CLFLUSH line: 8 quadwords
        if logical > 1:
            ebx |= logical << 16
            edx |= BITS["ht"][1]
        return self.signature, ebx, self.words["1.ecx"] | (BITS["osxsave"][1] if osxsave else 0), edx

    def _cache_leaf(self, subleaf: int) -> Leaf:
        # type, level; ways; sets (64-byte lines)
        caches = ((1, 1, 8, 64), (2, 1, 8, 64), (3, 2, 16, 4096))
        if subleaf >= len(caches):
            return 0, 0, 0, 0
        kind, level, ways, sets = caches[subleaf]
        sharing = (self.threads - 1) << 14 if level == 2 else 0
        return (kind | level << 5 | 1 << 8 | sharing | (self.cores - 1) << 26, ways - 1 << 22 | 63, sets - 1, 1)

    def _topology_leaf(self, subleaf: int, apic_id: int) -> Leaf:
        thread_bits = (self.threads - 1).bit_length()
        package_bits = thread_bits + (self.cores - 1).bit_length()
        match subleaf:
            case 0:
                return thread_bits, self.threads, 0x100, apic_id
            case 1:
                return package_bits, self.threads * self.cores, 0x201, apic_id
        return 0, 0, subleaf & 0xFF, apic_id

    def _extended_leaf(self, leaf: int) -> Leaf:
        match leaf - 0x80000000:
            case 0:
                return (self.xlevel, *self._vendor_words())
            case 1:
                legacy = BITS["cmp_legacy"][1] if self.cores * self.threads > 1 and self.vendor == AMD else 0
                edx = self.words["80000001.edx"]
                if self.vendor == AMD:
                    edx |= self.words["1.edx"] & AMD_REPEATED
                return self.signature, 0, self.words["80000001.ecx"] | legacy, edx
            case 2 | 3 | 4 as part:
                raw = self.model_id.encode("latin-1").ljust(48, b"\0")[16 * (part - 2) :]
                a, b, c, d = (int.from_bytes(raw[n : n + 4], "little") for n in (0, 4, 8, 12))
                return a, b, c, d
            case 5:
                return 0x01FF01FF, 0x01FF01FF, 0x40020140, 0x40020140
            case 6:
                return 0, 0x42004200, 0x02008140, 0
            case 8:
                linear = LINEAR_BITS << 8 if self.has("lm") else 0
                return self.physical_bits | linear, 0, self.cores * self.threads - 1, 0
        return 0, 0, 0, 0


_PPRO = "fpu de pse tsc msr mce cx8 pge cmov pat fxsr mmx sse sse2 pae sep apic "
_486 = "fpu vme pse "
_PENTIUM = _486 + "de tsc msr mce cx8 mmx apic "
_PENTIUM2 = _PENTIUM + "pae sep mtrr pge mca cmov pat pse36 fxsr "
_LONG = "lm syscall nx "
_VIRTUAL = "QEMU Virtual CPU version 2.5+"

# name, vendor, family, model, stepping, level, xlevel, features, model id
# fmt: off
_TABLE: tuple[tuple[str, str, int, int, int, int, int, str, str], ...] = (
    ("qemu64", AMD, 6, 6, 3, 0xD, 0x8000000A,
     _PPRO + _LONG + "mtrr clflush mca pse36 pni cx16 lahf_lm svm", _VIRTUAL),
    ("phenom", AMD, 16, 2, 3, 5, 0x8000001A,
     _PPRO + _LONG + "mtrr clflush mca pse36 vme ht pni monitor cx16 popcnt 3dnow 3dnowext mmxext fxsr_opt pdpe1gb "
     "rdtscp lahf_lm svm abm sse4a", "AMD Phenom(tm) 9550 Quad-Core Processor"),
    ("core2duo", INTEL, 6, 15, 11, 10, 0x80000008,
     _PPRO + _LONG + "mtrr clflush mca pse36 vme acpi ss pni ssse3 monitor cx16 lahf_lm",
     "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz"),
    ("kvm64", INTEL, 15, 6, 1, 0xD, 0x80000008,
     _PPRO + _LONG + "vme mtrr clflush mca pse36 pni cx16", "Common KVM processor"),
    ("qemu32", INTEL, 6, 6, 3, 4, 0x80000004, _PPRO + "pni", _VIRTUAL),
    ("kvm32", INTEL, 15, 6, 1, 5, 0x80000008,
     _PPRO + "vme mtrr clflush mca pse36 pni", "Common 32-bit KVM processor"),
    ("coreduo", INTEL, 6, 14, 8, 10, 0x80000008,
     _PPRO + "vme mtrr clflush mca acpi ss pni monitor nx", "Genuine Intel(R) CPU           T2600  @ 2.16GHz"),
    ("486", INTEL, 4, 8, 0, 1, 0, _486, ""),
    ("pentium", INTEL, 5, 4, 3, 1, 0, _PENTIUM, ""),
    ("pentium2", INTEL, 6, 5, 2, 2, 0, _PENTIUM2, ""),
    ("pentium3", INTEL, 6, 7, 3, 3, 0, _PENTIUM2 + "sse", ""),
    ("athlon", AMD, 6, 2, 3, 2, 0x80000008,
     _PPRO + "pse36 vme mtrr mca mmxext 3dnow 3dnowext", _VIRTUAL),
    ("n270", INTEL, 6, 28, 2, 10, 0x80000008,
     _PPRO + "vme mtrr clflush mca acpi ss pni monitor ssse3 movbe nx lahf_lm",
     "Intel(R) Atom(TM) CPU N270   @ 1.60GHz"),
    ("base", "", 0, 0, 0, 0, 0, "", ""),
    ("max", AMD, 6, 6, 3, 0xD, 0x8000000A, SUPPORTED_NAMES, "QEMU TCG CPU version 2.5+"),
)
# fmt: on


_SPECIAL = {"max": "Every feature that this emulator has", "base": "No feature at all: to be built upon"}


def _build(
    name: str,
    vendor: str,
    family: int,
    model: int,
    stepping: int,
    level: int,
    xlevel: int,
    features: str,
    model_id: str,
) -> CpuModel:
    asked = words_of(features + " hypervisor" if name != "base" else features)
    words = {word: bits & SUPPORTED[word] for word, bits in asked.items()}
    filtered = {word: bits & ~SUPPORTED[word] for word, bits in asked.items()}
    description = model_id or "Intel " + name
    if name in _SPECIAL:
        description = _SPECIAL[name]
    return CpuModel(
        name, description, vendor, family, model, stepping, level, xlevel, words, model_id, filtered=filtered
    )


MODELS: dict[str, CpuModel] = {row[0]: _build(*row) for row in _TABLE}

# Switches of QEMU that change nothing here: how to report missing features, and what only other accelerators have.
_IGNORED = {"check", "enforce", "kvm", "pmu", "migratable", "host_cache_info", "fill_mtrr_mask", "l3_cache"}
_NUMBERS = {"family": 0x10E, "model": 0xFF, "stepping": 0xF, "level": 0xFFFFFFFF, "xlevel": 0xFFFFFFFF}


def cpu_model(spec: str) -> CpuModel:
    """Return the model that ``-cpu`` `spec` describes: a name, then ``+feature``, ``-feature`` or ``key=value``, by
    commas.

    Later items win over earlier ones; removals by ``-`` win over everything, as in QEMU.

    :raise CpuModelError: unknown model, feature, property or value.
    """
    name, *items = spec.split(",")
    if name not in MODELS:
        raise CpuModelError(f"Unable to find CPU definition: {name}", "-cpu help lists the models")
    known = MODELS[name]
    model = replace(known, words=dict(known.words), warnings=[], filtered=dict(known.filtered))
    removed: list[str] = []
    for item in filter(None, items):
        if item[0] == "+":
            _switch(model, item[1:], True)
        elif item[0] == "-":
            removed.append(item[1:])
        elif item in ("check", "enforce"):
            pass
        elif "=" in item:
            model = _assign(model, *item.split("=", 1))
        else:
            raise CpuModelError(f"CPU property {item!r}: expected +feature, -feature or property=value")
    for feature in removed:
        _switch(model, feature, False)
    if "enforce" in spec.split(",") and model.warnings:
        raise CpuModelError(model.warnings[0])
    return model


def _switch(model: CpuModel, feature: str, on: bool) -> None:
    known = BITS.get(canonical(feature))
    if known is None:
        raise CpuModelError(f"CPU feature {feature} not found", "-cpu help lists the features")
    word, bit = known
    if on and not SUPPORTED[word] & bit:
        model.filtered[word] |= bit
        model.warnings.append(f"the emulator doesn't support requested feature: {feature} (CPUID {word.upper()})")
        return
    model.words[word] = model.words[word] | bit if on else model.words[word] & ~bit


def _assign(model: CpuModel, key: str, value: str) -> CpuModel:
    plain = canonical(key)
    if plain in _NUMBERS:
        try:
            number = int(value, 0)
        except ValueError:
            number = -1
        if not 0 <= number <= _NUMBERS[plain]:
            raise CpuModelError(f"CPU property {key}: {value!r} is not a number from 0 to {_NUMBERS[plain]:#x}")
        changes: dict[str, Any] = {plain: number}
        return replace(model, **changes)
    if plain == "vendor":
        if len(value.encode()) != 12:
            raise CpuModelError(f"CPU property vendor: {value!r} must have 12 characters, like {INTEL}")
        return replace(model, vendor=value)
    if plain == "model_id":
        return replace(model, model_id=value[:48])
    if plain not in BITS and plain not in _IGNORED and not plain.startswith("hv_"):
        raise CpuModelError(f"CPU property {key} not found", "-cpu help lists the features")
    if value not in ("on", "off"):
        raise CpuModelError(f"CPU property {key}: {value!r} is neither on nor off")
    if plain in BITS:
        _switch(model, key, value == "on")
    return model


def list_models() -> str:
    """Return the answer to ``-cpu help``."""
    lines = ["Available CPUs:"]
    lines += [f"x86 {model.name:>16}  {model.description}" for model in sorted(MODELS.values(), key=lambda m: m.name)]
    lines += ["", "Recognized CPUID flags:"]
    for names in WORDS.values():
        lines += wrap(" ".join(filter(None, names)), 90, initial_indent="  ", subsequent_indent="  ")
    return "\n".join(lines)
