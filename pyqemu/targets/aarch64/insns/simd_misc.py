"""One source: integers (ARM DDI 0487A.f, C4.4.6: two-register miscellaneous, across lanes, scalar pairwise)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pyqemu.fpu.arm_estimates import unsigned_reciprocal_estimate, unsigned_root_estimate
from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.insns.simd_same import ADD, ALL, SMALL, SUB, equal, greater, greater_or_equal
from pyqemu.targets.aarch64.layout import v
from pyqemu.targets.arm.simd import (
    Form,
    Stage,
    finish,
    half,
    narrow_saturated,
    soft,
    spread,
    write_half,
    zero_scratch,
)
from pyqemu.targets.arm.simd_soft import SAME, SCRATCH, Lane, Lanes, Result, lanewise, leading
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.targets.arm.vectors import VectorTranslator

Widths = tuple[int, ...]


def _register(name: str, U: int, opcode: str, stage: Stage, widths: Widths, scalar: Widths = ()) -> None:
    """Enter an instruction with its vector form and, for some widths, its scalar one."""

    def vector(t: A64Translator, Q: int, size: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in widths or (bits == 64 and not Q):
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, bool(Q), Rd, Rn))

    def one(t: A64Translator, size: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in scalar:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, False, Rd, Rn, scalar=True))

    A64.insn(f"0 Q:1 {U} 01110 size:2 10000 {opcode} 10 Rn:5 Rd:5", name=name)(vector)
    if scalar:
        A64.insn(f"01 {U} 11110 size:2 10000 {opcode} 10 Rn:5 Rd:5", name=name)(one)


# --- halves of registers as numbers -----------------------------------------------------------------------------------


def _halves(change: Callable[[VectorTranslator, Value, int], Value]) -> Stage:
    """A stage that makes each half of the destination from the same half of the source."""

    def stage(t: VectorTranslator, form: Form) -> None:
        for upper in range(1 + form.whole):
            t.mov(half(t, form.d, upper), change(t, half(t, form.n, upper), form.bits))
        finish(t, form)

    return stage


def _swap_neighbours(t: VectorTranslator, value: Value, bits: int) -> Value:
    """Parts of *bits* bits change places with their neighbours."""
    low = spread(2 * bits, (1 << bits) - 1)
    return (value & low).shl(bits) | value.shr(bits) & low


def _rev64(t: VectorTranslator, value: Value, bits: int) -> Value:
    if bits == 8:
        return t.bswap(value)
    swapped = value.rotl(32)
    return swapped if bits == 32 else _swap_neighbours(t, swapped, 16)


def _rev32(t: VectorTranslator, value: Value, bits: int) -> Value:
    return t.bswap(value).rotl(32) if bits == 8 else _swap_neighbours(t, value, 16)


def _rev16(t: VectorTranslator, value: Value, bits: int) -> Value:
    return _swap_neighbours(t, value, 8)


def _count(t: VectorTranslator, value: Value, bits: int) -> Value:
    return t.vec("v_cnt8", value, out=t.temp(64))


def _reverse_bits(t: VectorTranslator, value: Value, bits: int) -> Value:
    reversed_whole = t.temp(64)
    t.emit("brev64", reversed_whole.offset, value.offset)
    return t.bswap(reversed_whole)


def _not_or_rbit(t: VectorTranslator, form: Form) -> None:
    """NOT and RBIT have one opcode: RBIT's size is that of half words."""
    if form.bits == 8:
        t.vec("v_not", t.v(form.n), out=t.v(form.d))
        finish(t, form)
    else:
        _halves(_reverse_bits)(t, form)


# --- lanes ------------------------------------------------------------------------------------------------------------


def _with_zero(stage: Stage, *, swap: bool = False) -> Stage:
    """A comparison with zero, or of zero with the source."""

    def compare(t: VectorTranslator, form: Form) -> None:
        zero_scratch(t)
        stage(t, replace(form, n=SCRATCH, m=form.n) if swap else form)

    return compare


def _leading(signs: int) -> Stage:
    """CLS, CLZ; the latter of words natively."""

    def stage(t: VectorTranslator, form: Form) -> None:
        if form.bits == 32 and not signs:
            counts = [t.clz(t.element(form.n, index, 32)) for index in range(4)]
            t.vec("quad32", *counts, out=t.v(form.d))
            finish(t, form)
            return
        helper = lanewise(leading(form.bits, signs), (Lanes(1, form.bits, bool(signs)),), Result(form.bits, form.count))
        soft(t, helper, form)

    return stage


def _saturated(name: str) -> Stage:
    """SQABS, SQNEG."""

    def stage(t: VectorTranslator, form: Form) -> None:
        soft(t, lanewise(SAME[name], (Lanes(1, form.bits, True),), Result(form.bits, form.count, "s")), form)

    return stage


def _accumulated(sign: str) -> Stage:
    """SUQADD, USQADD: the destination has one sign, the source the other one."""

    def stage(t: VectorTranslator, form: Form) -> None:
        sources = Lanes(0, form.bits, sign == "s"), Lanes(1, form.bits, sign == "u")
        soft(t, lanewise(SAME["add"], sources, Result(form.bits, form.count, sign)), form)

    return stage


def _absolute(t: VectorTranslator, form: Form) -> None:
    if form.bits < 64:
        t.vec(f"v_abs{form.bits}", t.v(form.n), out=t.v(form.d))
    else:
        for index in range(form.count):
            value = t.element(form.n, index, 64)
            t.movcond("lts", value, 0, t.neg(value), value, out=t.element(form.d, index, 64))
    finish(t, form)


def _negate(t: VectorTranslator, form: Form) -> None:
    zero_scratch(t)
    t.vec(SUB[form.bits], t.v(SCRATCH), t.v(form.n), out=t.v(form.d))
    finish(t, form)


def _neighbours(sign: str, *, accumulate: bool) -> Stage:
    """SADDLP, SADALP and so on."""

    def stage(t: VectorTranslator, form: Form) -> None:
        row = f"v_{sign}addlp{form.bits}"
        if accumulate:
            sums = t.vec(row, t.v(form.n), out=t.temp(128))
            t.vec(ADD[2 * form.bits], t.v(form.d), sums, out=t.v(form.d))
        else:
            t.vec(row, t.v(form.n), out=t.v(form.d))
        finish(t, form)

    return stage


def _same(value: int) -> int:
    return value


def _narrowed(signed: bool, sign: str) -> Stage:
    def stage(t: VectorTranslator, form: Form) -> None:
        if form.bits < 32 and not form.scalar:
            narrow_saturated(t, form, t.v(form.n), signed=signed, sign=sign)
            return
        count = 1 if form.scalar else 64 // form.bits
        result = Result(form.bits, count, sign, 64 if form.whole else 0)
        soft(t, lanewise(_same, (Lanes(1, 2 * form.bits, signed),), result), form)

    return stage


def _xtn(t: VectorTranslator, form: Form) -> None:
    write_half(t, form.d, form.whole, t.vec(f"v_xtn{form.bits}", t.v(form.n), out=t.temp(64)))


def _shll(t: VectorTranslator, form: Form) -> None:
    """SHLL: shifted by the width of an element."""
    wide = t.vec(f"v_uxtl{form.bits}", half(t, form.n, form.whole), out=t.temp(128))
    row = {8: "psllw_imm", 16: "pslld_imm", 32: "psllq_imm"}[form.bits]
    t.vec(row, wide, form.bits, out=t.v(form.d))


for _U, _sign in enumerate("su"):
    _register(f"{_sign}addlp", _U, "00010", _neighbours(_sign, accumulate=False), SMALL)
    _register(f"{_sign}adalp", _U, "00110", _neighbours(_sign, accumulate=True), SMALL)
    _register(f"{'su'[_U]}{'us'[_U]}qadd", _U, "00011", _accumulated(_sign), ALL, ALL)
    _register(f"{_sign}qxtn", _U, "10100", _narrowed(not _U, _sign), SMALL, SMALL)
_register("rev64", 0, "00000", _halves(_rev64), SMALL)
_register("rev32", 1, "00000", _halves(_rev32), (8, 16))
_register("rev16", 0, "00001", _halves(_rev16), (8,))
_register("cls", 0, "00100", _leading(1), SMALL)
_register("clz", 1, "00100", _leading(0), SMALL)
_register("cnt", 0, "00101", _halves(_count), (8,))
_register("not", 1, "00101", _not_or_rbit, (8, 16))
_register("sqabs", 0, "00111", _saturated("abs"), ALL, ALL)
_register("sqneg", 1, "00111", _saturated("neg"), ALL, ALL)
_register("cmgt", 0, "01000", _with_zero(greater), ALL, (64,))
_register("cmge", 1, "01000", _with_zero(greater_or_equal), ALL, (64,))
_register("cmeq", 0, "01001", _with_zero(equal), ALL, (64,))
_register("cmle", 1, "01001", _with_zero(greater_or_equal, swap=True), ALL, (64,))
_register("cmlt", 0, "01010", _with_zero(greater, swap=True), ALL, (64,))
_register("abs", 0, "01011", _absolute, ALL, (64,))
_register("neg", 1, "01011", _negate, ALL, (64,))
_register("xtn", 0, "10010", _xtn, SMALL)
_register("sqxtun", 1, "10010", _narrowed(True, "u"), SMALL, SMALL)
_register("shll", 1, "10011", _shll, SMALL)


# --- across lanes -----------------------------------------------------------------------------------------------------


def _across(name: str, U: int, opcode: str) -> None:
    """ADDV, SMAXV and so on: with fewer lanes all are there twice, or with zeros beside them."""

    def stage(t: A64Translator, Q: int, size: int, Rn: int, Rd: int) -> None:
        if size == 3 or (size == 2 and not Q):
            t.undefined()
        elif t.fp_enabled():
            source = t.v(Rn)
            if not Q:
                high = t.value(0, 64) if name == "add" else t.v(Rn, 64)
                source = t.vec("pair64", t.v(Rn, 64), high, out=t.temp(128))
            t.vec(f"v_{name}v{8 << size}", source, out=t.v(Rd, 64))
            t.clear_high(Rd)

    A64.insn(f"0 Q:1 {U} 01110 size:2 11000 {opcode} 10 Rn:5 Rd:5", name=name + "v")(stage)


def _long_sum(U: int, sign: str) -> None:
    def stage(t: A64Translator, Q: int, size: int, Rn: int, Rd: int) -> None:
        if size == 3 or (size == 2 and not Q):
            t.undefined()
        elif t.fp_enabled():
            source = t.v(Rn) if Q else t.vec("widen128", t.v(Rn, 64), out=t.temp(128))
            sums = t.vec(f"v_{sign}addlp{8 << size}", source, out=t.temp(128))
            if size == 2:
                t.add(t.glob(sums.offset, 64), t.glob(sums.offset + 8, 64), out=t.v(Rd, 64))
            else:
                t.vec(f"v_addv{16 << size}", sums, out=t.v(Rd, 64))
            t.clear_high(Rd)

    A64.insn(f"0 Q:1 {U} 01110 size:2 11000 00011 10 Rn:5 Rd:5", name=f"{sign}addlv")(stage)


_across("add", 0, "11011")
for _U, _sign in enumerate("su"):
    _across(f"{_sign}max", _U, "01010")
    _across(f"{_sign}min", _U, "11010")
    _long_sum(_U, _sign)


@A64.insn("01 0 11110 11 11000 11011 10 Rn:5 Rd:5")
def addp_scalar(t: A64Translator, Rn: int, Rd: int) -> None:
    """ADDP (scalar) (C6.3.6)."""
    if t.fp_enabled():
        t.add(t.v(Rn, 64), t.glob(v(Rn) + 8, 64), out=t.v(Rd, 64))
        t.clear_high(Rd)


def _estimate(name: str, U: int, function: Lane) -> None:
    """URECPE, URSQRTE."""

    def stage(t: A64Translator, Q: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            form = Form(32, bool(Q), Rd, Rn)
            soft(t, lanewise(function, (Lanes(1, 32),), Result(32, form.count)), form)

    A64.insn(f"0 Q:1 {U} 01110 10 10000 11100 10 Rn:5 Rd:5", name=name)(stage)


_estimate("urecpe", 0, unsigned_reciprocal_estimate)
_estimate("ursqrte", 1, unsigned_root_estimate)
