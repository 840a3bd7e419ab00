"""VFP where the comparison with Unicorn is blind: access, traps, short vectors, which way an instruction took."""

from __future__ import annotations

from dataclasses import replace
from struct import pack

import pytest

from pyqemu.targets.arm import fp_soft
from pyqemu.targets.arm.layout import M_FPCR
from pyqemu.targets.arm.models import MODELS
from pyqemu.targets.arm.modes import MON, SVC, USR
from tests.targets.arm.guest import CODE, DATA, Guest

IOC, DZC, IXC, IDC = 1, 2, 1 << 4, 1 << 7
ROUND_UP, ROUND_DOWN, FZ, DN = 1 << 22, 2 << 22, 1 << 24, 1 << 25
LEN_2, LEN_3, LEN_4, STRIDE_2 = 1 << 16, 2 << 16, 3 << 16, 3 << 20
OPEN, EN = 0xF << 20, 1 << 30
CPTR_CP10 = 1 << 10
VFMA, VFNMS, VCVTB = ".word 0xeea02b01", ".word 0xeed32a23", ".word 0xeeb20a60"
"""VFMA.F64 D2, D0, D1; VFNMS.F32 S5, S6, S7; VCVTB.F32.F16 S0, S1: the assembler does not know them."""


def double(value: float) -> int:
    return int.from_bytes(pack("<d", value), "little")


def single(value: float) -> int:
    return int.from_bytes(pack("<f", value), "little")


def switch_on(guest: Guest) -> Guest:
    guest.cpu.sys.cpacr_el1 = OPEN
    guest.cpu.set_fpexc(EN)
    return guest


@pytest.fixture
def vfp(guest: Guest) -> Guest:
    """A processor whose VFP is on."""
    return switch_on(guest)


def old(model: str) -> Guest:
    return switch_on(Guest(model=model))


# --- the fast way, and the other one ----------------------------------------------------------------------------------


@pytest.fixture
def in_software(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects what helpers signal: empty while everything is done by rows."""
    calls: list[int] = []
    settle = fp_soft.settle

    def noted(cpu: object, environment: fp_soft.Status) -> None:
        calls.append(environment.flags)
        settle(cpu, environment)  # type: ignore[arg-type]

    monkeypatch.setattr(fp_soft, "settle", noted)
    return calls


EXACT = (
    "vadd.f64 d2, d0, d1", "vsub.f32 s5, s6, s7", "vmul.f32 s5, s7, s6", "vnmul.f64 d2, d0, d1", "vdiv.f64 d2, d0, d1",
    "vmla.f64 d2, d0, d1", "vmls.f32 s5, s6, s7", "vnmla.f64 d2, d0, d1", "vnmls.f32 s5, s6, s7",
    VFMA, VFNMS, "vsqrt.f32 s5, s8", "vabs.f64 d2, d1", "vneg.f32 s5, s7",
    "vcmp.f64 d0, d1", "vcmpe.f32 s6, #0", "vcvt.f32.f64 s5, d0", "vcvt.f64.f32 d2, s7", "vcvt.s32.f64 s5, d1",
    "vcvtr.u32.f32 s5, s6", "vcvt.f64.s32 d2, s9", "vcvt.f32.u32 s5, s9", "vcvt.s32.f64 d0, d0, #4",
    "vcvt.f32.u32 s9, s9, #3", "vmov.f64 d2, #1.5",
)  # fmt: skip


@pytest.mark.parametrize("mode", [0, FZ | DN])
@pytest.mark.parametrize("text", EXACT)
def test_what_is_exact_is_not_done_in_software(vfp: Guest, in_software: list[int], text: str, mode: int) -> None:
    values = {"d0": double(6.0), "d1": double(-2.0), "d2": double(1.0), "s5": single(1.0), "s6": single(3.0),
              "s7": single(-0.5), "s8": single(9.0), "s9": 12}  # fmt: skip
    assert vfp.run(text, **values, fpscr=mode) is None
    assert (in_software, vfp.cpu.fpsr) == ([], 0)


@pytest.mark.parametrize("text", ["vdiv.f64 d2, d0, d1", "vmla.f64 d2, d0, d0", "vcvt.f32.f64 s5, d0"])
def test_inexact_is_found_once_and_then_known(vfp: Guest, in_software: list[int], text: str) -> None:
    assert vfp.run(f"{text}; {text}; {text}", d0=double(0.1), d1=double(3.0), d2=double(1.0), fpscr=0) is None
    assert (len(in_software), vfp.cpu.fpscr) == (1, IXC)


def test_a_single_leaves_what_is_beside_it(vfp: Guest) -> None:
    """S5 is the upper half of D2; the lower one, and D3, stay."""
    assert vfp.run("vadd.f32 s5, s0, s1", s0=single(1.5), s1=single(2.0), s4=0x1234, d3=0x5678) is None
    assert (vfp.cpu.v[2], vfp.cpu.v[3]) == (single(3.5) << 32 | 0x1234, 0x5678)


def test_multiplications_round_before_they_add(vfp: Guest) -> None:
    """VMLA loses what VFMA keeps."""
    values = {"d0": double(1.0 + 2.0**-30), "d1": double(1.0 - 2.0**-30), "d2": double(-1.0), "d3": double(-1.0)}
    assert vfp.run(f"vmla.f64 d3, d0, d1; {VFMA}", **values) is None
    assert (vfp.cpu.v[3], vfp.cpu.v[2]) == (0, double(-(2.0**-60)))


# --- FPSCR ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "result"), [(0, 1.0), (ROUND_UP, 1.0 + 2.0**-52), (ROUND_DOWN, 1.0)])
def test_rounding_modes_take_effect_at_once(vfp: Guest, mode: int, result: float) -> None:
    code = "vmsr fpscr, r0; vadd.f64 d2, d0, d1; vmrs r1, fpscr"
    assert vfp.run(code, r0=mode, d0=double(1.0), d1=double(2.0**-60)) is None
    assert (vfp.cpu.v[2], vfp.cpu.r[1]) == (double(result), mode | IXC)
    assert bool(vfp.cpu.mode & M_FPCR) == bool(mode)


def test_flush_to_zero_takes_a_subnormal_for_a_zero(vfp: Guest) -> None:
    assert vfp.run("vdiv.f64 d2, d0, d1", d0=double(1.0), d1=1, fpscr=FZ) is None
    assert (vfp.cpu.v[2], vfp.cpu.fpscr) == (0x7FF << 52, FZ | DZC | IDC)


def test_the_default_nan_has_no_payload(vfp: Guest) -> None:
    signaling = 0x7FF0000000000123
    assert vfp.run("vadd.f64 d2, d0, d1", d0=double(1.0), d1=signaling, fpscr=0) is None
    assert (vfp.cpu.v[2], vfp.cpu.fpscr) == (signaling | 1 << 51, IOC)
    assert vfp.run("vadd.f64 d2, d0, d1", fpscr=DN) is None
    assert vfp.cpu.v[2] == 0x7FF8 << 48


def test_what_there_is_not_stays_zero(vfp: Guest) -> None:
    """Exceptions are not trapped, so that their enable bits cannot be set (B4.1.58)."""
    assert vfp.run("vmsr fpscr, r0; vmrs r1, fpscr", r0=0xFFFFFFFF) is None
    assert vfp.cpu.r[1] == 0xFFF7009F


def test_fixed_point_numbers_are_rounded_to_nearest_in_every_mode(vfp: Guest) -> None:
    """A8.8.308; Unicorn rounds as FPSCR says."""
    assert vfp.run("vcvt.f32.u32 s0, s0, #1", s0=0x01000001, fpscr=ROUND_UP) is None
    assert vfp.cpu.v[128] == single(float(0x01000000) / 2)
    assert vfp.run("vcvt.f32.u32 s0, s0", s0=0x01000001, fpscr=ROUND_UP) is None
    assert vfp.cpu.v[128] == single(float(0x01000002))


@pytest.mark.parametrize(("a", "b", "nzcv"), [(-0.5, 2.0, 8), (2.0, -0.5, 2), (2.0, 2.0, 6)])
def test_comparisons_set_flags_of_their_own(vfp: Guest, a: float, b: float, nzcv: int) -> None:
    code = "vcmp.f64 d0, d1; mrs r0, cpsr; vmrs apsr_nzcv, fpscr"
    assert vfp.run(code, d0=double(a), d1=double(b), fpscr=0, cpsr=0x5000_01D3) is None
    assert (vfp.cpu.fpscr >> 28, vfp.cpu.r[0] >> 28, vfp.cpu.nzcv >> 28) == (nzcv, 5, nzcv)


def test_a_quiet_nan_is_signaled_by_vcmpe_only(vfp: Guest) -> None:
    assert vfp.run("vcmp.f64 d0, d0", d0=0x7FF8 << 48, fpscr=0) is None
    assert vfp.cpu.fpscr == 3 << 28
    assert vfp.run("vcmpe.f64 d0, d0", fpscr=0) is None
    assert vfp.cpu.fpscr == 3 << 28 | IOC


# --- access -----------------------------------------------------------------------------------------------------------

ALL_KINDS = ("vadd.f64 d0, d1, d2", "vldr d0, [r1]", "vpush {d0}", "vmov s0, r0", "vmrs r0, fpscr", "vmov r0, r1, d0",
             "vmov.8 d0[1], r0", "vdup.8 d0, r0", "vcmp.f32 s0, s1", "vcvt.f32.s32 s0, s1")  # fmt: skip


@pytest.mark.parametrize("text", ALL_KINDS)
@pytest.mark.parametrize(("cpacr", "fpexc"), [(0, EN), (OPEN, 0)])
def test_what_is_switched_off_is_undefined(guest: Guest, text: str, cpacr: int, fpexc: int) -> None:
    guest.cpu.sys.cpacr_el1 = cpacr
    guest.cpu.set_fpexc(fpexc)
    assert str(guest.run(text, r1=DATA, sp=DATA, d0=5, fpscr=0)) == "undefined"
    assert (guest.cpu.v[0], guest.cpu.r[13]) == (5, DATA)


def test_access_may_be_for_privileged_modes_only(guest: Guest) -> None:
    guest.cpu.sys.cpacr_el1 = 5 << 20
    guest.cpu.set_fpexc(EN)
    assert guest.run("vadd.f64 d0, d1, d2") is None
    assert guest.run("vadd.f64 d0, d1, d2", mode=USR) is not None


def test_fpexc_is_accessible_while_vfp_is_off(guest: Guest) -> None:
    guest.cpu.sys.cpacr_el1 = OPEN
    guest.cpu.mode_changed()
    code = "vmrs r1, fpexc; vmrs r2, fpsid; vmrs r3, mvfr0; vmsr fpexc, r0; vadd.f64 d2, d0, d1; vmrs r4, fpexc"
    assert guest.run(code, r0=0xC0000000, d0=double(1.0), d1=double(2.0)) is None
    assert [guest.cpu.r[n] for n in (1, 2, 3, 4)] == [0, 0x410430F0, 0x10110222, EN]
    assert guest.cpu.v[2] == double(3.0)


@pytest.mark.parametrize("text", ["vmrs r0, fpexc", "vmsr fpexc, r0", "vmrs r0, fpsid", "vmrs r0, mvfr1"])
def test_registers_that_user_mode_may_not_see(vfp: Guest, text: str) -> None:
    assert vfp.run(text, r0=0) is None or "mvfr" not in text
    vfp.cpu.set_fpexc(EN)
    assert str(vfp.run(text, mode=USR)) == "undefined"


@pytest.mark.parametrize(("model", "exists"), [("arm926", False), ("arm1176", True), ("cortex-a15", True)])
def test_media_registers_are_of_armv6(model: str, exists: bool) -> None:
    assert (old(model).run("vmrs r0, mvfr0") is None) == exists


@pytest.mark.parametrize(("model", "exists"), [("arm926", True), ("arm1176", True), ("cortex-a8", False)])
def test_instruction_registers_are_of_vfpv2(model: str, exists: bool) -> None:
    guest = old(model)
    found = guest.run(".word 0xeee90a10; .word 0xeef91a10", r0=0x1234)  # VMSR FPINST, R0; VMRS R1, FPINST
    assert (found is None) == exists
    assert (guest.cpu.r[1] == 0x1234) == exists


def test_non_secure_state_needs_nsacr() -> None:
    """B1.11.3: what NSACR closes, CPACR does not open, and shows as closed."""
    guest = switch_on(Guest(has_el3=True))
    guest.cpu.sys.scr_el3 = 1
    guest.cpu.mode_changed()
    assert guest.run("vadd.f64 d0, d1, d2") is not None
    assert guest.run("mrc p15, 0, r0, c1, c0, 2") is None
    assert guest.cpu.r[0] == 0
    guest.cpu.sys.cptr_el3 = CPTR_CP10
    guest.cpu.mode_changed()
    assert guest.run("vadd.f64 d0, d1, d2; mrc p15, 0, r0, c1, c0, 2") is None
    assert guest.cpu.r[0] == OPEN


def test_monitor_mode_is_secure() -> None:
    guest = switch_on(Guest(has_el3=True))
    guest.cpu.sys.scr_el3 = 1
    assert guest.run("vadd.f64 d0, d1, d2", mode=MON) is None


# --- which processor has what -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ("vadd.f64 d0, d1, d2", ("arm926", "arm1176", "cortex-a8", "cortex-a15")),
        ("vadd.f64 d0, d1, d16", ("cortex-a8", "cortex-a15")),
        ("vldmia r1, {d14-d17}", ("cortex-a8", "cortex-a15")),
        ("vmov.f64 d0, #1.0", ("cortex-a8", "cortex-a15")),
        ("vcvt.f32.u32 s0, s0, #1", ("cortex-a8", "cortex-a15")),
        (VCVTB, ("cortex-a15",)),
        (VFMA, ("cortex-a15",)),
        ("vmov.8 d0[0], r0", ("cortex-a8", "cortex-a15")),
        ("vmov.32 d0[1], r0", ("arm926", "arm1176", "cortex-a8", "cortex-a15")),
        (".word 0xfe800b00", ()),  # VMAXNM.F64 D0, D0, D0
    ],
)
def test_instructions_are_of_some_processors(text: str, models: tuple[str, ...]) -> None:
    for model in ("arm926", "arm1176", "cortex-a8", "cortex-a15"):
        assert (old(model).run(text, r0=1, r1=DATA) is None) == (model in models), model


def test_sixteen_registers_are_enough_for_vfpv3() -> None:
    """VFPv3-D16: the upper half is not there."""
    model = replace(MODELS["cortex-a15"], features=MODELS["cortex-a15"].features - {"d32", "neon"})
    guest = switch_on(Guest(model=model))
    assert guest.run("vmov.f64 d15, #1.0") is None
    assert guest.run("vmov.f64 d16, #1.0") is not None


# --- short vectors (D11) ----------------------------------------------------------------------------------------------


def fill(guest: Guest, values: dict[int, float], *, bits: int) -> None:
    for number, value in values.items():
        guest.cpu.v[number + (128 if bits == 32 else 0)] = single(value) if bits == 32 else double(value)


def taken(guest: Guest, first: int, count: int, *, bits: int) -> list[int]:
    return [guest.cpu.v[number + (128 if bits == 32 else 0)] for number in range(first, first + count)]


def test_a_vector_wraps_round_in_its_bank() -> None:
    """S14, S15, S8, S9 in the second bank."""
    guest = old("arm926")
    fill(guest, {n: float(n) for n in range(32)}, bits=32)
    assert guest.run("vadd.f32 s14, s22, s30", fpscr=LEN_4) is None
    expected = {14: 52.0, 15: 54.0, 8: 16.0 + 24.0, 9: 17.0 + 25.0, 10: 10.0}
    assert {n: guest.cpu.v[128 + n] for n in expected} == {n: single(value) for n, value in expected.items()}


def test_the_stride_may_be_two() -> None:
    """D11.2, for both widths; Unicorn takes four for singles."""
    guest = old("arm926")
    fill(guest, {n: float(n) for n in range(32)}, bits=32)
    assert guest.run("vadd.f32 s8, s16, s24", fpscr=LEN_3 | STRIDE_2) is None
    assert taken(guest, 8, 6, bits=32) == [single(value) for value in (40.0, 9.0, 44.0, 11.0, 48.0, 13.0)]
    fill(guest, {n: float(n) for n in range(16)}, bits=64)
    assert guest.run("vsub.f64 d4, d8, d12", fpscr=LEN_2 | STRIDE_2) is None
    assert taken(guest, 4, 4, bits=64) == [double(value) for value in (-4.0, 5.0, -4.0, 7.0)]


def test_a_source_of_the_first_bank_is_the_same_for_all_elements() -> None:
    guest = old("arm1176")
    fill(guest, {n: float(n) for n in range(32)}, bits=32)
    assert guest.run("vmul.f32 s8, s16, s2", fpscr=LEN_4) is None
    assert taken(guest, 8, 5, bits=32) == [single(value) for value in (32.0, 34.0, 36.0, 38.0, 12.0)]


def test_a_destination_of_the_first_bank_makes_all_scalar() -> None:
    guest = old("arm1176")
    fill(guest, {n: float(n) for n in range(32)}, bits=32)
    assert guest.run("vmul.f32 s1, s16, s24", fpscr=LEN_4) is None
    assert taken(guest, 1, 2, bits=32) == [single(384.0), single(2.0)]


@pytest.mark.parametrize(("text", "expected"), [
    ("vneg.f64 d4, d9", (-9.0, -10.0, -11.0, 7.0)),
    ("vmov.f64 d4, d2", (2.0, 2.0, 2.0, 7.0)),
    ("vsqrt.f64 d4, d9", (3.0, 4.0, 5.0, 7.0)),
])  # fmt: skip
def test_vectors_of_one_operand(text: str, expected: tuple[float, ...]) -> None:
    guest = old("arm1176")
    values = {n: float(n) for n in range(16)}
    if "sqrt" in text:
        values |= {9: 9.0, 10: 16.0, 11: 25.0}
    fill(guest, values, bits=64)
    assert guest.run(text, fpscr=LEN_3) is None
    assert taken(guest, 4, 4, bits=64) == [double(value) for value in expected]


def test_an_immediate_fills_a_vector() -> None:
    guest = old("cortex-a8")
    assert guest.run("vmov.f32 s8, #1.0", fpscr=LEN_2) is None
    assert taken(guest, 8, 3, bits=32) == [single(1.0), single(1.0), 0]


@pytest.mark.parametrize("text", ["vadd.f32 s0, s1, s2", "vneg.f64 d0, d1", "vmov.f32 s0, #1.0"])
def test_later_processors_have_no_short_vectors(vfp: Guest, text: str) -> None:
    assert str(vfp.run(text, fpscr=LEN_2)) == "undefined"


@pytest.mark.parametrize("text", ["vcmp.f32 s8, s9", "vcvt.f32.s32 s8, s9", "vmov s8, r0", "vldr s8, [r1]"])
def test_what_is_no_vector_operation_does_not_look_at_the_length(vfp: Guest, text: str) -> None:
    assert vfp.run(text, fpscr=LEN_2, r1=DATA) is None


# --- memory -----------------------------------------------------------------------------------------------------------


def test_big_endian_words_and_doublewords(vfp: Guest) -> None:
    vfp.put(DATA, 0x0807060504030201, 8)
    vfp.run("vldr d0, [r1]; vldr s5, [r1]; vstr d0, [r1, #16]; vstr s5, [r1, #24]", r1=DATA, cpsr=0x3D3)
    assert (vfp.cpu.v[0], vfp.cpu.v[133]) == (0x0102030405060708, 0x01020304)
    assert (vfp.word(DATA + 16, 8), vfp.word(DATA + 24)) == (0x0807060504030201, 0x04030201)


def test_doublewords_are_aligned_as_words(vfp: Guest) -> None:
    """A3.2.1: where alignment is checked, a multiple of four is enough."""
    vfp.cpu.sys.sctlr_el1 |= 2
    vfp.cpu.mode_changed()
    assert vfp.run("vldr d0, [r1]; vstmia r1, {d0, d1}", r1=DATA + 4) is None
    assert vfp.run("vldr d0, [r1]", r1=DATA + 2) is not None
    assert vfp.run("vstr s0, [r1]", r1=DATA + 1) is not None


def test_words_of_old_processors_are_not_rotated() -> None:
    guest = old("arm926")
    guest.put(DATA, 0x04030201)
    assert guest.run("vldr s0, [r1]", r1=DATA) is None
    assert guest.cpu.v[128] == 0x04030201


def test_registers_go_up_and_the_base_goes_down(vfp: Guest) -> None:
    assert vfp.run("vpush {d1-d3}; vpop {d20-d22}", sp=DATA + 64, d1=1, d2=2, d3=3) is None
    assert (vfp.word(DATA + 40, 8), vfp.word(DATA + 56, 8), vfp.cpu.r[13]) == (1, 3, DATA + 64)
    assert [vfp.cpu.v[n] for n in (20, 21, 22)] == [1, 2, 3]


def test_an_odd_number_of_words_moves_the_base_by_one_more(vfp: Guest) -> None:
    """FSTMX and FLDMX (A8.8.57)."""
    assert vfp.run(".word 0xeca10b05", r1=DATA, d0=1, d1=2, d2=3) is None  # FSTMIAX R1!, {D0, D1}
    assert (vfp.cpu.r[1], vfp.word(DATA + 8, 8), vfp.word(DATA + 16, 8)) == (DATA + 20, 2, 0)
    assert vfp.run(".word 0xed314b05", r1=DATA + 20) is None  # FLDMDBX R1!, {D4, D5}
    assert (vfp.cpu.r[1], vfp.cpu.v[4], vfp.cpu.v[5]) == (DATA, 1, 2)


@pytest.mark.parametrize(("text", "thumb"), [("vldr d0, [pc]", False), ("vldr d0, [pc, #4]", True)])
def test_literals(vfp: Guest, text: str, thumb: bool) -> None:
    vfp.put(CODE + 8, 0x1122334455667788, 8)
    assert vfp.run(text, thumb=thumb) is None
    assert vfp.cpu.v[0] == 0x1122334455667788


def test_conditions_hold_back(vfp: Guest) -> None:
    code = ".hword 0xbf0c; vmov s0, r0; vmov s1, r0"  # ITE EQ
    assert vfp.run(code, thumb=True, r0=7, s0=0, s1=0, cpsr=0x4000_01F3) is None
    assert (vfp.cpu.v[128], vfp.cpu.v[129]) == (7, 0)


# --- for people -------------------------------------------------------------------------------------------------------


def test_registers_have_the_names_of_the_manual(vfp: Guest) -> None:
    registers = vfp.cpu.registers()
    registers["d1"], registers["s0"], registers["fpscr"] = 0x1122334455667788, 5, ROUND_UP | IXC
    assert (registers["s2"], registers["s3"], registers["q0"]) == (
        0x55667788,
        0x11223344,
        0x11223344556677880000000000000005,
    )
    assert (vfp.cpu.fpcr, vfp.cpu.fpsr, registers["fpsid"]) == (ROUND_UP, IXC, 0x410430F0)
    assert {"d0", "d31", "fpscr", "fpexc", "fpsid"} <= set(registers)
    assert len(registers) == len(list(registers))
    with pytest.raises(ValueError, match="cannot be written"):
        registers["fpsid"] = 0
    with pytest.raises(KeyError):
        registers["s32"]


def test_processors_of_vfpv2_have_fewer_registers() -> None:
    registers = old("arm926").cpu.registers()
    assert "d15" in registers
    assert "d16" not in registers
    assert registers["s31"] == 0


def test_the_present_mode_is_not_in_the_way(vfp: Guest) -> None:
    """FPSCR is one for all modes."""
    vfp.run("nop", mode=SVC, fpscr=FZ)
    vfp.run("nop", mode=USR)
    assert vfp.cpu.mode & M_FPCR
