"""CPSR, SPSR and banked registers; CPS, SETEND (ARM DDI 0406C.b, A5.2.11, A6.2.5, A6.3.4, B9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm import delivery
from pyqemu.targets.arm.decode import A32, A32_UNCONDITIONAL, T16, T32
from pyqemu.targets.arm.layout import DAIF, IRQ_PENDING, NZCV
from pyqemu.targets.arm.modes import (
    CPSR_A,
    CPSR_E,
    CPSR_F,
    CPSR_GE,
    CPSR_I,
    CPSR_M,
    CPSR_Q,
    GE_FLAGS,
    M_BIG_ENDIAN,
    M_NO_SETEND,
    Q_FLAG,
    SPSR,
)
from pyqemu.targets.arm.operands import arm_immediate
from pyqemu.tcg.env import EXIT_REQUEST

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.builder import Value
    from pyqemu.tcg.hole import Hole

THUMB2 = "thumb2"
FLAGS, STATUS, EXTENSION, CONTROL = 8, 4, 2, 1  #: bits of the field ``mask``
ENABLE, DISABLE = 2, 3  #: of the field ``imod``

# --- MRS --------------------------------------------------------------------------------------------------------------


def _cpsr(t: ArmTranslator) -> Value:
    """CPSR as MRS reads it: without T, J and IT (B9.3.8)."""
    fixed = t.cpu_mode | (CPSR_E if t.mode & M_BIG_ENDIAN else 0)
    return t.flags.image() | t.glob(Q_FLAG, 32) | t.glob(GE_FLAGS, 32) | t.glob(DAIF, 32) | fixed


@A32.insn("0001 0 R:1 00 xxxx Rd:4 xx0x 0000 xxxx")
@T32.insn("11110 0 1111 1 R:1 xxxx 10 x 0 Rd:4 xx0x xxxx", feature=THUMB2)
def mrs(t: ArmTranslator, R: int, Rd: int) -> None:
    """MRS (A8.8.109, B9.3.8)."""
    if not R:
        t.mov(t.dest(Rd), _cpsr(t))
    elif t.has_spsr:
        t.mov(t.dest(Rd), t.glob(SPSR, 32))
    else:
        t.undefined()


@A32.insn("0001 0 R:1 00 number[3:0] Rd:4 xx 1 number[4:4] 0000 xxxx", feature="lpae", name="mrs")
def mrs_banked(t: ArmTranslator, R: int, number: int, Rd: int) -> None:
    """MRS (banked register) (B9.3.9)."""
    if not t.level:
        t.undefined()
        return
    found = t.call(delivery.read_banked, R, number, returns=32)
    assert found is not None
    t.mov(t.dest(Rd), found)


@T32.insn("11110 0 1111 1 R:1 number[3:0] 10 x 0 Rd:4 xx 1 number[4:4] xxxx", feature="lpae", name="mrs")
def mrs_banked_thumb(t: ArmTranslator, R: int, number: int, Rd: int) -> None:
    """The same in Thumb."""
    mrs_banked(t, R, number, Rd)


def request_exit(cpu: ArmCpu) -> None:
    """Come back to the main loop at the next block: an interrupt that waited may be taken now."""
    cpu.l[EXIT_REQUEST >> 2] = 1


# --- MSR --------------------------------------------------------------------------------------------------------------


def _msr(t: ArmTranslator, R: int, mask: int, value: Value) -> None:
    if R:
        _write_spsr(t, mask, value)
        return
    if not t.level:
        mask &= ~CONTROL  # User mode does not change it
    if mask == CONTROL:
        _write_masks(t, value)
    if mask & (EXTENSION | CONTROL):
        t.call(delivery.msr_cpsr, value, mask)
        t.goto_next_mode()
        return
    if mask & STATUS:
        t.mov(t.glob(GE_FLAGS, 32), value & CPSR_GE)
    if mask & FLAGS:
        t.mov(t.glob(Q_FLAG, 32), value & CPSR_Q)
        t.set_nzcv(value & NZCV)


def _write_masks(t: ArmTranslator, value: Value) -> None:
    """End the block here where a write of the lowest byte leaves the mode as it is: kernels restore interrupts so."""
    other, masks = t.label(), CPSR_I | CPSR_F
    t.brcond("ne", value & CPSR_M, t.cpu_mode, other)
    slot = t.glob(DAIF, 32)
    t.or_(slot & ~masks, value & masks, out=slot)
    _look_at_interrupts(t)
    t.bind(other)


def _look_at_interrupts(t: ArmTranslator) -> None:
    """End the block; if an interrupt is waiting, the next one is not begun."""
    with t.if_("ne", t.glob(IRQ_PENDING, 64), 0):
        t.call(request_exit)
    t.goto(t.next_pc)


def _write_spsr(t: ArmTranslator, mask: int, value: Value) -> None:
    if not t.has_spsr:
        t.undefined()
        return
    bits = sum(0xFF << 8 * byte for byte in range(4) if mask >> byte & 1)
    slot = t.glob(SPSR, 32)
    t.or_(slot & ~bits, value & bits, out=slot)


@A32.insn("0011 0 R:1 10 mask:4 xxxx rot:4 imm8:8", imm=arm_immediate, name="msr")
def msr_immediate(t: ArmTranslator, R: int, mask: int, imm: Hole) -> None:
    """MSR (immediate) (A8.8.111, B9.3.11)."""
    _msr(t, R, mask, t.value(imm, 32))


@A32.insn("0001 0 R:1 10 mask:4 xxxx xx0x 0000 Rn:4")
@T32.insn("11110 0 1110 0 R:1 Rn:4 10 x 0 mask:4 xx0x xxxx", feature=THUMB2)
def msr(t: ArmTranslator, R: int, mask: int, Rn: int) -> None:
    """MSR (register) (A8.8.112, B9.3.12)."""
    _msr(t, R, mask, t.reg(Rn))


@A32.insn("0001 0 R:1 10 number[3:0] xxxx xx 1 number[4:4] 0000 Rn:4", feature="lpae", name="msr")
def msr_banked(t: ArmTranslator, R: int, number: int, Rn: int) -> None:
    """MSR (banked register) (B9.3.10)."""
    if not t.level:
        t.undefined()
    else:
        t.call(delivery.write_banked, R, number, t.reg(Rn))


@T32.insn("11110 0 1110 0 R:1 Rn:4 10 x 0 number[3:0] xx 1 number[4:4] xxxx", feature="lpae", name="msr")
def msr_banked_thumb(t: ArmTranslator, R: int, number: int, Rn: int) -> None:
    """The same in Thumb."""
    msr_banked(t, R, number, Rn)


# --- CPS and SETEND ---------------------------------------------------------------------------------------------------


def _cps(t: ArmTranslator, imod: int, M: int, AIF: int, mode: int) -> None:
    if not t.level:
        return  # User mode does not change anything (B9.3.2)
    bits = ((AIF >> 2 & 1) * CPSR_A | (AIF >> 1 & 1) * CPSR_I | (AIF & 1) * CPSR_F) if imod & 2 else 0
    if M:
        t.call(delivery.change_mode, mode, bits, bits if imod == DISABLE else 0)
        t.goto_next_mode()
        return
    slot = t.glob(DAIF, 64)
    if imod == DISABLE:
        t.or_(slot, bits, out=slot)
    elif imod == ENABLE:
        t.and_(slot, ~bits, out=slot)
        _look_at_interrupts(t)


@A32_UNCONDITIONAL.insn("0001 0000 imod:2 M:1 0 xxxxxxx AIF:3 0 mode:5", feature="v6")
@T32.insn("11110 0 111 01 0 xxxx 10 x 0 x imod:2 M:1 AIF:3 mode:5", feature=THUMB2)
def cps(t: ArmTranslator, imod: int, M: int, AIF: int, mode: int) -> None:
    """CPS (B9.3.2)."""
    _cps(t, imod, M, AIF, mode)


@T16.insn("1011 0110 011 im:1 x AIF:3", feature="v6", name="cps")
def cps_thumb(t: ArmTranslator, im: int, AIF: int) -> None:
    """CPS (B9.3.2, T1)."""
    _cps(t, DISABLE if im else ENABLE, 0, AIF, 0)


@A32_UNCONDITIONAL.insn("0001 0000 xxx 1 xxxxxx E:1 x 0000 xxxx", feature="v6")
@T16.insn("1011 0110 010 x E:1 xxx", feature="v6")
def setend(t: ArmTranslator, E: int) -> None:
    """SETEND (A8.8.157)."""
    if t.mode & M_NO_SETEND:
        t.undefined()
        return
    t.goto_mode(t.next_pc, t._next_mode & ~M_BIG_ENDIAN | (M_BIG_ENDIAN if E else 0))
