"""Advanced SIMD where the comparison with Unicorn is blind: access, what is native, byte order, the standard FPSCR."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from pyqemu.fpu import ARM_NANS, BINARY32, Status
from pyqemu.fpu.arm_estimates import reciprocal_estimate, root_estimate
from pyqemu.targets.arm.exceptions import ArmException, Kind
from pyqemu.targets.arm.modes import CPSR_E, FPEXC_EN
from tests.targets.arm.guest import CODE, DATA, Guest, assemble

CPACR, SCTLR_A = 0xF << 20, 1 << 1
M32 = (1 << 32) - 1
BYTES = bytes(range(1, 33))
FZ, TOWARD_ZERO, IDC = 1 << 24, 3 << 22, 1 << 7
DENORMAL, QUIET, DEFAULT = 0x00400000, 0x7FC12345, 0x7FC00000
NATIVE = """
    vand q0, q1, q2; vorr q0, q1, q2; vbsl d0, d1, d2; vbit q0, q1, q2; vadd.i8 q0, q1, q2; vsub.i64 d0, d1, d2;
    vmul.i8 q0, q1, q2; vmla.i16 q0, q1, d2[1]; vceq.i8 q0, q1, #0; vcgt.u32 q0, q1, q2; vtst.32 q0, q1, q2;
    vmax.u8 q0, q1, q2; vpmax.u8 d0, d1, d2; vpadd.i8 d0, d1, d2; vcnt.8 d0, d1; vshl.i32 q0, q1, #3;
    vshr.u8 q0, q1, #3; vshr.s64 d0, d1, #63; vrshr.u16 q0, q1, #4; vshrn.i16 d0, q1, #4; vmovn.i16 d0, q1;
    vqmovn.u16 d0, q1; vqrshrun.s16 d0, q1, #6; vmovl.u8 q0, d1; vsli.64 q0, q1, #11; vmull.u16 q0, d1, d2;
    vmlal.u32 q0, d1, d2; vabal.u8 q0, d1, d2; vaddw.u8 q0, q0, d2; vaddhn.i16 d0, q1, q2; vpaddl.u8 d0, d1;
    vrhadd.u8 q0, q1, q2; vrev64.8 q0, q1; vrev32.16 q0, q1; vclz.i32 q0, q1; vneg.s16 q0, q1; vabs.s32 d0, d1;
    vext.8 q0, q1, q2, #3; vext.8 d0, d1, d2, #7; vtbl.8 d0, {d1, d2, d3}, d4; vtbx.8 d0, {d1}, d4; vzip.8 d0, d1;
    vuzp.8 q0, q1; vtrn.16 d0, d1; vdup.8 q0, d1[3]; vmov.i32 q0, #0; vqadd.u8 q0, q1, q2; vqadd.s32 q0, q1, q2;
    vqsub.u32 d0, d1, d2; vqdmulh.s16 q0, q1, q2; vqrdmulh.s16 q0, q1, d2[1]; vswp q0, q1; vabd.u8 q0, q1, q2;
    vld1.8 {d0, d1, d2, d3}, [r1]!; vst1.32 {d0, d1}, [r1], r2; vld3.8 {d0, d1, d2}, [r1];
    vst4.16 {d0, d1, d2, d3}, [r1]; vld1.8 {d0[3]}, [r1]; vld1.32 {d0[], d1[]}, [r1]
"""
"""What compilers, kernels and codecs use all the time."""


@pytest.fixture
def vectors(guest: Guest) -> Guest:
    """A guest that may use Advanced SIMD."""
    return allow(guest)


def allow(guest: Guest) -> Guest:
    """Let a guest use Advanced SIMD."""
    guest.cpu.sys.cpacr_el1 = CPACR
    guest.cpu.set_fpexc(FPEXC_EN)
    return guest


@cache
def _one_guest() -> Guest:
    return allow(Guest())


def kind(exc: ArmException | None) -> Kind | None:
    """What kind of exception it is, if it is one."""
    return exc.kind if exc is not None else None


def staged(guest: Guest, word: int) -> list[Any]:
    """The operations of an instruction."""
    cpu = guest.cpu
    shape, disp, imm = cpu.decoder(cpu.mode).decode_word(word)
    _, variant = guest.engine.translator._stage(shape, cpu.mode, (0, disp, imm), True, None)
    return list(variant.ops)


@pytest.mark.parametrize("text", [line.strip() for line in NATIVE.replace("\n", " ").split(";")])
def test_what_is_common_needs_no_helper(text: str) -> None:
    ops = staged(_one_guest(), int.from_bytes(assemble(text), "little"))
    assert ops
    assert not [op for op in ops if op[0] == "call"]


# --- access -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thumb", [False, True])
@pytest.mark.parametrize("text", ["vadd.i32 q0, q1, q2", "vld1.8 {d0}, [r1]", "vmov.i32 d0, #0", "vdup.8 d0, d1[0]",
                                  "vmovl.u8 q0, d1", "vext.8 d0, d1, d2, #1", "vadd.f32 d0, d1, d2"])  # fmt: skip
def test_disabled_instructions_are_undefined(vectors: Guest, text: str, thumb: bool) -> None:
    assert vectors.run(text, thumb=thumb, r1=DATA) is None
    vectors.cpu.set_fpexc(0)
    assert kind(vectors.run(text, thumb=thumb, r1=DATA)) == Kind.UNDEFINED


@pytest.mark.parametrize("model", ["cortex-a8", "cortex-a9", "cortex-a7", "cortex-a15"])
def test_fused_multiply_add_is_of_the_second_version(model: str) -> None:
    guest = allow(Guest(model=model))
    word = ".word 0xF2020C54"  # vfma.f32 q0, q1, q2
    assert kind(guest.run(word)) == (None if model in ("cortex-a7", "cortex-a15") else Kind.UNDEFINED)


@pytest.mark.parametrize("word", [0xF3B00300, 0xF3BA0380, 0xF2000C40, 0xF3B20480, 0xF3BB0000, 0xF3000F12])
def test_what_came_with_armv8_is_undefined(vectors: Guest, word: int) -> None:
    """AESE, SHA1SU1, SHA1C, VRINTX, VCVTA, VMAXNM."""
    assert kind(vectors.run(f".word {word:#x}")) == Kind.UNDEFINED


@pytest.mark.parametrize("letter", range(3))
def test_a_quadword_register_with_an_odd_number_is_undefined(vectors: Guest, letter: int) -> None:
    word = 0xF2200840 | 1 << (12, 16, 0)[letter]  # vadd.i32 q0, q0, q0, and one bit more
    assert kind(vectors.run(f".word {word:#x}")) == Kind.UNDEFINED


def test_a_condition_holds_an_instruction_back(vectors: Guest) -> None:
    """In an IT block, that is: A32 has no conditions here."""
    cpu = vectors.cpu
    cpu.v[0], cpu.v[1], cpu.v[2] = 0, 1, 2
    vectors.run("cmp r0, r0; ite ne; vadd.i32 d0, d1, d1; vadd.i32 d0, d1, d2", thumb=True)
    assert cpu.v[0] == 3


# --- registers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["vadd.i8 d2, d0, d0", "vmul.i8 d2, d0, d0", "vmovn.i16 d2, q0",
                                  "vshr.u8 d2, d0, #1", "vqadd.u8 d2, d0, d0", "vtbl.8 d2, {d0}, d0", "vrev64.8 d2, d0",
                                  "vadd.f32 d2, d0, d0", "vmax.f32 d2, d0, d0", "vcvt.s32.f32 d2, d0",
                                  "vdup.8 d2, d0[1]", "vmov.i8 d2, #1", "vpadd.i8 d2, d0, d0", "vclz.i32 d2, d0",
                                  "vbsl d2, d0, d0", "vld1.8 {d2}, [r1]", "vabs.s32 d2, d0",
                                  "vhsub.u8 d2, d0, d0"])  # fmt: skip
def test_a_doubleword_register_is_written_alone(vectors: Guest, text: str) -> None:
    cpu = vectors.cpu
    cpu.v[0], cpu.v[1], cpu.v[2], cpu.v[3] = 0x3F80000040400000, 5, 6, 7
    assert vectors.run(text, r1=DATA) is None
    assert (cpu.v[1], cpu.v[3]) == (5, 7)
    assert cpu.v[2] != 6


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "registers"),
    [
        ("vld1.8 {d0}, [r1]", ["0807060504030201"]),
        ("vld1.16 {d0}, [r1]", ["0708050603040102"]),
        ("vld1.64 {d0, d1}, [r1]", ["0102030405060708", "090a0b0c0d0e0f10"]),
        ("vld2.16 {d0, d1}, [r1]", ["0d0e090a05060102", "0f100b0c07080304"]),
        ("vld1.32 {d0[]}, [r1]", ["0102030401020304"]),
        ("vld4.16 {d0[1], d1[1], d2[1], d3[1]}, [r1]",
         ["0000000001020000", "0000000003040000", "0000000005060000", "0000000007080000"]),
    ],
)  # fmt: skip
def test_elements_of_big_endian_memory(vectors: Guest, text: str, registers: list[str]) -> None:
    """Bytes are in the other order within each element."""
    cpu = vectors.cpu
    vectors.ram[DATA : DATA + 32] = BYTES
    for number in range(4):
        cpu.v[number] = 0
    cpu.set_cpsr(cpu.cpsr | CPSR_E)
    assert vectors.run(text, r1=DATA) is None
    assert [f"{cpu.v[number]:016x}" for number in range(len(registers))] == registers
    vectors.ram[DATA : DATA + 32] = bytes(32)
    if "[]" not in text:
        assert vectors.run(text.replace("vld", "vst"), r1=DATA) is None
        count = 8 * len(registers) if "[1]" not in text else 8
        assert bytes(vectors.ram[DATA : DATA + count]) == BYTES[:count]


@pytest.mark.parametrize(("hint", "offset", "faults"), [("", 1, False), (":64", 8, False), (":64", 4, True),
                                                        (":128", 16, False), (":128", 8, True)])  # fmt: skip
def test_an_alignment_that_is_promised_is_checked(vectors: Guest, hint: str, offset: int, faults: bool) -> None:
    found = vectors.run(f"vld1.8 {{d0, d1}}, [r1{hint}]!", r1=DATA + offset)
    assert kind(found) == (Kind.DATA_ABORT if faults else None)
    assert vectors.cpu.r[1] == DATA + offset + (0 if faults else 16)


@pytest.mark.parametrize(("text", "faults"), [("vld1.8 {d0, d1}, [r1]", False), ("vld1.16 {d0}, [r1]", True),
                                              ("vst2.32 {d0, d1}, [r1]", True), ("vst1.8 {d0[1]}, [r1]", False),
                                              ("vld1.32 {d0[]}, [r1]", True)])  # fmt: skip
def test_elements_are_aligned_where_all_accesses_must_be(vectors: Guest, text: str, faults: bool) -> None:
    vectors.cpu.sys.sctlr_el1 |= SCTLR_A
    vectors.cpu.mode_changed()
    assert kind(vectors.run(text, r1=DATA + 1)) == (Kind.DATA_ABORT if faults else None)


# --- the standard FPSCR -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("control", [0, TOWARD_ZERO, FZ, 0x07 << 24])
def test_arithmetic_takes_no_notice_of_fpscr(vectors: Guest, control: int) -> None:
    """Round to nearest; 1 + 2**-24 + 2**-25 is nearer to the next number than to one."""
    cpu = vectors.cpu
    cpu.set_fpscr(control)
    cpu.v[1], cpu.v[2] = 0x3F800000, 0x33C00000
    assert vectors.run("vadd.f32 d0, d1, d2") is None
    assert cpu.v[0] == 0x3F800001


@pytest.mark.parametrize("flags", [0, 0x10])
@pytest.mark.parametrize(
    ("text", "operand", "result", "signals"),
    [
        ("vadd.f32 d0, d1, d2", DENORMAL, 0, IDC),
        ("vmul.f32 d0, d1, d3", DENORMAL, 0, IDC),
        ("vmax.f32 d0, d1, d2", DENORMAL, 0, IDC),
        ("vpmax.f32 d0, d1, d2", DENORMAL, 0, IDC),
        ("vceq.f32 d0, d1, d2", DENORMAL, 0xFFFFFFFF, IDC),
        ("vcgt.f32 d0, d1, #0", DENORMAL, 0, IDC),
        ("vacgt.f32 d0, d1, d2", DENORMAL, 0, IDC),
        ("vfma.f32 d0, d1, d3", DENORMAL, 0, IDC),
        ("vmla.f32 d0, d1, d3", DENORMAL, 0, IDC),
        ("vcvt.u32.f32 d0, d1", DENORMAL, 0, IDC),
        ("vcvt.s32.f32 d0, d1, #32", DENORMAL, 0, IDC),
        ("vmul.f32 d0, d1, d1", 0x1F800000, 0, 8),  # 2**-64
        ("vabs.f32 d0, d1", DENORMAL | 1 << 31, DENORMAL, 0),  # is no arithmetic
        ("vadd.f32 d0, d1, d2", QUIET, DEFAULT, 0),
        ("vmin.f32 d0, d1, d2", QUIET, DEFAULT, 0),
        ("vneg.f32 d0, d1", QUIET, QUIET | 1 << 31, 0),
    ],
)
def test_denormals_are_zero_and_nans_the_default(
    vectors: Guest, text: str, operand: int, result: int, signals: int, flags: int
) -> None:
    """Whether the inexact flag is set already, and rows are all that runs, or not."""
    cpu = vectors.cpu
    cpu.set_fpscr(flags)
    cpu.v[0], cpu.v[1], cpu.v[2], cpu.v[3] = 0, operand, 0, 0x7F000000
    assert vectors.run(text.replace("vfma.f32 d0, d1, d3", ".word 0xF2010C13")) is None
    assert (cpu.v[0] & M32, cpu.fpsr & ~0x10) == (result, signals)


@pytest.mark.parametrize("name", ["vrecpe", "vrsqrte"])
def test_estimates_are_those_of_the_tables(vectors: Guest, name: str) -> None:
    """Every entry: eight bits of the fraction, and whether the exponent is odd. Rows compute them."""
    cpu, exact = vectors.cpu, {"vrecpe": reciprocal_estimate, "vrsqrte": root_estimate}[name]
    assert vectors.run(f"{name}.f32 q0, q1") is None
    numbers = [exponent << 23 | fraction << 15 | 0x1234 for exponent in (126, 127) for fraction in range(256)]
    for first in range(0, len(numbers), 4):
        lanes = numbers[first : first + 4]
        cpu.v[64 + 1] = sum(lane << 32 * n for n, lane in enumerate(lanes))
        cpu.pc = CODE
        vectors.until_exception()
        wanted = [exact(BINARY32, lane, Status(ARM_NANS)) for lane in lanes]
        assert [cpu.v[64] >> 32 * n & M32 for n in range(4)] == wanted


def test_code_is_where_it_should_be() -> None:
    """Both instruction sets have the same 24 lower bits."""
    arm = int.from_bytes(assemble("vadd.i32 q0, q1, q2", at=CODE), "little")
    halves = assemble("vadd.i32 q0, q1, q2", thumb=True)
    thumb = int.from_bytes(halves[:2], "little") << 16 | int.from_bytes(halves[2:], "little")
    assert (arm & 0xFFFFFF, arm >> 24, thumb >> 24) == (thumb & 0xFFFFFF, 0xF2, 0xEF)
