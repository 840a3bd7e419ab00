"""Software step (ARM DDI 0487A.f, D2.12).

While it is active, M_STEP is in the mode, and instructions run alone (:mod:`pyqemu.tcg.alone`). PSTATE.SS then tells
active-not-pending, where one more instruction runs, from active-pending, where the exception comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.aarch64 import self_hosted
from pyqemu.targets.aarch64.exceptions import Aarch64Exception
from pyqemu.targets.aarch64.layout import EC_STEP, M_STEP, M_STEP_OWN, PSTATE_D, PSTATE_NRW, PSTATE_SS
from pyqemu.targets.aarch64.self_hosted import MDSCR_SS
from pyqemu.targets.arm.layout import STEPPED
from pyqemu.tcg.alone import ARMED, DONE, AloneDecoder
from pyqemu.tcg.cpu import GuestException, LeaveLoop

if TYPE_CHECKING:
    from pyqemu.targets.aarch64.state import Aarch64Cpu
    from pyqemu.tcg.translate import Decoder

ISV, EX, DEBUG_EXCEPTION = 1 << 24, 1 << 6, 0x22  #: of the syndrome (D7.2.27, ISS of a Software Step exception)
DONE_EXCLUSIVE = DONE + 1
LOADS_EXCLUSIVE = ("ldx", "ldax", "ldrex", "ldaex")  #: how the names of Load-Exclusive instructions begin


class StepDecoder(AloneDecoder):
    """Wraps a mode's decoder, of either state."""

    def __init__(self, inner: Decoder) -> None:
        super().__init__(inner, STEPPED)

    def done(self, mnemonic: str) -> int:
        return DONE_EXCLUSIVE if mnemonic.startswith(LOADS_EXCLUSIVE) else DONE


def mode_bits(cpu: Aarch64Cpu) -> int:
    """The mode bits at the present exception level, where MDSCR_EL1.SS is set."""
    el, secure = cpu.el, cpu.is_secure
    if not self_hosted.may_reach(cpu, el, secure=secure):
        return 0
    if self_hosted.target_level(cpu, secure=secure) > el:
        return M_STEP
    return M_STEP_OWN | (0 if cpu.daif & PSTATE_D else M_STEP)


def returned_pstate(cpu: Aarch64Cpu, spsr: int, *, is_illegal: bool) -> int:
    """SPSR_ELx as an exception return takes it: with SS only where stepping begins by it (D2.12.4)."""
    return spsr if spsr & PSTATE_SS and _begins(cpu, spsr, is_illegal) else spsr & ~PSTATE_SS


def _begins(cpu: Aarch64Cpu, spsr: int, is_illegal: bool) -> bool:
    if not cpu.sys.mdscr_el1 & MDSCR_SS or cpu.mode & M_STEP:
        return False
    el = cpu.el if is_illegal else 0 if spsr & PSTATE_NRW else spsr >> 2 & 3
    secure = cpu.has_el3 and (el == 3 or not cpu.sys.scr_el3 & 1)
    return self_hosted.are_enabled(cpu, el, secure=secure, masked=bool(spsr & PSTATE_D))


def step(cpu: Aarch64Cpu) -> None:
    """Run one instruction, and take the exception that follows it, or the one that is pending already."""
    assert cpu.engine is not None
    if not cpu.ss:
        cpu.deliver(_exception(cpu, 0))
        return
    cpu.stepped = ARMED
    try:
        cpu.engine.execute()
    except LeaveLoop:
        pass
    except GuestException as exc:
        cpu.deliver(exc)
        return
    finally:
        done, cpu.stepped = cpu.stepped, 0
    if done != ARMED:
        cpu.ss = cpu.halted = False  # a step does not wait
        if cpu.mode & M_STEP:
            cpu.deliver(_exception(cpu, ISV | (EX if done == DONE_EXCLUSIVE else 0)))


def _exception(cpu: Aarch64Cpu, syndrome: int) -> Aarch64Exception:
    target = self_hosted.target_level(cpu, secure=cpu.is_secure)
    return Aarch64Exception(EC_STEP, syndrome | DEBUG_EXCEPTION, target_el=target)
