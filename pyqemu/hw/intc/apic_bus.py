"""The bus between the APICs: who receives a message (Intel SDM vol. 3, sections 10.6 and 10.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.util.trace_events import SILENT, TraceEvents

if TYPE_CHECKING:
    from pyqemu.hw.intc.apic import Apic

DELIVERY_FIXED = 0
DELIVERY_LOWEST = 1
DELIVERY_SMI = 2
DELIVERY_NMI = 4
DELIVERY_INIT = 5
DELIVERY_STARTUP = 6
DELIVERY_EXTINT = 7

BROADCAST = 0xFF


class ApicBus:
    """All local APICs of a machine, and whoever listens to their end-of-interrupt messages.

    As MMIO handler it serves the megabyte at 0xfee00000: the processor whose access it is talks to its own
    APIC (``current`` tells which; a machine with one processor need not say), and a write beyond the first
    page, or from a bus master, is a message signalled interrupt.
    """

    def __init__(self, *, trace: TraceEvents = SILENT) -> None:
        self.trace = trace
        self.apics: list[Apic] = []
        self.eoi_listeners: list[Callable[[int], None]] = []
        self.current: Callable[[], int] = lambda: 0

    def read(self, offset: int, size: int) -> int:
        return self.apics[self.current()].read(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        if offset >= 0x1000 or offset < 0x10:
            self.send_msi(offset, value)
        else:
            self.apics[self.current()].write(offset, size, value)

    def send_msi(self, address: int, data: int) -> None:
        """A message signalled interrupt (section 10.11)."""
        self.deliver(address >> 12 & 0xFF, bool(address & 4), data >> 8 & 7, data & 0xFF, bool(data & 1 << 15))

    def end_of_interrupt(self, vector: int) -> None:
        """Tell the I/O APICs that a level triggered interrupt has been served."""
        for listener in self.eoi_listeners:
            listener(vector)

    def deliver(self, destination: int, logical: bool, delivery: int, vector: int, level: bool) -> None:
        """Send one interrupt message."""
        if event := self.trace.apic_deliver_irq:
            event(dest=destination, dest_mode=logical, delivery_mode=delivery, vector_num=vector, trigger_mode=level)
        targets = [apic for apic in self.apics if apic.matches(destination, logical)]
        if delivery == DELIVERY_LOWEST:
            targets = targets and [min(targets, key=lambda apic: apic.processor_priority())]
        for apic in targets:
            apic.receive(delivery, vector, level)
