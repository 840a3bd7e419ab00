"""The CPU's window on video memory: mappings, read and write modes."""

from __future__ import annotations

from typing import Any

import pytest


def planar(adapter: Any) -> None:
    adapter.set_mode(0x12)


def planes(adapter: Any, address: int) -> list[int]:
    return list(adapter.vga.vram.data[4 * address : 4 * address + 4])


def test_chain_4_is_memory(adapter: Any) -> None:
    adapter.set_mode(0x13)
    section = adapter.memory.lookup(0xA0000)
    assert section.region is adapter.vga.vram_region
    adapter.memory.write(0xA0000, b"abcdef")
    assert bytes(adapter.vga.vram.data[:6]) == b"abcdef"
    assert adapter.memory.load(0xB8000, 1) == 0xFF


def test_text_is_memory_and_ends_up_in_the_planes(adapter: Any) -> None:
    adapter.set_mode(3)
    section = adapter.memory.lookup(0xB8000)
    assert section.ram is not None
    adapter.memory.write(0xB8000, b"A\x07B\x17")
    adapter.set_mode(0x12)
    assert planes(adapter, 0)[:2] == [ord("A"), 0x07]
    assert planes(adapter, 1)[:2] == [ord("B"), 0x17]
    adapter.set_mode(3)
    assert adapter.memory.read(0xB8000, 4) == b"A\x07B\x17"


def test_loading_a_font_in_text_mode_leaves_the_text(adapter: Any) -> None:
    adapter.set_mode(3)
    adapter.memory.write(0xB8000, b"A\x07")
    adapter.sequencer(2, 0x04)
    adapter.sequencer(4, 0x07)
    adapter.graphics(5, 0x00)
    adapter.graphics(6, 0x04)
    adapter.graphics(4, 0x02)
    adapter.memory.write(0xA0000 + 0x41 * 32, bytes(range(16)))
    assert adapter.memory.read(0xA0000 + 0x41 * 32, 16) == bytes(range(16))
    adapter.sequencer(2, 0x03)
    adapter.sequencer(4, 0x03)
    adapter.graphics(5, 0x10)
    adapter.graphics(6, 0x0E)
    adapter.graphics(4, 0x00)
    assert adapter.memory.read(0xB8000, 2) == b"A\x07"
    assert bytes(adapter.vga.vram.data[0x41 * 128 + 2 : 0x41 * 128 + 66 : 4]) == bytes(range(16))


@pytest.mark.parametrize(
    ("select", "base", "size"),
    [(0, 0xA0000, 0x20000), (1, 0xA0000, 0x10000), (2, 0xB0000, 0x8000), (3, 0xB8000, 0x8000)],
)
def test_memory_map_select(adapter: Any, select: int, base: int, size: int) -> None:
    planar(adapter)
    adapter.graphics(6, select << 2 | 1)
    adapter.memory.store(base, 1, 0x5A)
    adapter.memory.store(base + size - 1, 1, 0xA5)
    assert planes(adapter, 0) == [0x5A] * 4
    assert planes(adapter, size - 1) == [0xA5] * 4
    for outside in (base - 1, base + size):
        if 0xA0000 <= outside < 0xC0000:
            assert adapter.memory.load(outside, 1) == 0xFF


def test_map_mask(adapter: Any) -> None:
    planar(adapter)
    adapter.sequencer(2, 0x05)
    adapter.memory.store(0xA0000, 1, 0xFF)
    assert planes(adapter, 0) == [0xFF, 0, 0xFF, 0]


def test_read_map(adapter: Any) -> None:
    planar(adapter)
    adapter.vga.vram.data[0:4] = b"\x11\x22\x33\x44"
    for plane, value in enumerate((0x11, 0x22, 0x33, 0x44)):
        adapter.graphics(4, plane)
        assert adapter.memory.load(0xA0000, 1) == value


def test_write_mode_0_set_reset_and_bit_mask(adapter: Any) -> None:
    planar(adapter)
    adapter.vga.vram.data[0:4] = b"\xff\xff\x00\x00"
    adapter.graphics(0, 0x06)  # set planes 1, 2
    adapter.graphics(1, 0x0E)  # for planes 1 to 3; plane 0 takes the data
    adapter.graphics(8, 0xF0)
    adapter.memory.load(0xA0000, 1)
    adapter.memory.store(0xA0000, 1, 0x3C)
    assert planes(adapter, 0) == [0x3F, 0xFF, 0xF0, 0x00]


@pytest.mark.parametrize(
    ("function", "result"), [(0x00, 0x0F), (0x08, 0x0F & 0x35), (0x10, 0x0F | 0x35), (0x18, 0x0F ^ 0x35)]
)
def test_logical_functions(adapter: Any, function: int, result: int) -> None:
    planar(adapter)
    adapter.vga.vram.data[0:4] = b"\x35" * 4
    adapter.graphics(3, function)
    adapter.memory.load(0xA0000, 1)
    adapter.memory.store(0xA0000, 1, 0x0F)
    assert planes(adapter, 0) == [result] * 4


def test_rotation(adapter: Any) -> None:
    planar(adapter)
    adapter.graphics(3, 0x03)
    adapter.memory.store(0xA0000, 1, 0x05)
    assert planes(adapter, 0) == [0xA0] * 4


def test_write_mode_1_copies_latches(adapter: Any) -> None:
    planar(adapter)
    adapter.vga.vram.data[0:4] = b"\x11\x22\x33\x44"
    adapter.graphics(5, 0x01)
    adapter.memory.load(0xA0000, 1)
    adapter.memory.store(0xA0005, 1, 0xFF)
    assert planes(adapter, 5) == [0x11, 0x22, 0x33, 0x44]


def test_write_mode_2_expands_a_colour(adapter: Any) -> None:
    planar(adapter)
    adapter.graphics(5, 0x02)
    adapter.graphics(8, 0x81)
    adapter.memory.load(0xA0000, 1)
    adapter.memory.store(0xA0000, 1, 0x0A)
    assert planes(adapter, 0) == [0, 0x81, 0, 0x81]


def test_write_mode_3_masks_with_the_data(adapter: Any) -> None:
    planar(adapter)
    adapter.vga.vram.data[0:4] = b"\xf0" * 4
    adapter.graphics(0, 0x05)
    adapter.graphics(5, 0x03)
    adapter.graphics(8, 0x3C)
    adapter.memory.load(0xA0000, 1)
    adapter.memory.store(0xA0000, 1, 0x0F)
    assert planes(adapter, 0) == [0xFC, 0xF0, 0xFC, 0xF0]


def test_read_mode_1_compares_colours(adapter: Any) -> None:
    planar(adapter)
    adapter.vga.vram.data[0:4] = b"\xf0\xcc\x00\x00"
    adapter.graphics(5, 0x08)
    adapter.graphics(2, 0x03)
    adapter.graphics(7, 0x0F)
    assert adapter.memory.load(0xA0000, 1) == 0xF0 & 0xCC
    adapter.graphics(7, 0x01)
    assert adapter.memory.load(0xA0000, 1) == 0xF0


def test_wide_accesses_go_byte_by_byte(adapter: Any) -> None:
    planar(adapter)
    adapter.memory.store(0xA0000, 4, 0x04030201)
    assert [planes(adapter, offset)[0] for offset in range(4)] == [1, 2, 3, 4]
    assert adapter.memory.load(0xA0000, 4) == 0x04030201


def test_mode_x_writes_one_pixel_of_four(adapter: Any) -> None:
    adapter.set_mode(0x13)
    adapter.sequencer(4, 0x06)
    adapter.sequencer(2, 0x04)
    adapter.memory.store(0xA0010, 1, 0x77)
    assert planes(adapter, 0x10) == [0, 0, 0x77, 0]


def test_chain_4_obeys_the_map_mask(adapter: Any) -> None:
    adapter.set_mode(0x13)
    adapter.sequencer(2, 0x02)
    adapter.memory.write(0xA0000, b"\1\2\3\4")
    assert planes(adapter, 0) == [0, 2, 0, 0]


def test_dirty_log_sees_planar_writes(adapter: Any) -> None:
    planar(adapter)
    log = adapter.vga.vram.dirty
    log.enable("vga")
    log.take("vga")
    adapter.memory.store(0xA0400, 1, 1)
    assert log.take("vga") == {1}
