"""The saved state of a processor that is in AArch32 state: general registers are where QEMU has them of that state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyqemu.targets.arm import modes
from pyqemu.targets.arm.layout import x
from pyqemu.targets.arm.modes import FIQ, HYP, USR
from pyqemu.targets.arm.vmstate import BANK_ORDER, NEVER_BANKED

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.aarch32 import Aarch32State

FIRST_OF_FIQ = 24  #: X24 to X28 are R8 to R12 of FIQ mode
PC = 15


class Saved(Protocol):
    """The fields that AArch32 state has for itself."""

    regs: list[int]
    banked_r13: list[int]
    banked_r14: list[int]
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
    saved.usr_regs = saved.regs[NEVER_BANKED : NEVER_BANKED + 5]
    saved.fiq_regs = [_banked(state, NEVER_BANKED + index, FIQ) for index in range(5)]
    for number, values in ((13, saved.banked_r13), (14, saved.banked_r14)):
        for place, mode in enumerate(BANK_ORDER):
            values[place] = saved.regs[number] if mode == USR else _banked(state, number, mode)


def _banked(state: Aarch32State, number: int, mode: int) -> int:
    slot = modes.banked(number, mode)
    assert slot is not None
    return int(state.q[slot >> 3]) if mode != HYP or number != 14 else 0


def deliver(saved: Saved, q: memoryview) -> None:
    """Put the fields into the registers of AArch64 state, from which the processor goes to AArch32 state."""
    for number in range(15):
        q[x(number) >> 3] = saved.regs[number]
    for index, value in enumerate(saved.fiq_regs):
        q[x(FIRST_OF_FIQ + index) >> 3] = value
    for number, values in ((13, saved.banked_r13), (14, saved.banked_r14)):
        for mode, value in zip(BANK_ORDER, values, strict=True):
            place = _place(number, mode)
            if PC <= place < 31:
                q[x(place) >> 3] = value
