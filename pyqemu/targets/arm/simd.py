"""What integer vector instructions share: how their operands are named, and how rows and helpers are used for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.targets.arm.layout import FPSR
from pyqemu.targets.arm.simd_soft import QC, SAME, SCRATCH, Helper, Lanes, Result, lanewise
from pyqemu.tcg.builder import Value

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator

M64 = (1 << 64) - 1
LETTERS = {8: "b", 16: "w", 32: "d", 64: "q"}


@dataclass(frozen=True, slots=True)
class Form:
    """An instruction's form: the width of its elements, whether it has 128 bits, and its registers.

    :ivar scalar: it works on the lowest element only
    """

    bits: int
    whole: bool
    d: int
    n: int
    m: int = SCRATCH
    scalar: bool = False

    @property
    def count(self) -> int:
        """How many elements there are."""
        return 1 if self.scalar else (128 if self.whole else 64) // self.bits


Stage = Callable[["VectorTranslator", Form], None]
Rows = Mapping[int, str]


def lettered(name: str, widths: tuple[int, ...] = (8, 16, 32, 64)) -> dict[int, str]:
    """The rows ``name`` with the letters that x86 has for widths."""
    return {bits: name + LETTERS[bits] for bits in widths}


def numbered(name: str, widths: tuple[int, ...] = (8, 16, 32, 64)) -> dict[int, str]:
    """The rows ``name`` with the widths in bits."""
    return {bits: f"{name}{bits}" for bits in widths}


def soft(t: VectorTranslator, helper: Helper, form: Form) -> None:
    """Call a helper for the form's registers."""
    t.call(helper, form.d, form.n, form.m)


def target(t: VectorTranslator, form: Form) -> Value:
    """Where a row writes the form's result: :func:`finish` wants to have it."""
    return t.temp(128) if t.halves_alone and not form.whole else t.v(form.d)


def finish(t: VectorTranslator, form: Form, written: Value | None = None) -> None:
    """A row has written the result: clear what the destination has above its elements, or leave it as it was.

    :param written: what :func:`target` gave; None: only the destination's elements have been written
    """
    if form.whole:
        return
    if written is not None and t.halves_alone:
        t.mov(t.v(form.d, 64), written.low(64))
    else:
        t.clear_high(form.d)


def write(t: VectorTranslator, form: Form, value: Value) -> None:
    """Write a result of 128 bits, or its lower half."""
    if form.whole:
        t.mov(t.v(form.d), value)
    else:
        t.mov(t.v(form.d, 64), value.low(64))
        t.clear_high(form.d)


def half(t: VectorTranslator, number: int, upper: int | bool) -> Value:
    """The lower or the upper half of a register."""
    return t.glob(t.vector(number) + 8 * upper, 64)


def write_half(t: VectorTranslator, number: int, upper: int | bool, value: Value) -> None:
    """Write one half; with the lower one the upper one is cleared (XTN and XTN2)."""
    t.mov(half(t, number, upper), value)
    if not upper:
        t.clear_high(number)


def vertical(rows: Rows) -> Stage:
    """A stage of two sources that is one row for each width."""

    def stage(t: VectorTranslator, form: Form) -> None:
        finish(t, form, t.vec(rows[form.bits], t.v(form.n), t.v(form.m), out=target(t, form)))

    return stage


def saturating(name: str, sign: str) -> Stage:
    """Saturated sums (``add``) and differences (``sub``) of signed (``s``) or unsigned (``u``) numbers."""

    def stage(t: VectorTranslator, form: Form) -> None:
        if not form.scalar:
            a, b = t.v(form.n), t.v(form.m)
            write(t, form, limited_sum(t, name, sign, form.bits, a, b, whole=form.whole))
        else:
            sources = Lanes(1, form.bits, sign == "s"), Lanes(2, form.bits, sign == "s")
            soft(t, lanewise(SAME[name], sources, Result(form.bits, form.count, sign)), form)

    return stage


def limited_sum(t: VectorTranslator, name: str, sign: str, bits: int, a: Value, b: Value, *, whole: bool) -> Value:
    """A saturated sum or difference, see :func:`saturating`; QC is set where it is not the plain one.

    :param whole: whether all lanes count, or those of the lower half
    """
    letter = LETTERS[bits]
    row = f"p{name}{'us' if sign == 'u' else 's'}{letter}" if bits < 32 else f"v_{sign}q{name}{bits}"
    limited = t.vec(row, a, b, out=t.temp(128))
    cut = t.vec(f"p{name}{letter}", a, b, out=t.temp(128))
    note_saturation(t, t.vec("pxor", limited, cut, out=cut), whole=whole)
    return limited


def extreme(t: VectorTranslator, bits: int, value: Value) -> Value:
    """The largest or least number of each lane, with the sign that the lane has."""
    sign = negative(t, bits, value)
    return t.vec("pxor", sign, constant(t, bits, (1 << bits - 1) - 1), out=sign)


def negative(t: VectorTranslator, bits: int, value: Value) -> Value:
    """All ones where lanes are negative."""
    zero = t.temp(128)
    t.emit("zero128", zero.offset)
    return t.vec("pcmpgt" + LETTERS[bits], zero, value, out=zero)


def limited_to(t: VectorTranslator, bits: int, value: Value, pattern: int, *, whole: bool) -> Value:
    """Lanes that are the least number, as this is what an operation gives that overflows, become the greatest one.

    :param pattern: what they are
    """
    cut = t.vec("pcmpeq" + LETTERS[bits], value, constant(t, bits, pattern), out=t.temp(128))
    note_saturation(t, cut, whole=whole)
    return t.vec("pxor", cut, value, out=cut)


def note_saturation(t: VectorTranslator, difference: Value, *, whole: bool) -> None:
    """Set FPSR.QC if any bit of a vector is set."""
    low = t.glob(difference.offset, 64)
    some = low | t.glob(difference.offset + 8, 64) if whole else low
    with t.if_("ne", some, 0):
        t.or_(t.glob(FPSR, 64), QC, out=t.glob(FPSR, 64))


def splat(t: VectorTranslator, number: int, index: int, bits: int) -> None:
    """Put an element into all lanes of the scratch register."""
    value = t.extend(t.element(number, index, bits), 64, signed=False)
    t.replicate(SCRATCH, bits, value, whole=True)


def spread(bits: int, pattern: int) -> int:
    """64 bits of the same pattern of *bits* bits."""
    return M64 // ((1 << bits) - 1) * pattern


def constant(t: VectorTranslator, bits: int, pattern: int) -> Value:
    """A vector whose lanes are all the same number."""
    return t.vec("splat64", spread(bits, pattern & (1 << bits) - 1), out=t.temp(128))


def narrow_saturated(t: VectorTranslator, form: Form, value: Value, *, signed: bool, sign: str) -> None:
    """Narrow lanes of twice the width, 16 or 32 bits, to half of the destination.

    :param signed: what they are
    :param sign: how results are saturated: ``s``, ``u``; empty: not at all
    """
    wide, letter = 2 * form.bits, LETTERS[2 * form.bits]
    if sign:
        top = (1 << form.bits - (sign == "s")) - 1
        bottom = -top - 1 if sign == "s" else 0
        kind = "s" if signed else "u"
        limited = t.vec(f"pmin{kind}{letter}", value, constant(t, wide, top), out=t.temp(128))
        if signed:
            t.vec(f"pmaxs{letter}", limited, constant(t, wide, bottom), out=limited)
        note_saturation(t, t.vec("pxor", limited, value, out=t.temp(128)), whole=True)
        value = limited
    write_half(t, form.d, form.whole, t.vec(f"v_xtn{form.bits}", value, out=t.temp(64)))


# --- shifts -----------------------------------------------------------------------------------------------------------


def shift_lanes(t: VectorTranslator, kind: str, source: Value, form: Form, count: int, out: Value) -> Value:
    """Shift all lanes by a number that is at most their width (*kind*: ``sll``, ``srl``, ``sra``)."""
    bits = form.bits
    if kind == "sra":
        count = min(count, bits - 1)
    if bits == 8:
        _shift_bytes(t, kind, source, count, out)
    elif bits == 64 and kind == "sra":
        for at in range(0, 16 if form.whole else 8, 8):
            t.sar(t.glob(source.offset + at, 64), count, out=t.glob(out.offset + at, 64))
    else:
        t.vec(f"p{kind}{LETTERS[bits]}_imm", source, count, out=out)
    return out


def _shift_bytes(t: VectorTranslator, kind: str, source: Value, count: int, out: Value) -> None:
    """Bytes are shifted as halfwords, and what has come from the neighbour is cut off."""
    keep = 0xFF << count & 0xFF if kind == "sll" else 0xFF >> count
    moved = t.vec("psllw_imm" if kind == "sll" else "psrlw_imm", source, count, out=t.temp(128))
    t.vec("pand", moved, constant(t, 8, keep), out=out)
    if kind == "sra":  # let the sign, where it has got to, be the sign again
        sign = constant(t, 8, 0x80 >> count)
        t.vec("pxor", out, sign, out=out)
        t.vec("psubb", out, sign, out=out)


def shift_right(t: VectorTranslator, kind: str, source: Value, form: Form, count: int, rounding: int) -> Value:
    """Shift all lanes to the right; with *rounding* the last bit that is lost is added."""
    shifted = shift_lanes(t, kind, source, form, count, t.temp(128))
    if rounding:
        last = shift_lanes(t, "sll", source, form, form.bits - count, t.temp(128))
        shift_lanes(t, "srl", last, form, form.bits - 1, last)
        t.vec(f"padd{LETTERS[form.bits]}", shifted, last, out=shifted)
    return shifted


def zero_scratch(t: VectorTranslator) -> None:
    """Make the scratch register zero."""
    t.emit("zero128", t.vector(SCRATCH))
