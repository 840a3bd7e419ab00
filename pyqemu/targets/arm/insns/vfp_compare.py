"""Comparisons of VFP, and its system registers (ARM DDI 0406C.b, A8.8.303, A8.8.347, B9.3.21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.fp import compared
from pyqemu.targets.arm.layout import FPCR, FPSR, NZCV
from pyqemu.targets.arm.modes import FPEXC, FPINST, FPINST2, FPSCR_CONTROL, FPSCR_NZCV, FPSCR_STATUS, M_CPACR
from pyqemu.targets.arm.vfp import number_of, usable, vfp

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu
    from pyqemu.targets.arm.translator import ArmTranslator


@vfp("1110 1 D:1 11 0100 Vd:4 101 sz:1 E:1 1 M:1 0 Vm:4", name="vcmp")
def vcmp(t: ArmTranslator, sz: int, D: int, Vd: int, E: int, M: int, Vm: int) -> None:
    """VCMP, VCMPE (A8.8.303)."""
    bits = 64 if sz else 32
    d, m = number_of(bits, D, Vd), number_of(bits, M, Vm)
    if usable(t, d, m):
        t.mov(t.glob(FPSCR_NZCV, 32), compared(t, t.v(d, bits), t.v(m, bits), signaling=E))


@vfp("1110 1 D:1 11 0101 Vd:4 101 sz:1 E:1 1 00 0000", name="vcmp")
def vcmp_zero(t: ArmTranslator, sz: int, D: int, Vd: int, E: int) -> None:
    """VCMP, VCMPE with zero (A8.8.303)."""
    bits = 64 if sz else 32
    d = number_of(bits, D, Vd)
    if usable(t, d):
        t.mov(t.glob(FPSCR_NZCV, 32), compared(t, t.v(d, bits), t.value(0, bits), signaling=E))


# --- system registers (B6.1.37 and following) -------------------------------------------------------------------------

REG_FPSID, REG_FPSCR, REG_MVFR2, REG_MVFR1, REG_MVFR0, REG_FPEXC, REG_FPINST, REG_FPINST2 = 0, 1, 5, 6, 7, 8, 9, 10
STORAGE = {REG_FPEXC: FPEXC, REG_FPINST: FPINST, REG_FPINST2: FPINST2}
IDENTIFICATION = {REG_FPSID, REG_MVFR0, REG_MVFR1, REG_MVFR2}
WHILE_OFF = IDENTIFICATION | {REG_FPEXC}  #: what can be accessed while FPEXC.EN is 0


def accessible(t: ArmTranslator, reg: int, *, write: bool) -> bool:
    """Whether an access is allowed here; if not, the instruction is refused, and does nothing else."""
    by_user = reg == REG_FPSCR or (reg == REG_FPSID and not write and "vfp3" not in t.features)
    while_off = reg in WHILE_OFF
    if not _exists(t, reg) or not (t.level or by_user):
        t.undefined()
        return False
    if not t.mode & M_CPACR or not (while_off or t.vfp_on):
        t.refuse_vfp(while_off=while_off)
        return False
    return True


def _exists(t: ArmTranslator, reg: int) -> bool:
    if reg in (REG_FPINST, REG_FPINST2):
        return "vfp3" not in t.features  # subarchitectures of VFPv2
    if reg == REG_MVFR2:
        return "v8" in t.features
    if reg in (REG_MVFR0, REG_MVFR1):
        return "v6" in t.features
    return reg in (REG_FPSID, REG_FPSCR, REG_FPEXC)


def read_identification(cpu: ArmCpu, reg: int) -> int:
    """FPSID, MVFR0, MVFR1, MVFR2."""
    cpu.ask_for_identification(reg)
    return cpu.model.fpsid if reg == REG_FPSID else cpu.model.mvfr[REG_MVFR0 - reg]


def write_fpscr(cpu: ArmCpu, value: int) -> None:
    """VMSR to FPSCR, where it changes what instructions do."""
    cpu.set_fpscr(value)


def write_fpexc(cpu: ArmCpu, value: int) -> None:
    """VMSR to FPEXC."""
    cpu.set_fpexc(value)


@vfp("1110 1111 reg:4 Rt:4 1010 0 00 1 0000", name="vmrs")
def vmrs(t: ArmTranslator, reg: int, Rt: int) -> None:
    """VMRS (A8.8.348, B9.3.21); R15 stands for the flags."""
    if not accessible(t, reg, write=False):
        return
    if Rt == 15:
        if reg == REG_FPSCR:
            t.set_nzcv(t.glob(FPSCR_NZCV, 32))
        else:
            t.undefined()
    elif reg == REG_FPSCR:
        t.or_(t.glob(FPSCR_NZCV, 32) | t.glob(FPCR, 32), t.glob(FPSR, 32), out=t.dest(Rt))
    elif reg in STORAGE:
        t.mov(t.dest(Rt), t.glob(STORAGE[reg], 32))
    else:
        t.call(read_identification, reg, returns=32, out=t.dest(Rt))


@vfp("1110 1110 reg:4 Rt:4 1010 0 00 1 0000", name="vmsr")
def vmsr(t: ArmTranslator, reg: int, Rt: int) -> None:
    """VMSR (A8.8.349, B9.3.22)."""
    if not accessible(t, reg, write=True):
        return
    value = t.reg(Rt)
    if reg == REG_FPSCR:
        other = t.label()
        t.brcond("ne", value & FPSCR_CONTROL, t.glob(FPCR, 32), other)
        t.and_(value, NZCV, out=t.glob(FPSCR_NZCV, 32))
        t.and_(value, FPSCR_STATUS, out=t.glob(FPSR, 32))
        t.goto(t.next_pc)
        t.bind(other)
        t.call(write_fpscr, value)
        t.goto_next_mode()
    elif reg == REG_FPEXC:
        t.call(write_fpexc, value)
        t.goto_next_mode()
    elif reg in STORAGE:
        t.mov(t.glob(STORAGE[reg], 32), value)
