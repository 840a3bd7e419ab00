"""``isa-parallel``: the printer port at the usual places of a PC."""

from __future__ import annotations

from pyqemu.hw.char.parallel import Parallel
from pyqemu.hw.isa.bus import IsaDevice
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.qom.vmstate import I32, U8, VMState

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

    vmstate = VMState(
        "parallel_isa",
        version=1,
        fields=(
            U8("port.dataw", wire="state.dataw"), U8("port.datar", wire="state.datar"),
            U8("port.status", wire="state.status"), U8("port.control", wire="state.control"),
            I32("port.irq_pending", wire="state.irq_pending"), I32("port.epp_timeout", wire="state.epp_timeout"),
        ),
        post_load=lambda device: device.port.update(),
    )  # fmt: skip

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
