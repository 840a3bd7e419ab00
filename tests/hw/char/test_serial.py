"""The 16550A, through its registers and its line."""

from __future__ import annotations

import pytest

from pyqemu.chardev import ChardevEvent
from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.hw.char.serial import Serial
from pyqemu.hw.char.serial_isa import IsaSerial
from pyqemu.hw.isa.bus import IsaBus
from pyqemu.qom import DeviceError
from pyqemu.system import FakeClock, Irq, System

CHARACTER_9600 = 10 * 1_000_000_000 // 9600


class Port:
    """A UART with a backend to look into."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.irq = Irq()
        self.line = RingbufChardev("serial0", System(clock=self.clock))
        self.line.open()
        self.uart = Serial(self.clock, self.irq, self.line.claim())

    def read(self, offset: int) -> int:
        return self.uart.read(offset, 1)

    def write(self, offset: int, value: int) -> None:
        self.uart.write(offset, 1, value)


@pytest.fixture
def port() -> Port:
    return Port()


@pytest.fixture
def fifo(port: Port) -> Port:
    port.write(2, 0x81)  # FIFOs on, trigger level 8
    port.write(3, 0x03)  # eight data bits
    port.write(1, 0x01)
    return port


def test_reset_values(port: Port) -> None:
    assert [port.read(offset) for offset in range(1, 8)] == [0, 0x01, 0, 0x08, 0x60, 0xB0, 0]


def test_divisor_latch_hides_data_and_ier(port: Port) -> None:
    port.write(3, 0x80)
    assert (port.read(0), port.read(1)) == (12, 0)
    port.write(0, 0x34)
    port.write(1, 0x12)
    assert port.uart.divider == 0x1234
    port.write(3, 0x03)
    assert port.read(1) == 0


def test_scratch_and_read_only_registers(port: Port) -> None:
    port.write(7, 0x5A)
    port.write(5, 0x00)
    port.write(6, 0x00)
    assert (port.read(7), port.read(5), port.read(6)) == (0x5A, 0x60, 0xB0)


def test_transmit_goes_out_at_once(port: Port) -> None:
    for byte in b"hello":
        port.write(0, byte)
        assert port.read(5) & 0x60 == 0x60
    assert port.line.peek() == b"hello"


def test_thre_interrupt_acknowledged_by_iir(port: Port) -> None:
    port.write(1, 0x02)
    assert port.irq.level
    assert port.read(2) == 0x02
    assert not port.irq.level
    assert port.read(2) == 0x01
    port.write(0, 0x41)
    assert port.irq.level


def test_thre_interrupt_comes_again_when_enabled_again(port: Port) -> None:
    port.write(1, 0x02)
    port.read(2)
    port.write(1, 0x00)
    port.write(1, 0x02)
    assert port.irq.level


def test_receive_without_fifo(port: Port) -> None:
    port.write(1, 0x01)
    port.line.feed(b"ab")  # the second byte finds no room and is not taken
    assert port.irq.level
    assert port.read(2) == 0x04
    assert port.read(5) & 1
    assert port.read(0) == ord("a")
    assert not port.irq.level
    assert not port.read(5) & 1


def test_overrun_without_fifo(port: Port) -> None:
    port.write(1, 0x04)
    port.uart.receive(b"a")
    port.uart.receive(b"b")
    assert port.read(2) == 0x06
    assert port.read(5) & 0x02
    assert not port.irq.level
    assert port.read(5) & 0x02 == 0
    assert port.read(0) == ord("b")


def test_fifo_interrupts_at_trigger_level(fifo: Port) -> None:
    fifo.line.feed(b"1234567")
    assert not fifo.irq.level
    fifo.line.feed(b"8")
    assert fifo.irq.level
    assert fifo.read(2) == 0xC4
    fifo.read(0)
    assert not fifo.irq.level


def test_fifo_takes_what_the_level_lets_it(fifo: Port) -> None:
    assert fifo.uart.can_receive() == 8
    fifo.line.feed(b"0123456789abcdefXYZ")
    assert len(fifo.uart.recv_fifo) == 16
    assert fifo.uart.can_receive() == 0
    assert bytes(fifo.read(0) for _ in range(16)) == b"0123456789abcdef"
    assert fifo.read(0) == 0


def test_fifo_timeout_after_four_characters(fifo: Port) -> None:
    fifo.line.feed(b"ab")
    fifo.clock.advance(4 * CHARACTER_9600 - 1000)
    assert not fifo.irq.level
    fifo.clock.advance(2000)
    assert fifo.irq.level
    assert fifo.read(2) == 0xCC
    fifo.read(0)
    assert not fifo.irq.level
    fifo.clock.advance(4 * CHARACTER_9600 + 1000)
    assert fifo.irq.level
    fifo.read(0)
    assert not fifo.irq.level


def test_changing_fifo_mode_empties_it(fifo: Port) -> None:
    fifo.line.feed(b"ab")
    fifo.write(2, 0)
    assert not fifo.read(5) & 1
    assert fifo.read(2) & 0xC0 == 0


def test_break(port: Port) -> None:
    port.write(1, 0x04)
    port.line.on_event(ChardevEvent.BREAK)
    assert port.read(2) == 0x06
    assert port.read(5) & 0x11 == 0x11
    assert port.read(0) == 0


def test_priorities(port: Port) -> None:
    port.write(1, 0x0F)
    port.write(4, 0x10)  # loopback: modem inputs change
    port.uart._put_received(b"ab")
    causes = []
    for clear in (5, 0, 2, 6):
        causes.append(port.read(2) if clear != 2 else port.uart.iir)
        port.read(clear)
    assert causes == [0x06, 0x04, 0x02, 0x00]
    assert port.read(2) == 0x01


@pytest.mark.parametrize(
    ("mcr", "lines"), [(0x10, 0x00), (0x11, 0x20), (0x12, 0x10), (0x14, 0x40), (0x18, 0x80), (0x1A, 0x90)]
)
def test_loopback_of_modem_lines(port: Port, mcr: int, lines: int) -> None:
    port.write(4, mcr)
    assert port.read(6) & 0xF0 == lines
    port.write(4, 0)
    assert port.read(6) & 0xF0 == 0xB0


def test_ring_counts_when_it_ends(port: Port) -> None:
    port.write(4, 0x14)
    port.read(6)
    port.write(4, 0x10)
    assert port.read(6) == 0x04


def test_loopback_of_data(port: Port) -> None:
    port.write(4, 0x10)
    port.write(0, 0x55)
    port.line.feed(b"x")
    assert port.read(5) & 1
    assert port.read(0) == 0x55
    assert not port.read(5) & 1
    assert port.line.peek() == b""


def test_transmitter_stops_behind_a_slow_backend(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RingbufChardev, "backlog", 1 << 20)
    port.write(0, 0x41)
    assert not port.read(5) & 0x60
    monkeypatch.setattr(RingbufChardev, "backlog", 0)
    assert port.line.on_drain is not None
    port.line.on_drain()
    assert port.read(5) & 0x60 == 0x60
    assert port.line.peek() == b"A"


def test_isa_places_and_lines() -> None:
    bus = IsaBus.standalone()
    ports = [bus.add(IsaSerial()) for _ in range(4)]
    assert [(port.iobase, port.irq) for port in ports] == [(0x3F8, 4), (0x2F8, 3), (0x3E8, 4), (0x2E8, 3)]
    assert bus.address_space_io.load(0x3FD, 1) == 0x60
    assert bus.address_space_io.load(0x3F8 + 2, 2) == 0x0001
    with pytest.raises(DeviceError, match=r"Max\. supported number of ISA serial ports is 4"):
        bus.add(IsaSerial())


def test_isa_interrupt_reaches_the_bus() -> None:
    bus = IsaBus.standalone()
    line = RingbufChardev("serial0", bus.system)
    bus.add(IsaSerial(chardev=line))
    bus.address_space_io.store(0x3F9, 1, 0x01)
    line.feed(b"k")
    assert bus.irq(4).level
    assert bus.address_space_io.load(0x3F8, 1) == ord("k")
    assert not bus.irq(4).level
