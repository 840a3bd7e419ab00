"""The LCD controllers: registers, and the picture."""

from __future__ import annotations

import random
import struct

import pytest

from pyqemu.hw.display.pl110 import BGR, ENABLE, POWER, UPBASE, Pl110, Pl110Base, Pl110Versatile, Pl111
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import Irq
from tests.hw.board_rig import PRIMECELL_ID, Region, compare, saved_and_loaded, words
from tests.qtest_reference import QtestReference, needs_qemu_arm

ON = ENABLE | POWER
WIDTH, HEIGHT = 16, 2


def lcd(model: type[Pl110Base] = Pl111) -> Pl110Base:
    memory = MemoryRegion.container("memory")
    memory.add(0, MemoryRegion.ram("ram", 1 << 16))
    return model(Irq(), AddressSpace("memory", memory))


def show(device: Pl110Base, control: int, data: bytes) -> bytes:
    """The picture's first pixels, of 16 x 2."""
    registers = Region(device)
    registers.write(0, 4, 0)
    registers.write(4, 4, HEIGHT - 1)
    registers.write(UPBASE, 4, 0x1000)
    registers.write(0x18 if device.control_first else 0x1C, 4, ON | control)
    device.memory.write(0x1000, data)
    frame = device.frame()
    assert (frame.width, frame.height, len(frame.rgb)) == (WIDTH, HEIGHT, 3 * WIDTH * HEIGHT)
    return frame.rgb


@pytest.mark.parametrize(
    ("bpp", "pixel", "rgb"),
    [
        (5, struct.pack("<I", 0x00112233), "332211"),
        (4, struct.pack("<H", 0x001F), "ff0000"),
        (6, struct.pack("<H", 0x07E0), "00ff00"),
        (7, struct.pack("<H", 0x0F00), "0000ff"),
    ],
    ids=["888", "1555", "565", "444"],
)
def test_colours_in_words(bpp: int, pixel: bytes, rgb: str) -> None:
    assert show(lcd(), bpp << 1, pixel)[:6].hex() == rgb + "000000"
    swapped = bytes.fromhex(rgb)[::-1].hex()
    assert show(lcd(), bpp << 1 | BGR, pixel)[:3].hex() == swapped


@pytest.mark.parametrize(("bpp", "data"), [(3, b"\x02\x01"), (2, b"\x12"), (0, b"\x02")])
def test_colours_by_the_palette(bpp: int, data: bytes) -> None:
    device = lcd()
    palette = Region(device)
    palette.write(0x200, 4, 0x7C00 << 16)
    palette.write(0x204, 4, 0x001F)
    rgb = show(device, bpp << 1, data)
    first, second = ("000000", "0000ff") if bpp == 0 else ("ff0000", "0000ff")
    assert (rgb[:3].hex(), rgb[3:6].hex()) == (first, second)


def test_the_versatile_chooses_the_wiring_outside() -> None:
    device = lcd(Pl110Versatile)
    for line in device.mux_inputs:
        line.raise_()
    assert show(device, 4 << 1, struct.pack("<H", 0xF800))[:3].hex() == "ff0000"


def test_off_is_dark() -> None:
    device = lcd()
    assert device.frame().kind == "blank"
    show(device, 5 << 1, bytes(4))
    assert device.frame().kind == "graphics"
    device.reset()
    assert device.frame().kind == "blank"


def test_a_loaded_one_shows_the_same() -> None:
    device, other = lcd(), lcd()
    show(device, 5 << 1, bytes.fromhex("10203000"))
    other.memory.write(0x1000, bytes.fromhex("10203000"))
    assert saved_and_loaded(device, other) and other.frame() == device.frame()


@needs_qemu_arm
@pytest.mark.parametrize(
    ("machine", "model", "base"),
    [("vexpress-a9", Pl111, 0x10020000), ("versatilepb", Pl110Versatile, 0x10120000)],
)
def test_registers_are_qemus(machine: str, model: type[Pl110Base], base: int, rng: random.Random) -> None:
    registers = [*words(0, 0x34), 0x200, 0x3FC]
    only = {0x18: (0, 0x0A, 0x10A), 0x0C: (0, 1)}
    with QtestReference("-M", machine) as qemu:
        compare(lcd(model), qemu, base, rng, [*registers, *PRIMECELL_ID], registers, only=only)


def test_the_first_one_has_its_registers_the_other_way_round() -> None:
    registers = Region(lcd(Pl110))
    registers.write(0x1C, 4, 5 << 1)
    registers.write(0x18, 4, 2)
    assert (registers.read(0x1C), registers.read(0x18)) == (10, 2)
