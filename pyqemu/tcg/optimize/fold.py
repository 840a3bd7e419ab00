"""Constant folding: a temporary that holds a known number becomes an immediate of the op that reads it."""

from __future__ import annotations

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import is_temporary
from pyqemu.tcg.hole import Hole
from pyqemu.tcg.ops import Op
from pyqemu.tcg.optimize.effects import Range, overlap, writes


def fold_constants(ops: list[Insn], table: dict[str, Op]) -> list[Insn]:
    """Replace the second operand by an immediate where its slot was just given one."""
    known: dict[int, tuple[int, int | Hole]] = {}  # offset → width, value
    out = []
    for insn in ops:
        if insn[0] == "label":
            known.clear()
        elif (immediate := _with_immediate(insn, table, known)) is not None:
            insn = immediate
        out.append(insn)
        for written in writes(insn, table):
            _forget(known, written)
        op = table.get(insn[0])
        if op is not None and op.name.startswith("movi") and is_temporary(insn[1]):
            known[insn[1]] = (dict(op.operands)["d"], insn[2])
    return out


def _forget(known: dict[int, tuple[int, int | Hole]], written: Range) -> None:
    for offset in [o for o, (bits, _) in known.items() if overlap((o, o + bits // 8), written)]:
        del known[offset]


def _with_immediate(insn: Insn, table: dict[str, Op], known: dict[int, tuple[int, int | Hole]]) -> Insn | None:
    """The op with its operand ``b`` as an immediate, where there is such a row and the number is known."""
    op = table.get(insn[0])
    twin = table.get(insn[0] + "i")
    if op is None or twin is None or "b" not in op.letters:
        return None
    place = op.letters.index("b") + 1
    bits = op.operands[place - 1][1]
    width, value = known.get(insn[place], (0, 0))
    if width < bits or twin.letters != op.letters.replace("b", "i"):
        return None
    value = value.masked(bits) if isinstance(value, Hole) else value & (1 << bits) - 1
    return (twin.name, *insn[1:place], value, *insn[place + 1 :])
