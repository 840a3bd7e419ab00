"""The Bochs VBE registers, and the adapter on its buses."""

from __future__ import annotations

from typing import Any

import pytest

from pyqemu.hw.display.choice import parse_vga
from pyqemu.hw.display.vga import Vga
from pyqemu.hw.display.vga_isa import IsaVga
from pyqemu.hw.display.vga_pci import VgaPci
from pyqemu.hw.isa.bus import IsaBus
from pyqemu.hw.pci.bus import PciBus
from pyqemu.memory import AddressSpace
from pyqemu.qom import DeviceError
from pyqemu.util.errors import OptionError


def mode(adapter: Any, width: int, height: int, depth: int, flags: int = 0x41) -> None:
    for index, value in ((4, 0), (1, width), (2, height), (3, depth), (4, flags)):
        adapter.vbe(index, value)


def test_identification_and_memory_size(adapter: Any) -> None:
    assert adapter.vbe(0) == 0xB0C5
    adapter.vbe(0, 0xB0C2)
    assert adapter.vbe(0) == 0xB0C2
    adapter.vbe(0, 0x1234)
    assert adapter.vbe(0) == 0xB0C2
    assert adapter.vbe(10) == 256
    assert adapter.vbe(11) == 0


def test_data_port_is_at_two_places(adapter: Any) -> None:
    adapter.io.store(0x1CE, 2, 0)
    assert adapter.io.load(0x1D0, 2) == adapter.io.load(0x1CF, 2) == 0xB0C5


def test_capabilities(adapter: Any) -> None:
    adapter.vbe(4, 0x02)
    assert [adapter.vbe(index) for index in (1, 2, 3)] == [16000, 12000, 32]


def test_values_are_forced_into_range(adapter: Any) -> None:
    mode(adapter, 1021, 0, 17)
    assert [adapter.vbe(index) for index in (1, 2, 3)] == [1016, 1, 8]
    mode(adapter, 4096, 9999, 32)
    assert adapter.vbe(2) == (16 << 20) // (4096 * 4)
    assert adapter.vbe(7) == 1024


def test_enabling_clears_memory_unless_told_not_to(adapter: Any) -> None:
    adapter.vga.vram.data[0:4] = b"abcd"
    mode(adapter, 640, 480, 8, 0xC1)
    assert bytes(adapter.vga.vram.data[0:4]) == b"abcd"
    mode(adapter, 640, 480, 8)
    assert bytes(adapter.vga.vram.data[0:4]) == bytes(4)


def test_virtual_width_and_offsets_pan(adapter: Any) -> None:
    mode(adapter, 640, 480, 32)
    adapter.vbe(6, 1024)
    adapter.vbe(8, 8)
    adapter.vbe(9, 3)
    adapter.vga.vram.data[(3 * 1024 + 8) * 4] = 0xFF
    adapter.out(0x3C0, 0x20)
    assert adapter.vga.render().rgb[:3] == b"\0\0\xff"
    assert adapter.vbe(7) == (16 << 20) // 4096


def test_banks_move_the_window(adapter: Any) -> None:
    mode(adapter, 640, 480, 8, 0x01)
    adapter.vbe(5, 3)
    adapter.memory.store(0xA0010, 1, 0x77)
    assert adapter.vga.vram.data[0x30010] == 0x77
    assert adapter.memory.lookup(0xA0000).ram is adapter.vga.vram
    adapter.vbe(5, 0x1FF)
    assert adapter.vbe(5) == 0xFF


def test_eight_bit_dac(adapter: Any) -> None:
    mode(adapter, 640, 480, 8, 0x61)
    adapter.out(0x3C8, 0)
    adapter.out(0x3C9, 0xFE, 0x40, 0x3F)
    adapter.out(0x3C0, 0x20)
    assert adapter.vga.render().rgb[:3] == b"\xfe\x40\x3f"


def test_16_colours(adapter: Any) -> None:
    adapter.set_mode(0x12)
    mode(adapter, 800, 600, 4)
    adapter.memory.store(0xA0000 + 100, 1, 0x80)
    frame = adapter.vga.render()
    assert (frame.width, frame.height) == (800, 600)
    assert frame.rgb[800 * 3 : 801 * 3] == b"\xff\xff\xff"


def test_leaving_gives_plain_vga_back(adapter: Any) -> None:
    mode(adapter, 1024, 768, 32)
    adapter.vbe(4, 0)
    adapter.set_mode(3)
    assert adapter.vga.render(pixels=False).columns == 80


# -- on PCI -------------------------------------------------------------------------------------------------


@pytest.fixture
def pci() -> tuple[VgaPci, AddressSpace]:
    bus = PciBus.standalone()
    device = bus.add(VgaPci())
    assert isinstance(device, VgaPci)
    device.config_write(0x10, 4, 0xE0000000)
    device.config_write(0x18, 4, 0xF0000000)
    device.config_write(0x04, 2, 0x0003)
    return device, bus.dma_space


def test_pci_identity(pci: tuple[VgaPci, AddressSpace]) -> None:
    device, _ = pci
    assert device.config_read(0, 4) == 0x11111234
    assert device.config_read(8, 4) == 0x03000002
    device.config_write(0x10, 4, 0xFFFFFFFF)
    assert device.config_read(0x10, 4) == 0xFF000008
    device.config_write(0x18, 4, 0xFFFFFFFF)
    assert device.config_read(0x18, 4) == 0xFFFFF000


def test_frame_buffer_and_registers_in_bars(pci: tuple[VgaPci, AddressSpace]) -> None:
    device, memory = pci
    memory.write(0xE0123456, b"pixel")
    assert bytes(device.vga.vram.data[0x123456:0x12345B]) == b"pixel"
    assert memory.load(0xF0000500, 2) == 0xB0C5
    memory.store(0xF0000502, 2, 800)
    assert device.vga.vbe.regs[1] == 800
    memory.store(0xF0000402, 1, 0x67)
    assert memory.load(0xF000040C, 1) == 0x67
    assert (memory.load(0xF0000600, 4), memory.load(0xF0000604, 4)) == (8, 0x1E1E1E1E)
    memory.store(0xF0000604, 4, 0xBEBEBEBE)
    assert device.vga.big_endian


def test_pci_memory_size_property() -> None:
    bus = PciBus.standalone()
    with pytest.raises(DeviceError, match="vgamem_mb"):
        bus.add(VgaPci(vgamem_mb=3))


def test_reset_by_the_system(pci: tuple[VgaPci, AddressSpace]) -> None:
    device, memory = pci
    memory.store(0xF0000402, 1, 0x67)
    device.bus.system.reset()
    assert device.vga.msr == 0


def test_isa() -> None:
    bus = IsaBus.standalone()
    device = bus.add(IsaVga())
    assert isinstance(device, IsaVga)
    bus.address_space_io.store(0x1CE, 2, 10)
    assert bus.address_space_io.load(0x1CF, 2) == 128
    bus.address_space_memory.store(0xE0000005, 1, 9)
    assert device.vga.vram.data[5] == 9


# -- saved state --------------------------------------------------------------------------------------------


def test_saved_state_has_qemus_size_and_comes_back(adapter: Any) -> None:
    adapter.set_mode(3)
    adapter.memory.write(0xB8000, b"text")
    state = Vga.vmstate.save(adapter.vga)
    assert len(state) == 1131
    other = Vga()
    other.vram.data[:] = adapter.vga.vram.data
    Vga.vmstate.load(other, state)
    assert other.render() == adapter.vga.render()


# -- the option ---------------------------------------------------------------------------------------------


def test_vga_option() -> None:
    assert parse_vga("std") == ("VGA", {})
    assert parse_vga("std,retrace=precise") == ("VGA", {"retrace": "precise"})
    assert parse_vga("none") == (None, {})
    with pytest.raises(OptionError, match="-vga cirrus is not supported"):
        parse_vga("cirrus")
    for bad in ("foo", "std,retrace=no", "std,x=1"):
        with pytest.raises(OptionError, match="unknown vga type"):
            parse_vga(bad)
