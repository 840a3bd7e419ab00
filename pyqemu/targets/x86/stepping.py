"""Instructions that run alone: single-step traps, instruction breakpoints, interrupt shadows (SDM vol. 3, 17.2, 17.3,
6.8.3).

While one of the HF_STEP bits is set in `hflags`, blocks are one instruction long and always return to the main loop
(:mod:`pyqemu.tcg.alone`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86.exceptions import X86Exception
from pyqemu.targets.x86.layout import DR6_BS, EXC_DB, HF_SHADOW, HF_TF, RF, STEPPED
from pyqemu.tcg.alone import ARMED, DONE, AloneDecoder
from pyqemu.tcg.cpu import GuestException, LeaveLoop

if TYPE_CHECKING:
    from pyqemu.targets.x86.decode import Decoder
    from pyqemu.targets.x86.state import X86Cpu


class StepDecoder(AloneDecoder):
    """Wraps a mode's decoder so that every instruction leaves native code."""

    def __init__(self, inner: Decoder) -> None:
        super().__init__(inner, STEPPED)
        self.mode = inner.mode


def step(cpu: X86Cpu) -> None:
    """Run one instruction, with the debug exceptions before and after it."""
    assert cpu.engine is not None
    trap, shadow = cpu.hflags & HF_TF, cpu.hflags & HF_SHADOW
    cpu.stepped = ARMED
    try:
        _before(cpu)
        try:
            cpu.engine.execute()
        except LeaveLoop:
            pass
        if cpu.stepped == DONE:
            if shadow:
                cpu.hflags &= ~HF_SHADOW
            _after(cpu, bool(trap))
    except GuestException as exc:
        cpu.deliver(exc)
    finally:
        cpu.stepped = 0


def _before(cpu: X86Cpu) -> None:
    """Raise #DB if an instruction breakpoint is set here and RF doesn't suppress it (SDM vol. 3, 17.3.1.1)."""
    if cpu.eflags_rest & RF or not cpu.dr7 & 0xFF:
        return
    hit = matching_breakpoints(cpu, cpu.block_key()[0], 1, 0)
    enabled = sum(1 << n for n in range(4) if cpu.dr7 >> 2 * n & 3)
    if hit & enabled:
        raise X86Exception(EXC_DB, dr6=hit)


def _after(cpu: X86Cpu, trap: bool) -> None:
    """Finish an instruction that ran without a fault: RF ends, and TF traps if it was set when the instruction
    began.
    """
    if cpu.eflags_rest & RF and not cpu.keep_rf:
        cpu.eflags_rest &= ~RF
    cpu.keep_rf = False
    held, cpu.debug_shadow = cpu.debug_shadow, False
    causes = cpu.data_breakpoints.take() | (DR6_BS if trap and not held else 0)
    if causes:
        raise X86Exception(EXC_DB, dr6=causes)


def matching_breakpoints(cpu: X86Cpu, address: int, size: int, kind: int) -> int:
    """Return which breakpoint registers match an access, as DR6 bits B0 to B3 (SDM vol. 3, 17.2.4 and 17.2.5).

    :param kind: 0 execution, 1 data write, 2 port I/O, 3 data read or write.
    """
    dr7 = cpu.dr7
    hit = 0
    for n, start in enumerate((cpu.dr0, cpu.dr1, cpu.dr2, cpu.dr3)):
        control = dr7 >> 16 + 4 * n
        condition, length = control & 3, (1, 2, 8, 4)[control >> 2 & 3]
        if condition == kind or (condition == 3 and kind == 1):
            start &= -length
            if start < address + size and address < start + length:
                hit |= 1 << n
    return hit
