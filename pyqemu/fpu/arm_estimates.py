"""What only ARM has: estimates of reciprocals and of their roots, Newton's steps for them, and FMULX.

Facts are those of the pseudocode of DDI 0487 (and DDI 0406C for what AArch32 does differently), which each function
names. The caller's :class:`Status` says the modes: AArch32's Advanced SIMD has flush to zero and the default NaN always
on (StandardFPSCRValue).
"""

from __future__ import annotations

from pyqemu.fpu.arithmetic import add_exact, multiply
from pyqemu.fpu.formats import INFINITY, QUIET, ZERO, Format, Number
from pyqemu.fpu.status import DIVIDE_BY_ZERO, INEXACT, OVERFLOW, UNDERFLOW, Rounding, Status

ESTIMATE_BITS = 8  #: of the fraction of an estimate


# --- estimates --------------------------------------------------------------------------------------------------------


def _reciprocal_table(scaled: int) -> int:
    """RecipEstimate: of 256..511, which is 0.5 to 1, to 256..511, which is 1 to 2."""
    return (1 << 19) // (2 * scaled + 1) + 1 >> 1


def _root_table(scaled: int) -> int:
    """RecipSqrtEstimate: of 128..511, which is 0.25 to 1, to 256..511, which is 1 to 2."""
    scaled = 2 * scaled + 1 if scaled < 256 else 2 * (scaled | 1)
    root = 512
    while scaled * (root + 1) * (root + 1) < 1 << 28:
        root += 1
    return root + 1 >> 1


RECIPROCALS = tuple(_reciprocal_table(scaled) for scaled in range(256, 512))
ROOTS = tuple(_root_table(scaled) for scaled in range(128, 512))


def reciprocal_estimate(fmt: Format, a: int, status: Status) -> int:
    """FPRecipEstimate (FRECPE, VRECPE): 1 / *a* to eight bits."""
    x = status.operand(fmt, a)
    if x.kind >= QUIET:
        return status.propagate(fmt, x)
    if x.kind is INFINITY:
        return fmt.zero(x.sign)
    if x.kind is ZERO:
        status.flags |= DIVIDE_BY_ZERO
        return fmt.infinity(x.sign)
    length = x.significand.bit_length()
    top = x.exponent + length - 1
    if top < -fmt.emax - 1:
        return _too_large(fmt, x.sign, status)
    if status.flush_to_zero and top >= fmt.emax - 1:
        status.flags |= UNDERFLOW
        return fmt.zero(x.sign)
    leading = x.significand << fmt.precision - length >> fmt.precision - 1 - ESTIMATE_BITS
    significand = RECIPROCALS[leading - 256] << fmt.precision - 1 - ESTIMATE_BITS
    field = fmt.bias - 1 - top
    if field > 0:
        return fmt.assemble(x.sign, field, significand & fmt.fraction_mask)
    return fmt.assemble(x.sign, 0, significand >> 1 - field)


def _too_large(fmt: Format, sign: int, status: Status) -> int:
    status.flags |= OVERFLOW | INEXACT
    rounding = status.rounding
    if rounding == Rounding.NEAREST_EVEN or rounding == (Rounding.DOWN if sign else Rounding.UP):
        return fmt.infinity(sign)
    return fmt.largest(sign)


def root_estimate(fmt: Format, a: int, status: Status) -> int:
    """FPRSqrtEstimate (FRSQRTE, VRSQRTE): 1 / sqrt(*a*) to eight bits."""
    x = status.operand(fmt, a)
    if x.kind >= QUIET:
        return status.propagate(fmt, x)
    if x.kind is ZERO:
        status.flags |= DIVIDE_BY_ZERO
        return fmt.infinity(x.sign)
    if x.sign:
        return status.invalid(fmt)
    if x.kind is INFINITY:
        return fmt.zero(0)
    length = x.significand.bit_length()
    top = x.exponent + length - 1
    leading = x.significand << fmt.precision - length >> fmt.precision - 1 - ESTIMATE_BITS
    scaled = leading if top & 1 else leading >> 1  # a quarter to a half, or a half to one: the exponent is made even
    fraction = ROOTS[scaled - 128] << fmt.precision - 1 - ESTIMATE_BITS & fmt.fraction_mask
    return fmt.assemble(0, fmt.bias + (-1 - top >> 1), fraction)


def reciprocal_exponent(fmt: Format, a: int, status: Status) -> int:
    """FPRecpX (FRECPX): a power of two, with the exponent field inverted."""
    x = status.operand(fmt, a)
    if x.kind >= QUIET:
        return status.propagate(fmt, x)
    field = a >> fmt.fraction_bits & fmt.field_mask
    return fmt.assemble(x.sign, field ^ fmt.field_mask if field else fmt.special - 1, 0)


def unsigned_reciprocal_estimate(a: int) -> int:
    """UnsignedRecipEstimate (URECPE, VRECPE.U32), for 32 bits."""
    if not a >> 31:
        return 0xFFFFFFFF
    return RECIPROCALS[(a >> 23) - 256] << 23


def unsigned_root_estimate(a: int) -> int:
    """UnsignedRSqrtEstimate (URSQRTE, VRSQRTE.U32), for 32 bits."""
    if not a >> 30:
        return 0xFFFFFFFF
    return ROOTS[(a >> 23) - 128] << 23


# --- steps ------------------------------------------------------------------------------------------------------------


def reciprocal_step(fmt: Format, a: int, b: int, status: Status) -> int:
    """FPRecipStepFused (FRECPS): ``2 - a * b``, rounded once."""
    return _step(fmt, a, b, status, 2, 0)


def root_step(fmt: Format, a: int, b: int, status: Status) -> int:
    """FPRSqrtStepFused (FRSQRTS): ``(3 - a * b) / 2``, rounded once."""
    return _step(fmt, a, b, status, 3, -1)


def _step(fmt: Format, a: int, b: int, status: Status, minuend: int, distance: int) -> int:
    x, y = status.operand(fmt, a ^ fmt.sign_bit), status.operand(fmt, b)
    special = _step_special(fmt, x, y, status)
    if special is not None:
        return special
    if INFINITY in (x.kind, y.kind):  # times zero
        return _exactly(fmt, minuend, distance, status)
    product = x.sign ^ y.sign, x.significand * y.significand, x.exponent + y.exponent
    return add_exact(fmt, status, (0, minuend, 0), product, distance)


def _step_special(fmt: Format, x: Number, y: Number, status: Status) -> int | None:
    if x.kind >= QUIET or y.kind >= QUIET:
        return status.propagate(fmt, x, y)
    if INFINITY in (x.kind, y.kind) and ZERO not in (x.kind, y.kind):
        return fmt.infinity(x.sign ^ y.sign)
    return None


def _exactly(fmt: Format, value: int, distance: int, status: Status) -> int:
    return add_exact(fmt, status, (0, value, 0), (0, 0, 0), distance)


def reciprocal_step_unfused(fmt: Format, a: int, b: int, status: Status) -> int:
    """FPRecipStep (AArch32's VRECPS): ``2 - a * b``, the product rounded."""
    return _step_unfused(fmt, a, b, status, 2, 0)


def root_step_unfused(fmt: Format, a: int, b: int, status: Status) -> int:
    """FPRSqrtStep (AArch32's VRSQRTS): ``(3 - a * b) / 2``, the product rounded."""
    return _step_unfused(fmt, a, b, status, 3, -1)


def _step_unfused(fmt: Format, a: int, b: int, status: Status, minuend: int, distance: int) -> int:
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if x.kind >= QUIET or y.kind >= QUIET:
        return status.propagate(fmt, x, y)
    if {x.kind, y.kind} == {ZERO, INFINITY}:
        return _exactly(fmt, minuend, distance, status)
    product = status.operand(fmt, multiply(fmt, a, b, status))
    if product.kind is INFINITY:
        return fmt.infinity(product.sign ^ 1)
    subtrahend = product.sign ^ 1, product.significand, product.exponent
    return add_exact(fmt, status, (0, minuend, 0), subtrahend, distance)


def multiply_extended(fmt: Format, a: int, b: int, status: Status) -> int:
    """FPMulX (FMULX): ``a * b``, and two for zero times infinity."""
    x, y = status.operand(fmt, a), status.operand(fmt, b)
    if {x.kind, y.kind} == {ZERO, INFINITY}:
        return fmt.assemble(x.sign ^ y.sign, fmt.bias + 1, 0)
    return multiply(fmt, a, b, status)
