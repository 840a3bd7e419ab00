"""Floppy disks and the drives that they are in: formats by size, heads and tracks, the disk change line."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pyqemu.block import Drive

__all__ = ["DriveKind", "FloppyDrive", "FloppyFormat", "pick_format"]

SECTOR = 512


class DriveKind(enum.Enum):
    """What ``fdtypeA=`` may say; `cmos` is the drive's number in CMOS byte 10h."""

    K1200 = "120"
    M1440 = "144"
    M2880 = "288"
    NONE = "none"
    AUTO = "auto"

    @property
    def cmos(self) -> int:
        return {DriveKind.K1200: 2, DriveKind.M1440: 4, DriveKind.M2880: 5}.get(self, 0)


class Rate(enum.IntEnum):
    """Data rates in kbit/s, as the rate select registers number them."""

    K500 = 0
    K300 = 1
    K250 = 2
    M1 = 3


@dataclass(frozen=True)
class FloppyFormat:
    """How a disk is laid out, and the drive that it belongs to."""

    kind: DriveKind
    sectors: int  # in a track
    tracks: int
    heads: int
    rate: Rate

    @property
    def size(self) -> int:
        return self.sectors * self.tracks * self.heads * SECTOR


def _rows(kind: DriveKind, rate: Rate, *layouts: tuple[int, int, int]) -> tuple[FloppyFormat, ...]:
    return tuple(FloppyFormat(kind, *layout, rate) for layout in layouts)


# The first format of a drive is what an image of no known size is taken for. Where formats have the same
# size, the first in this list is meant (a disk of 360 KiB is double-sided, of 40 tracks). fmt: off
FORMATS: tuple[FloppyFormat, ...] = (
    *_rows(
        DriveKind.M1440,
        Rate.K500,
        (18, 80, 2),
        (20, 80, 2),
        (21, 80, 2),
        (21, 82, 2),
        (21, 83, 2),
        (22, 80, 2),
        (23, 80, 2),
        (24, 80, 2),
    ),
    *_rows(DriveKind.M2880, Rate.M1, (36, 80, 2), (39, 80, 2), (40, 80, 2), (44, 80, 2), (48, 80, 2)),
    *_rows(
        DriveKind.M1440,
        Rate.K250,
        (9, 80, 2),
        (10, 80, 2),
        (10, 82, 2),
        (10, 83, 2),
        (13, 80, 2),
        (14, 80, 2),
    ),
    *_rows(DriveKind.K1200, Rate.K500, (15, 80, 2), (18, 80, 2), (18, 82, 2), (18, 83, 2), (20, 80, 2)),
    *_rows(DriveKind.K1200, Rate.K250, (9, 80, 2), (11, 80, 2)),
    *_rows(DriveKind.K1200, Rate.K300, (9, 40, 2), (9, 40, 1), (10, 41, 2), (10, 42, 2)),
    *_rows(DriveKind.K1200, Rate.K250, (8, 40, 2), (8, 40, 1)),
    *_rows(DriveKind.M1440, Rate.K250, (9, 80, 1)),
)
# fmt: on


def pick_format(size: int, kind: DriveKind) -> FloppyFormat:
    """The format of an image of `size` bytes in a drive of that kind (`AUTO`: any).

    A smaller image than any format is a disk whose rest is empty; one of an odd size, the next larger format.
    """
    suitable = [entry for entry in FORMATS if kind in (DriveKind.AUTO, entry.kind)]
    for entry in suitable:
        if entry.size == size:
            return entry
    default = suitable[0]
    larger = sorted((entry for entry in suitable if entry.size > size), key=lambda entry: entry.size)
    return default if size < default.size or not larger else larger[0]


class FloppyDrive:
    """A drive with its head somewhere, and perhaps a disk in it."""

    def __init__(self, kind: DriveKind, fallback: DriveKind, drive: Drive | None) -> None:
        """`fallback` is what an `AUTO` drive is as long as no disk tells it. No `drive`: there is none."""
        self.drive = drive
        self.kind = kind if drive is not None else DriveKind.NONE
        self.format: FloppyFormat | None = None
        self.head = 0
        self.track = 0
        self.sect = 1
        self.media_rate = 0
        self.media_changed = 1
        self.perpendicular = 0
        self._insert()
        if self.kind is DriveKind.AUTO:
            self.kind = fallback
        if drive is not None:
            drive.on_change.append(self._change)

    @property
    def present(self) -> bool:
        """Whether there is a drive."""
        return self.kind is not DriveKind.NONE

    @property
    def read_only(self) -> bool:
        return self.drive is None or self.drive.read_only

    @property
    def change_seen(self) -> bool:
        """Whether there is a disk, and the guest has stepped since it was put in."""
        return self.format is not None and not self.media_changed

    @property
    def last_sector(self) -> int:
        return self.format.sectors if self.format is not None else 0

    @property
    def tracks(self) -> int:
        return self.format.tracks if self.format is not None else 0

    @property
    def heads(self) -> int:
        return self.format.heads if self.format is not None else 0

    def _insert(self) -> None:
        """See what disk is in the drive. The first one tells what an `AUTO` drive is."""
        if self.drive is None or not self.drive.inserted or self.kind is DriveKind.NONE:
            self.format = None
            return
        self.format = pick_format(self.drive.size, self.kind)
        self.media_rate = self.format.rate
        if self.kind is DriveKind.AUTO:
            self.kind = self.format.kind

    def _change(self) -> None:
        self.media_changed = 1
        self._insert()

    def step_to(self, track: int) -> None:
        """Move the head. The first step with a disk in the drive resets the change line."""
        if track != self.track:
            self.track = track
            if self.format is not None:
                self.media_changed = 0

    def holds(self, track: int, head: int, sector: int) -> bool:
        """Whether the disk has that sector."""
        return track < self.tracks and head < self.heads and 1 <= sector <= self.last_sector

    def read_sector(self) -> bytes:
        """The sector under the head. What is past the end of the image is empty.

        :raise BlockIOError: the host cannot read.
        """
        assert self.drive is not None
        return self.drive.read(self._offset(), SECTOR)

    def write_sector(self, data: bytes | bytearray) -> None:
        """:raise BlockIOError: the host cannot write, or the image ends before."""
        assert self.drive is not None
        self.drive.write(self._offset(), data)

    def _offset(self) -> int:
        return ((self.track * self.heads + self.head) * self.last_sector + self.sect - 1) * SECTOR
