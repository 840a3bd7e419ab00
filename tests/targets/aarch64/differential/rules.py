"""What may differ from Unicorn: what the architecture leaves open, and the reference's own departures from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.targets.aarch64.differential.compare import Difference

STXP = 0xC8200000  # of 64 bits
DC_ZVA = 0xD50B7420
STRUCTURE_MASK, STRUCTURE_LOAD = 0xBE400000, 0x0C400000  # LD1 to LD4
REACH = 64  # bytes that one program can write before a page that faults


def is_exclusive(word: int) -> bool:
    """Whether a word is an exclusive, acquire or release access (C4.3)."""
    return word >> 24 & 0x3F == 0b001000


def excuse(case: Difference) -> str:
    """Return why a difference is one that may be; "" if it is not."""
    word = _last(case)
    if case.ours.fault == "alignment" and is_exclusive(word):
        if word >> 23 & 1:
            return "Unicorn does not check the alignment of LDAR and STLR (B2.4: they fault like exclusives)"
        if not word >> 22 & 1:
            return "Unicorn checks a store-exclusive's alignment only where the monitor passes (J1.1)"
    if case.ours[:4] == case.theirs[:4] and case.ours.fault == "data" and case.memory and _at_page_end(case):
        return "a store that faults on its second page may have written to the first one (D1.13)"
    if case.ours.fault == "data" and word & STRUCTURE_MASK == STRUCTURE_LOAD and _same_but_vectors(case):
        return "a load of several elements that faults may have loaded some of them (D1.13.4: UNKNOWN)"
    if word & ~31 == DC_ZVA and case.ours._replace(pc=case.theirs.pc) == case.theirs and case.ours.fault == "data":
        return "Unicorn reports a fault of DC ZVA at the next instruction (D1.10.1: the preferred return address)"
    if word & 0xFFE00000 == STXP and case.ours.fault == "data" and not case.memory:
        return "Unicorn reports that STXP has stored to a page that cannot be written (J1.1)"
    return ""


def _last(case: Difference) -> int:
    """The instruction that faulted in ours."""
    index = (case.ours.pc - case.state.pc) // 4
    return case.words[index] if 0 <= index < len(case.words) else 0


def _same_but_vectors(case: Difference) -> bool:
    return case.ours._replace(vectors=()) == case.theirs._replace(vectors=()) and not case.memory


def _at_page_end(case: Difference) -> bool:
    return all(at & 0xFFF >= 4096 - REACH for at, _, _ in case.memory)
