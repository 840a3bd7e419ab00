"""An I2C bus: bytes between a host and the device that it calls by its address (UM10204, 3.1)."""

from __future__ import annotations

from pyqemu.hw.core.bus import DeviceBus
from pyqemu.qom import Device, Property
from pyqemu.qom.vmstate import U8, VMState

ADDRESS_VMSTATE = VMState("I2CSlave", version=1, fields=(U8("address"),))


class I2cDevice(Device):
    """A device with an address of 7 bits."""

    bus_type = "i2c-bus"
    hotpluggable = False
    address = Property.uint("address", 0, bits=8)

    def start(self, *, reading: bool) -> None:
        """A host calls: it will read or write."""

    def send(self, value: int) -> bool:
        """A byte from the host; whether it is acknowledged."""
        raise NotImplementedError

    def receive(self) -> int:
        """A byte for the host."""
        raise NotImplementedError


class I2cBus(DeviceBus[I2cDevice]):
    """The bus.

    :ivar called: the device that a host has called, until it ends the transfer
    """

    type_name = "i2c-bus"
    called: I2cDevice | None = None

    def start(self, address: int, *, reading: bool) -> bool:
        """Call the device of that address; whether there is one."""
        self.called = next((device for device in self.children if device.address == address), None)
        if self.called is not None:
            self.called.start(reading=reading)
        return self.called is not None

    def send(self, value: int) -> bool:
        """Send a byte; whether it is acknowledged."""
        return self.called is not None and self.called.send(value)

    def receive(self) -> int:
        """Read a byte; nobody leaves the line high."""
        return self.called.receive() if self.called is not None else 0xFF

    def end(self) -> None:
        """The transfer is over."""
        self.called = None
