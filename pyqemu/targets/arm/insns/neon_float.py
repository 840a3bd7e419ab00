"""Vectors of single-precision numbers (ARM DDI 0406C.b, A7.4.1, A7.4.3, A7.4.5; what ARMv8 adds: DDI 0487, F4.1).

All compute with the standard FPSCR. In encodings of three registers the upper bit of ``size`` is a part of the opcode;
the lower one, and ``size`` where there are two registers, is the width, of which there is only one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.fpu import Rounding
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import (
    FpStage,
    arithmetic,
    choice,
    comparison,
    integral,
    magnitude,
    multiply_add,
    multiply_then_add,
    newton_step,
    pairs,
    sign,
    soft,
)
from pyqemu.targets.arm.fp_estimates import estimate
from pyqemu.targets.arm.insns.neon_different import scalar
from pyqemu.targets.arm.neon import data, registers, run, run_mixed
from pyqemu.targets.arm.simd import Form, splat
from pyqemu.targets.arm.simd_convert import from_integer, to_integer
from pyqemu.targets.arm.simd_soft import SCRATCH

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.targets.arm.vectors import VectorTranslator


# --- three registers --------------------------------------------------------------------------------------------------


def _same(name: str, U: int, op: int, A: str, B: int, stage: FpStage, *, doubles: bool = False,
          feature: str = "neon") -> None:  # fmt: skip
    """Enter an instruction.

    :param doubles: it has D registers only
    """

    def instruction(t: ArmTranslator, sz: int, Vn: int, Vd: int, Q: int, Vm: int) -> None:
        if sz or (Q and doubles):
            t.undefined()
        else:
            t.standard_fp = True
            run(t, stage, 32, Q, Vd, Vn, Vm)

    rest = f"0 Vd[4:4] {op} sz:1 Vn[3:0] Vd[3:0] {A} Vn[4:4] Q:1 Vm[4:4] {B} Vm[3:0]"
    data(name, U, rest, instruction, feature=feature)


_same("vfma", 0, 0, "1100", 1, multiply_add(0), feature="vfp4")
_same("vfms", 0, 1, "1100", 1, multiply_add(1), feature="vfp4")
_same("vadd", 0, 0, "1101", 0, arithmetic("add"))
_same("vsub", 0, 1, "1101", 0, arithmetic("sub"))
_same("vpadd", 1, 0, "1101", 0, pairs("add"), doubles=True)
_same("vabd", 1, 1, "1101", 0, arithmetic("sub", special="abd", change=magnitude))
_same("vmla", 0, 0, "1101", 1, multiply_then_add(0))
_same("vmls", 0, 1, "1101", 1, multiply_then_add(1))
_same("vmul", 1, 0, "1101", 1, arithmetic("mul"))
_same("vceq", 0, 0, "1110", 0, comparison("cmeq"))
_same("vcge", 1, 0, "1110", 0, comparison("cmge"))
_same("vcgt", 1, 1, "1110", 0, comparison("cmgt"))
_same("vacge", 1, 0, "1110", 1, comparison("acge"))
_same("vacgt", 1, 1, "1110", 1, comparison("acgt"))
_same("vmax", 0, 0, "1111", 0, choice("max"))
_same("vmin", 0, 1, "1111", 0, choice("min"))
_same("vpmax", 1, 0, "1111", 0, pairs("max"), doubles=True)
_same("vpmin", 1, 1, "1111", 0, pairs("min"), doubles=True)
_same("vrecps", 0, 0, "1111", 1, newton_step("vrecps", 0x40000000, halve=False))
_same("vrsqrts", 0, 1, "1111", 1, newton_step("vrsqrts", 0x40400000, halve=True))
_same("vmaxnm", 1, 0, "1111", 1, choice("maxnm"), feature="v8")
_same("vminnm", 1, 1, "1111", 1, choice("minnm"), feature="v8")


def _by_scalar(name: str, A: str, stage: FpStage) -> None:
    def instruction(t: ArmTranslator, Q: int, Vn: int, Vd: int, Vm: int) -> None:
        found = registers(t, Q, Vd, Vn)
        if found:
            t.standard_fp = True
            splat(t, *scalar(32, Vm), 32)
            stage(t, Form(32, bool(Q), found[0], found[1], SCRATCH))

    data(name, "Q:1", f"1 Vd[4:4] 10 Vn[3:0] Vd[3:0] {A} Vn[4:4] 1 Vm[4:4] 0 Vm[3:0]", instruction)


_by_scalar("vmla", "0001", multiply_then_add(0))
_by_scalar("vmls", "0101", multiply_then_add(1))
_by_scalar("vmul", "1001", arithmetic("mul"))


# --- two registers ----------------------------------------------------------------------------------------------------


def _misc(name: str, A: str, B: str, stage: FpStage, *, feature: str = "neon") -> None:
    def instruction(t: ArmTranslator, Vd: int, Q: int, Vm: int) -> None:
        t.standard_fp = True
        run(t, stage, 32, Q, Vd, Vm)

    data(name, 1, f"1 Vd[4:4] 11 10 {A} Vd[3:0] 0 {B} Q:1 Vm[4:4] 0 Vm[3:0]", instruction, feature=feature)


_misc("vcgt", "01", "1000", comparison("cmgt", zero=True))
_misc("vcge", "01", "1001", comparison("cmge", zero=True))
_misc("vceq", "01", "1010", comparison("cmeq", zero=True))
_misc("vcle", "01", "1011", comparison("cmge", zero=True, swap=True))
_misc("vclt", "01", "1100", comparison("cmgt", zero=True, swap=True))
_misc("vabs", "01", "1110", sign(keep=False))
_misc("vneg", "01", "1111", sign(keep=True))
_misc("vrecpe", "11", "1010", estimate("recpe"))
_misc("vrsqrte", "11", "1011", estimate("rsqrte"))
for _U in (0, 1):
    _misc("vcvt", "11", f"110{_U}", from_integer(_U))
    _misc("vcvt", "11", f"111{_U}", to_integer(_U, "z", Rounding.TOWARD_ZERO))
for _rm, (_mark, _rounding) in enumerate((("a", Rounding.NEAREST_AWAY), ("n", Rounding.NEAREST_EVEN),
                                          ("p", Rounding.UP), ("m", Rounding.DOWN))):  # fmt: skip
    for _U in (0, 1):
        _misc(f"vcvt{_mark}", "11", f"0{_rm:02b}{_U}", to_integer(_U, _mark, _rounding), feature="v8")
for _op, _mark in ((0, "n"), (1, "x"), (2, "a"), (3, "z"), (5, "m"), (7, "p")):
    _misc(f"vrint{_mark}", "10", f"1{_op:03b}", integral(_mark), feature="v8")


def _half_precision(B: str, source: int, target: int, wide: str) -> None:
    """VCVT between half and single precision (A8.8.306)."""

    def stage(t: VectorTranslator, form: Form) -> None:
        soft(t, fp_soft.conversion(source, target, 0, 0, 4, 0), form)

    def instruction(t: ArmTranslator, Vd: int, Vm: int) -> None:
        t.standard_fp = True
        run_mixed(t, stage, source, wide, Vd, Vm)

    data("vcvt", 1, f"1 Vd[4:4] 11 01 10 Vd[3:0] 0 {B} 0 Vm[4:4] 0 Vm[3:0]", instruction, feature="fp16")


_half_precision("1100", 32, 16, "n")
_half_precision("1110", 16, 32, "d")
