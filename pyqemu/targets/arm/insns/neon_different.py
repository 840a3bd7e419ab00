"""Registers of different lengths, and vectors by a scalar (ARM DDI 0406C.b, A7.4.2, A7.4.3): integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.neon import data, registers, run_mixed
from pyqemu.targets.arm.simd import Form, Stage, splat
from pyqemu.targets.arm.simd_different import (
    doubling,
    high_half,
    long_difference,
    long_product,
    long_sum,
    polynomial_long,
)
from pyqemu.targets.arm.simd_same import (
    ADD,
    SMALL,
    SUB,
    doubling_high,
    multiply,
    multiply_add,
    multiply_subtract,
)
from pyqemu.targets.arm.simd_soft import SCRATCH

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.targets.arm.vectors import VectorTranslator

SIZES = {8: "00", 16: "01", 32: "10"}
REST = "1 Vd[4:4] {size} Vn[3:0] Vd[3:0] {A} Vn[4:4] 0 Vm[4:4] 0 Vm[3:0]"
BY_SCALAR = "1 Vd[4:4] {size} Vn[3:0] Vd[3:0] {A} Vn[4:4] 1 Vm[4:4] 0 Vm[3:0]"


def _register(name: str, U: int, A: str, stage: Stage, wide: str = "d", widths: tuple[int, ...] = SMALL) -> None:
    """Enter an instruction.

    :param wide: its registers of 128 bits
    """
    for bits in widths:

        def instruction(t: ArmTranslator, Vn: int, Vd: int, Vm: int, bits: int = bits) -> None:
            run_mixed(t, stage, bits, wide, Vd, Vn, Vm)

        data(name, U, REST.format(size=SIZES[bits], A=A), instruction)


for _U, _sign in enumerate("su"):
    _register("vaddl", _U, "0000", long_sum(ADD, _sign, wide=False))
    _register("vaddw", _U, "0001", long_sum(ADD, _sign, wide=True), "dn")
    _register("vsubl", _U, "0010", long_sum(SUB, _sign, wide=False))
    _register("vsubw", _U, "0011", long_sum(SUB, _sign, wide=True), "dn")
    _register("vraddhn" if _U else "vaddhn", _U, "0100", high_half(ADD, _U), "nm")
    _register("vabal", _U, "0101", long_difference(_sign, accumulate=True))
    _register("vrsubhn" if _U else "vsubhn", _U, "0110", high_half(SUB, _U), "nm")
    _register("vabdl", _U, "0111", long_difference(_sign, accumulate=False))
    _register("vmlal", _U, "1000", long_product(_sign, ADD))
    _register("vmlsl", _U, "1010", long_product(_sign, SUB))
    _register("vmull", _U, "1100", long_product(_sign))
_register("vqdmlal", 0, "1001", doubling(0), widths=(16, 32))
_register("vqdmlsl", 0, "1011", doubling(1), widths=(16, 32))
_register("vqdmull", 0, "1101", doubling(None), widths=(16, 32))
_register("vmull", 0, "1110", polynomial_long, widths=(8,))


def _polynomial(t: ArmTranslator, Vn: int, Vd: int, Vm: int) -> None:
    """VMULL.P64 of ARMv8 (DDI 0487)."""
    run_mixed(t, polynomial_long, 64, "d", Vd, Vn, Vm)


data("vmull", 0, REST.format(size="10", A="1110"), _polynomial, feature="aes")


# --- by a scalar ------------------------------------------------------------------------------------------------------


def scalar(bits: int, Vm: int) -> tuple[int, int]:
    """Register and index of the scalar that the field Vm names (table A7-8)."""
    return (Vm & 7, Vm >> 3) if bits == 16 else (Vm & 15, Vm >> 4)


def _by_scalar(name: str, A: str, stage: Stage) -> None:
    for bits in (16, 32):

        def instruction(t: ArmTranslator, Q: int, Vn: int, Vd: int, Vm: int, bits: int = bits) -> None:
            found = registers(t, Q, Vd, Vn)
            if found:
                splat(t, *scalar(bits, Vm), bits)
                stage(t, Form(bits, bool(Q), found[0], found[1], SCRATCH))

        data(name, "Q:1", BY_SCALAR.format(size=SIZES[bits], A=A), instruction)


def _long_by_scalar(name: str, U: int, A: str, stage: Stage) -> None:
    for bits in (16, 32):

        def instruction(t: ArmTranslator, Vn: int, Vd: int, Vm: int, bits: int = bits) -> None:
            def splatted(t: VectorTranslator, form: Form) -> None:
                splat(t, *scalar(bits, Vm), bits)
                stage(t, Form(bits, False, form.d, form.n, SCRATCH))

            run_mixed(t, splatted, bits, "d", Vd, Vn)

        data(name, U, BY_SCALAR.format(size=SIZES[bits], A=A), instruction)


_by_scalar("vmla", "0000", multiply_add)
_by_scalar("vmls", "0100", multiply_subtract)
_by_scalar("vmul", "1000", multiply)
_by_scalar("vqdmulh", "1100", doubling_high(0))
_by_scalar("vqrdmulh", "1101", doubling_high(1))
for _U, _sign in enumerate("su"):
    _long_by_scalar("vmlal", _U, "0010", long_product(_sign, ADD))
    _long_by_scalar("vmlsl", _U, "0110", long_product(_sign, SUB))
    _long_by_scalar("vmull", _U, "1010", long_product(_sign))
_long_by_scalar("vqdmlal", 0, "0011", doubling(0))
_long_by_scalar("vqdmlsl", 0, "0111", doubling(1))
_long_by_scalar("vqdmull", 0, "1011", doubling(None))
