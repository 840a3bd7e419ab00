"""How to round, what went wrong, and what architectures decide for themselves."""

from __future__ import annotations

from enum import IntEnum

from pyqemu.fpu.formats import Format, Kind, Number

INVALID, DENORMAL, DIVIDE_BY_ZERO, OVERFLOW, UNDERFLOW, INEXACT = 1, 2, 4, 8, 16, 32  #: as in x87 and SSE status


class Rounding(IntEnum):
    """Rounding directions (IEEE 754-2008, 4.3); the first four are numbered as x86 does."""

    NEAREST_EVEN = 0
    DOWN = 1
    UP = 2
    TOWARD_ZERO = 3
    NEAREST_AWAY = 4


class NanPolicy:
    """Which NaN an operation returns: IEEE 754 leaves it open. This class: always the default NaN."""

    default_sign = 0

    def default(self, fmt: Format) -> int:
        """The NaN of an invalid operation."""
        return fmt.nan(self.default_sign, 0)

    def choose(self, numbers: tuple[Number, ...]) -> Number | None:
        """The operand that is the result, quieted; None for the default NaN. At least one is a NaN."""
        return None


class SseNans(NanPolicy):
    """SSE: the first operand that is a NaN (SDM vol. 1, table 4-7)."""

    default_sign = 1

    def choose(self, numbers: tuple[Number, ...]) -> Number | None:
        return next(number for number in numbers if number.is_nan)


class X87Nans(NanPolicy):
    """x87: a quiet NaN wins over a signaling one; of two alike the larger significand wins (SDM vol. 1, table 4-7)."""

    default_sign = 1

    def choose(self, numbers: tuple[Number, ...]) -> Number | None:
        nans = [number for number in numbers if number.is_nan]
        if any(number.kind is Kind.UNSUPPORTED for number in nans):
            return None
        kinds = {number.kind for number in nans}
        if len(kinds) == 2 and len(nans) == 2:
            return next(number for number in nans if number.kind is Kind.QUIET)
        return max(nans, key=lambda number: (number.significand, -number.sign))


class Status:
    """The environment of operations.

    :ivar flags: exceptions so far
    :ivar precision: rounds to fewer bits than the format has (x87 precision control); 0: all
    :ivar tiny_before_rounding: when a result is checked for underflow (x86: after rounding)
    :ivar trap_underflow: signal underflow for exact tiny results, too (the exception is not masked)
    :ivar flush_to_zero: tiny results become zero; denormals_are_zero: subnormal operands count as zeros
    :ivar rounded_up: whether the last rounding increased the magnitude
    """

    __slots__ = ("denormals_are_zero", "flags", "flush_to_zero", "nans", "precision", "rounded_up", "rounding",
                 "tiny_before_rounding", "trap_underflow")  # fmt: skip

    def __init__(self, nans: NanPolicy, rounding: int = Rounding.NEAREST_EVEN, *, precision: int = 0) -> None:
        self.nans = nans
        self.rounding = rounding
        self.precision = precision
        self.flags = 0
        self.tiny_before_rounding = False
        self.trap_underflow = False
        self.flush_to_zero = False
        self.denormals_are_zero = False
        self.rounded_up = False

    def invalid(self, fmt: Format) -> int:
        """Signal an invalid operation; the result is the default NaN."""
        self.flags |= INVALID
        return self.nans.default(fmt)

    def operand(self, fmt: Format, pattern: int) -> Number:
        """Take an operand apart."""
        number = fmt.unpack(pattern)
        if number.subnormal and self.denormals_are_zero:
            return Number(Kind.ZERO, number.sign, 0, 0)
        return number

    def note_denormals(self, *numbers: Number) -> None:
        """Signal denormal operands, after it is clear that none is a NaN."""
        for number in numbers:
            if number.subnormal:
                self.flags |= DENORMAL

    def propagate(self, fmt: Format, *numbers: Number) -> int:
        """The result of an operation with at least one NaN among its operands."""
        if any(number.kind >= Kind.SIGNALING for number in numbers):
            self.flags |= INVALID
        chosen = self.nans.choose(numbers)
        if chosen is None:
            return self.nans.default(fmt)
        return fmt.nan(chosen.sign, chosen.significand)
