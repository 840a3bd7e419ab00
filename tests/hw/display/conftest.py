"""An adapter on plain spaces of memory and ports."""

from __future__ import annotations

import pytest

from pyqemu.hw.display.vga import Vga
from pyqemu.hw.display.vga_modes import MODES, VideoMode, load_palette, palette, program_mode
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.ui.font import font


class Adapter:
    """A VGA with what a CPU sees of it."""

    def __init__(self) -> None:
        self.vga = Vga()
        memory, io = MemoryRegion.container("memory"), MemoryRegion.container("io", 0x10000)
        self.vga.map_legacy(memory, io)
        self.memory = AddressSpace("memory", memory)
        self.io = AddressSpace("I/O", io)

    def out(self, port: int, *values: int) -> None:
        for value in values:
            self.io.store(port, 1, value)

    def inp(self, port: int) -> int:
        return self.io.load(port, 1)

    def graphics(self, index: int, value: int) -> None:
        """Set a graphics controller register."""
        self.io.store(0x3CE, 2, index | value << 8)

    def sequencer(self, index: int, value: int) -> None:
        """Set a sequencer register."""
        self.io.store(0x3C4, 2, index | value << 8)

    def vbe(self, index: int, value: int | None = None) -> int:
        """Write a VBE register, or read it."""
        self.io.store(0x1CE, 2, index)
        if value is None:
            return self.io.load(0x1CF, 2)
        self.io.store(0x1CF, 2, value)
        return value

    def set_mode(self, number: int) -> VideoMode:
        """What the BIOS does for INT 10h, AH=0."""
        mode = MODES[number]
        program_mode(lambda port, value: self.out(port, value), self.inp, mode)
        load_palette(lambda port, value: self.out(port, value), palette(mode.colours))
        if mode.kind == "text":
            self.vga.load_font(font(mode.char_height), mode.char_height)
        return mode


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()
