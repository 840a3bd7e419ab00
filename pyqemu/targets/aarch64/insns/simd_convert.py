"""Conversions of vectors, and their scalar forms (ARM DDI 0487A.f, C4.4.6: two-register miscellaneous, shifts)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.fpu import Rounding
from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import FpStage, OrElse, soft
from pyqemu.targets.arm.fp_convert import format_rows
from pyqemu.targets.arm.simd import Form, write_half
from pyqemu.targets.arm.simd_convert import (
    FixedStage,
    collect,
    from_fixed,
    from_integer,
    to_fixed,
    to_integer,
)

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator


# --- integers ---------------------------------------------------------------------------------------------------------


def _register(name: str, U: int, rest: str, stage: FpStage) -> None:
    """Enter vector and scalar form: *rest* is what follows the head of the pattern."""

    def vector(t: A64Translator, Q: int, sz: int, Rn: int, Rd: int) -> None:
        if sz and not Q:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(32 << sz, bool(Q), Rd, Rn))

    def one(t: A64Translator, sz: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            stage(t, Form(32 << sz, False, Rd, Rn, scalar=True))

    A64.insn(f"0 Q:1 {U} 01110 {rest}", name=name)(vector)
    A64.insn(f"01 {U} 11110 {rest}", name=name)(one)


def _fixed(name: str, U: int, opcode: str, stage: FixedStage) -> None:
    """Fixed-point numbers, which are encoded as right shifts."""

    def enter(bits: int, field: str) -> None:
        def vector(t: A64Translator, Q: int, rest: int, Rn: int, Rd: int) -> None:
            if bits == 64 and not Q:
                t.undefined()
            elif t.fp_enabled():
                stage(t, Form(bits, bool(Q), Rd, Rn), bits - rest)

        def one(t: A64Translator, rest: int, Rn: int, Rd: int) -> None:
            if t.fp_enabled():
                stage(t, Form(bits, False, Rd, Rn, scalar=True), bits - rest)

        A64.insn(f"0 Q:1 {U} 01111 0 {field} {opcode} 1 Rn:5 Rd:5", name=name)(vector)
        A64.insn(f"01 {U} 11111 0 {field} {opcode} 1 Rn:5 Rd:5", name=name)(one)

    enter(32, "01 rest:5")
    enter(64, "1 rest:6")


for _U, _sign in enumerate("su"):
    for _mark, _o1, _opcode, _rounding in (
        ("n", 0, "11010", Rounding.NEAREST_EVEN), ("m", 0, "11011", Rounding.DOWN),
        ("a", 0, "11100", Rounding.NEAREST_AWAY), ("p", 1, "11010", Rounding.UP),
        ("z", 1, "11011", Rounding.TOWARD_ZERO),
    ):  # fmt: skip
        _register(f"fcvt{_mark}{_sign}", _U, f"{_o1} sz:1 10000 {_opcode} 10 Rn:5 Rd:5",
                  to_integer(_U, _mark, _rounding))  # fmt: skip
    _register(f"{_sign}cvtf", _U, "0 sz:1 10000 11101 10 Rn:5 Rd:5", from_integer(_U))
    _fixed(f"{_sign}cvtf", _U, "11100", from_fixed(_U))
    _fixed(f"fcvtz{_sign}", _U, "11111", to_fixed(_U))


# --- formats ----------------------------------------------------------------------------------------------------------


@A64.insn("0 Q:1 0 01110 0 sz:1 10000 10111 10 Rn:5 Rd:5")
def fcvtl(t: A64Translator, Q: int, sz: int, Rn: int, Rd: int) -> None:
    """FCVTL, FCVTL2 (C6.3.62)."""
    if t.fp_enabled():
        source = 16 << sz
        form, helper = Form(source, bool(Q), Rd, Rn), fp_soft.conversion(source, 2 * source, 0, 64 * Q, 64 // source, 0)
        if not sz or not t.exact_fp:
            soft(t, helper, form)
            return
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            collect(t, form, [format_rows(t, t.element(Rn, 2 * Q + n, 32), slow) for n in (0, 1)])


@A64.insn("0 Q:1 0 01110 0 sz:1 10000 10110 10 Rn:5 Rd:5")
def fcvtn(t: A64Translator, Q: int, sz: int, Rn: int, Rd: int) -> None:
    """FCVTN, FCVTN2 (C6.3.67)."""
    if t.fp_enabled():
        target = 16 << sz
        form, helper = Form(target, bool(Q), Rd, Rn), fp_soft.conversion(2 * target, target, 0, 0, 64 // target, 64 * Q)
        if not sz or not t.exact_fp:
            soft(t, helper, form)
            return
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            values = [format_rows(t, t.element(Rn, n, 64), slow) for n in (0, 1)]
            write_half(t, Rd, Q, t.vec("pair32", *values, out=t.temp(64)))


@A64.insn("0 Q:1 1 01110 01 10000 10110 10 Rn:5 Rd:5")
def fcvtxn(t: A64Translator, Q: int, Rn: int, Rd: int) -> None:
    """FCVTXN, FCVTXN2 (C6.3.74)."""
    if t.fp_enabled():
        soft(t, fp_soft.conversion(64, 32, 1, 0, 2, 64 * Q), Form(32, bool(Q), Rd, Rn))


@A64.insn("01 1 11110 01 10000 10110 10 Rn:5 Rd:5", name="fcvtxn")
def fcvtxn_scalar(t: A64Translator, Rn: int, Rd: int) -> None:
    """FCVTXN (scalar) (C6.3.74)."""
    if t.fp_enabled():
        soft(t, fp_soft.conversion(64, 32, 1, 0, 1, 0), Form(32, False, Rd, Rn, scalar=True))
