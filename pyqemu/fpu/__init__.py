"""Exact floating-point arithmetic on Python integers, in any IEEE 754 format and in the x87's.

Numbers are bit patterns, without anything above their sign (:class:`Format` says what they mean); results are rounded
from the exact value, and a :class:`Status` says how to round and collects the exceptions. What an architecture decides
for itself is in there: which NaN wins (:class:`NanRules`), when a result counts as tiny, what becomes of subnormals.
"""

from pyqemu.fpu.arithmetic import (
    add,
    divide,
    exponent,
    fused_multiply_add,
    multiply,
    remainder,
    scale,
    square_root,
    subtract,
)
from pyqemu.fpu.compare import compare, maximum, maximum_number, minimum, minimum_number
from pyqemu.fpu.convert import convert, from_int, round_to_int, to_int, to_int_saturated
from pyqemu.fpu.formats import ARM_HALF, BINARY16, BINARY32, BINARY64, BINARY128, EXTENDED, Format, Kind, Number
from pyqemu.fpu.nans import ARM_NANS, DEFAULT_NANS, SSE_NANS, X87_NANS, NanRules, Preference, UndefinedProduct
from pyqemu.fpu.rounding import pack
from pyqemu.fpu.status import (
    DENORMAL,
    DIVIDE_BY_ZERO,
    INEXACT,
    INPUT_DENORMAL,
    INVALID,
    OUTPUT_DENORMAL,
    OVERFLOW,
    UNDERFLOW,
    Rounding,
    Status,
)

__all__ = [
    "ARM_HALF",
    "ARM_NANS",
    "BINARY16",
    "BINARY32",
    "BINARY64",
    "BINARY128",
    "DEFAULT_NANS",
    "DENORMAL",
    "DIVIDE_BY_ZERO",
    "EXTENDED",
    "INEXACT",
    "INPUT_DENORMAL",
    "INVALID",
    "OUTPUT_DENORMAL",
    "OVERFLOW",
    "SSE_NANS",
    "UNDERFLOW",
    "X87_NANS",
    "Format",
    "Kind",
    "NanRules",
    "Number",
    "Preference",
    "Rounding",
    "Status",
    "UndefinedProduct",
    "add",
    "compare",
    "convert",
    "divide",
    "exponent",
    "from_int",
    "fused_multiply_add",
    "maximum",
    "maximum_number",
    "minimum",
    "minimum_number",
    "multiply",
    "pack",
    "remainder",
    "round_to_int",
    "scale",
    "square_root",
    "subtract",
    "to_int",
    "to_int_saturated",
]
