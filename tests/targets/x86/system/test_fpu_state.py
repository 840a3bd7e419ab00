"""State of x87, MMX and SSE, and when their instructions fault."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from typing import Any

import pytest

from pyqemu.targets.x86 import fpu_state, layout
from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import CR0_EM, CR0_MP, CR0_NE, CR0_TS, CR4_OSFXSR, CR4_OSXMMEXCPT, M32
from pyqemu.tcg.python_engine import PythonEngine
from pyqemu.tcg.stencil_engine import StencilEngine

ONE = 0x3FFF << 64 | 1 << 63


@pytest.fixture(params=[PythonEngine, StencilEngine])
def machine(request: pytest.FixtureRequest, make_machine: Callable[..., Any]) -> Any:
    return make_machine(engine=request.param())


@pytest.fixture
def run(machine: Any, asm: Callable[..., bytes]) -> Callable[..., Any]:
    """Run assembler text in flat 32-bit code with SSE enabled; `control` are bits to set in CR0."""
    cpu = machine.protected()
    cpu.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT

    def execute(text: str, control: int = CR0_NE, cr4: int | None = None) -> Any:
        cpu.cr0 |= control
        if cr4 is not None:
            cpu.cr4 = cr4
        cpu.update_control()
        cpu.deliver = _raise
        return machine.run(asm(text))

    return execute


def _raise(exc: X86Exception) -> None:
    raise exc


def vector(action: Callable[[], Any]) -> int:
    with pytest.raises(X86Exception) as info:
        action()
    return info.value.vector


@pytest.mark.parametrize(
    ("text", "control", "expected"),
    [
        ("fld1", CR0_TS, layout.EXC_NM),
        ("fld1", CR0_EM, layout.EXC_NM),
        ("fnstsw ax", CR0_EM, layout.EXC_NM),
        ("fwait", CR0_MP | CR0_TS, layout.EXC_NM),
        ("paddb mm0, mm1", CR0_EM, layout.EXC_UD),
        ("paddb mm0, mm1", CR0_TS, layout.EXC_NM),
        ("emms", CR0_TS, layout.EXC_NM),
        ("paddb xmm0, xmm1", CR0_EM, layout.EXC_UD),
        ("paddb xmm0, xmm1", CR0_TS, layout.EXC_NM),
        ("fxsave [0x20000]", CR0_TS, layout.EXC_NM),
        ("fxsave [0x20008]", 0, layout.EXC_GP),
        ("movaps xmm0, [0x20008]", 0, layout.EXC_GP),
        ("paddd xmm0, [0x20001]", 0, layout.EXC_GP),
        ("movdqa [0x20004], xmm0", 0, layout.EXC_GP),
    ],
)
def test_faults(run: Callable[..., Any], text: str, control: int, expected: int) -> None:
    assert vector(lambda: run(text, control)) == expected


def test_fwait_ignores_ts_without_mp(run: Callable[..., Any]) -> None:
    run("fwait", CR0_TS)


def test_sse_needs_osfxsr_but_fences_and_movnti_do_not(run: Callable[..., Any]) -> None:
    run("lfence; mfence; sfence; clflush [0x20000]; movnti [0x20000], eax", cr4=0)
    assert vector(lambda: run("xorps xmm0, xmm0", cr4=0)) == layout.EXC_UD


def test_fninit_and_stores_of_words(run: Callable[..., Any], machine: Any) -> None:
    run("fninit; fld1; fldz; fnstcw [0x20000]; fnstsw [0x20002]; fnstsw ax")
    assert machine.words(0x20000, 2, 2) == [0x37F, 6 << 11]
    assert machine.cpu.rax & 0xFFFF == 6 << 11


def test_fxsave_layout(run: Callable[..., Any], machine: Any) -> None:
    cpu = machine.cpu
    cpu.b[layout.xmm(0) : layout.xmm(8)] = bytes(range(128))
    machine.memory.write(0x20000, b"\xaa" * 512)
    run("fninit; fld1; fld1; fchs; fxsave [0x20000]")
    image = machine.memory.read(0x20000, 512)
    assert image[:8].hex(" ") == "7f 03 00 30 c0 00 e0 01"  # FCW, FSW with TOP 6, abridged tags, opcode of FCHS
    assert image[24:32].hex(" ") == "80 1f 00 00 ff ff 00 00"
    assert image[32:48] == (ONE | 1 << 79).to_bytes(16, "little")
    assert image[48:64] == ONE.to_bytes(16, "little")
    assert image[160:288] == bytes(range(128))
    assert image[288:416] == b"\xaa" * 128  # XMM8 to XMM15 exist in 64-bit mode only


def test_fxrstor_brings_back_what_fxsave_stored(run: Callable[..., Any], machine: Any) -> None:
    cpu = machine.cpu
    run("fninit; fldpi; fld1; movd xmm3, eax; fxsave [0x20000]; fninit; pxor xmm3, xmm3; fxrstor [0x20000]")
    assert fpu_state.get(cpu, 0) == ONE
    assert fpu_state.status_word(cpu) == 6 << 11
    assert fpu_state.tag_word(cpu) == 0x0FFF
    assert cpu.l[layout.xmm(3) >> 2] == cpu.rax & M32


def test_fxsave_and_fxrstor_are_the_same_natively_and_in_software(run: Callable[..., Any], machine: Any) -> None:
    cpu, rng = machine.cpu, random.Random(1)
    for top in (0, 0, 3):
        cpu.b[layout.xmm(0) : layout.xmm(8)] = rng.randbytes(128)
        for n in range(8):
            fpu_state.put(cpu, n, rng.getrandbits(80))
        cpu.fpstt, cpu.fpus, cpu.mxcsr = top, 0x4721, 0x1FBF
        cpu.fptags = sum(rng.getrandbits(1) << 8 * n for n in range(8))
        cpu.fpip, cpu.fpcs, cpu.fpdp, cpu.fpds, cpu.fpop = 0x12345678, 8, 0x9ABCDEF0, 0x10, 0x7A5
        before = bytes(cpu.b[layout.FPST : layout.xmm(8)])
        fpu_state.fxsave(cpu, 0x20200, 0)
        run("fxsave [0x20000]")
        assert machine.memory.read(0x20000, 288) == machine.memory.read(0x20200, 288)
        cpu.b[layout.FPST : layout.xmm(8)] = bytes(len(before))
        run("fxrstor [0x20000]")
        assert bytes(cpu.b[layout.FPST : layout.xmm(8)]) == before


@pytest.mark.parametrize("value", [0, 1, -1, 5, -(1 << 31), (1 << 31) - 1, 0x123456])
def test_fild(run: Callable[..., Any], machine: Any, value: int) -> None:
    machine.memory.store(0x20000, 4, value & M32)
    run("fninit; fild dword ptr [0x20000]; fild dword ptr [0x20000]")
    assert fpu_state.get(machine.cpu, 0) == fpu_state.get(machine.cpu, 1)
    assert machine.cpu.fptags == 0x0000010101010101
    assert machine.cpu.fpstt == 6


def test_fxrstor_refuses_reserved_bits_of_mxcsr(run: Callable[..., Any], machine: Any) -> None:
    machine.memory.store(0x20018, 4, 0x10000)
    assert vector(lambda: run("fxrstor [0x20000]")) == layout.EXC_GP
    machine.memory.store(0x20000, 4, 0x80000000)
    assert vector(lambda: run("ldmxcsr [0x20000]")) == layout.EXC_GP


@pytest.mark.parametrize("size", [16, 32])
def test_fnsave_and_frstor(run: Callable[..., Any], machine: Any, size: int) -> None:
    prefix = ".byte 0x66; " if size == 16 else ""
    run(f"fninit; fldpi; fld1; {prefix}fnsave [0x20000]")
    assert machine.cpu.fptags == fpu_state.ALL_EMPTY
    assert machine.words(0x20000, 3, size // 8) == [
        n | (0xFFFF0000 if size == 32 else 0) for n in (0x37F, 0x3000, 0xFFF)
    ]
    assert machine.memory.read(0x20000 + 7 * size // 8, 10) == ONE.to_bytes(10, "little")
    run(f"{prefix}frstor [0x20000]")
    assert fpu_state.get(machine.cpu, 0) == ONE
    assert fpu_state.tag_word(machine.cpu) == 0x0FFF


def test_an_unmasked_exception_waits_for_the_next_instruction(run: Callable[..., Any], machine: Any) -> None:
    machine.memory.store(0x20000, 2, 0x37B)  # division by zero is not masked
    run("fninit; fldcw [0x20000]; fldz; fld1; fdiv st, st(1)")
    assert fpu_state.get(machine.cpu, 0) == ONE
    assert machine.cpu.fpus & 0x80FF == 0x8084
    assert vector(lambda: run("fld1")) == layout.EXC_MF
    assert vector(lambda: run("fwait")) == layout.EXC_MF
    assert vector(lambda: run("movd mm0, eax")) == layout.EXC_MF
    run("fnclex; fld1")


def test_without_ne_the_ferr_line_is_raised(run: Callable[..., Any], machine: Any) -> None:
    levels: list[bool] = []
    machine.cpu.on_ferr = levels.append
    machine.memory.store(0x20000, 2, 0x37B)
    run("fninit; fldcw [0x20000]; fldz; fld1; fdiv st, st(1); fwait", control=0)
    assert levels == [True]


def test_masked_stack_faults_give_the_default_nan(run: Callable[..., Any], machine: Any) -> None:
    run("fninit; fadd st, st(1)")
    assert fpu_state.get(machine.cpu, 0) == fpu_state.DEFAULT_NAN
    assert machine.cpu.fpus & 0x241 == 0x41  # underflow: C1 is clear
    run("fninit" + "; fld1" * 9)
    assert fpu_state.get(machine.cpu, 0) == fpu_state.DEFAULT_NAN
    assert machine.cpu.fpus & 0x241 == 0x241  # overflow: C1 is set


def test_mmx_instructions_make_all_tags_valid_and_emms_empties_them(run: Callable[..., Any], machine: Any) -> None:
    run("fninit; fld1; movd mm5, eax")
    assert (machine.cpu.fptags, machine.cpu.fpstt) == (0, 0)
    assert machine.cpu.q[(layout.fpst(5) >> 3) + 1] == 0xFFFF
    run("emms")
    assert machine.cpu.fptags == fpu_state.ALL_EMPTY


def test_sse_exceptions_that_are_not_masked(run: Callable[..., Any], machine: Any) -> None:
    machine.memory.store(0x20000, 4, 0x1D80)  # division by zero
    machine.memory.store(0x20010, 8, 0x3FF << 52)
    divide = "ldmxcsr [0x20000]; movsd xmm0, [0x20010]; xorps xmm1, xmm1; divsd xmm0, xmm1"
    assert vector(lambda: run(divide)) == layout.EXC_XM
    assert machine.cpu.q[layout.xmm(0) >> 3] == 0x3FF << 52
    assert machine.cpu.mxcsr == 0x1D84
    machine.cpu.mxcsr = 0x1F80
    assert vector(lambda: run(divide, cr4=CR4_OSFXSR)) == layout.EXC_UD


@pytest.mark.parametrize(
    ("a", "b", "text", "flags"),
    [
        (1.0, 3.0, "divsd", 0x20),  # inexact
        (1.0, 4.0, "divsd", 0),
        (0.5, 0.25, "addsd", 0),
        (1.0, 2.0**-60, "addsd", 0x20),
        (3.0, 5.0, "mulsd", 0),
        (1e308, 1e308, "mulsd", 0x28),  # overflow
        (1e-300, 1e-300, "mulsd", 0x30),  # underflow
        (1.0, 5e-324, "addsd", 0x22),  # denormal operand
        (2.0, 2.0, "sqrtsd", 0x20),
        (4.0, 4.0, "sqrtsd", 0),
        (1.0, 2.5, "cvtsd2si", 0x20),
        (1.0, 1e10, "cvtsd2si", 0x01),  # invalid
        (1.0, 0.1, "cvtsd2ss", 0x20),
        (1.0, float("nan"), "comisd", 0x01),
        (1.0, float("nan"), "ucomisd", 0),
    ],
)
def test_mxcsr_flags(run: Callable[..., Any], machine: Any, a: float, b: float, text: str, flags: int) -> None:
    machine.memory.write(0x20000, struct.pack("<dd", a, b))
    target = "eax" if text == "cvtsd2si" else "xmm0"
    machine.cpu.mxcsr = 0x1F80
    run(f"movsd xmm0, [0x20000]; movsd xmm1, [0x20008]; {text} {target}, xmm1")
    assert machine.cpu.mxcsr == 0x1F80 | flags
