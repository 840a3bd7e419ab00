"""Dirty logs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyqemu.memory import AddressSpace, DirtyLog, MemoryRegion, RamBlock
from pyqemu.util.errors import UserError


def test_all_pages_are_dirty_at_first_and_clean_when_taken() -> None:
    log = DirtyLog(0x3001)
    log.enable("vga")
    assert log.take("vga") == {0, 1, 2, 3}
    assert log.take("vga") == set()


def test_clients_take_for_themselves() -> None:
    log = DirtyLog(0x4000)
    log.enable("vga")
    log.enable("migration")
    log.take("vga")
    log.take("migration")
    log.mark(0xFFF, 2)
    assert log.take("vga") == {0, 1}
    assert log.take("migration", 1, 2) == {1}
    assert log.take_map("migration") == b"\1\0\0\0"


def test_nothing_is_recorded_without_a_client() -> None:
    log = DirtyLog(0x4000)
    log.mark(0, 0x4000)
    assert not any(log.map)
    log.enable("vga")
    log.disable("vga")
    assert not log.enabled


def test_taking_tells_whoever_must_see_writes_again() -> None:
    log = DirtyLog(0x4000)
    told: list[tuple[int, int]] = []
    log.on_take.append(lambda first, count: told.append((first, count)))
    log.enable("vga")
    log.take("vga", 1, 2)
    log.take("vga", 1, 2)  # nothing was dirty: nothing to tell
    assert told == [(0, 4), (1, 2)]


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(1, 0x3000)), max_size=8))
def test_marked_pages_are_those_that_the_ranges_touch(ranges: list[tuple[int, int]]) -> None:
    log = DirtyLog(0x14000)
    log.enable("migration")
    log.take("migration")
    expected: set[int] = set()
    for offset, length in ranges:
        log.mark(offset, length)
        expected |= set(range(offset >> 12, ((offset + length - 1) >> 12) + 1))
    assert log.take("migration") == expected


def test_writes_through_an_address_space_are_marked() -> None:
    root, ram = MemoryRegion.container("root"), MemoryRegion.ram("ram", 0x4000)
    root.add(0x10000, ram)
    space = AddressSpace("memory", root)
    assert ram.ram_block is not None
    dirty = ram.ram_block.dirty
    dirty.enable("vga")
    dirty.take("vga")
    space.store(0x11FFE, 4, 0)
    space.write(0x13000, b"x")
    assert dirty.take("vga") == {1, 2, 3}


def test_more_memory_than_the_host_has_is_the_operators_mistake() -> None:
    with pytest.raises(UserError, match=r"cannot set up guest memory 'pc\.ram': "):
        RamBlock("pc.ram", 1 << 62)


def test_block_is_one_buffer_for_python_and_native_code() -> None:
    import ctypes

    block = RamBlock("ram", 0x2000)
    block.write(5, b"hello")
    assert ctypes.string_at(block.host + 5, 5) == b"hello"
    ctypes.memset(block.host, 0x41, 3)
    assert bytes(block.data[:3]) == b"AAA"
    assert len(block.data) == 0x2000
    block.dirty.enable("vga")
    assert ctypes.string_at(block.dirty.host, 2) == b"\xff\xff"
