"""The saved state of a processor that is in AArch32 state: general registers are where QEMU has them of that state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyqemu.targets.arm import modes
from pyqemu.targets.arm.layout import x
from pyqemu.targets.arm.modes import CPSR_M, FIQ, HYP, USR
from pyqemu.targets.arm.vmstate import BANK_ORDER, NEVER_BANKED

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.aarch32 import Aarch32State

BANKED_FOR_FIQ = range(NEVER_BANKED, 13)
FROM_USER_TO_FIQ = 16  #: X24 to X28 are R8 to R12 of FIQ mode
PC = 15


class Saved(Protocol):
    """The fields that AArch32 state has for itself."""

    regs: list[int]
    banked_r13: list[int]
    banked_r14: list[int]
    banked_spsr: list[int]
    spsr: int
    pstate: int
    usr_regs: list[int]
    fiq_regs: list[int]


def _place(number: int, mode: int) -> int:
    """Which X register R13 or R14 of a mode is (ARM DDI 0487A.f, D1.20.1, table D1-70); 31 for one that is none."""
    if mode == USR or (mode == HYP and number == 14):
        return number
    pairs = {modes.IRQ: (17, 16), modes.SVC: (19, 18), modes.ABT: (21, 20), modes.UND: (23, 22), FIQ: (29, 30),
             HYP: (15, 14)}  # fmt: skip
    return pairs[mode][number - 13] if mode in pairs else 31


def collect(saved: Saved, state: Aarch32State) -> None:
    """Fill the fields from the processor. Banks are in the slots of :mod:`pyqemu.targets.arm.modes`."""
    saved.regs = [*(state.r[number] for number in range(15)), state.pc]
    saved.spsr = state.spsr
    saved.usr_regs = [_value(state, number, USR) for number in BANKED_FOR_FIQ]
    saved.fiq_regs = [_value(state, number, FIQ) for number in BANKED_FOR_FIQ]
    for number, values in ((13, saved.banked_r13), (14, saved.banked_r14)):
        for place, mode in enumerate(BANK_ORDER):
            values[place] = _value(state, number, mode)


def _value(state: Aarch32State, number: int, mode: int) -> int:
    """A register of a mode, wherever it is now."""
    if mode == HYP and number == 14:
        return 0
    slot = modes.banked(number, mode)
    assert slot is not None
    return state.r[number] if slot == modes.banked(number, state.cpu_mode) else int(state.q[slot >> 3])


def deliver(saved: Saved, q: memoryview) -> None:
    """Put the fields into the registers of AArch64 state, from which the processor goes to AArch32 state."""
    now = modes.BANK[saved.pstate & CPSR_M]
    for number in range(NEVER_BANKED):
        q[x(number) >> 3] = saved.regs[number]
    for number, of_user, of_fiq in zip(BANKED_FOR_FIQ, saved.usr_regs, saved.fiq_regs, strict=True):
        is_fiq = now == modes.BANK[FIQ]
        q[x(number) >> 3] = of_user if is_fiq else saved.regs[number]
        q[x(number + FROM_USER_TO_FIQ) >> 3] = saved.regs[number] if is_fiq else of_fiq
    for number, values in ((13, saved.banked_r13), (14, saved.banked_r14)):
        for mode, value in zip(BANK_ORDER, values, strict=True):
            place = _place(number, mode)
            if place < 31 and (mode != HYP or number == 13):
                q[x(place) >> 3] = saved.regs[number] if modes.BANK[mode] == now else value
    if now:
        saved.banked_spsr[next(place for place, mode in enumerate(BANK_ORDER) if modes.BANK[mode] == now)] = saved.spsr
