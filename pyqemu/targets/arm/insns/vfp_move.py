"""VMOV, VDUP: registers, immediates, core registers and scalars (ARM DDI 0406C.b, A7.5.1, A7.8, A7.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.extension import quad, single
from pyqemu.targets.arm.simd import Form
from pyqemu.targets.arm.vfp import data_processing, double_number, number_of, single_number, usable, vfp

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.targets.arm.vectors import VectorTranslator


def expanded(bits: int, imm8: int) -> int:
    """The number that an immediate stands for (A7.5.1, "VFPExpandImm")."""
    sign, rest = imm8 >> 7, imm8 & 0x3F
    if bits == 64:
        return sign << 63 | (0xFF << 54 if imm8 & 0x40 else 1 << 62) | rest << 48
    return sign << 31 | (0x1F << 25 if imm8 & 0x40 else 1 << 30) | rest << 19


@vfp("1110 1 D:1 11 imm4H:4 Vd:4 101 sz:1 0000 imm4L:4", feature="vfp3", name="vmov")
def vmov_immediate(t: ArmTranslator, sz: int, D: int, Vd: int, imm4H: int, imm4L: int) -> None:
    """VMOV (immediate) (A8.8.339)."""
    bits = 64 if sz else 32
    number = expanded(bits, imm4H << 4 | imm4L)

    def stage(t: VectorTranslator, form: Form) -> None:
        t.set_scalar(form.d, t.value(number, bits))

    d = number_of(bits, D, Vd)
    data_processing(t, Form(bits, False, d, d, scalar=True), stage, sources=0)


# --- core registers ---------------------------------------------------------------------------------------------------


@vfp("1110 000 0 Vn:4 Rt:4 1010 N:1 00 1 0000", name="vmov")
def vmov_to_single(t: ArmTranslator, N: int, Vn: int, Rt: int) -> None:
    """VMOV (between core register and single-precision register) (A8.8.343)."""
    if t.vfp_enabled():
        t.set_scalar(single_number(N, Vn), t.reg(Rt))


@vfp("1110 000 1 Vn:4 Rt:4 1010 N:1 00 1 0000", name="vmov")
def vmov_from_single(t: ArmTranslator, N: int, Vn: int, Rt: int) -> None:
    """The same in the other direction; R15, which is UNPREDICTABLE, stands for the flags."""
    if t.vfp_enabled():
        value = t.v(single_number(N, Vn), 32)
        if Rt == 15:
            t.set_nzcv(value & 0xF0000000)
        else:
            t.mov(t.dest(Rt), value)


@vfp("1100 010 0 Rt2:4 Rt:4 1011 00 M:1 1 Vm:4", name="vmov")
def vmov_to_double(t: ArmTranslator, M: int, Vm: int, Rt: int, Rt2: int) -> None:
    """VMOV (between two core registers and a doubleword register) (A8.8.345)."""
    number = double_number(M, Vm)
    if usable(t, number):
        for index, core in enumerate((Rt, Rt2)):
            t.set_element(number, index, 32, t.reg(core))


@vfp("1100 010 1 Rt2:4 Rt:4 1011 00 M:1 1 Vm:4", name="vmov")
def vmov_from_double(t: ArmTranslator, M: int, Vm: int, Rt: int, Rt2: int) -> None:
    """The same in the other direction."""
    number = double_number(M, Vm)
    if 15 in (Rt, Rt2):  # UNPREDICTABLE
        t.undefined()
    elif usable(t, number):
        for index, core in enumerate((Rt, Rt2)):
            t.mov(t.dest(core), t.element(number, index, 32))


@vfp("1100 010 0 Rt2:4 Rt:4 1010 00 M:1 1 Vm:4", name="vmov")
def vmov_to_singles(t: ArmTranslator, M: int, Vm: int, Rt: int, Rt2: int) -> None:
    """VMOV (between two core registers and two single-precision registers) (A8.8.344)."""
    first = Vm << 1 | M
    if first == 31:  # UNPREDICTABLE
        t.undefined()
    elif t.vfp_enabled():
        t.set_scalar(single(first), t.reg(Rt))
        t.set_scalar(single(first + 1), t.reg(Rt2))


@vfp("1100 010 1 Rt2:4 Rt:4 1010 00 M:1 1 Vm:4", name="vmov")
def vmov_from_singles(t: ArmTranslator, M: int, Vm: int, Rt: int, Rt2: int) -> None:
    """The same in the other direction."""
    first = Vm << 1 | M
    if first == 31 or 15 in (Rt, Rt2):  # UNPREDICTABLE
        t.undefined()
    elif t.vfp_enabled():
        t.mov(t.dest(Rt), t.v(single(first), 32))
        t.mov(t.dest(Rt2), t.v(single(first + 1), 32))


# --- scalars ----------------------------------------------------------------------------------------------------------


def scalar_of(opc1: int, opc2: int) -> tuple[int, int] | None:
    """Width and index of the scalar that two fields name (A8.8.341, A8.8.342); None if they name none."""
    if opc1 & 2:
        return 8, (opc1 & 1) << 2 | opc2
    if opc2 & 1:
        return 16, (opc1 & 1) << 1 | opc2 >> 1
    return None if opc2 else (32, opc1 & 1)


@vfp("1110 0 opc1:2 0 Vd:4 Rt:4 1011 D:1 opc2:2 1 0000", name="vmov")
def vmov_to_scalar(t: ArmTranslator, opc1: int, Vd: int, Rt: int, D: int, opc2: int) -> None:
    """VMOV (core register to scalar) (A8.8.341)."""
    found, number = scalar_of(opc1, opc2), double_number(D, Vd)
    if found is None or (found[0] < 32 and "neon" not in t.features):
        t.undefined()
    elif usable(t, number):
        bits, index = found
        t.set_element(number, index, bits, t.reg(Rt))


@vfp("1110 U:1 opc1:2 1 Vn:4 Rt:4 1011 N:1 opc2:2 1 0000", name="vmov")
def vmov_from_scalar(t: ArmTranslator, U: int, opc1: int, Vn: int, Rt: int, N: int, opc2: int) -> None:
    """VMOV (scalar to core register) (A8.8.342)."""
    found, number = scalar_of(opc1, opc2), double_number(N, Vn)
    if found is None or (found[0] == 32 and U) or (found[0] < 32 and "neon" not in t.features) or Rt == 15:
        t.undefined()
    elif usable(t, number):
        bits, index = found
        t.extend(t.element(number, index, bits), 32, signed=not U, out=t.dest(Rt))


@vfp("1110 1 B:1 Q:1 0 Vd:4 Rt:4 1011 D:1 0 E:1 1 0000", feature="neon", name="vdup")
def vdup_core(t: ArmTranslator, B: int, Q: int, Vd: int, Rt: int, D: int, E: int) -> None:
    """VDUP (core register) (A8.8.312)."""
    number = double_number(D, Vd)
    if (B and E) or (Q and number & 1):
        t.undefined()
    elif t.vfp_enabled():
        bits = 8 if B else 16 if E else 32
        value = t.extend(t.reg(Rt).low(bits), 64, signed=False)
        t.replicate(quad(number >> 1) if Q else number, bits, value, whole=bool(Q))
