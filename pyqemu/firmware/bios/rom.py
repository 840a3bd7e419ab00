"""The ROM image: segment F000h, and the video data that POST copies to C0000h.

Both are built from ``rom.asm`` and ``video_rom.py`` beforehand (see ``build.py``), so that starting a machine costs no
assembler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pyqemu.firmware.bios.layout import ROM_SIZE
from pyqemu.firmware.bios.rom_symbols import SYMBOLS

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Rom:
    """Segment F000h and the video data, and the offsets of what is in them."""

    segment: bytes
    video: bytes
    symbols: Mapping[str, int]

    @property
    def image(self) -> bytes:
        """The image as it is mapped: it ends at 1 MiB and, the same, at 4 GiB."""
        return bytes(ROM_SIZE - len(self.segment)) + self.segment


@cache
def load_rom() -> Rom:
    """The ROM as it was built."""
    return Rom((HERE / "rom.bin").read_bytes(), (HERE / "video.bin").read_bytes(), SYMBOLS)
