"""The read-only data of the video services, laid out as an adapter's ROM at C0000h: fonts, tables, strings.

Programs that look for a VGA's BIOS there find a header; the code is in segment F000h. ``rom.py`` keeps the result.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pyqemu.firmware.bios.vbe_modes import VBE_MODES
from pyqemu.ui.font import font

SEGMENT = 0xC000
ROM_SIZE = 0x8000
_RETF = 0xCB

_STRINGS = {"oem": "pyqemu VGA", "vendor": "pyqemu", "product": "pyqemu VBE", "revision": "1.0"}

# INT 10h AH=1Bh's static table: all modes; 200, 350 and 400 lines; 8 fonts, 2 at once; all services (Ralf Brown)
_FUNCTIONALITY = struct.pack("<I3xBBBHHB", 0x000FFFFF, 0x07, 8, 2, 0x0CE7, 0, 0)[:16].ljust(16, b"\x00")

# Display combinations that function 1Ah may report: a count, version, highest code, then pairs
_COMBINATIONS = bytes((16, 1, 8, 0)) + bytes.fromhex(
    "0000 0100 0200 0201 0400 0401 0500 0205 0006 0106 0506 0008 0108 0007 0207 0607"
)


@dataclass
class VideoRom:
    """The image, and the offsets of what is in it by names that begin with ``video_``."""

    image: bytearray = field(default_factory=lambda: bytearray(ROM_SIZE))
    symbols: dict[str, int] = field(default_factory=dict)
    position: int = 0x40

    def put(self, name: str, data: bytes, align: int = 2) -> int:
        """Place *data* and return its offset."""
        at = -(-self.position // align) * align
        self.image[at : at + len(data)] = data
        self.position = at + len(data)
        self.symbols[f"video_{name}"] = at
        return at


def build_video_rom() -> VideoRom:
    """Lay everything out behind the header; all bytes sum to 0."""
    rom = VideoRom()
    rom.image[0:4] = bytes((0x55, 0xAA, ROM_SIZE // 512, _RETF))
    rom.image[0x1E:0x22] = b"IBM\x00"  # some programs take nothing else for a VGA
    for name, text in _STRINGS.items():
        rom.put(name, text.encode() + b"\x00")
    rom.put("modes", struct.pack(f"<{len(VBE_MODES) + 1}H", *VBE_MODES, 0xFFFF))
    rom.put("functionality", _FUNCTIONALITY)
    combinations = rom.put("combinations", _COMBINATIONS, 4)
    secondary = rom.put("secondary", struct.pack("<HHH20x", 26, combinations, SEGMENT))
    rom.put("save_pointers", struct.pack("<IIIIHHII", 0, 0, 0, 0, secondary, SEGMENT, 0, 0), 4)
    rom.put("no_glyphs", b"\x00")
    for height in (8, 14, 16):
        rom.put(f"font{height}", font(height), 16)
    rom.image[-1] = -sum(rom.image) & 0xFF
    return rom
