"""What of Advanced SIMD is not compared, and what may differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.insns.neon_memory import TYPES

if TYPE_CHECKING:
    from tests.targets.arm.differential.compare import Difference

EXCHANGES = frozenset(("vtrn", "vuzp", "vzip", "vswp"))


def is_unpredictable(f: dict[str, int], name: str) -> bool:
    """Whether the manual calls a word UNPREDICTABLE, or what it leaves UNKNOWN."""
    if "Rn" in f:
        return f["Rn"] == 15 or f["Vd"] + _most_registers(f) > 32
    if name == "vtbl":
        return f["Vn"] + f["len"] > 31
    return name in EXCHANGES and f["Vd"] == f["Vm"]


def _most_registers(f: dict[str, int]) -> int:
    """How many registers a load or store may reach."""
    if "type" in f:
        kind = TYPES.get(f["type"])
        return kind.step * (kind.structure - 1) + kind.repeat if kind else 0
    return 2 * f["count"] + 1 + (not f["count"])


def excuse(case: Difference) -> str:
    """Return why a difference is one that may be; "" if it is not."""
    if case.ours.fault == "alignment" and case.theirs != case.ours:
        return "Unicorn does not check the alignment that loads and stores of structures promise (A3.2.1)"
    if case.ours.fault == "data" and _written(case):
        return "a load that faults on its second page may have written some of its registers (B1.9.8: UNKNOWN)"
    return ""


def _written(case: Difference) -> bool:
    """Whether only registers that the load at fault writes differ."""
    f = {name: field.read(case.word_at_fault) for name, field in case.at_fault.pattern.fields.items()}
    if case.at_fault.name != "vld1" or not f.get("L", 1):
        return False
    vectors = list(case.theirs.vectors)
    last = f["Vd"] + _most_registers(f)
    vectors[f["Vd"] : last] = case.ours.vectors[f["Vd"] : last]
    return case.ours == case.theirs._replace(vectors=tuple(vectors))
