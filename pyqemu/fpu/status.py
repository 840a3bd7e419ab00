"""How to round, how to treat what is special, and what went wrong."""

from __future__ import annotations

from enum import IntEnum

from pyqemu.fpu.formats import SIGNALING, ZERO, Format, Number
from pyqemu.fpu.nans import NanRules

INVALID, DENORMAL, DIVIDE_BY_ZERO, OVERFLOW, UNDERFLOW, INEXACT = 1, 2, 4, 8, 16, 32  #: as in x87 and SSE status
INPUT_DENORMAL = 64  #: a subnormal operand was taken for a zero (ARM: IDC)
OUTPUT_DENORMAL = 128  #: a tiny result was made a zero


class Rounding(IntEnum):
    """Rounding directions (IEEE 754-2008, 4.3); the first four are numbered as x86 does."""

    NEAREST_EVEN = 0
    DOWN = 1
    UP = 2
    TOWARD_ZERO = 3
    NEAREST_AWAY = 4
    ODD = 5  #: an inexact result's last bit is one: safe to be rounded a second time (ARM: FPRounding_ODD)


class Status:
    """The environment of operations: modes, which the caller sets, and flags, which operations add to.

    :ivar flags: exceptions so far
    :ivar precision: rounds to fewer bits than the format has (x87 precision control); 0: all
    :ivar tiny_before_rounding: when a result is checked for underflow (ARM: before, x86: after rounding)
    :ivar trap_underflow: signal underflow for exact tiny results, too (the exception is not masked)
    :ivar flush_to_zero: tiny results become zeros, which signals *flush_flags*
    :ivar flush_flags: x86 signals underflow and inexact; ARM underflow alone (FPRound)
    :ivar denormals_are_zero: subnormal operands count as zeros, which signals *input_flags*
    :ivar input_flags: x86 signals nothing; ARM :data:`INPUT_DENORMAL`, but for half precision (FPUnpack)
    :ivar default_nan: every NaN that results is the default one (ARM: FPCR.DN)
    :ivar rounded_up: whether the last rounding increased the magnitude
    """

    __slots__ = ("default_nan", "denormals_are_zero", "flags", "flush_flags", "flush_to_zero", "input_flags", "nans",
                 "precision", "rounded_up", "rounding", "tiny_before_rounding", "trap_underflow")  # fmt: skip

    def __init__(self, nans: NanRules, rounding: int = Rounding.NEAREST_EVEN, *, precision: int = 0) -> None:
        self.nans = nans
        self.rounding = rounding
        self.precision = precision
        self.flags = 0
        self.tiny_before_rounding = False
        self.trap_underflow = False
        self.flush_to_zero = False
        self.flush_flags = UNDERFLOW | INEXACT
        self.denormals_are_zero = False
        self.input_flags = 0
        self.default_nan = False
        self.rounded_up = False

    def invalid(self, fmt: Format) -> int:
        """Signal an invalid operation; the result is the default NaN."""
        self.flags |= INVALID
        return self.nans.default(fmt)

    def operand(self, fmt: Format, pattern: int) -> Number:
        """Take an operand apart."""
        number = fmt.unpack(pattern)
        if self.denormals_are_zero and number.subnormal:
            self.flags |= self.input_flags
            return Number(ZERO, number.sign, 0, 0)
        return number

    def note_denormals(self, *numbers: Number) -> None:
        """Signal denormal operands, after it is clear that none is a NaN."""
        for number in numbers:
            if number.subnormal:
                self.flags |= DENORMAL

    def propagate(self, fmt: Format, *numbers: Number) -> int:
        """The result of an operation with at least one NaN among its operands."""
        for number in numbers:
            if number.kind >= SIGNALING:
                self.flags |= INVALID
        chosen = None if self.default_nan else self.nans.choose(numbers)
        if chosen is None:
            return self.nans.default(fmt)
        return fmt.nan(chosen.sign, chosen.significand)
