"""Exceptions that are taken from AArch32 state under higher levels in AArch64 state: who takes them, and how they are
reported there (ARM DDI 0487A.f, D1.10.4, D1.14, G1.11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64.exceptions import (
    HCR_TSC,
    Aarch64Exception,
    may_call_hypervisor,
    may_call_monitor,
)
from pyqemu.targets.aarch64.layout import (
    ALIGNMENT_FAULT,
    EC_BKPT32,
    EC_DATA_ABORT,
    EC_HVC32,
    EC_HVC64,
    EC_SMC32,
    EC_SMC64,
    EC_SVC32,
    EC_UNKNOWN,
)
from pyqemu.targets.aarch64.self_hosted import HCR_TGE, target_level
from pyqemu.targets.arm import delivery as delivery_32
from pyqemu.targets.arm import modes
from pyqemu.targets.arm.exceptions import CALLS, DEBUG_EVENT, WRITE, ArmException, Kind, undefined
from pyqemu.targets.arm.layout import M32

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.aarch32 import Aarch32State

WRITE_BIT = 1 << 6  #: of the syndrome of a data abort: WnR
FIQ_VECTOR = 0x100  #: of AArch64 state


def taken(state: Aarch32State, exc: ArmException) -> Aarch64Exception | None:
    """Take an exception of AArch32's instructions, where that is for EL1 in AArch32 state.

    :return: the exception that an exception level in AArch64 state is to take instead
    """
    cpu = state.whole
    if exc.kind in (Kind.HYPERVISOR_CALL, Kind.SECURE_MONITOR_CALL):
        if exc.kind is Kind.SECURE_MONITOR_CALL and cpu.el2_enabled and cpu.sys.hcr_el2 & HCR_TSC:
            return Aarch64Exception(EC_SMC32, target_el=2)
        if _answered_by_firmware(state, exc.kind):
            return None
        call = _call(state, exc.kind)
        if call is not None:
            return call
        exc = undefined()
    to_hypervisor = cpu.el2_enabled and cpu.el == 0 and bool(cpu.sys.hcr_el2 & HCR_TGE)
    if not state.has_el1 or to_hypervisor:
        return _converted(state, exc)
    if _is_breakpoint(exc) and target_level(cpu, secure=cpu.is_secure) == 2:
        return _converted(state, exc)
    cpu.ss = False
    delivery_32.deliver(state, exc)
    return None


def take_interrupt(state: Aarch32State, vector: int) -> None:
    """Take an interrupt to EL1 in AArch32 state.

    :param vector: the one that AArch64 state has for it
    """
    fast = vector == FIQ_VECTOR
    mode, masks = (modes.FIQ, modes.CPSR_AIF) if fast else (modes.IRQ, modes.CPSR_A | modes.CPSR_I)
    state.whole.ss = False
    own = delivery_32.VECTOR_FIQ if fast else delivery_32.VECTOR_IRQ
    delivery_32.take(state, mode, own, state.pc + 4 & M32, masks)


def _answered_by_firmware(state: Aarch32State, kind: Kind) -> bool:
    call = state.whole.firmware_call
    if call is None or not call(EC_HVC64 if kind is Kind.HYPERVISOR_CALL else EC_SMC64):
        return False
    state.r[0] = state.r[0]  # as 32 bits
    state.pc = state.pc + 4 & M32
    state.whole.ss = False
    delivery_32.advance_it(state)
    return True


def _call(state: Aarch32State, kind: Kind) -> Aarch64Exception | None:
    """HVC and SMC as those take them that they are for; None where nobody does."""
    cpu = state.whole
    if kind is Kind.SECURE_MONITOR_CALL:
        if not may_call_monitor(cpu):
            return None
        delivery_32.advance_it(state)
        return Aarch64Exception(EC_SMC32, following=True, target_el=3)
    if not may_call_hypervisor(cpu):
        return None
    code = state.code()
    word = int.from_bytes(code, "little")
    comment = (word & 15) << 12 | word >> 16 & 0xFFF if state.thumb else word >> 4 & 0xFFF0 | word & 15
    delivery_32.advance_it(state)
    return Aarch64Exception(EC_HVC32, comment, following=True, target_el=2)


def _is_breakpoint(exc: ArmException) -> bool:
    return exc.kind is Kind.PREFETCH_ABORT and exc.status == DEBUG_EVENT


def _converted(state: Aarch32State, exc: ArmException) -> Aarch64Exception:
    """An exception of AArch32's instructions as AArch64 state takes it (D7.2.27)."""
    if exc.kind is Kind.DATA_ABORT:
        return Aarch64Exception(EC_DATA_ABORT, (WRITE_BIT if exc.status & WRITE else 0) | ALIGNMENT_FAULT, exc.address)
    if exc.kind is Kind.UNDEFINED:
        return Aarch64Exception(EC_UNKNOWN)
    code = state.code()
    word = int.from_bytes(code, "little")
    if exc.kind in CALLS:
        delivery_32.advance_it(state)
        comment = code[0] if state.thumb else word & 0xFFFF
        return Aarch64Exception(EC_SVC32, comment, following=True, length=len(code))
    assert _is_breakpoint(exc)
    comment = word & 0xFF if state.thumb else word >> 4 & 0xFFF0 | word & 15
    target = target_level(state.whole, secure=state.whole.is_secure)
    return Aarch64Exception(EC_BKPT32, comment, target_el=target, length=len(code))
