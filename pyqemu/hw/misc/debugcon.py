"""The debug console: a port whose bytes go to a character device (Bochs's port 0xE9)."""

from __future__ import annotations

from pyqemu.hw.isa.bus import IsaDevice
from pyqemu.qom import DeviceError, Property, device_class


@device_class("isa-debugcon", category="misc")
class IsaDebugcon(IsaDevice):
    """One port: writes are output, reads tell a guest that it is there."""

    iobase = Property.uint("iobase", 0xE9)
    chardev = Property.link("chardev", "chardev")
    readback = Property.uint("readback", 0xE9)

    def realize(self) -> None:
        """Take the port."""
        if self.chardev is None:
            raise DeviceError("Can't create debugcon device, empty char device", "chardev=ID")
        self.bus.register_ports(self.iobase, 1, self, "isa-debugcon", access=(1, 1))

    def read(self, offset: int, size: int) -> int:
        """Return the value that says that there is a console."""
        return self.readback

    def write(self, offset: int, size: int, value: int) -> None:
        """Send a byte."""
        self.chardev.write(bytes((value & 0xFF,)))
