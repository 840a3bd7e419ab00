"""``VGA``: the standard adapter on PCI (QEMU ``docs/specs/standard-vga.txt``)."""

from __future__ import annotations

from pathlib import Path

from pyqemu.hw.display.vga import MIB, Vga
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.pci.state import pci_function
from pyqemu.memory import MemoryRegion
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.qom.vmstate import Struct, VMState

MMIO_SIZE = 0x1000
VGA_FIRST, VGA_END, VGA_PORT = 0x400, 0x420, 0x3C0  # the ports 3C0h to 3DFh in BAR 2
VBE_FIRST, VBE_END = 0x500, 0x516  # one 16-bit register after another
EXTENDED_FIRST, EXTENDED_SIZE = 0x600, 8  # size of this block, byte order of the frame buffer
LITTLE_ENDIAN, BIG_ENDIAN = 0x1E1E1E1E, 0xBEBEBEBE


@device_class("VGA", bus="pci", category="display")
class VgaPci(PciDevice):
    """BAR 0 is the frame buffer, BAR 2 has the registers; ports and window are where every VGA has them."""

    vendor_id, device_id, revision, class_id = 0x1234, 0x1111, 2, 0x0300
    hotpluggable = False

    vgamem_mb = Property.uint("vgamem_mb", 16)
    mmio = Property.bool("mmio", True)
    extended = Property.bool("qemu-extended-regs", True)
    retrace = Property.enum("retrace", ("dumb", "precise"), "dumb")

    vga: Vga

    vmstate = VMState("vga", version=2, fields=(pci_function("dev"), Struct("vga", Vga.vmstate)))

    def realize(self) -> None:
        if not 1 <= self.vgamem_mb <= 512 or self.vgamem_mb & self.vgamem_mb - 1:
            raise DeviceError("Property 'VGA.vgamem_mb' must be a power of two from 1 to 512")
        clock = self.bus.system.clock if self.retrace == "precise" else None
        self.vga = Vga(self.vgamem_mb * MIB, clock=clock, trace=self.bus.system.trace)
        self.vga.map_legacy(self.bus.memory, self.bus.io)
        self.register_bar(0, self.vga.vram_region, "mem", prefetch=True)
        if self.mmio:
            handler = VgaMmio(self.vga, extended=self.extended)
            region = MemoryRegion.mmio("vga.mmio", MMIO_SIZE, handler, access=(1, 4))
            self.register_bar(2, region)
        if self.romfile and self.rombar:
            self.load_romfile(Path(self.romfile))

    def reset(self) -> None:
        self.vga.reset()


class VgaMmio:
    """The registers in BAR 2."""

    def __init__(self, vga: Vga, *, extended: bool) -> None:
        self._vga = vga
        self._extended = extended

    def read(self, offset: int, size: int) -> int:
        if VGA_FIRST <= offset < VGA_END:
            return sum(self._vga.read_port(VGA_PORT + offset - VGA_FIRST + index) << 8 * index for index in range(size))
        if VBE_FIRST <= offset < VBE_END and size == 2:
            self._vga.vbe.index = offset - VBE_FIRST >> 1
            return self._vga.vbe.read()
        if self._extended and offset == EXTENDED_FIRST:
            return EXTENDED_SIZE
        if self._extended and offset == EXTENDED_FIRST + 4:
            return BIG_ENDIAN if self._vga.big_endian else LITTLE_ENDIAN
        return (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        if VGA_FIRST <= offset < VGA_END:
            for index in range(size):
                self._vga.write_port(VGA_PORT + offset - VGA_FIRST + index, value >> 8 * index & 0xFF)
        elif VBE_FIRST <= offset < VBE_END and size == 2:
            self._vga.vbe.index = offset - VBE_FIRST >> 1
            self._vga.vbe.write(value)
        elif self._extended and offset == EXTENDED_FIRST + 4 and value in (LITTLE_ENDIAN, BIG_ENDIAN):
            self._vga.big_endian = value == BIG_ENDIAN
