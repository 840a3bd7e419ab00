"""Taking exceptions, returning from them, and writes of CPSR (ARM DDI 0406C.b, B1.8, B1.3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.arm.exceptions import CALLS, ArmException, Kind, undefined
from pyqemu.targets.arm.layout import M32, NO_ADDRESS, NZCV
from pyqemu.targets.arm.modes import (
    ABT,
    BANK,
    CPSR_A,
    CPSR_AIF,
    CPSR_E,
    CPSR_F,
    CPSR_GE,
    CPSR_I,
    CPSR_M,
    CPSR_Q,
    CPSR_T,
    ELR_HYP,
    FIQ,
    HYP,
    IRQ,
    M_BIG_ENDIAN,
    M_IT,
    M_IT_SHIFT,
    M_THUMB,
    MON,
    NAMES,
    SVC,
    SYS,
    UND,
    USR,
    advance,
    banked,
    it_bits,
    it_of,
)
from pyqemu.tcg.cpu import GuestException

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu

REQUEST_IRQ, REQUEST_FIQ = 1, 2  #: bits of Cpu.interrupt_request
VECTOR_IRQ, VECTOR_FIQ = 0x18, 0x1C
HIGH_VECTORS = 0xFFFF0000
SCTLR_V, SCTLR_EE, SCTLR_TE = 1 << 13, 1 << 25, 1 << 30
SCR_NS, SCR_IRQ, SCR_FIQ = 1, 2, 4
MODES = {Kind.UNDEFINED: UND, Kind.SUPERVISOR_CALL: SVC, Kind.PREFETCH_ABORT: ABT, Kind.DATA_ABORT: ABT,
         Kind.HYPERVISOR_CALL: HYP, Kind.SECURE_MONITOR_CALL: MON}  # fmt: skip
ARM_RETURN = {Kind.UNDEFINED: 4, Kind.SUPERVISOR_CALL: 4, Kind.PREFETCH_ABORT: 4, Kind.DATA_ABORT: 8,
              Kind.HYPERVISOR_CALL: 4, Kind.SECURE_MONITOR_CALL: 4}  # fmt: skip
THUMB_RETURN = {**ARM_RETURN, Kind.UNDEFINED: 2, Kind.SUPERVISOR_CALL: 2}
"""What LR is ahead of the instruction (B1.8.3, table B1-7)."""


def deliver(cpu: ArmCpu, exc: GuestException) -> None:
    """Take a synchronous exception that an instruction raised."""
    assert isinstance(exc, ArmException)
    kind = exc.kind
    if kind in (Kind.HYPERVISOR_CALL, Kind.SECURE_MONITOR_CALL) and cpu.firmware_call is not None:
        if cpu.firmware_call(kind.value):
            cpu.pc = cpu.pc + 4 & M32
            advance_it(cpu)
            return
        if kind == Kind.HYPERVISOR_CALL or not cpu.has_el3:
            exc = undefined()
            kind = exc.kind
    if cpu.on_deliver is not None:
        cpu.on_deliver(exc)
    if cpu.on_event is not None:
        cpu.on_event(f"{NAMES[cpu.cpu_mode]} at {cpu.pc:#x}: {exc}")
    if kind == Kind.DATA_ABORT:
        cpu.sys.esr_el1 = exc.status
        cpu.dfar = exc.address
    elif kind == Kind.PREFETCH_ABORT:
        cpu.sys.ifsr32_el2 = exc.status
        cpu.ifar = exc.address
    ahead = (THUMB_RETURN if cpu.mode & M_THUMB else ARM_RETURN)[kind]
    if kind in CALLS:
        advance_it(cpu)
    masks = CPSR_I | (CPSR_A if MODES[kind] == ABT else 0) | (CPSR_AIF if MODES[kind] == MON else 0)
    take(cpu, MODES[kind], kind.value & 0xFF, cpu.pc + ahead & M32, masks)


def advance_it(cpu: ArmCpu) -> None:
    """The instruction has been executed as far as its IT block is concerned."""
    itstate = advance(cpu.mode >> M_IT_SHIFT & 0xFF)
    cpu.mode = cpu.mode & ~M_IT | itstate << M_IT_SHIFT


def vector_base(cpu: ArmCpu, mode: int) -> int:
    """Where the vectors of exceptions are that are taken to *mode* (B1.8.1)."""
    if mode == MON:
        return cpu.sys.vbar_el3
    if mode == HYP:
        return cpu.sys.vbar_el2
    if cpu.sys.sctlr_el1 & SCTLR_V:
        return HIGH_VECTORS
    return cpu.sys.vbar_el1 if cpu.model.has("vbar") else 0


def take(cpu: ArmCpu, mode: int, vector: int, lr: int, masks: int) -> None:
    """Enter a processor mode at one of its vectors (B1.8.5 and following)."""
    cpsr = cpu.cpsr
    if cpu.cpu_mode == MON:
        cpu.sys.scr_el3 &= ~SCR_NS
    cpu.enter_mode(mode)
    cpu.spsr = cpsr
    if mode == HYP:
        cpu.q[ELR_HYP >> 3] = lr
    else:
        cpu.r[14] = lr
    cpu.daif = cpu.daif | masks
    cpu.exclusive_address = NO_ADDRESS
    sctlr = cpu.sys.sctlr_el1
    cpu.mode &= ~(M_IT | M_THUMB | M_BIG_ENDIAN)
    cpu.mode |= (M_THUMB if sctlr & SCTLR_TE else 0) | (M_BIG_ENDIAN if sctlr & SCTLR_EE else 0)
    cpu.mode_changed()
    cpu.pc = vector_base(cpu, mode) + vector & M32


# --- return, and writes of CPSR: helpers of translated code -----------------------------------------------------------


def exception_return_to(cpu: ArmCpu, address: int) -> None:
    """CPSR is taken from SPSR; the program counter and the mode have changed after it."""
    return_from_exception(cpu, address, cpu.spsr)


def return_from_exception(cpu: ArmCpu, address: int, cpsr: int) -> None:
    """Take a whole CPSR, and go on at an address in the instruction set that it has (B1.8.3)."""
    write_cpsr(cpu, cpsr, 15, returns=True)
    cpu.exclusive_address = NO_ADDRESS
    cpu.pc = address & (~1 if cpu.mode & M_THUMB else ~3) & M32


def hypervisor_return(cpu: ArmCpu) -> None:
    """ERET of Hyp mode."""
    return_from_exception(cpu, cpu.q[ELR_HYP >> 3], cpu.spsr)


def write_cpsr(cpu: ArmCpu, value: int, fields: int, *, returns: bool = False) -> None:
    """Write those bytes of CPSR that *fields* has bits for (B1.3.3, "CPSRWriteByInstr").

    :param returns: whether execution state bits, too, are written: the end of an exception
    """
    privileged = cpu.cpu_mode != USR
    if fields & 8:
        cpu.nzcv = value & NZCV
        cpu.q_flag = value & CPSR_Q
    if fields & 4:
        cpu.ge = value & CPSR_GE
    if fields & 2:
        cpu.mode = cpu.mode & ~M_BIG_ENDIAN | (M_BIG_ENDIAN if value & CPSR_E else 0)
    if returns:
        cpu.mode = cpu.mode & ~(M_IT | M_THUMB) | (M_THUMB if value & CPSR_T else 0)
        if value & CPSR_T:
            cpu.mode |= it_of(value) << M_IT_SHIFT
    if privileged:
        masks = (CPSR_A if fields & 2 else 0) | (CPSR_I | CPSR_F if fields & 1 else 0)
        cpu.daif = cpu.daif & ~masks | value & masks
        mode = value & CPSR_M
        if fields & 1 and mode in BANK and cpu.may_enter(mode):
            cpu.enter_mode(mode)
    cpu.mode_changed()
    if cpu.interrupt_request:
        cpu.kick()


def msr_cpsr(cpu: ArmCpu, value: int, fields: int) -> None:
    """MSR to CPSR."""
    write_cpsr(cpu, value, fields)


def change_mode(cpu: ArmCpu, mode: int, masks: int, values: int) -> None:
    """CPS with a mode: *masks* become *values*."""
    cpu.daif = cpu.daif & ~masks | values
    if mode in BANK and cpu.may_enter(mode):
        cpu.enter_mode(mode)
    cpu.mode_changed()
    if cpu.interrupt_request:
        cpu.kick()


# --- banked registers (B9.2.3) ----------------------------------------------------------------------------------------

REGISTERS = {
    **{number: (USR, 8 + number) for number in range(7)},
    **{8 + number: (FIQ, 8 + number) for number in range(7)},
    0x10: (IRQ, 14), 0x11: (IRQ, 13), 0x12: (SVC, 14), 0x13: (SVC, 13), 0x14: (ABT, 14), 0x15: (ABT, 13),
    0x16: (UND, 14), 0x17: (UND, 13), 0x1C: (MON, 14), 0x1D: (MON, 13), 0x1F: (HYP, 13),
}  # fmt: skip
"""Mode and number by SYSm, for R = 0; ELR_hyp is apart."""
SAVED = {0x0E: FIQ, 0x10: IRQ, 0x12: SVC, 0x14: ABT, 0x16: UND, 0x1C: MON, 0x1E: HYP}
"""Mode by SYSm, for R = 1."""
ELR_HYP_NUMBER = 0x1E


def _banked_slot(cpu: ArmCpu, R: int, number: int) -> int:
    """The slot of a banked register.

    :raise ArmException: UNPREDICTABLE: there is none, or it is the mode's own.
    """
    found = SAVED.get(number) if R else REGISTERS.get(number, (0, 0))[0]
    if not R and number == ELR_HYP_NUMBER and cpu.cpu_mode in (HYP, MON):
        return ELR_HYP
    if not found or (found == cpu.cpu_mode) or (found in (MON, HYP) and cpu.cpu_mode != MON):
        raise undefined()
    if R:
        return cpu.spsr_slot(found)
    if found == USR and cpu.cpu_mode == SYS:
        raise undefined()
    slot = banked(REGISTERS[number][1], found)
    assert slot is not None
    if found == USR and REGISTERS[number][1] < 13 and cpu.cpu_mode != FIQ:
        return cpu.register_slot(REGISTERS[number][1])
    return slot


def read_banked(cpu: ArmCpu, R: int, number: int) -> int:
    """MRS of a banked register."""
    return int(cpu.q[_banked_slot(cpu, R, number) >> 3])


def write_banked(cpu: ArmCpu, R: int, number: int, value: int) -> None:
    """MSR to a banked register."""
    cpu.q[_banked_slot(cpu, R, number) >> 3] = value


# --- interrupts -------------------------------------------------------------------------------------------------------


def service_interrupts(cpu: ArmCpu) -> bool:
    """Take one pending interrupt, if it may be taken now; return whether state changed."""
    pending = cpu.interrupt_request
    scr = cpu.sys.scr_el3 if cpu.has_el3 else 0
    for request, mask, own, vector, routed in (
        (REQUEST_FIQ, CPSR_F, FIQ, VECTOR_FIQ, SCR_FIQ),
        (REQUEST_IRQ, CPSR_I, IRQ, VECTOR_IRQ, SCR_IRQ),
    ):
        if not pending & request or cpu.daif & mask:
            continue
        mode = MON if scr & routed else own
        if cpu.on_event is not None:
            cpu.on_event(f"{NAMES[cpu.cpu_mode]} at {cpu.pc:#x}: {NAMES[own]}")
        masks = CPSR_AIF if own == FIQ or mode == MON else CPSR_A | CPSR_I
        take(cpu, mode, vector, cpu.pc + 4 & M32, masks)
        return True
    return False


def would_wake(cpu: ArmCpu) -> bool:
    """Whether a pending interrupt ends WFI: masks of CPSR do not count (B1.8.13)."""
    return bool(cpu.interrupt_request & (REQUEST_IRQ | REQUEST_FIQ))


def bits_of_mode(mode: int) -> int:
    """T, E and IT of CPSR, from the mode bits of translation."""
    value = (CPSR_T if mode & M_THUMB else 0) | (CPSR_E if mode & M_BIG_ENDIAN else 0)
    return value | it_bits(mode >> M_IT_SHIFT & 0xFF)
