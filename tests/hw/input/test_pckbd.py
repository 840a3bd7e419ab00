"""The 8042 through its two ports."""

from __future__ import annotations

import pytest

from pyqemu.hw.input.pckbd import I8042
from pyqemu.hw.isa.bus import IsaBus


class Machine:
    """A bus with the controller on it."""

    def __init__(self) -> None:
        self.bus = IsaBus.standalone()
        self.device = self.bus.add(I8042())
        assert isinstance(self.device, I8042)
        self.io = self.bus.address_space_io

    def command(self, value: int, *data: int) -> None:
        self.io.store(0x64, 1, value)
        for byte in data:
            self.io.store(0x60, 1, byte)

    def read(self) -> int:
        assert self.status & 1
        return self.io.load(0x60, 1)

    @property
    def status(self) -> int:
        return self.io.load(0x64, 1)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_self_test(machine: Machine) -> None:
    assert machine.status == 0x18
    machine.command(0xAA)
    assert machine.read() == 0x55
    assert machine.status & 0x05 == 0x04
    for command in (0xAB, 0xA9):
        machine.command(command)
        assert machine.read() == 0


def test_command_byte(machine: Machine) -> None:
    machine.command(0x60, 0x61)
    machine.command(0x20)
    assert machine.read() == 0x61


def test_keys_interrupt_and_are_translated(machine: Machine) -> None:
    machine.command(0x60, 0x41)
    machine.device.keyboard.put_key("a", True)
    machine.device.keyboard.put_key("a", False)
    assert machine.bus.irq(1).level
    assert machine.read() == 0x1E
    assert machine.bus.irq(1).level
    assert machine.bus.irq(1).edges == 2
    assert machine.read() == 0x9E
    assert not machine.bus.irq(1).level


def test_mouse_bytes_have_their_own_line_and_status_bit(machine: Machine) -> None:
    machine.command(0x60, 0x47)
    machine.command(0xD4, 0xF4)
    assert machine.status & 0x21 == 0x21
    assert machine.bus.irq(12).level
    assert machine.read() == 0xFA
    assert not machine.bus.irq(12).level


def test_a_byte_stays_what_it_is_when_others_arrive(machine: Machine) -> None:
    machine.command(0xD4, 0xF4)
    machine.device.keyboard.put_key("a", True)
    assert machine.status & 0x20
    assert machine.read() == 0xFA
    assert not machine.status & 0x20
    assert machine.read() == 0x1C


def test_disabled_lines_keep_their_data(machine: Machine) -> None:
    machine.command(0xAD)
    machine.device.keyboard.put_key("a", True)
    assert not machine.status & 1
    machine.command(0x20)
    assert machine.read() & 0x10
    machine.command(0xAE)
    assert machine.read() == 0x1C


def test_replies_in_disabled_state_do_not_interrupt(machine: Machine) -> None:
    machine.command(0xAD)
    machine.command(0x20)
    assert not machine.bus.irq(1).level
    machine.read()


def test_looped_back_bytes(machine: Machine) -> None:
    machine.command(0xD2, 0x12)
    assert not machine.status & 0x20
    assert machine.read() == 0x12
    machine.command(0xD3, 0x34)
    assert machine.status & 0x20
    assert machine.read() == 0x34


def test_a20_gate(machine: Machine) -> None:
    assert machine.device.a20_out.level
    machine.command(0xDD)
    assert not machine.device.a20_out.level
    machine.command(0xD0)
    assert machine.read() & 0x03 == 0x01
    machine.command(0xD1, 0xDF)
    assert machine.device.a20_out.level


@pytest.mark.parametrize("how", [(0xFE,), (0xF0,), (0xD1, 0x02)])
def test_reset_line(machine: Machine, how: tuple[int, ...]) -> None:
    machine.command(*how)
    assert machine.bus.system.request_pending


def test_pulse_of_other_bits_does_nothing(machine: Machine) -> None:
    machine.command(0xFF)
    machine.command(0xFD)
    assert not machine.bus.system.request_pending


def test_reading_an_empty_buffer_gives_the_last_byte(machine: Machine) -> None:
    machine.device.keyboard.put_key("a", True)
    assert machine.read() == 0x1C
    assert machine.io.load(0x60, 1) == 0x1C


def test_system_reset_restores_everything(machine: Machine) -> None:
    machine.command(0x60, 0x70)
    machine.command(0xDD)
    machine.bus.system.reset()
    assert machine.device.a20_out.level
    assert machine.status == 0x18
    machine.command(0x20)
    assert machine.read() == 0x03
