"""BIOS drive numbers, and the geometry that programs see.

Floppies count from 00h, hard disks from 80h in the boot order's sequence, CD-ROM drives from E0h (where no hard
disk ever gets). An El Torito emulation takes the place of 00h or 80h and moves the others up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyqemu.block.drive import Drive
from pyqemu.block.geometry import Geometry, Translation
from pyqemu.firmware.bios.bootorder import BootOrder
from pyqemu.firmware.bios.context import BiosContext, LinearMemory, Ports
from pyqemu.firmware.bios.layout import Ebda

SECTOR = 512
CD_SECTOR = 2048
FIRST_CD = 0xE0


class Chs(NamedTuple):
    """A geometry as INT 13h tells it."""

    cylinders: int
    heads: int
    sectors: int


class FloppyFormat(NamedTuple):
    """A floppy disk format and its CMOS drive type (also what INT 13h AH=08h returns in BL)."""

    drive_type: int
    geometry: Chs


FLOPPY_FORMATS = (
    FloppyFormat(1, Chs(40, 1, 8)),
    FloppyFormat(1, Chs(40, 1, 9)),
    FloppyFormat(1, Chs(40, 2, 8)),
    FloppyFormat(1, Chs(40, 2, 9)),
    FloppyFormat(3, Chs(80, 2, 9)),
    FloppyFormat(2, Chs(80, 2, 15)),
    FloppyFormat(4, Chs(80, 2, 18)),
    FloppyFormat(4, Chs(80, 2, 21)),
    FloppyFormat(4, Chs(82, 2, 21)),
    FloppyFormat(5, Chs(80, 2, 36)),
)


def floppy_format(size: int) -> FloppyFormat:
    """The format of a medium of *size* bytes; the smallest that holds it if it is no usual size."""
    blocks = -(-size // SECTOR)
    for form in FLOPPY_FORMATS:
        cylinders, heads, sectors = form.geometry
        if blocks == cylinders * heads * sectors:
            return form
    for form in (FLOPPY_FORMATS[6], FLOPPY_FORMATS[9]):
        if blocks <= form.geometry.cylinders * form.geometry.heads * form.geometry.sectors:
            return form
    return FLOPPY_FORMATS[9]


def translate(geometry: Geometry, blocks: int) -> Chs:
    """The geometry that INT 13h shows: at most 1024 cylinders (Phoenix EDD 3.0, annex on translation).

    LBA-assisted translation uses 63 sectors and as many heads as needed; LARGE and R-ECHS halve cylinders and double
    heads.
    """
    cylinders, heads, sectors = geometry.cylinders, geometry.heads, geometry.sectors
    if geometry.translation is Translation.LBA:
        tracks = blocks // 63
        heads = next((h for h in (16, 32, 64, 128) if tracks // h <= 1024), 255)
        cylinders, sectors = tracks // heads, 63
    elif geometry.translation in (Translation.LARGE, Translation.RECHS):
        if geometry.translation is Translation.RECHS and heads == 16:
            cylinders, heads = cylinders * 16 // 15, 15  # so that 240 heads come out, not 256
        while cylinders > 1024 and heads * 2 <= 255:
            cylinders, heads = cylinders >> 1, heads << 1
    return Chs(max(1, min(cylinders, 1024)), heads, sectors)


@dataclass(frozen=True)
class Unit:
    """What a BIOS drive number stands for now.

    ``base`` and ``blocks`` are the part of the medium that it shows, in bytes and in blocks of ``block_size``.
    """

    number: int
    drive: Drive
    kind: str  # "floppy", "disk", "cd" or "emulated"
    chs: Chs
    block_size: int = SECTOR
    base: int = 0
    blocks: int = 0
    floppy_type: int = 0

    @property
    def removable(self) -> bool:
        return self.kind != "disk"


class DiskMap:
    """Finds the :class:`Unit` of a drive number."""

    def __init__(self, context: BiosContext, memory: LinearMemory, ports: Ports) -> None:
        self.context = context
        self.memory = memory
        self.order = BootOrder(context, ports)
        self._geometries: dict[Drive, tuple[object, int, Chs]] = {}

    @property
    def hard_disks(self) -> Sequence[Drive]:
        """In the order of their numbers."""
        return self.order.sort_disks(self.context.hard_disks)

    def find(self, number: int) -> Unit | None:
        """The drive of that number, or None."""
        emulation = self.memory.u8(self.memory.ebda + Ebda.CD_EMULATION + 1)  # media type; 0: none active
        if emulation & 0x0F:
            emulated = self.memory.u8(self.memory.ebda + Ebda.CD_EMULATION + 2)
            if number == emulated:
                return self._emulated(number)
            if number < FIRST_CD and number & 0x80 == emulated & 0x80:
                number -= 1
                return self._physical(number, number + 1)
        return self._physical(number, number)

    def _physical(self, number: int, shown: int) -> Unit | None:
        if number < 0x80:
            return self._floppy(number, shown)
        if number >= FIRST_CD:
            return self._cd(number)
        disks = self.hard_disks
        if number - 0x80 >= len(disks):
            return None
        drive = disks[number - 0x80]
        return Unit(shown, drive, "disk", self.geometry(drive), blocks=drive.size // SECTOR)

    def _floppy(self, number: int, shown: int) -> Unit | None:
        drive = self.context.floppies[number] if number < len(self.context.floppies) else None
        if drive is None:
            return None
        form = floppy_format(drive.size) if drive.inserted else FLOPPY_FORMATS[6]
        return Unit(shown, drive, "floppy", form.geometry, blocks=drive.size // SECTOR, floppy_type=form.drive_type)

    def _cd(self, number: int) -> Unit | None:
        if number - FIRST_CD >= len(self.context.cdroms):
            return None
        drive = self.context.cdroms[number - FIRST_CD]
        return Unit(number, drive, "cd", Chs(1, 1, 1), CD_SECTOR, blocks=drive.size // CD_SECTOR)

    def _emulated(self, number: int) -> Unit | None:
        memory, ebda = self.memory, self.memory.ebda
        unit = memory.u8(ebda + Ebda.CD_UNIT)
        if unit >= len(self.context.cdroms):
            return None
        start = memory.u32(ebda + Ebda.CD_EMULATION + 4)
        chs = Chs(
            memory.u16(ebda + Ebda.CD_CYLINDERS), memory.u8(ebda + Ebda.CD_HEADS), memory.u8(ebda + Ebda.CD_SECTORS)
        )
        blocks = memory.u32(ebda + Ebda.CD_BLOCKS)
        kind = 0 if number & 0x80 else {15: 2, 18: 4, 36: 5}.get(chs.sectors, 4)
        drive = self.context.cdroms[unit]
        return Unit(number, drive, "emulated", chs, base=start * CD_SECTOR, blocks=blocks, floppy_type=kind)

    def geometry(self, drive: Drive) -> Chs:
        """The translated geometry of a hard disk; looked up once for a medium, since its table may be rewritten."""
        known = self._geometries.get(drive)
        if known is None or known[0] is not drive.node or known[1] != drive.size:
            known = (drive.node, drive.size, translate(drive.geometry(), drive.size // SECTOR))
            self._geometries[drive] = known
        return known[2]

    def count(self, number: int) -> int:
        """How many drives there are of the kind of *number*, an emulated one included."""
        media = self.memory.u8(self.memory.ebda + Ebda.CD_EMULATION + 1) & 0x0F
        emulated = self.memory.u8(self.memory.ebda + Ebda.CD_EMULATION + 2)
        extra = bool(media) and number & 0x80 == emulated & 0x80 and emulated < FIRST_CD
        if number >= 0x80:
            return len(self.context.hard_disks) + extra
        return sum(drive is not None for drive in self.context.floppies) + extra
