"""Which NaN an operation returns: IEEE 754-2008 (6.2.3) leaves it open, and every architecture has its own answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pyqemu.fpu.formats import QUIET, SIGNALING, UNSUPPORTED, Format, Number


class Preference(Enum):
    """Which one of the operands that are NaNs is the result."""

    DEFAULT = "none of them: the result is the default NaN"
    FIRST = "the first one"
    SIGNALING_FIRST = "the first signaling one, else the first one"
    LARGER = "a quiet one before a signaling one; of two alike the one with the larger significand"


class UndefinedProduct(Enum):
    """What a fused multiply-add makes of zero times infinity plus a quiet NaN (IEEE 754-2008, 7.2 c leaves it open)."""

    QUIET = "the NaN that the preference says; nothing is signaled"
    SIGNALED = "the NaN that the preference says; the operation is invalid"
    DEFAULT = "the default NaN; the operation is invalid"


@dataclass(frozen=True)
class NanRules:
    """The rules of one family of processors.

    *fused_order* says in which order a fused multiply-add ``a * b + c`` looks at its operands (0 is a).
    *default_sign* is the default NaN's sign.
    """

    preference: Preference
    default_sign: int = 0
    fused_order: tuple[int, int, int] = (0, 1, 2)
    undefined_product: UndefinedProduct = UndefinedProduct.QUIET

    def default(self, fmt: Format) -> int:
        """The NaN of an invalid operation."""
        return fmt.nan(self.default_sign, 0)

    def choose(self, numbers: tuple[Number, ...]) -> Number | None:
        """The operand that is the result, once quieted; None for the default NaN. At least one is a NaN."""
        nans = [number for number in numbers if number.kind >= QUIET]
        match self.preference:
            case Preference.FIRST:
                return nans[0]
            case Preference.SIGNALING_FIRST:
                return next((number for number in nans if number.kind is SIGNALING), nans[0])
            case Preference.LARGER:
                return _larger(nans)
        return None


def _larger(nans: list[Number]) -> Number | None:
    if any(number.kind is UNSUPPORTED for number in nans):
        return None
    if len(nans) == 2 and nans[0].kind is not nans[1].kind:
        return nans[0] if nans[0].kind is QUIET else nans[1]
    return max(nans, key=lambda number: (number.significand, -number.sign))


DEFAULT_NANS = NanRules(Preference.DEFAULT)
SSE_NANS = NanRules(Preference.FIRST, default_sign=1)  #: SDM vol. 1, table 4-7; vol. 2, VFMADD
X87_NANS = NanRules(Preference.LARGER, default_sign=1)  #: SDM vol. 1, table 4-7
ARM_NANS = NanRules(
    Preference.SIGNALING_FIRST, fused_order=(2, 0, 1), undefined_product=UndefinedProduct.DEFAULT
)  #: DDI 0487: FPProcessNaNs, FPProcessNaNs3, FPMulAdd; FPCR.DN is Status.default_nan
