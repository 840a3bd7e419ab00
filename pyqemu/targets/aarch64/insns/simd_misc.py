"""One source: integers (ARM DDI 0487A.f, C4.4.6: two-register miscellaneous, across lanes, scalar pairwise)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.fpu.arm_estimates import unsigned_reciprocal_estimate, unsigned_root_estimate
from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.layout import v
from pyqemu.targets.arm.simd import Form, Stage
from pyqemu.targets.arm.simd_misc import (
    absolute,
    accumulated,
    by_halves,
    count,
    estimate,
    leading_bits,
    narrowed,
    negate,
    neighbours,
    not_or_rbit,
    rev16,
    rev32,
    rev64,
    saturated,
    shll,
    with_zero,
    xtn,
)
from pyqemu.targets.arm.simd_same import ALL, SMALL, equal, greater, greater_or_equal
from pyqemu.targets.arm.simd_soft import Lane

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator

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


for _U, _sign in enumerate("su"):
    _register(f"{_sign}addlp", _U, "00010", neighbours(_sign, accumulate=False), SMALL)
    _register(f"{_sign}adalp", _U, "00110", neighbours(_sign, accumulate=True), SMALL)
    _register(f"{'su'[_U]}{'us'[_U]}qadd", _U, "00011", accumulated(_sign), ALL, ALL)
    _register(f"{_sign}qxtn", _U, "10100", narrowed(not _U, _sign), SMALL, SMALL)
_register("rev64", 0, "00000", by_halves(rev64), SMALL)
_register("rev32", 1, "00000", by_halves(rev32), (8, 16))
_register("rev16", 0, "00001", by_halves(rev16), (8,))
_register("cls", 0, "00100", leading_bits(1), SMALL)
_register("clz", 1, "00100", leading_bits(0), SMALL)
_register("cnt", 0, "00101", by_halves(count), (8,))
_register("not", 1, "00101", not_or_rbit, (8, 16))
_register("sqabs", 0, "00111", saturated("abs"), ALL, ALL)
_register("sqneg", 1, "00111", saturated("neg"), ALL, ALL)
_register("cmgt", 0, "01000", with_zero(greater), ALL, (64,))
_register("cmge", 1, "01000", with_zero(greater_or_equal), ALL, (64,))
_register("cmeq", 0, "01001", with_zero(equal), ALL, (64,))
_register("cmle", 1, "01001", with_zero(greater_or_equal, swap=True), ALL, (64,))
_register("cmlt", 0, "01010", with_zero(greater, swap=True), ALL, (64,))
_register("abs", 0, "01011", absolute, ALL, (64,))
_register("neg", 1, "01011", negate, ALL, (64,))
_register("xtn", 0, "10010", xtn, SMALL)
_register("sqxtun", 1, "10010", narrowed(True, "u"), SMALL, SMALL)
_register("shll", 1, "10011", shll, SMALL)


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
    stage = estimate(function)

    def instruction(t: A64Translator, Q: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            stage(t, Form(32, bool(Q), Rd, Rn))

    A64.insn(f"0 Q:1 {U} 01110 10 10000 11100 10 Rn:5 Rd:5", name=name)(instruction)


_estimate("urecpe", 0, unsigned_reciprocal_estimate)
_estimate("ursqrte", 1, unsigned_root_estimate)
