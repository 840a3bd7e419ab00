"""Vectors by one element: integers (ARM DDI 0487A.f, C4.4.6: vector x indexed element, scalar x indexed element)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm.simd import Form, Stage, splat
from pyqemu.targets.arm.simd_different import doubling, long_product
from pyqemu.targets.arm.simd_same import ADD, SUB, doubling_high, multiply, multiply_add, multiply_subtract
from pyqemu.targets.arm.simd_soft import SCRATCH

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator


def element(size: int, L: int, M: int, H: int, Rm: int) -> tuple[int, int]:
    """Register and index of an element of 16 or 32 bits."""
    if size == 1:
        return Rm, H << 2 | L << 1 | M
    return M << 4 | Rm, H << 1 | L


def _register(name: str, U: int, opcode: str, stage: Stage, *, scalar: bool = False) -> None:
    def vector(t: A64Translator, Q: int, size: int, L: int, M: int, Rm: int, H: int, Rn: int, Rd: int) -> None:
        if size not in (1, 2):
            t.undefined()
        elif t.fp_enabled():
            splat(t, *element(size, L, M, H, Rm), 8 << size)
            stage(t, Form(8 << size, bool(Q), Rd, Rn, SCRATCH))

    def one(t: A64Translator, size: int, L: int, M: int, Rm: int, H: int, Rn: int, Rd: int) -> None:
        if size not in (1, 2):
            t.undefined()
        elif t.fp_enabled():
            splat(t, *element(size, L, M, H, Rm), 8 << size)
            stage(t, Form(8 << size, False, Rd, Rn, SCRATCH, scalar=True))

    A64.insn(f"0 Q:1 {U} 01111 size:2 L:1 M:1 Rm:4 {opcode} H:1 0 Rn:5 Rd:5", name=name)(vector)
    if scalar:
        A64.insn(f"01 {U} 11111 size:2 L:1 M:1 Rm:4 {opcode} H:1 0 Rn:5 Rd:5", name=name)(one)


_register("mla", 1, "0000", multiply_add)
_register("mls", 1, "0100", multiply_subtract)
_register("mul", 0, "1000", multiply)
for _U, _sign in enumerate("su"):
    _register(f"{_sign}mlal", _U, "0010", long_product(_sign, ADD))
    _register(f"{_sign}mlsl", _U, "0110", long_product(_sign, SUB))
    _register(f"{_sign}mull", _U, "1010", long_product(_sign))
_register("sqdmlal", 0, "0011", doubling(0), scalar=True)
_register("sqdmlsl", 0, "0111", doubling(1), scalar=True)
_register("sqdmull", 0, "1011", doubling(None), scalar=True)
_register("sqdmulh", 0, "1100", doubling_high(0), scalar=True)
_register("sqrdmulh", 0, "1101", doubling_high(1), scalar=True)
