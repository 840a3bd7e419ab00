"""Exact floating-point arithmetic on Python integers, in any IEEE 754 format and in the x87's.

Numbers are bit patterns (:class:`Format` says what they mean), results are rounded from the exact value, and a
:class:`Status` says how to round and collects the exceptions. What an architecture decides for itself (which NaN wins,
when a result counts as tiny) is in the status's :class:`NanPolicy` and its attributes.
"""

from pyqemu.fpu.arithmetic import add, divide, fused_multiply_add, multiply, remainder, scale, square_root, subtract
from pyqemu.fpu.convert import compare, convert, from_int, round_to_int, to_int
from pyqemu.fpu.formats import BINARY16, BINARY32, BINARY64, BINARY128, EXTENDED, Format, Kind, Number
from pyqemu.fpu.rounding import pack
from pyqemu.fpu.status import (
    DENORMAL,
    DIVIDE_BY_ZERO,
    INEXACT,
    INVALID,
    OVERFLOW,
    UNDERFLOW,
    NanPolicy,
    Rounding,
    SseNans,
    Status,
    X87Nans,
)

__all__ = [
    "BINARY16",
    "BINARY32",
    "BINARY64",
    "BINARY128",
    "DENORMAL",
    "DIVIDE_BY_ZERO",
    "EXTENDED",
    "INEXACT",
    "INVALID",
    "OVERFLOW",
    "UNDERFLOW",
    "Format",
    "Kind",
    "NanPolicy",
    "Number",
    "Rounding",
    "SseNans",
    "Status",
    "X87Nans",
    "add",
    "compare",
    "convert",
    "divide",
    "from_int",
    "fused_multiply_add",
    "multiply",
    "pack",
    "remainder",
    "round_to_int",
    "scale",
    "square_root",
    "subtract",
    "to_int",
]
