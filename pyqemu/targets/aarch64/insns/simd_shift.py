"""Shifts by an immediate (ARM DDI 0487A.f, C4.4.6: Advanced SIMD shift by immediate, scalar shift by immediate).

The highest bit of ``immh`` that is set tells the width of elements; the other bits and ``immb`` are the count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm.simd import Form
from pyqemu.targets.arm.simd_same import ALL, SMALL
from pyqemu.targets.arm.simd_shift import (
    ShiftStage,
    inserted,
    narrowed,
    narrowed_plainly,
    plain,
    saturated_left,
    shifted_right,
    widened,
)

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator

WIDTHS = {8: "0001 rest:3", 16: "001 rest:4", 32: "01 rest:5", 64: "1 rest:6"}
"""``immh`` and ``immb``, by the width of elements (of the narrower ones, if there are two)."""


def _register(name: str, U: int, opcode: str, stage: ShiftStage, *, to_left: bool, narrow: bool = False,
              scalar: tuple[int, ...] = ()) -> None:  # fmt: skip
    """Enter an instruction; *stage* gets the count of a shift to that direction."""
    for bits, field in WIDTHS.items():
        if bits < 64 or not narrow:
            _enter(name, f"{U} 01111 0 {field} {opcode} 1 Rn:5 Rd:5", bits, stage, to_left)
        if bits in scalar:
            _enter(name, f"01 {U} 11111 0 {field} {opcode} 1 Rn:5 Rd:5", bits, stage, to_left)


def _enter(name: str, pattern: str, bits: int, stage: ShiftStage, to_left: bool) -> None:
    def vector(t: A64Translator, Q: int, rest: int, Rn: int, Rd: int) -> None:
        if bits == 64 and not Q:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, bool(Q), Rd, Rn), rest if to_left else bits - rest)

    def one(t: A64Translator, rest: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            stage(t, Form(bits, False, Rd, Rn, scalar=True), rest if to_left else bits - rest)

    if pattern.startswith("01"):
        A64.insn(pattern, name=name)(one)
    else:
        A64.insn("0 Q:1 " + pattern, name=name)(vector)


for _U, _sign in enumerate("su"):
    _signed, _kind = not _U, "sra" if not _U else "srl"
    _register(f"{_sign}shr", _U, "00000", plain(_kind), to_left=False, scalar=(64,))
    _register(f"{_sign}sra", _U, "00010", shifted_right(_kind, 0, accumulate=True), to_left=False, scalar=(64,))
    _register(f"{_sign}rshr", _U, "00100", shifted_right(_kind, 1, accumulate=False), to_left=False, scalar=(64,))
    _register(f"{_sign}rsra", _U, "00110", shifted_right(_kind, 1, accumulate=True), to_left=False, scalar=(64,))
    _register(f"{_sign}qshl", _U, "01110", saturated_left(signed=_signed, sign=_sign), to_left=True, scalar=ALL)
    for _r in (0, 1):
        _register(f"{_sign}q{'r' * _r}shrn", _U, f"1001{_r}", narrowed(_r, signed=_signed, sign=_sign),
                  to_left=False, narrow=True, scalar=SMALL)  # fmt: skip
    _register(f"{_sign}shll", _U, "10100", widened(_sign), to_left=True, narrow=True)
_register("sri", 1, "01000", inserted(False), to_left=False, scalar=(64,))
_register("shl", 0, "01010", plain("sll"), to_left=True, scalar=(64,))
_register("sli", 1, "01010", inserted(True), to_left=True, scalar=(64,))
_register("sqshlu", 1, "01100", saturated_left(signed=True, sign="u"), to_left=True, scalar=ALL)
_register("shrn", 0, "10000", narrowed_plainly, to_left=False, narrow=True)
_register("rshrn", 0, "10001", narrowed(1, signed=False, sign=""), to_left=False, narrow=True)
for _r in (0, 1):
    _register(f"sq{'r' * _r}shrun", 1, f"1000{_r}", narrowed(_r, signed=True, sign="u"), to_left=False, narrow=True,
              scalar=SMALL)  # fmt: skip
