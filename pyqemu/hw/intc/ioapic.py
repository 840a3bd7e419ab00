"""Intel 82093AA I/O advanced programmable interrupt controller (data sheet 290566-001).

Twenty-four pins, each with a redirection entry that says which vector goes to which local APIC. The ISA
interrupts are wired to the pins of their own numbers, but for IRQ 0, which arrives at pin 2 (as the ACPI
tables tell); input 0 of this device is pin 2 for that reason.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pyqemu.hw.intc.apic_bus import DELIVERY_EXTINT, ApicBus
from pyqemu.qom.vmstate import U8, U32, U64, Array, Unused, VMState
from pyqemu.system.irq import Irq
from pyqemu.util.trace_events import SILENT, TraceEvents

PINS = 24
TIMER_PIN = 2

# redirection table entry, section 3.2.4
REMOTE_IRR = 1 << 14
LEVEL = 1 << 15
MASKED = 1 << 16
READ_ONLY = 1 << 12 | REMOTE_IRR  # delivery status, remote IRR

IOREGSEL, IOWIN, EOI = 0x00, 0x10, 0x40
IOAPICID, IOAPICVER, IOAPICARB, IOREDTBL = 0x00, 0x01, 0x02, 0x10


class IoApic:
    """``inputs[24]`` are its pins; ``read``/``write`` its 4 KiB page (at 0xfec00000 on a PC).

    :param acknowledge_pic: interrupt acknowledge of the 8259s, for pins in ExtINT mode.
    :param version: 0x11 is the 82093AA; 0x20 adds the EOI register of the ICH.
    """

    # fmt: off
    vmstate = VMState(
        "ioapic",
        version=3,
        minimum_version=1,
        fields=(
            U8("id"), U8("ioregsel"), Unused(8, since=2), U32("irr", since=2), Array("ioredtbl", U64, PINS),
        ),
    )
    # fmt: on

    def __init__(
        self, bus: ApicBus, acknowledge_pic: Callable[[], int], *, version: int = 0x11, trace: TraceEvents = SILENT
    ) -> None:
        self.trace = trace
        self.bus = bus
        self.acknowledge_pic = acknowledge_pic
        self.version = version
        self.inputs = [Irq(partial(self.set_pin, pin or TIMER_PIN)) for pin in range(PINS)]
        bus.eoi_listeners.append(self.end_of_interrupt)
        self.reset()

    def reset(self) -> None:
        """All pins masked."""
        self.id = 0
        self.ioregsel = 0
        self.irr = 0  # level pins: their level; edge pins: not delivered yet
        self.ioredtbl = [MASKED] * PINS

    def set_pin(self, pin: int, level: bool) -> None:
        """Level of an input."""
        if event := self.trace.ioapic_set_irq:
            event(vector=pin, level=level)
        entry = self.ioredtbl[pin]
        mask = 1 << pin
        if not level:
            if entry & LEVEL:
                self.irr &= ~mask
        elif entry & LEVEL or not entry & MASKED:  # an edge at a masked pin is lost (section 3.4.2)
            self.irr |= mask
            self._service(pin)

    def end_of_interrupt(self, vector: int) -> None:
        """A local APIC has finished ``vector``, which it got as level triggered."""
        if event := self.trace.ioapic_eoi_broadcast:
            event(vector=vector)
        table = self.ioredtbl
        for pin, entry in enumerate(table):
            if entry & 0xFF == vector and entry & REMOTE_IRR:
                if event := self.trace.ioapic_clear_remote_irr:
                    event(n=pin, vector=vector)
                table[pin] = entry & ~REMOTE_IRR
                self._service(pin)

    def _service(self, pin: int) -> None:
        """Send the message of ``pin`` if there is one to send."""
        entry = self.ioredtbl[pin]
        if not self.irr >> pin & 1 or entry & MASKED:
            return
        level = entry & LEVEL
        if not level:
            self.irr &= ~(1 << pin)
        elif entry & REMOTE_IRR:
            return
        else:
            self.ioredtbl[pin] = entry | REMOTE_IRR
            if event := self.trace.ioapic_set_remote_irr:
                event(n=pin)
        delivery = entry >> 8 & 7
        vector = entry & 0xFF
        if delivery == DELIVERY_EXTINT:
            vector = self.acknowledge_pic()
        self.bus.deliver(entry >> 56, bool(entry & 1 << 11), delivery, vector, bool(level))

    # ---- registers ----

    def read(self, offset: int, size: int) -> int:
        """IOREGSEL, IOWIN."""
        match offset & 0xFF:
            case 0x00:
                value = self.ioregsel
            case 0x10 if size == 4:
                value = self._read_indirect(self.ioregsel)
            case _:
                value = 0
        if event := self.trace.ioapic_mem_read:
            event(addr=offset & 0xFF, regsel=self.ioregsel, size=size, val=value)
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """IOREGSEL, IOWIN; EOI from version 20h."""
        if event := self.trace.ioapic_mem_write:
            event(addr=offset & 0xFF, regsel=self.ioregsel, size=size, val=value)
        match offset & 0xFF:
            case 0x00:
                self.ioregsel = value & 0xFF
            case 0x10 if size == 4:
                self._write_indirect(self.ioregsel, value)
            case 0x40 if size == 4 and self.version >= 0x20:
                self.end_of_interrupt(value & 0xFF)

    def _read_indirect(self, index: int) -> int:
        if index in (IOAPICID, IOAPICARB):
            return self.id << 24
        if index == IOAPICVER:
            return self.version | (PINS - 1) << 16
        pin, high = divmod(index - IOREDTBL, 2)
        if 0 <= pin < PINS:
            return self.ioredtbl[pin] >> (32 if high else 0) & 0xFFFF_FFFF
        return 0

    def _write_indirect(self, index: int, value: int) -> None:
        if index == IOAPICID:
            self.id = value >> 24 & 0x0F
            return
        pin, high = divmod(index - IOREDTBL, 2)
        if not 0 <= pin < PINS:
            return
        entry = self.ioredtbl[pin]
        if high:
            entry = entry & 0xFFFF_FFFF | value << 32
        else:
            entry = entry & (0xFFFF_FFFF << 32 | READ_ONLY) | value & 0x1_FFFF & ~READ_ONLY
            if not entry & LEVEL:
                entry &= ~REMOTE_IRR  # the documented way to clear a stuck one
        self.ioredtbl[pin] = entry
        self._service(pin)
