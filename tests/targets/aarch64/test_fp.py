"""Floating point where the comparison with Unicorn is blind: which way an instruction took, modes, traps, features."""

from __future__ import annotations

from struct import pack

import pytest

from pyqemu.targets.aarch64 import models
from pyqemu.targets.aarch64.layout import EC_FP_TRAP, EC_UNKNOWN, M_FPCR
from pyqemu.targets.arm import fp_soft
from tests.targets.aarch64.guest import DATA, Guest

IXC, IOC, DZC, IDC = 1 << 4, 1 << 0, 1 << 1, 1 << 7
FZ, DN, ROUND_UP, ROUND_DOWN = 1 << 24, 1 << 25, 1 << 22, 2 << 22
AESE, PMULL, SHA1H, SHA256H = ".word 0x4E284820", ".word 0x0EE2E020", ".word 0x5E280820", ".word 0x5E024020"


def double(value: float) -> int:
    return int.from_bytes(pack("<d", value), "little")


def single(value: float) -> int:
    return int.from_bytes(pack("<f", value), "little")


def set_fpcr(guest: Guest, value: int) -> None:
    guest.cpu.set_fpcr(value)
    guest.cpu.mode_changed()


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
    "fadd d2, d0, d1", "fsub d2, d0, d1", "fmul d2, d0, d1", "fdiv d2, d0, d1", "fmadd d2, d0, d1, d0",
    "fmsub d2, d0, d1, d0", "fmax d2, d0, d1", "fcmp d0, d1", "fcmpe d0, #0.0", "fccmp d0, d1, #0, ne",
    "fcvt s2, d0", "frintm d2, d0", "fcvtzs x2, d1", "fcvtms w2, d1", "fcvtzu w2, d0", "scvtf d2, x0",
    "scvtf d2, w0, #3", "fcvtzs x2, d0, #4", "ucvtf s2, w0", "fadd v2.2d, v0.2d, v1.2d", "fmul v2.4s, v3.4s, v4.4s",
    "fmla v2.2d, v0.2d, v1.d[0]", "fcmgt v2.2d, v0.2d, v1.2d", "fmin v2.4s, v3.4s, v4.4s", "faddp d2, v0.2d",
    "fabd d2, d0, d1", "frinta d2, d0", "frintx d2, d0", "fcvtas x2, d0", "fcvtzs v2.2d, v0.2d",
    "scvtf v2.4s, v5.4s", "fcvtl v2.2d, v3.2s", "fcvtn v2.2s, v0.2d", "fmulx d2, d0, d1",
    "faddp v2.4s, v3.4s, v4.4s",
)  # fmt: skip


@pytest.mark.parametrize("text", EXACT)
def test_what_is_exact_is_not_done_in_software(guest: Guest, in_software: list[int], text: str) -> None:
    values = {"v0": double(6.0) * (1 | 1 << 64), "v1": double(-2.0) * (1 | 1 << 64), "v2": double(1.0)}
    assert guest.run(text, **values, v3=single(3.0) * 0x1_00000001_00000001_00000001,
                     v4=single(0.5) * 0x1_00000001_00000001_00000001, v5=9 << 96, x0=12, fpsr=0) is None  # fmt: skip
    assert (in_software, guest.cpu.fpsr) == ([], 0)


@pytest.mark.parametrize("text", ["fdiv d2, d0, d1", "fsqrt d2, d1", "fmadd d2, d0, d0, d1", "fcvt s2, d0"])
def test_inexact_is_found_once_and_then_known(guest: Guest, in_software: list[int], text: str) -> None:
    assert guest.run(f"{text}; {text}; {text}", v0=double(0.1), v1=double(3.0), fpsr=0) is None
    assert (len(in_software), guest.cpu.fpsr) == (1, IXC)


@pytest.mark.parametrize(
    ("mode", "result"), [(0, 1.0), (ROUND_UP, 1.0 + 2.0**-52), (ROUND_DOWN, 1.0), (ROUND_UP | FZ, 1.0 + 2.0**-52)]
)
def test_rounding_modes(guest: Guest, mode: int, result: float) -> None:
    set_fpcr(guest, mode)
    assert bool(guest.cpu.mode & M_FPCR) == bool(mode)
    assert guest.run("fadd d2, d0, d1", v0=double(1.0), v1=double(2.0**-60), fpsr=0) is None
    assert (guest.cpu.v[2], guest.cpu.fpsr) == (double(result), IXC)


def test_flush_to_zero_takes_a_subnormal_for_a_zero(guest: Guest) -> None:
    set_fpcr(guest, FZ)
    assert guest.run("fdiv d2, d0, d1", v0=double(1.0), v1=1, fpsr=0) is None
    assert (guest.cpu.v[2], guest.cpu.fpsr) == (0x7FF << 52, DZC | IDC)


def test_the_default_nan_has_no_payload(guest: Guest) -> None:
    signaling = 0x7FF0000000000123
    assert guest.run("fadd d2, d0, d1", v0=double(1.0), v1=signaling, fpsr=0) is None
    assert (guest.cpu.v[2], guest.cpu.fpsr) == (signaling | 1 << 51, IOC)
    set_fpcr(guest, DN)
    assert guest.run("fadd d2, d0, d1", v0=double(1.0), v1=signaling, fpsr=0) is None
    assert guest.cpu.v[2] == 0x7FF8 << 48


@pytest.mark.parametrize(
    ("text", "nzcv"),
    [
        ("fcmp d0, d1", 0x8),
        ("fcmp d1, d0", 0x2),
        ("fcmp d0, d0", 0x6),
        ("fcmp d0, d3", 0x3),
        ("fccmp d0, d1, #5, al", 8),
    ],
)
def test_comparisons(guest: Guest, text: str, nzcv: int) -> None:
    assert guest.run(text, v0=double(-0.5), v1=double(2.0), v3=0x7FF8 << 48, fpsr=0) is None
    assert guest.cpu.nzcv >> 28 == nzcv
    assert guest.cpu.fpsr == 0, "a quiet NaN is signaled by FCMPE only"


def test_a_scalar_leaves_zeros_above_it(guest: Guest) -> None:
    for text in ("fadd s2, s0, s1", "fmov s2, s0", "scvtf s2, w0", "fcvt h2, s0", "fmadd s2, s0, s1, s0"):
        assert guest.run(text, v0=single(1.5) | 7 << 100, v1=single(2.0) | 7 << 100, v2=(1 << 128) - 1, x0=3) is None
        assert guest.cpu.v[2] >> 32 == 0, text


@pytest.mark.parametrize("text", ["fadd d0, d1, d2", "add v0.4s, v1.4s, v2.4s", "ldr q0, [x1]", AESE,
                                  "shl v0.4s, v1.4s, #3", "fcmp d0, d1", "ld1 {v0.4s}, [x1]"])  # fmt: skip
def test_what_is_switched_off_traps_first(guest: Guest, text: str) -> None:
    guest.cpu.sys.cpacr_el1 = 0
    guest.cpu.mode_changed()
    exc = guest.run(text, x1=DATA, v0=5)
    assert exc is not None
    assert (exc.ec, guest.cpu.v[0]) == (EC_FP_TRAP, 5)


@pytest.mark.parametrize(
    ("feature", "text"),
    [("aes", AESE), ("aes", PMULL), ("sha1", SHA1H), ("sha2", SHA256H)],
)
def test_cryptography_is_optional(feature: str, text: str) -> None:
    assert Guest(model="cortex-a57").run(text) is None
    assert models.cpu_model(f"cortex-a57,{feature}=off").has(feature) is False
    exc = Guest(model=f"cortex-a57,{feature}=off").run(text)
    assert exc is not None
    assert exc.ec == EC_UNKNOWN
