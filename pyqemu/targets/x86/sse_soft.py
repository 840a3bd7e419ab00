"""SSE floating point in software: what the host's arithmetic does not do exactly as the guest wants it.

Helpers write the destination register themselves, so that an exception that is not masked (#XM) leaves it alone (SDM
vol. 1, 11.5). Kinds of vectors are named by the suffixes of instructions: ``ss sd ps pd``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyqemu import fpu
from pyqemu.fpu import BINARY32, BINARY64, DENORMAL, DIVIDE_BY_ZERO, INVALID, SSE_NANS, Format, Status
from pyqemu.targets.x86.layout import CR4_OSXMMEXCPT, EXC_UD, EXC_XM, XMM
from pyqemu.targets.x86.translator import raise_exception

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu
else:
    X86Cpu = Any

NANS = SSE_NANS
DAZ, UNDERFLOW_MASK, FLUSH = 1 << 6, 1 << 11, 1 << 15
SUFFIXES = ("ss", "sd", "ps", "pd")
KINDS: tuple[tuple[Format, int], ...] = ((BINARY32, 1), (BINARY64, 1), (BINARY32, 4), (BINARY64, 2))
INDEFINITE = {32: 1 << 31, 64: 1 << 63}
Lane = Callable[[Format, int, int, Status], int]
_XMM = XMM >> 3


def status(cpu: X86Cpu) -> Status:
    """Return the environment that MXCSR describes (SDM vol. 1, 10.2.3)."""
    control = cpu.mxcsr
    result = Status(NANS, control >> 13 & 3)
    result.denormals_are_zero = bool(control & DAZ)
    result.flush_to_zero = control & (FLUSH | UNDERFLOW_MASK) == FLUSH | UNDERFLOW_MASK
    result.trap_underflow = not control & UNDERFLOW_MASK
    return result


def settle(cpu: X86Cpu, environment: Status) -> None:
    """Set the flags; #XM (without CR4.OSXMMEXCPT #UD) for those that are not masked."""
    flags = environment.flags
    unmasked = flags & ~(cpu.mxcsr >> 7) & 0x3F
    if unmasked & (INVALID | DENORMAL | DIVIDE_BY_ZERO):
        flags &= INVALID | DENORMAL | DIVIDE_BY_ZERO  # found before anything is computed
    cpu.mxcsr |= flags
    if unmasked:
        raise_exception(cpu, EXC_XM if cpu.cr4 & CR4_OSXMMEXCPT else EXC_UD)


def read(cpu: X86Cpu, number: int) -> int:
    """Return an XMM register."""
    at = _XMM + 2 * number
    value: int = cpu.q[at] | cpu.q[at + 1] << 64
    return value


def write(cpu: X86Cpu, number: int, value: int) -> None:
    """Write an XMM register."""
    at = _XMM + 2 * number
    cpu.q[at], cpu.q[at + 1] = value & (1 << 64) - 1, value >> 64 & (1 << 64) - 1


# --- lanes ------------------------------------------------------------------------------------------------------------


def _choose(less: int) -> Lane:
    def choose(fmt: Format, a: int, b: int, environment: Status) -> int:
        order = fpu.compare(fmt, a, b, environment, quiet=False)
        if order == less:
            return _flushed(fmt, a, environment)
        return _flushed(fmt, b, environment)

    return choose


def _flushed(fmt: Format, a: int, environment: Status) -> int:
    """An operand that is the result; with DAZ a subnormal one has become zero."""
    if environment.denormals_are_zero and fmt.unpack(a).subnormal:
        return fmt.zero(a >> fmt.bits - 1)
    return a


def _square_root(fmt: Format, a: int, b: int, environment: Status) -> int:
    return fpu.square_root(fmt, b, environment)


def _reciprocal(fmt: Format, a: int, b: int, environment: Status) -> int:
    """RCPPS: within 1.5 * 2**-12; subnormal operands count as zeros, nothing is signaled."""
    quiet = Status(NANS)
    quiet.denormals_are_zero = quiet.flush_to_zero = True
    one = fpu.from_int(fmt, 1, quiet)
    return fpu.divide(fmt, one, b, quiet)


def _reciprocal_root(fmt: Format, a: int, b: int, environment: Status) -> int:
    """RSQRTPS."""
    quiet = Status(NANS)
    quiet.denormals_are_zero = True
    one = fpu.from_int(fmt, 1, quiet)
    return fpu.divide(fmt, one, fpu.square_root(fmt, b, quiet), quiet)


LANES: dict[str, Lane] = {
    "add": fpu.add, "sub": fpu.subtract, "mul": fpu.multiply, "div": fpu.divide, "sqrt": _square_root,
    "min": _choose(-1), "max": _choose(1), "rcp": _reciprocal, "rsqrt": _reciprocal_root,
}  # fmt: skip
OPERATIONS = tuple(LANES)


def _vertical(cpu: X86Cpu, kind: int, destination: int, b: int, function: Lane) -> None:
    fmt, count = KINDS[kind]
    a, environment = read(cpu, destination), status(cpu)
    mask = (1 << fmt.bits) - 1
    result = a >> fmt.bits * count << fmt.bits * count
    for shift in range(0, fmt.bits * count, fmt.bits):
        result |= function(fmt, a >> shift & mask, b >> shift & mask, environment) << shift
    settle(cpu, environment)
    write(cpu, destination, result)


def arithmetic(cpu: X86Cpu, operation: int, kind: int, destination: int, low: int, high: int) -> None:
    """Destination = destination op source, lane by lane."""
    _vertical(cpu, kind, destination, low | high << 64, LANES[OPERATIONS[operation]])


def compare(cpu: X86Cpu, predicate: int, kind: int, destination: int, low: int, high: int) -> None:
    """CMPPS and so on (SDM vol. 2, table 3-1)."""

    def lane(fmt: Format, a: int, b: int, environment: Status) -> int:
        order = fpu.compare(fmt, a, b, environment, quiet=predicate & 3 in (0, 3))
        holds = (order == 0, order == -1, order in (-1, 0), order is None)[predicate & 3]
        return (1 << fmt.bits) - 1 if holds != bool(predicate & 4) else 0

    _vertical(cpu, kind, destination, low | high << 64, lane)


def compare_flags(cpu: X86Cpu, kind: int, quiet: int, a: int, b: int) -> int:
    """COMISS, UCOMISS and so on: the image of ZF, PF and CF."""
    environment = status(cpu)
    order = fpu.compare(KINDS[kind][0], a, b, environment, quiet=bool(quiet))
    settle(cpu, environment)
    return {None: 0x45, -1: 1, 0: 0x40, 1: 0}[order]


# --- SSE3, SSE4.1 -----------------------------------------------------------------------------------------------------


def horizontal(cpu: X86Cpu, subtract: int, kind: int, destination: int, low: int, high: int) -> None:
    """HADDPS and so on: neighbours of the destination, then of the source."""
    fmt, count = KINDS[kind]
    environment = status(cpu)
    values = _split(read(cpu, destination), fmt, count) + _split(low | high << 64, fmt, count)
    function = fpu.subtract if subtract else fpu.add
    lanes = [function(fmt, values[n], values[n + 1], environment) for n in range(0, 2 * count, 2)]
    settle(cpu, environment)
    write(cpu, destination, _join(lanes, fmt))


def alternate(cpu: X86Cpu, kind: int, destination: int, low: int, high: int) -> None:
    """ADDSUBPS and ADDSUBPD: even lanes are subtracted, odd ones added."""
    fmt, count = KINDS[kind]
    environment = status(cpu)
    pairs = zip(_split(read(cpu, destination), fmt, count), _split(low | high << 64, fmt, count), strict=True)
    lanes = [(fpu.add if n & 1 else fpu.subtract)(fmt, a, b, environment) for n, (a, b) in enumerate(pairs)]
    settle(cpu, environment)
    write(cpu, destination, _join(lanes, fmt))


def dot_product(cpu: X86Cpu, kind: int, control: int, destination: int, low: int, high: int) -> None:
    """DPPS and DPPD; the order of the additions is the manual's (SDM vol. 2, DPPS)."""
    fmt, count = KINDS[kind]
    environment = status(cpu)
    pairs = list(zip(_split(read(cpu, destination), fmt, count), _split(low | high << 64, fmt, count), strict=True))
    terms = [fpu.multiply(fmt, *pair, environment) if control >> 4 + n & 1 else 0 for n, pair in enumerate(pairs)]
    while len(terms) > 1:
        terms = [fpu.add(fmt, terms[n], terms[n + 1], environment) for n in range(0, len(terms), 2)]
    settle(cpu, environment)
    write(cpu, destination, _join([terms[0] if control >> n & 1 else 0 for n in range(count)], fmt))


def round_lanes(cpu: X86Cpu, kind: int, control: int, destination: int, low: int, high: int) -> None:
    """ROUNDPS and so on: bits 0-1 the mode, bit 2 takes that of MXCSR, bit 3 keeps the inexact flag from being set."""
    rounding = None if control & 4 else control & 3

    def lane(fmt: Format, a: int, b: int, environment: Status) -> int:
        flags = environment.flags
        result = fpu.round_to_int(fmt, b, environment, rounding=rounding, exact=not control & 8)
        environment.flags = environment.flags & ~DENORMAL | flags & DENORMAL
        return result

    _vertical(cpu, kind, destination, low | high << 64, lane)


def _split(value: int, fmt: Format, count: int) -> list[int]:
    mask = (1 << fmt.bits) - 1
    return [value >> n * fmt.bits & mask for n in range(count)]


def _join(lanes: list[int], fmt: Format) -> int:
    return sum(lane << n * fmt.bits for n, lane in enumerate(lanes))


# --- conversions ------------------------------------------------------------------------------------------------------


def _signed(value: int, bits: int) -> int:
    half = 1 << bits - 1
    return (value ^ half) - half


def int_to_float(cpu: X86Cpu, bits: int, kind: int, value: int) -> int:
    """CVTSI2SS, CVTSI2SD: the pattern."""
    environment = status(cpu)
    result = fpu.from_int(KINDS[kind][0], _signed(value, bits), environment)
    settle(cpu, environment)
    return result


def _to_int(fmt: Format, value: int, bits: int, truncate: int, environment: Status) -> int:
    result = fpu.to_int(fmt, value, bits, environment, rounding=3 if truncate else None)
    return INDEFINITE[bits] if result is None else result & (1 << bits) - 1


def float_to_int(cpu: X86Cpu, kind: int, bits: int, truncate: int, value: int) -> int:
    """CVTSS2SI, CVTTSD2SI and so on."""
    environment = status(cpu)
    result = _to_int(KINDS[kind][0], value, bits, truncate, environment)
    settle(cpu, environment)
    return result


def float_to_float(cpu: X86Cpu, kind: int, value: int) -> int:
    """CVTSS2SD (`kind` is the source's) and CVTSD2SS."""
    environment = status(cpu)
    source, target = (BINARY32, BINARY64) if kind == 0 else (BINARY64, BINARY32)
    result = fpu.convert(source, target, value, environment)
    settle(cpu, environment)
    return result


def packed_floats(cpu: X86Cpu, to_double: int, destination: int, low: int, high: int) -> None:
    """CVTPS2PD, CVTPD2PS."""
    source, target = (BINARY32, BINARY64) if to_double else (BINARY64, BINARY32)
    environment = status(cpu)
    lanes = [fpu.convert(source, target, lane, environment) for lane in _split(low | high << 64, source, 2)]
    settle(cpu, environment)
    write(cpu, destination, _join(lanes, target))


def packed_to_int(cpu: X86Cpu, kind: int, truncate: int, low: int, high: int) -> int:
    """CVTPS2DQ and so on: the low 64 bits of the result; call it for each half of singles."""
    fmt, _ = KINDS[kind]
    environment = status(cpu)
    first = _to_int(fmt, low, 32, truncate, environment)
    second = _to_int(fmt, high, 32, truncate, environment)
    settle(cpu, environment)
    return first | second << 32


def singles_to_int(cpu: X86Cpu, truncate: int, destination: int, low: int, high: int) -> None:
    """CVTPS2DQ, CVTTPS2DQ."""
    environment = status(cpu)
    lanes = [_to_int(BINARY32, lane, 32, truncate, environment) for lane in _split(low | high << 64, BINARY32, 4)]
    settle(cpu, environment)
    write(cpu, destination, _join(lanes, BINARY32))


def int_to_singles(cpu: X86Cpu, count: int, destination: int, low: int, high: int) -> None:
    """CVTDQ2PS, and CVTPI2PS, which writes two lanes."""
    environment = status(cpu)
    lanes = [
        fpu.from_int(BINARY32, _signed(lane, 32), environment) for lane in _split(low | high << 64, BINARY32, count)
    ]
    settle(cpu, environment)
    bits = 32 * count
    write(cpu, destination, read(cpu, destination) >> bits << bits | _join(lanes, BINARY32))
