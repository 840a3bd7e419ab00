"""Loads and stores of many registers (ARM DDI 0406C.b, A5.5, A6.2.4, A6.3.5), and those of exceptions (B9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.decode import A32, A32_UNCONDITIONAL, T16, T32
from pyqemu.targets.arm.delivery import return_from_exception
from pyqemu.targets.arm.insns.data import exception_return
from pyqemu.targets.arm.modes import BANK, FIQ, HYP, R13_BANK, SPSR, USR, banked

if TYPE_CHECKING:
    from pyqemu.targets.arm.translator import ArmTranslator
    from pyqemu.tcg.builder import Value


def numbers(registers: int) -> list[int]:
    """The registers of a list, lowest first."""
    return [number for number in range(16) if registers >> number & 1]


def lowest(count: int, P: int, U: int) -> int:
    """Where the lowest word is, relative to the base."""
    if U:
        return 4 if P else 0
    return -4 * count + (0 if P else 4)


def store_multiple(t: ArmTranslator, Rn: int, registers: int, *, P: int, U: int, W: int) -> None:
    """STM: the base is written at the end."""
    found, base = numbers(registers), t.reg(Rn)
    disp = lowest(len(found), P, U)
    for index, number in enumerate(found):
        t.store(base, t.reg(number), disp + 4 * index, size=4)
    if W:
        t.add(base, 4 * len(found) * (1 if U else -1), out=base)


def load_multiple(t: ArmTranslator, Rn: int, registers: int, *, P: int, U: int, W: int, returns: bool = False) -> None:
    """LDM: the base keeps its value until all has been loaded.

    :param returns: whether R15 is loaded as the end of an exception
    """
    found, base = numbers(registers), t.reg(Rn)
    disp = lowest(len(found), P, U)
    late: dict[int, Value] = {}
    for index, number in enumerate(found):
        if number in (Rn, 15):
            late[number] = t.load(base, disp + 4 * index, size=4)
        else:
            t.load(base, disp + 4 * index, size=4, out=t.dest(number))
    if Rn in late:
        t.mov(base, late[Rn])
    elif W:
        t.add(base, 4 * len(found) * (1 if U else -1), out=base)
    if 15 in late:
        if returns:
            exception_return(t, late[15])
        else:
            t.loaded(15, late[15])


@A32.insn("100 P:1 U:1 0 W:1 0 Rn:4 registers:16")
def stm(t: ArmTranslator, P: int, U: int, W: int, Rn: int, registers: int) -> None:
    """STM, STMDA, STMDB, STMIB, PUSH (A8.8.199 to A8.8.202)."""
    store_multiple(t, Rn, registers, P=P, U=U, W=W)


@A32.insn("100 P:1 U:1 0 W:1 1 Rn:4 registers:16")
def ldm(t: ArmTranslator, P: int, U: int, W: int, Rn: int, registers: int) -> None:
    """LDM, LDMDA, LDMDB, LDMIB, POP (A8.8.57 to A8.8.61)."""
    load_multiple(t, Rn, registers, P=P, U=U, W=W)


# --- registers of User mode, and exception return ---------------------------------------------------------------------


def user_register(t: ArmTranslator, number: int) -> Value:
    """A register of User mode, seen from another one."""
    if number < 8 or number == 15 or (number < 13 and t.cpu_mode != FIQ):
        return t.reg(number)
    slot = banked(number, USR)
    assert slot is not None
    return t.glob(slot, 32)


@A32.insn("100 P:1 U:1 1 W:1 0 Rn:4 registers:16", name="stm")
def stm_user(t: ArmTranslator, P: int, U: int, W: int, Rn: int, registers: int) -> None:
    """STM (User registers) (B9.3.17)."""
    if not t.has_spsr or t.cpu_mode == HYP:
        t.undefined()
        return
    found, base = numbers(registers), t.reg(Rn)
    disp = lowest(len(found), P, U)
    for index, number in enumerate(found):
        t.store(base, user_register(t, number), disp + 4 * index, size=4)
    if W:
        t.add(base, 4 * len(found) * (1 if U else -1), out=base)


@A32.insn("100 P:1 U:1 1 W:1 1 Rn:4 registers:16", name="ldm")
def ldm_user(t: ArmTranslator, P: int, U: int, W: int, Rn: int, registers: int) -> None:
    """LDM (User registers), LDM (exception return) (B9.3.6, B9.3.5)."""
    if not t.has_spsr or t.cpu_mode == HYP:
        t.undefined()
    elif registers >> 15:
        load_multiple(t, Rn, registers, P=P, U=U, W=W, returns=True)
    else:
        found = numbers(registers)
        base = t.temp(32)
        t.mov(base, t.reg(Rn))
        disp = lowest(len(found), P, U)
        for index, number in enumerate(found):
            t.load(base, disp + 4 * index, size=4, out=user_register(t, number))
        if W:
            t.add(t.reg(Rn), 4 * len(found) * (1 if U else -1), out=t.dest(Rn))


# --- SRS and RFE ------------------------------------------------------------------------------------------------------


@A32_UNCONDITIONAL.insn("100 P:1 U:1 1 W:1 0 xxxx xxxxxxxxxxx mode:5", feature="v6")
def srs(t: ArmTranslator, P: int, U: int, W: int, mode: int) -> None:
    """SRS (B9.3.16): LR and SPSR to the stack of a mode."""
    if not t.has_spsr or t.cpu_mode == HYP or mode not in BANK or mode == HYP:
        t.undefined()
        return
    own = BANK[mode] == BANK[t.cpu_mode]
    base = t.reg(13) if own else t.glob(R13_BANK + 8 * BANK[mode], 32)
    disp = lowest(2, P, U)
    t.store(base, t.reg(14), disp, size=4)
    t.store(base, t.glob(SPSR, 32), disp + 4, size=4)
    if W:
        t.add(base, 8 if U else -8, out=base)


@A32_UNCONDITIONAL.insn("100 P:1 U:1 0 W:1 1 Rn:4 xxxxxxxxxxxxxxxx", feature="v6")
def rfe(t: ArmTranslator, P: int, U: int, W: int, Rn: int) -> None:
    """RFE (B9.3.13): R15 and CPSR from memory."""
    if not t.level or t.cpu_mode == HYP:
        t.undefined()
        return
    base = t.reg(Rn)
    disp = lowest(2, P, U)
    address = t.load(base, disp, size=4)
    status = t.load(base, disp + 4, size=4)
    if W:
        t.add(base, 8 if U else -8, out=base)
    t.call(return_from_exception, address, status)
    t.goto_ptr()


@T32.insn("1110100 00 0 W:1 0 xxxx xxxxxxxxxxx mode:5", feature="thumb2", name="srs")
def srs_decrement(t: ArmTranslator, W: int, mode: int) -> None:
    """SRSDB."""
    srs(t, 1, 0, W, mode)


@T32.insn("1110100 11 0 W:1 0 xxxx xxxxxxxxxxx mode:5", feature="thumb2", name="srs")
def srs_increment(t: ArmTranslator, W: int, mode: int) -> None:
    """SRSIA."""
    srs(t, 0, 1, W, mode)


@T32.insn("1110100 00 0 W:1 1 Rn:4 xxxxxxxxxxxxxxxx", feature="thumb2", name="rfe")
def rfe_decrement(t: ArmTranslator, W: int, Rn: int) -> None:
    """RFEDB."""
    rfe(t, 1, 0, W, Rn)


@T32.insn("1110100 11 0 W:1 1 Rn:4 xxxxxxxxxxxxxxxx", feature="thumb2", name="rfe")
def rfe_increment(t: ArmTranslator, W: int, Rn: int) -> None:
    """RFEIA."""
    rfe(t, 0, 1, W, Rn)


# --- Thumb ------------------------------------------------------------------------------------------------------------


@T16.insn("1100 0 Rn:3 registers:8", name="stm")
def stm_thumb(t: ArmTranslator, Rn: int, registers: int) -> None:
    """STM (A8.8.199, T1)."""
    store_multiple(t, Rn, registers, P=0, U=1, W=1)


@T16.insn("1100 1 Rn:3 registers:8", name="ldm")
def ldm_thumb(t: ArmTranslator, Rn: int, registers: int) -> None:
    """LDM (A8.8.57, T1)."""
    load_multiple(t, Rn, registers, P=0, U=1, W=not registers >> Rn & 1)


@T16.insn("1011 010 M:1 registers:8")
def push(t: ArmTranslator, M: int, registers: int) -> None:
    """PUSH (A8.8.133, T1)."""
    store_multiple(t, 13, registers | M << 14, P=1, U=0, W=1)


@T16.insn("1011 110 P:1 registers:8")
def pop(t: ArmTranslator, P: int, registers: int) -> None:
    """POP (A8.8.131, T1)."""
    load_multiple(t, 13, registers | P << 15, P=0, U=1, W=1)


@T32.insn("1110100 01 0 W:1 0 Rn:4 registers:16", feature="thumb2", name="stm")
def stm_increment(t: ArmTranslator, W: int, Rn: int, registers: int) -> None:
    """STM (A8.8.199, T2)."""
    store_multiple(t, Rn, registers, P=0, U=1, W=W)


@T32.insn("1110100 10 0 W:1 0 Rn:4 registers:16", feature="thumb2", name="stm")
def stm_decrement(t: ArmTranslator, W: int, Rn: int, registers: int) -> None:
    """STMDB, PUSH (A8.8.201, T1)."""
    store_multiple(t, Rn, registers, P=1, U=0, W=W)


@T32.insn("1110100 01 0 W:1 1 Rn:4 registers:16", feature="thumb2", name="ldm")
def ldm_increment(t: ArmTranslator, W: int, Rn: int, registers: int) -> None:
    """LDM, POP (A8.8.57, T2)."""
    load_multiple(t, Rn, registers, P=0, U=1, W=W)


@T32.insn("1110100 10 0 W:1 1 Rn:4 registers:16", feature="thumb2", name="ldm")
def ldm_decrement(t: ArmTranslator, W: int, Rn: int, registers: int) -> None:
    """LDMDB (A8.8.60, T1)."""
    load_multiple(t, Rn, registers, P=1, U=0, W=W)
