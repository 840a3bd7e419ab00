"""The x87 instructions as Python helpers (SDM vol. 1, chapter 8; vol. 2).

Every helper begins with :func:`~pyqemu.targets.x86.fpu_state.wait`, which reports what an earlier instruction left
pending. Accesses to memory come before any change of state. ``operation`` is the reg field of ModRM: 0 add, 1
multiply, 2 and 3 compare, 4 subtract, 5 subtract reversed, 6 divide, 7 divide reversed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyqemu import fpu
from pyqemu.fpu import BINARY32, BINARY64, DENORMAL, EXTENDED, INVALID, OVERFLOW, UNDERFLOW, Format, Kind, Status
from pyqemu.targets.x86 import fpu_state as state
from pyqemu.targets.x86.fpu_state import C0, C2, C3, CONDITION, DEFAULT_NAN, get, is_empty, put, signal, wait

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu
else:
    X86Cpu = Any

STOPS = INVALID | DENORMAL | fpu.DIVIDE_BY_ZERO  #: exceptions that, unmasked, leave the operands alone
WIDE = Format("x87 with an unbounded exponent", 20, 64, explicit=True)
BIAS_ADJUST = 24576  #: SDM vol. 1, 8.5.4 and 8.5.5
FORMATS = {4: BINARY32, 8: BINARY64}
INDEFINITE = {2: 0x8000, 4: 0x80000000, 8: 1 << 63}
BCD_INDEFINITE = 0xFFFFC000000000000000
ONE = EXTENDED.assemble(0, EXTENDED.bias, EXTENDED.leading)


# --- results ----------------------------------------------------------------------------------------------------------


def blocked(cpu: X86Cpu, flags: int) -> bool:
    """Signal exceptions found before the result; return whether the instruction has no effect."""
    return bool(signal(cpu, flags) & STOPS)


def finish(cpu: X86Cpu, environment: Status, result: int, number: int, wide: Any = None) -> bool:
    """Signal the exceptions of an operation and write its result to ST(number); return False if it has no effect.

    :param wide: computes the result with a larger exponent, for overflow and underflow that are not masked
    """
    flags = environment.flags
    if blocked(cpu, flags):
        return False
    state.set_c1(cpu, environment.rounded_up)
    unmasked = flags & ~cpu.fpuc & (OVERFLOW | UNDERFLOW)
    if unmasked and wide is not None:
        result = _adjusted(cpu, wide, unmasked)
    put(cpu, number, result)
    return True


def _adjusted(cpu: X86Cpu, compute: Any, unmasked: int) -> int:
    """The result with its exponent moved into range, for the handler (SDM vol. 1, 8.5.4 and 8.5.5)."""
    environment = state.status(cpu, controlled=True)
    number = WIDE.unpack(compute(WIDE, environment))
    distance = -BIAS_ADJUST if unmasked & OVERFLOW else BIAS_ADJUST
    exact = Status(state.NANS)
    return fpu.pack(EXTENDED, exact, number.sign, number.significand, number.exponent + distance)


def as_wide(value: int) -> int:
    """An extended number in :data:`WIDE`."""
    exact = Status(state.NANS)
    return fpu.convert(EXTENDED, WIDE, value, exact)


def underflowed(cpu: X86Cpu, *numbers: int) -> bool:
    """Whether one of the registers is empty."""
    return any(is_empty(cpu, number) for number in numbers)


def stack_underflow(cpu: X86Cpu, destination: int, pops: int = 0) -> None:
    """A stack fault for reading an empty register: masked, the destination becomes the default NaN."""
    if not state.stack_fault(cpu, overflow=False):
        put(cpu, destination, DEFAULT_NAN)
        for _ in range(pops):
            state.pop(cpu)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def widen(value: int, size: int) -> tuple[int, int]:
    """A single or double as an extended number, exactly (a signaling NaN stays one), and the exceptions of that."""
    fmt = FORMATS[size]
    field = value >> fmt.fraction_bits & fmt.special
    if 0 < field < fmt.special:  # a normal number: the fields move
        fraction = (value & fmt.fraction_mask | fmt.leading) << EXTENDED.precision - fmt.precision
        return EXTENDED.assemble(value >> fmt.bits - 1, field + EXTENDED.bias - fmt.bias, fraction), 0
    number = fmt.unpack(value)
    if number.is_nan:
        fraction = number.significand << EXTENDED.precision - fmt.precision | EXTENDED.leading
        return EXTENDED.assemble(number.sign, EXTENDED.special, fraction), 0
    environment = Status(state.NANS)
    return fpu.convert(fmt, EXTENDED, value, environment), environment.flags


def from_integer(value: int, size: int) -> int:
    """A signed integer of `size` bytes as an extended number."""
    half = 1 << 8 * size - 1
    return fpu.from_int(EXTENDED, (value ^ half) - half, Status(state.NANS))


def compute(operation: int, fmt: Format, a: int, b: int, environment: Status) -> int:
    """The result of an arithmetic operation on ST(0) and the other operand."""
    match operation:
        case 0:
            return fpu.add(fmt, a, b, environment)
        case 1:
            return fpu.multiply(fmt, a, b, environment)
        case 4:
            return fpu.subtract(fmt, a, b, environment)
        case 5:
            return fpu.subtract(fmt, b, a, environment)
        case 6:
            return fpu.divide(fmt, a, b, environment)
        case _:
            return fpu.divide(fmt, b, a, environment)


def _arithmetic(cpu: X86Cpu, operation: int, other: int, flags: int, destination: int) -> bool:
    first = get(cpu, 0)
    environment = state.status(cpu, controlled=True)
    result = compute(operation, EXTENDED, first, other, environment)
    if flags and not environment.flags & (INVALID | fpu.DIVIDE_BY_ZERO) and not EXTENDED.unpack(result).is_nan:
        environment.flags |= flags
    return finish(cpu, environment, result, destination,
                  lambda fmt, status: compute(operation, fmt, as_wide(first), as_wide(other), status))  # fmt: skip


def arith_register(cpu: X86Cpu, operation: int, number: int, destination: int, pops: int) -> None:
    """ST(0) op ST(number) to ST(destination), and pop."""
    wait(cpu)
    if underflowed(cpu, 0, number):
        stack_underflow(cpu, destination, pops)
    elif _arithmetic(cpu, operation, get(cpu, number), 0, destination) and pops:
        state.pop(cpu)


def arith_float(cpu: X86Cpu, operation: int, value: int, size: int) -> None:
    """ST(0) op a single or double."""
    wait(cpu)
    if is_empty(cpu, 0):
        stack_underflow(cpu, 0)
    else:
        _arithmetic(cpu, operation, *widen(value, size), 0)


def arith_integer(cpu: X86Cpu, operation: int, value: int, size: int) -> None:
    """ST(0) op an integer."""
    wait(cpu)
    if is_empty(cpu, 0):
        stack_underflow(cpu, 0)
    else:
        _arithmetic(cpu, operation, from_integer(value, size), 0, 0)


# --- comparisons ------------------------------------------------------------------------------------------------------


def _order(cpu: X86Cpu, first: int, second: int, flags: int, quiet: bool) -> int | None:
    """-1, 0, 1; 2 for unordered; None if the instruction has no effect."""
    environment = Status(state.NANS)
    result = fpu.compare(EXTENDED, first, second, environment, quiet=quiet)
    if result is not None:
        environment.flags |= flags
    if blocked(cpu, environment.flags):
        return None
    return 2 if result is None else result


CONDITION_CODES = {-1: C0, 0: C3, 1: 0, 2: C0 | C2 | C3}


def _set_codes(cpu: X86Cpu, order: int, pops: int) -> None:
    cpu.fpus = cpu.fpus & ~CONDITION | CONDITION_CODES[order]
    for _ in range(pops):
        state.pop(cpu)


def _compare(cpu: X86Cpu, other: int, flags: int, quiet: bool, pops: int) -> None:
    order = _order(cpu, get(cpu, 0), other, flags, quiet)
    if order is not None:
        _set_codes(cpu, order, pops)


def _compare_empty(cpu: X86Cpu, pops: int) -> None:
    if not state.stack_fault(cpu, overflow=False):
        _set_codes(cpu, 2, pops)


def compare_register(cpu: X86Cpu, number: int, quiet: int, pops: int) -> None:
    """FCOM, FCOMP, FCOMPP, FUCOM and so on."""
    wait(cpu)
    if underflowed(cpu, 0, number):
        _compare_empty(cpu, pops)
    else:
        _compare(cpu, get(cpu, number), 0, bool(quiet), pops)


def compare_float(cpu: X86Cpu, value: int, size: int, pops: int) -> None:
    """FCOM and FCOMP with a single or double."""
    wait(cpu)
    if is_empty(cpu, 0):
        _compare_empty(cpu, pops)
    else:
        _compare(cpu, *widen(value, size), False, pops)


def compare_integer(cpu: X86Cpu, value: int, size: int, pops: int) -> None:
    """FICOM and FICOMP."""
    wait(cpu)
    if is_empty(cpu, 0):
        _compare_empty(cpu, pops)
    else:
        _compare(cpu, from_integer(value, size), 0, False, pops)


def test_zero(cpu: X86Cpu) -> None:
    """FTST."""
    wait(cpu)
    if is_empty(cpu, 0):
        _compare_empty(cpu, 0)
    else:
        _compare(cpu, 0, 0, False, 0)


EFLAGS_IMAGES = {-1: 0x01, 0: 0x40, 1: 0, 2: 0x45}


def compare_eflags(cpu: X86Cpu, number: int, quiet: int, pops: int, before: int) -> int:
    """FCOMI and so on: return the image of the flags; `before` if the instruction has no effect."""
    wait(cpu)
    if underflowed(cpu, 0, number):
        order = None if state.stack_fault(cpu, overflow=False) else 2
    else:
        order = _order(cpu, get(cpu, 0), get(cpu, number), 0, bool(quiet))
        state.set_c1(cpu, False)
    if order is None:
        return before
    if pops:
        state.pop(cpu)
    return EFLAGS_IMAGES[order]


def examine(cpu: X86Cpu) -> None:
    """FXAM (SDM vol. 2, table 3-31)."""
    wait(cpu)
    value = get(cpu, 0)
    number = EXTENDED.unpack(value)
    codes = C0 | C3
    if not is_empty(cpu, 0):
        codes = {Kind.ZERO: C3, Kind.INFINITY: C0 | C2, Kind.QUIET: C0, Kind.SIGNALING: C0, Kind.UNSUPPORTED: 0}.get(
            number.kind, C2 | C3 if number.subnormal else C2
        )
    cpu.fpus = cpu.fpus & ~CONDITION | codes | (state.C1 if value >> 79 else 0)


# --- loads and stores -------------------------------------------------------------------------------------------------


def load_float(cpu: X86Cpu, value: int, size: int) -> None:
    """FLD of a single or double."""
    wait(cpu)
    wide, flags = widen(value, size)
    if EXTENDED.unpack(wide).kind is Kind.SIGNALING:
        wide, flags = wide | EXTENDED.quiet_bit, INVALID
    if is_empty(cpu, 7) and blocked(cpu, flags):
        return
    state.push(cpu, wide)


def load_integer(cpu: X86Cpu, value: int, size: int) -> None:
    """FILD."""
    wait(cpu)
    state.push(cpu, from_integer(value, size))


def load_extended(cpu: X86Cpu, mantissa: int, sign_exponent: int) -> None:
    """FLD of an extended number: no exception but a stack fault."""
    wait(cpu)
    state.push(cpu, sign_exponent << 64 | mantissa)


def load_constant(cpu: X86Cpu, number: int) -> None:
    """FLD1, FLDL2T and so on, rounded by the rounding mode (SDM vol. 2, FLD1)."""
    from pyqemu.fpu.elementary import constant

    wait(cpu)
    state.push(cpu, constant(number, cpu.fpuc >> 10 & 3))


def load_register(cpu: X86Cpu, number: int) -> None:
    """FLD ST(i)."""
    wait(cpu)
    if is_empty(cpu, number):
        if state.stack_fault(cpu, overflow=False):
            return
        state.push(cpu, DEFAULT_NAN)
    else:
        state.push(cpu, get(cpu, number))


def store_register(cpu: X86Cpu, number: int, pops: int) -> None:
    """FST and FSTP ST(i)."""
    wait(cpu)
    if is_empty(cpu, 0):
        stack_underflow(cpu, number, pops)
        return
    state.set_c1(cpu, False)
    put(cpu, number, get(cpu, 0))
    if pops:
        state.pop(cpu)


def _store(cpu: X86Cpu, address: int, size: int, value: int, environment: Status, pops: int) -> None:
    """Write a result to memory unless an exception forbids it, then signal the exceptions and pop."""
    flags = environment.flags
    stops = flags & ~cpu.fpuc & (STOPS | OVERFLOW | UNDERFLOW)
    if not stops:
        cpu.write(address, value.to_bytes(size, "little"))
    signal(cpu, flags)
    if not stops:
        state.set_c1(cpu, environment.rounded_up)
        if pops:
            state.pop(cpu)


def _store_empty(cpu: X86Cpu, address: int, size: int, value: int, pops: int) -> None:
    """Storing an empty register: masked, the indefinite value is written."""
    if cpu.fpuc & INVALID:
        cpu.write(address, value.to_bytes(size, "little"))
    if not state.stack_fault(cpu, overflow=False) and pops:
        state.pop(cpu)


def store_float(cpu: X86Cpu, address: int, size: int, pops: int) -> None:
    """FST and FSTP to a single or double."""
    wait(cpu)
    fmt = FORMATS[size]
    if is_empty(cpu, 0):
        _store_empty(cpu, address, size, state.NANS.default(fmt), pops)
        return
    environment = state.status(cpu)
    value = fpu.convert(EXTENDED, fmt, get(cpu, 0), environment)
    environment.flags &= ~DENORMAL  # a denormal extended number underflows instead
    _store(cpu, address, size, value, environment, pops)


def store_integer(cpu: X86Cpu, address: int, size: int, pops: int, truncate: int) -> None:
    """FIST, FISTP, FISTTP."""
    wait(cpu)
    if is_empty(cpu, 0):
        _store_empty(cpu, address, size, INDEFINITE[size], pops)
        return
    environment = state.status(cpu)
    value = fpu.to_int(EXTENDED, get(cpu, 0), 8 * size, environment, rounding=3 if truncate else None)
    image = INDEFINITE[size] if value is None else value & (1 << 8 * size) - 1
    if truncate:
        environment.rounded_up = False
    _store(cpu, address, size, image, environment, pops)


def store_extended(cpu: X86Cpu, address: int) -> None:
    """FSTP to an extended number."""
    wait(cpu)
    if is_empty(cpu, 0):
        _store_empty(cpu, address, 10, DEFAULT_NAN, 1)
        return
    cpu.write(address, get(cpu, 0).to_bytes(10, "little"))
    state.set_c1(cpu, False)
    state.pop(cpu)


def load_bcd(cpu: X86Cpu, low: int, high: int) -> None:
    """FBLD: 18 decimal digits and a sign."""
    wait(cpu)
    number = 0
    for digit in range(17, -1, -1):
        number = 10 * number + ((high << 64 | low) >> 4 * digit & 15)
    value = fpu.from_int(EXTENDED, number, Status(state.NANS))
    state.push(cpu, value | (high >> 15 & 1) << 79)


def store_bcd(cpu: X86Cpu, address: int) -> None:
    """FBSTP."""
    wait(cpu)
    if is_empty(cpu, 0):
        _store_empty(cpu, address, 10, BCD_INDEFINITE, 1)
        return
    environment = state.status(cpu)
    value = fpu.to_int(EXTENDED, get(cpu, 0), 65, environment)
    if value is None or abs(value) >= 10**18:
        environment.flags, image = INVALID, BCD_INDEFINITE
    else:
        image = int(str(abs(value)), 16) | (get(cpu, 0) >> 79) << 79
    _store(cpu, address, 10, image, environment, 1)


# --- moves within the stack -------------------------------------------------------------------------------------------


def nothing(cpu: X86Cpu) -> None:
    """FNOP, and the head of FINCSTP and FDECSTP: report what is pending."""
    wait(cpu)


def exchange(cpu: X86Cpu, number: int) -> None:
    """FXCH."""
    wait(cpu)
    if underflowed(cpu, 0, number):
        if state.stack_fault(cpu, overflow=False):
            return
        for n in (0, number):
            if is_empty(cpu, n):
                put(cpu, n, DEFAULT_NAN)
    else:
        state.set_c1(cpu, False)
    first, second = get(cpu, 0), get(cpu, number)
    put(cpu, 0, second)
    put(cpu, number, first)


def move_if(cpu: X86Cpu, number: int, condition: int) -> None:
    """FCMOVcc: the stack is checked whether or not the condition holds."""
    wait(cpu)
    if underflowed(cpu, 0, number):
        stack_underflow(cpu, 0)
    elif condition:
        put(cpu, 0, get(cpu, number))


def free(cpu: X86Cpu, number: int, pops: int) -> None:
    """FFREE, FFREEP."""
    wait(cpu)
    cpu.fptags |= 1 << 8 * (cpu.fpstt + number & 7)
    if pops:
        state.pop(cpu)
