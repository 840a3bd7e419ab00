"""The picture of a BCM2835's graphics core (Raspberry Pi firmware wiki: *Mailbox framebuffer interface*, *Mailbox
property interface*): software asks for a size and a depth by the mailbox, and learns where in memory the picture is.

A virtual size other than the real one is not there: what lies beyond is not shown, as in QEMU 2.6.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable

from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.memory import AddressSpace
from pyqemu.qom import Property, device_class
from pyqemu.qom.vmstate import U32, Bool, Unused, VMState
from pyqemu.ui.frame import Frame, blank_frame

CHANNEL = 1
PICTURE_OFFSET = 0x10_0000  #: of the picture in the graphics core's memory, which begins with the palette
CACHING = 0xC000_0000  #: bits of bus addresses that choose a kind of caching
REQUEST = struct.Struct("<10I")  # width, height, virtual ones, pitch, depth, offsets, address, size
LARGEST = 4096
BGR, RGB = 0, 1
PALETTE = 256
Tag = Callable[[bytes], bytes]


@device_class("bcm2835-fb", bus="sysbus", category="display", user_creatable=False)
class Bcm2835Fb(SysBusDevice):
    """The picture.

    :param memory: what the graphics core sees
    """

    vcram_base = Property.uint("vcram-base", 0)
    vcram_size = Property.uint("vcram-size", 64 << 20)
    first_xres = Property.uint("xres", 640)
    first_yres = Property.uint("yres", 480)
    first_bpp = Property.uint("bpp", 16)
    first_pixo = Property.uint("pixo", RGB)
    first_alpha = Property.uint("alpha", 2)

    vmstate = VMState(
        "bcm2835-fb",
        version=1,
        fields=(
            Bool("lock"), Bool("invalidate"), Bool("pending"), U32("xres", wire="config.xres"),
            U32("yres", wire="config.yres"), U32("xres_virtual", wire="config.xres_virtual"),
            U32("yres_virtual", wire="config.yres_virtual"), U32("xoffset", wire="config.xoffset"),
            U32("yoffset", wire="config.yoffset"), U32("bpp", wire="config.bpp"), U32("base", wire="config.base"),
            Unused(8), U32("pixo", wire="config.pixo"), U32("alpha", wire="config.alpha"),
        ),
    )  # fmt: skip

    def __init__(self, memory: AddressSpace, **props: object) -> None:
        super().__init__(**props)
        self.memory = memory
        self.lock = self.pending = False  # requests are answered at once
        self.invalidate = True  # pictures are always made anew
        self.reset()

    def reset(self) -> None:
        """As it was configured."""
        self.xres, self.yres, self.bpp = self.first_xres, self.first_yres, self.first_bpp
        self.xres_virtual, self.yres_virtual = self.xres, self.yres
        self.pixo, self.alpha = self.first_pixo, self.first_alpha
        self.xoffset = self.yoffset = 0
        self.base = self.vcram_base + PICTURE_OFFSET

    @property
    def pitch(self) -> int:
        """Bytes from one line to the next."""
        return self.xres * (self.bpp >> 3) & 0xFFFF_FFFF

    @property
    def size(self) -> int:
        """Bytes of the picture."""
        return self.yres * self.pitch & 0xFFFF_FFFF

    # -- the mailbox's own channel

    def request(self, value: int) -> int:
        """Read what is wanted from the buffer at an address, and write there what came of it."""
        fields = [*REQUEST.unpack(self.memory.read(value, REQUEST.size))]
        self.xres, self.yres, self.xres_virtual, self.yres_virtual = fields[:4]
        self.bpp, self.xoffset, self.yoffset = fields[5:8]
        self.base = (self.vcram_base | value & CACHING) + PICTURE_OFFSET
        fields[4], fields[8], fields[9] = self.pitch, self.base, self.size
        self.memory.write(value, REQUEST.pack(*fields))
        return 0

    # -- tags of the property channel

    def tags(self) -> dict[int, Tag]:
        """What answers to the tags that are about the picture."""
        found: dict[int, Tag] = {
            0x40001: lambda asked: _words(self.base, self.size),
            0x48001: lambda asked: b"",
            0x40002: lambda asked: asked[:4],
            0x40008: lambda asked: _words(self.pitch),
            0x4800B: self._set_palette,
        }
        pairs = {3: ("xres", "yres"), 4: ("xres", "yres"), 9: ("xoffset", "yoffset")}
        values = {5: ("bpp",), 6: ("pixo",), 7: ("alpha",)}
        for number, names in {**pairs, **values}.items():
            found[0x40000 + number] = lambda asked, names=names: self._get(names)  # type: ignore[misc]
            found[0x44000 + number] = lambda asked, names=names: asked[: 4 * len(names)]  # type: ignore[misc]
            found[0x48000 + number] = lambda asked, names=names: self._set(names, asked)  # type: ignore[misc]
        for kind in (0x40000, 0x44000, 0x48000):  # overscan: there is none
            found[kind + 0xA] = lambda asked: bytes(16)
        return found

    def _get(self, names: tuple[str, ...]) -> bytes:
        return _words(*(getattr(self, name) for name in names))

    def _set(self, names: tuple[str, ...], asked: bytes) -> bytes:
        """Take as many values as there are; a test tells the same without taking them."""
        for name, (value,) in zip(names, struct.iter_unpack("<I", asked[: len(asked) & ~3]), strict=False):
            setattr(self, name, value)
        return asked[: 4 * len(names)]

    def _set_palette(self, asked: bytes) -> bytes:
        """First entry, number of entries, and these."""
        if len(asked) < 8:
            return _words(1)
        first, count = struct.unpack_from("<II", asked)
        entries = asked[8 : 8 + 4 * min(count, PALETTE)]
        if first + count > PALETTE:
            return _words(1)
        self.memory.write(self.vcram_base + 4 * first, entries)
        return _words(0)

    # -- the picture

    def frame(self) -> Frame:
        """What is shown now."""
        if not (0 < self.xres <= LARGEST and 0 < self.yres <= LARGEST) or self.bpp not in (8, 16, 24, 32):
            return blank_frame(640, 480)
        data = self.memory.read(self.base, self.size)
        if self.bpp == 8:
            rgb = self._indexed(data)
        elif self.bpp == 16:
            rgb = _of_565(data)
        else:
            rgb = _of_bytes(data, self.bpp // 8)
        if self.pixo == BGR:
            rgb[0::3], rgb[2::3] = rgb[2::3], rgb[0::3]
        return Frame("graphics", self.xres, self.yres, bytes(rgb))

    def _indexed(self, data: bytes) -> bytearray:
        palette = self.memory.read(self.vcram_base, 4 * PALETTE)
        colours = [palette[start : start + 3] for start in range(0, 4 * PALETTE, 4)]
        return bytearray(b"".join(map(colours.__getitem__, data)))


def _words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _of_bytes(data: bytes, step: int) -> bytearray:
    """Red first, in three or four bytes."""
    out = bytearray(len(data) // step * 3)
    for component in range(3):
        out[component::3] = data[component::step]
    return out


def _of_565(data: bytes) -> bytearray:
    """Red is highest."""
    pixels = array("H")
    pixels.frombytes(data)
    colours = {value: bytes(((value >> 11) * 255 // 31, (value >> 5 & 63) * 255 // 63, (value & 31) * 255 // 31))
               for value in set(pixels)}  # fmt: skip
    return bytearray(b"".join(map(colours.__getitem__, pixels)))
