"""The saved state of a processor that is in AArch32 state: general registers are where QEMU has them of that state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyqemu.targets.arm import modes
from pyqemu.targets.arm.layout import x
from pyqemu.targets.arm.modes import CPSR_M, FIQ, HYP, MON
from pyqemu.targets.arm.vmstate import BANK_ORDER, BANKED_FOR_FIQ, Registers, collect_registers

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.aarch32 import Aarch32State

PC = 15


class Saved(Registers, Protocol):
    """The fields that AArch32 state has for itself."""

    banked_spsr: list[int]
    spsr: int
    pstate: int


def collect(saved: Saved, state: Aarch32State) -> None:
    """Fill the fields from the processor."""
    collect_registers(saved, state)
    saved.spsr = state.spsr


def deliver(saved: Saved, q: memoryview) -> None:
    """Put the fields into the registers of AArch64 state, from which the processor goes to AArch32 state."""
    now = modes.BANK[saved.pstate & CPSR_M]
    for number in range(BANKED_FOR_FIQ.start):
        q[x(number) >> 3] = saved.regs[number]
    for number, of_user, of_fiq in zip(BANKED_FOR_FIQ, saved.usr_regs, saved.fiq_regs, strict=True):
        is_fiq = now == modes.BANK[FIQ]
        q[x(number) >> 3] = of_user if is_fiq else saved.regs[number]
        q[_place(number, FIQ)] = saved.regs[number] if is_fiq else of_fiq
    for number, values in ((13, saved.banked_r13), (14, saved.banked_r14)):
        for mode, value in zip(BANK_ORDER, values, strict=True):
            if mode != MON and (mode, number) != (HYP, 14):  # which are nowhere, and User mode's
                q[_place(number, mode)] = saved.regs[number] if modes.BANK[mode] == now else value
    if now:
        saved.banked_spsr[next(place for place, mode in enumerate(BANK_ORDER) if modes.BANK[mode] == now)] = saved.spsr


def _place(number: int, mode: int) -> int:
    """The slot of the X register that a register of a mode is."""
    found = modes.x_register(number, mode)
    assert found is not None
    return x(found) >> 3
