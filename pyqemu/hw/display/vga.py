"""The VGA with Bochs VBE extensions, as QEMU's ``-vga std``; without a bus.

Parts: registers (:mod:`~pyqemu.hw.display.vga_registers`), the CPU's window on memory
(:mod:`~pyqemu.hw.display.vga_window`), the VBE registers (:mod:`~pyqemu.hw.display.vga_vbe`), and the picture
(:mod:`~pyqemu.hw.display.vga_picture`). :mod:`~pyqemu.hw.display.vga_pci` and
:mod:`~pyqemu.hw.display.vga_isa` put it on a bus.
"""

from __future__ import annotations

from pyqemu.hw.display.vga_picture import VgaPicture
from pyqemu.hw.display.vga_registers import VgaRegisters
from pyqemu.hw.display.vga_text import FONT_SIZE, GLYPH_SIZE
from pyqemu.hw.display.vga_vbe import Vbe
from pyqemu.hw.display.vga_window import WINDOW_BASE, VgaWindow
from pyqemu.memory import MemoryRegion
from pyqemu.qom.vmstate import I32, U8, U16, U32, Array, Bool, Buffer, Equal8, VMState
from pyqemu.system import Clock
from pyqemu.ui.frame import Frame
from pyqemu.util.trace_events import SILENT, TraceEvents

MIB = 1 << 20
VGA_PORTS, VGA_PORT_COUNT = 0x3B0, 0x30
VBE_PORTS, VBE_PORT_COUNT = 0x1CE, 4  # index; data at 1CFh, and at 1D0h for aligned accesses


class Vga(VgaRegisters):
    """The adapter.

    :param vram_size: bytes of video memory, a power of two from 1 MiB on
    :param clock: see :class:`VgaRegisters`
    """

    vmstate = VMState(
        "vga",
        version=2,
        fields=(
            U32("latch"), U8("sr_index", maximum=7), Buffer("sr", 8), U8("gr_index", maximum=15), Buffer("gr", 16),
            U8("ar_index"), Buffer("ar", 21), I32("ar_flip_flop"), U8("cr_index"), Buffer("cr", 256),
            U8("msr"), U8("fcr"), U8("st00"), U8("st01"),
            U8("dac_state"), U8("dac_sub_index", maximum=2), U8("dac_read_index"), U8("dac_write_index"),
            Buffer("dac_cache", 3), Buffer("palette", 768), I32("bank_offset", minimum=0, maximum=(1 << 29) - 1),
            Equal8("is_vbe_vmstate"),
            U16("vbe.index", wire="vbe_index"), Array("vbe.regs", U16, 10, wire="vbe_regs"),
            U32("vbe.start_addr", wire="vbe_start_addr"), U32("vbe.line_offset", wire="vbe_line_offset"),
            U32("vbe.bank_mask", wire="vbe_bank_mask"),
        ),
        subsections=(
            VMState("vga.endian", fields=(Bool("big_endian", wire="big_endian_fb"),),
                    needed=lambda vga: vga.big_endian),
        ),
        pre_save=lambda vga: vga.window.write_back(),
        post_load=lambda vga: vga.loaded(),
    )  # fmt: skip

    def __init__(
        self, vram_size: int = 16 * MIB, *, clock: Clock | None = None, name: str = "vga", trace: TraceEvents = SILENT
    ) -> None:
        if vram_size < MIB or vram_size & vram_size - 1:
            raise ValueError("video memory must be a power of two of at least 1 MiB")
        self.trace = trace
        self.vram_size = vram_size
        self.vram_region = MemoryRegion.ram(f"{name}.vram", vram_size)
        assert self.vram_region.ram_block is not None
        self.vram = self.vram_region.ram_block
        self.vram_words = self.vram.data.cast("I")
        self.bank_offset = 0
        self.big_endian = False
        self.is_vbe_vmstate = 1
        super().__init__(clock=clock)
        self.vbe = Vbe(self)
        self.window = VgaWindow(self, name)
        self.picture = VgaPicture(self)
        self.on_change = self.window.update
        self.window.update()

    @property
    def latch(self) -> int:
        """The four bytes of the last planar read."""
        return self.window.latch

    @latch.setter
    def latch(self, value: int) -> None:
        self.window.latch = value

    def reset(self) -> None:
        """Power-on state of the registers; video memory stays as it is."""
        self.reset_registers()
        self.vbe.reset()
        self.bank_offset = 0
        self.big_endian = False
        self.window.latch = 0
        self.window.update()

    def loaded(self) -> None:
        """Saved state was put into the registers and the memory."""
        self.ar_flip_flop = bool(self.ar_flip_flop)
        self.drop_absent_bits()
        self.dac_8bit = bool(self.vbe.regs[4] & 0x20)
        self.vbe.loaded()
        self.window.update()
        self.window.reload()

    def render(self, *, pixels: bool = True) -> Frame:
        """What is on the screen now; without *pixels* only the text, which is much quicker."""
        return self.picture.render(pixels=pixels)

    def load_font(self, glyphs: bytes, height: int, *, first: int = 0, block: int = 0) -> None:
        """Put glyphs of *height* bytes each into font *block* (0 to 7), as firmware does through plane 2."""
        base = (block >> 2 & 1 | block << 1 & 6) * FONT_SIZE
        for number in range(len(glyphs) // height):
            glyph = glyphs[number * height : (number + 1) * height].ljust(GLYPH_SIZE, b"\0")
            start = (base + (first + number) * GLYPH_SIZE) * 4 + 2
            self.vram.data[start : start + GLYPH_SIZE * 4 : 4] = glyph

    def map_legacy(self, memory: MemoryRegion, io: MemoryRegion, priority: int = 1) -> None:
        """Put the ports and the window at A0000h where every PC program looks for them."""
        memory.add(WINDOW_BASE, self.window.region, priority)
        io.add(VGA_PORTS, MemoryRegion.mmio("vga", VGA_PORT_COUNT, VgaPorts(self), access=(1, 4), impl=(1, 1)))
        io.add(VBE_PORTS, MemoryRegion.mmio("vbe", VBE_PORT_COUNT, VbePorts(self), access=(1, 4)))


class VgaPorts:
    """Ports 3B0h to 3DFh, byte by byte."""

    def __init__(self, vga: Vga) -> None:
        self._vga = vga

    def read(self, offset: int, size: int) -> int:
        value = self._vga.read_port(VGA_PORTS + offset)
        if event := self._vga.trace.vga_std_read_io:
            event(addr=VGA_PORTS + offset, val=value)
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        if event := self._vga.trace.vga_std_write_io:
            event(addr=VGA_PORTS + offset, val=value)
        self._vga.write_port(VGA_PORTS + offset, value)


class VbePorts:
    """Ports 1CEh (index) and 1CFh or 1D0h (data), 16 bits wide."""

    def __init__(self, vga: Vga) -> None:
        self._vbe = vga.vbe

    def read(self, offset: int, size: int) -> int:
        if size == 1:
            return 0xFF
        return self._vbe.index if offset == 0 else self._vbe.read()

    def write(self, offset: int, size: int, value: int) -> None:
        if size == 1:
            return
        if offset == 0:
            self._vbe.index = value & 0xFFFF
        else:
            self._vbe.write(value & 0xFFFF)
