"""When the processor takes events, and what happens if taking one fails (SDM vol. 3, 6.3 to 6.9, 6.15).

`deliver` hands one event to `delivery.py`. If that faults, the two events are combined: the second one is taken
instead, or a double fault, or the processor shuts down ("triple fault"). `service_interrupts` is what the main loop
calls at the head of a block when something is pending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.targets.x86.debug import event_text
from pyqemu.targets.x86.delivery import deliver_once
from pyqemu.targets.x86.exceptions import X86Exception, combine
from pyqemu.targets.x86.layout import (
    DR7_GD,
    EXC_DB,
    EXC_NMI,
    HF_SHADOW,
    IF,
    IRQ_HARD,
    IRQ_INIT,
    IRQ_NMI,
    IRQ_SIPI,
    IRQ_SMI,
    M64,
)
from pyqemu.tcg.cpu import GuestException

if TYPE_CHECKING:
    from pyqemu.targets.x86.state import X86Cpu


def deliver(cpu: X86Cpu, exc: GuestException) -> None:
    """Deliver an event; faults on the way become double or triple faults (SDM vol. 3, 6.15)."""
    assert isinstance(exc, X86Exception), exc
    cpu.halted = False
    cpu.hflags &= ~HF_SHADOW
    chain = [exc]
    current = exc
    while True:
        if cpu.on_event is not None:
            cpu.on_event(event_text(cpu, current))
        if cpu.on_deliver is not None:
            cpu.on_deliver(current)
        try:
            if current.vector == EXC_DB and not current.is_software:
                cpu.dr6 |= current.dr6
                if cpu.dr7 & DR7_GD:
                    cpu.dr7 &= ~DR7_GD
                    cpu.update_control()
            deliver_once(cpu, current, 0 if current.is_software else 1)
            return
        except X86Exception as second:
            combined = combine(current, second)
            chain.append(second)
        if combined is None:
            cpu.on_triple_fault(chain)
            return
        if combined is not chain[-1]:
            chain.append(combined)
        current = combined


def service_interrupts(cpu: X86Cpu) -> bool:
    """Take the most important pending event that may be taken now (SDM vol. 3, table 6-2).

    :return: whether the state of the CPU changed.
    """
    pending = cpu.interrupt_request
    if pending & IRQ_SMI:
        cpu.clear_interrupt(IRQ_SMI)  # there is no system management mode: nothing to run
    if pending & IRQ_INIT:
        cpu.clear_interrupt(IRQ_INIT)
        init(cpu)
        return True
    if pending & IRQ_SIPI:
        cpu.clear_interrupt(IRQ_SIPI)
        return start_up(cpu)
    if cpu.wait_for_sipi or cpu.hflags & HF_SHADOW or _shadowed(cpu):
        return False
    if pending & IRQ_NMI and not cpu.nmi_blocked:
        cpu.clear_interrupt(IRQ_NMI)
        deliver(cpu, X86Exception(EXC_NMI, is_external=True))
        cpu.nmi_blocked = 1
        return True
    if pending & IRQ_HARD and cpu.eflags_rest & IF:
        return _acknowledge(cpu)
    return False


def _shadowed(cpu: X86Cpu) -> bool:
    """Return whether the last instruction was STI or MOV SS, and let one more run alone if so (SDM vol. 3, 6.8.3).

    What they leave behind is the EIP that follows them; that costs them one op, and the rest is paid here.
    """
    if cpu.shadow_eip != cpu.eip:
        return False
    cpu.shadow_eip = M64
    cpu.hflags |= HF_SHADOW
    return True


def _acknowledge(cpu: X86Cpu) -> bool:
    """Fetch the vector of the external interrupt and deliver it."""
    source = cpu.apic
    vector = -1 if source is None else source.get_interrupt()
    if source is None or not source.has_interrupt():
        cpu.clear_interrupt(IRQ_HARD)
    if vector < 0:
        return False
    deliver(cpu, X86Exception(vector, is_external=True))
    return True


def init(cpu: X86Cpu) -> None:
    """Act on INIT: most state as after RESET; TSC, MSRs, x87 and SSE stay (SDM vol. 3, table 9-1)."""
    cpu.reset_core()
    if not cpu.is_bsp:
        cpu.wait_for_sipi = cpu.halted = True


def start_up(cpu: X86Cpu) -> bool:
    """Act on a start-up IPI: begin at vector × 4 KiB in real mode (SDM vol. 3, 10.6.1). Ignored unless waiting for
    it.
    """
    if not cpu.wait_for_sipi:
        return False
    cpu.set_real_code(0 if cpu.apic is None else cpu.apic.startup_vector << 8)
    cpu.eip = 0
    cpu.wait_for_sipi = cpu.halted = False
    return True
