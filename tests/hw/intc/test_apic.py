"""Local APIC: priorities, EOI, timer, interprocessor interrupts, virtual wire."""

from __future__ import annotations

import pytest

from pyqemu.hw.intc.apic import (
    INTERRUPT_HARD,
    INTERRUPT_INIT,
    INTERRUPT_NMI,
    INTERRUPT_SIPI,
    INTERRUPT_SMI,
    Apic,
)
from pyqemu.hw.intc.apic_bus import ApicBus
from pyqemu.hw.intc.ioapic import IoApic
from pyqemu.system.clock import FakeClock

ID, VERSION, TPR, PPR, EOI, LDR, DFR, SVR = 0x20, 0x30, 0x80, 0xA0, 0xB0, 0xD0, 0xE0, 0xF0
ISR, TMR, IRR, ESR, ICR_LOW, ICR_HIGH = 0x100, 0x180, 0x200, 0x280, 0x300, 0x310
LVT_TIMER, LVT_LINT0, LVT_LINT1, LVT_ERROR = 0x320, 0x350, 0x360, 0x370
INITIAL, CURRENT, DIVIDE = 0x380, 0x390, 0x3E0


class FakeCpu:
    """A processor port that remembers its request bits."""

    def __init__(self) -> None:
        self.requests = 0

    def interrupt(self, mask: int) -> None:
        self.requests |= mask

    def clear_interrupt(self, mask: int) -> None:
        self.requests &= ~mask

    @property
    def intr(self) -> bool:
        return bool(self.requests & INTERRUPT_HARD)


class Machine:
    """``count`` processors with enabled APICs."""

    def __init__(self, count: int = 1) -> None:
        self.clock = FakeClock(now=1_000_000)
        self.bus = ApicBus()
        self.vectors = iter([0x08, 0x0F])
        self.cpus = [FakeCpu() for _ in range(count)]
        self.apics = [
            Apic(cpu, self.clock, bus=self.bus, apic_id=n, bsp=n == 0, acknowledge_pic=self.pic)
            for n, cpu in enumerate(self.cpus)
        ]
        self.apic, self.cpu = self.apics[0], self.cpus[0]
        for apic in self.apics:
            apic.write(SVR, 4, 0x1FF)

    def pic(self) -> int:
        self.apic.lint0.set(False)
        return next(self.vectors)


@pytest.fixture
def m() -> Machine:
    return Machine()


def test_reset_values() -> None:
    apic = Apic(FakeCpu(), FakeClock())
    values = [apic.read(reg, 4) for reg in (ID, VERSION, TPR, SVR, DFR, LVT_TIMER, LVT_LINT0, LVT_LINT1)]
    assert values == [0, 0x50014, 0, 0xFF, 0xFFFFFFFF, 0x10000, 0x700, 0x10000]
    assert apic.apicbase == 0xFEE00900


def test_accept_acknowledge_eoi(m: Machine) -> None:
    m.apic.accept(0x41, False)
    assert m.cpu.intr
    assert m.apic.has_interrupt()
    assert m.apic.read(IRR + 0x20, 4) == 2
    assert m.apic.get_interrupt() == 0x41
    assert not m.cpu.intr
    assert (m.apic.read(IRR + 0x20, 4), m.apic.read(ISR + 0x20, 4)) == (0, 2)
    assert m.apic.read(PPR, 4) == 0x40
    m.apic.write(EOI, 4, 0)
    assert m.apic.read(ISR + 0x20, 4) == 0
    assert m.apic.get_interrupt() == -1


def test_only_a_higher_class_nests(m: Machine) -> None:
    m.apic.accept(0x41, False)
    m.apic.get_interrupt()
    m.apic.accept(0x4F, False)  # same class of 16
    assert not m.cpu.intr
    m.apic.accept(0x50, False)
    assert m.cpu.intr
    assert m.apic.get_interrupt() == 0x50
    m.apic.write(EOI, 4, 0)
    assert not m.cpu.intr
    m.apic.write(EOI, 4, 0)
    assert m.apic.get_interrupt() == 0x4F


def test_task_priority_holds_back(m: Machine) -> None:
    m.apic.write(TPR, 4, 0x50)
    m.apic.accept(0x51, False)
    assert not m.cpu.intr
    m.apic.cr8 = 4
    assert m.cpu.intr
    assert m.apic.read(TPR, 4) == 0x40
    m.apic.cr8 = 5
    assert not m.cpu.intr


def test_disabled_apic_accepts_nothing_for_the_cpu(m: Machine) -> None:
    m.apic.write(SVR, 4, 0xFF)
    m.apic.accept(0x41, False)
    assert not m.cpu.intr
    m.apic.write(SVR, 4, 0x1FF)
    assert m.cpu.intr


def test_level_eoi_reaches_the_ioapic(m: Machine) -> None:
    ioapic = IoApic(m.bus, lambda: 0)
    ioapic.write(0, 4, 0x10 + 2 * 11)
    ioapic.write(0x10, 4, 0x8061)
    ioapic.inputs[11].set(True)
    assert m.apic.get_interrupt() == 0x61
    assert m.apic.read(TMR + 0x30, 4) == 2
    m.apic.write(EOI, 4, 0)
    assert m.apic.get_interrupt() == 0x61  # still asserted
    ioapic.inputs[11].set(False)
    m.apic.write(EOI, 4, 0)
    assert m.apic.get_interrupt() == -1


# ---- virtual wire ----


def test_8259_through_lint0(m: Machine) -> None:
    m.apic.lint0.set(True)
    assert m.cpu.intr
    assert m.apic.get_interrupt() == 0x08
    assert not m.cpu.intr
    assert m.apic.isr == 0  # ExtINT is not tracked


def test_masking_lint0_cuts_the_8259_off(m: Machine) -> None:
    m.apic.lint0.set(True)
    m.apic.write(LVT_LINT0, 4, 0x10700)
    assert not m.cpu.intr
    assert m.apic.get_interrupt() == -1
    m.apic.write(LVT_LINT0, 4, 0x700)
    assert m.cpu.intr


def test_globally_disabled_apic_passes_the_8259(m: Machine) -> None:
    m.apic.write(LVT_LINT0, 4, 0x10000)
    m.apic.set_base(0xFEE00100)
    m.apic.lint0.set(True)
    assert m.cpu.intr
    m.apic.set_base(0xFEE00900)  # no way back but reset
    assert not m.apic.apicbase & 0x800


def test_lint0_fixed_and_lint1_nmi(m: Machine) -> None:
    m.apic.write(LVT_LINT0, 4, 0x31)
    m.apic.lint0.set(True)
    assert m.apic.get_interrupt() == 0x31
    m.apic.write(LVT_LINT1, 4, 0x400)
    m.apic.lint1.set(True)
    assert m.cpu.requests & INTERRUPT_NMI


# ---- timer ----


def test_one_shot_timer(m: Machine) -> None:
    m.apic.write(DIVIDE, 4, 0xB)  # by 1
    m.apic.write(LVT_TIMER, 4, 0xEF)
    m.apic.write(INITIAL, 4, 1000)
    m.clock.advance(400)
    assert m.apic.read(CURRENT, 4) == 600
    assert not m.cpu.intr
    m.clock.advance(600)
    assert m.apic.get_interrupt() == 0xEF
    assert m.apic.read(CURRENT, 4) == 0
    m.apic.write(EOI, 4, 0)
    m.clock.advance(10_000)
    assert not m.cpu.intr


@pytest.mark.parametrize(("code", "divisor"), [(0, 2), (1, 4), (2, 8), (3, 16), (8, 32), (9, 64), (10, 128), (11, 1)])
def test_divide_configuration(m: Machine, code: int, divisor: int) -> None:
    m.apic.write(DIVIDE, 4, code)
    m.apic.write(INITIAL, 4, 1_000_000)
    m.clock.advance(1000 * divisor)
    assert m.apic.read(CURRENT, 4) == 999_000


def test_one_shot_of_less_time_than_it_takes_to_arm_it_fires(m: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux programs such counts; a timer lost so is a guest that waits for ever."""

    def now() -> int:
        m.clock._now += 2000  # time passes while the write is handled
        return m.clock._now

    m.apic.write(DIVIDE, 4, 0xB)
    m.apic.write(LVT_TIMER, 4, 0xEF)
    monkeypatch.setattr(m.clock, "now", now)
    m.apic.write(INITIAL, 4, 100)
    m.clock.run_due()
    assert m.apic.get_interrupt() == 0xEF


def test_periodic_timer_does_not_drift(m: Machine) -> None:
    start = m.clock.now()
    m.apic.write(DIVIDE, 4, 0xB)
    m.apic.write(LVT_TIMER, 4, 0x200EF)
    m.apic.write(INITIAL, 4, 100_000)
    for n in range(1, 50):
        assert m.clock.next_deadline() == start + n * 100_000
        m.clock.advance(100_000)
        assert m.apic.get_interrupt() == 0xEF
        m.apic.write(EOI, 4, 0)


def test_late_periodic_timer_is_one_interrupt_and_keeps_its_grid(m: Machine) -> None:
    start = m.clock.now()
    m.apic.write(DIVIDE, 4, 0xB)
    m.apic.write(LVT_TIMER, 4, 0x200EF)
    m.apic.write(INITIAL, 4, 100_000)
    m.clock._now += 1_234_567  # the host slept
    m.clock.run_due()
    assert m.apic.get_interrupt() == 0xEF
    m.apic.write(EOI, 4, 0)
    assert not m.cpu.intr
    assert m.clock.next_deadline() == start + 1_300_000


def test_masked_timer_counts_but_is_silent(m: Machine) -> None:
    m.apic.write(DIVIDE, 4, 0xB)
    m.apic.write(INITIAL, 4, 5000)
    m.clock.advance(2000)
    assert m.apic.read(CURRENT, 4) == 3000
    assert m.clock.next_deadline() is None
    m.apic.write(LVT_TIMER, 4, 0x40)
    m.clock.advance(3000)
    assert m.apic.get_interrupt() == 0x40


def test_zero_count_stops_the_timer(m: Machine) -> None:
    m.apic.write(LVT_TIMER, 4, 0x20040)
    m.apic.write(INITIAL, 4, 100_000)
    m.apic.write(INITIAL, 4, 0)
    m.clock.advance(1_000_000)
    assert not m.cpu.intr


# ---- messages ----


def test_self_ipi(m: Machine) -> None:
    m.apic.write(ICR_LOW, 4, 0x40051)
    assert m.apic.read(ICR_LOW, 4) == 0x40051
    assert m.apic.get_interrupt() == 0x51


def test_physical_logical_and_shorthand_destinations() -> None:
    m = Machine(3)
    for n, apic in enumerate(m.apics):
        apic.write(LDR, 4, 1 << n << 24)

    def receivers(low: int, high: int = 0) -> list[int]:
        m.apic.write(ICR_HIGH, 4, high << 24)
        m.apic.write(ICR_LOW, 4, low | 0x60)
        got = [n for n, apic in enumerate(m.apics) if apic.irr]
        for apic in m.apics:
            apic.irr = 0
        return got

    assert receivers(0, 2) == [2]
    assert receivers(0, 0xFF) == [0, 1, 2]
    assert receivers(0x800, 0b101) == [0, 2]
    assert receivers(0x80000) == [0, 1, 2]
    assert receivers(0xC0000) == [1, 2]
    m.apics[1].write(TPR, 4, 0x20)
    assert receivers(0x900, 0b110) == [2]  # lowest priority


def test_cluster_model() -> None:
    m = Machine(1)
    m.apic.write(DFR, 4, 0)
    m.apic.write(LDR, 4, 0x21 << 24)
    assert m.apic.matches(0x23, True)
    assert not m.apic.matches(0x13, True)
    assert not m.apic.matches(0x22, True)


def test_init_and_startup() -> None:
    m = Machine(2)
    m.apics[1].write(TPR, 4, 0x20)
    m.apic.write(ICR_HIGH, 4, 1 << 24)
    m.apic.write(ICR_LOW, 4, 0x4500)
    assert m.cpus[1].requests & INTERRUPT_INIT
    assert m.apics[1].tpr == 0
    m.cpus[1].requests = 0
    m.apic.write(ICR_LOW, 4, 0x8500)  # level de-assert
    assert not m.cpus[1].requests
    m.apic.write(ICR_LOW, 4, 0x4610)
    assert m.cpus[1].requests & INTERRUPT_SIPI
    assert m.apics[1].startup_vector == 0x10


def test_nmi_and_smi_messages(m: Machine) -> None:
    m.bus.deliver(0xFF, False, 4, 0, False)
    m.bus.deliver(0, False, 2, 0, False)
    assert m.cpu.requests & (INTERRUPT_NMI | INTERRUPT_SMI) == INTERRUPT_NMI | INTERRUPT_SMI


def test_message_signalled_interrupt(m: Machine) -> None:
    m.bus.write(0x0000, 4, 0x0071)  # as a bus master writes to 0xfee00000
    assert m.apic.get_interrupt() == 0x71
    m.bus.write(TPR, 4, 0x30)  # the processor's own registers
    assert m.bus.read(TPR, 4) == 0x30


def test_errors_are_collected_and_reported_once(m: Machine) -> None:
    m.apic.write(LVT_ERROR, 4, 0x05)  # itself illegal
    m.apic.accept(3, False)
    m.apic.write(ICR_LOW, 4, 0x40002)
    m.apic.read(0x3F0, 4)
    assert m.apic.read(ESR, 4) == 0
    m.apic.write(ESR, 4, 0)
    assert m.apic.read(ESR, 4) == 0xE0
    m.apic.write(ESR, 4, 0)
    assert m.apic.read(ESR, 4) == 0


def test_saved_state_round_trip(m: Machine) -> None:
    m.apic.write(LVT_TIMER, 4, 0x200EF)
    m.apic.write(INITIAL, 4, 100_000)
    m.apic.accept(0x91, True)
    data = m.apic.vmstate.save(m.apic)
    assert len(data) == 181
    other = Machine()
    other.apic.vmstate.load(other.apic, data)
    assert other.cpu.intr
    assert other.apic.get_interrupt() == 0x91
    assert other.clock.next_deadline() == m.clock.next_deadline()
