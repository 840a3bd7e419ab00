"""The packets of a CD-ROM drive (SFF-8020i revision 2.6; MMC-3, INCITS 360).

Each packet is a function that `@packet` enters into `PACKETS`. It reads its arguments from ``cd.packet`` and
answers with ``cd.reply`` or ``cd.succeed``, or raises `CheckCondition`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu.hw.ide.atapi import AtapiDrive

BLOCK = 2048
RAW_BLOCK = 2352
CD_BLOCKS = 80 * 60 * 75  # what fits on a CD (80 minutes); a larger medium is a DVD
READ_AHEAD = 32  # blocks that are read from the image at once
PREGAP = 150  # frames before block 0

# fmt: off
# Sense keys.
NO_SENSE, NOT_READY, MEDIUM_ERROR, ILLEGAL_REQUEST, UNIT_ATTENTION, ABORTED_COMMAND = 0x0, 0x2, 0x3, 0x5, 0x6, 0xB

# Additional sense codes.
ASC_COMMUNICATION_FAILURE = 0x08
ASC_UNRECOVERED_READ    = 0x11
ASC_INVALID_COMMAND     = 0x20
ASC_BLOCK_OUT_OF_RANGE  = 0x21
ASC_INVALID_FIELD       = 0x24
ASC_MEDIUM_CHANGED      = 0x28
ASC_INCOMPATIBLE_FORMAT = 0x30
ASC_SAVING_UNSUPPORTED  = 0x39
ASC_NO_MEDIUM           = 0x3A
ASC_REMOVAL_PREVENTED   = 0x53

PROFILE_CD_ROM, PROFILE_DVD_ROM = 0x0008, 0x0010
LEAD_OUT = 0xAA
# fmt: on


class CheckCondition(Exception):
    """The packet ends with an error; a value of the guest's world, not of ours."""

    def __init__(self, key: int, asc: int) -> None:
        super().__init__(f"sense key {key:#x}, code {asc:#x}")
        self.key = key
        self.asc = asc

    @classmethod
    def no_medium(cls) -> CheckCondition:
        """There is none, or the tray is open."""
        return cls(NOT_READY, ASC_NO_MEDIUM)

    @classmethod
    def invalid_field(cls) -> CheckCondition:
        """An argument of the packet makes no sense."""
        return cls(ILLEGAL_REQUEST, ASC_INVALID_FIELD)


class When(enum.Enum):
    """Under which condition a packet works."""

    ALWAYS = enum.auto()  # even before the guest has heard of a change of medium
    ANY = enum.auto()
    MEDIUM = enum.auto()


@dataclass(frozen=True)
class Packet:
    """A packet's condition, whether data come back, and what it does."""

    when: When
    has_data: bool
    run: Callable[[AtapiDrive], None]


PACKETS: dict[int, Packet] = {}
"""The packets by operation code; filled by the functions below."""


def packet(
    *codes: int, when: When = When.ANY, data: bool = True
) -> Callable[[Callable[[AtapiDrive], None]], Callable[[AtapiDrive], None]]:
    """Enter a function into the table of packets."""

    def register(run: Callable[[AtapiDrive], None]) -> Callable[[AtapiDrive], None]:
        for code in codes:
            PACKETS[code] = Packet(when, data, run)
        return run

    return register


def _field(cd: AtapiDrive, start: int, length: int) -> int:
    return int.from_bytes(cd.packet[start : start + length], "big")


def _msf(block: int) -> bytes:
    """Minute, second, frame of a block."""
    frames = block + PREGAP
    return bytes((frames // (60 * 75) & 0xFF, frames // 75 % 60, frames % 75))


# -- state of the drive


@packet(0x00, when=When.MEDIUM, data=False)
def test_unit_ready(cd: AtapiDrive) -> None:
    """TEST UNIT READY."""
    cd.succeed()


@packet(0x03, when=When.ALWAYS)
def request_sense(cd: AtapiDrive) -> None:
    """REQUEST SENSE: why the last packet failed; asking once clears it."""
    unit = cd.unit
    data = bytearray(18)
    data[0], data[2], data[7], data[12] = 0xF0, unit.sense_key, 10, unit.asc
    unit.sense_key, unit.asc = NO_SENSE, 0
    cd.reply(bytes(data), cd.packet[4])


@packet(0x12, when=When.ALWAYS)
def inquiry(cd: AtapiDrive) -> None:
    """INQUIRY: standard data, or one of the two vital product data pages."""
    allocated = _field(cd, 3, 2)
    if cd.packet[1] & 1:
        cd.reply(_vital_product_data(cd, cd.packet[2]), allocated)
        return
    if cd.packet[2]:
        raise CheckCondition.invalid_field()
    data = bytes((0x05, 0x80, 0x00, 0x21, 31, 0, 0, 0)) + b"QEMU    " + cd.model_name.encode()[:16].ljust(16)
    cd.reply(data + cd.firmware.encode()[:4].ljust(4), allocated)


def _vital_product_data(cd: AtapiDrive, page: int) -> bytes:
    if page == 0x00:
        return bytes((0x05, 0x00, 0x00, 2, 0x00, 0x83))
    if page != 0x83:
        raise CheckCondition.invalid_field()
    serial = cd.serial.encode()[:20].ljust(20)
    descriptors = bytes((0x02, 0x00, 0x00, len(serial))) + serial
    identifier = b"ATA".ljust(8) + cd.model_name.encode()[:40].ljust(40) + serial
    descriptors += bytes((0x02, 0x01, 0x00, len(identifier))) + identifier
    return bytes((0x05, 0x83, 0x00, len(descriptors))) + descriptors


@packet(0x1B, data=False)
def start_stop_unit(cd: AtapiDrive) -> None:
    """START STOP UNIT: open and close the tray."""
    unit = cd.unit
    start, load_eject, power = cd.packet[4] & 1, cd.packet[4] & 2, cd.packet[4] >> 4
    if load_eject and not power:
        if not start and not unit.tray_open and unit.tray_locked:
            raise CheckCondition(NOT_READY if cd.drive.inserted else ILLEGAL_REQUEST, ASC_REMOVAL_PREVENTED)
        if unit.tray_open == bool(start):
            unit.tray_open = not start
            cd.drive.tray_moved(unit.tray_open)
    cd.succeed()


@packet(0x1E, data=False)
def prevent_allow_medium_removal(cd: AtapiDrive) -> None:
    """PREVENT/ALLOW MEDIUM REMOVAL."""
    cd.unit.tray_locked = bool(cd.packet[4] & 1)
    cd.succeed()


@packet(0xBB, data=False)
def set_speed(cd: AtapiDrive) -> None:
    """SET CD SPEED."""
    cd.succeed()


@packet(0xBD)
def mechanism_status(cd: AtapiDrive) -> None:
    """MECHANISM STATUS: no changer."""
    cd.reply(bytes((0, 0, 0, 0, 0, 1, 0, 0)), _field(cd, 8, 2))


@packet(0x4A, when=When.ALWAYS)
def get_event_status(cd: AtapiDrive) -> None:
    """GET EVENT STATUS NOTIFICATION: polled, and of the media class only."""
    if not cd.packet[1] & 1:
        raise CheckCondition.invalid_field()
    media = 4
    supported = 1 << media
    if not cd.packet[4] & supported:
        cd.reply(bytes((0, 0, 0x80, supported)), _field(cd, 7, 2))
        return
    unit = cd.unit
    event = 2 if unit.new_media else 1 if unit.eject_request else 0
    unit.new_media = unit.eject_request = False
    status = 2 if cd.medium_present else 1 if unit.tray_open else 0
    cd.reply(bytes((0, 4, media, supported, event, status, 0, 0)), _field(cd, 7, 2))


# -- what drive and medium can do


_MODE_PAGES = {
    # Read error recovery: 5 retries.
    0x01: bytes((0x01, 6, 0, 5, 0, 0, 0, 0)),
    # Audio control: sector size and volumes.
    0x0E: bytes((0x0E, 0x0E, 0, 0, 0, 0, 0, 0, 0x20, 0, 0x20, 0, 0x20, 0, 0x20, 0)),
}


def _capabilities(cd: AtapiDrive) -> bytes:
    """Mode page 2Ah: reads CD-R, CD-RW and DVD-ROM, 4x speed, 512 KiB of cache, a tray that can be locked."""
    tray = 0x29 | cd.unit.tray_locked << 1
    speed = (4 * 176).to_bytes(2, "big")
    return bytes((0x2A, 0x14, 0x3B, 0, 0x71, 0x60, tray, 0)) + speed + bytes((0, 2, 2, 0)) + speed + bytes(6)


@packet(0x5A)
def mode_sense(cd: AtapiDrive) -> None:
    """MODE SENSE (10): the current values of three pages."""
    control, page = cd.packet[2] >> 6, cd.packet[2] & 0x3F
    if control == 3:
        raise CheckCondition(ILLEGAL_REQUEST, ASC_SAVING_UNSUPPORTED)
    contents = _capabilities(cd) if page == 0x2A else _MODE_PAGES.get(page)
    if contents is None or control:
        raise CheckCondition.invalid_field()
    medium_type = 0x70  # what QEMU says, with and without a medium
    header = (6 + len(contents)).to_bytes(2, "big") + bytes((medium_type, 0, 0, 0, 0, 0))
    cd.reply(header + contents, _field(cd, 7, 2))


@packet(0x46, when=When.ALWAYS)
def get_configuration(cd: AtapiDrive) -> None:
    """GET CONFIGURATION: the profiles, and which of them the medium has."""
    if cd.packet[1] & 3 > 1 or _field(cd, 2, 2):
        raise CheckCondition.invalid_field()
    current = 0
    if cd.medium_present:
        current = PROFILE_DVD_ROM if cd.blocks > CD_BLOCKS else PROFILE_CD_ROM
    profiles = b"".join(
        profile.to_bytes(2, "big") + bytes((profile == current, 0)) for profile in (PROFILE_DVD_ROM, PROFILE_CD_ROM)
    )
    feature = bytes((0, 0, 0x03, len(profiles))) + profiles  # profile list: persistent, current
    cd.reply(
        (4 + len(feature)).to_bytes(4, "big") + bytes(2) + current.to_bytes(2, "big") + feature,
        _field(cd, 7, 2),
    )


@packet(0x25, when=When.MEDIUM)
def read_capacity(cd: AtapiDrive) -> None:
    """READ CAPACITY: the last block and the size of one."""
    cd.reply((cd.blocks - 1).to_bytes(4, "big") + BLOCK.to_bytes(4, "big"), 8)


@packet(0x43, when=When.MEDIUM)
def read_toc(cd: AtapiDrive) -> None:
    """READ TOC/PMA/ATIP: one session with one data track."""
    msf, start = bool(cd.packet[1] & 2), cd.packet[6]
    match cd.packet[9] >> 6 or cd.packet[2] & 0x0F:
        case 0:
            data = _table_of_contents(cd.blocks, msf, start)
        case 1:  # sessions
            data = bytes((0, 10, 1, 1, 0, 0x14, 1, 0)) + _toc_address(0, msf)
        case 2:
            data = _raw_table_of_contents(cd.blocks, msf)
        case _:
            raise CheckCondition.invalid_field()
    cd.reply(data, _field(cd, 7, 2))


def _toc_address(block: int, msf: bool) -> bytes:
    return b"\0" + _msf(block) if msf else block.to_bytes(4, "big")


def _table_of_contents(blocks: int, msf: bool, start: int) -> bytes:
    if start > 1 and start != LEAD_OUT:
        raise CheckCondition.invalid_field()
    entries = b"" if start == LEAD_OUT else bytes((0, 0x14, 1, 0)) + _toc_address(0, msf)
    entries += bytes((0, 0x16, LEAD_OUT, 0)) + _toc_address(blocks, msf)
    return (2 + len(entries)).to_bytes(2, "big") + bytes((1, 1)) + entries


def _raw_table_of_contents(blocks: int, msf: bool) -> bytes:
    """Format 2: first track, last track, lead-out, and the track, as the subchannel Q has them."""
    first = bytes((1, 0x14, 0, 0xA0, 0, 0, 0, 0, 1, 0, 0))
    last = bytes((1, 0x14, 0, 0xA1, 0, 0, 0, 0, 1, 0, 0))
    lead_out = bytes((1, 0x14, 0, 0xA2, 0, 0, 0)) + _toc_address(blocks, msf)
    track = bytes((1, 0x14, 0, 1, 0, 0, 0)) + _toc_address(0, msf)
    entries = first + last + lead_out + track
    return (2 + len(entries)).to_bytes(2, "big") + bytes((1, 1)) + entries


@packet(0x51, when=When.MEDIUM)
def read_disc_information(cd: AtapiDrive) -> None:
    """READ DISC INFORMATION: finalized, one session, one track, for unrestricted use."""
    if cd.packet[1] & 7:
        raise CheckCondition.invalid_field()
    data = bytearray(34)
    data[1], data[2] = 32, 0x0E
    data[3:7] = bytes((1, 1, 1, 1))
    data[7] = 0x20
    cd.reply(bytes(data), _field(cd, 7, 2))


@packet(0xAD, when=When.ANY)
def read_dvd_structure(cd: AtapiDrive) -> None:
    """READ DVD STRUCTURE: physical format, copyright, manufacturing data, and the list of these."""
    allocated = _field(cd, 8, 2)
    form = cd.packet[7]
    if cd.packet[1] & 0x0F:
        raise CheckCondition.invalid_field()
    if form == 0xFF:
        entries = bytes(
            (0x00, 0x40, 0x08, 0x04, 0x01, 0x40, 0x00, 0x08, 0x03, 0x40, 0x00, 0xC0, 0x04, 0x40, 0x08, 0x04)
        )
        cd.reply((len(entries) + 2).to_bytes(2, "big") + bytes(2) + entries, allocated)
        return
    if form not in (0x00, 0x01, 0x03, 0x04):
        raise CheckCondition.invalid_field()
    if not cd.medium_present:
        raise CheckCondition.no_medium()
    if cd.blocks <= CD_BLOCKS:
        raise CheckCondition(ILLEGAL_REQUEST, ASC_INCOMPATIBLE_FORMAT)
    if cd.packet[6]:  # layer
        raise CheckCondition.invalid_field()
    cd.reply(_dvd_structure(form, cd.blocks), allocated)


def _dvd_structure(form: int, blocks: int) -> bytes:
    match form:
        case 0x00:  # DVD-ROM part 1, 120 mm, one layer of 4.7 GB; data begin at 30000h
            start = 0x30000
            layout = b"".join(sector.to_bytes(4, "big") for sector in (start, start + blocks - 1, start + blocks - 1))
            body = (bytes((0x01, 0x0F, 0x01, 0x00)) + layout).ljust(2048, b"\0")
        case 0x01:  # no protection
            body = bytes(4)
        case 0x03:  # burst cutting area: none
            raise CheckCondition.invalid_field()
        case _:
            body = bytes(2048)
    return (len(body) + 2).to_bytes(2, "big") + bytes(2) + body


# -- data


@packet(0x2B, when=When.MEDIUM, data=False)
def seek(cd: AtapiDrive) -> None:
    """SEEK (10)."""
    if _field(cd, 2, 4) > cd.blocks:
        raise CheckCondition(ILLEGAL_REQUEST, ASC_BLOCK_OUT_OF_RANGE)
    cd.succeed()


@packet(0x28, 0xA8, when=When.MEDIUM)
def read(cd: AtapiDrive) -> None:
    """READ (10), READ (12)."""
    count = _field(cd, 7, 2) if cd.packet[0] == 0x28 else _field(cd, 6, 4)
    _read_blocks(cd, _field(cd, 2, 4), count, raw=False)


@packet(0xBE, when=When.MEDIUM)
def read_cd(cd: AtapiDrive) -> None:
    """READ CD: user data, or the whole of a raw block."""
    block, count = _field(cd, 2, 4), _field(cd, 6, 3)
    match cd.packet[9] & 0xF8:
        case 0x00:  # no data: a seek
            cd.succeed()
        case 0x10:
            _read_blocks(cd, block, count, raw=False)
        case 0xF8:
            _read_blocks(cd, block, count, raw=True)
        case _:
            raise CheckCondition.invalid_field()


def _read_blocks(cd: AtapiDrive, block: int, count: int, *, raw: bool) -> None:
    if not count:
        cd.succeed()
        return
    if block + count > cd.blocks:
        raise CheckCondition(ILLEGAL_REQUEST, ASC_BLOCK_OUT_OF_RANGE)
    pending = bytearray()
    position, end = block, block + count

    def fetch(length: int) -> bytes:
        nonlocal position
        while len(pending) < length:
            step = min(max(READ_AHEAD, -(-length // BLOCK)), end - position)
            data = cd.drive.read(position * BLOCK, step * BLOCK)
            pending.extend(_raw_blocks(position, data) if raw else data)
            position += step
        taken = bytes(pending[:length])
        del pending[:length]
        return taken

    cd.reply_stream(count * (RAW_BLOCK if raw else BLOCK), fetch)


def _raw_blocks(block: int, data: bytes) -> bytes:
    """Mode 1 blocks: sync, header, user data; error detection and correction are left zero, as in QEMU."""
    sync = b"\0" + b"\xff" * 10 + b"\0"
    out = bytearray()
    for offset in range(0, len(data), BLOCK):
        out += sync + _msf(block) + b"\1" + data[offset : offset + BLOCK] + bytes(RAW_BLOCK - 16 - BLOCK)
        block += 1
    return bytes(out)
