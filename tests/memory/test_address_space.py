"""Accesses through an address space."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.memory import AddressSpace, MemoryRegion


class Recorder:
    """A device that keeps a log and answers from a byte array."""

    def __init__(self, size: int = 64) -> None:
        self.bytes = bytearray(range(size))
        self.log: list[tuple[str, int, int]] = []

    def read(self, offset: int, size: int) -> int:
        self.log.append(("r", offset, size))
        return int.from_bytes(self.bytes[offset : offset + size], "little")

    def write(self, offset: int, size: int, value: int) -> None:
        self.log.append(("w", offset, size))
        self.bytes[offset : offset + size] = value.to_bytes(size, "little")


def ports(device: Recorder, **kwargs: tuple[int, int]) -> AddressSpace:
    root = MemoryRegion.container("io", 0x10000)
    root.add(0x100, MemoryRegion.mmio("device", 64, device, **kwargs))
    return AddressSpace("I/O", root)


def test_nobody_reads_as_ones_and_takes_no_writes() -> None:
    space = AddressSpace("empty", MemoryRegion.container("empty"))
    space.store(0x1234, 4, 0)
    space.write(0x1234, b"1234")
    assert space.load(0x1234, 4) == 0xFFFF_FFFF
    assert space.load(0x1234, 8) == 0xFFFF_FFFF_FFFF_FFFF
    assert space.read(0xFFFF_FFFE, 4) == b"\xff" * 4
    assert not space.lookup(0).assigned


def test_nobody_reads_as_zero_where_a_board_wants_it() -> None:
    space = AddressSpace("s", MemoryRegion.container("root"), gaps_read_zero=True)
    assert [space.load(0x1234, size) for size in (1, 2, 4, 8)] == [0] * 4


def test_wide_access_to_a_narrow_device_is_split() -> None:
    device = Recorder()
    space = ports(device, access=(1, 4), impl=(1, 1))
    assert space.load(0x102, 4) == 0x05040302
    space.store(0x100, 2, 0xAABB)
    assert device.log == [("r", 2, 1), ("r", 3, 1), ("r", 4, 1), ("r", 5, 1), ("w", 0, 1), ("w", 1, 1)]
    assert device.bytes[:2] == b"\xbb\xaa"


def test_narrow_access_to_a_wide_device_is_widened_to_its_lane() -> None:
    device = Recorder()
    space = ports(device, access=(1, 8), impl=(4, 4))
    assert space.load(0x106, 1) == 6
    assert space.load(0x108, 8) == 0x0F0E0D0C_0B0A0908
    space.store(0x106, 2, 0xBEEF)
    assert device.log == [("r", 4, 4), ("r", 8, 4), ("r", 12, 4), ("w", 4, 4)]
    assert device.bytes[4:8] == b"\0\0\xef\xbe"


def test_access_narrower_than_the_guest_may_use_finds_nobody() -> None:
    device = Recorder()
    space = ports(device, access=(4, 4))
    assert space.load(0x100, 1) == 0xFF
    space.store(0x100, 2, 0)
    assert device.log == []


def test_answers_are_cut_to_the_access() -> None:
    class Wild:
        def read(self, offset: int, size: int) -> int:
            return -1

        def write(self, offset: int, size: int, value: int) -> None:
            assert 0 <= value <= 0xFF

    root = MemoryRegion.container("io", 0x10000)
    root.add(0, MemoryRegion.mmio("wild", 8, Wild()))
    space = AddressSpace("I/O", root)
    assert space.load(0, 2) == 0xFFFF
    space.store(0, 1, 0x1234)


def test_access_across_two_regions_is_split_at_the_border() -> None:
    root = MemoryRegion.container("io", 0x10000)
    low, high = Recorder(), Recorder()
    root.add(0, MemoryRegion.mmio("low", 2, low))
    root.add(2, MemoryRegion.mmio("high", 8, high))
    space = AddressSpace("I/O", root)
    assert space.load(1, 4) == 0x02010001
    assert low.log == [("r", 1, 1)]
    assert high.log == [("r", 0, 2), ("r", 2, 1)]


def test_a_long_register_keeps_its_width_under_a_byte_register() -> None:
    """A long at 0xCF8 is one access although 0xCF9 belongs to another device."""
    root = MemoryRegion.container("io", 0x10000)
    long, byte = Recorder(), Recorder()
    root.add(0xCF8, MemoryRegion.mmio("long", 4, long))
    root.add(0xCF9, MemoryRegion.mmio("byte", 1, byte), 1)
    space = AddressSpace("I/O", root)
    space.store(0xCF8, 4, 0x80000000)
    space.store(0xCF9, 1, 6)
    assert long.log == [("w", 0, 4)]
    assert byte.log == [("w", 0, 1)]


@given(st.integers(0, 0x2FF0), st.binary(min_size=1, max_size=0x1100))
def test_what_is_written_across_blocks_is_read_back(addr: int, data: bytes) -> None:
    root = MemoryRegion.container("root")
    for number in range(4):
        root.add(number << 12, MemoryRegion.ram(f"ram{number}", 0x1000))
    space = AddressSpace("memory", root)
    space.write(addr, data)
    assert space.read(addr, len(data)) == data
    model = bytearray(0x5000)
    model[addr : addr + len(data)] = data
    for at in (addr, addr + len(data) - 1, 0xFFE):
        if at <= 0x3FF8:
            assert space.load(at, 8) == int.from_bytes(model[at : at + 8], "little")


def test_rom_and_readonly_ram_take_no_writes() -> None:
    root = MemoryRegion.container("root")
    ram = MemoryRegion.ram("ram", 0x1000)
    window = MemoryRegion.alias("window", ram, 0, 0x1000)
    window.readonly = True
    root.add(0, MemoryRegion.rom("rom", b"\x55" * 0x1000))
    root.add(0x1000, window)
    root.add(0x2000, ram)
    space = AddressSpace("memory", root)
    space.write(0xFFE, b"abcd")
    space.store(0x1000, 2, 0x1234)
    assert space.read(0xFFE, 4) == b"\x55\x55\0\0"
    space.store(0x2000, 2, 0x1234)
    assert space.load(0x1000, 2) == 0x1234
    assert not space.lookup(0).writable
    assert space.lookup(0).ram is not None


def test_listeners_hear_of_writes_to_ram_only() -> None:
    root = MemoryRegion.container("root")
    ram = MemoryRegion.ram("ram", 0x2000)
    root.add(0x1000, ram)
    root.add(0x3000, MemoryRegion.mmio("device", 64, Recorder()))
    space = AddressSpace("memory", root)
    heard: list[tuple[str, int, int]] = []
    space.write_listeners.append(lambda block, offset, length: heard.append((block.name, offset, length)))
    space.store(0x1010, 4, 1)
    space.write(0x2FF0, bytes(0x20))
    space.store(0x3000, 1, 1)
    space.write(0x1000, b"")
    assert heard == [("ram", 0x10, 4), ("ram", 0x1FF0, 0x10)]


def test_big_reads_and_writes_of_mmio_are_aligned_accesses() -> None:
    device = Recorder()
    space = ports(device)
    assert space.read(0x101, 8) == bytes(range(1, 9))
    assert device.log == [("r", 1, 1), ("r", 2, 2), ("r", 4, 4), ("r", 8, 1)]


def test_view_is_the_ram_itself() -> None:
    root = MemoryRegion.container("root")
    root.add(0, MemoryRegion.ram("ram", 0x1000))
    space = AddressSpace("memory", root)
    view = space.view(0x100, 4)
    assert view is not None
    space.store(0x100, 4, 0x64636261)
    assert bytes(view) == b"abcd"
    assert space.view(0xFFE, 4) is None
    assert space.view(0x5000, 1) is None


def test_addresses_wrap_at_64_bits() -> None:
    root = MemoryRegion.container("root")
    root.add(0, MemoryRegion.ram("ram", 0x1000))
    space = AddressSpace("memory", root)
    space.store(0, 2, 0x1234)
    assert space.load((1 << 64) - 2, 4) == 0x1234FFFF


def test_a_region_is_mapped_once() -> None:
    root, ram = MemoryRegion.container("root"), MemoryRegion.ram("ram", 0x1000)
    root.add(0, ram)
    with pytest.raises(ValueError, match="mapped already"):
        root.add(0x1000, ram)
    root.remove(ram)
    root.add(0x1000, ram)
