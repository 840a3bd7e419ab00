"""Sources and destination of different widths (ARM DDI 0487A.f, C4.4.6: three different, scalar three different)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm.simd import Form, Stage
from pyqemu.targets.arm.simd_different import (
    doubling,
    high_half,
    long_difference,
    long_product,
    long_sum,
    polynomial_long,
)
from pyqemu.targets.arm.simd_same import ADD, SMALL, SUB

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator


def _register(name: str, U: int, opcode: str, stage: Stage, widths: tuple[int, ...] = SMALL) -> None:
    def vector(t: A64Translator, Q: int, size: int, Rm: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in widths:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, bool(Q), Rd, Rn, Rm))

    def one(t: A64Translator, size: int, Rm: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in widths:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, False, Rd, Rn, Rm, scalar=True))

    A64.insn(f"0 Q:1 {U} 01110 size:2 1 Rm:5 {opcode} 00 Rn:5 Rd:5", name=name)(vector)
    if name.startswith("sqd"):
        A64.insn(f"01 {U} 11110 size:2 1 Rm:5 {opcode} 00 Rn:5 Rd:5", name=name)(one)


for _U, _sign in enumerate("su"):
    for _wide in (0, 1):
        _register(f"{_sign}add{'lw'[_wide]}", _U, f"000{_wide}", long_sum(ADD, _sign, wide=bool(_wide)))
        _register(f"{_sign}sub{'lw'[_wide]}", _U, f"001{_wide}", long_sum(SUB, _sign, wide=bool(_wide)))
    _register(f"{'r' * _U}addhn", _U, "0100", high_half(ADD, _U))
    _register(f"{'r' * _U}subhn", _U, "0110", high_half(SUB, _U))
    _register(f"{_sign}abal", _U, "0101", long_difference(_sign, accumulate=True))
    _register(f"{_sign}abdl", _U, "0111", long_difference(_sign, accumulate=False))
    _register(f"{_sign}mlal", _U, "1000", long_product(_sign, ADD))
    _register(f"{_sign}mlsl", _U, "1010", long_product(_sign, SUB))
    _register(f"{_sign}mull", _U, "1100", long_product(_sign))
_register("sqdmlal", 0, "1001", doubling(0), (16, 32))
_register("sqdmlsl", 0, "1011", doubling(1), (16, 32))
_register("sqdmull", 0, "1101", doubling(None), (16, 32))


@A64.insn("0 Q:1 0 01110 00 1 Rm:5 1110 00 Rn:5 Rd:5", name="pmull")
def pmull_bytes(t: A64Translator, Q: int, Rm: int, Rn: int, Rd: int) -> None:
    """PMULL of bytes (C6.3.196)."""
    if t.fp_enabled():
        polynomial_long(t, Form(8, bool(Q), Rd, Rn, Rm))


@A64.insn("0 Q:1 0 01110 11 1 Rm:5 1110 00 Rn:5 Rd:5", name="pmull", feature="aes")
def pmull_long(t: A64Translator, Q: int, Rm: int, Rn: int, Rd: int) -> None:
    """PMULL of 64 bits, which belongs to the cryptographic instructions (C6.3.196)."""
    if t.fp_enabled():
        polynomial_long(t, Form(64, bool(Q), Rd, Rn, Rm))
