"""The commands of the 82078 (data sheet 290468-003, chapter 5), in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.hw.block import fdc_registers as r
from pyqemu.hw.block.fdc_transfer import Direction, FormatTransfer, Target, Transfer

if TYPE_CHECKING:
    from pyqemu.hw.block.fdc import IsaFdc
    from pyqemu.hw.block.floppy import FloppyDrive

__all__ = ["INVALID", "Command", "find", "read_id_done"]

ROTATION = 20_000_000  # ns until a sector header comes by


@dataclass(frozen=True)
class Command:
    """A command: `parameters` bytes follow the first, then it runs."""

    mask: int  # of the bits that make the command; the others are options
    code: int
    parameters: int
    run: Callable[[IsaFdc], None]
    deferred: bool = True  # takes a moment; the others have their result at once
    slow: bool = False  # takes a time that polling does not shorten
    open_ended: bool = False  # the last parameter has bit 7 set


def find(first: int) -> Command:
    """The command that a first byte begins."""
    return _BY_CODE[first]


# -- commands on sectors


def _sectors(direction: Direction) -> Callable[[IsaFdc], None]:
    """READ DATA and its kin: find the first sector, and ask for data."""

    def run(fdc: IsaFdc) -> None:
        first, unit, track, head, sector, code, end_of_track, _, length = fdc.fifo[:9]
        fdc.current = unit & r.DOR_SELECT
        drive = fdc.drive
        status = _find_sector(fdc, track, head, sector, code)
        if not status and direction is Direction.WRITE and drive is not None and drive.read_only:
            status = r.ST0_ABNORMAL, r.ST1_PROTECTED
        if status or drive is None:
            fdc.finish((track, head, sector), *status)
            return
        drive.step_to(track)  # implied seek
        drive.head, drive.sect = head, sector
        target = Target(track, head, sector, end_of_track, multi_track=bool(first & 0x80))
        fdc.execute(Transfer(fdc, drive, direction, target, 0 if code else length))

    return run


def _find_sector(fdc: IsaFdc, track: int, head: int, sector: int, code: int) -> tuple[int, ...]:
    """Status 0 and 1 if a sector cannot be found; nothing if it can."""
    drive = fdc.drive
    if drive is None or drive.format is None or _wrong_rate(fdc, drive):
        return r.ST0_ABNORMAL, r.ST1_NO_ADDRESS
    if sector > drive.last_sector:
        return r.ST0_ABNORMAL, r.ST1_PAST_END
    if not drive.holds(track, head, sector) or code not in (0, 2):
        return r.ST0_ABNORMAL, r.ST1_NO_DATA
    return ()


def _wrong_rate(fdc: IsaFdc, drive: FloppyDrive) -> bool:
    return fdc.check_media_rate and fdc.dsr & r.DSR_RATE != drive.media_rate


def read_track(fdc: IsaFdc) -> None:
    """READ TRACK: from the index hole on, whatever sector is asked for."""
    fdc.fifo[4] = 1
    _sectors(Direction.READ)(fdc)


def format_track(fdc: IsaFdc) -> None:
    """FORMAT TRACK."""
    _, unit, code, sectors, _, filler = fdc.fifo[:6]
    fdc.current = unit & r.DOR_SELECT
    drive, head = fdc.drive, unit >> 2 & 1
    if drive is None or drive.format is None or head >= drive.heads or code != 2 or not sectors:
        fdc.finish((0, head, 1), r.ST0_ABNORMAL, r.ST1_NO_ADDRESS)
    elif drive.read_only:
        fdc.finish((drive.track, head, 1), r.ST0_ABNORMAL, r.ST1_PROTECTED)
    else:
        fdc.execute(FormatTransfer(fdc, drive, head, sectors, filler))


def read_id(fdc: IsaFdc) -> None:
    """READ ID: the next sector header that comes by."""
    fdc.current = fdc.fifo[1] & r.DOR_SELECT
    fdc.defer(read_id_done, ROTATION)


def read_id_done(fdc: IsaFdc) -> None:
    """A header has come by."""
    drive, head = fdc.drive, fdc.fifo[1] >> 2 & 1
    if drive is None or drive.format is None or head >= drive.heads or _wrong_rate(fdc, drive):
        fdc.finish((0, head, 1), r.ST0_ABNORMAL, r.ST1_NO_ADDRESS)
        return
    drive.head = head
    drive.sect = drive.sect % drive.last_sector + 1  # the disk turns
    fdc.finish((drive.track, head, drive.sect))


# -- commands that move the head


def recalibrate(fdc: IsaFdc) -> None:
    """RECALIBRATE: to track 0; a drive that is not there never says that it got there."""
    _seek(fdc, 0)


def seek(fdc: IsaFdc) -> None:
    """SEEK."""
    _seek(fdc, fdc.fifo[2])


def relative_seek(fdc: IsaFdc) -> None:
    """RELATIVE SEEK: bit 6 of the command is the direction."""
    track = fdc.drives[fdc.fifo[1] & 1].track
    _seek(fdc, track + fdc.fifo[2] if fdc.fifo[0] & 0x40 else track - fdc.fifo[2])


def _seek(fdc: IsaFdc, track: int) -> None:
    unit = fdc.fifo[1]
    fdc.current = unit & r.DOR_SELECT
    drive = fdc.drive
    fdc.to_command_phase()
    if drive is None:
        fdc.raise_irq(r.ST0_ABNORMAL | r.ST0_SEEK | r.ST0_CHECK | fdc.current)
        return
    if drive.format is not None:
        track = min(track, drive.tracks - 1)  # the head hits the stop
    drive.step_to(max(track, 0))
    drive.head = unit >> 2 & 1
    fdc.raise_irq(r.ST0_SEEK | unit & 4 | fdc.current)


# -- commands about the controller


def sense_interrupt_status(fdc: IsaFdc) -> None:
    """SENSE INTERRUPT STATUS: why there was an interrupt; after a reset, once for each of four drives."""
    if fdc.reset_sensei:
        unit = 4 - fdc.reset_sensei
        status, track = r.ST0_READY_CHANGED | unit, fdc.drives[unit].track if unit < 2 else 0
        fdc.reset_sensei -= 1
        fdc.lower_irq()
    elif fdc.sra & r.SRA_PENDING:
        status, track = fdc.status0, fdc.drives[fdc.current & 1].track
        fdc.lower_irq()
        fdc.status0 = r.ST0_READY_CHANGED
    else:
        fdc.to_result_phase(r.ST0_INVALID)
        return
    fdc.to_result_phase(status, track)


def sense_drive_status(fdc: IsaFdc) -> None:
    """SENSE DRIVE STATUS."""
    unit = fdc.fifo[1] & 7
    fdc.current = unit & r.DOR_SELECT
    status = unit | r.ST3_READY | r.ST3_TWO_SIDES
    drive = fdc.drive
    if drive is None or drive.read_only:
        status |= r.ST3_PROTECTED
    if drive is None or drive.track == 0:
        status |= r.ST3_TRACK0
    fdc.to_result_phase(status)


def specify(fdc: IsaFdc) -> None:
    """SPECIFY: step rate, head times, and whether data go by DMA."""
    fdc.timer0 = fdc.fifo[1] >> 4
    fdc.timer1 = fdc.fifo[2] >> 1
    fdc.no_dma = bool(fdc.fifo[2] & 1)
    fdc.to_command_phase()


def dumpreg(fdc: IsaFdc) -> None:
    """DUMPREG."""
    first, second = fdc.drives
    selected = fdc.drive
    fdc.to_result_phase(
        first.track,
        second.track,
        0,
        0,
        fdc.timer0,
        fdc.timer1 << 1 & 0xFF | fdc.no_dma,
        selected.last_sector if selected is not None else 0,
        fdc.lock << 7 | (selected.perpendicular << 2 if selected is not None else 0),
        fdc.config,
        fdc.precomp_trk,
    )


def configure(fdc: IsaFdc) -> None:
    """CONFIGURE."""
    fdc.config, fdc.precomp_trk = fdc.fifo[2], fdc.fifo[3]
    fdc.to_command_phase()


def lock(fdc: IsaFdc) -> None:
    """LOCK: whether CONFIGURE's settings outlive a software reset."""
    fdc.lock = fdc.fifo[0] >> 7
    fdc.to_result_phase(fdc.lock << 4)


def perpendicular_mode(fdc: IsaFdc) -> None:
    """PERPENDICULAR MODE, for disks of 2.88 MB."""
    drive = fdc.drive
    if drive is not None and fdc.fifo[1] & 0x80:
        drive.perpendicular = fdc.fifo[1] & 7
    fdc.to_command_phase()


def version(fdc: IsaFdc) -> None:
    """VERSION: an enhanced controller."""
    fdc.to_result_phase(0x90)


def part_id(fdc: IsaFdc) -> None:
    """PART ID: 82078, stepping 1."""
    fdc.to_result_phase(0x41)


def powerdown_mode(fdc: IsaFdc) -> None:
    """POWERDOWN MODE."""
    fdc.pwrd = fdc.fifo[1]
    fdc.to_result_phase(fdc.pwrd)


def option(fdc: IsaFdc) -> None:
    """OPTION: ISO format, which images do not have."""
    fdc.to_command_phase()


def drive_specification(fdc: IsaFdc) -> None:
    """DRIVE SPECIFICATION: drive types; bit 6 of the last byte suppresses the result."""
    if fdc.fifo[fdc.data_pos - 1] & 0x40:
        fdc.to_command_phase()
    else:
        fdc.to_result_phase(fdc.fifo[1] & 0x7F, 0, 0, 0)


def save(fdc: IsaFdc) -> None:
    """SAVE: what RESTORE wants back."""
    first, second = fdc.drives
    selected = fdc.drive
    sectors, mode = (selected.last_sector, selected.perpendicular) if selected is not None else (0, 0)
    times = fdc.timer0, fdc.timer1 << 1 & 0xFF | fdc.no_dma
    tail = fdc.config, fdc.precomp_trk, fdc.pwrd, 0, 0
    fdc.to_result_phase(0, 0, first.track, second.track, 0, 0, *times, sectors, fdc.lock << 7 | mode << 2, *tail)


def restore(fdc: IsaFdc) -> None:
    """RESTORE."""
    saved = fdc.fifo[3:17]
    fdc.drives[0].track, fdc.drives[1].track = saved[0], saved[1]
    fdc.timer0, fdc.timer1, fdc.no_dma = saved[4], saved[5] >> 1, bool(saved[5] & 1)
    fdc.lock = saved[7] >> 7
    if fdc.drive is not None:
        fdc.drive.perpendicular = saved[7] >> 2 & 7
    fdc.config, fdc.precomp_trk, fdc.pwrd = saved[8], saved[9], saved[10]
    fdc.to_command_phase()


def invalid(fdc: IsaFdc) -> None:
    """What is no command."""
    fdc.to_result_phase(r.ST0_INVALID)


# fmt: off
_TABLE = (
    # In the upper bits: MT (both sides), MFM, SK (skip deleted data).
    Command(0x1F, 0x06, 8, _sectors(Direction.READ)),
    Command(0x1F, 0x0C, 8, _sectors(Direction.READ)),   # deleted data: images know no such marks
    Command(0x1F, 0x05, 8, _sectors(Direction.WRITE)),
    Command(0x1F, 0x09, 8, _sectors(Direction.WRITE)),
    Command(0x1F, 0x16, 8, _sectors(Direction.VERIFY)),
    Command(0x1F, 0x11, 8, _sectors(Direction.SCAN_EQUAL)),
    Command(0x1F, 0x19, 8, _sectors(Direction.SCAN_LOW)),
    Command(0x1F, 0x1D, 8, _sectors(Direction.SCAN_HIGH)),
    Command(0x9F, 0x02, 8, read_track),
    Command(0xBF, 0x0D, 5, format_track),
    Command(0xBF, 0x0A, 1, read_id, slow=True),
    Command(0xFF, 0x07, 1, recalibrate),
    Command(0xFF, 0x0F, 2, seek),
    Command(0xBF, 0x8F, 2, relative_seek),
    Command(0xFF, 0x08, 0, sense_interrupt_status, deferred=False),
    Command(0xFF, 0x04, 1, sense_drive_status,     deferred=False),
    Command(0xFF, 0x03, 2, specify,                deferred=False),
    Command(0xFF, 0x0E, 0, dumpreg,                deferred=False),
    Command(0xFF, 0x13, 3, configure,              deferred=False),
    Command(0x7F, 0x14, 0, lock,                   deferred=False),
    Command(0xFF, 0x12, 1, perpendicular_mode,     deferred=False),
    Command(0xFF, 0x10, 0, version,                deferred=False),
    Command(0xFF, 0x18, 0, part_id,                deferred=False),
    Command(0xFF, 0x17, 1, powerdown_mode,         deferred=False),
    Command(0xFF, 0x33, 1, option,                 deferred=False),
    Command(0xFF, 0x8E, 6, drive_specification,    deferred=False, open_ended=True),
    Command(0xFF, 0x2E, 0, save,                   deferred=False),
    Command(0xFF, 0x4E, 17, restore,               deferred=False),
)
# fmt: on

INVALID = Command(0x00, 0x00, 0, invalid, deferred=False)


def _lookup(first: int) -> Command:
    """The most specific row that fits."""
    fitting = [row for row in _TABLE if first & row.mask == row.code]
    return max(fitting, key=lambda row: row.mask.bit_count(), default=INVALID)


_BY_CODE = tuple(_lookup(first) for first in range(256))
