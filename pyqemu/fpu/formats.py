"""Formats: bit patterns and the numbers they stand for (IEEE 754-2008, 3.4; SDM vol. 1, 4.2.2 and 8.2)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """What a bit pattern stands for."""

    ZERO = 0
    FINITE = 1
    INFINITY = 2
    QUIET = 3
    SIGNALING = 4
    UNSUPPORTED = 5  #: an x87 pattern that is an invalid operand (SDM vol. 1, 8.2.2)


# An enumeration's members cost more to look up than a module's names, and these are needed in every operation.
ZERO, FINITE, INFINITY, QUIET, SIGNALING, UNSUPPORTED = Kind


class Number(NamedTuple):
    """A bit pattern taken apart.

    A finite number is ``(-1)**sign * significand * 2**exponent``; a NaN's significand is its fraction field.
    """

    kind: Kind
    sign: int
    exponent: int
    significand: int
    subnormal: bool = False

    @property
    def is_nan(self) -> bool:
        """Whether this is a NaN, or a pattern that is treated as one."""
        return self.kind >= QUIET


class Format:
    """A binary interchange format, or one like it.

    *precision* counts the significand's bits with the leading one, which is a bit of the pattern if *explicit*. A
    *finite_only* format has neither infinities nor NaNs: what would be their exponent is one of normal numbers.

    :ivar special: the exponent field of infinities and NaNs; one that cannot occur, if there are none
    :ivar leading: the bit of the leading one in a significand
    :ivar implicit: what a normal number's fraction field lacks of its significand: *leading* or nothing
    :ivar offset: a normal number's exponent field less the exponent of its significand's last bit
    """

    __slots__ = ("bias", "bits", "emax", "emin", "explicit", "exponent_bits", "field_mask", "finite_only",
                 "fraction_bits", "fraction_mask", "implicit", "leading", "name", "offset", "precision", "quiet_bit",
                 "sign_bit", "sign_shift", "special")  # fmt: skip

    def __init__(
        self, name: str, exponent_bits: int, precision: int, *, explicit: bool = False, finite_only: bool = False
    ) -> None:
        self.name = name
        self.exponent_bits = exponent_bits
        self.precision = precision
        self.explicit = explicit
        self.finite_only = finite_only
        self.fraction_bits = precision if explicit else precision - 1
        self.bits = 1 + exponent_bits + self.fraction_bits
        self.bias = (1 << exponent_bits - 1) - 1
        self.emax = self.bias + finite_only
        self.emin = 1 - self.bias
        self.offset = self.bias + precision - 1
        self.field_mask = (1 << exponent_bits) - 1
        self.special = self.field_mask + finite_only
        self.fraction_mask = (1 << self.fraction_bits) - 1
        self.leading = 1 << precision - 1
        self.implicit = 0 if explicit else self.leading
        self.quiet_bit = 1 << precision - 2
        self.sign_shift = self.bits - 1
        self.sign_bit = 1 << self.sign_shift

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def unpack(self, pattern: int) -> Number:
        """Take a bit pattern apart."""
        fraction = pattern & self.fraction_mask
        field = pattern >> self.fraction_bits & self.field_mask
        sign = pattern >> self.sign_shift & 1
        if field == self.special:
            if self.explicit and not fraction & self.leading:
                return Number(UNSUPPORTED, sign, 0, fraction)
            if not fraction & (self.leading - 1):
                return Number(INFINITY, sign, 0, 0)
            return Number(QUIET if fraction & self.quiet_bit else SIGNALING, sign, 0, fraction)
        if field == 0:
            if not fraction:
                return Number(ZERO, sign, 0, 0)
            return Number(FINITE, sign, 1 - self.offset, fraction, True)
        if self.explicit and not fraction & self.leading:
            return Number(UNSUPPORTED, sign, 0, fraction)
        return Number(FINITE, sign, field - self.offset, fraction | self.implicit)

    def assemble(self, sign: int, field: int, fraction: int) -> int:
        """The bit pattern of these fields."""
        return (sign << self.exponent_bits | field) << self.fraction_bits | fraction

    def zero(self, sign: int = 0) -> int:
        """A zero."""
        return sign << self.sign_shift

    def infinity(self, sign: int = 0) -> int:
        """An infinity. The format must have one."""
        return self.assemble(sign, self.special, self.leading if self.explicit else 0)

    def largest(self, sign: int = 0) -> int:
        """The finite number of the greatest magnitude."""
        return self.assemble(sign, self.special - 1, self.fraction_mask)

    def nan(self, sign: int, payload: int) -> int:
        """A quiet NaN whose fraction field (below the quiet bit) is *payload*. The format must have NaNs."""
        fraction = payload & (self.quiet_bit - 1) | self.quiet_bit
        return self.assemble(sign, self.special, fraction | (self.leading if self.explicit else 0))


BINARY16 = Format("binary16", 5, 11)
BINARY32 = Format("binary32", 8, 24)
BINARY64 = Format("binary64", 11, 53)
BINARY128 = Format("binary128", 15, 113)
EXTENDED = Format("x87 double extended", 15, 64, explicit=True)
ARM_HALF = Format("ARM alternative half", 5, 11, finite_only=True)  #: DDI 0487, A1.4.2: FPCR.AHP is one
