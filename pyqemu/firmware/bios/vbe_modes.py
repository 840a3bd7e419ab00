"""The VBE modes of the Bochs adapter, by the numbers that its BIOS has always had (VESA's up to 11Bh)."""

from __future__ import annotations

from typing import NamedTuple


class VbeMode(NamedTuple):
    """Width, height, bits a pixel (15 means 5:5:5 in two bytes)."""

    width: int
    height: int
    depth: int

    @property
    def pixel_bytes(self) -> int:
        return (self.depth + 7) // 8

    @property
    def line_bytes(self) -> int:
        return self.width // 8 if self.depth == 4 else self.width * self.pixel_bytes

    @property
    def size(self) -> int:
        """Bytes of video memory that a screen takes."""
        return self.line_bytes * self.height * (4 if self.depth == 4 else 1)


def _table() -> dict[int, VbeMode]:
    table = {
        0x100: VbeMode(640, 400, 8), 0x101: VbeMode(640, 480, 8), 0x102: VbeMode(800, 600, 4),
        0x103: VbeMode(800, 600, 8), 0x104: VbeMode(1024, 768, 4), 0x105: VbeMode(1024, 768, 8),
        0x106: VbeMode(1280, 1024, 4), 0x107: VbeMode(1280, 1024, 8), 0x11C: VbeMode(1600, 1200, 8),
        0x11D: VbeMode(1600, 1200, 15), 0x11E: VbeMode(1600, 1200, 16), 0x11F: VbeMode(1600, 1200, 24),
        0x140: VbeMode(320, 200, 32), 0x141: VbeMode(640, 400, 32), 0x142: VbeMode(640, 480, 32),
        0x143: VbeMode(800, 600, 32), 0x144: VbeMode(1024, 768, 32), 0x145: VbeMode(1280, 1024, 32),
        0x146: VbeMode(320, 200, 8), 0x147: VbeMode(1600, 1200, 32), 0x148: VbeMode(1152, 864, 8),
        0x149: VbeMode(1152, 864, 15), 0x14A: VbeMode(1152, 864, 16), 0x14B: VbeMode(1152, 864, 24),
        0x14C: VbeMode(1152, 864, 32),
    }  # fmt: skip
    number = 0x10D
    for width, height in ((320, 200), (640, 480), (800, 600), (1024, 768), (1280, 1024)):
        for depth in (15, 16, 24):
            table[number] = VbeMode(width, height, depth)
            number += 1
    number = 0x175
    for width, height in ((1280, 768), (1280, 800), (1280, 960), (1440, 900), (1400, 1050), (1680, 1050),
                          (1920, 1200), (2560, 1600), (1280, 720), (1920, 1080)):  # fmt: skip
        for depth in (16, 24, 32):
            table[number] = VbeMode(width, height, depth)
            number += 1
    return dict(sorted(table.items()))


VBE_MODES = _table()
