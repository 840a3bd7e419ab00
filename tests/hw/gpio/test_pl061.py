"""The PL061: pins, edges and levels."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.gpio.pl061 import DIR, IBE, IC, IE, IEV, IS, MIS, RIS, Pl061
from pyqemu.system import Irq
from tests.hw.board_rig import Region, compare, words
from tests.qtest_reference import QtestReference, needs_qemu_arm

ALL_PINS = 0x3FC


class Pins(Region):
    """The device with its interrupt."""

    def __init__(self) -> None:
        self.irq = Irq()
        self.chip = Pl061(self.irq)
        super().__init__(self.chip)

    def set(self, **registers: int) -> None:
        offsets = {"dir": DIR, "is_": IS, "ibe": IBE, "iev": IEV, "ie": IE, "ic": IC}
        for name, value in registers.items():
            self.write(offsets[name], 4, value)


@pytest.fixture
def pins() -> Pins:
    return Pins()


def test_the_address_chooses_pins(pins: Pins) -> None:
    pins.set(dir=0xFF)
    pins.write(ALL_PINS, 4, 0xA5)
    pins.write(0x0F << 2, 4, 0xFF)
    assert pins.read(ALL_PINS) == 0xAF and pins.read(0x81 << 2) == 0x81


def test_outputs_drive_and_inputs_float_high(pins: Pins) -> None:
    pins.set(dir=0x01)
    assert [line.level for line in pins.chip.outputs] == [False] + [True] * 7
    pins.write(ALL_PINS, 4, 0x01)
    assert pins.chip.outputs[0].level


@pytest.mark.parametrize(("iev", "ibe", "edges"), [(0, 0, "fall"), (8, 0, "rise"), (0, 8, "rise fall")])
def test_edges(pins: Pins, iev: int, ibe: int, edges: str) -> None:
    pins.set(iev=iev, ibe=ibe, ie=8)
    seen = []
    for name, level in (("rise", True), ("fall", False)):
        pins.set(ic=0xFF)
        pins.chip.inputs[3].set(level)
        if pins.read(RIS) & 8:
            assert pins.irq.level and pins.read(MIS) == 8
            seen.append(name)
    assert " ".join(seen) == edges


def test_a_level_lasts(pins: Pins) -> None:
    pins.set(is_=8, iev=8)
    pins.chip.inputs[3].raise_()
    pins.set(ic=8, ie=8)
    assert pins.irq.level
    pins.chip.inputs[3].lower()
    pins.set(ic=8)
    assert not pins.irq.level


def test_what_is_masked_is_remembered(pins: Pins) -> None:
    pins.set(iev=8)
    pins.chip.inputs[3].pulse()
    assert (pins.read(RIS) & 8, pins.read(MIS)) == (8, 0)
    pins.set(ie=8)
    assert pins.irq.level


@needs_qemu_arm
def test_registers_are_qemus(rng: random.Random) -> None:
    control = words(0x400, 0x430)
    data = words(0, 0x400)[::9]
    with QtestReference("-M", "virt-2.6", "-cpu", "cortex-a15") as qemu:
        compare(
            Pl061(Irq()), qemu, 0x09030000, rng, [*data, *control * 3, *words(0xFD0, 0x1000)], [*data, *control * 3]
        )
