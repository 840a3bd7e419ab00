"""Conversions of VFP (ARM DDI 0406C.b, A8.8.304 to A8.8.311; of ARMv8: DDI 0487A.f, F6.1.56 and following)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.fpu import Rounding
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import OrElse, write
from pyqemu.targets.arm.fp_convert import format_rows, from_integer, to_integer
from pyqemu.targets.arm.simd import Form, soft
from pyqemu.targets.arm.vfp import number_of, single_number, usable, vfp, vfp8

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator

DIRECTIONS = (("a", Rounding.NEAREST_AWAY), ("n", Rounding.NEAREST_EVEN), ("p", Rounding.UP), ("m", Rounding.DOWN))
"""By the field ``RM``: the letter of the mnemonic, and the rounding."""

# --- integers ---------------------------------------------------------------------------------------------------------


@vfp("1110 1 D:1 11 1000 Vd:4 101 sz:1 signed:1 1 M:1 0 Vm:4", name="vcvt")
def vcvt_from_integer(t: ArmTranslator, sz: int, D: int, Vd: int, signed: int, M: int, Vm: int) -> None:
    """VCVT (between floating-point and integer, VFP) (A8.8.306): from an integer, which is in an S register."""
    bits = 64 if sz else 32
    d, m = number_of(bits, D, Vd), single_number(M, Vm)
    if usable(t, d):
        from_integer(t, t.v(m, 32), bits, d, signed=bool(signed))


def _to_integer(t: ArmTranslator, sz: int, d: int, m: int, *, signed: int, mark: str,
                rounding: Rounding | None) -> None:  # fmt: skip
    if usable(t, m):
        result = t.temp(32)
        to_integer(t, t.v(m, 64 if sz else 32), result, signed=bool(signed), mark=mark, rounding=rounding)
        t.set_scalar(d, result)


@vfp("1110 1 D:1 11 110 signed:1 Vd:4 101 sz:1 op:1 1 M:1 0 Vm:4", name="vcvt")
def vcvt_to_integer(t: ArmTranslator, sz: int, D: int, Vd: int, signed: int, op: int, M: int, Vm: int) -> None:
    """VCVT, VCVTR (A8.8.306): to an integer, rounded toward zero, or as FPSCR says."""
    d, m = single_number(D, Vd), number_of(64 if sz else 32, M, Vm)
    mark, rounding = ("z", Rounding.TOWARD_ZERO) if op else ("n", None)
    _to_integer(t, sz, d, m, signed=signed, mark=mark, rounding=rounding)


@vfp8("1110 1 D:1 11 11 RM:2 Vd:4 101 sz:1 signed:1 1 M:1 0 Vm:4", name="vcvta")
def vcvt_directed(t: ArmTranslator, sz: int, D: int, RM: int, Vd: int, signed: int, M: int, Vm: int) -> None:
    """VCVTA, VCVTN, VCVTP, VCVTM (DDI 0487A.f, F6.1.63)."""
    d, m = single_number(D, Vd), number_of(64 if sz else 32, M, Vm)
    mark, rounding = DIRECTIONS[RM]
    _to_integer(t, sz, d, m, signed=signed, mark=mark, rounding=rounding)


# --- fixed-point numbers ----------------------------------------------------------------------------------------------


def fraction_of(sx: int, i: int, imm4: int) -> tuple[int, int]:
    """The width of a fixed-point number, and how many bits it has behind the point; below zero: UNPREDICTABLE."""
    size = 32 if sx else 16
    return size, size - (imm4 << 1 | i)


@vfp("1110 1 D:1 11 101 U:1 Vd:4 101 sz:1 sx:1 1 i:1 0 imm4:4", feature="vfp3", name="vcvt")
def vcvt_from_fixed(t: ArmTranslator, sz: int, D: int, U: int, Vd: int, sx: int, i: int, imm4: int) -> None:
    """VCVT (between floating-point and fixed-point, VFP) (A8.8.308): from the low bits of the same register."""
    bits = 64 if sz else 32
    d, (size, fraction) = number_of(bits, D, Vd), fraction_of(sx, i, imm4)
    if fraction < 0:
        t.undefined()
    elif usable(t, d):
        value = t.v(d, size)
        if size == 16:
            value = t.extend(value, 32, signed=not U)
        from_integer(t, value, bits, d, signed=not U, fraction=fraction, nearest=True)


@vfp("1110 1 D:1 11 111 U:1 Vd:4 101 sz:1 sx:1 1 i:1 0 imm4:4", feature="vfp3", name="vcvt")
def vcvt_to_fixed(t: ArmTranslator, sz: int, D: int, U: int, Vd: int, sx: int, i: int, imm4: int) -> None:
    """The same in the other direction; the result is extended to the width of the register."""
    bits = 64 if sz else 32
    d, (size, fraction) = number_of(bits, D, Vd), fraction_of(sx, i, imm4)
    if fraction < 0:
        t.undefined()
    elif usable(t, d):
        value = t.v(d, bits)
        result = t.temp(size)
        if size == 32:
            to_integer(t, value, result, signed=not U, mark="z", rounding=Rounding.TOWARD_ZERO, fraction=fraction)
        else:
            wide, how = t.temp(32), Rounding.TOWARD_ZERO + 1
            t.call(fp_soft.register_to_integer, bits, size, 1 - U, how, fraction, value, returns=32, out=wide)
            result = wide.low(16)
        t.set_scalar(d, result if size == bits else t.extend(result, bits, signed=not U))


# --- formats ----------------------------------------------------------------------------------------------------------


@vfp("1110 1 D:1 11 0111 Vd:4 101 sz:1 11 M:1 0 Vm:4", name="vcvt")
def vcvt_formats(t: ArmTranslator, sz: int, D: int, Vd: int, M: int, Vm: int) -> None:
    """VCVT (between double-precision and single-precision) (A8.8.309)."""
    before, after = (64, 32) if sz else (32, 64)
    form = Form(after, False, number_of(after, D, Vd), number_of(before, M, Vm), scalar=True)
    if not usable(t, form.d, form.n):
        return
    helper = fp_soft.conversion(before, after, 0, 0, 1, 0)
    if not t.exact_fp:
        soft(t, helper, form)
        return
    with OrElse(t, lambda: soft(t, helper, form)) as slow:
        write(t, form, format_rows(t, t.v(form.n, before), slow))


def _half(t: ArmTranslator, sz: int, op: int, d: tuple[int, int], m: tuple[int, int], top: int) -> None:
    """A half-precision number is half of an S register."""
    bits = 64 if sz else 32
    if op:
        form, helper = Form(16, False, single_number(*d), number_of(bits, *m)), fp_soft.to_half(bits, 16 * top)
    else:
        helper = fp_soft.conversion(16, bits, 0, 16 * top, 1, 0)
        form = Form(bits, False, number_of(bits, *d), single_number(*m))
    if usable(t, form.d, form.n):
        soft(t, helper, form)


@vfp("1110 1 D:1 11 001 op:1 Vd:4 1010 T:1 1 M:1 0 Vm:4", feature="fp16", name="vcvtb")
def vcvt_half(t: ArmTranslator, D: int, op: int, Vd: int, T: int, M: int, Vm: int) -> None:
    """VCVTB, VCVTT (A8.8.311)."""
    _half(t, 0, op, (D, Vd), (M, Vm), T)


@vfp("1110 1 D:1 11 001 op:1 Vd:4 1011 T:1 1 M:1 0 Vm:4", feature="v8", name="vcvtb")
def vcvt_half_double(t: ArmTranslator, D: int, op: int, Vd: int, T: int, M: int, Vm: int) -> None:
    """VCVTB, VCVTT with double precision, of ARMv8."""
    _half(t, 1, op, (D, Vd), (M, Vm), T)
