"""Copy forwarding: who reads a temporary that is a copy reads the original."""

from __future__ import annotations

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import is_temporary
from pyqemu.tcg.ops import Op
from pyqemu.tcg.optimize.effects import Range, overlap, writes

_COPIES = {"mov8": 8, "mov16": 16, "mov32": 32, "mov64": 64, "mov128": 128}


def forward_copies(ops: list[Insn], table: dict[str, Op]) -> list[Insn]:
    """Replace reads of copied temporaries, while neither the copy nor the original has been written."""
    copies: dict[int, tuple[int, int]] = {}  # copy → original, width
    out = []
    for insn in ops:
        if insn[0] == "label":
            copies.clear()
        elif copies and insn[0] not in ("call", "gosub"):
            insn = _forwarded(insn, table, copies)
        out.append(insn)
        for written in writes(insn, table):
            _forget(copies, written)
        bits = _COPIES.get(insn[0])
        if bits is not None and is_temporary(insn[1]):
            original = (insn[2], insn[2] + bits // 8)
            if not any(overlap(original, written) for written in writes(insn, table)):
                copies[insn[1]] = (insn[2], bits)
    return out


def _forwarded(insn: Insn, table: dict[str, Op], copies: dict[int, tuple[int, int]]) -> Insn:
    changed = list(insn)
    for place, (letter, bits) in enumerate(table[insn[0]].operands, 1):
        if letter in "abce" and insn[place] in copies:
            original, width = copies[insn[place]]
            if bits <= width:
                changed[place] = original
    return tuple(changed)


def _forget(copies: dict[int, tuple[int, int]], written: Range) -> None:
    for copy, (original, bits) in list(copies.items()):
        if overlap((copy, copy + bits // 8), written) or overlap((original, original + bits // 8), written):
            del copies[copy]
