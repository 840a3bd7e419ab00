"""The clock manager of Broadcom's chips: what firmware leaves, and the password."""

from __future__ import annotations

import random

from pyqemu.hw.misc.bcm2835_cprman import LOCK, SIZE, Bcm2835Cprman
from tests.hw.board_rig import Region, compare, words
from tests.qtest_reference import QtestReference, needs_qemu_arm

BASE = 0x3F10_1000
CRYSTAL = 19_200_000


def test_the_uarts_clock_is_48_mhz() -> None:
    """PLL D times 52 and a fraction, by 4 twice (the output's divider and its own), by the UART's divider."""
    clocks = Region(Bcm2835Cprman())
    multiplier = (clocks.read(0x1140) & 0x3FF) + clocks.read(0x1240) / (1 << 20)
    output = CRYSTAL * multiplier * 2 / clocks.read(0x1340 + 0x200)
    assert round(output / 1e6) == 500
    assert round(output / (clocks.read(0xF4) / 4096) / 1e6) == 48


def test_nothing_is_written_without_the_password() -> None:
    clocks = Region(Bcm2835Cprman())
    clocks.write(0x70, 4, 0x123)
    assert clocks.read(0x70) == 0x200
    clocks.write(0x70, 4, 0x5A00_0123)
    assert clocks.read(0x70) == 0x123
    clocks.write(LOCK, 4, 0x5A00_0000)
    assert clocks.read(LOCK) == 0x1F00


@needs_qemu_arm
def test_registers_are_qemus(rng: random.Random) -> None:
    registers = words(0, SIZE)
    values = [0x5A00_0000 | rng.getrandbits(24) for _ in range(20)]
    with QtestReference("-M", "raspi2b") as qemu:
        compare(Bcm2835Cprman(), qemu, BASE, rng, registers, registers, values=values, first=[])
