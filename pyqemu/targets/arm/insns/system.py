"""Exceptions, hints, barriers and coprocessors (ARM DDI 0406C.b, A5.2.11, A5.6, A5.7, A6.3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm import delivery, exceptions
from pyqemu.targets.arm.decode import A32, A32_UNCONDITIONAL, T16, T32
from pyqemu.targets.arm.insns.data import exception_return
from pyqemu.targets.arm.layout import NZCV, TPIDR_EL0, TPIDR_EL1
from pyqemu.targets.arm.modes import HYP, TPIDRURO

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.hole import Hole

THUMB2 = "thumb2"

# --- exceptions -------------------------------------------------------------------------------------------------------


@A32.insn("1111 imm:24")
@T16.insn("1101 1111 imm:8")
def svc(t: ArmTranslator, imm: Hole) -> None:
    """SVC (A8.8.228)."""
    t.call(exceptions.supervisor_call, imm)
    t.exit_loop_next()


@A32.insn("0001 0010 xxxxxxxxxxxx 0111 xxxx", feature="v5")
def bkpt(t: ArmTranslator) -> None:
    """BKPT (A8.8.24)."""
    t.raise_(exceptions.raise_breakpoint)


@T16.insn("1011 1110 imm:8", feature="v5", name="bkpt")
def bkpt_thumb(t: ArmTranslator, imm: Hole) -> None:
    """BKPT (A8.8.24)."""
    t.call(exceptions.breakpoint_thumb, imm)
    t.exit_loop_next()


@T16.insn("1101 1110 xxxxxxxx")
def udf(t: ArmTranslator) -> None:
    """UDF (A8.8.247)."""
    t.undefined()


@A32.insn("0001 0110 xxxx xxxx xxxx 0111 xxxx", feature="v6k")
@T32.insn("11110 1111111 xxxx 10 0 0 xxxxxxxxxxxx", feature=THUMB2)
def smc(t: ArmTranslator) -> None:
    """SMC (B9.3.14)."""
    if not t.level:
        t.undefined()
        return
    t.call(exceptions.secure_monitor_call)
    t.exit_loop_next()


@A32.insn("0001 0100 xxxxxxxxxxxx 0111 xxxx", feature="v7")
@T32.insn("11110 1111110 xxxx 10 0 0 xxxxxxxxxxxx", feature=THUMB2)
def hvc(t: ArmTranslator) -> None:
    """HVC (B9.3.4)."""
    if not t.level:
        t.undefined()
        return
    t.call(exceptions.hypervisor_call)
    t.exit_loop_next()


@A32.insn("0001 0110 xxxxxxxxxxxx 0110 xxxx", feature="lpae")
def eret(t: ArmTranslator) -> None:
    """ERET (B9.3.3)."""
    if t.cpu_mode == HYP:
        t.call(delivery.hypervisor_return)
        t.goto_ptr()
    else:
        exception_return(t, t.reg(14))


@T32.insn("11110 0 1111 01 xxxx 10 x 0 xxxx imm:8", feature=THUMB2, name="subs")
def subs_pc_lr(t: ArmTranslator, imm: Hole) -> None:
    """SUBS PC, LR, ERET (B9.3.19, B9.3.3)."""
    if t.cpu_mode == HYP:
        t.call(delivery.hypervisor_return)
        t.goto_ptr()
    else:
        exception_return(t, t.sub(t.reg(14), imm))


# --- hints and barriers -----------------------------------------------------------------------------------------------


def _hint(t: ArmTranslator, hint: int) -> None:
    """NOP, YIELD, WFE, WFI, SEV, DBG and hints that are not allocated (A5.2.11)."""
    if hint == 1 and t.is_one_of_several:
        t.call(exceptions.give_way)
        t.exit_loop_next()
    elif hint == 4 and t.is_one_of_several:
        t.call(exceptions.send_event)
    elif hint == 2:
        t.call(exceptions.wait_for_event)
        t.exit_loop_next()
    elif hint == 3:
        t.call(exceptions.wait_for_interrupt)
        t.exit_loop_next()


@A32.insn("0011 0010 0000 xxxx xxxx hint:8", feature="v6k", name="nop")
@T32.insn("11110 0 111 01 0 xxxx 10 x 0 x 000 hint:8", feature=THUMB2, name="nop")
def hint(t: ArmTranslator, hint: int) -> None:
    """Hints of 32 bits."""
    _hint(t, hint)


@T16.insn("1011 1111 hint:4 0000", feature=THUMB2, name="nop")
def hint_thumb(t: ArmTranslator, hint: int) -> None:
    """Hints of 16 bits."""
    _hint(t, hint)


@A32_UNCONDITIONAL.insn("0101 0111 xxxx xxxx xxxx 0100 xxxx", feature="v7")
@A32_UNCONDITIONAL.insn("0101 0111 xxxx xxxx xxxx 0101 xxxx", feature="v7", name="dmb")
@T32.insn("11110 0 111 01 1 xxxx 10 x 0 xxxx 010x xxxx", feature=THUMB2)
def dsb(t: ArmTranslator) -> None:
    """DSB, DMB (A8.8.44, A8.8.43): accesses are in order anyway."""


@A32_UNCONDITIONAL.insn("0101 0111 xxxx xxxx xxxx 0110 xxxx", feature="v7")
@T32.insn("11110 0 111 01 1 xxxx 10 x 0 xxxx 0110 xxxx", feature=THUMB2)
def isb(t: ArmTranslator) -> None:
    """ISB (A8.8.53): what comes behind it is fetched anew."""
    t.goto(t.next_pc)


# --- coprocessors -----------------------------------------------------------------------------------------------------


def read_coprocessor(cpu: ArmCpu, cp: int, opc1: int, crn: int, crm: int, opc2: int) -> int:
    """MRC of a register that native code does not have."""
    return cpu.read_coprocessor(cp, opc1, crn, crm, opc2)


def write_coprocessor(cpu: ArmCpu, cp: int, opc1: int, crn: int, crm: int, opc2: int, value: int) -> None:
    """MCR of a register that native code does not have."""
    cpu.write_coprocessor(cp, opc1, crn, crm, opc2, value)


def read_coprocessor_pair(cpu: ArmCpu, cp: int, opc1: int, crm: int) -> int:
    """MRRC."""
    return cpu.read_coprocessor_pair(cp, opc1, crm)


def write_coprocessor_pair(cpu: ArmCpu, cp: int, opc1: int, crm: int, low: int, high: int) -> None:
    """MCRR."""
    cpu.write_coprocessor_pair(cp, opc1, crm, low | high << 32)


Numbers = tuple[int, int, int, int, int]
OWN: dict[Numbers, tuple[int, int, int]] = {
    (15, 0, 13, 0, 2): (TPIDR_EL0, 0, 0),
    (15, 0, 13, 0, 3): (TPIDRURO, 0, 1),
    (15, 0, 13, 0, 4): (TPIDR_EL1, 1, 1),
}
"""Registers that native code has: the slot, and the least privilege level to read and to write."""


@A32.insn("1110 opc1:3 1 CRn:4 Rt:4 111 cp:1 opc2:3 1 CRm:4")
@T32.insn("1110 1110 opc1:3 1 CRn:4 Rt:4 111 cp:1 opc2:3 1 CRm:4", feature=THUMB2)
def mrc(t: ArmTranslator, opc1: int, CRn: int, Rt: int, cp: int, opc2: int, CRm: int) -> None:
    """MRC (A8.8.107) of coprocessors 14 and 15; R15 stands for the flags."""
    numbers = (14 + cp, opc1, CRn, CRm, opc2)
    own = OWN.get(numbers) if "v6k" in t.features else None
    if own is not None and t.level >= own[1]:
        value = t.glob(own[0], 32)
    else:
        found = t.call(read_coprocessor, *numbers, returns=32)
        assert found is not None
        value = found
    if Rt == 15:
        t.set_nzcv(value & NZCV)
    else:
        t.mov(t.dest(Rt), value)


@A32.insn("1110 opc1:3 0 CRn:4 Rt:4 111 cp:1 opc2:3 1 CRm:4")
@T32.insn("1110 1110 opc1:3 0 CRn:4 Rt:4 111 cp:1 opc2:3 1 CRm:4", feature=THUMB2)
def mcr(t: ArmTranslator, opc1: int, CRn: int, Rt: int, cp: int, opc2: int, CRm: int) -> None:
    """MCR (A8.8.98) of coprocessors 14 and 15."""
    numbers = (14 + cp, opc1, CRn, CRm, opc2)
    own = OWN.get(numbers) if "v6k" in t.features else None
    if own is not None and t.level >= own[2]:
        t.mov(t.glob(own[0], 32), t.reg(Rt))
        return
    t.call(write_coprocessor, *numbers, t.reg(Rt))
    t.exit_loop_next() if numbers == WAIT else t.goto_next_mode()


WAIT = (15, 0, 7, 0, 4)  #: WFI of processors before ARMv7


@A32.insn("1100 0101 Rt2:4 Rt:4 111 cp:1 opc1:4 CRm:4", feature="v5e")
@T32.insn("1110 1100 0101 Rt2:4 Rt:4 111 cp:1 opc1:4 CRm:4", feature=THUMB2)
def mrrc(t: ArmTranslator, Rt2: int, Rt: int, cp: int, opc1: int, CRm: int) -> None:
    """MRRC (A8.8.108)."""
    value = t.call(read_coprocessor_pair, 14 + cp, opc1, CRm, returns=64)
    assert value is not None
    t.mov(t.dest(Rt), value.low(32))
    t.mov(t.dest(Rt2), value.shr(32).low(32))


@A32.insn("1100 0100 Rt2:4 Rt:4 111 cp:1 opc1:4 CRm:4", feature="v5e")
@T32.insn("1110 1100 0100 Rt2:4 Rt:4 111 cp:1 opc1:4 CRm:4", feature=THUMB2)
def mcrr(t: ArmTranslator, Rt2: int, Rt: int, cp: int, opc1: int, CRm: int) -> None:
    """MCRR (A8.8.99)."""
    t.call(write_coprocessor_pair, 14 + cp, opc1, CRm, t.reg(Rt), t.reg(Rt2))
    t.goto_next_mode()
