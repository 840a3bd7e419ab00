"""Runs bare lists of ops, without blocks or a CPU: from the stencils, and from the Python column."""

from __future__ import annotations

import ctypes

from pyqemu.tcg.assembler import Assembler, fill_field
from pyqemu.tcg.builder import Insn
from pyqemu.tcg.codebuffer import CodeBuffer
from pyqemu.tcg.env import Env
from pyqemu.tcg.ops import Op
from pyqemu.tcg.python_engine import FunctionWriter, quotient, remainder
from pyqemu.tcg.stencils import load

Fields = tuple[int, int, int]


class Native:
    """Runs a few ops from the stencils."""

    def __init__(self, table: dict[str, Op]) -> None:
        pieces = load(table)
        self.assembler = Assembler(table, pieces)
        self.buffer = CodeBuffer(1 << 24)
        self.call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(self.buffer.append(pieces["run"][0]))
        self.first_free = self.buffer.used

    def run(self, ops: list[Insn], env: Env, fields: Fields = (0, 0, 0)) -> None:
        code = self.assembler.assemble([*ops, ("leave",)])
        hot, cold = bytearray(code.data), bytearray(code.cold)
        for is_cold, offset, hole, size in code.holes:
            fill_field(cold if is_cold else hot, offset, hole.value(*fields), size)
        if self.buffer.used + len(hot) + len(cold) > self.buffer.cold_start:
            self.buffer.used, self.buffer.cold_start = self.first_free, self.buffer.size
        address, cold_address = self.buffer.append(hot), self.buffer.append_cold(cold)
        code.connect(self.buffer.view, address - self.buffer.address, cold_address - self.buffer.address)
        self.call(env.address, address)


def run_python(table: dict[str, Op], ops: list[Insn], env: Env, fields: Fields = (0, 0, 0)) -> None:
    """Run *ops* from the Python column."""
    writer = FunctionWriter(table, ops)
    scope = {"from_bytes": int.from_bytes, "quotient": quotient, "remainder": remainder}
    for op in table.values():
        scope.update(op.scope)
    exec(compile(writer.source(), "<test>", "exec"), scope)
    scope["run"](env.b, env.w, env.l, env.q, None, None, [hole.value(*fields) for hole in writer.holes])
