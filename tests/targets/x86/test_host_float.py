"""The software floating point against the host's own processor, where that is an x86: results and flags, bit by bit."""

from __future__ import annotations

import ctypes
import platform
import random
from collections.abc import Callable
from typing import Any

import pytest

from pyqemu.fpu import BINARY32, BINARY64, EXTENDED, Format
from pyqemu.targets.x86 import fpu_functions, fpu_ops, fpu_state, layout, sse_soft
from pyqemu.targets.x86.state import X86Cpu
from pyqemu.tcg.codebuffer import CodeBuffer

pytestmark = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the host is no x86")
CASES = 600
MXCSR, A, B = 0, 16, 32  #: offsets in the block that the code gets in rdi
CONTROL, STATUS, X, Y = 64, 68, 80, 96


@pytest.fixture(scope="module")
def host() -> Callable[[bytes, bytearray], None]:
    """Run code on the host; rdi points to the block."""
    buffer = CodeBuffer(1 << 20)

    def run(code: bytes, block: bytearray) -> None:
        memory = (ctypes.c_char * 256)()
        start = -ctypes.addressof(memory) % 16
        memory[start : start + len(block)] = bytes(block)
        function = known.get(code) or known.setdefault(
            code, ctypes.CFUNCTYPE(None, ctypes.c_void_p)(buffer.append(code))
        )
        function(ctypes.addressof(memory) + start)
        block[:] = memory[start : start + len(block)]

    known: dict[bytes, Any] = {}
    return run


def pattern(rng: random.Random, fmt: Format) -> int:
    near = fmt.bias + rng.randrange(-9, 9)
    field = rng.choice((0, 1, 2, fmt.special, fmt.special - 1, fmt.bias, rng.randrange(fmt.special), near, near))
    bits = fmt.precision - 1
    fraction = rng.choice((0, 1, (1 << bits) - 1, rng.getrandbits(bits), rng.getrandbits(8) << bits - 8, 1 << bits - 1))
    if fmt.explicit and field:
        fraction |= fmt.leading
    return fmt.assemble(rng.getrandbits(1), field, fraction)


def vector(rng: random.Random, fmt: Format) -> int:
    return sum(pattern(rng, fmt) << shift for shift in range(0, 128, fmt.bits))


# --- SSE --------------------------------------------------------------------------------------------------------------

SSE = {"add": 0x58, "mul": 0x59, "sub": 0x5C, "div": 0x5E, "sqrt": 0x51, "min": 0x5D, "max": 0x5F}
PREFIXES = (b"\xf3", b"\xf2", b"", b"\x66")
FRAME = bytes.fromhex(
    "0fae17 0f104710 0f104f20".replace(" ", "")
)  # ldmxcsr [rdi]; movups xmm0, [rdi+16]; xmm1, [rdi+32]
END = bytes.fromhex("0f114710 0fae1f 68801f0000 0fae1424 58 c3".replace(" ", ""))  # store; the default MXCSR again


def run_sse(host: Any, code: bytes, mxcsr: int, a: int, b: int) -> tuple[int, int]:
    block = bytearray(128)
    block[0:4] = mxcsr.to_bytes(4, "little")
    block[A : A + 16], block[B : B + 16] = a.to_bytes(16, "little"), b.to_bytes(16, "little")
    host(FRAME + code + END, block)
    return int.from_bytes(block[A : A + 16], "little"), int.from_bytes(block[0:4], "little")


def random_mxcsr(rng: random.Random) -> int:
    return 0x1F80 | rng.randrange(4) << 13 | rng.choice((0, 0, 1 << 6, 1 << 15, 1 << 6 | 1 << 15))


@pytest.mark.parametrize("kind", range(4), ids=sse_soft.SUFFIXES)
@pytest.mark.parametrize("name", SSE)
def test_sse_arithmetic(host: Any, name: str, kind: int) -> None:
    rng, cpu = random.Random(f"{name}{kind}"), X86Cpu()
    fmt = sse_soft.KINDS[kind][0]
    code = PREFIXES[kind] + bytes((0x0F, SSE[name], 0xC1))
    for _ in range(CASES):
        a, b, mxcsr = vector(rng, fmt), vector(rng, fmt), random_mxcsr(rng)
        cpu.mxcsr = mxcsr
        sse_soft.write(cpu, 0, a)
        sse_soft.arithmetic(cpu, sse_soft.OPERATIONS.index(name), kind, 0, b & layout.M64, b >> 64)
        expected = run_sse(host, code, mxcsr, a, b)
        assert (sse_soft.read(cpu, 0), cpu.mxcsr) == expected, (f"{a:x} {b:x} {mxcsr:x}", *map(hex, expected))


@pytest.mark.parametrize("predicate", range(8))
def test_sse_comparisons(host: Any, predicate: int) -> None:
    rng, cpu = random.Random(predicate), X86Cpu()
    for kind in (2, 3):
        code = PREFIXES[kind] + bytes((0x0F, 0xC2, 0xC1, predicate))
        fmt = sse_soft.KINDS[kind][0]
        for _ in range(CASES // 2):
            a, b, mxcsr = vector(rng, fmt), vector(rng, fmt), random_mxcsr(rng)
            cpu.mxcsr = mxcsr
            sse_soft.write(cpu, 0, a)
            sse_soft.compare(cpu, predicate, kind, 0, b & layout.M64, b >> 64)
            expected = run_sse(host, code, mxcsr, a, b)
            assert (sse_soft.read(cpu, 0), cpu.mxcsr) == expected, f"{a:x} {b:x} {mxcsr:x}"


CONVERSIONS: list[tuple[str, Format, Callable[[X86Cpu, int, int], None]]] = [
    ("0f5ac1", BINARY32, lambda cpu, low, high: sse_soft.packed_floats(cpu, 1, 0, low, high)),
    ("660f5ac1", BINARY64, lambda cpu, low, high: sse_soft.packed_floats(cpu, 0, 0, low, high)),
    ("660f5bc1", BINARY32, lambda cpu, low, high: sse_soft.singles_to_int(cpu, 0, 0, low, high)),
    ("f30f5bc1", BINARY32, lambda cpu, low, high: sse_soft.singles_to_int(cpu, 1, 0, low, high)),
    ("0f5bc1", BINARY32, lambda cpu, low, high: sse_soft.int_to_singles(cpu, 4, 0, low, high)),
    ("f20fe6c1", BINARY64, lambda cpu, low, high: sse_soft.write(cpu, 0, sse_soft.packed_to_int(cpu, 1, 0, low, high))),
    ("660fe6c1", BINARY64, lambda cpu, low, high: sse_soft.write(cpu, 0, sse_soft.packed_to_int(cpu, 1, 1, low, high))),
    ("660f3a08c100", BINARY32, lambda cpu, low, high: sse_soft.round_lanes(cpu, 2, 0, 0, low, high)),
    ("660f3a09c10c", BINARY64, lambda cpu, low, high: sse_soft.round_lanes(cpu, 3, 12, 0, low, high)),
    ("f20f7cc1", BINARY32, lambda cpu, low, high: sse_soft.horizontal(cpu, 0, 2, 0, low, high)),
    ("660fd0c1", BINARY64, lambda cpu, low, high: sse_soft.alternate(cpu, 3, 0, low, high)),
    ("660f3a40c1ff", BINARY32, lambda cpu, low, high: sse_soft.dot_product(cpu, 2, 0xFF, 0, low, high)),
]


@pytest.mark.parametrize(("code", "fmt", "function"), CONVERSIONS, ids=[entry[0] for entry in CONVERSIONS])
def test_sse_conversions(host: Any, code: str, fmt: Format, function: Callable[[X86Cpu, int, int], None]) -> None:
    rng, cpu = random.Random(code), X86Cpu()
    for _ in range(CASES):
        a, b, mxcsr = vector(rng, fmt), vector(rng, fmt), random_mxcsr(rng)
        cpu.mxcsr = mxcsr
        sse_soft.write(cpu, 0, a)
        function(cpu, b & layout.M64, b >> 64)
        expected = run_sse(host, bytes.fromhex(code), mxcsr, a, b)
        assert (sse_soft.read(cpu, 0), cpu.mxcsr) == expected, (f"{a:x} {b:x} {mxcsr:x}", *map(hex, expected))


# --- x87 --------------------------------------------------------------------------------------------------------------

X87: dict[str, tuple[str, Callable[[X86Cpu], None]]] = {
    "fadd": ("d8c1", lambda cpu: fpu_ops.arith_register(cpu, 0, 1, 0, 0)),
    "fmul": ("d8c9", lambda cpu: fpu_ops.arith_register(cpu, 1, 1, 0, 0)),
    "fsub": ("d8e1", lambda cpu: fpu_ops.arith_register(cpu, 4, 1, 0, 0)),
    "fdiv": ("d8f1", lambda cpu: fpu_ops.arith_register(cpu, 6, 1, 0, 0)),
    "fdivr": ("d8f9", lambda cpu: fpu_ops.arith_register(cpu, 7, 1, 0, 0)),
    "fcom": ("d8d1", lambda cpu: fpu_ops.compare_register(cpu, 1, 0, 0)),
    "fucom": ("dde1", lambda cpu: fpu_ops.compare_register(cpu, 1, 1, 0)),
    "fsqrt": ("d9fa", fpu_functions.square_root),
    "frndint": ("d9fc", fpu_functions.round_to_int),
    "fscale": ("d9fd", fpu_functions.scale),
    "fprem": ("d9f8", lambda cpu: fpu_functions.partial_remainder(cpu, 0)),
    "fprem1": ("d9f5", lambda cpu: fpu_functions.partial_remainder(cpu, 1)),
    "fxam": ("d9e5", fpu_ops.examine),
    "ftst": ("d9e4", fpu_ops.test_zero),
    "fchs": ("d9e0", lambda cpu: fpu_functions.change_sign(cpu, 0)),
}
X87_FRAME = "dbe3 d96f40 db6f60 db6f50"  # fninit; fldcw [rdi+64]; fld [rdi+96]; fld [rdi+80]
X87_END = "dd7f44 9bdbe2 db7f50 dbe3 c3"  # fnstsw [rdi+68]; fclex; fstp [rdi+80]; fninit


@pytest.mark.parametrize("name", X87)
def test_x87(host: Any, name: str) -> None:
    code, function = X87[name]
    rng, cpu = random.Random(name), X86Cpu()
    text = bytes.fromhex((X87_FRAME + code + X87_END).replace(" ", ""))
    for _ in range(CASES):
        a, b = pattern(rng, EXTENDED), pattern(rng, EXTENDED)
        control = 0x7F | rng.choice((0, 2, 3, 3)) << 8 | rng.randrange(4) << 10
        block = bytearray(128)
        block[CONTROL : CONTROL + 2] = control.to_bytes(2, "little")
        block[X : X + 10], block[Y : Y + 10] = a.to_bytes(10, "little"), b.to_bytes(10, "little")
        host(text, block)
        expected = int.from_bytes(block[X : X + 10], "little"), int.from_bytes(block[STATUS : STATUS + 2], "little")
        fpu_state.initialize(cpu)
        fpu_state.set_control_word(cpu, control)
        fpu_state.push(cpu, b)
        fpu_state.push(cpu, a)
        function(cpu)
        result = fpu_state.get(cpu, 0), fpu_state.status_word(cpu)
        assert result == expected, (f"{a:x} {b:x} {control:x}", *map(hex, (*result, *expected)))


#: Instruction, helper, range of the argument's exponent, whether ST(1) is an operand.
TRANSCENDENTAL: dict[str, tuple[str, Callable[[X86Cpu], None], tuple[int, int], bool]] = {
    "f2xm1": ("d9f0", fpu_functions.exponential, (-70, -1), False),
    "fyl2x": ("d9f1", lambda cpu: fpu_functions.logarithm(cpu, 0), (-200, 200), True),
    "fyl2xp1": ("d9f9", lambda cpu: fpu_functions.logarithm(cpu, 1), (-70, -3), True),
    "fpatan": ("d9f3", fpu_functions.arctangent, (-60, 60), True),
    "fsin": ("d9fe", lambda cpu: fpu_functions.trigonometric(cpu, 0), (-40, 61), False),
    "fcos": ("d9ff", lambda cpu: fpu_functions.trigonometric(cpu, 1), (-40, 61), False),
    "fptan": ("d9f2", lambda cpu: fpu_functions.trigonometric(cpu, 2), (-40, 20), False),
}


@pytest.mark.parametrize("name", TRANSCENDENTAL)
def test_x87_transcendental_functions_within_two_units_of_the_last_place(host: Any, name: str) -> None:
    code, function, (low, high), both = TRANSCENDENTAL[name]
    rng, cpu = random.Random(name), X86Cpu()
    frame = X87_FRAME if both else X87_FRAME.replace("db6f60 ", "")
    text = bytes.fromhex((frame + code + X87_END).replace(" ", ""))
    for _ in range(CASES // 2):
        sign = 0 if name == "fyl2x" else rng.getrandbits(1)
        a = EXTENDED.assemble(sign, EXTENDED.bias + rng.randrange(low, high), rng.getrandbits(63) | EXTENDED.leading)
        b = EXTENDED.assemble(0, EXTENDED.bias + rng.randrange(-60, 60), rng.getrandbits(63) | EXTENDED.leading)
        block = bytearray(128)
        block[CONTROL : CONTROL + 2] = (0x37F).to_bytes(2, "little")
        block[X : X + 10], block[Y : Y + 10] = a.to_bytes(10, "little"), b.to_bytes(10, "little")
        host(text, block)
        fpu_state.initialize(cpu)
        for value in (b, a) if both else (a,):
            fpu_state.push(cpu, value)
        function(cpu)
        expected = int.from_bytes(block[X : X + 10], "little")
        assert abs(fpu_state.get(cpu, 0) - expected) <= 2, f"{a:x} {b:x}"
