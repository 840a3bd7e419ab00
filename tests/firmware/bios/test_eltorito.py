"""Booting from CD: no emulation, floppy and hard disk emulation."""

from __future__ import annotations

import struct

import pytest

from pyqemu.block.drive import Drive
from pyqemu.block.node import MemoryNode
from tests.firmware.bios.rig import Board, disk

BUFFER, PACKET = 0x8000, 0x9000
CATALOG, IMAGE = 20, 24
BOOT, BOOT_RESTART = 0x81, 0x82


def cd(media: int, image: bytes, *, segment: int = 0, count: int = 4, bootable: int = 0x88) -> Drive:
    """A CD whose default entry is of that media type."""
    sectors = bytearray((IMAGE + len(image) // 2048 + 1) * 2048)
    record = b"\x00CD001\x01" + b"EL TORITO SPECIFICATION".ljust(32, b"\x00")
    sectors[0x11 * 2048 : 0x11 * 2048 + len(record)] = record
    struct.pack_into("<I", sectors, 0x11 * 2048 + 0x47, CATALOG)
    catalog = bytearray(64)
    catalog[0], catalog[30], catalog[31] = 1, 0x55, 0xAA
    struct.pack_into("<BBHBBHI", catalog, 32, bootable, media, segment, 0, 0, count, IMAGE)
    sectors[CATALOG * 2048 : CATALOG * 2048 + 64] = catalog
    sectors[IMAGE * 2048 : IMAGE * 2048 + len(image)] = image
    return Drive("cd0", MemoryNode(bytes(sectors), read_only=True), interface="ide", media="cdrom")


def boot(drive: Drive, **drives: object) -> tuple[Board, int]:
    """Run the boot service until it starts something; the verdict then."""
    board = Board(boot_order="d", cdroms=[drive], **drives)
    board.power_on()
    board.call(BOOT_RESTART)
    for _ in range(8):
        board.call(BOOT)
        if board.verdict != 2:
            break
    return board, board.verdict


def target(board: Board) -> tuple[int, int, int]:
    offset, segment = struct.unpack("<HH", board.memory.read(0x9FC60, 4))
    return segment, offset, board.memory.load(0x9FC6A, 1)


def test_no_emulation_loads_at_the_entry_s_segment() -> None:
    image = bytes(range(256)) * 16
    board, verdict = boot(cd(0, image, segment=0x1000, count=8))
    assert verdict == 4
    assert target(board) == (0x1000, 0, 0xE0)
    assert board.memory.read(0x10000, 4096) == image
    frame = board.call(0x13, eax=0x4B01, edx=0xE0, esi=PACKET)
    assert (frame.ah, frame.carry) == (0, False)
    packet = board.memory.read(PACKET, 19)
    assert (packet[0], packet[1] & 15, packet[2], struct.unpack_from("<I", packet, 4)[0]) == (19, 0, 0xE0, IMAGE)


def test_default_segment_is_7c0() -> None:
    board, _ = boot(cd(0, b"x" * 2048))
    assert target(board) == (0, 0x7C00, 0xE0)


def test_floppy_emulation_takes_the_place_of_drive_a() -> None:
    image = b"".join(struct.pack("<I", n) * 128 for n in range(2880))
    real = Drive("floppy0", MemoryNode(b"real" * (1440 * 256)), interface="floppy")
    board, _ = boot(cd(2, image, count=1), floppies=[real])
    assert target(board) == (0, 0x7C00, 0x00)
    assert not board.call(0x13, eax=0x0201, ecx=0x0102, edx=0x0100, ebx=BUFFER).carry  # cylinder 1, head 1, sector 2
    assert board.memory.load(BUFFER, 4) == (1 * 2 + 1) * 18 + 1
    assert board.call(0x13, eax=0x0301, ecx=1, edx=0, ebx=BUFFER).ah == 3
    frame = board.call(0x13, eax=0x0800, edx=0)
    assert (frame.ch, frame.cl, frame.dh, frame.dl, frame.bl) == (79, 18, 1, 2, 4)
    board.call(0x13, eax=0x0201, ecx=1, edx=1, ebx=BUFFER)  # the real drive is B: now
    assert board.memory.read(BUFFER, 8) == b"realreal"
    assert not board.call(0x13, eax=0x4B00, edx=0, esi=PACKET).carry
    board.call(0x13, eax=0x0201, ecx=1, edx=0, ebx=BUFFER)
    assert board.memory.read(BUFFER, 8) == b"realreal"


def test_hard_disk_emulation_takes_the_place_of_80h() -> None:
    image = bytearray(b"".join(struct.pack("<I", n) * 128 for n in range(16 * 63 * 2)))
    image[446:462] = bytes((0x80, 1, 1, 0, 6, 15, 63, 1)) + struct.pack("<II", 63, 16 * 63 * 2 - 63)
    image[510:512] = b"\x55\xaa"
    board, _ = boot(cd(4, bytes(image), count=1), hard_disks=[disk(b"real" * 0x10000)])
    assert target(board)[2] == 0x80
    frame = board.call(0x13, eax=0x0800, edx=0x80)
    assert (frame.ch, frame.dh, frame.cl, frame.dl) == (1, 15, 63, 2)
    board.call(0x13, eax=0x0201, ecx=2, edx=0x80, ebx=BUFFER)
    assert board.memory.load(BUFFER, 4) == 1
    board.call(0x13, eax=0x0201, ecx=1, edx=0x81, ebx=BUFFER)
    assert board.memory.read(BUFFER, 4) == b"real"
    assert board.memory.load(0x475, 1) == 2


@pytest.mark.parametrize(
    ("drive", "reason"),
    [
        (disk(2048 * 32, "cd0", media="cdrom"), "no boot record"),
        (cd(0, b"", bootable=0), "the default entry is not bootable"),
        (cd(7, b""), "unknown media type 7"),
        (Drive("cd0", None, interface="ide", media="cdrom"), "no medium"),
    ],
)
def test_what_cannot_be_booted_says_why(drive: Drive, reason: str) -> None:
    board, verdict = boot(drive)
    assert verdict == 1  # waits for ever
    assert board.log[-1] == "no bootable device"
    shown = board.memory.read(0x9FD40, 64)
    assert shown.startswith(b"No bootable device")
    assert any(reason in line for line in board.log), board.log
