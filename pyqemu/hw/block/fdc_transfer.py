"""How the sectors of a command travel between a floppy disk and the host.

A transfer knows from the start which sectors it is about: from the first one to the end of the track, on two
sides if the command is a multi-track one. It ends when these are through or when the DMA controller's count
is (terminal count).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.block import BlockIOError
from pyqemu.hw.block import fdc_registers as r
from pyqemu.hw.block.floppy import SECTOR, FloppyDrive
from pyqemu.hw.isa.bus import DmaChannel

if TYPE_CHECKING:
    from pyqemu.hw.block.fdc import IsaFdc

__all__ = ["Direction", "FormatTransfer", "Transfer"]

MULTI, FORMAT = 0x01, 0x02  # bits of the saved data_state


class Direction(enum.IntEnum):
    """What happens to the data of a command. The values are those of the saved state."""

    WRITE = 0
    READ = 1
    SCAN_EQUAL = 2
    SCAN_LOW = 3
    SCAN_HIGH = 4
    VERIFY = 5


@dataclass(frozen=True)
class Target:
    """What a command is about, as its bytes say."""

    track: int
    head: int
    first: int
    last: int  # EOT
    multi_track: bool


def _places(target: Target, drive: FloppyDrive) -> list[tuple[int, int]]:
    """Head and sector of all that a command may touch, in order."""
    last = min(target.last, drive.last_sector)
    if last < target.first:  # an end of track before the start never comes up: to the end of the disk's track
        last = drive.last_sector
    places = [(target.head, sector) for sector in range(target.first, last + 1)]
    if target.multi_track and target.head == 0 and drive.heads == 2:
        places += [(1, sector) for sector in range(1, last + 1)]
    return places


class Transfer:
    """READ, WRITE, VERIFY or SCAN on its way."""

    def __init__(self, fdc: IsaFdc, drive: FloppyDrive, direction: Direction, target: Target, length: int) -> None:
        """`length` is that of a sector's part if the command said so (N = 0), else 0."""
        self.fdc = fdc
        self.drive = drive
        self.direction = direction
        self.target = target
        self.places = _places(target, drive)
        self.length = min(length, SECTOR) or len(self.places) * SECTOR
        self.position = 0  # without DMA
        self.status2 = 0
        self.buffer = bytearray(SECTOR)

    @property
    def to_host(self) -> bool:
        return self.direction is Direction.READ

    @property
    def without_host(self) -> bool:
        """VERIFY needs nobody."""
        return self.direction is Direction.VERIFY

    # -- saved and loaded

    def _place_of(self, position: int) -> int:
        """Where the head is, as QEMU has it: behind a sector that was written, on one that was read."""
        return max(position - 1, 0) // SECTOR if self.to_host else position // SECTOR

    def describe(self) -> None:
        """Put into the controller's state what :meth:`resumed` needs."""
        fdc = self.fdc
        fdc.data_pos, fdc.data_len = self.position, self.length
        fdc.data_dir, fdc.status2 = self.direction, self.status2
        fdc.data_state, fdc.eot = MULTI * self.target.multi_track, self.target.last
        fdc.fifo[:] = self.buffer
        self.drive.head, self.drive.sect = self.places[self._place_of(self.position)]

    @classmethod
    def resumed(cls, fdc: IsaFdc) -> Transfer | None:
        """The transfer that a loaded state tells of; None if there can be none such."""
        drive = fdc.drive
        if drive is None or fdc.data_state & FORMAT or fdc.data_dir not in tuple(Direction):
            return None
        direction, multi_track = Direction(fdc.data_dir), bool(fdc.data_state & MULTI)
        probe = cls(fdc, drive, direction, Target(drive.track, 0, 1, fdc.eot, multi_track), 0)
        if not probe.places:
            return None  # no disk
        place = probe._place_of(fdc.data_pos)
        head, first = drive.head, drive.sect - place
        if first < 1 and multi_track and drive.head == 1:  # it has begun on the other side
            last_sector = max(sector for _, sector in probe.places)
            head, first = 0, last_sector + 1 - (place - drive.sect + 1)
        transfer = cls(fdc, drive, direction, Target(drive.track, head, first, fdc.eot, multi_track), 0)
        expected = drive.head, drive.sect
        if first < 1 or place >= len(transfer.places) or transfer.places[place] != expected:
            return None
        transfer.length = min(fdc.data_len, transfer.length)
        transfer.position, transfer.status2 = fdc.data_pos, fdc.status2
        transfer.buffer[:] = fdc.fifo
        return transfer if transfer.position < transfer.length else None

    # -- with DMA

    def run_dma(self, channel: DmaChannel, position: int, size: int) -> int:
        """Move all there is, and return how far the channel is now."""
        start, end = position, min(size, self.length + position)
        try:
            while position < end:
                amount = min(end - position, SECTOR)
                self._seek(position - start)
                self._move(channel, position, amount)
                position += amount
        except BlockIOError:
            self._finish(position - start, r.ST0_ABNORMAL, r.ST1_BAD_DATA)
            return position
        self._finish(position - start)
        return position

    def _move(self, channel: DmaChannel, position: int, amount: int) -> None:
        match self.direction:
            case Direction.READ:
                channel.write_memory(position, self.drive.read_sector()[:amount])
            case Direction.WRITE:
                self._write(channel.read_memory(position, amount))
            case _:
                self._compare(channel.read_memory(position, amount))

    def run_alone(self) -> None:
        """VERIFY: read and forget."""
        try:
            for index in range(len(self.places)):
                self._seek(index * SECTOR)
                self.drive.read_sector()
        except BlockIOError:
            self._finish(0, r.ST0_ABNORMAL, r.ST1_BAD_DATA)
            return
        self._finish(self.length)

    # -- byte by byte

    def get_byte(self) -> int:
        """The host reads the FIFO."""
        within = self.position % SECTOR
        if within == 0:
            self._seek(self.position)
            try:
                self.buffer[:] = self.drive.read_sector()
            except BlockIOError:
                self._finish(self.position, r.ST0_ABNORMAL, r.ST1_BAD_DATA)
                return 0
        self.position += 1
        if self.position == self.length:
            self._finish(self.position)
        return self.buffer[within]

    def put_byte(self, value: int) -> None:
        """The host writes the FIFO."""
        self.buffer[self.position % SECTOR] = value
        self.position += 1
        if self.position % SECTOR and self.position != self.length:
            return
        start = (self.position - 1) // SECTOR * SECTOR
        data = bytes(self.buffer[: self.position - start])
        self._seek(start)
        try:
            if self.direction is Direction.WRITE:
                self._write(data)
            else:
                self._compare(data)
        except BlockIOError:
            self._finish(start, r.ST0_ABNORMAL, r.ST1_BAD_DATA)
            return
        if self.position == self.length:
            self._finish(self.position)

    # -- sectors

    def _seek(self, done: int) -> None:
        self.drive.head, self.drive.sect = self.places[done // SECTOR]

    def _write(self, data: bytes) -> None:
        """Write a sector; of one that the DMA controller cuts off, the rest stays (on a real disk: zeros)."""
        if len(data) < SECTOR:
            data += self.drive.read_sector()[len(data) :]
        self.drive.write_sector(data)

    def _compare(self, memory: bytes) -> None:
        """SCAN: FFh on either side matches anything."""
        disk = self.drive.read_sector()
        pairs = [pair for pair in zip(disk, memory, strict=False) if 0xFF not in pair]
        low, high = self.direction is Direction.SCAN_LOW, self.direction is Direction.SCAN_HIGH
        if all(on_disk == wanted for on_disk, wanted in pairs):
            self.status2 = r.ST2_SCAN_HIT
        elif (low and all(a <= b for a, b in pairs)) or (high and all(a >= b for a, b in pairs)):
            self.status2 = 0
        else:
            self.status2 = r.ST2_SCAN_FAILED

    def _finish(self, done: int, *status: int) -> None:
        """The result names the sector that comes next (data sheet, table 5-7)."""
        index = -(-done // SECTOR)
        if index < len(self.places):
            head, sector = self.places[index]
            address = self.target.track, head, sector
        elif self.target.multi_track and self.drive.head == 0:
            address = self.target.track, 1, 1
        else:
            address = self.target.track + 1, 0 if self.target.multi_track else self.target.head, 1
        self.fdc.finish(address, *(status or (0, 0, self.status2)))


class FormatTransfer(Transfer):
    """FORMAT TRACK: the host sends four bytes for each sector: cylinder, head, sector, size."""

    def __init__(self, fdc: IsaFdc, drive: FloppyDrive, head: int, sectors: int, filler: int) -> None:
        target = Target(drive.track, head, 1, sectors, multi_track=False)
        super().__init__(fdc, drive, Direction.WRITE, target, 0)
        self.length = 4 * sectors
        self.filler = bytes((filler,)) * SECTOR

    def run_dma(self, channel: DmaChannel, position: int, size: int) -> int:
        start, end = position, min(size, self.length + position)
        while position + 4 <= end:
            if not self._format(channel.read_memory(position, 4)):
                return position
            position += 4
        self._finish(position - start)
        return position

    def describe(self) -> None:
        self.fdc.data_state = FORMAT

    def put_byte(self, value: int) -> None:
        self.buffer[self.position % 4] = value
        self.position += 1
        if self.position % 4 == 0 and self._format(bytes(self.buffer[:4])) and self.position == self.length:
            self._finish(self.position)

    def _format(self, header: bytes) -> bool:
        """Make one sector; those that the image has no room for do not come into being."""
        if not self.drive.holds(self.drive.track, self.target.head, header[2]):
            return True
        self.drive.head, self.drive.sect = self.target.head, header[2]
        try:
            self.drive.write_sector(self.filler)
        except BlockIOError:
            self._finish(0, r.ST0_ABNORMAL, r.ST1_BAD_DATA)
            return False
        return True

    def _finish(self, done: int, *status: int) -> None:
        self.fdc.finish((self.drive.track, self.target.head, self.drive.sect), *status)
