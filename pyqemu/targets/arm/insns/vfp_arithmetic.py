"""Arithmetic of VFP (ARM DDI 0406C.b, A7.5; of ARMv8: DDI 0487A.f, F5.1.12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.fp import (
    FpStage,
    arithmetic,
    choice,
    flipped,
    integral,
    magnitude,
    multiply_add,
    multiply_then_add,
    operand,
    square_root,
    write,
)
from pyqemu.targets.arm.modes import M_LEN, M_STRIDE
from pyqemu.targets.arm.simd import Form
from pyqemu.targets.arm.vfp import data_processing, number_of, usable, vfp, vfp8

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.targets.arm.vectors import VectorTranslator


def _form(sz: int, d: tuple[int, int], n: tuple[int, int], m: tuple[int, int] = (0, 0)) -> Form:
    """The form of an operation on scalars; registers as their two fields."""
    bits = 64 if sz else 32
    return Form(bits, False, number_of(bits, *d), number_of(bits, *n), number_of(bits, *m), scalar=True)


# --- two and three operands -------------------------------------------------------------------------------------------


def _three_registers(name: str, opcode: str, op: int, stage: FpStage) -> None:
    def instruction(t: ArmTranslator, sz: int, D: int, Vd: int, N: int, Vn: int, M: int, Vm: int) -> None:
        data_processing(t, _form(sz, (D, Vd), (N, Vn), (M, Vm)), stage, sources=2)

    vfp(f"1110 {opcode[0]} D:1 {opcode[1:]} Vn:4 Vd:4 101 sz:1 N:1 {op} M:1 0 Vm:4", name=name)(instruction)


_three_registers("vmla", "000", 0, multiply_then_add(0))
_three_registers("vmls", "000", 1, multiply_then_add(1))
_three_registers("vnmls", "001", 0, multiply_then_add(0, 1))
_three_registers("vnmla", "001", 1, multiply_then_add(1, 1))
_three_registers("vmul", "010", 0, arithmetic("mul"))
_three_registers("vnmul", "010", 1, arithmetic("mul", special="nmul", change=flipped))
_three_registers("vadd", "011", 0, arithmetic("add"))
_three_registers("vsub", "011", 1, arithmetic("sub"))
_three_registers("vdiv", "100", 0, arithmetic("div"))


def _fused(name: str, opcode: str, op: int, minus: int, negate_addend: int) -> None:
    stage = multiply_add(minus, negate_addend)

    def instruction(t: ArmTranslator, sz: int, D: int, Vd: int, N: int, Vn: int, M: int, Vm: int) -> None:
        form = _form(sz, (D, Vd), (N, Vn), (M, Vm))
        if t.mode & (M_LEN | M_STRIDE):  # VFPv4 has no short vectors
            t.undefined()
        elif usable(t, form.d, form.n, form.m):
            stage(t, form)

    pattern = f"1110 1 D:1 {opcode} Vn:4 Vd:4 101 sz:1 N:1 {op} M:1 0 Vm:4"
    vfp(pattern, feature="vfp4", name=name)(instruction)


_fused("vfnms", "01", 0, 0, 1)
_fused("vfnma", "01", 1, 1, 1)
_fused("vfma", "10", 0, 0, 0)
_fused("vfms", "10", 1, 1, 0)


# --- one operand ------------------------------------------------------------------------------------------------------


def _copy(t: VectorTranslator, form: Form) -> None:
    write(t, form, operand(t, form, form.n))


def _absolute(t: VectorTranslator, form: Form) -> None:
    write(t, form, magnitude(t, form, operand(t, form, form.n)))


def _negated(t: VectorTranslator, form: Form) -> None:
    write(t, form, flipped(t, form, operand(t, form, form.n)))


def _one_register(name: str, opcode: str, op: int, stage: FpStage) -> None:
    def instruction(t: ArmTranslator, sz: int, D: int, Vd: int, M: int, Vm: int) -> None:
        data_processing(t, _form(sz, (D, Vd), (M, Vm)), stage, sources=1)

    vfp(f"1110 1 D:1 11 {opcode} Vd:4 101 sz:1 {op} 1 M:1 0 Vm:4", name=name)(instruction)


_one_register("vmov", "0000", 0, _copy)
_one_register("vabs", "0000", 1, _absolute)
_one_register("vneg", "0001", 0, _negated)
_one_register("vsqrt", "0001", 1, square_root)


def _rounding(name: str, opcode: str, op: int, mark: str) -> None:
    """VRINTR, VRINTZ, VRINTX: of ARMv8, but with a condition."""
    stage = integral(mark)

    def instruction(t: ArmTranslator, sz: int, D: int, Vd: int, M: int, Vm: int) -> None:
        form = _form(sz, (D, Vd), (M, Vm))
        if usable(t, form.d, form.n):
            stage(t, form)

    pattern = f"1110 1 D:1 11 {opcode} Vd:4 101 sz:1 {op} 1 M:1 0 Vm:4"
    vfp(pattern, feature="v8", name=name)(instruction)


_rounding("vrintr", "0110", 0, "i")
_rounding("vrintz", "0110", 1, "z")
_rounding("vrintx", "0111", 0, "x")


# --- ARMv8, without a condition ---------------------------------------------------------------------------------------


def _choice(name: str, op: int, stage: FpStage) -> None:
    def instruction(t: ArmTranslator, sz: int, D: int, Vd: int, N: int, Vn: int, M: int, Vm: int) -> None:
        form = _form(sz, (D, Vd), (N, Vn), (M, Vm))
        if usable(t, form.d, form.n, form.m):
            stage(t, form)

    vfp8(f"1110 1 D:1 00 Vn:4 Vd:4 101 sz:1 N:1 {op} M:1 0 Vm:4", name=name)(instruction)


def _directed(mark: str, direction: int) -> None:
    """VRINTA, VRINTN, VRINTP, VRINTM."""
    stage = integral(mark)

    def instruction(t: ArmTranslator, sz: int, D: int, Vd: int, M: int, Vm: int) -> None:
        form = _form(sz, (D, Vd), (M, Vm))
        if usable(t, form.d, form.n):
            stage(t, form)

    vfp8(f"1110 1 D:1 11 10 {direction:02b} Vd:4 101 sz:1 01 M:1 0 Vm:4", name="vrint" + mark)(instruction)


_choice("vmaxnm", 0, choice("maxnm"))
_choice("vminnm", 1, choice("minnm"))
for _direction, _mark in enumerate("anpm"):
    _directed(_mark, _direction)


@vfp8("1110 0 D:1 cc:2 Vn:4 Vd:4 101 sz:1 N:1 0 M:1 0 Vm:4", name="vsel")
def vsel(t: ArmTranslator, cc: int, sz: int, D: int, Vd: int, N: int, Vn: int, M: int, Vm: int) -> None:
    """VSEL (DDI 0487A.f, F6.1.200): the conditions are EQ, VS, GE, GT."""
    form = _form(sz, (D, Vd), (N, Vn), (M, Vm))
    if usable(t, form.d, form.n, form.m):
        holds = t.flags.setcond((0, 6, 10, 12)[cc])
        first, second = (t.v(number, form.bits) for number in (form.n, form.m))
        t.set_scalar(form.d, t.select(holds, first, second, t.temp(form.bits)))
