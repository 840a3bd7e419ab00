"""``isa-vga``: the standard adapter on the ISA bus."""

from __future__ import annotations

from pyqemu.hw.display.vga import MIB, Vga
from pyqemu.hw.isa.bus import IsaDevice
from pyqemu.qom import DeviceError, Property, device_class

LFB_BASE = 0xE0000000  # where Bochs had the frame buffer before there was a BAR to tell


@device_class("isa-vga", bus="isa", category="display")
class IsaVga(IsaDevice):
    """Ports and window as every VGA, the linear frame buffer at a fixed address."""

    vgamem_mb = Property.uint("vgamem_mb", 8)
    retrace = Property.enum("retrace", ("dumb", "precise"), "dumb")

    vga: Vga

    vmstate = Vga.vmstate  # of the chip: there is nothing around it

    def realize(self) -> None:
        if not 1 <= self.vgamem_mb <= 512 or self.vgamem_mb & self.vgamem_mb - 1:
            raise DeviceError("Property 'isa-vga.vgamem_mb' must be a power of two from 1 to 512")
        clock = self.bus.system.clock if self.retrace == "precise" else None
        self.vga = Vga(self.vgamem_mb * MIB, clock=clock, trace=self.bus.system.trace)
        self.vga.is_vbe_vmstate = 0  # QEMU says so in this adapter's section, and saves VBE's registers all the same
        self.vga.map_legacy(self.bus.memory, self.bus.io)
        self.bus.memory.add(LFB_BASE, self.vga.vram_region)

    def reset(self) -> None:
        self.vga.reset()
