"""``isa-parallel``: the printer port at the usual places of a PC."""

from __future__ import annotations

from pyqemu.hw.char.parallel import Parallel
from pyqemu.hw.isa.bus import IsaDevice
from pyqemu.qom import DeviceError, Property, device_class

BASES = (0x378, 0x278, 0x3BC)
UNSET = 0xFFFF_FFFF


@device_class("isa-parallel", bus="isa", category="input")
class IsaParallel(IsaDevice):
    """LPT1 to LPT3 in the order of creation, or by ``index``, or anywhere by ``iobase`` and ``irq``."""

    index = Property.uint("index", UNSET)
    iobase = Property.uint("iobase", UNSET)
    irq = Property.uint("irq", 7)
    chardev = Property.link("chardev", "chardev")

    port: Parallel

    def realize(self) -> None:
        if self.index == UNSET:
            self.index = sum(isinstance(device, IsaParallel) for device in self.bus.devices) - 1
        if self.index >= len(BASES):
            raise DeviceError(f"Max. supported number of ISA parallel ports is {len(BASES)}.")
        if self.iobase == UNSET:
            self.iobase = BASES[self.index]
        chardev = self.chardev.claim() if self.chardev is not None else None
        self.port = Parallel(self.bus.irq(self.irq), chardev)
        # The extended (EPP) registers beyond the first three read as ones.
        self.ports = self.bus.register_ports(self.iobase, 8, self.port, "parallel", access=(1, 1))

    def unrealize(self) -> None:
        self.bus.io.remove(self.ports)
        if self.port.chardev is not None:
            self.port.chardev.release()

    def reset(self) -> None:
        self.port.reset()
