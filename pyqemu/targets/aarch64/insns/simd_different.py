"""Sources and destination of different widths (ARM DDI 0487A.f, C4.4.6: three different, scalar three different)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.insns.simd_same import ADD, SMALL, SUB
from pyqemu.targets.arm.simd import Form, Stage, half, lettered, soft, write_half
from pyqemu.targets.arm.simd_soft import SAME, Lanes, Result, doubling_accumulated, lanewise
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.targets.arm.vectors import VectorTranslator

LONG_PRODUCTS = {("s", 8): "pmullw", ("s", 16): "pmulld", ("s", 32): "pmuldq",
                 ("u", 8): "pmullw", ("u", 16): "pmulld", ("u", 32): "pmuludq"}  # fmt: skip
"""Rows for lanes that have been widened; of products of 64 bits they look at the lower halves of lanes."""
RIGHT = {8: "psrlw_imm", 16: "psrld_imm", 32: "psrlq_imm"}  #: logical right shifts of lanes twice as wide


def widened(t: VectorTranslator, number: int, form: Form, sign: str) -> Value:
    """The elements of one half of a register, as lanes twice as wide."""
    return t.vec(f"v_{sign}xtl{form.bits}", half(t, number, form.whole), out=t.temp(128))


def long_sum(rows: dict[int, str], sign: str, *, wide: bool) -> Stage:
    """SADDL, SADDW, SSUBL, SSUBW and so on."""

    def stage(t: VectorTranslator, form: Form) -> None:
        first = t.v(form.n) if wide else widened(t, form.n, form, sign)
        t.vec(rows[2 * form.bits], first, widened(t, form.m, form, sign), out=t.v(form.d))

    return stage


def long_product(sign: str, then: dict[int, str] | None = None) -> Stage:
    """SMULL, SMLAL, SMLSL and so on."""

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = widened(t, form.n, form, sign), widened(t, form.m, form, sign)
        row = LONG_PRODUCTS[sign, form.bits]
        if then is None:
            t.vec(row, a, b, out=t.v(form.d))
        else:
            t.vec(row, a, b, out=a)
            t.vec(then[2 * form.bits], t.v(form.d), a, out=t.v(form.d))

    return stage


def _long_difference(sign: str, *, accumulate: bool) -> Stage:
    """SABDL, SABAL and so on: of numbers that have been widened signed rows tell all."""
    high, low = lettered(f"pmax{sign}", SMALL), lettered(f"pmin{sign}", SMALL)

    def stage(t: VectorTranslator, form: Form) -> None:
        a, b = half(t, form.n, form.whole), half(t, form.m, form.whole)
        whole_a, whole_b = (t.vec("widen128", value, out=t.temp(128)) for value in (a, b))
        most = t.vec(high[form.bits], whole_a, whole_b, out=t.temp(128))
        least = t.vec(low[form.bits], whole_a, whole_b, out=t.temp(128))
        t.vec(SUB[form.bits], most, least, out=most)
        row = f"v_uxtl{form.bits}"
        if accumulate:
            distance = t.vec(row, t.glob(most.offset, 64), out=t.temp(128))
            t.vec(ADD[2 * form.bits], t.v(form.d), distance, out=t.v(form.d))
        else:
            t.vec(row, t.glob(most.offset, 64), out=t.v(form.d))

    return stage


def _high_half(rows: dict[int, str], rounding: int) -> Stage:
    """ADDHN, RSUBHN and so on: the upper halves of sums or differences."""

    def stage(t: VectorTranslator, form: Form) -> None:
        total = t.vec(rows[2 * form.bits], t.v(form.n), t.v(form.m), out=t.temp(128))
        if rounding:
            width = 2 * form.bits
            one = t.temp(128)
            ones = ((1 << 64) - 1) // ((1 << width) - 1) * (1 << form.bits - 1)
            t.mov(t.glob(one.offset, 64), ones)
            t.mov(t.glob(one.offset + 8, 64), ones)
            t.vec(ADD[width], total, one, out=total)
        t.vec(RIGHT[form.bits], total, form.bits, out=total)
        write_half(t, form.d, form.whole, t.vec(f"v_xtn{form.bits}", total, out=t.temp(64)))

    return stage


def doubling(minus: int | None) -> Stage:
    """SQDMULL, SQDMLAL, SQDMLSL."""

    def stage(t: VectorTranslator, form: Form) -> None:
        count = 1 if form.scalar else 64 // form.bits
        first = 64 if form.whole else 0
        if minus is None:
            sources = Lanes(1, form.bits, True, first), Lanes(2, form.bits, True, first)
            soft(t, lanewise(SAME["dmul"], sources, Result(2 * form.bits, count, "s")), form)
        else:
            soft(t, doubling_accumulated(form.bits, count, first, minus), form)

    return stage


def _register(name: str, U: int, opcode: str, stage: Stage, widths: tuple[int, ...] = SMALL) -> None:
    def vector(t: A64Translator, Q: int, size: int, Rm: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in widths:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, bool(Q), Rd, Rn, Rm))

    def one(t: A64Translator, size: int, Rm: int, Rn: int, Rd: int) -> None:
        bits = 8 << size
        if bits not in widths:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, False, Rd, Rn, Rm, scalar=True))

    A64.insn(f"0 Q:1 {U} 01110 size:2 1 Rm:5 {opcode} 00 Rn:5 Rd:5", name=name)(vector)
    if name.startswith("sqd"):
        A64.insn(f"01 {U} 11110 size:2 1 Rm:5 {opcode} 00 Rn:5 Rd:5", name=name)(one)


for _U, _sign in enumerate("su"):
    for _wide in (0, 1):
        _register(f"{_sign}add{'lw'[_wide]}", _U, f"000{_wide}", long_sum(ADD, _sign, wide=bool(_wide)))
        _register(f"{_sign}sub{'lw'[_wide]}", _U, f"001{_wide}", long_sum(SUB, _sign, wide=bool(_wide)))
    _register(f"{'r' * _U}addhn", _U, "0100", _high_half(ADD, _U))
    _register(f"{'r' * _U}subhn", _U, "0110", _high_half(SUB, _U))
    _register(f"{_sign}abal", _U, "0101", _long_difference(_sign, accumulate=True))
    _register(f"{_sign}abdl", _U, "0111", _long_difference(_sign, accumulate=False))
    _register(f"{_sign}mlal", _U, "1000", long_product(_sign, ADD))
    _register(f"{_sign}mlsl", _U, "1010", long_product(_sign, SUB))
    _register(f"{_sign}mull", _U, "1100", long_product(_sign))
_register("sqdmlal", 0, "1001", doubling(0), (16, 32))
_register("sqdmlsl", 0, "1011", doubling(1), (16, 32))
_register("sqdmull", 0, "1101", doubling(None), (16, 32))


@A64.insn("0 Q:1 0 01110 00 1 Rm:5 1110 00 Rn:5 Rd:5", name="pmull")
def polynomial_bytes(t: A64Translator, Q: int, Rm: int, Rn: int, Rd: int) -> None:
    """PMULL of bytes (C6.3.196)."""
    _polynomial(t, 8, Q, Rm, Rn, Rd)


@A64.insn("0 Q:1 0 01110 11 1 Rm:5 1110 00 Rn:5 Rd:5", name="pmull", feature="aes")
def polynomial_long(t: A64Translator, Q: int, Rm: int, Rn: int, Rd: int) -> None:
    """PMULL of 64 bits, which belongs to the cryptographic instructions (C6.3.196)."""
    _polynomial(t, 64, Q, Rm, Rn, Rd)


def _polynomial(t: A64Translator, bits: int, Q: int, Rm: int, Rn: int, Rd: int) -> None:
    if not t.fp_enabled():
        return
    if bits == 64 and "v_pmull64" in t.table:
        t.vec("v_pmull64", half(t, Rn, Q), half(t, Rm, Q), out=t.v(Rd))
    else:
        sources = Lanes(1, bits, False, 64 * Q), Lanes(2, bits, False, 64 * Q)
        soft(t, lanewise(SAME["pmul"], sources, Result(2 * bits, 64 // bits)), Form(bits, bool(Q), Rd, Rn, Rm))
