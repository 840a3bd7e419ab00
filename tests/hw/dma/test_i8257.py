"""8237 pair: registers, pages, transfers, terminal count."""

from __future__ import annotations

import pytest

from pyqemu.hw.dma.i8257 import Dma, DmaChannel
from pyqemu.memory import AddressSpace, MemoryRegion


class Bench:
    def __init__(self) -> None:
        root = MemoryRegion.container("memory", 1 << 32)
        root.add(0, MemoryRegion.ram("ram", 1 << 20))
        self.memory = AddressSpace("memory", root)
        self.dma = Dma(self.memory)

    def program(self, number: int, address: int, count: int, mode: int) -> DmaChannel:
        """As a driver does; ``address`` and ``count`` in units of the controller."""
        chip = self.dma.high if number >= 4 else self.dma.low
        shift, local = chip.dshift, number & 3
        chip.write(0x0A << shift, 1, 4 | local)
        chip.write(0x0C << shift, 1, 0)
        for register, value in ((2 * local, address), (2 * local + 1, count)):
            chip.write(register << shift, 1, value & 0xFF)
            chip.write(register << shift, 1, value >> 8 & 0xFF)
        chip.pages.write({0: 7, 1: 3, 2: 1, 3: 2}[local], 1, address >> 16 if not shift else address >> 15 & 0xFE)
        chip.write(0x0B << shift, 1, mode | local)
        chip.write(0x0A << shift, 1, local)
        return self.dma.channels[number]


@pytest.fixture
def b() -> Bench:
    return Bench()


def feeder(channel: DmaChannel, data: bytes, chunk: int = 1 << 20):  # type: ignore[no-untyped-def]
    """A device that gives ``data`` to memory, ``chunk`` bytes at a time."""
    calls = []

    def transfer(number: int, position: int, size: int) -> int:
        calls.append((number, position, size))
        piece = data[position : min(position + chunk, size)]
        channel.write_memory(position, piece)
        return position + len(piece)

    channel.set_handler(transfer)
    return calls


def test_device_to_memory(b: Bench) -> None:
    channel = b.program(2, 0x1_2340, 511, 0x44)
    data = bytes(range(256)) * 2
    calls = feeder(channel, data)
    channel.hold_dreq()
    assert b.memory.read(0x1_2340, 512) == data
    assert calls == [(2, 0, 512)]
    assert b.dma.low.read(8, 1) & 0x0F == 0x04  # terminal count, read clears
    assert b.dma.low.read(8, 1) & 0x0F == 0
    assert b.dma.low.read(0x0F, 1) & 4  # masked again


def test_memory_to_device_in_pieces(b: Bench) -> None:
    b.memory.write(0x8000, b"abcdefgh")
    channel = b.program(1, 0x8000, 7, 0x48)
    got = bytearray()

    def transfer(number: int, position: int, size: int) -> int:
        got.extend(channel.read_memory(position, 3 if size - position >= 3 else size - position))
        return len(got)

    channel.set_handler(transfer)
    channel.hold_dreq()
    assert got == b"abcdefgh"


def test_count_and_address_are_read_back_under_way(b: Bench) -> None:
    channel = b.program(3, 0x2000, 99, 0x44)
    feeder(channel, b"x" * 10)
    channel.hold_dreq()
    chip = b.dma.low
    chip.write(0x0C, 1, 0)
    assert chip.read(7, 1) | chip.read(7, 1) << 8 == 89
    assert chip.read(6, 1) | chip.read(6, 1) << 8 == 0x200A
    channel.release_dreq()


def test_masked_channel_waits(b: Bench) -> None:
    channel = b.program(2, 0x1000, 3, 0x44)
    calls = feeder(channel, b"data")
    b.dma.low.write(0x0A, 1, 4 | 2)
    channel.hold_dreq()
    assert not calls
    assert b.dma.low.read(8, 1) == 0x40
    b.dma.low.write(0x0A, 1, 2)
    assert b.memory.read(0x1000, 4) == b"data"


def test_disabled_controller_waits(b: Bench) -> None:
    channel = b.program(2, 0x1000, 3, 0x44)
    calls = feeder(channel, b"data")
    b.dma.low.write(8, 1, 4)
    channel.hold_dreq()
    assert not calls
    b.dma.low.write(8, 1, 0)
    assert calls


def test_auto_init_starts_over(b: Bench) -> None:
    channel = b.program(1, 0x3000, 3, 0x54)
    calls = feeder(channel, b"wxyz")
    channel.hold_dreq()
    channel.hold_dreq()
    assert [call[1] for call in calls] == [0, 0]
    assert not b.dma.low.read(0x0F, 1) & 2


def test_word_channel(b: Bench) -> None:
    channel = b.program(5, 0x3_0000 >> 1 | 0, 3, 0x44)
    assert channel.size == 8
    calls = feeder(channel, b"12345678")
    channel.hold_dreq()
    assert calls == [(5, 0, 8)]
    assert b.memory.read(0x3_0000, 8) == b"12345678"


def test_address_wraps_in_its_page(b: Bench) -> None:
    channel = b.program(2, 0x2_FFFE, 3, 0x44)
    feeder(channel, b"abcd")
    channel.hold_dreq()
    assert b.memory.read(0x2_FFFE, 2) == b"ab"
    assert b.memory.read(0x2_0000, 2) == b"cd"
    assert b.memory.read(0x3_0000, 2) == b"\0\0"


def test_decrement(b: Bench) -> None:
    channel = b.program(2, 0x1003, 3, 0x64)
    feeder(channel, b"abcd", chunk=2)
    channel.hold_dreq()
    assert b.memory.read(0x1000, 4) == b"dcba"
    assert channel.read_memory(1, 2) == b"bc"


def test_verify_stores_nothing(b: Bench) -> None:
    channel = b.program(2, 0x1000, 3, 0x40)
    feeder(channel, b"data")
    channel.hold_dreq()
    assert b.memory.read(0x1000, 4) == bytes(4)
    assert b.dma.low.read(8, 1) & 4


def test_software_request(b: Bench) -> None:
    channel = b.program(0, 0x1000, 1, 0x84)
    feeder(channel, b"ok")
    b.dma.low.write(9, 1, 4)
    assert b.memory.read(0x1000, 2) == b"ok"


def test_handler_without_progress_is_asked_once(b: Bench) -> None:
    channel = b.program(1, 0x1000, 99, 0x44)
    calls = feeder(channel, b"")
    channel.hold_dreq()
    assert len(calls) == 1


def test_request_from_inside_a_handler(b: Bench) -> None:
    first = b.program(1, 0x1000, 0, 0x44)
    second = b.program(3, 0x2000, 0, 0x44)
    feeder(second, b"2")

    def transfer(number: int, position: int, size: int) -> int:
        second.hold_dreq()
        first.write_memory(0, b"1")
        return 1

    first.set_handler(transfer)
    first.hold_dreq()
    assert (b.memory.read(0x1000, 1), b.memory.read(0x2000, 1)) == (b"1", b"2")


def test_pages_and_scratch(b: Bench) -> None:
    for chip in (b.dma.low, b.dma.high):
        for port in range(8):
            chip.pages.write(port, 1, 0x10 + port)
        assert [chip.pages.read(port, 1) for port in range(8)] == list(range(0x10, 0x18))
        assert [channel.page for channel in chip.channels] == [0x17, 0x13, 0x11, 0x12]


def test_master_clear(b: Bench) -> None:
    b.program(2, 0x1000, 3, 0x44)
    b.dma.low.write(0x0D, 1, 0)
    assert b.dma.low.read(0x0F, 1) == 0xFF
    assert b.dma.low.flip_flop == 0


def test_saved_state_size(b: Bench) -> None:
    data = b.dma.low.vmstate.save(b.dma.low)
    assert len(data) == 75
    b.dma.low.vmstate.load(b.dma.low, data)
