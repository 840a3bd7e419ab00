"""I/O APIC: redirection entries, edge and level pins, EOI."""

from __future__ import annotations

import pytest

from pyqemu.hw.intc.apic_bus import ApicBus
from pyqemu.hw.intc.ioapic import IoApic


class RecordingBus(ApicBus):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[int, bool, int, int, bool]] = []

    def deliver(self, destination: int, logical: bool, delivery: int, vector: int, level: bool) -> None:
        self.sent.append((destination, logical, delivery, vector, level))


@pytest.fixture
def bus() -> RecordingBus:
    return RecordingBus()


@pytest.fixture
def ioapic(bus: RecordingBus) -> IoApic:
    return IoApic(bus, lambda: 0x5A)


def put(ioapic: IoApic, register: int, value: int) -> None:
    ioapic.write(0x00, 4, register)
    ioapic.write(0x10, 4, value)


def get(ioapic: IoApic, register: int) -> int:
    ioapic.write(0x00, 4, register)
    return ioapic.read(0x10, 4)


def program(ioapic: IoApic, pin: int, low: int, high: int = 0) -> None:
    put(ioapic, 0x11 + 2 * pin, high)
    put(ioapic, 0x10 + 2 * pin, low)


def test_identification(ioapic: IoApic) -> None:
    assert get(ioapic, 1) == 0x0017_0011
    put(ioapic, 0, 0xFF00_0000)
    assert get(ioapic, 0) == 0x0F00_0000
    assert get(ioapic, 0x10) == 0x10000
    assert get(ioapic, 0x60) == 0


def test_edge_pin_sends_once_per_edge(ioapic: IoApic, bus: RecordingBus) -> None:
    program(ioapic, 4, 0x0841, 0x0300_0000)
    ioapic.inputs[4].set(True)
    assert bus.sent == [(3, True, 0, 0x41, False)]
    ioapic.inputs[4].set(False)
    ioapic.inputs[4].set(True)
    assert len(bus.sent) == 2


def test_edge_at_masked_pin_is_lost(ioapic: IoApic, bus: RecordingBus) -> None:
    ioapic.inputs[4].set(True)
    program(ioapic, 4, 0x41)
    assert not bus.sent


def test_irq0_arrives_at_pin_2(ioapic: IoApic, bus: RecordingBus) -> None:
    program(ioapic, 2, 0x30)
    ioapic.inputs[0].set(True)
    assert [message[3] for message in bus.sent] == [0x30]


def test_level_pin_waits_for_eoi(ioapic: IoApic, bus: RecordingBus) -> None:
    program(ioapic, 10, 0x8000 | 0x51)
    ioapic.inputs[10].set(True)
    assert get(ioapic, 0x10 + 20) & 0x4000
    ioapic.inputs[10].set(False)
    ioapic.inputs[10].set(True)
    assert len(bus.sent) == 1
    bus.end_of_interrupt(0x51)
    assert len(bus.sent) == 2
    ioapic.inputs[10].set(False)
    bus.end_of_interrupt(0x51)
    assert len(bus.sent) == 2
    assert not get(ioapic, 0x10 + 20) & 0x4000


def test_level_is_seen_when_unmasked(ioapic: IoApic, bus: RecordingBus) -> None:
    program(ioapic, 10, 0x18051)
    ioapic.inputs[10].set(True)
    assert not bus.sent
    program(ioapic, 10, 0x8051)
    assert len(bus.sent) == 1


def test_read_only_bits_stay(ioapic: IoApic) -> None:
    program(ioapic, 10, 0x8051)
    ioapic.inputs[10].set(True)
    put(ioapic, 0x10 + 20, 0x18051)
    assert get(ioapic, 0x10 + 20) == 0x1C051
    put(ioapic, 0x10 + 20, 0x10051)  # becoming edge triggered clears remote IRR
    assert get(ioapic, 0x10 + 20) == 0x10051


def test_extint_pin_asks_the_8259(ioapic: IoApic, bus: RecordingBus) -> None:
    program(ioapic, 1, 0x700)
    ioapic.inputs[1].set(True)
    assert bus.sent == [(0, False, 7, 0x5A, False)]


def test_eoi_register_only_from_version_20h(bus: RecordingBus) -> None:
    for version, expected in ((0x11, 1), (0x20, 2)):
        bus.sent.clear()
        ioapic = IoApic(bus, lambda: 0, version=version)
        program(ioapic, 10, 0x8051)
        ioapic.inputs[10].set(True)
        ioapic.write(0x40, 4, 0x51)
        assert len(bus.sent) == expected


def test_saved_state_size(ioapic: IoApic) -> None:
    assert len(ioapic.vmstate.save(ioapic)) == 206
