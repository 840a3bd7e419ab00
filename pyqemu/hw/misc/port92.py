"""System control port A, 0x92 (PS/2 and later): fast A20 gate and fast reset."""

from __future__ import annotations

from pyqemu.hw.isa.bus import IsaDevice
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import U8, VMState
from pyqemu.system import Irq, ShutdownCause

RESET = 0x01
A20 = 0x02


@device_class("port92", category="misc", user_creatable=False)
class Port92(IsaDevice):
    """Bit 0 resets when it rises, bit 1 is the A20 line (``a20``)."""

    vmstate = VMState("port92", fields=(U8("outport"),), post_load=lambda port: port.a20.set(bool(port.outport & A20)))

    def __init__(self, a20: Irq | None = None, **props: object) -> None:
        super().__init__(**props)
        self.a20 = a20 if a20 is not None else Irq.none()
        self.outport = 0

    def realize(self) -> None:
        """Take the port."""
        self.bus.register_ports(0x92, 1, self, "port92", access=(1, 1))

    def read(self, offset: int, size: int) -> int:
        """Return what was written."""
        return self.outport

    def write(self, offset: int, size: int, value: int) -> None:
        """Drive A20; a rise of bit 0 resets."""
        rose = value & ~self.outport & RESET
        self.outport = value
        self.a20.set(bool(value & A20))
        if rose:
            self.bus.system.request_reset(ShutdownCause.GUEST_RESET)

    def reset(self) -> None:
        """Both bits fall, and so A20 is masked until the firmware opens it."""
        self.outport = 0
        self.a20.set(False)
