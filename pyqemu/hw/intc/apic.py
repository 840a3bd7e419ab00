"""Local APIC of one processor (Intel SDM vol. 3, chapter 10; xAPIC mode).

The interrupt request, in-service and trigger mode registers are Python integers of 256 bits: the highest
vector is then one ``bit_length``.

The timer's bus clock is 1 GHz, so that a tick is a nanosecond of the guest's clock: the current count is
computed when it is read, and only an unmasked timer keeps a deadline.

The processor's INTR input is a function of the state (``update``): a vector above the processor priority,
or the 8259's output where LINT0 (or a globally disabled APIC) lets it through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pyqemu.hw.intc.apic_bus import (
    BROADCAST,
    DELIVERY_EXTINT,
    DELIVERY_INIT,
    DELIVERY_LOWEST,
    ApicBus,
)
from pyqemu.qom.vmstate import I32, I64, U8, U32, Array, Timer64, VMState
from pyqemu.system.clock import Clock
from pyqemu.system.irq import Irq
from pyqemu.util.trace_events import SILENT, TraceEvents

INTERRUPT_HARD, INTERRUPT_NMI, INTERRUPT_SMI, INTERRUPT_INIT, INTERRUPT_SIPI = 1, 2, 4, 8, 16
"""Requests to the processor (``CpuPort.interrupt``)."""

DEFAULT_BASE = 0xFEE00000
BASE_BSP, BASE_ENABLE = 1 << 8, 1 << 11

VERSION = 0x14
LVT_COUNT = 6
LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR = range(LVT_COUNT)
LVT_MASKED = 1 << 16
LVT_LEVEL = 1 << 15
LVT_PERIODIC = 1 << 17
LVT_WRITABLE = (0x300FF, 0x107FF, 0x107FF, 0x1A7FF, 0x1A7FF, 0x100FF)

SPURIOUS_ENABLE = 1 << 8
ESR_SEND_ILLEGAL, ESR_RECEIVE_ILLEGAL, ESR_ILLEGAL_REGISTER = 1 << 5, 1 << 6, 1 << 7
MIN_PERIOD = 20_000  # ns, whatever nonsense the guest programs
FLAT_MODEL = 0xF
M32 = 0xFFFF_FFFF


class CpuPort(Protocol):
    """What the APIC needs of its processor."""

    def interrupt(self, mask: int) -> None:
        """Raise request bits."""

    def clear_interrupt(self, mask: int) -> None:
        """Lower request bits."""


def _no_pic() -> int:
    return -1


class _Vectors(Array):
    """A 256-bit register as eight words."""

    def __init__(self, name: str) -> None:
        super().__init__(name, U32, 8)

    def fetch(self, device: object) -> list[int]:
        value: int = super().fetch(device)
        return [value >> shift & M32 for shift in range(0, 256, 32)]

    def apply(self, device: object, value: Any) -> None:
        self.assign(device, sum(word << 32 * number for number, word in enumerate(value)))


class _Expiry(Timer64):
    """QEMU declares it as a number."""

    kind = "int64"


class Apic:
    """One local APIC.

    :param cpu_port: its processor, whose requests it drives.
    :param bus: the other APICs; a machine with one processor may leave it out.
    :param acknowledge_pic: the 8259s' interrupt acknowledge.

    ``lint0`` takes the 8259's output, ``lint1`` NMI. An INIT message resets the APIC by itself and then asks the
    processor to do the same; ``startup_vector`` is what the last startup message said.
    """

    # fmt: off
    vmstate = VMState(
        "apic",
        version=3,
        fields=(
            U32("apicbase"), U8("id"), U8("arb_id"), U8("tpr"), U32("spurious_vec"), U8("log_dest"),
            U8("dest_mode", maximum=15), _Vectors("isr"), _Vectors("tmr"), _Vectors("irr"),
            Array("lvt", U32, LVT_COUNT), U32("esr"), Array("icr", U32, 2), U32("divide_conf"),
            I32("count_shift", minimum=0, maximum=7),
            U32("initial_count"), I64("initial_count_load_time"), I64("next_time"),
            _Expiry("timer", wire="timer_expiry"),
        ),
        subsections=(
            VMState("apic_sipi",
                    fields=(I32("startup_vector", wire="sipi_vector", minimum=0, maximum=255), I32("wait_for_sipi")),
                    needed=lambda apic: bool(apic.wait_for_sipi)),
        ),
        post_load=lambda apic: apic.update(),
    )
    # fmt: on

    def __init__(
        self,
        cpu_port: CpuPort,
        clock: Clock,
        *,
        bus: ApicBus | None = None,
        apic_id: int = 0,
        bsp: bool = True,
        acknowledge_pic: Callable[[], int] = _no_pic,
        trace: TraceEvents = SILENT,
    ) -> None:
        self.trace = trace
        self.cpu = cpu_port
        self.clock = clock
        self.bus = bus or ApicBus()
        self.bus.apics.append(self)
        self.initial_id = apic_id
        self.bsp = bsp
        self.acknowledge_pic = acknowledge_pic
        self.timer = clock.timer(self._timer_expired)
        self.lint0 = Irq(self._lint0_changed)
        self.lint1 = Irq(lambda level: self._lint_input(LVT_LINT1, level))
        self.intr = False  # what the processor has been told
        self.startup_vector = 0
        self.next_time = 0
        self.reset()

    # ---- reset ----

    def reset(self) -> None:
        """Power-up state (section 10.4.7.1)."""
        self.apicbase = DEFAULT_BASE | BASE_ENABLE | (BASE_BSP if self.bsp else 0)
        self.id = self.initial_id
        self.init()

    def init(self) -> None:
        """State after INIT (section 10.4.7.3): base address and id stay."""
        self.arb_id = self.id
        self.tpr = 0
        self.spurious_vec = 0xFF
        self.log_dest = 0
        self.dest_mode = FLAT_MODEL
        self.isr = self.irr = self.tmr = 0
        self.lvt = [LVT_MASKED] * LVT_COUNT
        if self.bsp:  # what firmware always does first: the 8259's output reaches the boot processor
            self.lvt[LVT_LINT0] = DELIVERY_EXTINT << 8
        self.esr = self.esr_pending = 0
        self.icr = [0, 0]
        self.wait_for_sipi = int(not self.bsp)
        self.divide_conf = 0
        self.count_shift = 1
        self.initial_count = 0
        self.initial_count_load_time = 0
        self.timer.cancel()
        self.update()

    # ---- the processor's side ----

    def has_interrupt(self) -> bool:
        """Whether `get_interrupt` would find something."""
        return self._pending_vector() >= 0 or self._extint()

    def get_interrupt(self) -> int:
        """The processor accepts a hardware interrupt: its vector, or -1 if it has gone in the meantime."""
        vector = self._pending_vector()
        if vector >= 0:
            bit = 1 << vector
            self.irr &= ~bit
            self.isr |= bit
        elif self._extint():
            vector = self.acknowledge_pic()
        self.update()
        return vector

    @property
    def cr8(self) -> int:
        """Task priority as CR8 has it."""
        return self.tpr >> 4

    @cr8.setter
    def cr8(self, value: int) -> None:
        self.set_tpr((value & 0xF) << 4)

    def set_tpr(self, value: int) -> None:
        """Write the task priority register."""
        self.tpr = value & 0xFF
        self.update()

    def set_base(self, value: int) -> None:
        """IA32_APIC_BASE was written (section 10.4.4). Once disabled, only reset enables the APIC again."""
        if event := self.trace.cpu_set_apic_base:
            event(val=value)
        keep = self.apicbase & (BASE_BSP | BASE_ENABLE)
        self.apicbase = value & 0xF_FFFF_F000 | keep
        if not value & BASE_ENABLE:
            self.apicbase &= ~BASE_ENABLE
            self.spurious_vec &= ~SPURIOUS_ENABLE
        self.update()

    def _pending_vector(self) -> int:
        irr = self.irr
        if not irr or not self.spurious_vec & SPURIOUS_ENABLE:
            return -1
        vector = irr.bit_length() - 1
        return vector if vector & 0xF0 > self.processor_priority() & 0xF0 else -1

    def processor_priority(self) -> int:
        """The processor priority register (section 10.8.3.1)."""
        serving = (self.isr.bit_length() - 1) & 0xF0 if self.isr else 0
        return self.tpr if self.tpr & 0xF0 >= serving else serving

    def _extint(self) -> bool:
        """Whether the 8259 asks for service and may."""
        if not self.lint0.level:
            return False
        if not self.apicbase & BASE_ENABLE:
            return True
        return self.lvt[LVT_LINT0] & (LVT_MASKED | 0x700) == DELIVERY_EXTINT << 8

    def update(self) -> None:
        """Drive the processor's INTR from the state."""
        if self._pending_vector() >= 0 or self._extint():
            self.intr = True
            self.cpu.interrupt(INTERRUPT_HARD)
        elif self.intr:
            self.intr = False
            self.cpu.clear_interrupt(INTERRUPT_HARD)

    # ---- messages ----

    def matches(self, destination: int, logical: bool) -> bool:
        """Whether a message to ``destination`` is for this APIC (sections 10.6.2.1, 10.6.2.2)."""
        if destination == BROADCAST:
            return True
        if not logical:
            return destination == self.id
        if self.dest_mode == FLAT_MODEL:
            return bool(destination & self.log_dest)
        return destination >> 4 == self.log_dest >> 4 and bool(destination & self.log_dest & 0xF)

    def receive(self, delivery: int, vector: int, level: bool) -> None:
        """A message that is for this APIC."""
        match delivery:
            case 0 | 1:
                self.accept(vector, level)
            case 2:
                self.cpu.interrupt(INTERRUPT_SMI)
            case 4:
                self.cpu.interrupt(INTERRUPT_NMI)
            case 5:
                self.init()
                self.cpu.interrupt(INTERRUPT_INIT)
            case 6:
                self.startup_vector = vector
                self.wait_for_sipi = 0
                self.cpu.interrupt(INTERRUPT_SIPI)
            case 7:  # an I/O APIC pin in ExtINT mode: the vector has been fetched from the 8259
                self.accept(vector, False)

    def accept(self, vector: int, level: bool) -> None:
        """Set a vector's request bit."""
        if vector < 16:
            self._error(ESR_RECEIVE_ILLEGAL)
            return
        bit = 1 << vector
        self.irr |= bit
        if level:
            self.tmr |= bit
        else:
            self.tmr &= ~bit
        self.update()

    def _end_of_interrupt(self) -> None:
        vector = self.isr.bit_length() - 1
        if vector < 0:
            return
        bit = 1 << vector
        self.isr ^= bit
        if self.tmr & bit:
            self.bus.end_of_interrupt(vector)
        self.update()

    def _send(self) -> None:
        """Write of ICR's low half: an interprocessor interrupt (section 10.6.1)."""
        low = self.icr[0]
        delivery = low >> 8 & 7
        vector = low & 0xFF
        level = bool(low & LVT_LEVEL)
        if delivery == DELIVERY_INIT and level and not low & 1 << 14:
            return  # INIT level de-assert only synchronizes arbitration ids
        if delivery <= DELIVERY_LOWEST and vector < 16:
            self._error(ESR_SEND_ILLEGAL)
            return
        match low >> 18 & 3:
            case 0:
                self.bus.deliver(self.icr[1] >> 24, bool(low & 1 << 11), delivery, vector, level)
            case 1:
                self.receive(delivery, vector, level)
            case shorthand:
                for apic in self.bus.apics:
                    if shorthand == 2 or apic is not self:
                        apic.receive(delivery, vector, level)

    # ---- local interrupts ----

    def _local(self, number: int) -> None:
        """An edge of a local interrupt source."""
        lvt = self.lvt[number]
        if event := self.trace.apic_local_deliver:
            event(vector=number, lvt=lvt >> 8 & 7)
        if lvt & LVT_MASKED:
            return
        match lvt >> 8 & 7:
            case 0:
                self.accept(lvt & 0xFF, number >= LVT_LINT0 and bool(lvt & LVT_LEVEL))
            case 2:
                self.cpu.interrupt(INTERRUPT_SMI)
            case 4:
                self.cpu.interrupt(INTERRUPT_NMI)

    def _lint0_changed(self, level: bool) -> None:
        if level and self.apicbase & BASE_ENABLE and self.lvt[LVT_LINT0] >> 8 & 7 != DELIVERY_EXTINT:
            self._local(LVT_LINT0)
        self.update()

    def _lint_input(self, number: int, level: bool) -> None:
        if level:
            self._local(number)

    def _error(self, bit: int) -> None:
        if not self.esr_pending & bit:  # once: the error vector itself may be illegal
            self.esr_pending |= bit
            self._local(LVT_ERROR)

    # ---- timer (section 10.5.4) ----

    def _elapsed(self, now: int) -> int:
        return (now - self.initial_count_load_time) >> self.count_shift

    def current_count(self) -> int:
        """The current count register."""
        initial = self.initial_count
        if not initial:
            return 0
        elapsed = self._elapsed(self.clock.now())
        if self.lvt[LVT_TIMER] & LVT_PERIODIC:
            return initial - elapsed % initial
        return max(initial - elapsed, 0)

    def _schedule(self, now: int) -> None:
        """Arm the timer for the next expiry after *now*: ticks that a late host missed are one interrupt.

        One reading of the clock serves the whole write: a count of a few ticks runs out while Python is still at it,
        and must fire all the same.
        """
        initial = self.initial_count
        lvt = self.lvt[LVT_TIMER]
        if initial and not lvt & LVT_MASKED:
            periods = 1
            if lvt & LVT_PERIODIC:
                periods += self._elapsed(now) // initial
            elif self._elapsed(now) >= initial:
                periods = 0
            if periods:
                self.next_time = self.initial_count_load_time + (periods * initial << self.count_shift)
                soonest = now + MIN_PERIOD if lvt & LVT_PERIODIC else 0
                self.timer.set(max(self.next_time, soonest))
                return
        self.timer.cancel()

    def _timer_expired(self) -> None:
        self._local(LVT_TIMER)
        if self.lvt[LVT_TIMER] & LVT_PERIODIC:
            self._schedule(self.clock.now())

    def _set_divide(self, value: int) -> None:
        self.divide_conf = value & 0xB
        self.count_shift = (value & 3 | value >> 1 & 4) + 1 & 7
        self._schedule(self.clock.now())

    # ---- registers (table 10-1); each is one word at the start of 16 bytes ----

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        value = self._read(offset)
        if event := self.trace.apic_mem_readl:
            event(addr=offset, val=value)
        return value

    def _read(self, offset: int) -> int:
        register = offset >> 4 & 0xFF
        if register == 0x39:
            return self.current_count()
        if 0x10 <= register < 0x28:
            value = (self.isr, self.tmr, self.irr)[(register >> 3) - 2]
            return value >> 32 * (register & 7) & M32
        if 0x32 <= register < 0x38:
            return self.lvt[register - 0x32]
        match register:
            case 0x02:
                return self.id << 24
            case 0x03:
                return VERSION | (LVT_COUNT - 1) << 16
            case 0x08:
                return self.tpr
            case 0x09 | 0x0A:
                return self.processor_priority()
            case 0x0D:
                return self.log_dest << 24
            case 0x0E:
                return self.dest_mode << 28 | 0x0FFF_FFFF
            case 0x0F:
                return self.spurious_vec
            case 0x28:
                return self.esr
            case 0x30 | 0x31:
                return self.icr[register & 1]
            case 0x38:
                return self.initial_count
            case 0x3E:
                return self.divide_conf
            case 0x0B | 0x0C:  # EOI is write-only; remote read
                return 0
        self._error(ESR_ILLEGAL_REGISTER)
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if event := self.trace.apic_mem_writel:
            event(addr=offset, val=value)
        register = offset >> 4 & 0xFF
        if register == 0x0B:
            self._end_of_interrupt()
        elif register == 0x38:
            self.initial_count = value
            self.initial_count_load_time = now = self.clock.now()
            self._schedule(now)
        elif register == 0x08:
            self.set_tpr(value)
        elif 0x32 <= register < 0x38:
            self._write_lvt(register - 0x32, value)
        else:
            self._write_rare(register, value)

    def _write_lvt(self, number: int, value: int) -> None:
        self.lvt[number] = value & LVT_WRITABLE[number]
        if number == LVT_TIMER:
            self._schedule(self.clock.now())
        elif number == LVT_LINT0:
            self.update()

    def _write_rare(self, register: int, value: int) -> None:
        match register:
            case 0x02:
                self.id = value >> 24
            case 0x0D:
                self.log_dest = value >> 24
            case 0x0E:
                self.dest_mode = value >> 28
            case 0x0F:
                self.spurious_vec = value & 0x1FF
                self.update()
            case 0x28:  # a write shows what was collected since the write before
                self.esr, self.esr_pending = self.esr_pending, 0
            case 0x30:
                self.icr[0] = value & 0xCCFFF
                self._send()
            case 0x31:
                self.icr[1] = value & 0xFF00_0000
            case 0x3E:
                self._set_divide(value)
            case 0x03 | 0x09 | 0x0A | 0x0C | 0x39:
                pass  # read-only
            case _ if not 0x10 <= register < 0x28:
                self._error(ESR_ILLEGAL_REGISTER)
