"""Dead code: pure ops whose result is a temporary that nobody reads."""

from __future__ import annotations

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import is_temporary
from pyqemu.tcg.ops import Op
from pyqemu.tcg.optimize.effects import reads, writes


def drop_dead(ops: list[Insn], table: dict[str, Op]) -> list[Insn]:
    """Drop ops until every temporary that is written is read by somebody."""
    while True:
        used: set[int] = set()  # numbers of 8-byte slots
        for insn in ops:
            if insn[0] not in ("call", "gosub"):
                for first, end in reads(insn, table):
                    used.add(first >> 3)
                    used.add(end - 1 >> 3)
        kept = [insn for insn in ops if not _is_dead(insn, table, used)]
        if len(kept) == len(ops):
            return ops
        ops = kept


def _is_dead(insn: Insn, table: dict[str, Op], used: set[int]) -> bool:
    op = table.get(insn[0])
    if op is None or op.kind != "pure" or not op.letters.startswith("d") or not is_temporary(insn[1]):
        return False
    return not any(first >> 3 in used or end - 1 >> 3 in used for first, end in writes(insn, table))
