"""The optimizer: passes over the ops of one instruction, one pass a file.

Instructions are staged once for a shape, so a pass costs nothing in the long run; what it takes away is executed
millions of times less. Passes keep these rules: globals are written in order, nothing moves across an op that may leave
native code, and a hole is a constant whose number is not known.
"""

from __future__ import annotations

from pyqemu.tcg.builder import Insn
from pyqemu.tcg.env import is_temporary
from pyqemu.tcg.ops import Op
from pyqemu.tcg.optimize.copies import forward_copies
from pyqemu.tcg.optimize.dead import drop_dead
from pyqemu.tcg.optimize.fold import fold_constants


def optimize(ops: list[Insn], table: dict[str, Op]) -> list[Insn]:
    """All passes, in order; a pass that would find nothing to do is left out."""
    temporaries = {
        insn[0] for insn in ops if insn[0] != "label" and table[insn[0]].letters[:1] == "d" and is_temporary(insn[1])
    }
    if any(name.startswith("movi") for name in temporaries):
        ops = fold_constants(ops, table)
    if any(name.startswith("mov") for name in temporaries):
        ops = forward_copies(ops, table)
        return drop_dead(ops, table)
    return ops if not temporaries else drop_dead(ops, table)
