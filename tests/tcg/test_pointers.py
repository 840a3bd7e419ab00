"""Pointers of a guest that services of the host are handed."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from pyqemu.memory import MemoryRegion
from pyqemu.tcg.pointers import LARGEST, Pointers
from pyqemu.tcg.softmmu import WRITE
from tests.targets.arm.guest import RAM_SIZE, Guest

DEVICE, ROM = 0x1000_0000, 0x2000_0000


class Device:
    """Counts who touches it."""

    touched = 0

    def read(self, offset: int, size: int) -> int:
        self.touched += 1
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        self.touched += 1


@pytest.fixture
def guest() -> Guest:
    guest = Guest()
    guest.device = Device()  # type: ignore[attr-defined]
    root = guest.cpu.memory.root
    root.add(DEVICE, MemoryRegion.mmio("device", 0x1000, guest.device))  # type: ignore[attr-defined]
    root.add(ROM, MemoryRegion.rom("rom", 0x1000))
    return guest


@pytest.fixture
def pointers(guest: Guest) -> Pointers:
    return Pointers(guest.cpu, 32)


def error(function: Callable[..., object], *arguments: object) -> int | None:
    with pytest.raises(OSError) as caught:
        function(*arguments)
    return caught.value.errno


def test_bytes_go_in_and_out_over_page_boundaries(guest: Guest, pointers: Pointers) -> None:
    data = bytes(range(250)) * 40
    pointers.write(0x8FFF, data)
    assert pointers.read(0x8FFF, len(data)) == data == bytes(guest.ram[0x8FFF : 0x8FFF + len(data)])


def test_string_ends_at_its_zero_on_whatever_page(pointers: Pointers) -> None:
    pointers.write(0x8FF0, b"a" * 5000 + b"\0b")
    assert pointers.string(0x8FF0, 6000) == b"a" * 5000
    assert pointers.string(0x8FF0 + 5000, 1) == b""
    assert error(pointers.string, 0x8FF0, 5000) == errno.ENAMETOOLONG


def test_string_beside_the_end_of_memory(pointers: Pointers) -> None:
    pointers.write(RAM_SIZE - 3, b"ab\0")
    assert pointers.string(RAM_SIZE - 3, 4096) == b"ab"
    pointers.write(RAM_SIZE - 3, b"abc")
    assert error(pointers.string, RAM_SIZE - 3, 4096) == errno.EFAULT


@pytest.mark.parametrize("address", [RAM_SIZE, RAM_SIZE - 8, DEVICE, 0xFFFF_FFF8, 0xFFFF_FFFF])
def test_what_is_no_memory_is_refused(guest: Guest, pointers: Pointers, address: int) -> None:
    assert error(pointers.read, address, 16) == errno.EFAULT
    assert error(pointers.write, address, bytes(16)) == errno.EFAULT
    assert guest.device.touched == 0  # type: ignore[attr-defined]


def test_nothing_is_written_where_not_all_can_be(guest: Guest, pointers: Pointers) -> None:
    assert error(pointers.write, RAM_SIZE - 8, b"x" * 9) == errno.EFAULT
    assert bytes(guest.ram[RAM_SIZE - 8 :]) == bytes(8)


def test_rom_can_be_read_only(pointers: Pointers) -> None:
    assert pointers.read(ROM, 4) == bytes(4)
    assert error(pointers.write, ROM, b"x") == errno.EFAULT


def test_lengths_have_a_bound(pointers: Pointers) -> None:
    assert error(pointers.check, 0, LARGEST + 1, WRITE) == errno.EINVAL
    assert error(pointers.read, 0, 1 << 64) == errno.EINVAL


def test_page_tables_count(guest: Guest, pointers: Pointers) -> None:
    """One section that nobody may write (APX), the next one not mapped: bad pointers, and no exception of the guest."""
    guest.put(0x4000, 0x0000_8C0E)
    guest.cpu.sys.ttbr0_el1 = 0x4000
    guest.cpu.sys.dacr32_el2 = 1
    guest.cpu.sys.sctlr_el1 |= 1
    guest.cpu.translation_changed()
    assert pointers.read(0x9000, 4) == bytes(4)
    assert error(pointers.write, 0x9000, b"x") == errno.EFAULT
    assert error(pointers.read, 0xF_FFFC, 8) == errno.EFAULT
