"""Conversions of vectors, and their scalar forms (ARM DDI 0487A.f, C4.4.6: two-register miscellaneous, shifts)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.fpu import Rounding
from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import OrElse, write
from pyqemu.targets.arm.fp_convert import float_rows, format_rows, integer_rows, scaled
from pyqemu.targets.arm.simd import Form, soft, write_half
from pyqemu.targets.arm.simd_soft import Helper, Lanes, Result
from pyqemu.tcg.builder import Label, Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.targets.arm.vectors import VectorTranslator


def in_lanes(t: VectorTranslator, form: Form, helper: Helper, convert: Callable[[Value, Label], Value]) -> None:
    """Convert the lanes one by one with rows, or all with the helper."""
    if not t.exact_fp:
        soft(t, helper, form)
        return
    with OrElse(t, lambda: soft(t, helper, form)) as slow:
        values = [convert(t.element(form.n, index, form.bits), slow) for index in range(form.count)]
        collect(t, form, values)


def collect(t: VectorTranslator, form: Form, values: list[Value]) -> None:
    """Make the destination of values of 32 or 64 bits, and zeros."""
    if len(values) == 1:
        write(t, form, values[0])
    elif values[0].bits == 64:
        t.vec("pair64", *values, out=t.v(form.d))
    elif len(values) == 4:
        t.vec("quad32", *values, out=t.v(form.d))
    else:
        t.vec("pair32", *values, out=t.v(form.d, 64))
        t.clear_high(form.d)


# --- integers ---------------------------------------------------------------------------------------------------------


def _to_integer(name: str, U: int, o1: int, opcode: str, mark: str, rounding: Rounding) -> None:
    """FCVTNS and its kind."""

    def lanes(t: VectorTranslator, form: Form) -> None:
        lane = fp_soft.to_integer(form.bits, form.bits, 1 - U, rounding, 0)
        helper = fp_soft.lanewise(lane, (Lanes(1, form.bits),), Result(form.bits, form.count))
        in_lanes(t, form, helper, lambda a, slow: integer_rows(t, a, form.bits, slow, signed=not U, mark=mark))

    def vector(t: A64Translator, Q: int, sz: int, Rn: int, Rd: int) -> None:
        if sz and not Q:
            t.undefined()
        elif t.fp_enabled():
            lanes(t, Form(32 << sz, bool(Q), Rd, Rn))

    def one(t: A64Translator, sz: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            lanes(t, Form(32 << sz, False, Rd, Rn, scalar=True))

    A64.insn(f"0 Q:1 {U} 01110 {o1} sz:1 10000 {opcode} 10 Rn:5 Rd:5", name=name)(vector)
    A64.insn(f"01 {U} 11110 {o1} sz:1 10000 {opcode} 10 Rn:5 Rd:5", name=name)(one)


def _from_integer(name: str, U: int) -> None:
    """SCVTF, UCVTF."""

    def lanes(t: VectorTranslator, form: Form) -> None:
        lane, source = fp_soft.from_integer(form.bits, 0), Lanes(1, form.bits, not U)
        helper = fp_soft.lanewise(lane, (source,), Result(form.bits, form.count))
        in_lanes(t, form, helper, lambda a, slow: float_rows(t, a, form.bits, slow, signed=not U))

    def vector(t: A64Translator, Q: int, sz: int, Rn: int, Rd: int) -> None:
        if sz and not Q:
            t.undefined()
        elif t.fp_enabled():
            lanes(t, Form(32 << sz, bool(Q), Rd, Rn))

    def one(t: A64Translator, sz: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            lanes(t, Form(32 << sz, False, Rd, Rn, scalar=True))

    A64.insn(f"0 Q:1 {U} 01110 0 sz:1 10000 11101 10 Rn:5 Rd:5", name=name)(vector)
    A64.insn(f"01 {U} 11110 0 sz:1 10000 11101 10 Rn:5 Rd:5", name=name)(one)


def _fixed(U: int) -> None:
    """SCVTF, UCVTF, FCVTZS, FCVTZU of fixed-point numbers, which are encoded as right shifts."""

    def converted(t: VectorTranslator, form: Form, fraction: int, *, to_float: bool) -> None:
        if to_float:
            lane, source = fp_soft.from_integer(form.bits, fraction), Lanes(1, form.bits, not U)
        else:
            lane = fp_soft.to_integer(form.bits, form.bits, 1 - U, Rounding.TOWARD_ZERO, fraction)
            source = Lanes(1, form.bits)
        helper = fp_soft.lanewise(lane, (source,), Result(form.bits, form.count))

        def convert(a: Value, slow: Label) -> Value:
            if to_float:
                return scaled(t, float_rows(t, a, form.bits, slow, signed=not U), -fraction)
            return integer_rows(t, scaled(t, a, fraction), form.bits, slow, signed=not U, mark="z")

        in_lanes(t, form, helper, convert)

    def enter(name: str, opcode: str, bits: int, field: str, *, to_float: bool) -> None:
        def vector(t: A64Translator, Q: int, rest: int, Rn: int, Rd: int) -> None:
            if bits == 64 and not Q:
                t.undefined()
            elif t.fp_enabled():
                converted(t, Form(bits, bool(Q), Rd, Rn), bits - rest, to_float=to_float)

        def one(t: A64Translator, rest: int, Rn: int, Rd: int) -> None:
            if t.fp_enabled():
                converted(t, Form(bits, False, Rd, Rn, scalar=True), bits - rest, to_float=to_float)

        A64.insn(f"0 Q:1 {U} 01111 0 {field} {opcode} 1 Rn:5 Rd:5", name=name)(vector)
        A64.insn(f"01 {U} 11111 0 {field} {opcode} 1 Rn:5 Rd:5", name=name)(one)

    for bits, field in ((32, "01 rest:5"), (64, "1 rest:6")):
        enter(f"{'su'[U]}cvtf", "11100", bits, field, to_float=True)
        enter(f"fcvtz{'su'[U]}", "11111", bits, field, to_float=False)


for _U, _sign in enumerate("su"):
    for _mark, _o1, _opcode, _rounding in (
        ("n", 0, "11010", Rounding.NEAREST_EVEN), ("m", 0, "11011", Rounding.DOWN),
        ("a", 0, "11100", Rounding.NEAREST_AWAY), ("p", 1, "11010", Rounding.UP),
        ("z", 1, "11011", Rounding.TOWARD_ZERO),
    ):  # fmt: skip
        _to_integer(f"fcvt{_mark}{_sign}", _U, _o1, _opcode, _mark, _rounding)
    _from_integer(f"{_sign}cvtf", _U)
    _fixed(_U)


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
