"""A port through which a guest ends the emulator: for tests."""

from __future__ import annotations

from pyqemu.hw.isa.bus import IsaDevice
from pyqemu.qom import Property, device_class
from pyqemu.system import ShutdownCause


@device_class("isa-debug-exit", category="misc")
class IsaDebugExit(IsaDevice):
    """Writing ``n`` ends the program with exit status ``2 n + 1``."""

    iobase = Property.uint("iobase", 0x501)
    iosize = Property.uint("iosize", 0x02)

    def realize(self) -> None:
        """Take the ports."""
        self.bus.register_ports(self.iobase, self.iosize, self, "isa-debug-exit", access=(1, 4))

    def read(self, offset: int, size: int) -> int:
        """Reads as zero."""
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """End with a status that a guest cannot make zero."""
        self.bus.system.request_exit((value << 1 | 1) & 0xFF, ShutdownCause.GUEST_SHUTDOWN)
