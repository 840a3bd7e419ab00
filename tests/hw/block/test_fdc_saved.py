"""A floppy command that was saved while its data are on their way: it goes on where it was."""

from __future__ import annotations

import random
import struct

import pytest

from pyqemu.block import MemoryNode
from pyqemu.hw.block.fdc import IsaFdc
from pyqemu.qom.vmstate import LoadError
from tests.hw.block.test_fdc import FROM_MEMORY, TO_MEMORY, Rig

WITHOUT_DMA = (0x03, 0xAF, 0x03)
MULTI = 0x80
POSITIONS = (0, 1, 300, 511, 512, 513, 1023)
DATA_POS = 9 + 512  # offset in the state


def begin(command: int, head: int, first: int, last: int) -> Rig:
    """A command on track 2 up to where the host moves the first byte."""
    rig = Rig()
    rig.command(*WITHOUT_DMA)
    rig.send(command, head << 2, 2, head, first, 2, last, 0x1B, 0xFF)
    rig.clock.advance(10_000)
    assert rig.irq.level
    return rig


def moved(rig: Rig) -> Rig:
    """Another machine with the same disk, which has loaded its state."""
    copy = Rig(MemoryNode(bytes(rig.node.data)))
    IsaFdc.vmstate.load(copy.fdc, IsaFdc.vmstate.save(rig.fdc))
    return copy


def take(rig: Rig, most: int = 1 << 20) -> bytes:
    data = bytearray()
    while len(data) < most and rig.inb(0x3F4) & 0xF0 == 0xF0:
        data.append(rig.inb(0x3F5))
    return bytes(data)


def give(rig: Rig, data: bytes) -> None:
    for byte in data:
        assert rig.inb(0x3F4) & 0xF0 == 0xB0
        rig.outb(0x3F5, byte)


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(
    ("command", "head", "first", "sectors"),
    [(0x46, 0, 16, [(0, 16), (0, 17), (0, 18)]),
     (0x46, 1, 16, [(1, 16), (1, 17), (1, 18)]),
     (0x46 | MULTI, 0, 17, [(0, 17), (0, 18)] + [(1, number) for number in range(1, 19)]),
     (0x46 | MULTI, 0, 18, [(0, 18)] + [(1, number) for number in range(1, 19)]),
     (0x46 | MULTI, 1, 16, [(1, 16), (1, 17), (1, 18)])],
)  # fmt: skip
def test_a_read_goes_on(command: int, head: int, first: int, sectors: list[tuple[int, int]], position: int) -> None:
    rig = begin(command, head, first, 18)
    expected = b"".join(rig.disk(2, *place) for place in sectors)
    data = take(rig, position)
    copy = moved(rig)
    assert data + take(copy) == expected
    assert data + take(rig) == expected, "the source goes on, if nothing comes of it"
    assert copy.result() == rig.result()


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(("command", "head", "first"), [(0x45, 0, 17), (0x45 | MULTI, 0, 18), (0x45 | MULTI, 1, 17)])
def test_a_write_goes_on(command: int, head: int, first: int, position: int) -> None:
    rig = begin(command, head, first, 18)
    assert rig.fdc.transfer is not None
    data = random.Random(5).randbytes(rig.fdc.transfer.length)
    give(rig, data[:position])
    copy = moved(rig)
    for each in (copy, rig):
        give(each, data[position:])
    assert copy.node.data == rig.node.data
    assert copy.result() == rig.result()
    assert rig.disk(2, head, first) == data[:512]


def test_a_command_of_which_not_all_bytes_have_come() -> None:
    rig = Rig()
    rig.send(0x0F, 0)
    copy = moved(rig)
    assert copy.command(9) == []
    assert copy.command(0x08) == [0x20, 9]


@pytest.mark.parametrize("msr", [0x80 | 0x10, 0x80 | 0x40 | 0x10])
def test_a_fifo_of_which_nothing_is_left_is_empty(msr: int) -> None:
    rig = Rig()
    state = bytearray(IsaFdc.vmstate.save(rig.fdc))
    state[5] = msr
    state[DATA_POS : DATA_POS + 8] = struct.pack(">II", 511, 511)
    IsaFdc.vmstate.load(rig.fdc, bytes(state))
    assert rig.command(0x10) == [0x90]


def test_a_scan_keeps_what_it_has_found() -> None:
    rig = begin(0x51, 0, 17, 18)
    give(rig, rig.disk(2, 0, 17))
    copy = moved(rig)
    assert IsaFdc.vmstate.save(copy.fdc) == IsaFdc.vmstate.save(rig.fdc)


@pytest.mark.parametrize(("command", "mode"), [(0x46, TO_MEMORY), (0x45, FROM_MEMORY)])
def test_a_command_that_waits_for_the_dma_controller_waits_on(command: int, mode: int) -> None:
    rig = Rig()
    rig.send(command, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF)
    rig.clock.advance(30_000_000)
    copy = moved(rig)
    for each in (rig, copy):
        each.bus.address_space_memory.write(0x10000, bytes(range(256)) * 4)
        each.set_dma(mode, 1024)
        each.clock.advance(30_000_000)
    assert copy.node.data == rig.node.data
    assert copy.memory(1024) == rig.memory(1024) == rig.disk(0, 0, 1, 2)
    assert copy.result() == rig.result()


def test_format_fails() -> None:
    rig = Rig()
    rig.command(*WITHOUT_DMA)
    rig.send(0x4D, 0, 2, 2, 0x54, 0x11)
    rig.clock.advance(10_000)
    rig.send(0, 0, 3)
    assert moved(rig).result()[:2] == [0x40, 0x20]


def test_a_disk_that_is_not_there_fails() -> None:
    rig = begin(0x46, 0, 1, 18)
    state = IsaFdc.vmstate.save(rig.fdc)
    copy = Rig()
    copy.drive.eject()
    IsaFdc.vmstate.load(copy.fdc, state)
    assert copy.result()[0] & 0xC0 == 0x40


@pytest.mark.parametrize(("position", "length"), [(512, 512), (5000, 512), (0xFFFF_FFFF, 0xFFFF_FFFF), (8193, 9216)])
def test_impossible_transfers_fail(position: int, length: int) -> None:
    state = bytearray(IsaFdc.vmstate.save(begin(0x46, 0, 16, 18).fdc))
    state[DATA_POS : DATA_POS + 8] = struct.pack(">II", position, length)
    copy = Rig()
    IsaFdc.vmstate.load(copy.fdc, bytes(state))
    assert copy.result()[0] & 0xC0 == 0x40


@pytest.mark.parametrize(("position", "length"), [(0, 513), (512, 512), (3, 2)])
def test_impossible_places_in_the_fifo_are_refused(position: int, length: int) -> None:
    rig = Rig()
    state = bytearray(IsaFdc.vmstate.save(rig.fdc))
    state[DATA_POS : DATA_POS + 8] = struct.pack(">II", position, length)
    with pytest.raises(LoadError, match=r"data_(pos|len): expected"):
        IsaFdc.vmstate.load(rig.fdc, bytes(state))
