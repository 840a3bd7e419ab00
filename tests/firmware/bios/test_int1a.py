"""INT 1Ah: time and PCI; INT 70h; INT 14h and 17h without ports."""

from __future__ import annotations

import struct

import pytest

from pyqemu.firmware.bios.context import Ports
from pyqemu.firmware.bios.pci_setup import PciConfig
from tests.firmware.bios.rig import Board

BUFFER = 0x8000


@pytest.fixture
def board() -> Board:
    board = Board()
    board.power_on()
    return board


def test_ticks_start_at_the_time_of_day(board: Board) -> None:
    frame = board.call(0x1A, eax=0)
    ticks = frame.cx << 16 | frame.dx
    assert ticks == (12 * 3600 + 34 * 60 + 56) * 0x1800B0 // 86400
    board.call(0x1A, eax=0x0100, ecx=0x0012, edx=0x3456)
    frame = board.call(0x1A, eax=0)
    assert (frame.cx, frame.dx, frame.al) == (0x12, 0x3456, 0)
    board.memory.store(0x470, 1, 1)
    assert board.call(0x1A, eax=0).al == 1
    assert board.call(0x1A, eax=0).al == 0


def test_clock_in_bcd(board: Board) -> None:
    frame = board.call(0x1A, eax=0x0200)
    assert (frame.ch, frame.cl, frame.dh, frame.carry) == (0x12, 0x34, 0x56, False)
    frame = board.call(0x1A, eax=0x0400)
    assert (frame.ch, frame.cl, frame.dh, frame.dl) == (0x20, 0x16, 0x05, 0x26)


def test_clock_can_be_set(board: Board) -> None:
    board.call(0x1A, eax=0x0300, ecx=0x2345, edx=0x1000)
    board.call(0x1A, eax=0x0500, ecx=0x1999, edx=0x1231)
    frame = board.call(0x1A, eax=0x0200)
    assert (frame.ch, frame.cl, frame.dh) == (0x23, 0x45, 0x10)
    frame = board.call(0x1A, eax=0x0400)
    assert (frame.ch, frame.cl, frame.dh, frame.dl) == (0x19, 0x99, 0x12, 0x31)


def test_alarm_calls_int_4a(board: Board) -> None:
    board.memory.store(4 * 0x4A, 4, 0x20000123)
    assert not board.call(0x1A, eax=0x0600, ecx=0x1234, edx=0x5800).carry
    assert board.call(0x1A, eax=0x0600, ecx=0x1234, edx=0x5800).carry
    board.clock.advance(3_000_000_000)
    board.call(0x70)
    assert board.verdict == 6
    assert board.memory.load(0x9FC60, 4) == 0x20000123


def test_event_wait_counts_periodic_interrupts(board: Board) -> None:
    assert not board.call(0x15, eax=0x8300, ecx=0, edx=2000, ebx=BUFFER).carry
    assert board.call(0x15, eax=0x8300, ecx=0, edx=2000, ebx=BUFFER).carry
    for _ in range(3):
        board.clock.advance(1_000_000)
        board.call(0x70)
    assert board.memory.load(BUFFER, 1) == 0x80


# -- PCI ---------------------------------------------------------------------------------------------------------


def test_pci_bios_is_there(board: Board) -> None:
    frame = board.call(0x1A, eax=0xB101)
    assert (frame.ah, frame.edx, frame.bx, frame.al & 1, frame.carry) == (0, 0x20494350, 0x0210, 1, False)


def test_pci_find(board: Board) -> None:
    frame = board.call(0x1A, eax=0xB102, ecx=0x1111, edx=0x1234)
    assert (frame.carry, frame.bx) == (False, 0x10)
    assert board.call(0x1A, eax=0xB102, ecx=0x1111, edx=0x1234, esi=1).ah == 0x86
    assert board.call(0x1A, eax=0xB102, ecx=0x1111, edx=0xFFFF).ah == 0x83
    frame = board.call(0x1A, eax=0xB103, ecx=0x030000)
    assert (frame.carry, frame.bx) == (False, 0x10)
    assert board.call(0x1A, eax=0xB103, ecx=0x030000, esi=1).ah == 0x86


def test_pci_configuration_access(board: Board) -> None:
    assert board.call(0x1A, eax=0xB108, ebx=0x10, edi=0x0B).cl == 3
    assert board.call(0x1A, eax=0xB109, ebx=0x10, edi=0).cx == 0x1234
    assert board.call(0x1A, eax=0xB10A, ebx=0x10, edi=0).ecx == 0x11111234
    assert board.call(0x1A, eax=0xB109, ebx=0x10, edi=1).ah == 0x87
    board.call(0x1A, eax=0xB10B, ebx=0x10, edi=0x3C, ecx=7)
    assert board.vga.config[0x3C] == 7


def test_pci_routing_options(board: Board) -> None:
    board.memory.write(BUFFER, struct.pack("<HHH", 1024, 0x100, BUFFER >> 4))
    frame = board.call(0x1A, eax=0xB10E, edi=BUFFER)
    assert (frame.ah, frame.bx) == (0, 1 << 10 | 1 << 11)
    size = board.memory.load(BUFFER, 2)
    first = board.memory.read(BUFFER + 0x100, 16)
    assert size == 31 * 16
    assert first[:3] == bytes((0, 8, 0x60))
    board.memory.write(BUFFER, struct.pack("<HHH", 8, 0x100, BUFFER >> 4))
    assert board.call(0x1A, eax=0xB10E, edi=BUFFER).ah == 0x89


def test_power_on_gives_the_display_its_frame_buffer(board: Board) -> None:
    config = PciConfig(Ports(board.io))
    base = config.read(0x10, 0x10, 4) & ~15
    assert base >= 0xE0000000
    assert base % (16 << 20) == 0
    assert config.read(0x10, 4, 2) & 7 == 7
    mmio = config.read(0x10, 0x18, 4)
    assert 0xE0000000 <= mmio < 0xFEC00000


# -- ports that are not there ----------------------------------------------------------------------------------------


def test_missing_serial_and_printer_ports(board: Board) -> None:
    assert board.call(0x14, eax=0x0300, edx=0).ah == 0x80
    assert board.call(0x17, eax=0x0200, edx=0).ah == 0x01
