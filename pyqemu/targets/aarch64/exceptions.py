"""The guest's exceptions as Python exceptions (ARM DDI 0487A.f, D1.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.layout import (
    ALIGNMENT_FAULT,
    EC_BRK,
    EC_DATA_ABORT,
    EC_HVC64,
    EC_SMC64,
    EC_SYSTEM,
    EC_UNKNOWN,
    EC_WFX,
    M_BIG_ENDIAN,
)
from pyqemu.targets.aarch64.self_hosted import target_level
from pyqemu.targets.arm.semihosting import HLT_A64
from pyqemu.tcg.cpu import GuestException

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu

SCTLR_DZE, SCTLR_NTWI, HCR_TWI, SCR_TWI = 1 << 14, 1 << 16, 1 << 13, 1 << 12
HCR_TSC, HCR_HCD, SCR_SMD, SCR_HCE = 1 << 19, 1 << 29, 1 << 7, 1 << 8
ANY_CONDITION = 1 << 24 | 14 << 20  #: CV and COND of a syndrome


class Aarch64Exception(GuestException):
    """A synchronous exception on its way to the guest.

    :ivar ec: exception class; classes that tell whether the exception level changes are those for *no change*, and
        whoever delivers them knows better
    :ivar iss: syndrome
    :ivar far: the faulting address, where the class has one
    :ivar following: whether the preferred return address is the next instruction's (SVC, HVC, SMC)
    :ivar target_el: the least exception level that takes it
    :ivar length: bytes of the instruction, where the syndrome tells
    """

    def __init__(self, ec: int, iss: int = 0, far: int | None = None, *, following: bool = False,
                 target_el: int = 1, length: int = 4) -> None:  # fmt: skip
        super().__init__(ec, iss)
        self.ec, self.iss, self.far = ec, iss, far
        self.following = following
        self.target_el = target_el
        self.length = length

    def __str__(self) -> str:
        where = "" if self.far is None else f" at {self.far:#x}"
        return f"exception class {self.ec:#04x}, syndrome {self.iss:#x}{where}"


def undefined() -> Aarch64Exception:
    """The exception of an instruction that is UNDEFINED."""
    return Aarch64Exception(EC_UNKNOWN)


# --- helpers of translated code ---------------------------------------------------------------------------------------


def raise_exception(cpu: Aarch64Cpu, ec: int, iss: int) -> None:
    """Raise an exception whose return address is this instruction."""
    raise Aarch64Exception(ec, iss)


def raise_following(cpu: Aarch64Cpu, ec: int, iss: int, target_el: int) -> None:
    """Raise an exception whose return address is the next instruction."""
    raise Aarch64Exception(ec, iss, following=True, target_el=target_el)


def raise_alignment(cpu: Aarch64Cpu, address: int, write: int) -> None:
    """Raise the alignment fault of a data access (D7.2, ISS of a data abort: WnR is bit 6)."""
    raise Aarch64Exception(EC_DATA_ABORT, write << 6 | ALIGNMENT_FAULT, address)


def hypervisor_call(cpu: Aarch64Cpu, imm: int) -> None:
    """HVC: for EL2, or for firmware that is not there (C5.6.83).

    Whoever delivers it asks firmware first; where that does not answer, it is UNDEFINED unless it is enabled.
    """
    if not cpu.has_el2 and cpu.firmware_call is None:
        raise undefined()
    raise Aarch64Exception(EC_HVC64, imm, following=True, target_el=2)


def may_call_hypervisor(cpu: Aarch64Cpu) -> bool:
    """Whether HVC is taken to EL2, or to EL3 from there."""
    if not cpu.has_el2 or (cpu.el == 1 and cpu.is_secure):
        return False
    return bool(cpu.sys.scr_el3 & SCR_HCE) if cpu.has_el3 else not cpu.sys.hcr_el2 & HCR_HCD


def secure_monitor_call(cpu: Aarch64Cpu, imm: int) -> None:
    """SMC: for EL3, or for firmware that is not there; a hypervisor may keep both from EL1 (C5.6.164)."""
    if not cpu.has_el3 and cpu.firmware_call is None:
        raise undefined()
    if cpu.el == 1 and cpu.el2_enabled and cpu.sys.hcr_el2 & HCR_TSC:
        raise Aarch64Exception(EC_SMC64, imm, target_el=2)
    raise Aarch64Exception(EC_SMC64, imm, following=True, target_el=3)


def may_call_monitor(cpu: Aarch64Cpu) -> bool:
    """Whether SMC is taken to EL3."""
    return cpu.has_el3 and not cpu.sys.scr_el3 & SCR_SMD


def trap_zeroing(cpu: Aarch64Cpu, iss: int) -> None:
    """DC ZVA where it is trapped: by SCTLR_EL1.DZE to EL1, by HCR_EL2.TDZ to EL2."""
    of_el0 = cpu.el == 0 and not cpu.sys.sctlr_el1 & SCTLR_DZE
    raise Aarch64Exception(EC_SYSTEM, iss, target_el=1 if of_el0 else 2)


def software_breakpoint(cpu: Aarch64Cpu, imm: int) -> None:
    """BRK, for whoever takes debug exceptions, be they enabled or not (D2.8)."""
    raise Aarch64Exception(EC_BRK, imm, target_el=target_level(cpu, secure=cpu.is_secure))


def halting_breakpoint(cpu: Aarch64Cpu, imm: int) -> None:
    """HLT: UNDEFINED without a debugger, but for programs that ask the host, where it listens."""
    if imm != HLT_A64 or cpu.semihosting is None or cpu.el == 0:
        raise undefined()
    cpu.semihosting.answer(cpu, cpu.x, 8, big_endian=bool(cpu.mode & M_BIG_ENDIAN))


def set_masks(cpu: Aarch64Cpu, value: int) -> None:
    """Write PSTATE.DAIF, where the mode depends on it."""
    cpu.set_daif(value)


def select_stack(cpu: Aarch64Cpu, value: int) -> None:
    """Write PSTATE.SP."""
    cpu.set_spsel(value)


def wait_for_interrupt(cpu: Aarch64Cpu) -> None:
    """WFI: halt until something is pending, masked or not; or be trapped, where nothing is (D1.16)."""
    if cpu.has_work():
        return
    if cpu.el == 0 and not cpu.sys.sctlr_el1 & SCTLR_NTWI:
        raise Aarch64Exception(EC_WFX, ANY_CONDITION)
    if cpu.el < 2 and cpu.el2_enabled and cpu.sys.hcr_el2 & HCR_TWI:
        raise Aarch64Exception(EC_WFX, ANY_CONDITION, target_el=2)
    if cpu.el < 3 and cpu.has_el3 and cpu.sys.scr_el3 & SCR_TWI:
        raise Aarch64Exception(EC_WFX, ANY_CONDITION, target_el=3)
    cpu.halted = True


def wait_for_event(cpu: Aarch64Cpu) -> None:
    """WFE: there may always have been an event, so it is never trapped."""
    cpu.wait_for_event()


def send_event(cpu: Aarch64Cpu) -> None:
    """SEV."""
    cpu.send_event()


def send_event_local(cpu: Aarch64Cpu) -> None:
    """SEVL."""
    cpu.event = True


def give_way(cpu: Aarch64Cpu) -> None:
    """YIELD: others may run."""
    cpu.turns.end_turn()
