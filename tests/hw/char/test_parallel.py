"""The printer port."""

from __future__ import annotations

from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.hw.char.parallel_isa import IsaParallel
from pyqemu.hw.isa.bus import IsaBus


def test_bytes_are_printed_when_strobed() -> None:
    bus = IsaBus.standalone()
    line = RingbufChardev("parallel0", bus.system)
    bus.add(IsaParallel(chardev=line))
    io = bus.address_space_io
    for byte in b"ok":
        assert io.load(0x379, 1) & 0x80  # not busy
        io.store(0x378, 1, byte)
        io.store(0x37A, 1, 0x1D)
        io.store(0x37A, 1, 0x1C)
        assert bus.irq(7).level
        io.load(0x379, 1)
        io.load(0x379, 1)
        assert not bus.irq(7).level
    assert line.peek() == b"ok"
    assert io.load(0x378, 1) == ord("k")


def test_reset_by_init() -> None:
    bus = IsaBus.standalone()
    bus.add(IsaParallel())
    io = bus.address_space_io
    io.store(0x37A, 1, 0x0D)
    io.store(0x37A, 1, 0x08)
    assert io.load(0x379, 1) & 0xF8 == 0xD8
    assert io.load(0x37A, 1) == 0xC8
