"""Debug console, debug exit, panic port, port 92h."""

from __future__ import annotations

import pytest

from pyqemu.hw.isa.bus import IsaBus
from pyqemu.hw.misc.debugcon import IsaDebugcon
from pyqemu.hw.misc.debugexit import IsaDebugExit
from pyqemu.hw.misc.port92 import Port92
from pyqemu.hw.misc.pvpanic import Pvpanic
from pyqemu.qom import DeviceError
from pyqemu.system import FakeIrq, RunState


class Sink:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


@pytest.fixture
def bus() -> IsaBus:
    return IsaBus.standalone()


def test_debug_console(bus: IsaBus) -> None:
    sink = Sink()
    bus.add(IsaDebugcon(chardev=sink, iobase=0x402))
    bus.address_space_io.store(0x402, 1, 0x41)
    assert sink.data == b"A"
    assert bus.address_space_io.load(0x402, 1) == 0xE9


def test_debug_console_needs_a_chardev(bus: IsaBus) -> None:
    with pytest.raises(DeviceError, match="empty char device"):
        bus.add(IsaDebugcon())


@pytest.mark.parametrize(("value", "code"), [(0, 1), (0x10, 0x21), (0xFF, 0xFF)])
def test_debug_exit(bus: IsaBus, value: int, code: int) -> None:
    bus.add(IsaDebugExit())
    bus.address_space_io.store(0x501, 1, value)
    assert bus.system.process_requests()
    assert bus.system.exit_code == code


def test_panic_stops_the_machine(bus: IsaBus) -> None:
    events: list[str] = []
    bus.system.event_sinks.append(lambda name, data: events.append(name))
    bus.add(Pvpanic())
    bus.system.start()
    assert bus.address_space_io.load(0x505, 1) == 1
    bus.address_space_io.store(0x505, 1, 1)
    bus.system.process_requests()
    assert bus.system.state is RunState.GUEST_PANICKED
    assert "GUEST_PANICKED" in events


def test_port_92(bus: IsaBus) -> None:
    a20 = FakeIrq()
    bus.add(Port92(a20))
    io = bus.address_space_io
    io.store(0x92, 1, 2)
    assert a20.level
    assert io.load(0x92, 1) == 2
    assert not bus.system.request_pending
    io.store(0x92, 1, 3)
    io.store(0x92, 1, 3)
    assert bus.system.request_pending
    bus.system.process_requests()
    assert not a20.level
    assert io.load(0x92, 1) == 0
