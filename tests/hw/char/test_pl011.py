"""The PL011, through its registers and its line."""

from __future__ import annotations

import random

import pytest

from pyqemu.chardev import ChardevEvent
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.hw.char.pl011 import Pl011
from pyqemu.system import FakeClock, Irq, System
from tests.hw.board_rig import PRIMECELL_ID, compare, saved_and_loaded, words
from tests.qtest_reference import QtestReference, needs_qemu_arm

DR, RSR, FR, LCR_H, CR, IFLS, IMSC, RIS, MIS, ICR = 0, 4, 0x18, 0x2C, 0x30, 0x34, 0x38, 0x3C, 0x40, 0x44
RXFE, TXFF, RXFF, TXFE = 0x10, 0x20, 0x40, 0x80
RX, TX = 0x10, 0x20


class Port:
    """A UART with a backend to look into."""

    def __init__(self) -> None:
        self.irq = Irq()
        self.line = RingbufChardev("serial0", System(clock=FakeClock()))
        self.line.open()
        self.uart = Pl011(self.irq, self.line.claim())

    def read(self, offset: int) -> int:
        return self.uart.region.load(offset, 4)

    def write(self, offset: int, value: int) -> None:
        self.uart.region.store(offset, 4, value)


@pytest.fixture
def port() -> Port:
    return Port()


def test_reset_values(port: Port) -> None:
    assert [port.read(each) for each in (FR, LCR_H, CR, IFLS, IMSC, RIS)] == [TXFE | RXFE, 0, 0x300, 0x12, 0, 0]
    assert bytes(port.read(each) for each in PRIMECELL_ID) == bytes.fromhex("11 10 14 00 0d f0 05 b1")


def test_what_is_written_goes_out_and_interrupts_when_it_is_out(port: Port) -> None:
    port.write(IMSC, TX)
    for byte in b"hi":
        port.write(DR, byte)
    assert port.line.peek() == b"hi" and port.read(FR) & TXFE
    assert port.irq.level and port.read(MIS) == TX
    port.write(ICR, TX)
    assert not port.irq.level


def test_without_fifo_one_character_is_taken_at_a_time(port: Port) -> None:
    port.write(IMSC, RX)
    assert port.uart.can_receive() == 1
    port.uart.receive(b"ab")
    assert port.read(FR) & (RXFE | RXFF) == RXFF and port.irq.level
    assert port.read(DR) == ord("a")
    assert port.read(FR) & RXFE and not port.irq.level


def test_the_fifo_holds_sixteen(port: Port) -> None:
    port.write(LCR_H, 0x70)
    port.uart.receive(bytes(range(20)))
    assert port.read(FR) & RXFF and port.uart.can_receive() == 0
    assert [port.read(DR) for _ in range(16)] == list(range(16))
    assert port.read(FR) & RXFE


def test_changing_the_depth_empties_the_fifo(port: Port) -> None:
    port.write(LCR_H, 0x70)
    port.uart.receive(b"lost")
    port.write(LCR_H, 0x60)
    assert port.read(FR) & RXFE and port.uart.can_receive() == 1


def test_a_break_is_told_with_its_character(port: Port) -> None:
    port.line.on_event(ChardevEvent.BREAK)
    assert port.read(DR) == 0x400 and port.read(RSR) == 4
    port.write(RSR, 0)
    assert port.read(RSR) == 0


def test_a_slow_backend_looks_like_a_full_fifo(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RingbufChardev, "backlog", 1 << 20)
    assert port.read(FR) & (TXFF | TXFE) == TXFF


def test_a_loaded_uart_goes_on(port: Port) -> None:
    port.write(LCR_H, 0x70)
    port.write(IMSC, RX)
    port.uart.receive(b"xyz")
    other = Port()
    assert saved_and_loaded(port.uart, other.uart)
    assert other.irq.level and [other.read(DR) for _ in range(3)] == list(b"xyz")


@needs_qemu_arm
def test_registers_are_qemus(rng: random.Random) -> None:
    with QtestReference("-M", "virt-2.6", "-cpu", "cortex-a15") as qemu:
        compare(Pl011(Irq()), qemu, 0x09000000, rng, [*words(0, 0x60), *PRIMECELL_ID], words(0, 0x60))
