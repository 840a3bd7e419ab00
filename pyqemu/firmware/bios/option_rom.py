"""Option ROMs: where they come from, how they are started, what they can boot.

Layout: PnP BIOS 1.0A, section 3 (header, expansion header, BEV and BCV); PCI Firmware 3.0, section 5 (PCI data
structure); the POST memory manager that they get their memory from: PMM 1.01.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pyqemu.firmware.bios.bootorder import BootOrder
from pyqemu.firmware.bios.calls import Calls
from pyqemu.firmware.bios.context import BiosContext, LinearMemory
from pyqemu.firmware.bios.frame import Frame
from pyqemu.firmware.bios.layout import Ebda, Verdict
from pyqemu.firmware.bios.pci_setup import PciConfig

ROM_AREA, ROM_AREA_END = 0xC0000, 0xF0000
_ALIGN = 2048
_ROM_BAR, _COMMAND = 0x30, 0x04
_MAX_ENTRIES = 8
_BEV, _BCV = struct.Struct("<HHHH"), struct.Struct("<HH")
_DISPLAY_VGA = 0x0300


@dataclass(frozen=True)
class RomSource:
    """A ROM that waits to be started; *rank* is its place in ``bootorder``."""

    name: str
    devfn: int
    rank: int
    video: bool = False


@dataclass(frozen=True)
class BootEntry:
    """A bootstrap entry vector that a ROM has offered."""

    segment: int
    offset: int
    product: str
    rank: int


def round_up(value: int, unit: int) -> int:
    """The least multiple of *unit* not below *value*."""
    return -(-value // unit) * unit


class OptionRoms:
    """Runs option ROMs one after the other; its state is in the EBDA."""

    def __init__(self, context: BiosContext, memory: LinearMemory, calls: Calls, config: PciConfig,
                 order: BootOrder) -> None:  # fmt: skip
        self.context = context
        self.memory = memory
        self.calls = calls
        self.config = config
        self.order = order
        self.pnp_segment, self.pnp_offset = 0xF000, 0

    # -- sources --------------------------------------------------------------------------------------------

    def sources(self) -> list[RomSource]:
        """All ROMs: display adapters first, then PCI functions, then those from fw_cfg."""
        found = [self._pci_source(devfn) for devfn in self.config.scan() if self._has_rom(devfn)]
        found += [RomSource(name, 0, self.order.fw_cfg_rom(name), name.startswith("vgaroms/"))
                  for name in self.order.fw_cfg.files if name.startswith(("vgaroms/", "genroms/"))]  # fmt: skip
        return sorted(found, key=lambda source: not source.video)

    def _pci_source(self, devfn: int) -> RomSource:
        video = self.config.class_code(devfn) >> 8 == _DISPLAY_VGA
        return RomSource("", devfn, self.order.pci_rom(devfn), video)

    def _has_rom(self, devfn: int) -> bool:
        header = self.config.read(devfn, 0x0E, 1) & 0x7F
        return header == 0 and bool(self.config.read(devfn, _ROM_BAR, 4) & ~0x7FF)

    def _image(self, source: RomSource) -> bytes | None:
        if source.name:
            return self.order.fw_cfg.read(source.name)
        return next(self._pci_images(source.devfn), None)

    def _pci_images(self, devfn: int) -> Iterator[bytes]:
        """The PC-compatible images in the function's ROM that are meant for it."""
        memory = self.context.memory
        address = self.config.read(devfn, _ROM_BAR, 4) & ~0x7FF
        command = self.config.read(devfn, _COMMAND, 2)
        self.config.write(devfn, _ROM_BAR, 4, address | 1)
        self.config.write(devfn, _COMMAND, 2, command | 2)
        identity = self.config.identity(devfn)
        try:
            while memory.read(address, 2) == b"\x55\xaa":
                data = address + memory.load(address + 0x18, 2)
                if memory.read(data, 4) != b"PCIR":
                    return
                kind, last = memory.load(data + 0x14, 1), memory.load(data + 0x15, 1) & 0x80
                if kind == 0 and memory.load(data + 4, 4) == identity:
                    yield memory.read(address, memory.load(address + 2, 1) * 512)
                address += memory.load(data + 0x10, 2) * 512
                if last or not memory.load(data + 0x10, 2):
                    return
        finally:
            self.config.write(devfn, _ROM_BAR, 4, address & ~1 if address & 0x7FF == 0 else 0)
            self.config.write(devfn, _COMMAND, 2, command)

    # -- running --------------------------------------------------------------------------------------------

    def start(self, source: RomSource) -> Verdict | None:
        """Copy a ROM into place and have its initialization called; None if it is none or does not fit."""
        image = self._image(source)
        if image is None or image[:2] != b"\x55\xaa" or sum(image[: image[2] * 512]) & 0xFF:
            return None
        ebda = self.memory.ebda
        segment = self.memory.u16(ebda + Ebda.POST_NEXT_ROM)
        if source.video and not source.name:
            segment = ROM_AREA >> 4  # takes the place of our own
        if (segment << 4) + len(image) > ROM_AREA_END:
            self.context.log(f"no room for option ROM {source.name or hex(source.devfn)}")
            return None
        self.context.memory.write(segment << 4, image)
        self.memory.set16(ebda + Ebda.POST_NEXT_ROM, segment)
        self.calls.prepare(segment, 3, ax=source.devfn, bx=0xFFFF, dx=0xFFFF, es=self.pnp_segment, di=self.pnp_offset)
        return Verdict.CALL

    def finish(self, source: RomSource) -> None:
        """After initialization: what the ROM has kept of its size stays, and its boot entries are noted."""
        ebda = self.memory.ebda
        segment = self.memory.u16(ebda + Ebda.POST_NEXT_ROM)
        address = segment << 4
        if self.memory.u16(address) != 0xAA55:
            return
        size = self.memory.u8(address + 2) * 512
        if source.video and not source.name:
            size = max(size, 0x8000)  # at least up to C8000h, where others are looked for
        self._note_entries(segment, source)
        self.memory.set16(ebda + Ebda.POST_NEXT_ROM, round_up(address + size, _ALIGN) >> 4)

    def _note_entries(self, segment: int, source: RomSource) -> None:
        base = segment << 4
        offset = self.memory.u16(base + 0x1A)
        for _ in range(_MAX_ENTRIES):
            header = self.memory.read(base + offset, 32) if offset else b""
            if header[:4] != b"$PnP":
                return
            (product,) = struct.unpack_from("<H", header, 0x10)
            bcv, _, bev = struct.unpack_from("<HHH", header, 0x16)
            if bev:
                self._append(Ebda.BEV_COUNT, Ebda.BEV_LIST, _BEV.pack(bev, segment, product, source.rank))
            elif bcv:
                self._append(Ebda.BCV_COUNT, Ebda.BCV_LIST, _BCV.pack(bcv, segment))
            (offset,) = struct.unpack_from("<H", header, 6)

    def _append(self, count_at: int, list_at: int, entry: bytes) -> None:
        ebda = self.memory.ebda
        count = self.memory.u8(ebda + count_at)
        if count < _MAX_ENTRIES:
            self.memory.write(ebda + list_at + count * len(entry), entry)
            self.memory.set8(ebda + count_at, count + 1)

    def connect(self, number: int) -> Verdict | None:
        """Call boot connection vector *number*, by which a ROM takes over INT 13h; None behind the last."""
        ebda = self.memory.ebda
        if number >= self.memory.u8(ebda + Ebda.BCV_COUNT):
            return None
        offset, segment = _BCV.unpack(self.memory.read(ebda + Ebda.BCV_LIST + number * _BCV.size, _BCV.size))
        self.calls.prepare(segment, offset, bx=0xFFFF, dx=0xFFFF, es=self.pnp_segment, di=self.pnp_offset)
        return Verdict.CALL


def boot_entries(memory: LinearMemory) -> list[BootEntry]:
    """The bootstrap entry vectors that option ROMs have offered."""
    ebda = memory.ebda
    entries = []
    for number in range(memory.u8(ebda + Ebda.BEV_COUNT)):
        raw = memory.read(ebda + Ebda.BEV_LIST + number * _BEV.size, _BEV.size)
        offset, segment, product, rank = _BEV.unpack(raw)
        text = memory.read((segment << 4) + product, 64).partition(b"\x00")[0] if product else b""
        entries.append(BootEntry(segment, offset, text.decode("cp437") or "ROM", rank))
    return entries


class PostMemoryManager:
    """PMM 1.01, section 3: real-mode far calls with C arguments, the answer in DX:AX.

    Blocks are cut from the top of low RAM downwards and are never given back: their only users are the few ROMs that
    run before an operating system takes all.
    """

    def __init__(self, memory: LinearMemory) -> None:
        self.memory = memory

    def service(self, frame: Frame) -> None:
        """Function 0 allocates, 1 finds a block by its handle, 2 frees; the arguments lie above the return address."""
        stack = frame.arguments
        function = self.memory.u16(stack)
        answer = 0xFFFFFFFF  # not supported
        if function == 0:
            answer = self._allocate(self.memory.u32(stack + 2), self.memory.u32(stack + 6), self.memory.u16(stack + 10))
        elif function == 1:
            answer = self._find(self.memory.u32(stack + 2))
        elif function == 2:
            answer = 0
        frame.ax, frame.dx = answer, answer >> 16

    def _allocate(self, paragraphs: int, handle: int, flags: int) -> int:
        """*flags*: bit 0 conventional memory, bit 1 extended, bit 2 aligned to the lowest set bit of the length."""
        high, floor = self._area()
        if paragraphs == 0:
            return max(0, high - floor) if flags & 2 else 0
        if not flags & 2:
            return 0
        size = paragraphs * 16
        align = size & -size if flags & 4 else 16
        address = (high - size) // align * align
        if address < floor:
            return 0
        self.memory.set32(self.memory.ebda + Ebda.PMM_HIGH, address)
        return address

    def _find(self, handle: int) -> int:
        return 0

    def _area(self) -> tuple[int, int]:
        ebda = self.memory.ebda
        return self.memory.u32(ebda + Ebda.PMM_HIGH), self.memory.u32(ebda + Ebda.PMM_FLOOR)
