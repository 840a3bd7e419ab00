"""Shifts by an immediate (ARM DDI 0487A.f, C4.4.6: Advanced SIMD shift by immediate, scalar shift by immediate).

The highest bit of ``immh`` that is set tells the width of elements; the other bits and ``immb`` are the count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.decode import A64
from pyqemu.targets.aarch64.insns.simd_same import ADD
from pyqemu.targets.arm.simd import (
    LETTERS,
    Form,
    finish,
    half,
    narrow_saturated,
    shift_lanes,
    shift_right,
    soft,
    spread,
    write_half,
)
from pyqemu.targets.arm.simd_soft import Lanes, Result, lanewise, left, right

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.translator import A64Translator
    from pyqemu.targets.arm.vectors import VectorTranslator

ShiftStage = Callable[["A64Translator", Form, int], None]


WIDTHS = {8: "0001 rest:3", 16: "001 rest:4", 32: "01 rest:5", 64: "1 rest:6"}
"""``immh`` and ``immb``, by the width of elements (of the narrower ones, if there are two)."""


def _register(name: str, U: int, opcode: str, stage: ShiftStage, *, to_left: bool, narrow: bool = False,
              scalar: tuple[int, ...] = ()) -> None:  # fmt: skip
    """Enter an instruction; *stage* gets the count of a shift to that direction."""
    for bits, field in WIDTHS.items():
        if bits < 64 or not narrow:
            _enter(name, f"{U} 01111 0 {field} {opcode} 1 Rn:5 Rd:5", bits, stage, to_left)
        if bits in scalar:
            _enter(name, f"01 {U} 11111 0 {field} {opcode} 1 Rn:5 Rd:5", bits, stage, to_left)


def _enter(name: str, pattern: str, bits: int, stage: ShiftStage, to_left: bool) -> None:
    def vector(t: A64Translator, Q: int, rest: int, Rn: int, Rd: int) -> None:
        if bits == 64 and not Q:
            t.undefined()
        elif t.fp_enabled():
            stage(t, Form(bits, bool(Q), Rd, Rn), rest if to_left else bits - rest)

    def one(t: A64Translator, rest: int, Rn: int, Rd: int) -> None:
        if t.fp_enabled():
            stage(t, Form(bits, False, Rd, Rn, scalar=True), rest if to_left else bits - rest)

    if pattern.startswith("01"):
        A64.insn(pattern, name=name)(one)
    else:
        A64.insn("0 Q:1 " + pattern, name=name)(vector)


# --- in one width -----------------------------------------------------------------------------------------------------


def _plain(kind: str) -> ShiftStage:
    """SSHR, USHR, SHL."""

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        source = t.v(form.n)
        if form.bits == 8:  # is done in several steps
            shift_lanes(t, kind, source, form, count, shifted := t.temp(128))
            t.mov(t.v(form.d), shifted)
        else:
            shift_lanes(t, kind, source, form, count, t.v(form.d))
        finish(t, form)

    return stage


def _right(kind: str, rounding: int, *, accumulate: bool) -> ShiftStage:
    """SSRA, SRSHR, SRSRA and so on."""

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        shifted = shift_right(t, kind, t.v(form.n), form, count, rounding)
        if accumulate:
            t.vec(ADD[form.bits], t.v(form.d), shifted, out=t.v(form.d))
        else:
            t.mov(t.v(form.d), shifted)
        finish(t, form)

    return stage


def _inserted(to_left: bool) -> ShiftStage:
    """SLI, SRI: the destination keeps the bits that the shift makes free."""

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        ones = (1 << form.bits) - 1
        keep = (1 << count) - 1 if to_left else ones ^ ones >> count
        shifted = shift_lanes(t, "sll" if to_left else "srl", t.v(form.n), form, count, t.temp(128))
        for upper in range(1 + form.whole):
            target = half(t, form.d, upper)
            t.or_(target & spread(form.bits, keep), t.glob(shifted.offset + 8 * upper, 64), out=target)
        finish(t, form)

    return stage


def _saturated(*, signed: bool, sign: str) -> ShiftStage:
    """SQSHL, UQSHL, SQSHLU."""

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        soft(t, lanewise(left(count), (Lanes(1, form.bits, signed),), Result(form.bits, form.count, sign)), form)

    return stage


# --- narrower and wider -----------------------------------------------------------------------------------------------


def _shrn(t: VectorTranslator, form: Form, count: int) -> None:
    """SHRN (C6.3.218): glibc looks for bytes with it."""
    shifted = t.vec(f"psrl{LETTERS[2 * form.bits]}_imm", t.v(form.n), count, out=t.temp(128))
    write_half(t, form.d, form.whole, t.vec(f"v_xtn{form.bits}", shifted, out=t.temp(64)))


def _narrowed(rounding: int, *, signed: bool, sign: str) -> ShiftStage:
    """RSHRN, SQSHRN, SQSHRUN and so on."""

    kind = "sra" if signed else "srl"

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        if not form.scalar and (form.bits < 32 or not sign):
            wide = Form(2 * form.bits, True, form.d, form.n)
            shifted = shift_right(t, kind, t.v(form.n), wide, count, rounding)
            narrow_saturated(t, form, shifted, signed=signed, sign=sign)
            return
        number = 1 if form.scalar else 64 // form.bits
        result = Result(form.bits, number, sign, 64 if form.whole else 0)
        soft(t, lanewise(right(count, rounding), (Lanes(1, 2 * form.bits, signed),), result), form)

    return stage


def _widened(sign: str) -> ShiftStage:
    """SSHLL, USHLL; by zero they are SXTL and UXTL."""

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        row = f"v_{sign}xtl{form.bits}"
        if not count:
            t.vec(row, half(t, form.n, form.whole), out=t.v(form.d))
            return
        wide = t.vec(row, half(t, form.n, form.whole), out=t.temp(128))
        t.vec(f"psll{LETTERS[2 * form.bits]}_imm", wide, count, out=t.v(form.d))

    return stage


ALL, SMALL = (8, 16, 32, 64), (8, 16, 32)
for _U, _sign in enumerate("su"):
    _signed, _kind = not _U, "sra" if not _U else "srl"
    _register(f"{_sign}shr", _U, "00000", _plain(_kind), to_left=False, scalar=(64,))
    _register(f"{_sign}sra", _U, "00010", _right(_kind, 0, accumulate=True), to_left=False, scalar=(64,))
    _register(f"{_sign}rshr", _U, "00100", _right(_kind, 1, accumulate=False), to_left=False, scalar=(64,))
    _register(f"{_sign}rsra", _U, "00110", _right(_kind, 1, accumulate=True), to_left=False, scalar=(64,))
    _register(f"{_sign}qshl", _U, "01110", _saturated(signed=_signed, sign=_sign), to_left=True, scalar=ALL)
    for _r in (0, 1):
        _register(f"{_sign}q{'r' * _r}shrn", _U, f"1001{_r}", _narrowed(_r, signed=_signed, sign=_sign),
                  to_left=False, narrow=True, scalar=SMALL)  # fmt: skip
    _register(f"{_sign}shll", _U, "10100", _widened(_sign), to_left=True, narrow=True)
_register("sri", 1, "01000", _inserted(False), to_left=False, scalar=(64,))
_register("shl", 0, "01010", _plain("sll"), to_left=True, scalar=(64,))
_register("sli", 1, "01010", _inserted(True), to_left=True, scalar=(64,))
_register("sqshlu", 1, "01100", _saturated(signed=True, sign="u"), to_left=True, scalar=ALL)
_register("shrn", 0, "10000", _shrn, to_left=False, narrow=True)
_register("rshrn", 0, "10001", _narrowed(1, signed=False, sign=""), to_left=False, narrow=True)
for _r in (0, 1):
    _register(f"sq{'r' * _r}shrun", 1, f"1000{_r}", _narrowed(_r, signed=True, sign="u"), to_left=False, narrow=True,
              scalar=SMALL)  # fmt: skip
