"""PrimeCell colour LCD controllers PL110 (DDI 0161E) and PL111 (DDI 0293C): a picture in memory."""

from __future__ import annotations

from pyqemu.hw.core.primecell import identification, peripheral_id
from pyqemu.hw.core.sysbus import SysBusDevice
from pyqemu.memory import AddressSpace
from pyqemu.qom import device_class
from pyqemu.qom.vmstate import I32, U32, Array, VMState
from pyqemu.system import Irq
from pyqemu.ui.frame import Frame, blank_frame

# fmt: off
TIMING0, UPBASE, LPBASE, REGISTER_18, REGISTER_1C           = 0x00, 0x10, 0x14, 0x18, 0x1C
RIS, MIS, ICR, UPCURR, LPCURR, PALETTE, PALETTE_END         = 0x20, 0x24, 0x28, 0x2C, 0x30, 0x200, 0x400
# LCDControl, 3.2.7
ENABLE, BGR, BIG_ENDIAN_BYTES, BIG_ENDIAN_PIXELS, POWER     = 1 << 0, 1 << 8, 1 << 9, 1 << 10, 1 << 11
BPP_1, BPP_2, BPP_4, BPP_8, BPP_16, BPP_32, BPP_565, BPP_444 = range(8)
MUX_5551, MUX_565_RED_LOW, MUX_565                          = 1, 2, 3  # DUI 0225D 4.3.10
# fmt: on
BITS = (1, 2, 4, 8, 16, 32, 16, 16)
MAX_SIZE = 1024


class Pl110Base(SysBusDevice):
    """What the variants have in common.

    :param memory: where the picture is
    """

    ids = peripheral_id(0x110)
    control_first = False
    """Whether LCDControl is at 0x18 and the interrupt mask at 0x1C, or the other way round."""
    version = 0
    """QEMU's number of the variant, for the saved state."""

    vmstate = VMState(
        "pl110",
        version=2,
        minimum_version=1,
        fields=(
            I32("version"), Array("timing", U32, 4), U32("cr"), U32("upbase"), U32("lpbase"), U32("int_status"),
            U32("int_mask"), I32("cols"), I32("rows"), U32("bpp", maximum=7), I32("invalidate"),
            Array("palette", U32, 256), Array("raw_palette", U32, 128), U32("mux_ctrl", since=2, maximum=3),
        ),
        post_load=lambda lcd: lcd.update(),
    )  # fmt: skip

    def __init__(self, irq: Irq, memory: AddressSpace) -> None:
        super().__init__()
        self.irq, self.memory = irq, memory
        self.mux_inputs = [Irq(self._mux_changed), Irq(self._mux_changed)]
        self.mux_ctrl = 0
        self.invalidate = 1  # pictures are always made anew
        self.palette = [0] * 256
        self.add_registers("pl110", 0x1000, self)
        self.reset()

    def reset(self) -> None:
        """Table 3-1."""
        self.timing = [0] * 4
        self.cr = self.upbase = self.lpbase = self.int_status = self.int_mask = 0
        self.cols = self.rows = self.bpp = 0
        self.raw_palette = [0] * 128
        self.update()

    def _mux_changed(self, _level: bool) -> None:
        self.mux_ctrl = sum(line.level << bit for bit, line in enumerate(self.mux_inputs))

    def update(self) -> None:
        """Drive the interrupt from state."""
        self.irq.set(bool(self.int_status & self.int_mask))

    # -- registers

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        if PALETTE <= offset < PALETTE_END:
            return self.raw_palette[offset - PALETTE >> 2]
        if offset < UPBASE:
            return self.timing[offset >> 2]
        match offset:
            case 0x10 | 0x2C:
                return self.upbase
            case 0x14 | 0x30:
                return self.lpbase
            case 0x18:
                return self.cr if self.control_first else self.int_mask
            case 0x1C:
                return self.int_mask if self.control_first else self.cr
            case 0x20:
                return self.int_status
            case 0x24:
                return self.int_status & self.int_mask
            case _:
                return identification(self.ids, offset)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if PALETTE <= offset < PALETTE_END:
            self.raw_palette[offset - PALETTE >> 2] = value
        elif offset < UPBASE:
            self.timing[offset >> 2] = value
            self.cols = ((self.timing[0] & 0xFC) + 4) * 4
            self.rows = (self.timing[1] & 0x3FF) + 1
        match offset:
            case 0x10:
                self.upbase = value
            case 0x14:
                self.lpbase = value
            case 0x18 | 0x1C:
                if (offset == REGISTER_18) == self.control_first:
                    self.cr, self.bpp = value, value >> 1 & 7
                else:
                    self.int_mask = value
            case 0x28:
                self.int_status &= ~value
        self.update()

    # -- the picture

    def frame(self) -> Frame:
        """What is shown now."""
        on = ENABLE | POWER
        if self.cr & on != on or not 0 < self.cols <= MAX_SIZE or not 0 < self.rows <= MAX_SIZE:
            return blank_frame(640, 480)
        length = self.cols * self.rows * BITS[self.bpp] // 8
        data = bytes(self.memory.read(self.upbase & ~3, length))
        pixels = self._indexed(data) if self.bpp < BPP_16 else self._direct(data)
        return Frame("graphics", self.cols, self.rows, pixels)

    def _indexed(self, data: bytes) -> bytes:
        """By the palette: 15 bits of colour, two entries in each word (3.2.12)."""
        bits = BITS[self.bpp]
        entries = [self.raw_palette[n >> 1] >> 16 * (n & 1) & 0xFFFF for n in range(256)]
        colours = [self._colour(entry, 5, 5, 5) for entry in entries]
        mask, per_byte = (1 << bits) - 1, 8 // bits
        big = self.cr & BIG_ENDIAN_PIXELS
        places = [bits * (per_byte - 1 - n if big else n) for n in range(per_byte)]
        table = [b"".join(colours[byte >> place & mask] for place in places) for byte in range(256)]
        return b"".join(map(table.__getitem__, data))

    def _direct(self, data: bytes) -> bytes:
        order = "big" if self.cr & BIG_ENDIAN_BYTES else "little"
        step = BITS[self.bpp] // 8
        widths = self._widths()
        numbers = (
            int.from_bytes(data[position : position + step], order)  # type: ignore[arg-type]
            for position in range(0, len(data), step)
        )
        known: dict[int, bytes] = {}
        out = []
        for number in numbers:
            colour = known.get(number)
            if colour is None:
                colour = known[number] = self._colour(number, *widths)
            out.append(colour)
        return b"".join(out)

    def _widths(self) -> tuple[int, int, int]:
        """Bits of the lowest, middle and highest component."""
        if self.bpp == BPP_32:
            return 8, 8, 8
        if self.bpp == BPP_16:
            return (5, 6, 5) if self.mux_ctrl in (MUX_565, MUX_565_RED_LOW) else (5, 5, 5)
        return (5, 6, 5) if self.bpp == BPP_565 else (4, 4, 4)

    def _colour(self, number: int, low: int, middle: int, high: int) -> bytes:
        """Three bytes: red, green, blue. Red is lowest, unless components are swapped (LCDControl.BGR)."""
        parts = []
        for width in (low, middle, high):
            parts.append((number & (1 << width) - 1) * 255 // ((1 << width) - 1))
            number >>= width
        swapped = bool(self.cr & BGR) != (self.mux_ctrl == MUX_565 and self.bpp == BPP_16)
        return bytes(reversed(parts)) if swapped else bytes(parts)


@device_class("pl110", bus="sysbus", category="display", user_creatable=False)
class Pl110(Pl110Base):
    """The PL110."""


@device_class("pl110_versatile", bus="sysbus", category="display", user_creatable=False)
class Pl110Versatile(Pl110Base):
    """As it is wired on the Versatile boards: with two registers exchanged, and a multiplexer before the display."""

    control_first = True
    version = 1


@device_class("pl111", bus="sysbus", category="display", user_creatable=False)
class Pl111(Pl110Base):
    """The PL111; its cursor is not shown."""

    ids = bytes((0x11, 0x11, 0x24, 0x00, 0x0D, 0xF0, 0x05, 0xB1))
    control_first = True
    version = 2
