"""Option ROMs out of PCI devices, and the POST memory manager."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from pyqemu.firmware.bios.frame import FRAME_SIZE
from tests.firmware.bios.rig import STACK, Board

POST, PMM = 0x80, 0x86
PRINT, CALL, TEXT_MODE = 2, 3, 9


def pci_rom(vendor: int, device: int, kind: int = 0, last: bool = True, blocks: int = 2) -> bytes:
    """An image with a PCI data structure."""
    image = bytearray(512 * blocks)
    image[:4] = bytes((0x55, 0xAA, blocks, 0xCB))
    struct.pack_into("<H", image, 0x18, 0x20)
    struct.pack_into("<4sHHHHB3xHHBB", image, 0x20, b"PCIR", vendor, device, 0, 24, 0, blocks, 0, kind, last << 7)
    image[-1] = -sum(image) & 0xFF
    return bytes(image)


def board_with(image: bytes, tmp_path: Path) -> Board:
    (tmp_path / "rom").write_bytes(image)
    board = Board(vga_rom=str(tmp_path / "rom"))
    board.power_on()
    board.call(POST)
    return board


def test_display_rom_takes_c000(tmp_path: Path) -> None:
    image = pci_rom(0x1234, 0x1111)
    board = board_with(image, tmp_path)
    assert board.verdict == CALL
    offset, segment, ax = struct.unpack("<HHH", board.memory.read(0x9FC60, 6))
    assert (segment, offset, ax) == (0xC000, 3, 0x0010)
    assert board.memory.read(0xC0000, len(image)) == image
    board.call(POST)
    assert board.verdict == TEXT_MODE
    board.call(POST)
    assert board.verdict == PRINT
    assert board.memory.load(0x9FC84, 2) == 0xC800


def test_image_for_this_machine_is_chosen(tmp_path: Path) -> None:
    efi = pci_rom(0x1234, 0x1111, kind=3, last=False, blocks=4)
    board = board_with(efi + pci_rom(0x1234, 0x1111), tmp_path)
    assert board.verdict == CALL
    assert board.memory.load(0xC0002, 1) == 2


@pytest.mark.parametrize("image", [pci_rom(0x8086, 0x100E), pci_rom(0x1234, 0x1111, kind=3), b"\xff" * 1024])
def test_what_is_not_for_us_is_left_alone(image: bytes, tmp_path: Path) -> None:
    board = board_with(image, tmp_path)
    assert board.verdict == PRINT


def test_rom_address_register_is_closed_again(tmp_path: Path) -> None:
    board = board_with(pci_rom(0x1234, 0x1111), tmp_path)
    register = board.vga.config_read(0x30, 4)
    assert register & 1 == 0
    assert register >= 0xE0000000


def allocate(board: Board, paragraphs: int, flags: int = 2) -> int:
    board.memory.write(STACK + FRAME_SIZE, struct.pack("<IIH", paragraphs, 0xFFFFFFFF, flags))
    frame = board.call(PMM, flags=0)  # the first argument, in the place of FLAGS, is the function
    return frame.dx << 16 | frame.ax


def test_memory_manager_hands_out_extended_memory() -> None:
    board = Board()
    board.power_on()
    largest = allocate(board, 0)
    assert largest > 8 << 20
    first, second = allocate(board, 0x1000), allocate(board, 0x1000, flags=6)
    assert first - second >= 0x10000
    assert second % 0x10000 == 0
    assert 0x100000 < second < board.bios.context.acpi_start
    assert allocate(board, largest >> 4) == 0
    assert allocate(board, 16, flags=1) == 0
