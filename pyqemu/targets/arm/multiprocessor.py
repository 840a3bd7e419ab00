"""What Arm's processors of either state have because there may be others: an affinity, power, events, shared TLB
maintenance (ARM DDI 0487A.f, B2.3.12, D1.16, D4.7, D7.2.67; ARM DDI 0406C.b, B1.8.13).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from pyqemu.tcg.cpu import Cpu

if TYPE_CHECKING:
    from pyqemu.targets.arm.semihosting import ArmSemihosting

CLUSTER = 8  #: processors with the same Aff1, as QEMU's boards number them
AFFINITIES = 0xFF_00FF_FFFF  #: the fields of MPIDR that tell processors apart


def affinity(index: int) -> int:
    """Aff1 and Aff0 of the processor of that index, where a board does not choose them."""
    return index // CLUSTER << 8 | index % CLUSTER


class Multiprocessor(Cpu):
    """One of those that run in turn.

    :ivar mpidr: MPIDR: which processor of the machine it is
    :ivar powered_off: whether it runs only when another one turns it on
    :ivar event: the event register: whether there was an event since the last WFE
    :ivar semihosting: who answers programs that ask the host; None where nobody does
    """

    mpidr = 0
    powered_off = False
    event = False
    semihosting: ArmSemihosting | None = None

    @property
    def affinity(self) -> int:
        """What firmware is told to mean this processor."""
        return self.mpidr & AFFINITIES

    @property
    def peers(self) -> Sequence[Multiprocessor]:
        """All processors of the machine, this one too."""
        return cast(Sequence[Multiprocessor], self.turns.cpus)

    def start(self, entry: int, context: int, level: int) -> None:
        """Run from a reset on, at *entry*, with *context* in the first register, at that exception level."""
        raise NotImplementedError

    def turn_off(self) -> None:
        """Run no more, until somebody turns it on or the machine is reset."""
        self.powered_off = self.halted = True

    def turn_on(self, entry: int, context: int, level: int) -> None:
        """Let it :meth:`start`, soon."""
        self.start(entry, context, level)
        self.powered_off = self.halted = False
        self.turns.end_turn()

    # --- events -------------------------------------------------------------------------------------------------------

    def wait_for_event(self) -> None:
        """WFE. What would be an event elsewhere, such as a store to a marked address, is not noticed: so it waits only
        until others have run, or a moment if all wait."""
        if self.event:
            self.event = False
        else:
            self.doze()

    def send_event(self) -> None:
        """SEV."""
        for cpu in self.peers:
            cpu.event = True
            cpu.dozing = False

    # --- TLB maintenance that reaches the inner shareable domain, which all of them are in ----------------------------

    def tlb_flush_all(self) -> None:
        """Let all processors forget all translations."""
        for cpu in self.peers:
            cpu.tlb_flush()

    def tlb_flush_page_of_all(self, vaddr: int) -> None:
        """Let all processors forget the translation of one page."""
        for cpu in self.peers:
            cpu.tlb_flush_page(vaddr)
