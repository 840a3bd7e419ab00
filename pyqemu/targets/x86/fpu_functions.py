"""x87 instructions on ST(0) and ST(1) alone (SDM vol. 1, 8.3.5 to 8.3.10).

Sign, rounding, scaling, remainders, transcendental functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu import fpu
from pyqemu.fpu import EXTENDED, Kind, Status, elementary
from pyqemu.targets.x86 import fpu_state as state
from pyqemu.targets.x86.fpu_ops import ONE, finish, stack_underflow, underflowed
from pyqemu.targets.x86.fpu_state import C0, C1, C2, C3, DEFAULT_NAN, get, is_empty, put, wait

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu
else:
    X86Cpu = Any

SIGN = 1 << 79


def change_sign(cpu: X86Cpu, clear: int) -> None:
    """FCHS and FABS."""
    wait(cpu)
    if is_empty(cpu, 0):
        stack_underflow(cpu, 0)
        return
    state.set_c1(cpu, False)
    value = get(cpu, 0)
    put(cpu, 0, value & ~SIGN if clear else value ^ SIGN)


def square_root(cpu: X86Cpu) -> None:
    """FSQRT."""
    wait(cpu)
    if is_empty(cpu, 0):
        stack_underflow(cpu, 0)
        return
    environment = state.status(cpu, controlled=True)
    finish(cpu, environment, fpu.square_root(EXTENDED, get(cpu, 0), environment), 0)


def round_to_int(cpu: X86Cpu) -> None:
    """FRNDINT."""
    wait(cpu)
    if is_empty(cpu, 0):
        stack_underflow(cpu, 0)
        return
    environment = state.status(cpu)
    finish(cpu, environment, fpu.round_to_int(EXTENDED, get(cpu, 0), environment), 0)


def scale(cpu: X86Cpu) -> None:
    """FSCALE: ST(0) times two to the integer part of ST(1)."""
    wait(cpu)
    if underflowed(cpu, 0, 1):
        stack_underflow(cpu, 0)
        return
    value, by = get(cpu, 0), get(cpu, 1)
    x, y = EXTENDED.unpack(value), EXTENDED.unpack(by)
    environment = state.status(cpu)
    if x.is_nan or y.is_nan:
        result = environment.propagate(EXTENDED, x, y)
    elif y.kind is Kind.INFINITY:
        if x.kind is (Kind.INFINITY if y.sign else Kind.ZERO):
            result = environment.invalid(EXTENDED)
        else:
            environment.note_denormals(x)
            result = EXTENDED.zero(x.sign) if y.sign else EXTENDED.infinity(x.sign)
    else:
        distance = fpu.to_int(EXTENDED, by, 40, Status(state.NANS), rounding=3)
        if distance is None:
            distance = -(1 << 39) if y.sign else 1 << 39
        environment.note_denormals(y)
        result = fpu.scale(EXTENDED, value, distance, environment)
    finish(cpu, environment, result, 0)


def extract(cpu: X86Cpu) -> None:
    """FXTRACT: the exponent to ST(0), then the significand is pushed."""
    wait(cpu)
    if is_empty(cpu, 0) or not is_empty(cpu, 7):
        if not state.stack_fault(cpu, overflow=not is_empty(cpu, 0)):
            put(cpu, 0, DEFAULT_NAN)
            _push_result(cpu, DEFAULT_NAN)
        return
    value = get(cpu, 0)
    x = EXTENDED.unpack(value)
    environment = state.status(cpu)
    exponent, significand = value, value
    if x.is_nan:
        exponent = significand = environment.propagate(EXTENDED, x)
    elif x.kind is Kind.INFINITY:
        exponent = EXTENDED.infinity()
    elif x.kind is Kind.ZERO:
        environment.flags |= fpu.DIVIDE_BY_ZERO
        exponent = EXTENDED.infinity(1)
    else:
        environment.note_denormals(x)
        length = x.significand.bit_length()
        exponent = fpu.from_int(EXTENDED, x.exponent + length - 1, Status(state.NANS))
        significand = fpu.pack(EXTENDED, Status(state.NANS), x.sign, x.significand, 1 - length)
    environment.rounded_up = False
    if finish(cpu, environment, exponent, 0):
        _push_result(cpu, significand)


def _push_result(cpu: X86Cpu, value: int) -> None:
    cpu.fpstt = cpu.fpstt - 1 & 7
    put(cpu, 0, value)


def partial_remainder(cpu: X86Cpu, nearest: int) -> None:
    """FPREM and FPREM1: at most 63 bits of the quotient at once; C2 tells that there is more to do."""
    wait(cpu)
    if underflowed(cpu, 0, 1):
        stack_underflow(cpu, 0)
        return
    a, b = get(cpu, 0), get(cpu, 1)
    x, y = EXTENDED.unpack(a), EXTENDED.unpack(b)
    environment = Status(state.NANS)
    codes = 0
    distance = x.exponent + x.significand.bit_length() - y.exponent - y.significand.bit_length()
    if x.kind is Kind.FINITE and y.kind is Kind.FINITE and distance >= 64:
        environment.note_denormals(x, y)
        step = distance - (32 + distance % 32)  # SDM vol. 2, FPREM: a number between 32 and 63
        exponent = min(x.exponent, y.exponent + step)
        shifted = y.significand << y.exponent + step - exponent
        rest = (x.significand << x.exponent - exponent) % shifted
        result = fpu.pack(EXTENDED, environment, x.sign, rest, exponent)
        codes = C2
    else:
        result, quotient = fpu.remainder(EXTENDED, a, b, environment, nearest=bool(nearest))
        codes = (C0 if quotient & 4 else 0) | (C3 if quotient & 2 else 0) | (C1 if quotient & 1 else 0)
    if finish(cpu, environment, result, 0):
        cpu.fpus = cpu.fpus & ~state.CONDITION | codes


# --- transcendental functions -----------------------------------------------------------------------------------------


def exponential(cpu: X86Cpu) -> None:
    """F2XM1: 2**ST(0) - 1, for -1 <= ST(0) <= 1."""
    wait(cpu)
    if is_empty(cpu, 0):
        stack_underflow(cpu, 0)
        return
    environment = state.status(cpu)
    value = get(cpu, 0)
    x = EXTENDED.unpack(value)
    if x.is_nan:
        result = environment.propagate(EXTENDED, x)
    elif x.kind is Kind.INFINITY:
        result = ONE | SIGN if x.sign else value
    else:
        environment.note_denormals(x)
        result = elementary.power_of_two_minus_one(x, environment)
    finish(cpu, environment, result, 0)


def logarithm(cpu: X86Cpu, plus_one: int) -> None:
    """FYL2X and FYL2XP1: ST(1) times the binary logarithm of ST(0) (plus one) to ST(1), and pop."""
    _to_second(cpu, elementary.y_log2_xp1 if plus_one else elementary.y_log2_x)


def arctangent(cpu: X86Cpu) -> None:
    """FPATAN: the angle of (ST(0), ST(1)) to ST(1), and pop."""
    _to_second(cpu, elementary.arctangent)


def _to_second(cpu: X86Cpu, function: Any) -> None:
    wait(cpu)
    if underflowed(cpu, 0, 1):
        stack_underflow(cpu, 1, 1)
        return
    environment = state.status(cpu)
    result = function(get(cpu, 0), get(cpu, 1), environment)
    if finish(cpu, environment, result, 1):
        state.pop(cpu)


def trigonometric(cpu: X86Cpu, function: int) -> None:
    """FSIN (0), FCOS (1), FPTAN (2), FSINCOS (3); C2 is set where ST(0) is out of range (2**63 and more)."""
    wait(cpu)
    pushes = function >= 2
    if is_empty(cpu, 0) or (pushes and not is_empty(cpu, 7)):
        if not state.stack_fault(cpu, overflow=not is_empty(cpu, 0)):
            put(cpu, 0, DEFAULT_NAN)
            if pushes:
                _push_result(cpu, DEFAULT_NAN)
        return
    value = get(cpu, 0)
    x = EXTENDED.unpack(value)
    if x.kind is Kind.FINITE and x.exponent + x.significand.bit_length() > 63:
        cpu.fpus = cpu.fpus & ~C1 | C2
        return
    environment = state.status(cpu)
    results = _trigonometric(function, value, environment)
    if not finish(cpu, environment, results[0], 0):
        return
    cpu.fpus &= ~C2
    if pushes:
        _push_result(cpu, results[1])


def _trigonometric(function: int, value: int, environment: Status) -> tuple[int, int]:
    x = EXTENDED.unpack(value)
    if x.is_nan:
        result = environment.propagate(EXTENDED, x)
        return result, result
    if x.kind is Kind.INFINITY:
        result = environment.invalid(EXTENDED)
        return result, result
    environment.note_denormals(x)
    match function:
        case 0:
            return elementary.sine(x, environment), 0
        case 1:
            return elementary.cosine(x, environment), 0
        case 2:
            return elementary.tangent(x, environment), ONE
        case _:
            sine = elementary.sine(x, environment)
            return sine, elementary.cosine(x, environment)
