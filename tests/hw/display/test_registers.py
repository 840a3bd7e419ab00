"""Register files behind their ports."""

from __future__ import annotations

from typing import Any

import pytest

from pyqemu.hw.display.vga_registers import FRAME_TIME, VgaRegisters
from pyqemu.system import FakeClock


def test_index_and_data(adapter: Any) -> None:
    adapter.out(0x3C4, 0x02)
    adapter.out(0x3C5, 0xFF)
    assert adapter.inp(0x3C5) == 0x0F
    adapter.out(0x3CE, 0x08)
    adapter.out(0x3CF, 0xA5)
    assert (adapter.inp(0x3CE), adapter.inp(0x3CF)) == (0x08, 0xA5)


def test_word_writes_reach_index_and_data(adapter: Any) -> None:
    adapter.io.store(0x3CE, 2, 0x3408)
    assert adapter.vga.gr[8] == 0x34


def test_crtc_is_at_one_of_two_places(adapter: Any) -> None:
    adapter.out(0x3C2, 0x01)
    adapter.out(0x3D4, 0x0E)
    adapter.out(0x3D5, 0x12)
    assert adapter.inp(0x3D5) == 0x12
    assert adapter.inp(0x3B5) == 0xFF
    adapter.out(0x3C2, 0x00)
    assert adapter.inp(0x3D5) == 0xFF
    assert adapter.inp(0x3B5) == 0x12


def test_crtc_write_protection_spares_line_compare(adapter: Any) -> None:
    adapter.out(0x3C2, 0x01)
    for index, value in ((0x11, 0x80), (0x01, 0x4F), (0x07, 0xFF), (0x08, 0x22)):
        adapter.out(0x3D4, index)
        adapter.out(0x3D5, value)
    assert (adapter.vga.cr[1], adapter.vga.cr[7], adapter.vga.cr[8]) == (0, 0x10, 0x22)


def test_attribute_controller_has_one_port_for_both(adapter: Any) -> None:
    adapter.out(0x3C2, 0x01)
    adapter.inp(0x3DA)
    adapter.out(0x3C0, 0x25, 0x7F)  # index 5, video on; data
    assert adapter.vga.ar[5] == 0x3F
    assert adapter.inp(0x3C0) == 0x25
    assert adapter.inp(0x3C1) == 0x3F
    adapter.out(0x3C0, 0x06)
    adapter.inp(0x3DA)  # the next write is an index again
    adapter.out(0x3C0, 0x27, 0x01)
    assert (adapter.vga.ar[6], adapter.vga.ar[7]) == (0, 1)


def test_dac_counts_by_itself(adapter: Any) -> None:
    adapter.out(0x3C8, 255)
    adapter.out(0x3C9, 1, 2, 3, 4, 5, 6)
    assert adapter.inp(0x3C7) == 0
    adapter.out(0x3C7, 255)
    assert adapter.inp(0x3C7) == 3
    assert [adapter.inp(0x3C9) for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    assert adapter.inp(0x3C6) == 0xFF


def test_misc_and_feature(adapter: Any) -> None:
    adapter.out(0x3C2, 0xFF)
    assert adapter.inp(0x3CC) == 0xEF
    adapter.out(0x3DA, 0xFF)
    assert adapter.inp(0x3CA) == 0x10


def test_status_changes_on_each_look(adapter: Any) -> None:
    adapter.out(0x3C2, 0x01)
    looks = [adapter.inp(0x3DA) & 0x09 for _ in range(4)]
    assert looks == [0x09, 0, 0x09, 0]


def test_precise_retrace_follows_the_clock() -> None:
    clock = FakeClock()
    registers = VgaRegisters(clock=clock)
    registers.write_port(0x3C2, 1)
    clock.advance(FRAME_TIME // 2)
    assert not registers.read_port(0x3DA) & 0x08
    clock.advance(FRAME_TIME // 2 - FRAME_TIME // 20)
    assert registers.read_port(0x3DA) & 0x09 == 0x09


@pytest.mark.parametrize("port", [0x3C1, 0x3CF])
def test_indexes_beyond_the_last_register(adapter: Any, port: int) -> None:
    adapter.inp(0x3DA)
    adapter.out(0x3C0, 0x3F, 0x55)
    adapter.out(0x3CE, 0xFF)
    adapter.out(port, 0x55)
    assert adapter.inp(port) == 0


def test_loaded_state_has_no_bits_that_the_registers_lack(adapter: Any) -> None:
    """A stream from elsewhere had ffh in the set/reset register, and the next write to planar memory died of it."""
    vga = adapter.vga
    vga.gr[:], vga.sr[:] = b"\xff" * 16, b"\xff" * 8
    changed = type(vga).vmstate.save(vga)
    vga.reset()
    type(vga).vmstate.load(vga, changed)
    assert bytes(vga.gr[:9]).hex(" ") == "0f 0f 0f 1f 03 7b 0f 0f ff"
    assert bytes(vga.sr[:5]).hex(" ") == "03 3d 0f 3f 0e"
    adapter.memory.store(0xA0000, 1, 0x55)
