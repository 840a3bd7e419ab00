"""Interrupt controllers for people."""

from __future__ import annotations

from pyqemu.hw.intc.apic import Apic
from pyqemu.hw.intc.apic_bus import ApicBus
from pyqemu.hw.intc.i8259 import Pic
from pyqemu.hw.intc.ioapic import IoApic
from pyqemu.hw.intc.monitor import apic_text, ioapic_text, irq_text, pic_text
from pyqemu.system import FakeClock, Irq


class Cpu:
    """Nobody."""

    def interrupt(self, mask: int) -> None: ...

    def clear_interrupt(self, mask: int) -> None: ...


def test_pic_and_irq() -> None:
    pic = Pic(Irq())
    for port, value in ((0, 0x11), (1, 0x08), (1, 4), (1, 1), (1, 0xB8)):
        pic.master.write(port, 1, value)
    pic.elcr.write(1, 1, 0x0C)
    for _ in range(3):
        pic.inputs[4].set(True)
        pic.inputs[4].set(False)
    pic.inputs[9].set(True)
    assert pic_text(pic).splitlines() == [
        "pic0: irr=14 imr=b8 isr=00 hprio=0 irq_base=08 rr_sel=0 elcr=00 fnm=0",
        "pic1: irr=02 imr=00 isr=00 hprio=0 irq_base=00 rr_sel=0 elcr=0c fnm=0",
    ]
    assert irq_text(pic) == "IRQ statistics:\n 4: 3\n 9: 1"


def test_ioapic() -> None:
    chip = IoApic(ApicBus(), lambda: -1)
    chip.ioredtbl[9] = 0x0300_0000_0000_A831 | 1 << 14
    chip.irr = 1 << 9
    chip.ioregsel = 0x12
    lines = ioapic_text(chip).splitlines()
    assert lines[0] == "ioapic id=0x00 sel=0x12 (redir[1])"
    assert lines[1] == "pin 0  0x0000000000010000 dest=0 vec=0   active-hi edge  masked fixed  physical"
    assert lines[10] == "pin 9  0x030000000000e831 dest=3 vec=49  active-lo level        fixed  logical"
    assert lines[-2:] == ["IRR      9", "Remote IRR 9"]


def test_lapic() -> None:
    apic = Apic(Cpu(), FakeClock())
    apic.write(0xF0, 4, 0x1FF)
    apic.write(0x320, 4, 0x20EF)
    apic.write(0x3E0, 4, 0xB)
    apic.write(0x310, 4, 3 << 24)
    apic.accept(0x30, True)
    apic.accept(0x41, False)
    lines = apic_text(apic).splitlines()
    assert lines[0] == "dumping local APIC state for CPU 0 "
    assert lines[2] == "LVT0\t 0x00000700 active-hi edge                              ExtINT"
    assert lines[7] == "LVTT\t 0x000000ef active-hi edge                 one-shot     Fixed  (vec 239)"
    assert lines[8] == "Timer\t DCR=0xb (divide by 1) initial_count = 0 current_count = 0"
    assert lines[9] == "SPIV\t 0x000001ff APIC enabled, focus=off, spurious vec 255"
    assert lines[10:12] == [
        "ICR\t 0x00000000 physical edge de-assert no-shorthand",
        "ICR2\t 0x03000000 cpu 3 (APIC ID)",
    ]
    assert "IRR\t 48(level) 65" in lines
