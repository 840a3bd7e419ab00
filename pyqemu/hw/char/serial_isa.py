"""``isa-serial``: a 16550A at the usual places of a PC."""

from __future__ import annotations

from pyqemu.hw.char.serial import Serial
from pyqemu.hw.isa.bus import IsaDevice
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.qom.vmstate import Struct, VMState

BASES = (0x3F8, 0x2F8, 0x3E8, 0x2E8)
IRQS = (4, 3, 4, 3)
UNSET = 0xFFFF_FFFF


@device_class("isa-serial", bus="isa", category="input")
class IsaSerial(IsaDevice):
    """COM1 to COM4 in the order of creation, or by ``index``, or anywhere by ``iobase`` and ``irq``."""

    index = Property.uint("index", UNSET)
    iobase = Property.uint("iobase", UNSET)
    irq = Property.uint("irq", UNSET)
    chardev = Property.link("chardev", "chardev")
    wakeup = Property.uint("wakeup", 0)

    uart: Serial

    vmstate = VMState("serial", version=3, minimum_version=2, fields=(Struct("uart", Serial.vmstate, wire="state"),))

    def realize(self) -> None:
        if self.index == UNSET:
            self.index = sum(isinstance(device, IsaSerial) for device in self.bus.devices) - 1
        if self.index >= len(BASES):
            raise DeviceError(f"Max. supported number of ISA serial ports is {len(BASES)}.")
        if self.iobase == UNSET:
            self.iobase = BASES[self.index]
        if self.irq == UNSET:
            self.irq = IRQS[self.index]
        chardev = self.chardev.claim() if self.chardev is not None else None
        system = self.bus.system
        self.uart = Serial(system.clock, self.bus.irq(self.irq), chardev, trace=system.trace)
        self.ports = self.bus.register_ports(self.iobase, 8, self.uart, "serial", access=(1, 4), impl=(1, 1))

    def unrealize(self) -> None:
        self.bus.io.remove(self.ports)
        if self.uart.chardev is not None:
            self.uart.chardev.release()

    def reset(self) -> None:
        self.uart.reset()
