"""Interrupt controllers and timers wired as on a PC, without a CPU: one interrupt's way from clock to vector."""

from __future__ import annotations

import pytest

from pyqemu.hw.intc.apic import INTERRUPT_HARD, Apic
from pyqemu.hw.intc.apic_bus import ApicBus
from pyqemu.hw.intc.i8259 import Pic
from pyqemu.hw.intc.ioapic import IoApic
from pyqemu.hw.timer.hpet import Hpet
from pyqemu.hw.timer.i8254 import I8254
from pyqemu.hw.timer.mc146818rtc import Mc146818Rtc
from pyqemu.system.clock import FakeClock, RtcClock
from pyqemu.system.irq import Irq, SplitIrq

SECOND = 1_000_000_000


class Pc:
    """The board, as a CPU that only accepts interrupts sees it."""

    def __init__(self) -> None:
        self.requests = 0
        clock = self.clock = FakeClock()
        bus = self.bus = ApicBus()
        self.pic = Pic(Irq())
        self.apic = Apic(self, clock, bus=bus, acknowledge_pic=self.pic.acknowledge)
        self.pic.output.connect(self.apic.lint0.set)
        self.ioapic = IoApic(bus, self.pic.acknowledge)
        self.lines: list[Irq] = [SplitIrq(self.pic.inputs[n], self.ioapic.inputs[n]) for n in range(16)]
        self.pit = I8254(clock, self.lines[0])
        self.hpet = Hpet(clock, self.lines, self.pit.irq_enable)
        self.rtc = Mc146818Rtc(clock, RtcClock(source="vm", virtual=clock), self.hpet.rtc_irq)
        for chip, base in ((self.pic.master, 8), (self.pic.slave, 0x70)):
            for offset, value in ((0, 0x11), (1, base), (1, 4), (1, 1), (1, 0)):
                chip.write(offset, 1, value)

    def interrupt(self, mask: int) -> None:
        self.requests |= mask

    def clear_interrupt(self, mask: int) -> None:
        self.requests &= ~mask

    def run(self, nanoseconds: int, step: int = 100_000) -> list[int]:
        """Advance in steps, take each interrupt at once, and end it everywhere. Return the vectors."""
        vectors = []
        end = self.clock.now() + nanoseconds
        while self.clock.now() < end:
            self.clock.advance(step)
            while self.requests & INTERRUPT_HARD:
                vectors.append(self.apic.get_interrupt())
                self.rtc.write(0, 1, 0x0C)
                self.rtc.read(1, 1)
                self.apic.write(0xB0, 4, 0)
                self.pic.slave.write(0, 1, 0x20)
                self.pic.master.write(0, 1, 0x20)
        return vectors

    def redirect(self, pin: int, entry: int) -> None:
        for half in (1, 0):
            self.ioapic.write(0, 4, 0x10 + 2 * pin + half)
            self.ioapic.write(0x10, 4, entry >> 32 * half & 0xFFFF_FFFF)


@pytest.fixture
def pc() -> Pc:
    return Pc()


def test_timer_tick_through_the_8259(pc: Pc) -> None:
    assert set(pc.run(SECOND)) == {0x08}
    assert 18 * 10 <= len(pc.run(10 * SECOND)) <= 183


def test_timer_tick_through_the_ioapic(pc: Pc) -> None:
    pc.pic.master.write(1, 1, 0xFF)
    pc.pic.slave.write(1, 1, 0xFF)
    pc.apic.write(0xF0, 4, 0x1FF)
    pc.redirect(2, 0x30)
    assert set(pc.run(SECOND)) == {0x30}


def test_rtc_and_timer_together(pc: Pc) -> None:
    pc.rtc.write(0, 1, 0x0B)
    pc.rtc.write(1, 1, 0x42)  # 1024 Hz
    vectors = pc.run(SECOND)
    assert vectors.count(0x70) in range(1022, 1026)
    assert vectors.count(0x08) in (18, 19)


def test_hpet_takes_over_from_pit_and_rtc(pc: Pc) -> None:
    pc.rtc.write(0, 1, 0x0B)
    pc.rtc.write(1, 1, 0x42)
    pc.hpet.write(0x10, 4, 3)
    assert pc.run(SECOND // 10) == []
    pc.hpet.write(0x100, 4, 0x14C)
    pc.hpet.write(0x108, 4, (pc.hpet.read(0xF0, 4) + 100_000) & 0xFFFF_FFFF)
    pc.hpet.write(0x108, 4, 100_000)  # 1 kHz
    assert 990 <= len(pc.run(SECOND)) <= 1001


def test_reset_brings_the_tick_back(pc: Pc) -> None:
    pc.hpet.write(0x10, 4, 3)
    for device in (pc.pic, pc.ioapic, pc.pit, pc.hpet, pc.rtc, pc.apic):
        device.reset()
    pc.pic.master.write(0, 1, 0x11)  # forgets the edge that counter 0 made when it was reset
    assert not pc.requests & INTERRUPT_HARD
    for value in (8, 4, 1, 0):
        pc.pic.master.write(1, 1, value)
    assert set(pc.run(SECOND)) == {0x08}
