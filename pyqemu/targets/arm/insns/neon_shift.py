"""Shifts by an immediate, and conversions of fixed-point numbers (ARM DDI 0406C.b, A7.4.4).

The highest bit that is set in L and imm6 tells the width of elements; the other bits are the count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.neon import data, registers, run_mixed
from pyqemu.targets.arm.simd import Form
from pyqemu.targets.arm.simd_convert import FixedStage, from_fixed, to_fixed
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
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.targets.arm.vectors import VectorTranslator

REST = "1 Vd[4:4] {imm6} Vd[3:0] {A} {L} {Q} Vm[4:4] 1 Vm[3:0]"
WIDTHS = {8: ("001 rest:3", 0), 16: ("01 rest:4", 0), 32: ("1 rest:5", 0), 64: ("rest:6", 1)}
"""``imm6`` and L, by the width of elements (of the narrower ones, if there are two)."""


def _register(name: str, U: int, A: str, stage: ShiftStage, *, to_left: bool = False) -> None:
    """Enter an instruction; *stage* gets the count of a shift to that direction."""
    for bits in ALL:
        imm6, L = WIDTHS[bits]

        def instruction(t: ArmTranslator, rest: int, Vd: int, Q: int, Vm: int, bits: int = bits) -> None:
            found = registers(t, Q, Vd, Vm)
            if found:
                stage(t, Form(bits, bool(Q), found[0], found[1]), rest if to_left else bits - rest)

        data(name, U, REST.format(imm6=imm6, A=A, L=L, Q="Q:1"), instruction)


def _register_mixed(name: str, U: int, A: str, Q: int, stage: ShiftStage, wide: str, *, to_left: bool = False) -> None:
    """Enter an instruction whose source or destination has elements twice as wide."""
    for bits in SMALL:
        imm6, L = WIDTHS[bits]

        def instruction(t: ArmTranslator, rest: int, Vd: int, Vm: int, bits: int = bits) -> None:
            def shifted(t: VectorTranslator, form: Form) -> None:
                stage(t, form, rest if to_left else bits - rest)

            run_mixed(t, shifted, bits, wide, Vd, Vm)

        data(name, U, REST.format(imm6=imm6, A=A, L=L, Q=Q), instruction)


def _fixed(op: int, U: int, stage: FixedStage) -> None:
    def instruction(t: ArmTranslator, rest: int, Vd: int, Q: int, Vm: int) -> None:
        found = registers(t, Q, Vd, Vm)
        if found:
            t.standard_fp = True
            stage(t, Form(32, bool(Q), found[0], found[1]), 32 - rest)

    data("vcvt", U, REST.format(imm6="1 rest:5", A=f"111{op}", L=0, Q="Q:1"), instruction)


for _U, _sign in enumerate("su"):
    _signed, _kind = not _U, "srl" if _U else "sra"
    _register("vshr", _U, "0000", plain(_kind))
    _register("vsra", _U, "0001", shifted_right(_kind, 0, accumulate=True))
    _register("vrshr", _U, "0010", shifted_right(_kind, 1, accumulate=False))
    _register("vrsra", _U, "0011", shifted_right(_kind, 1, accumulate=True))
    _register("vqshl", _U, "0111", saturated_left(signed=_signed, sign=_sign), to_left=True)
    _register_mixed("vqshrn", _U, "1001", 0, narrowed(0, signed=_signed, sign=_sign), "n")
    _register_mixed("vqrshrn", _U, "1001", 1, narrowed(1, signed=_signed, sign=_sign), "n")
    _register_mixed("vshll", _U, "1010", 0, widened(_sign), "d", to_left=True)
    _fixed(0, _U, from_fixed(_U))
    _fixed(1, _U, to_fixed(_U))
_register("vsri", 1, "0100", inserted(False))
_register("vshl", 0, "0101", plain("sll"), to_left=True)
_register("vsli", 1, "0101", inserted(True), to_left=True)
_register("vqshlu", 1, "0110", saturated_left(signed=True, sign="u"), to_left=True)
_register_mixed("vshrn", 0, "1000", 0, narrowed_plainly, "n")
_register_mixed("vrshrn", 0, "1000", 1, narrowed(1, signed=False, sign=""), "n")
_register_mixed("vqshrun", 1, "1000", 0, narrowed(0, signed=True, sign="u"), "n")
_register_mixed("vqrshrun", 1, "1000", 1, narrowed(1, signed=True, sign="u"), "n")
