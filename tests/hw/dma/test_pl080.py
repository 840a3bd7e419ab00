"""The PL080: copies from memory to memory, chains of them, interrupts."""

from __future__ import annotations

import random
import struct

import pytest

from pyqemu.hw.dma import pl080 as dma
from pyqemu.hw.dma.pl080 import Pl080, Pl081
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import Irq
from tests.hw.board_rig import Region, compare, saved_and_loaded, words
from tests.qtest_reference import QtestReference, needs_qemu_arm

BOTH = dma.CONTROL_SI | dma.CONTROL_DI
ON = dma.CONFIG_ITC | dma.CONFIG_IE | dma.CONFIG_E
BASE = 0x1013_0000


class Rig(Region):
    """The controller over 1 MiB of memory."""

    def __init__(self) -> None:
        root = MemoryRegion.container("root")
        root.add(0, MemoryRegion.ram("ram", 1 << 20))
        self.memory = AddressSpace("memory", root)
        self.irq = Irq()
        self.chip = Pl080(self.irq, self.memory)
        super().__init__(self.chip)
        self.write(dma.CONFIGURATION, 4, 1)

    def start(self, channel: int, src: int, dest: int, control: int, *, lli: int = 0, config: int = ON) -> None:
        base = dma.CHANNELS + channel * dma.CHANNEL_SIZE
        for register, value in ((dma.SRC, src), (dma.DEST, dest), (dma.LLI, lli), (dma.CONTROL, control),
                                (dma.CONFIG, config)):  # fmt: skip
            self.write(base + register, 4, value)

    def config(self, channel: int) -> int:
        return self.read(dma.CHANNELS + channel * dma.CHANNEL_SIZE + dma.CONFIG)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def widths(source: int, destination: int) -> int:
    return source << dma.CONTROL_SWIDTH | destination << dma.CONTROL_DWIDTH


@pytest.mark.parametrize("source", range(3))
@pytest.mark.parametrize("destination", range(3))
def test_it_copies_in_all_widths(rig: Rig, source: int, destination: int) -> None:
    data = random.Random(80).randbytes(64)
    rig.memory.write(0x1000, data)
    rig.start(3, 0x1000, 0x2000, BOTH | widths(source, destination) | dma.CONTROL_INTERRUPT | 64 >> source)
    assert rig.memory.read(0x2000, 64) == data
    assert rig.irq.level and rig.read(dma.TC_STATUS) == 8 and not rig.config(3) & dma.CONFIG_E
    rig.write(dma.TC_CLEAR, 4, 8)
    assert not rig.irq.level


def test_an_address_may_stand_still(rig: Rig) -> None:
    rig.memory.write(0x1000, b"abcd")
    rig.start(0, 0x1000, 0x2000, dma.CONTROL_DI | 8)
    assert rig.memory.read(0x2000, 9) == b"aaaaaaaa\0"
    rig.start(0, 0x1000, 0x3000, dma.CONTROL_SI | 4)
    assert rig.memory.read(0x3000, 2) == b"d\0"


def test_items_are_chained(rig: Rig) -> None:
    rig.memory.write(0x1000, b"firstsecond")
    rig.memory.write(0x4000, struct.pack("<4I", 0x1005, 0x3000, 0, BOTH | dma.CONTROL_INTERRUPT | 6))
    rig.start(1, 0x1000, 0x2000, BOTH | 5, lli=0x4000)
    assert (rig.memory.read(0x2000, 5), rig.memory.read(0x3000, 6)) == (b"first", b"second")
    assert rig.read(dma.RAW_TC) == 2


def test_a_chain_without_end_is_an_error(rig: Rig) -> None:
    rig.memory.write(0x4000, struct.pack("<4I", 0x1000, 0x2000, 0x4000, BOTH | 1))
    rig.start(2, 0x1000, 0x2000, BOTH | 1, lli=0x4000)
    assert rig.read(dma.ERR_STATUS) == 4 and rig.irq.level and not rig.config(2) & dma.CONFIG_E
    rig.write(dma.ERR_CLEAR, 4, 4)
    assert not rig.irq.level


def test_reserved_widths_are_errors(rig: Rig) -> None:
    rig.start(0, 0x1000, 0x2000, BOTH | widths(3, 0) | 1)
    assert rig.read(dma.ERR_STATUS) == 1


def test_a_channel_waits_for_the_controller_and_for_peripherals(rig: Rig) -> None:
    rig.write(dma.CONFIGURATION, 4, 0)
    rig.memory.write(0x1000, b"x")
    rig.start(0, 0x1000, 0x2000, BOTH | 1)
    rig.start(1, 0x1000, 0x2001, BOTH | 1, config=ON | 1 << dma.CONFIG_FLOW)
    rig.start(2, 0x1000, 0x2002, BOTH | 1, config=ON | dma.CONFIG_HALT)
    assert rig.read(dma.ENABLED) == 7
    rig.write(dma.CONFIGURATION, 4, 1)
    assert rig.memory.read(0x2000, 3) == b"x\0\0" and rig.read(dma.ENABLED) == 6


def test_a_pl081_has_two_channels() -> None:
    chip = Region(Pl081(Irq(), AddressSpace("none", MemoryRegion.container("none"))))
    for channel in range(3):
        chip.write(dma.CHANNELS + channel * dma.CHANNEL_SIZE, 4, 5)
    assert [chip.read(dma.CHANNELS + channel * dma.CHANNEL_SIZE) for channel in range(3)] == [5, 5, 0]
    assert chip.read(0xFE0) == 0x81


def test_state_is_saved(rig: Rig) -> None:
    rig.start(5, 0x1000, 0x2000, BOTH | dma.CONTROL_INTERRUPT | 1)
    other = Rig()
    assert saved_and_loaded(rig.chip, other.chip) and other.irq.level


@needs_qemu_arm
def test_registers_are_qemus(rng: random.Random) -> None:
    channels = [dma.CHANNELS + number * dma.CHANNEL_SIZE for number in range(8)]
    plain = [base + register for base in channels for register in (dma.SRC, dma.DEST, dma.LLI, dma.CONTROL)]
    configs = [base + dma.CONFIG for base in channels]
    readable = [*plain, *configs, *words(0, 0x20), 0x30, 0x34, *words(0xFE0, 0x1000)]
    with QtestReference("-M", "versatilepb") as qemu:
        compare(Pl080(Irq(), AddressSpace("none", MemoryRegion.container("none"))), qemu, BASE, rng, readable,
                [*plain, *configs, 0x08, 0x10, 0x34], first=[])  # fmt: skip


@needs_qemu_arm
def test_copies_are_qemus(rng: random.Random) -> None:
    rig = Rig()
    data = rng.randbytes(256)
    rig.memory.write(0x1000, data)
    with QtestReference("-M", "versatilepb") as qemu:
        qemu.many([f"write 0x1000 256 0x{data.hex()}", f"writel {BASE + dma.CONFIGURATION:#x} 1"])
        for _ in range(50):
            width, size = rng.randrange(3), rng.randrange(1, 16)
            channel = rng.randrange(8)
            control = widths(width, width) | size | rng.choice((0, dma.CONTROL_SI)) | dma.CONTROL_DI
            control |= rng.choice((0, dma.CONTROL_INTERRUPT))
            values = (0x1000 + 4 * rng.randrange(32), 0x2000 + 4 * rng.randrange(32), 0, control, ON)
            rig.start(channel, *values[:2], control)
            base = BASE + dma.CHANNELS + channel * dma.CHANNEL_SIZE
            for number, value in enumerate(values):
                qemu.write(base + 4 * number, value)
            assert qemu.many(["read 0x2000 256"])[0] == "0x" + rig.memory.read(0x2000, 256).hex()
            assert rig.read(dma.RAW_TC) == qemu.read(BASE + dma.RAW_TC)
