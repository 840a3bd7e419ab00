"""The standard VGA modes: register values and palettes (PS/2 Hardware Interface Technical Reference).

For firmware that sets modes, and for tests.  Modes that differ from another one only by the display that they
were meant for share its values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

WritePort = Callable[[int, int], None]
Facts = tuple[str, int, int, int, int, int, int, int, int, str, int]


@dataclass(frozen=True)
class VideoMode:
    """One mode of the BIOS.

    ``columns`` and ``rows`` count characters, also in graphics modes; ``segment`` is where the CPU sees its
    memory; ``colours`` is that of the palette: "ega" (64 colours), "cga" (16), "mono" or "vga" (256);
    ``page_size`` in bytes as the BIOS data area counts; ``kind`` is "text", "cga", "planar" or "linear".
    """

    number: int
    kind: str
    columns: int
    rows: int
    char_height: int
    width: int
    height: int
    page_size: int
    pages: int
    segment: int
    colours: str
    misc: int
    sequencer: bytes
    crtc: bytes
    attribute: bytes
    graphics: bytes


# fmt: off
_SEQUENCER = {
    "text40": "03 08 03 00 02", "text80": "03 00 03 00 02",
    "cga4":   "03 09 03 00 02", "cga2":   "03 01 01 00 06",
    "plane40": "03 09 0f 00 06", "plane80": "03 01 0f 00 06", "linear": "03 01 0f 00 0e",
}
_CRTC = {
    "text40":  "2d 27 28 90 2b a0 bf 1f 00 4f 0d 0e 00 00 00 00 9c 8e 8f 14 1f 96 b9 a3 ff",
    "text80":  "5f 4f 50 82 55 81 bf 1f 00 4f 0d 0e 00 00 00 00 9c 8e 8f 28 1f 96 b9 a3 ff",
    "mono":    "5f 4f 50 82 55 81 bf 1f 00 4f 0d 0e 00 00 00 00 9c 8e 8f 28 0f 96 b9 a3 ff",
    "cga4":    "2d 27 28 90 2b 80 bf 1f 00 c1 00 00 00 00 00 00 9c 8e 8f 14 00 96 b9 a2 ff",
    "cga2":    "5f 4f 50 82 54 80 bf 1f 00 c1 00 00 00 00 00 00 9c 8e 8f 28 00 96 b9 c2 ff",
    "200x320": "2d 27 28 90 2b 80 bf 1f 00 c0 00 00 00 00 00 00 9c 8e 8f 14 00 96 b9 e3 ff",
    "200x640": "5f 4f 50 82 54 80 bf 1f 00 c0 00 00 00 00 00 00 9c 8e 8f 28 00 96 b9 e3 ff",
    "350":     "5f 4f 50 82 54 80 bf 1f 00 40 00 00 00 00 00 00 83 85 5d 28 0f 63 ba e3 ff",
    "480":     "5f 4f 50 82 54 80 0b 3e 00 40 00 00 00 00 00 00 ea 8c df 28 00 e7 04 e3 ff",
    "linear":  "5f 4f 50 82 54 80 bf 1f 00 41 00 00 00 00 00 00 9c 8e 8f 28 40 96 b9 a3 ff",
}
_ATTRIBUTE = {
    "text":   "00 01 02 03 04 05 14 07 38 39 3a 3b 3c 3d 3e 3f 0c 00 0f 08 00",
    "mono":   "00 08 08 08 08 08 08 08 10 18 18 18 18 18 18 18 0e 00 0f 08 00",
    "cga4":   "00 13 15 17 02 04 06 07 10 11 12 13 14 15 16 17 01 00 03 00 00",
    "cga2":   "00 17 17 17 17 17 17 17 17 17 17 17 17 17 17 17 01 00 01 00 00",
    "16":     "00 01 02 03 04 05 06 07 10 11 12 13 14 15 16 17 01 00 0f 00 00",
    "mono350": "00 08 00 00 18 18 00 00 00 08 00 00 00 18 00 00 0b 00 05 00 00",
    "64":     "00 01 02 03 04 05 14 07 38 39 3a 3b 3c 3d 3e 3f 01 00 0f 00 00",
    "2":      "00 3f 00 3f 00 3f 00 3f 00 3f 00 3f 00 3f 00 3f 01 00 0f 00 00",
    "256":    "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 41 00 0f 00 00",
}
_GRAPHICS = {
    "text":   "00 00 00 00 00 10 0e 0f ff", "mono":   "00 00 00 00 00 10 0a 0f ff",
    "cga4":   "00 00 00 00 00 30 0f 0f ff", "cga2":   "00 00 00 00 00 00 0d 0f ff",
    "planar": "00 00 00 00 00 00 05 0f ff", "linear": "00 00 00 00 00 40 05 0f ff",
}

# kind, columns, rows, character height, width, height, page size, pages, segment, palette, misc, and which of
# the register sets above
_MODES: dict[int, tuple[Facts, str]] = {
    0x00: (("text",   40, 25, 16, 360, 400, 0x0800, 8, 0xB800, "ega",  0x67), "text40 text40 text text"),
    0x02: (("text",   80, 25, 16, 720, 400, 0x1000, 8, 0xB800, "ega",  0x67), "text80 text80 text text"),
    0x04: (("cga",    40, 25,  8, 320, 200, 0x4000, 1, 0xB800, "cga",  0x63), "cga4 cga4 cga4 cga4"),
    0x06: (("cga",    80, 25,  8, 640, 200, 0x4000, 1, 0xB800, "cga",  0x63), "cga2 cga2 cga2 cga2"),
    0x07: (("text",   80, 25, 16, 720, 400, 0x1000, 8, 0xB000, "mono", 0x66), "text80 mono mono mono"),
    0x0D: (("planar", 40, 25,  8, 320, 200, 0x2000, 8, 0xA000, "cga",  0x63), "plane40 200x320 16 planar"),
    0x0E: (("planar", 80, 25,  8, 640, 200, 0x4000, 4, 0xA000, "cga",  0x63), "plane80 200x640 16 planar"),
    0x0F: (("planar", 80, 25, 14, 640, 350, 0x8000, 2, 0xA000, "mono", 0xA2), "plane80 350 mono350 planar"),
    0x10: (("planar", 80, 25, 14, 640, 350, 0x8000, 2, 0xA000, "ega",  0xA3), "plane80 350 64 planar"),
    0x11: (("planar", 80, 30, 16, 640, 480, 0xA000, 1, 0xA000, "ega",  0xE3), "plane80 480 2 planar"),
    0x12: (("planar", 80, 30, 16, 640, 480, 0xA000, 1, 0xA000, "ega",  0xE3), "plane80 480 64 planar"),
    0x13: (("linear", 40, 25,  8, 320, 200, 0x2000, 1, 0xA000, "vga",  0x63), "linear linear 256 linear"),
}
# fmt: on
_SAME_AS = {0x01: 0x00, 0x03: 0x02, 0x05: 0x04}


def _mode(number: int) -> VideoMode:
    facts, sets = _MODES[_SAME_AS.get(number, number)]
    sequencer, crtc, attribute, graphics = sets.split()
    return VideoMode(
        number,
        *facts,
        bytes.fromhex(_SEQUENCER[sequencer]),
        bytes.fromhex(_CRTC[crtc]),
        bytes.fromhex(_ATTRIBUTE[attribute]),
        bytes.fromhex(_GRAPHICS[graphics]),
    )


MODES = {number: _mode(number) for number in sorted((*_MODES, *_SAME_AS))}
"""All modes by number."""


# -- palettes -----------------------------------------------------------------------------------------------

DARK, HALF, FULL = 0x00, 0x2A, 0x3F
STEP = 0x15  # what the low bit of a colour adds


def _ega(index: int) -> tuple[int, ...]:
    """Six bits r g b R G B: the lower three count two thirds, the upper one third."""
    return tuple((index >> bit & 1) * HALF + (index >> bit + 3 & 1) * STEP for bit in (2, 1, 0))


def _cga(index: int) -> tuple[int, ...]:
    """Three bits R G B, and intensity in bit 4; dark yellow is made brown, as the CGA's display did."""
    bright = STEP if index & 0x10 else 0
    if index & 0x17 == 0x06:
        return HALF, STEP, DARK
    return tuple((index >> bit & 1) * HALF + bright for bit in (2, 1, 0))


def _mono(index: int) -> tuple[int, ...]:
    """Black, normal and bright, by bits 3 and 4."""
    level = {0: DARK, 1: HALF, 2: HALF, 3: FULL}[index >> 3 & 3]
    return level, level, level


def palette(colours: str) -> bytes:
    """The DAC's contents as the BIOS loads them for such modes: three bytes of six bits an entry.

    64 entries, or 256 for "vga".
    """
    if colours == "vga":
        return palette_256()
    rule = {"ega": _ega, "cga": _cga, "mono": _mono}[colours]
    return bytes(level for index in range(64) for level in rule(index))


# Grey levels of entries 16 to 31 of the 256-colour palette
GREYS = bytes.fromhex("00 05 08 0b 0e 11 14 18 1c 20 24 28 2d 32 38 3f")
# The levels between the weakest and the strongest of red, green and blue, for three intensities and three
# saturations: the hue goes in steps through these.
RAMPS = tuple(
    bytes.fromhex(text)
    for text in (
        "00 10 1f 2f 3f", "1f 27 2f 37 3f", "2d 31 36 3a 3f",
        "00 07 0e 15 1c", "0e 11 15 18 1c", "14 16 18 1a 1c",
        "00 04 08 0c 10", "08 0a 0c 0e 10", "0b 0c 0d 0f 10",
    )
)  # fmt: skip


def _hues(ramp: bytes) -> bytes:
    """24 hues around the circle: blue, magenta, red, yellow, green, cyan, back to blue."""
    low, high = ramp[0], ramp[4]
    out = bytearray()
    for sixth in range(6):
        for step in range(4):
            up, down = ramp[step], ramp[4 - step]
            out += bytes((
                (up, high, high, down, low, low)[sixth],
                (low, low, up, high, high, down)[sixth],
                (high, down, low, low, up, high)[sixth],
            ))  # fmt: skip
    return bytes(out)


def palette_256() -> bytes:
    """The 256-colour palette of mode 13h: the CGA's 16 colours, 16 greys, 9 circles of 24 hues, 8 blacks."""
    first = bytes(level for index in range(16) for level in _cga(index & 7 | (index & 8) << 1))
    greys = bytes(level for level in GREYS for _ in range(3))
    return first + greys + b"".join(_hues(ramp) for ramp in RAMPS) + bytes(3 * 8)


# -- setting a mode -----------------------------------------------------------------------------------------


def program_mode(write_port: WritePort, read_port: Callable[[int], int], mode: VideoMode) -> None:
    """Set all registers to *mode* by byte accesses to the ports; palette and memory stay as they are."""
    crtc = 0x3D4 if mode.misc & 1 else 0x3B4
    write_port(0x3C2, mode.misc)
    for index, value in enumerate(mode.sequencer):
        write_port(0x3C4, index)
        write_port(0x3C5, value)
    write_port(crtc, 0x11)
    write_port(crtc + 1, 0)  # lifts the protection of registers 0 to 7
    for index, value in enumerate(mode.crtc):
        write_port(crtc, index)
        write_port(crtc + 1, value)
    for index, value in enumerate(mode.graphics):
        write_port(0x3CE, index)
        write_port(0x3CF, value)
    read_port(crtc + 6)  # the next write to 3C0h is an index
    for index, value in enumerate(mode.attribute):
        write_port(0x3C0, index)
        write_port(0x3C0, value)
    write_port(0x3C0, 0x20)  # the screen on


def load_palette(write_port: WritePort, entries: bytes, first: int = 0) -> None:
    """Load DAC entries from number *first* on."""
    write_port(0x3C8, first)
    for level in entries:
        write_port(0x3C9, level)
