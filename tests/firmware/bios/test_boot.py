"""What is booted: the CMOS order, ``bootorder``, the menu, and what happens when nothing can be."""

from __future__ import annotations

import struct

import pytest

from pyqemu.block.drive import Drive
from pyqemu.block.node import MemoryNode
from tests.firmware.bios.rig import Board, disk, key

SECTOR = bytes(510) + b"\x55\xaa"
BOOT, BOOT_RESTART = 0x81, 0x82
WAIT, PRINT, CALL, START, HALT = 1, 2, 3, 4, 8


def drive_number(board: Board) -> int:
    return board.memory.load(0x9FC6A, 1)


def text(board: Board) -> str:
    return board.memory.read(0x9FD40, 160).partition(b"\x00")[0].decode()


def step(board: Board) -> int:
    board.call(BOOT)
    return board.verdict


def until(board: Board, *verdicts: int) -> list[str]:
    """Ask until one of *verdicts* comes; the texts printed meanwhile."""
    texts = []
    for _ in range(20):
        if step(board) in verdicts:
            return texts
        if board.verdict == PRINT:
            texts.append(text(board).strip())
    raise AssertionError(texts)


def make(order: str = "cad", setup: dict[str, bytes] | None = None, **drives: object) -> Board:
    board = Board(boot_order=order, **drives)
    for name, data in (setup or {}).items():
        board.fw_cfg.add_file(name, data)
    board.power_on()
    board.call(BOOT_RESTART)
    return board


def floppy(contents: bytes = SECTOR.ljust(1440 * 1024, b"\x00")) -> Drive:
    return Drive("floppy0", MemoryNode(contents), interface="floppy")


def test_hard_disk_sector_is_started() -> None:
    board = make(hard_disks=[disk(b"boot".ljust(510, b"\x00") + b"\x55\xaa")])
    assert until(board, START) == ["Booting from Hard Disk..."]
    assert board.memory.read(0x7C00, 4) == b"boot"
    assert drive_number(board) == 0x80
    assert struct.unpack("<HH", board.memory.read(0x9FC60, 4)) == (0x7C00, 0)


@pytest.mark.parametrize(("order", "first"), [("cad", 0x80), ("ac", 0x00), ("a", 0x00)])
def test_cmos_order(order: str, first: int) -> None:
    board = make(order, hard_disks=[disk(SECTOR)], floppies=[floppy()])
    until(board, START)
    assert drive_number(board) == first


def test_next_device_after_one_that_gives_up() -> None:
    board = make("ca", hard_disks=[disk(SECTOR)], floppies=[floppy()])
    until(board, START)
    assert until(board, START) == ["Booting from Floppy..."]
    assert drive_number(board) == 0
    assert until(board, WAIT) == ["No bootable device."]


def test_unbootable_disk_says_so() -> None:
    board = make("c", hard_disks=[disk(bytes(4096))])
    texts = ["Booting from Hard Disk...", "Boot failed: not a bootable disk", "No bootable device."]
    assert until(board, WAIT) == texts
    assert step(board) == WAIT


def test_bootorder_comes_first_and_renumbers_disks() -> None:
    line = b"/pci@i0cf8/ide@1,1/drive@1/disk@0\n\x00"
    one, two = disk(SECTOR, "one", bus=0), disk(b"two".ljust(510, b"\x00") + b"\x55\xaa", "two", bus=1)
    board = make("a", {"bootorder": line}, hard_disks=[one, two])
    until(board, START)
    assert drive_number(board) == 0x80
    assert board.memory.read(0x7C00, 3) == b"two"
    board.call(0x13, eax=0x0201, ecx=1, edx=0x81, ebx=0x8000)
    assert board.memory.read(0x8000, 3) == bytes(3)


def test_restart_begins_with_the_first_device() -> None:
    board = make("ca", hard_disks=[disk(SECTOR)], floppies=[floppy()])
    until(board, START)
    board.call(BOOT_RESTART)
    assert until(board, START) == ["Booting from Hard Disk..."]


def menu_board() -> Board:
    board = Board(boot_order="c", hard_disks=[disk(SECTOR)], floppies=[floppy()])
    board.fw_cfg.add_i16(0x0E, 1)
    board.fw_cfg.add_file("etc/boot-menu-wait", struct.pack("<H", 1000))
    board.power_on()
    board.call(BOOT_RESTART)
    return board


def test_menu_is_offered_and_times_out() -> None:
    board = menu_board()
    assert until(board, WAIT) == ["Press F12 or Esc for boot menu."]
    board.clock.advance(1_000_000_000)
    assert until(board, START) == ["Booting from Hard Disk..."]


def test_menu_choice() -> None:
    board = menu_board()
    until(board, WAIT)
    key(board, 0x58)  # F12
    shown = until(board, WAIT)
    assert [line[:2] for line in shown[0].splitlines()[2:]] == ["1.", "2."]
    assert "Hard Disk" in shown[0]
    assert "Floppy" in shown[0]
    key(board, 0x03)  # 2
    assert until(board, START) == ["Booting from Floppy..."]


def test_menu_can_be_left() -> None:
    board = menu_board()
    until(board, WAIT)
    key(board, 0x01)
    until(board, WAIT)
    key(board, 0x01)
    assert until(board, START) == ["Booting from Hard Disk..."]


def test_reboot_timeout() -> None:
    board = make("c", {"etc/boot-fail-wait": struct.pack("<i", 2000)})
    resets: list[object] = []
    board.system.request_reset = lambda *cause: resets.append(cause)  # type: ignore[method-assign]
    assert until(board, WAIT) == ["No bootable device.  Retrying in 2 seconds."]
    board.clock.advance(2_000_000_000)
    assert step(board) == HALT
    assert resets


def test_state_lives_in_memory_alone() -> None:
    """Another BIOS object over the same memory goes on where the first one was, as after a migration."""
    board = make("ca", hard_disks=[disk(SECTOR)], floppies=[floppy()])
    until(board, START)
    board.bios.__init__(board.bios.context)  # type: ignore[misc]
    assert until(board, START) == ["Booting from Floppy..."]
