"""The whole table of operations: the base rows and the families that only some targets use."""

from __future__ import annotations

from functools import cache
from itertools import chain

from pyqemu.tcg.crypto_ops import crypto_table
from pyqemu.tcg.ieee_ops import ieee_table
from pyqemu.tcg.ops import Op, base_table
from pyqemu.tcg.sha_ops import sha_table
from pyqemu.tcg.silent_ops import silent_table
from pyqemu.tcg.simd_ops import simd_table
from pyqemu.tcg.vector_ops import vector_table


@cache
def full_table() -> dict[str, Op]:
    """All rows, by name."""
    table = base_table()
    for op in chain(vector_table(), simd_table(), ieee_table(), silent_table(), crypto_table(), sha_table()):
        if op.name in table:
            raise ValueError(f"the operation {op.name!r} has two rows")
        table[op.name] = op
    return table
