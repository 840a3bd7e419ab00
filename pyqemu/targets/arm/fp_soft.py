"""Floating point in software: what the host's arithmetic does not do exactly as the guest wants it.

Functions of lanes take patterns and the environment that FPCR describes; :func:`lanewise` makes helpers of them. The
names of the manual's pseudocode (ARM DDI 0487A.f, J1.3.3) are those of :mod:`pyqemu.fpu`'s functions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from pyqemu import fpu
from pyqemu.fpu import ARM_HALF, ARM_NANS, BINARY16, BINARY32, BINARY64, Format, Rounding, Status, arm_estimates
from pyqemu.targets.arm.simd_soft import Helper, Lanes, Result

if TYPE_CHECKING:
    from pyqemu.targets.arm.vectors import VectorCpu

FORMATS = {16: BINARY16, 32: BINARY32, 64: BINARY64}
FPCR_FZ, FPCR_DN, FPCR_AHP = 1 << 24, 1 << 25, 1 << 26
ROUNDING = (Rounding.NEAREST_EVEN, Rounding.UP, Rounding.DOWN, Rounding.TOWARD_ZERO)  #: by FPCR.RMode
IXC = 1 << 4
N, Z, C, V = 1 << 31, 1 << 30, 1 << 29, 1 << 28
NZCV = {-1: N, 0: Z | C, 1: C, None: C | V}  #: of a comparison (J1.3.3, FPCompare)
PLACES = ((fpu.INVALID, 1), (fpu.DIVIDE_BY_ZERO, 2), (fpu.OVERFLOW, 4), (fpu.UNDERFLOW, 8), (fpu.INEXACT, IXC),
          (fpu.INPUT_DENORMAL, 1 << 7))  # fmt: skip
FLAGS = tuple(sum(bit for flag, bit in PLACES if flags & flag) for flags in range(256))
"""Bits of FPSR, by the exceptions of an operation."""

Lane = Callable[..., int]  #: of patterns, and the environment as the last argument


def status(cpu: VectorCpu) -> Status:
    """The environment that FPCR describes."""
    control = cpu.fpcr
    result = Status(ARM_NANS, ROUNDING[control >> 22 & 3])
    result.tiny_before_rounding = True
    result.flush_flags = fpu.UNDERFLOW
    result.input_flags = fpu.INPUT_DENORMAL
    result.flush_to_zero = result.denormals_are_zero = bool(control & FPCR_FZ)
    result.default_nan = bool(control & FPCR_DN)
    return result


class StandardCpu:
    """A processor whose FPSCR controls are those of AArch32's Advanced SIMD (A2.7.3, "StandardFPSCRValue")."""

    def __init__(self, cpu: VectorCpu) -> None:
        self._cpu = cpu
        self.v = cpu.v
        self.fpcr = cpu.fpcr & FPCR_AHP | FPCR_FZ | FPCR_DN

    @property
    def fpsr(self) -> int:
        """The cumulative flags, which are those of all instructions."""
        return self._cpu.fpsr

    @fpsr.setter
    def fpsr(self, value: int) -> None:
        self._cpu.fpsr = value


@cache
def standard(helper: Helper) -> Helper:
    """A helper with these controls."""
    return lambda cpu, d, n, m: helper(StandardCpu(cpu), d, n, m)


def settle(cpu: VectorCpu, environment: Status) -> None:
    """Add to the cumulative flags what an operation signaled."""
    cpu.fpsr |= FLAGS[environment.flags]


@cache
def lanewise(function: Lane, sources: tuple[Lanes, ...], result: Result) -> Helper:
    """The helper that applies *function* to lanes with the same number."""
    single = result.count == 1 and not result.first and not any(source.first or source.signed for source in sources)

    def helper(cpu: VectorCpu, d: int, n: int, m: int) -> None:
        v, environment = cpu.v, status(cpu)
        registers = v[d], v[n], v[m]
        values = [
            function(*lanes, environment)
            for lanes in zip(*(source.split(registers, result.count) for source in sources), strict=True)
        ]
        whole, _ = result.join(values)
        v[d] = whole << result.first | registers[0] & (1 << result.first) - 1
        settle(cpu, environment)

    def one(cpu: VectorCpu, d: int, n: int, m: int) -> None:
        v, environment = cpu.v, status(cpu)
        registers = v[d], v[n], v[m]
        value = function(*(registers[s.register] & (1 << s.bits) - 1 for s in sources), environment)
        v[d] = value & (1 << result.bits) - 1
        settle(cpu, environment)

    return one if single else helper


@cache
def pairwise(function: Lane, bits: int, count: int, total: int) -> Helper:
    """The helper that applies *function* to neighbours: of both sources, or, with one result, of the first one."""
    first, second, result = Lanes(1, bits), Lanes(2, bits), Result(bits, total)

    def helper(cpu: VectorCpu, d: int, n: int, m: int) -> None:
        environment = status(cpu)
        registers = 0, cpu.v[n], cpu.v[m]
        values = first.split(registers, count)
        if total > 1:
            values += second.split(registers, count)
        results = [function(values[k], values[k + 1], environment) for k in range(0, 2 * total, 2)]
        cpu.v[d], _ = result.join(results)
        settle(cpu, environment)

    return helper


@cache
def across(function: Lane, bits: int, count: int) -> Helper:
    """The helper that makes one number of all lanes: halves first (J1.3.2, Reduce)."""

    def helper(cpu: VectorCpu, d: int, n: int, m: int) -> None:
        environment = status(cpu)
        values = Lanes(1, bits).split((0, cpu.v[n]), count)
        while len(values) > 1:
            values = [function(values[k], values[k + 1], environment) for k in range(0, len(values), 2)]
        cpu.v[d] = values[0]
        settle(cpu, environment)

    return helper


# --- lanes ------------------------------------------------------------------------------------------------------------

Binary = Callable[[Format, int, int, Status], int]


def _absolute_difference(fmt: Format, a: int, b: int, environment: Status) -> int:
    return fpu.subtract(fmt, a, b, environment) & ~fmt.sign_bit


def _negated_product(fmt: Format, a: int, b: int, environment: Status) -> int:
    return fpu.multiply(fmt, a, b, environment) ^ fmt.sign_bit


def _comparison(orders: tuple[int, ...], *, quiet: bool = False, absolute: bool = False) -> Binary:
    def compare(fmt: Format, a: int, b: int, environment: Status) -> int:
        if absolute:
            a, b = a & ~fmt.sign_bit, b & ~fmt.sign_bit
        order = fpu.compare(fmt, a, b, environment, quiet=quiet)
        return (1 << fmt.bits) - 1 if order in orders else 0

    return compare


# fmt: off
BINARY: dict[str, Binary] = {
    "add": fpu.add, "sub": fpu.subtract, "mul": fpu.multiply, "div": fpu.divide,
    "max": fpu.maximum, "min": fpu.minimum, "maxnm": fpu.maximum_number, "minnm": fpu.minimum_number,
    "nmul": _negated_product, "abd": _absolute_difference, "mulx": arm_estimates.multiply_extended,
    "recps": arm_estimates.reciprocal_step, "rsqrts": arm_estimates.root_step,
    "vrecps": arm_estimates.reciprocal_step_unfused, "vrsqrts": arm_estimates.root_step_unfused,
    "cmeq": _comparison((0,), quiet=True), "cmge": _comparison((0, 1)), "cmgt": _comparison((1,)),
    "acge": _comparison((0, 1), absolute=True), "acgt": _comparison((1,), absolute=True),
}
"""Functions of two operands, by the mnemonic behind its F."""
UNARY: dict[str, Callable[[Format, int, Status], int]] = {
    "sqrt": fpu.square_root, "recpe": arm_estimates.reciprocal_estimate, "rsqrte": arm_estimates.root_estimate,
    "recpx": arm_estimates.reciprocal_exponent,
    "rintn": lambda fmt, a, s: fpu.round_to_int(fmt, a, s, rounding=Rounding.NEAREST_EVEN, exact=False),
    "rintp": lambda fmt, a, s: fpu.round_to_int(fmt, a, s, rounding=Rounding.UP, exact=False),
    "rintm": lambda fmt, a, s: fpu.round_to_int(fmt, a, s, rounding=Rounding.DOWN, exact=False),
    "rintz": lambda fmt, a, s: fpu.round_to_int(fmt, a, s, rounding=Rounding.TOWARD_ZERO, exact=False),
    "rinta": lambda fmt, a, s: fpu.round_to_int(fmt, a, s, rounding=Rounding.NEAREST_AWAY, exact=False),
    "rintx": lambda fmt, a, s: fpu.round_to_int(fmt, a, s),
    "rinti": lambda fmt, a, s: fpu.round_to_int(fmt, a, s, exact=False),
}
"""Functions of one operand."""
# fmt: on


@cache
def two(name: str, bits: int) -> Lane:
    """A function of two operands for lanes."""
    function, fmt = BINARY[name], FORMATS[bits]
    return lambda a, b, environment: function(fmt, a, b, environment)


@cache
def with_zero(name: str, bits: int, swap: int) -> Lane:
    """A comparison with zero, or of zero with the operand."""
    function, fmt = BINARY[name], FORMATS[bits]
    if swap:
        return lambda a, environment: function(fmt, 0, a, environment)
    return lambda a, environment: function(fmt, a, 0, environment)


@cache
def one(name: str, bits: int) -> Lane:
    """A function of one operand for lanes."""
    function, fmt = UNARY[name], FORMATS[bits]
    return lambda a, environment: function(fmt, a, environment)


@cache
def fused(bits: int, negate_product: int, negate_addend: int) -> Lane:
    """``addend + a * b``; what is negated is an operand, even if it is a NaN."""
    fmt = FORMATS[bits]
    product, total = negate_product * fmt.sign_bit, negate_addend * fmt.sign_bit

    def lane(addend: int, a: int, b: int, environment: Status) -> int:
        return fpu.fused_multiply_add(fmt, a ^ product, b, addend ^ total, environment)

    return lane


@cache
def chained(bits: int, negate_product: int, negate_addend: int) -> Lane:
    """``addend + a * b``, rounded twice; the sign of what is negated is turned over, even if it is a NaN."""
    fmt = FORMATS[bits]
    product, total = negate_product * fmt.sign_bit, negate_addend * fmt.sign_bit

    def lane(addend: int, a: int, b: int, environment: Status) -> int:
        return fpu.add(fmt, addend ^ total, fpu.multiply(fmt, a, b, environment) ^ product, environment)

    return lane


@cache
def scalar_fused(bits: int, product: int, addend: int) -> Callable[[VectorCpu, int, int, int, int], None]:
    """The helper of FMADD and its kind: destination, sources, addend; what is negated, see :func:`fused`."""
    lane, mask = fused(bits, product, addend), (1 << bits) - 1

    def helper(cpu: VectorCpu, d: int, n: int, m: int, a: int) -> None:
        environment = status(cpu)
        cpu.v[d] = lane(cpu.v[a] & mask, cpu.v[n] & mask, cpu.v[m] & mask, environment)
        settle(cpu, environment)

    return helper


def compare(cpu: VectorCpu, bits: int, quiet: int, a: int, b: int) -> int:
    """FCMP, FCMPE and so on: the flags."""
    environment = status(cpu)
    order = fpu.compare(FORMATS[bits], a, b, environment, quiet=bool(quiet))
    settle(cpu, environment)
    return NZCV[order]


# --- conversions ------------------------------------------------------------------------------------------------------


@cache
def to_integer(bits: int, size: int, signed: int, rounding: int, fraction: int) -> Lane:
    """A number as an integer or fixed-point number of *size* bits, saturated (FPToFixed).

    :param rounding: a :class:`Rounding`; below zero: that of FPCR
    """
    fmt, mode = FORMATS[bits], None if rounding < 0 else rounding

    def lane(a: int, environment: Status) -> int:
        return (
            fpu.to_int_saturated(fmt, a, size, environment, signed=bool(signed), rounding=mode, fraction_bits=fraction)
            & (1 << size) - 1
        )

    return lane


@cache
def from_integer(bits: int, fraction: int) -> Lane:
    """An integer or fixed-point number as a number (FixedToFP). The lane has its sign."""
    fmt = FORMATS[bits]
    return lambda value, environment: fpu.from_int(fmt, value, environment, fraction_bits=fraction)


def register_to_integer(cpu: VectorCpu, bits: int, size: int, signed: int, rounding: int, fraction: int, a: int) -> int:
    """FCVTZS and so on with a general register as the destination; the rounding has one added."""
    environment = status(cpu)
    value = to_integer(bits, size, signed, rounding - 1, fraction)(a, environment)
    settle(cpu, environment)
    return value


def integer_to_register(cpu: VectorCpu, bits: int, size: int, signed: int, fraction: int, nearest: int,
                        value: int) -> int:  # fmt: skip
    """SCVTF, UCVTF with a general register as the source, and VCVT of VFP: the pattern."""
    environment = status(cpu)
    if nearest:
        environment.rounding = Rounding.NEAREST_EVEN
    if signed and value >> size - 1:
        value -= 1 << size
    pattern = from_integer(bits, fraction)(value, environment)
    settle(cpu, environment)
    return pattern


def converter(source: int, target: int, *, odd: int = 0) -> Callable[[VectorCpu], Lane]:
    """A number in another format (FPConvert); half precision is what FPCR.AHP says.

    :param odd: round to odd (FCVTXN)
    """

    def make(cpu: VectorCpu) -> Lane:
        half = ARM_HALF if cpu.fpcr & FPCR_AHP else BINARY16
        before, after = (half if bits == 16 else FORMATS[bits] for bits in (source, target))

        def lane(a: int, environment: Status) -> int:
            if odd:
                environment.rounding = Rounding.ODD
            return fpu.convert(before, after, a, environment)

        return lane

    return make


@cache
def to_half(source: int, first: int) -> Helper:
    """The helper of VCVTB, VCVTT to half precision: to bit *first* of a register whose other half stays."""
    make = converter(source, 16)

    def helper(cpu: VectorCpu, d: int, n: int, m: int) -> None:
        environment = status(cpu)
        value = make(cpu)(cpu.v[n], environment)
        cpu.v[d] = cpu.v[d] & ~(0xFFFF << first) | value << first
        settle(cpu, environment)

    return helper


@cache
def conversion(source: int, target: int, odd: int, first: int, count: int, to: int) -> Helper:
    """The helper of FCVT, FCVTL, FCVTN, FCVTXN: *count* numbers from bit *first* on, to bit *to*."""
    make, lanes, result = converter(source, target, odd=odd), Lanes(1, source, False, first), Result(target, count)

    def helper(cpu: VectorCpu, d: int, n: int, m: int) -> None:
        environment, lane = status(cpu), make(cpu)
        old = cpu.v[d]
        whole, _ = result.join([lane(value, environment) for value in lanes.split((0, cpu.v[n]), count)])
        cpu.v[d] = whole << to | old & (1 << to) - 1
        settle(cpu, environment)

    return helper
