"""Stages of shifts by an immediate (ARM DDI 0487A.f, C4.4.6; DDI 0406C.b, A7.4.4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.arm.simd import (
    LETTERS,
    Form,
    constant,
    extreme,
    finish,
    half,
    narrow_saturated,
    negative,
    note_saturation,
    shift_lanes,
    shift_right,
    soft,
    target,
    write,
    write_half,
)
from pyqemu.targets.arm.simd_same import ADD
from pyqemu.targets.arm.simd_soft import Lanes, Result, lanewise, left, right

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator

ShiftStage = Callable[["VectorTranslator", Form, int], None]
"""A stage that gets the count of a shift to its direction."""


# --- in one width -----------------------------------------------------------------------------------------------------


def plain(kind: str) -> ShiftStage:
    """SSHR, USHR, SHL."""

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        if form.bits == 8:  # is done in several steps
            write(t, form, shift_lanes(t, kind, t.v(form.n), form, count, t.temp(128)))
        else:
            finish(t, form, shift_lanes(t, kind, t.v(form.n), form, count, target(t, form)))

    return stage


def shifted_right(kind: str, rounding: int, *, accumulate: bool) -> ShiftStage:
    """SSRA, SRSHR, SRSRA and so on."""

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        shifted = shift_right(t, kind, t.v(form.n), form, count, rounding)
        if accumulate:
            finish(t, form, t.vec(ADD[form.bits], t.v(form.d), shifted, out=target(t, form)))
        else:
            write(t, form, shifted)

    return stage


def inserted(to_left: bool) -> ShiftStage:
    """SLI, SRI: the destination keeps the bits that the shift makes free."""

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        ones = (1 << form.bits) - 1
        keep = (1 << count) - 1 if to_left else ones ^ ones >> count
        shifted = shift_lanes(t, "sll" if to_left else "srl", t.v(form.n), form, count, t.temp(128))
        kept = t.vec("pand", t.v(form.d), constant(t, form.bits, keep), out=t.temp(128))
        finish(t, form, t.vec("por", kept, shifted, out=target(t, form)))

    return stage


def saturated_left(*, signed: bool, sign: str) -> ShiftStage:
    """SQSHL, UQSHL, SQSHLU: what does not come back when it is shifted back has been too large."""
    back = "sra" if sign == "s" else "srl"

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        if form.bits < 64 and not form.scalar:
            source, letter = t.v(form.n), LETTERS[form.bits]
            shifted = shift_lanes(t, "sll", source, form, count, t.temp(128))
            kept = shift_lanes(t, back, shifted, form, count, t.temp(128))
            fits = t.vec("pcmpeq" + letter, kept, source, out=kept)
            limit = extreme(t, form.bits, source) if sign == "s" else constant(t, form.bits, -1)
            if signed and sign == "u":  # negative numbers become zero
                below = negative(t, form.bits, source)
                fits = t.vec("pandn", below, fits, out=fits)
                limit = t.vec("pandn", below, limit, out=limit)
            note_saturation(t, t.vec("v_not", fits, out=t.temp(128)), whole=form.whole)
            write(t, form, t.vec("v_bsl", fits, shifted, limit, out=shifted))
            return
        soft(t, lanewise(left(count), (Lanes(1, form.bits, signed),), Result(form.bits, form.count, sign)), form)

    return stage


# --- narrower and wider -----------------------------------------------------------------------------------------------


def narrowed_plainly(t: VectorTranslator, form: Form, count: int) -> None:
    """SHRN (C6.3.218): glibc looks for bytes with it."""
    shifted = t.vec(f"psrl{LETTERS[2 * form.bits]}_imm", t.v(form.n), count, out=t.temp(128))
    write_half(t, form.d, form.whole, t.vec(f"v_xtn{form.bits}", shifted, out=t.temp(64)))


def narrowed(rounding: int, *, signed: bool, sign: str) -> ShiftStage:
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


def widened(sign: str) -> ShiftStage:
    """SSHLL, USHLL; by zero they are SXTL and UXTL."""

    def stage(t: VectorTranslator, form: Form, count: int) -> None:
        row = f"v_{sign}xtl{form.bits}"
        if not count:
            t.vec(row, half(t, form.n, form.whole), out=t.v(form.d))
            return
        wide = t.vec(row, half(t, form.n, form.whole), out=t.temp(128))
        t.vec(f"psll{LETTERS[2 * form.bits]}_imm", wide, count, out=t.v(form.d))

    return stage
