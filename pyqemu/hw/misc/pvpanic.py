"""The panic port: a guest kernel tells that it is dead (QEMU ``docs/specs/pvpanic.txt``)."""

from __future__ import annotations

from pyqemu.hw.isa.bus import IsaDevice
from pyqemu.qom import Property, device_class

PANICKED = 0x01


@device_class("pvpanic", category="misc")
class Pvpanic(IsaDevice):
    """Reads tell the events that it knows; writing one reports it."""

    ioport = Property.uint("ioport", 0x505, bits=16)

    def realize(self) -> None:
        """Take the port."""
        self.bus.register_ports(self.ioport, 1, self, "pvpanic", access=(1, 1))

    def read(self, offset: int, size: int) -> int:
        """Return the events that are supported."""
        return PANICKED

    def write(self, offset: int, size: int, value: int) -> None:
        """The guest panicked."""
        if value & PANICKED:
            self.bus.system.guest_panicked()
