"""Operands that hit the edges: subnormals, borders of overflow and underflow, cancellation, results near halfway."""

from __future__ import annotations

import random

from pyqemu.fpu import Format

INTERESTING = 0.15  #: the share of operands that are likely special


def pattern(rng: random.Random, fmt: Format, field: int | None = None) -> int:
    """A bit pattern, NaNs with payloads and infinities among them; with *field*, a number near that exponent."""
    if field is not None:
        field = max(0, min(fmt.special - 1, field))
    elif rng.random() < INTERESTING:
        field = rng.choice((0, 0, 1, fmt.special - 1, fmt.special, fmt.special))
    else:
        field = rng.randrange(fmt.special) if rng.random() < 0.5 else fmt.bias + rng.randrange(-9, 9)
    return fmt.assemble(rng.getrandbits(1), field, fraction(rng, fmt, field))


def fraction(rng: random.Random, fmt: Format, field: int) -> int:
    """A fraction field: often with few bits set, or nearly all."""
    bits = fmt.precision - 1
    match rng.randrange(8):
        case 0:
            value = rng.randrange(4)
        case 1:
            value = (1 << bits) - 1 - rng.randrange(4)
        case 2:
            value = rng.getrandbits(8) << bits - 8
        case 3:
            value = rng.getrandbits(bits) >> rng.randrange(bits)
        case 4:
            value = (1 << rng.randrange(bits)) - 1 ^ (1 << rng.randrange(bits))
        case _:
            value = rng.getrandbits(bits)
    return value | fmt.leading if fmt.explicit and field else value


def _field(fmt: Format, number: int) -> int:
    return number >> fmt.fraction_bits & fmt.field_mask


def _result_field(rng: random.Random, fmt: Format) -> int:
    """The exponent of a result: one of the two borders, or in between."""
    low = rng.randrange(-fmt.precision - 3, 4)
    return rng.choice((low, low, fmt.special + rng.randrange(-3, 3), fmt.bias + rng.randrange(-9, 9)))


def _normalized(fmt: Format, sign: int, field: int, significand: int) -> int:
    """A normal number with the leading bits of *significand*."""
    shift = significand.bit_length() - fmt.precision
    value = significand >> shift if shift >= 0 else significand << -shift
    return fmt.assemble(sign, max(1, min(fmt.special - 1, field)), value & fmt.fraction_mask)


def _halfway(rng: random.Random, fmt: Format) -> int:
    """A significand of one bit more than the format has, which is set."""
    return (1 << fmt.precision | rng.getrandbits(fmt.precision)) | 1


def addends(rng: random.Random, fmt: Format) -> tuple[int, int]:
    """Close enough to each other to interfere; also nearly equal."""
    a = pattern(rng, fmt)
    if rng.random() < 0.2:
        return a, (a ^ rng.getrandbits(1) << fmt.sign_shift) + rng.randrange(-2, 3) & (fmt.sign_bit << 1) - 1
    return a, pattern(rng, fmt, _field(fmt, a) + rng.randrange(-fmt.precision - 4, fmt.precision + 5))


def factors(rng: random.Random, fmt: Format) -> tuple[int, int]:
    """With a product at a border, or near halfway."""
    a = pattern(rng, fmt)
    field = _result_field(rng, fmt) + fmt.bias - _field(fmt, a)
    if rng.random() < 0.7:
        return a, pattern(rng, fmt, field)
    significand = a & fmt.fraction_mask | fmt.leading
    return a, _normalized(fmt, rng.getrandbits(1), field, (_halfway(rng, fmt) << fmt.precision) // significand)


def ratio(rng: random.Random, fmt: Format) -> tuple[int, int]:
    """With a quotient at a border, or near halfway."""
    b = pattern(rng, fmt)
    field = _result_field(rng, fmt) - fmt.bias + _field(fmt, b)
    if rng.random() < 0.7:
        return pattern(rng, fmt, field), b
    significand = b & fmt.fraction_mask | fmt.leading
    return _normalized(fmt, rng.getrandbits(1), field, _halfway(rng, fmt) * significand), b


def square(rng: random.Random, fmt: Format) -> tuple[int]:
    """Mostly positive, with a root near halfway, or an exact one."""
    match rng.randrange(4):
        case 0:
            root = _halfway(rng, fmt)
        case 1:
            root = 1 + 2 * rng.getrandbits(fmt.precision // 2 - 1)
        case _:
            return (pattern(rng, fmt) & ~(fmt.sign_bit if rng.random() < 0.9 else 0),)
    return (_normalized(fmt, 0, rng.randrange(1, fmt.special), root * root),)


def product_and_addend(rng: random.Random, fmt: Format) -> tuple[int, int, int]:
    """The addend cancels most of the product, is near it, or anything."""
    a, b = factors(rng, fmt) if rng.random() < 0.8 else (pattern(rng, fmt), pattern(rng, fmt))
    field = _field(fmt, a) + _field(fmt, b) - fmt.bias
    choice = rng.random()
    if choice < 0.1:
        return a, b, pattern(rng, fmt)
    if choice < 0.7:
        return a, b, pattern(rng, fmt, field + rng.randrange(-fmt.precision - 4, 2 * fmt.precision + 5))
    product = (a & fmt.fraction_mask | fmt.leading) * (b & fmt.fraction_mask | fmt.leading)
    field += product.bit_length() - 2 * fmt.precision + 1
    sign = (a ^ b) >> fmt.sign_shift ^ (rng.random() < 0.9)
    return a, b, _normalized(fmt, sign, field, product + rng.randrange(-1, 2))


def dividend_and_divisor(rng: random.Random, fmt: Format) -> tuple[int, int]:
    """Quotients from less than a half to huge ones, and some halfway between two integers."""
    if rng.random() < 0.2:
        few = fmt.precision // 3
        significand = (1 << few | rng.getrandbits(few)) << fmt.precision - 1 - few
        product = significand * (rng.getrandbits(fmt.precision // 2 - 1) << 1 | 1)
        field = rng.randrange(2, fmt.special - fmt.precision)
        a = _normalized(fmt, rng.getrandbits(1), field - 1 + product.bit_length() - fmt.precision, product)
        return a, _normalized(fmt, rng.getrandbits(1), field, significand)
    b = pattern(rng, fmt)
    if rng.random() < 0.1:
        return pattern(rng, fmt), b
    return pattern(rng, fmt, _field(fmt, b) + rng.randrange(-3, 3 * fmt.precision)), b


def near_integer(rng: random.Random, fmt: Format, bits: int = 64) -> tuple[int]:
    """Numbers with a fraction, also at the limits of integers of *bits* bits."""
    if rng.random() < 0.1:
        return (pattern(rng, fmt),)
    return (pattern(rng, fmt, fmt.bias + rng.choice((rng.randrange(-3, bits + 2), bits - 1, bits - 2, bits, -1))),)


def near_format(rng: random.Random, source: Format, target: Format) -> tuple[int]:
    """Numbers at the borders of the target's range, and near halfway between its numbers."""
    number = pattern(rng, source)
    if rng.random() < 0.6:
        number = pattern(rng, source, _result_field(rng, target) - target.bias + source.bias)
    cut = source.precision - target.precision
    if cut > 1 and rng.random() < 0.4:
        number = number >> cut << cut | (1 << cut - 1) + rng.randrange(-1, 2)
    return (number,)


def integer(rng: random.Random, bits: int) -> int:
    """An unsigned integer: any length, few bits, or nearly a power of two."""
    match rng.randrange(4):
        case 0:
            value = (1 << rng.randrange(bits)) + rng.randrange(-2, 3)
        case 1:
            value = rng.getrandbits(12) << rng.randrange(bits)
        case 2:
            value = (1 << bits) - 1 - rng.getrandbits(4)
        case _:
            value = rng.getrandbits(bits) >> rng.randrange(bits)
    return value & (1 << bits) - 1
