"""Parallel flash, by its commands (290667; Common Flash Interface)."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from pyqemu.block import Drive, MemoryNode
from pyqemu.hw.block.pflash_cfi01 import PflashCfi01
from pyqemu.qom import DeviceError
from tests.qtest_reference import QtestReference, needs_qemu_arm

SECTOR = 0x40000
READ_ARRAY, PROGRAM, ERASE, CONFIRM, READ_ID, QUERY = 0xFF, 0x40, 0x20, 0xD0, 0x90, 0x98
WRITE_BUFFER, LOCK, CLEAR_STATUS, READ_STATUS = 0xE8, 0x60, 0x50, 0x70


def bank(blocks: int = 4, **props: object) -> PflashCfi01:
    """A bank as of the virt board: two chips of 16 bits."""
    chosen: dict[str, object] = {
        "num_blocks": blocks, "sector_length": SECTOR, "width": 4, "device_width": 2, "ident0": 0x89, "ident1": 0x18,
        "name_": "virt.flash0", **props,
    }  # fmt: skip
    return PflashCfi01(**chosen)


class Bus:
    """Commands go to both chips at once."""

    def __init__(self, flash: PflashCfi01) -> None:
        self.flash = flash

    def command(self, offset: int, *values: int) -> None:
        for value in values:
            self.write(offset, value << 16 | value)

    def write(self, offset: int, value: int) -> None:
        self.flash.region.store(offset, 4, value)

    def read(self, offset: int) -> int:
        return self.flash.region.load(offset, 4)

    def erase(self, offset: int) -> None:
        self.command(offset, ERASE, CONFIRM)


@pytest.fixture
def bus() -> Bus:
    return Bus(bank())


def test_it_is_memory_until_a_command(bus: Bus) -> None:
    bus.erase(0)
    assert bus.read(0) == 0x00800080 and not bus.flash.flash.romd_mode
    bus.command(0, READ_ARRAY)
    assert bus.read(0) == 0xFFFFFFFF and bus.flash.flash.romd_mode


def test_programming_clears_bits_only(bus: Bus) -> None:
    bus.erase(0)
    for value in (0xFFFF1234, 0x0000FFF0):
        bus.command(8, PROGRAM)
        bus.write(8, value)
        assert bus.read(8) == 0x00800080
    bus.command(0, READ_ARRAY)
    assert bus.read(8) == 0x00001230


def test_erasing_takes_a_block(bus: Bus) -> None:
    bus.flash.data[:] = bytes(len(bus.flash.data))
    bus.erase(SECTOR + 100)
    assert bytes(bus.flash.data[SECTOR - 1 : SECTOR + 1]) == b"\x00\xff"
    assert bytes(bus.flash.data[2 * SECTOR - 1 : 2 * SECTOR + 1]) == b"\xff\x00"


def test_a_buffer_is_programmed_in_one_go(bus: Bus) -> None:
    bus.erase(0)
    bus.command(0x40, WRITE_BUFFER)
    assert bus.read(0x40) == 0x00800080
    bus.command(0x40, 3)  # four words
    for n in range(4):
        bus.write(0x40 + 4 * n, 0x01010101 * n)
    bus.command(0x40, CONFIRM)
    assert bus.read(0x40) == 0x00800080
    bus.command(0, READ_ARRAY)
    assert [bus.read(0x40 + 4 * n) for n in range(5)] == [0, 0x01010101, 0x02020202, 0x03030303, 0xFFFFFFFF]


def test_each_chip_says_what_it_is(bus: Bus) -> None:
    bus.command(0, READ_ID)
    assert [bus.read(0), bus.read(4)] == [0x00890089, 0x00180018]
    bus.command(0x55 * 4, QUERY)
    assert "".join(chr(bus.read(4 * n) & 0xFF) for n in range(0x10, 0x13)) == "QRY"


def test_an_unconfirmed_erase_is_an_error(bus: Bus) -> None:
    bus.command(0, ERASE, READ_ID)
    assert bus.read(0) == 0x00B000B0
    bus.command(0, CLEAR_STATUS, READ_STATUS)
    assert bus.read(0) == 0


def test_what_is_programmed_is_in_the_image() -> None:
    node = MemoryNode(bytes(4 * SECTOR))
    flash = bank(drive=Drive("pflash0", node))
    bus = Bus(flash)
    bus.erase(SECTOR)
    bus.command(SECTOR, PROGRAM)
    bus.write(SECTOR, 0x12345678)
    assert node.read(SECTOR, 6) == bytes.fromhex("78563412ffff")


def test_an_image_without_write_permission_is_refused_writes() -> None:
    flash = bank(drive=Drive("pflash0", MemoryNode(b"\x5a" * 4 * SECTOR, read_only=True)))
    bus = Bus(flash)
    bus.command(0, PROGRAM)
    bus.write(0, 0)
    assert bus.read(0) == 0x00900090
    bus.command(0, CLEAR_STATUS)
    assert bus.read(0) == 0x5A5A5A5A


def test_those_who_keep_translations_hear_of_changes(bus: Bus) -> None:
    heard: list[tuple[int, int]] = []
    bus.flash.on_write.append(lambda block, offset, length: heard.append((offset, length)))
    bus.erase(SECTOR)
    bus.command(4, PROGRAM)
    bus.write(4, 0)
    assert heard == [(SECTOR, SECTOR), (4, 4)]


def test_a_loaded_chip_goes_on() -> None:
    before, after = Bus(bank()), Bus(bank())
    before.command(0, READ_ID)
    PflashCfi01.vmstate.load(after.flash, PflashCfi01.vmstate.save(before.flash))
    assert after.read(4) == 0x00180018
    after.command(0, READ_ARRAY)
    assert after.flash.flash.romd_mode


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"sector_length": 0}, 'attribute "sector-length" not specified or zero'),
        ({"num_blocks": 0}, 'attribute "num-blocks" not specified or zero'),
        ({"width": 3}, 'attribute "width" is 3'),
        ({"name_": None}, 'attribute "name" not specified'),
        ({"drive": Drive("x", MemoryNode(bytes(512)))}, "device requires 1048576 bytes, block backend provides 512"),
    ],
)
def test_banks_that_cannot_be(props: dict[str, object], message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        bank(**props)


@pytest.fixture
def qemu() -> Iterator[QtestReference]:
    with QtestReference("-M", "virt-2.6", "-cpu", "cortex-a15") as reference:
        yield reference


@needs_qemu_arm
def test_identification_is_qemus(qemu: QtestReference) -> None:
    bus = Bus(bank(blocks=256))
    for command in (READ_ID, QUERY):
        bus.command(0, READ_ARRAY, command)
        for value in (READ_ARRAY, command):
            qemu.write(0, value << 16 | value)
        theirs = [int(answer, 16) for answer in qemu.many([f"readl {4 * n:#x}" for n in range(0x60)])]
        first, last = (0, 2) if command == READ_ID else (0x10, 0x38)
        assert [bus.read(4 * n) for n in range(first, last)] == theirs[first:last]


@needs_qemu_arm
def test_a_driver_finds_the_same(qemu: QtestReference, rng: random.Random) -> None:
    """Erased blocks, filled word by word or by the buffer."""
    bus = Bus(bank(blocks=256))

    def write(offset: int, value: int) -> None:
        bus.write(offset, value)
        qemu.write(offset, value)

    def command(offset: int, *values: int) -> None:
        for value in values:
            write(offset, value << 16 | value)

    for _ in range(20):
        base = rng.randrange(4) * SECTOR
        command(base, ERASE, CONFIRM)
        where = base + rng.randrange(64) * 64
        command(where, WRITE_BUFFER, 7)
        for n in range(8):
            write(where + 4 * n, rng.getrandbits(32))
        command(where, CONFIRM)
        assert bus.read(where) == qemu.read(where)
        command(where + 32, PROGRAM)
        write(where + 32, rng.getrandbits(32))
        assert bus.read(where) == qemu.read(where)
        command(base, READ_ARRAY)
        theirs = [int(answer, 16) for answer in qemu.many([f"readl {where + 4 * n:#x}" for n in range(12)])]
        assert [bus.read(where + 4 * n) for n in range(12)] == theirs


@needs_qemu_arm
def test_a_bank_of_unspecified_chips_answers_as_one() -> None:
    bus = Bus(bank(blocks=256, device_width=0))
    with QtestReference("-M", "versatilepb") as qemu:
        for command, words in ((READ_ID, (0, 1, 5)), (QUERY, (*range(0x10, 0x38), 0x60)), (READ_STATUS, (0,))):
            for value in (READ_ARRAY, command):
                bus.command(0, value)
                qemu.write(0x3400_0000, value << 16 | value)
            assert [bus.read(4 * n) for n in words] == [qemu.read(0x3400_0000 + 4 * n) for n in words], hex(command)
