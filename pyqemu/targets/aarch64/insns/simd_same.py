"""Three registers of the same shape: integers (ARM DDI 0487A.f, C4.4.6: three same, scalar three same)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.layout import v
from pyqemu.targets.arm.simd import (
    Form,
    Stage,
    finish,
    half,
    lettered,
    numbered,
    saturating,
    shift_lanes,
    soft,
    vertical,
)
from pyqemu.targets.arm.simd_soft import SAME, Lanes, Result, high_product, lanewise
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.targets.arm.vectors import VectorTranslator

ALL, SMALL = (8, 16, 32, 64), (8, 16, 32)
ADD, SUB = lettered("padd"), lettered("psub")


def _register(name: str, U: int, opcode: str, stage: Stage, widths: tuple[int, ...], scalar: tuple[int, ...]) -> None:
    """Enter an instruction with its vector form and, for some widths, its scalar one."""

    def vector(t: A64Translator, Q: int, size: int, Rm: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in widths or (bits == 64 and not Q):
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, bool(Q), Rd, Rn, Rm))

    def one(t: A64Translator, size: int, Rm: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in scalar:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, False, Rd, Rn, Rm, scalar=True))

    A64.insn(f"0 Q:1 {U} 01110 size:2 1 Rm:5 {opcode} 1 Rn:5 Rd:5", name=name)(vector)
    if scalar:
        A64.insn(f"01 {U} 11110 size:2 1 Rm:5 {opcode} 1 Rn:5 Rd:5", name=name)(one)


# --- stages -----------------------------------------------------------------------------------------------------------


def shifted(*, signed: bool, rounded: bool, saturated: bool) -> Stage:
    """Shifts by the second source's signed lowest bytes."""
    lane = SAME["rshl" if rounded else "shl"]
    sign = "su"[not signed] if saturated else ""

    row = "v_sshl" if signed else "v_ushl"

    def stage(t: VectorTranslator, form: Form) -> None:
        if not rounded and not saturated and row + "32" in t.table and form.bits > 8:
            _shift_rows(t, form, row)
            return
        sources = Lanes(1, form.bits, signed), Lanes(2, form.bits)
        soft(t, lanewise(lane, sources, Result(form.bits, form.count, sign)), form)

    return stage


def _shift_rows(t: VectorTranslator, form: Form, row: str) -> None:
    """Lanes of 16 bits are shifted as lanes of 32 bits."""
    if form.bits > 16:
        t.vec(f"{row}{form.bits}", t.v(form.n), t.v(form.m), out=t.v(form.d))
    else:
        halves = []
        for upper in range(1 + form.whole):
            value = t.vec(f"v_{row[2]}xtl16", half(t, form.n, upper), out=t.temp(128))
            count = t.vec("v_uxtl16", half(t, form.m, upper), out=t.temp(128))
            halves.append(t.vec(row + "32", value, count, out=value))
        t.vec("v_uzp1_16", halves[0], halves[-1], out=t.v(form.d))
    finish(t, form)


def doubling_high(rounding: int) -> Stage:
    """SQDMULH, SQRDMULH."""

    def stage(t: VectorTranslator, form: Form) -> None:
        sources = Lanes(1, form.bits, True), Lanes(2, form.bits, True)
        result = Result(form.bits, form.count, "s")
        soft(t, lanewise(high_product(form.bits, rounding), sources, result), form)

    return stage


def _difference(*, signed: bool, accumulate: bool) -> Stage:
    sign = "s" if signed else "u"
    high, low = lettered(f"pmax{sign}", SMALL), lettered(f"pmin{sign}", SMALL)

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = t.v(form.n), t.v(form.m)
        most = t.vec(high[form.bits], a, b, out=t.temp(128))
        least = t.vec(low[form.bits], a, b, out=t.temp(128))
        if accumulate:
            t.vec(SUB[form.bits], most, least, out=most)
            t.vec(ADD[form.bits], t.v(form.d), most, out=t.v(form.d))
        else:
            t.vec(SUB[form.bits], most, least, out=t.v(form.d))
        finish(t, form)

    return stage


def _pairwise(rows: dict[int, str]) -> Stage:
    """ADDP, SMAXP and so on: the even lanes of both sources with the odd ones."""

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = t.v(form.n), t.v(form.m)
        if not form.whole:  # all lanes are in one vector then
            a = b = t.vec("pair64", t.v(form.n, 64), t.v(form.m, 64), out=t.temp(128))
        if form.bits == 64:
            even = t.vec("punpcklqdq", a, b, out=t.temp(128))
            odd = t.vec("punpckhqdq", a, b, out=t.temp(128))
        else:
            even = t.vec(f"v_uzp1_{form.bits}", a, b, out=t.temp(128))
            odd = t.vec(f"v_uzp2_{form.bits}", a, b, out=t.temp(128))
        t.vec(rows[form.bits], even, odd, out=t.v(form.d))
        finish(t, form)

    return stage


def _equal_high(name: str) -> Stage:
    """CMHI and CMHS of 64 bits: no host has a row for them that needs no constants."""
    cond = {"v_cmhi": "gtu", "v_cmhs": "geu"}[name]
    rows = numbered(name, SMALL)

    def stage(t: VectorTranslator, form: Form) -> None:
        if form.bits < 64:
            t.vec(rows[form.bits], t.v(form.n), t.v(form.m), out=t.v(form.d))
        else:
            for index in range(form.count):
                holds = t.setcond(cond, t.element(form.n, index, 64), t.element(form.m, index, 64))
                t.neg(t.extend(holds, 64, signed=False), out=t.element(form.d, index, 64))
        finish(t, form)

    return stage


def _half_difference(*, signed: bool) -> Stage:
    """SHSUB, UHSUB."""

    def stage(t: VectorTranslator, form: Form) -> None:
        sources = Lanes(1, form.bits, signed), Lanes(2, form.bits, signed)
        soft(t, lanewise(SAME["hsub"], sources, Result(form.bits, form.count)), form)

    return stage


def _polynomial(t: VectorTranslator, form: Form) -> None:
    sources = Lanes(1, form.bits), Lanes(2, form.bits)
    soft(t, lanewise(SAME["pmul"], sources, Result(form.bits, form.count)), form)


def _logic(row: str, order: str) -> Stage:
    """Logic; *order* names the operands of the row."""

    def stage(t: VectorTranslator, form: Form) -> None:
        t.vec(row, *(t.v(getattr(form, letter)) for letter in order), out=t.v(form.d))
        finish(t, form)

    return stage


def _average(kind: str, rounding: int) -> Stage:
    """SHADD, SRHADD and so on: what both have, or either has, and half of that in which they differ."""

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = t.v(form.n), t.v(form.m)
        common = t.vec("por" if rounding else "pand", a, b, out=t.temp(128))
        differing = t.vec("pxor", a, b, out=t.temp(128))
        less = shift_lanes(t, kind, differing, form, 1, t.temp(128))
        t.vec((SUB if rounding else ADD)[form.bits], common, less, out=t.v(form.d))
        finish(t, form)

    return stage


MULTIPLY = {16: "pmullw", 32: "pmulld"}


def _products(t: VectorTranslator, form: Form) -> Value:
    """Products of lanes; of bytes by way of words."""
    if form.bits > 8:
        return t.vec(MULTIPLY[form.bits], t.v(form.n), t.v(form.m), out=t.temp(128))
    halves = []
    for upper in (0, 1):
        a, b = (
            t.vec("v_uxtl8", t.glob(v(number) + 8 * upper, 64), out=t.temp(128)) for number in (form.n, form.m)
        )  # fmt: skip
        halves.append(t.vec("pmullw", a, b, out=a))
    return t.vec("v_uzp1_8", *halves, out=halves[0])


def multiply(t: VectorTranslator, form: Form) -> None:
    """MUL."""
    t.mov(t.v(form.d), _products(t, form))
    finish(t, form)


def _multiply_to(rows: dict[int, str]) -> Stage:
    """MLA, MLS."""

    def stage(t: VectorTranslator, form: Form) -> None:
        t.vec(rows[form.bits], t.v(form.d), _products(t, form), out=t.v(form.d))
        finish(t, form)

    return stage


multiply_add, multiply_subtract = _multiply_to(ADD), _multiply_to(SUB)
greater = vertical(lettered("pcmpgt"))
greater_or_equal = vertical(numbered("v_cmge"))
equal = vertical(lettered("pcmpeq"))


def _logical() -> None:
    names = {(0, 0): ("and", "pand", "nm"), (0, 1): ("bic", "pandn", "mn"), (0, 2): ("orr", "por", "nm"),
             (0, 3): ("orn", "v_orn", "nm"), (1, 0): ("eor", "pxor", "nm"), (1, 1): ("bsl", "v_bsl", "dnm"),
             (1, 2): ("bit", "v_bsl", "mnd"), (1, 3): ("bif", "v_bsl", "mdn")}  # fmt: skip
    for (U, size), (name, row, order) in names.items():
        stage = _logic(row, order)

        def logical(t: A64Translator, Q: int, Rm: int, Rn: int, Rd: int, stage: Stage = stage) -> None:
            if t.fp_enabled():
                stage(t, Form(8, bool(Q), Rd, Rn, Rm))

        A64.insn(f"0 Q:1 {U} 01110 {size:02b} 1 Rm:5 00011 1 Rn:5 Rd:5", name=name)(logical)


def _signed_and_unsigned() -> None:
    for U, sign in enumerate("su"):
        signed, letter = not U, sign
        kind = "srl" if U else "sra"
        mark = "us" if U else "s"
        entries: tuple[tuple[str, str, Stage, tuple[int, ...], tuple[int, ...]], ...] = (
            ("hadd", "00000", _average(kind, 0), SMALL, ()),
            ("qadd", "00001", saturating(SAME["add"], letter, lettered(f"padd{mark}", (8, 16)), ADD), ALL, ALL),
            ("rhadd", "00010", _average(kind, 1), SMALL, ()),
            ("hsub", "00100", _half_difference(signed=signed), SMALL, ()),
            ("qsub", "00101", saturating(SAME["sub"], letter, lettered(f"psub{mark}", (8, 16)), SUB), ALL, ALL),
            ("shl", "01000", shifted(signed=signed, rounded=False, saturated=False), ALL, (64,)),
            ("qshl", "01001", shifted(signed=signed, rounded=False, saturated=True), ALL, ALL),
            ("rshl", "01010", shifted(signed=signed, rounded=True, saturated=False), ALL, (64,)),
            ("qrshl", "01011", shifted(signed=signed, rounded=True, saturated=True), ALL, ALL),
            ("max", "01100", vertical(lettered(f"pmax{sign}", SMALL)), SMALL, ()),
            ("min", "01101", vertical(lettered(f"pmin{sign}", SMALL)), SMALL, ()),
            ("abd", "01110", _difference(signed=signed, accumulate=False), SMALL, ()),
            ("aba", "01111", _difference(signed=signed, accumulate=True), SMALL, ()),
            ("maxp", "10100", _pairwise(lettered(f"pmax{sign}", SMALL)), SMALL, ()),
            ("minp", "10101", _pairwise(lettered(f"pmin{sign}", SMALL)), SMALL, ()),
        )
        for name, opcode, stage, widths, scalar in entries:
            _register(sign + name, U, opcode, stage, widths, scalar)


def _others() -> None:
    entries: tuple[tuple[str, int, str, Stage, tuple[int, ...], tuple[int, ...]], ...] = (
        ("cmgt", 0, "00110", greater, ALL, (64,)),
        ("cmhi", 1, "00110", _equal_high("v_cmhi"), ALL, (64,)),
        ("cmge", 0, "00111", greater_or_equal, ALL, (64,)),
        ("cmhs", 1, "00111", _equal_high("v_cmhs"), ALL, (64,)),
        ("add", 0, "10000", vertical(ADD), ALL, (64,)),
        ("sub", 1, "10000", vertical(SUB), ALL, (64,)),
        ("cmtst", 0, "10001", vertical(numbered("v_cmtst")), ALL, (64,)),
        ("cmeq", 1, "10001", equal, ALL, (64,)),
        ("mla", 0, "10010", multiply_add, SMALL, ()),
        ("mls", 1, "10010", multiply_subtract, SMALL, ()),
        ("mul", 0, "10011", multiply, SMALL, ()),
        ("pmul", 1, "10011", _polynomial, (8,), ()),
        ("sqdmulh", 0, "10110", doubling_high(0), (16, 32), (16, 32)),
        ("sqrdmulh", 1, "10110", doubling_high(1), (16, 32), (16, 32)),
        ("addp", 0, "10111", _pairwise(ADD), ALL, ()),
    )
    for entry in entries:
        _register(*entry)


_logical()
_signed_and_unsigned()
_others()
