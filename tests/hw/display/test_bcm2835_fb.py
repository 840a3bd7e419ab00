"""The picture of a Raspberry Pi's graphics core: how software asks for it, and what is seen."""

from __future__ import annotations

import random
import struct

import pytest

from pyqemu.hw.display.bcm2835_fb import BGR, CHANNEL, PICTURE_OFFSET, Bcm2835Fb
from pyqemu.hw.misc.bcm2835_mbox import Bcm2835Mbox
from pyqemu.hw.misc.bcm2835_property import CHANNEL as PROPERTY
from pyqemu.hw.misc.bcm2835_property import Bcm2835Property
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import Irq
from tests.hw.board_rig import Region, saved_and_loaded
from tests.qtest_reference import QtestReference, needs_qemu_arm

RAM, BUFFER, MAILBOX = 0x3C00_0000, 0x1000, 0x3F00_B880
GET, TEST, SET = 0x40000, 0x44000, 0x48000
SIZE, VIRTUAL_SIZE, DEPTH, ORDER, ALPHA, PITCH, OFFSET, OVERSCAN, SET_PALETTE = 3, 4, 5, 6, 7, 8, 9, 0xA, 0x4800B


class Rig:
    """The graphics core with its mailbox, over memory as a Pi has it."""

    def __init__(self) -> None:
        root = MemoryRegion.container("bus")
        root.add(0, MemoryRegion.ram("low", 1 << 20))
        root.add(RAM, MemoryRegion.ram("graphics", 64 << 20))
        self.memory = AddressSpace("bus", root)
        self.chip = Bcm2835Fb(self.memory, vcram_base=RAM)
        mailbox = Bcm2835Mbox(Irq())
        mailbox.channels[CHANNEL] = self.chip
        mailbox.channels[PROPERTY] = Bcm2835Property(self.memory, RAM, picture=self.chip.tags())
        self.mailbox = Region(mailbox)

    def call(self, channel: int, address: int) -> int:
        self.mailbox.write(0xA0, 4, address | channel)
        return self.mailbox.read(0x80)

    def tag(self, number: int, *values: int, room: int = 0) -> tuple[int, ...]:
        """What a tag of the property channel is answered."""
        self.memory.write(BUFFER, message(number, *values, room=room))
        assert self.call(PROPERTY, BUFFER) == BUFFER | PROPERTY
        return answer(self.memory.read(BUFFER, 64))


def message(number: int, *values: int, room: int = 0) -> bytes:
    """A buffer with one tag."""
    space = max(4 * len(values), room)
    body = struct.pack(f"<{len(values)}I", *values).ljust(space, b"\0")
    return struct.pack("<5I", 24 + space, 0, number, space, 0) + body + bytes(4)


def answer(data: bytes) -> tuple[int, ...]:
    """The values of the answer in a buffer."""
    (length,) = struct.unpack_from("<I", data, 16)
    return struct.unpack_from(f"<{(length & 0x7FFFFFFF) // 4}I", data, 20)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_the_picture_is_where_the_answer_says(rig: Rig) -> None:
    rig.tag(SET | SIZE, 4, 2)
    rig.tag(SET | DEPTH, 32)
    base, size = rig.tag(0x40001, 16, 0, room=8)
    assert (base, size) == (RAM + PICTURE_OFFSET, 4 * 2 * 4)
    rig.memory.write(base, bytes((0x11, 0x22, 0x33, 0)) * 8)
    frame = rig.chip.frame()
    assert (frame.width, frame.height, frame.rgb) == (4, 2, bytes((0x11, 0x22, 0x33)) * 8)
    rig.tag(SET | ORDER, BGR)
    assert rig.chip.frame().rgb[:3] == bytes((0x33, 0x22, 0x11))


def test_sixteen_bits(rig: Rig) -> None:
    rig.tag(SET | SIZE, 3, 1)
    rig.memory.write(RAM + PICTURE_OFFSET, struct.pack("<3H", 0xF800, 0x07E0, 0x001F))
    assert rig.chip.frame().rgb == bytes.fromhex("ff0000 00ff00 0000ff")


def test_twenty_four_bits(rig: Rig) -> None:
    rig.tag(SET | SIZE, 2, 1)
    rig.tag(SET | DEPTH, 24)
    rig.memory.write(RAM + PICTURE_OFFSET, b"abcdef")
    assert rig.chip.frame().rgb == b"abcdef"


def test_a_palette(rig: Rig) -> None:
    rig.tag(SET | SIZE, 2, 1)
    rig.tag(SET | DEPTH, 8)
    assert rig.tag(SET_PALETTE, 7, 1, 0x00030201) == (0,)
    assert rig.tag(SET_PALETTE, 255, 2, 0, 0) == (1,)
    rig.memory.write(RAM + PICTURE_OFFSET, bytes((7, 0)))
    assert rig.chip.frame().rgb == bytes((1, 2, 3, 0, 0, 0))


def test_the_mailboxs_own_channel(rig: Rig) -> None:
    rig.memory.write(BUFFER, struct.pack("<10I", 8, 4, 8, 4, 0, 16, 0, 0, 0, 0))
    assert rig.call(CHANNEL, BUFFER) == CHANNEL
    answered = struct.unpack("<10I", rig.memory.read(BUFFER, 40))
    assert answered == (8, 4, 8, 4, 16, 16, 0, 0, RAM + PICTURE_OFFSET, 64)


@pytest.mark.parametrize("values", [(0, 1, 16), (1 << 20, 1, 16), (4, 4, 7)])
def test_what_cannot_be_shown_is_dark(rig: Rig, values: tuple[int, int, int]) -> None:
    rig.tag(SET | SIZE, *values[:2])
    rig.tag(SET | DEPTH, values[2])
    assert rig.chip.frame().kind == "blank"


def test_a_reset_brings_the_first_picture_back(rig: Rig) -> None:
    rig.tag(SET | SIZE, 4, 2)
    rig.chip.reset()
    assert rig.tag(GET | SIZE, room=8) == (640, 480)


def test_state_is_saved(rig: Rig) -> None:
    rig.tag(SET | SIZE, 4, 2)
    other = Rig()
    assert saved_and_loaded(rig.chip, other.chip) and (other.chip.xres, other.chip.size) == (4, 16)


@needs_qemu_arm
def test_answers_are_qemus(rig: Rig, rng: random.Random) -> None:
    """Of sizes and depths that make sense; what is more, versions of QEMU answer in their ways."""
    with QtestReference("-M", "raspi2b") as qemu:
        for _ in range(60):
            number, values, room = rng.choice((
                (SET | DEPTH, [rng.choice((8, 16, 24, 32))], 0), (GET | DEPTH, [], 4),
                (SET | ORDER, [rng.randrange(2)], 0),
                (GET | ORDER, [], 4), (GET | PITCH, [], 4), (GET | SIZE, [], 8), (GET | ALPHA, [], 4),
                (SET | ALPHA, [rng.randrange(3)], 0), (0x40001, [16, 0], 8), (GET | OFFSET, [], 8),
                (TEST | DEPTH, [16], 0), (0x40002, [1], 0),
            ))  # fmt: skip
            data = message(number, *values, room=room)
            qemu.many([f"write {BUFFER:#x} {len(data)} 0x{data.hex()}", f"writel {MAILBOX + 0x20:#x} {BUFFER | 8:#x}"])
            qemu.read(MAILBOX)
            theirs = bytes.fromhex(qemu.many([f"read {BUFFER:#x} 64"])[0][2:])
            assert rig.tag(number, *values, room=room) == answer(theirs), hex(number)
