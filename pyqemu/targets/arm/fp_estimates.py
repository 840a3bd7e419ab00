"""Estimates of reciprocals and of their roots with rows: vectors of singles (DDI 0406C.b, A2.7.9; DDI 0487A.f, J1.3).

The architecture's tables have nothing in them but rounded quotients and roots of numbers of nine bits; arithmetic of
singles gives each of their entries. What is zero, denormal, infinite or no number, and reciprocals that are denormal,
are for software.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.fp import FpStage, OrElse, operand, result_of, soft, write
from pyqemu.targets.arm.simd import Form, constant
from pyqemu.targets.arm.simd_soft import Lanes

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorTranslator
    from pyqemu.tcg.builder import Label, Value

SIGN, EXPONENT = 1 << 31, 0xFF << 23
ESTIMATE = 0xFF << 15  #: the eight upper bits of the fraction
LEAST = 1 << 23  #: the least normal number
ONE, HALF, K = 0x3F800000, 0x3F000000, 0x44800000  #: 1, a half, 1024


class _Lanes:
    """Four singles that take part in arithmetic with patterns."""

    def __init__(self, t: VectorTranslator, value: Value) -> None:
        self.t = t
        self.value = value

    def row(self, name: str, pattern: int, *, first: bool = False) -> _Lanes:
        """A row of these and a vector whose lanes are all *pattern*, which may be the first operand."""
        other = constant(self.t, 32, pattern)
        operands = (other, self.value) if first else (self.value, other)
        return _Lanes(self.t, self.t.vec(name, *operands, out=self.t.temp(128)))

    def one(self, name: str, *more: Value | int) -> _Lanes:
        """A row of these."""
        return _Lanes(self.t, self.t.vec(name, self.value, *more, out=self.t.temp(128)))


def _unless_between(t: VectorTranslator, slow: Label, a: _Lanes, count: int) -> None:
    """Go to *slow* unless all patterns are the least normal number or up to *count* above that."""
    outside = a.row("psubd", LEAST).row("v_cmhs32", count).value
    t.brcond("ne", t.glob(outside.offset, 64) | t.glob(outside.offset + 8, 64), 0, slow)


def _reciprocal(t: VectorTranslator, a: _Lanes, slow: Label) -> Value:
    magnitude = a.row("pand", SIGN - 1)
    _unless_between(t, slow, magnitude, (253 << 23) - LEAST)
    middle = magnitude.row("pand", ESTIMATE).row("por", ONE | 1 << 14)  # of all numbers that begin like this
    quotient = middle.row("divps", K, first=True).one("rintmps")
    rounded = quotient.row("addps", ONE).row("mulps", HALF).one("rintmps")
    exponent = magnitude.row("pand", EXPONENT).row("psubd", 253 << 23, first=True)
    fraction = rounded.row("pand", ESTIMATE).one("por", exponent.value)
    return fraction.one("por", a.row("pand", SIGN).value).value


def _root(t: VectorTranslator, a: _Lanes, slow: Label) -> Value:
    _unless_between(t, slow, a, EXPONENT - LEAST)
    even = a.row("pandn", LEAST)  # the exponent is odd, and one less: twice as large
    middle = a.row("pand", ESTIMATE).row("por", ONE | 1 << 15).one("paddd", even.value)
    root = middle.one("sqrtps", middle.value)
    rounded = root.row("divps", K, first=True).one("rintpps").row("mulps", HALF).one("rintmps")
    exponent = a.row("pand", EXPONENT).row("psubd", 380 << 23, first=True).one("psrld_imm", 1).row("pand", EXPONENT)
    return rounded.row("pand", ESTIMATE).one("por", exponent.value).value


ROWS: dict[str, Callable[[VectorTranslator, _Lanes, Label], Value]] = {"recpe": _reciprocal, "rsqrte": _root}


def estimate(name: str) -> FpStage:
    """FRECPE, FRSQRTE; VRECPE, VRSQRTE of numbers. Nothing is signaled."""

    def stage(t: VectorTranslator, form: Form) -> None:
        helper = fp_soft.lanewise(fp_soft.one(name, form.bits), (Lanes(1, form.bits),), result_of(form))
        if form.scalar or form.bits == 64 or not t.exact_fp:
            soft(t, helper, form)
            return
        with OrElse(t, lambda: soft(t, helper, form)) as slow:
            write(t, form, ROWS[name](t, _Lanes(t, operand(t, form, form.n)), slow))

    return stage
