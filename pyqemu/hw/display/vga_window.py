"""The CPU's window on video memory, A0000h to BFFFFh (PS/2 Hardware Interface Technical Reference, "Video").

Video memory is kept with its four planes interleaved: byte ``4 * address + plane``.  That makes chained
("linear") modes plain memory, so in these the window *is* the memory: guests write at native speed.

Text modes chain two planes: even addresses are plane 0, odd ones plane 1.  There the window is a plain memory
of its own, filled from the planes when such a mode begins and put back when it ends (or when somebody looks
at the planes).  Only the planar modes need a call per access; for them a function is made that has the
registers' values in it, anew whenever a register changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.hw.display.vga_registers import (
    GR_BIT_MASK,
    GR_COMPARE,
    GR_DONT_CARE,
    GR_ENABLE_SET_RESET,
    GR_MISC,
    GR_MODE,
    GR_MODE_ODD_EVEN,
    GR_MODE_READ_COMPARE,
    GR_READ_MAP,
    GR_ROTATE,
    GR_SET_RESET,
    SR_MAP_MASK,
    SR_MEMORY_CHAIN4,
    SR_MEMORY_MODE,
)
from pyqemu.memory import MemoryRegion, memory_transaction

if TYPE_CHECKING:
    from pyqemu.hw.display.vga import Vga

WINDOW_BASE, WINDOW_SIZE = 0xA0000, 0x20000
# Memory map select, GR6 bits 2-3: offset in the window, size
MAPS = ((0x00000, 0x20000), (0x00000, 0x10000), (0x10000, 0x08000), (0x18000, 0x08000))
CHAINED_SIZE = 0x10000

# The four bits of a plane mask as four bytes of ones or zeros
PLANES = [sum(0xFF << 8 * plane for plane in range(4) if mask >> plane & 1) for mask in range(16)]
REPEAT = 0x01010101
ALL = 0xFFFFFFFF

Reader = Callable[[int], int]
Writer = Callable[[int, int], None]


class VgaWindow:
    """Decides how the window is mapped, and handles the accesses that no plain memory can stand for."""

    def __init__(self, vga: Vga, name: str = "vga") -> None:
        self.vga = vga
        self.latch = 0
        self._dirty = vga.vram.dirty
        self.region = MemoryRegion.container(f"{name}-window", WINDOW_SIZE)
        self._planar = MemoryRegion.mmio(f"{name}-lowmem", WINDOW_SIZE, self, access=(1, 8))
        self._linear = MemoryRegion.alias(f"{name}.chain4", vga.vram_region, 0, CHAINED_SIZE)
        self._chained = MemoryRegion.ram(f"{name}.text", CHAINED_SIZE)
        assert self._chained.ram_block is not None
        self.chained = self._chained.ram_block.data
        self._chained_alias = MemoryRegion.alias(f"{name}.chain2", self._chained, 0, CHAINED_SIZE)
        self._linear.enabled = self._chained_alias.enabled = False
        self.region.add(0, self._planar)
        self.region.add(0, self._linear, 2)
        self.region.add(0, self._chained_alias, 2)
        self.chained_size = 0  # bytes of the planes that live in `chained` now
        self._key: tuple[object, ...] = ()
        self._reader: Reader | None = None
        self._writer: Writer | None = None
        self._base, self._end = MAPS[0]

    # -- mapping --------------------------------------------------------------------------------------

    def update(self) -> None:
        """Registers changed: map anew if it makes a difference."""
        self._reader = self._writer = None
        base, size = MAPS[self.vga.gr[GR_MISC] >> 2 & 3]
        self._base, self._end = base, base + size
        kind = self._kind(size)
        key = kind, base, size, self.vga.bank_offset if kind == "linear" else 0
        if key == self._key:
            return
        self._key = key
        with memory_transaction():
            self._leave_chained()
            self._linear.enabled = kind == "linear"
            if kind == "linear":
                self._linear.address = base
                self._linear.size = min(size, self.vga.vram_size - self._bank(size))
                self._linear.offset = self._bank(size)
            self._chained_alias.enabled = kind == "chained"
            if kind == "chained":
                self._chained_alias.address = base
                self._chained_alias.size = size
                self._enter_chained(size)

    def _bank(self, size: int) -> int:
        return self.vga.bank_offset if size == 0x10000 else 0

    def _kind(self, size: int) -> str:
        """``linear``, ``chained`` or ``planar``."""
        gr, sr = self.vga.gr, self.vga.sr
        mask = sr[SR_MAP_MASK]
        if sr[SR_MEMORY_MODE] & SR_MEMORY_CHAIN4:
            return "linear" if mask == 0x0F else "planar"
        odd_even = gr[GR_MODE] & GR_MODE_ODD_EVEN
        plain = mask & 3 == 3 and not gr[GR_READ_MAP] & 2 and not self.vga.bank_offset
        return "chained" if odd_even and plain and size <= CHAINED_SIZE else "planar"

    def _enter_chained(self, size: int) -> None:
        vram = self.vga.vram.data
        self.chained[0:size:2] = vram[0 : 2 * size : 4]
        self.chained[1:size:2] = vram[1 : 2 * size : 4]
        self.chained_size = size

    def _leave_chained(self) -> None:
        self.write_back()
        self.chained_size = 0

    def write_back(self) -> None:
        """Bring the planes up to date with what the guest wrote to chained memory."""
        size = self.chained_size
        if size:
            vram = self.vga.vram.data
            vram[0 : 2 * size : 4] = self.chained[0:size:2]
            vram[1 : 2 * size : 4] = self.chained[1:size:2]

    def reload(self) -> None:
        """The planes were changed from outside (state loaded)."""
        if self.chained_size:
            self._enter_chained(self.chained_size)

    # -- accesses one by one --------------------------------------------------------------------------

    def read(self, offset: int, size: int) -> int:
        """Guest reads at *offset* in the window, bytes in ascending order."""
        if not self._base <= offset < self._end:
            return (1 << 8 * size) - 1
        reader = self._reader
        if reader is None:
            reader = self._reader = self._make_reader()
        address = offset - self._base + self.vga.bank_offset
        if size == 1:
            return reader(address)
        value = 0
        for index in range(size):
            value |= reader(address + index) << 8 * index
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """Guest writes at *offset* in the window."""
        if not self._base <= offset < self._end:
            return
        writer = self._writer
        if writer is None:
            writer = self._writer = self._make_writer()
        address = offset - self._base + self.vga.bank_offset
        if size == 1:
            writer(address, value)
        else:
            for index in range(size):
                writer(address + index, value >> 8 * index & 0xFF)
        if self._dirty.clients:
            self._dirty.mark(4 * address, 4 * size)  # too much for chained addresses, never too little

    def _make_reader(self) -> Reader:
        gr, vram, words = self.vga.gr, self.vga.vram.data, self.vga.vram_words
        limit = len(words)
        if self.vga.sr[SR_MEMORY_MODE] & SR_MEMORY_CHAIN4:
            return lambda address: vram[address] if address < len(vram) else 0xFF
        if gr[GR_MODE] & GR_MODE_ODD_EVEN:
            pair = gr[GR_READ_MAP] & 2
            return lambda address: vram[(address & ~1) << 1 | pair | address & 1]
        shift = 8 * (gr[GR_READ_MAP] & 3)
        if not gr[GR_MODE] & GR_MODE_READ_COMPARE:

            def read_plane(address: int) -> int:
                self.latch = latch = words[address] if address < limit else ALL
                return latch >> shift & 0xFF

            return read_plane
        wanted, relevant = PLANES[gr[GR_COMPARE]], PLANES[gr[GR_DONT_CARE]]

        def read_compare(address: int) -> int:
            self.latch = latch = words[address] if address < limit else ALL
            different = (latch ^ wanted) & relevant
            different |= different >> 16
            return ~(different | different >> 8) & 0xFF

        return read_compare

    def _make_writer(self) -> Writer:
        gr, sr, vram, words = self.vga.gr, self.vga.sr, self.vga.vram.data, self.vga.vram_words
        map_mask = sr[SR_MAP_MASK]
        if sr[SR_MEMORY_MODE] & SR_MEMORY_CHAIN4:

            def write_chain4(address: int, value: int) -> None:
                if map_mask >> (address & 3) & 1 and address < len(vram):
                    vram[address] = value

            return write_chain4
        if gr[GR_MODE] & GR_MODE_ODD_EVEN:
            pair = gr[GR_READ_MAP] & 2

            def write_odd_even(address: int, value: int) -> None:
                plane = pair | address & 1
                if map_mask >> plane & 1:
                    vram[(address & ~1) << 1 | plane] = value

            return write_odd_even
        lanes = PLANES[map_mask]
        keep = ALL ^ lanes
        data = self._make_data()
        limit = len(words)

        def write_planar(address: int, value: int) -> None:
            if address < limit:
                words[address] = words[address] & keep | data(value) & lanes

        return write_planar

    def _make_data(self) -> Callable[[int], int]:
        """From a CPU byte to the four bytes for the planes: write modes 0 to 3."""
        gr = self.vga.gr
        mode, function, rotate = gr[GR_MODE] & 3, gr[GR_ROTATE] >> 3, gr[GR_ROTATE] & 7
        bits = gr[GR_BIT_MASK]
        set_reset, enable = PLANES[gr[GR_SET_RESET]], PLANES[gr[GR_ENABLE_SET_RESET]]
        if mode == 1:
            return lambda value: self.latch
        if mode == 3:

            def mode_3(value: int) -> int:
                value = (value >> rotate | value << 8 - rotate) & bits
                return self._combine(set_reset, function, value * REPEAT)

            return mode_3
        wide_bits = bits * REPEAT
        if mode == 2:
            return lambda value: self._combine(PLANES[value & 15], function, wide_bits)
        keep, forced = ALL ^ enable, set_reset & enable
        if not rotate and not function and bits == 0xFF:
            return lambda value: value * REPEAT & keep | forced

        def mode_0(value: int) -> int:
            value = (value >> rotate | value << 8 - rotate) & 0xFF
            return self._combine(value * REPEAT & keep | forced, function, wide_bits)

        return mode_0

    def _combine(self, value: int, function: int, bits: int) -> int:
        """The logical function with the latches, then the bit mask."""
        latch = self.latch
        match function:
            case 1:
                value &= latch
            case 2:
                value |= latch
            case 3:
                value ^= latch
            case _:
                pass
        return value & bits | latch & ~bits
