"""The guest's exceptions as Python exceptions (ARM DDI 0406C.b, B1.8)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from pyqemu.targets.arm.modes import M_BIG_ENDIAN, USR
from pyqemu.targets.arm.semihosting import BKPT_T32, SVC_A32, SVC_T32
from pyqemu.tcg.cpu import GuestException

if TYPE_CHECKING:
    from pyqemu.targets.arm.state import ArmCpu


class Kind(enum.Enum):
    """What an instruction can lead to; the value is the offset of its vector (B1.8.1, table B1-3)."""

    UNDEFINED = 0x04
    SUPERVISOR_CALL = 0x08
    PREFETCH_ABORT = 0x0C
    DATA_ABORT = 0x10
    HYPERVISOR_CALL = 0x14
    SECURE_MONITOR_CALL = 0x108


CALLS = frozenset((Kind.SUPERVISOR_CALL, Kind.HYPERVISOR_CALL, Kind.SECURE_MONITOR_CALL))
"""Exceptions that return to the next instruction."""
ALIGNMENT, DEBUG_EVENT, TRANSLATION_SECTION = 0x01, 0x02, 0x05  #: fault status, short-descriptor format (B3.13.3)
WRITE = 1 << 11  #: of DFSR: WnR


class ArmException(GuestException):
    """A synchronous exception on its way to the guest.

    :ivar status: fault status register of an abort
    :ivar address: fault address register of an abort
    """

    def __init__(self, kind: Kind, status: int = 0, address: int = 0) -> None:
        super().__init__(kind, status, address)
        self.kind, self.status, self.address = kind, status, address

    def __str__(self) -> str:
        name = self.kind.name.lower().replace("_", " ")
        return f"{name}, status {self.status:#x} at {self.address:#x}" if "abort" in name else name


def undefined() -> ArmException:
    """The exception of an instruction that is UNDEFINED."""
    return ArmException(Kind.UNDEFINED)


# --- helpers of translated code ---------------------------------------------------------------------------------------


def raise_undefined(cpu: ArmCpu) -> None:
    """The instruction is UNDEFINED."""
    raise undefined()


def supervisor_call(cpu: ArmCpu, comment: int) -> None:
    """SVC: for the operating system, or for the host, where it listens."""
    if comment != (SVC_T32 if cpu.thumb else SVC_A32) or not _asked_host(cpu):
        raise ArmException(Kind.SUPERVISOR_CALL)


def breakpoint_thumb(cpu: ArmCpu, comment: int) -> None:
    """BKPT in Thumb, where it may be for the host, too."""
    if comment != BKPT_T32 or not _asked_host(cpu):
        raise_breakpoint(cpu)


def raise_breakpoint(cpu: ArmCpu) -> None:
    """BKPT: a prefetch abort that says it is a debug event; IFAR is UNKNOWN, and zero (C3.2)."""
    raise ArmException(Kind.PREFETCH_ABORT, DEBUG_EVENT)


def _asked_host(cpu: ArmCpu) -> bool:
    """Let the host answer, if somebody asks who may."""
    if cpu.semihosting is None or cpu.cpu_mode == USR:
        return False
    cpu.semihosting.answer(cpu, cpu.r, 4, big_endian=bool(cpu.mode & M_BIG_ENDIAN))
    return True


def raise_alignment(cpu: ArmCpu, address: int, write: int) -> None:
    """A data access is not aligned."""
    raise ArmException(Kind.DATA_ABORT, cpu.alignment_status | (WRITE if write else 0), address)


def hypervisor_call(cpu: ArmCpu) -> None:
    """HVC: for Hyp mode, or for firmware that is not there."""
    if not cpu.has_hypervisor and cpu.firmware_call is None:
        raise undefined()
    raise ArmException(Kind.HYPERVISOR_CALL)


def secure_monitor_call(cpu: ArmCpu) -> None:
    """SMC: for Monitor mode, or for firmware that is not there."""
    if not cpu.has_monitor and cpu.firmware_call is None:
        raise undefined()
    raise ArmException(Kind.SECURE_MONITOR_CALL)


def wait_for_interrupt(cpu: ArmCpu) -> None:
    """WFI."""
    cpu.wait_for_interrupt()


def wait_for_event(cpu: ArmCpu) -> None:
    """WFE."""
    cpu.wait_for_event()


def send_event(cpu: ArmCpu) -> None:
    """SEV."""
    cpu.send_event()


def give_way(cpu: ArmCpu) -> None:
    """YIELD: others may run."""
    cpu.turns.end_turn()
