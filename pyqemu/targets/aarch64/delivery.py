"""Taking exceptions and returning from them (ARM DDI 0487A.f, D1.10 to D1.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64 import aarch32_delivery, stepping
from pyqemu.targets.aarch64.exceptions import (
    Aarch64Exception,
    may_call_hypervisor,
    may_call_monitor,
    undefined,
)
from pyqemu.targets.aarch64.layout import (
    EC_BREAKPOINT,
    EC_DATA_ABORT,
    EC_FP_TRAP,
    EC_HVC64,
    EC_INSTRUCTION_ABORT,
    EC_SMC64,
    EC_STEP,
    EC_UNKNOWN,
    EC_WATCHPOINT,
    FIQ,
    IRQ,
    M_ILLEGAL,
    M_STEP,
    NO_ADDRESS,
    PSTATE_DAIF,
    PSTATE_F,
    PSTATE_I,
    PSTATE_IL,
    PSTATE_NRW,
    VFIQ,
    VIRQ,
)
from pyqemu.targets.aarch64.self_hosted import HCR_TGE
from pyqemu.targets.arm.exceptions import ArmException
from pyqemu.targets.arm.modes import ABT, CPSR_M, SVC, SYS, UND, USR
from pyqemu.targets.arm.modes import FIQ as FIQ_MODE
from pyqemu.targets.arm.modes import IRQ as IRQ_MODE
from pyqemu.tcg.cpu import GuestException, LeaveLoop

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

IL = 1 << 25  #: of ESR_ELx: the instruction has 32 bits
CLASSES_WITH_LOWER = frozenset((EC_INSTRUCTION_ABORT, EC_DATA_ABORT, EC_BREAKPOINT, EC_STEP, EC_WATCHPOINT))
"""Classes that are one less where the exception level changes."""
SYNCHRONOUS, VECTOR_IRQ, VECTOR_FIQ = 0x000, 0x080, 0x100
FROM_SP0, FROM_SPX, FROM_LOWER_64, FROM_LOWER_32 = 0x000, 0x200, 0x400, 0x600
HCR_FMO, HCR_IMO, HCR_RW = 1 << 3, 1 << 4, 1 << 31
MODES_OF_EL1 = frozenset((FIQ_MODE, IRQ_MODE, SVC, ABT, UND, SYS))
SCR_NS, SCR_IRQ, SCR_FIQ, SCR_EA, SCR_RW = 1, 2, 4, 8, 1 << 10


def deliver(cpu: Aarch64Cpu, exc: GuestException) -> None:
    """Take a synchronous exception that an instruction raised."""
    if isinstance(exc, ArmException):
        converted = aarch32_delivery.taken(cpu.aarch32, exc)
        if converted is None:
            return
        exc = converted
    assert isinstance(exc, Aarch64Exception)
    if exc.ec in (EC_HVC64, EC_SMC64) and exc.following:
        if cpu.firmware_call is not None and cpu.firmware_call(exc.ec):
            cpu.pc, cpu.ss = cpu.pc + 4, False
            return
        if not (may_call_hypervisor if exc.ec == EC_HVC64 else may_call_monitor)(cpu):
            exc = undefined()
    target = _target(cpu, exc)
    ec, iss = exc.ec, exc.iss
    if ec == EC_FP_TRAP and target == 2 and cpu.sys.hcr_el2 & HCR_TGE:
        ec, iss = EC_UNKNOWN, 0
    if ec in CLASSES_WITH_LOWER and target > cpu.el:
        ec -= 1
    if cpu.on_deliver is not None:
        cpu.on_deliver(exc)
    if cpu.on_event is not None:
        cpu.on_event(f"EL{cpu.el} -> EL{target} at {cpu.pc:#x}: {exc}")
    cpu.sys.set("esr", target, ec << 26 | (IL if exc.length == 4 else 0) | iss)
    if exc.far is not None:
        cpu.sys.set("far", target, exc.far)
    if exc.following:
        cpu.ss = False  # such an instruction has been stepped (D2.12.4)
    take(cpu, target, SYNCHRONOUS, cpu.pc + exc.length if exc.following else cpu.pc)


def _target(cpu: Aarch64Cpu, exc: Aarch64Exception) -> int:
    """The exception level that takes it."""
    target = max(exc.target_el, cpu.el, 1)
    if exc.ec == EC_FP_TRAP:
        target = max(target, cpu.fp_trap(cpu.el))
    if target == 1 and cpu.el == 0 and _is_replaced(cpu):
        return 2
    return target


def take(cpu: Aarch64Cpu, target: int, vector: int, return_address: int) -> None:
    """Enter an exception level at one of its vectors (D1.10.2)."""
    if target > cpu.el:
        origin = FROM_LOWER_32 if _is_aarch32_below(cpu, target) else FROM_LOWER_64
    else:
        origin = FROM_SPX if cpu.spsel else FROM_SP0
    cpu.set_spsr(target, cpu.pstate)
    cpu.set_elr(target, return_address)
    if cpu.is_aarch32:
        cpu.aarch32.leave()
    cpu.daif = PSTATE_DAIF
    cpu.ss = False
    cpu.mode &= ~M_ILLEGAL
    cpu.exclusive_address = NO_ADDRESS
    cpu.enter(target, 1)
    cpu.pc = cpu.sys.of("vbar", target) + origin + vector


def _is_aarch32_below(cpu: Aarch64Cpu, target: int) -> bool:
    """Whether the level next to the one that takes an exception is in AArch32 state (D1.10.2, table D1-8)."""
    if target == 1:
        return cpu.is_aarch32
    if target == 3 and cpu.el2_enabled:
        return not cpu.sys.scr_el3 & SCR_RW
    return cpu.el1_is_aarch32


# --- return -----------------------------------------------------------------------------------------------------------


def exception_return(cpu: Aarch64Cpu) -> None:
    """``ERET``: a helper of translated code; the mode has changed after it, and the program counter."""
    el = cpu.el
    spsr, address = cpu.spsr(el), cpu.elr(el)
    cpu.exclusive_address = NO_ADDRESS
    illegal = is_illegal(cpu, spsr)
    spsr = stepping.returned_pstate(cpu, spsr, is_illegal=illegal)
    if illegal:
        kept = cpu.pstate & (3 << 2 | 1)
        cpu.set_pstate(spsr & ~(PSTATE_NRW | 15) | kept | PSTATE_IL)
        cpu.pc = address
    else:
        cpu.pc = address
        cpu.set_pstate(spsr)
    if cpu.mode & M_STEP:
        raise LeaveLoop  # the main loop steps


def is_illegal(cpu: Aarch64Cpu, spsr: int) -> bool:
    """Whether that cannot be returned to (D1.11.1). Of AArch32 state there are EL0 and EL1."""
    if spsr & PSTATE_NRW:
        mode = spsr & CPSR_M
        return mode != USR and (mode not in MODES_OF_EL1 or cpu.el == 1 or not cpu.el1_is_aarch32
                                or _is_replaced(cpu))  # fmt: skip
    target = spsr >> 2 & 3
    if spsr & 2 or target > cpu.el or (target == 0 and spsr & 1):
        return True
    if target == 2 and not (cpu.has_el2 and (not cpu.has_el3 or cpu.sys.scr_el3 & SCR_NS)):
        return True
    if target == 1 and _is_replaced(cpu):
        return True
    if target < cpu.el and not _is_aarch64(cpu, max(target, 1)):
        return True
    return target == 3 and not cpu.has_el3


def _is_replaced(cpu: Aarch64Cpu) -> bool:
    """Whether EL2 takes the place of EL1 (HCR_EL2.TGE)."""
    return cpu.el2_enabled and bool(cpu.sys.hcr_el2 & HCR_TGE)


def _is_aarch64(cpu: Aarch64Cpu, el: int) -> bool:
    """Whether the levels above let an exception level be in AArch64 state (D1.11.3)."""
    if el >= cpu.el:
        return True
    if cpu.has_el3 and not cpu.sys.scr_el3 & SCR_RW:
        return False
    return el > 1 or not cpu.el2_enabled or bool(cpu.sys.hcr_el2 & HCR_RW)


# --- interrupts -------------------------------------------------------------------------------------------------------


def service_interrupts(cpu: Aarch64Cpu) -> bool:
    """Take one pending interrupt, if it may be taken now; return whether state changed."""
    found = _first(cpu)
    if found is None:
        return False
    target, vector = found
    if cpu.on_event is not None:
        cpu.on_event(f"EL{cpu.el} -> EL{target} at {cpu.pc:#x}: {'FIQ' if vector == VECTOR_FIQ else 'IRQ'}")
    if target == 1 and cpu.is_aarch32 and cpu.el1_is_aarch32:
        aarch32_delivery.take_interrupt(cpu.aarch32, vector)
    else:
        take(cpu, target, vector, cpu.pc)
    return True


def _first(cpu: Aarch64Cpu) -> tuple[int, int] | None:
    """Exception level and vector of the interrupt that comes first."""
    pending = cpu.interrupt_request
    if pending & FIQ and (target := _physical_target(cpu, SCR_FIQ, HCR_FMO, PSTATE_F)) is not None:
        return target, VECTOR_FIQ
    if pending & IRQ and (target := _physical_target(cpu, SCR_IRQ, HCR_IMO, PSTATE_I)) is not None:
        return target, VECTOR_IRQ
    hcr = cpu.sys.hcr_el2
    if cpu.el < 2 and cpu.el2_enabled and not hcr & HCR_TGE:
        if pending & VFIQ and hcr & HCR_FMO and not cpu.daif & PSTATE_F:
            return 1, VECTOR_FIQ
        if pending & VIRQ and hcr & HCR_IMO and not cpu.daif & PSTATE_I:
            return 1, VECTOR_IRQ
    return None


def _physical_target(cpu: Aarch64Cpu, scr_bit: int, hcr_bit: int, mask: int) -> int | None:
    """Where a physical interrupt goes (D1.13.1); None where it is masked."""
    if cpu.has_el3 and cpu.sys.scr_el3 & scr_bit:
        target = 3
    elif cpu.el2_enabled and cpu.sys.hcr_el2 & (hcr_bit | HCR_TGE):
        target = 2
    else:
        target = 1
    if target < cpu.el or (target == cpu.el and cpu.daif & mask):
        return None
    if target == 1 and cpu.daif & mask:
        return None
    return target


def would_wake(cpu: Aarch64Cpu) -> bool:
    """Whether a pending interrupt ends WFI: masks of PSTATE do not count (D1.17.2)."""
    return bool(cpu.interrupt_request & (IRQ | FIQ | VIRQ | VFIQ))
