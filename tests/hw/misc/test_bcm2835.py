"""What is around the processors of Broadcom's BCM2835 and BCM2836."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest

from pyqemu.chardev.ringbuf import RingbufChardev
from pyqemu.hw.char.bcm2835_aux import MU_IER, MU_IIR, MU_IO, MU_LSR, MU_STAT, Bcm2835Aux
from pyqemu.hw.dma.bcm2835_dma import CONBLK_AD, CS, INT_STATUS, Bcm2835Dma
from pyqemu.hw.intc.bcm2835_ic import Bcm2835Ic
from pyqemu.hw.intc.bcm2836_control import LOCAL_CLEAR, LOCAL_CONTROL, LOCAL_ROUTING, Bcm2836Control
from pyqemu.hw.misc.bcm2835_mbox import (
    MBOX0_CONFIG,
    MBOX0_READ,
    MBOX0_STATUS,
    MBOX1_WRITE,
    STATUS_EMPTY,
    Bcm2835Mbox,
)
from pyqemu.hw.misc.bcm2835_property import CHANNEL, Bcm2835Property
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import FakeClock, Irq, System
from tests.hw.board_rig import Region, compare, saved_and_loaded, words
from tests.qtest_reference import QtestReference, needs_qemu_arm

PERIPHERALS = 0x3F000000
RAM = 0x3C000000


@pytest.fixture
def memory() -> AddressSpace:
    root = MemoryRegion.container("bus")
    root.add(0, MemoryRegion.ram("ram", 1 << 20))
    return AddressSpace("bus", root)


class Quad(Region):
    """The local controller with its outputs."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.outputs = [(Irq(), Irq()) for _ in range(4)]
        self.chip = Bcm2836Control(self.clock, self.outputs)
        super().__init__(self.chip)

    @property
    def levels(self) -> list[str]:
        return ["".join(name for name, line in zip("if", lines, strict=True) if line.level) for lines in self.outputs]


def test_the_periphery_has_one_irq_and_a_chosen_fiq() -> None:
    irq, fiq = Irq(), Irq()
    device = Bcm2835Ic(irq, fiq)
    ic = Region(device)
    device.gpu_inputs[57].raise_()
    assert not irq.level
    ic.write(0x14, 4, 1 << 25)
    assert irq.level and ic.read(8) == 1 << 25 and ic.read(0) == 1 << 19
    ic.write(0x20, 4, 1 << 25)
    ic.write(0x0C, 4, 0x80 | 57)
    assert (irq.level, fiq.level) == (False, True)
    device.arm_inputs[2].raise_()
    ic.write(0x18, 4, 4)
    assert irq.level and ic.read(0) == 4


def test_timers_mailboxes_and_the_periphery_reach_a_processor() -> None:
    quad = Quad()
    quad.write(0x0C, 4, 2)
    quad.chip.gpu_irq.raise_()
    assert quad.levels == ["", "", "i", ""] and quad.read(0x68) == 1 << 8
    quad.write(0x44, 4, 0x02)
    quad.chip.timer_inputs[1][1].raise_()
    assert quad.levels == ["", "i", "i", ""] and quad.read(0x64) == 2
    quad.write(0x44, 4, 0x22)  # to FIQ instead
    assert quad.levels == ["", "f", "i", ""] and quad.read(0x74) == 2
    quad.write(0x5C, 4, 1)
    quad.write(0x80 + 3 * 16, 4, 0x100)
    assert quad.levels[3] == "i" and quad.read(0xC0 + 3 * 16) == 0x100
    quad.write(0xC0 + 3 * 16, 4, 0x100)
    assert quad.levels[3] == ""


def test_the_local_timer_comes_again() -> None:
    quad = Quad()
    quad.write(LOCAL_ROUTING, 4, 1)
    quad.write(LOCAL_CONTROL, 4, 3 << 28 | 38_400)
    for _ in range(2):
        quad.clock.advance(1_000_000)
        assert quad.levels == ["", "i", "", ""]
        quad.write(LOCAL_CLEAR, 4, 1 << 31)
        assert quad.levels[1] == ""


class Firmware(Region):
    """A mailbox with the property channel behind it."""

    def __init__(self, memory: AddressSpace) -> None:
        self.irq = Irq()
        self.memory = memory
        self.box = Bcm2835Mbox(self.irq)
        mac = bytes.fromhex("525400123456")
        self.box.channels[CHANNEL] = Bcm2835Property(memory, RAM, board_rev=0xA21041, mac=mac)
        super().__init__(self.box)

    def ask(self, tag: int, room: int, *asked: int) -> bytes:
        self.memory.write(0x1000, question(tag, room, *asked))
        self.write(MBOX1_WRITE, 4, 0x1000 | CHANNEL)
        assert self.read(MBOX0_READ) == 0x1000 | CHANNEL
        return bytes(self.memory.read(0x1000, len(question(tag, room))))


def question(tag: int, room: int, *asked: int) -> bytes:
    body = struct.pack(f"<{len(asked)}I", *asked).ljust(room, b"\0")
    return struct.pack("<5I", 24 + room, 0, tag, room, 0) + body + bytes(4)


def test_an_answer_waits_in_the_mailbox(memory: AddressSpace) -> None:
    firmware = Firmware(memory)
    assert firmware.read(MBOX0_STATUS) == STATUS_EMPTY
    firmware.write(MBOX0_CONFIG, 4, 1)
    memory.write(0x1000, question(0x10002, 4))
    firmware.write(MBOX1_WRITE, 4, 0x1000 | CHANNEL)
    assert firmware.irq.level and firmware.read(MBOX0_STATUS) == 0
    other = Firmware(memory)
    assert saved_and_loaded(firmware.box, other.box) and other.irq.level
    assert firmware.read(MBOX0_READ) == 0x1008 and not firmware.irq.level
    assert struct.unpack("<I", memory.read(0x1014, 4)) == (0xA21041,)


def test_a_buffer_that_cannot_be_is_an_error(memory: AddressSpace) -> None:
    memory.write(0x1000, struct.pack("<I", 0xFFFFFFFF))
    firmware = Firmware(memory)
    firmware.write(MBOX1_WRITE, 4, 0x1000 | CHANNEL)
    assert memory.load(0x1004, 4) == 0x80000001


class TestDma:
    def block(self, memory: AddressSpace, where: int, *fields: int) -> None:
        memory.write(where, struct.pack("<6I", *fields))

    def test_a_list_of_blocks_is_copied(self, memory: AddressSpace) -> None:
        irqs = [Irq() for _ in range(16)]
        dma = Region(Bcm2835Dma(memory, irqs))
        memory.write(0x4000, bytes(range(64)))
        self.block(memory, 0x100, 0x110, 0x4000, 0x5000, 16, 0, 0x120)
        self.block(memory, 0x120, 0x111, 0x4020, 0x5010, 8, 0, 0)
        dma.write(0x200 + CONBLK_AD, 4, 0x100)
        dma.write(0x200 + CS, 4, 1)
        assert memory.read(0x5000, 24) == bytes([*range(16), *range(32, 40)])
        assert irqs[2].level and dma.read(INT_STATUS) == 4 and dma.read(0x200 + CS) & 7 == 6
        dma.write(0x200 + CS, 4, 6)
        assert not irqs[2].level and dma.read(0x200 + CS) & 7 == 0

    def test_rows_with_a_stride(self, memory: AddressSpace) -> None:
        dma = Region(Bcm2835Dma(memory, [Irq() for _ in range(16)]), 1)
        memory.write(0x4000, bytes(range(32)))
        self.block(memory, 0x100, 0x112, 0x4000, 0x5000, 1 << 16 | 4, 4 << 16 | 0xFFFC, 0)
        dma.write(CONBLK_AD, 4, 0x100)
        dma.write(CS, 4, 1)
        assert memory.read(0x5000, 12) == bytes((0, 1, 2, 3, 0, 0, 0, 0, 0, 1, 2, 3))

    def test_a_list_that_leads_back_ends_nevertheless(self, memory: AddressSpace) -> None:
        dma = Region(Bcm2835Dma(memory, [Irq() for _ in range(16)]))
        self.block(memory, 0x100, 0x110, 0x4000, 0x5000, 4, 0, 0x100)
        dma.write(CONBLK_AD, 4, 0x100)
        dma.write(CS, 4, 1)
        assert dma.read(CS) & 3 == 2


def test_the_mini_uart() -> None:
    irq = Irq()
    line = RingbufChardev("serial1", System(clock=FakeClock()))
    line.open()
    device = Bcm2835Aux(irq, line.claim())
    uart = Region(device)
    uart.write(MU_IO, 4, ord("x"))
    assert line.peek() == b"x" and uart.read(MU_LSR) == 0x60
    uart.write(MU_IER, 4, 1)
    device.receive(b"0123456789")
    assert irq.level and uart.read(MU_IIR) == 0xC4 and uart.read(MU_STAT) >> 16 & 15 == 8
    other = Bcm2835Aux(Irq())
    assert saved_and_loaded(device, other)
    assert bytes(uart.read(MU_IO) for _ in range(8)) == b"01234567" and not irq.level
    assert Region(other).read(MU_IO) == ord("0")


@pytest.fixture(scope="module")
def qemu() -> Iterator[QtestReference]:
    with QtestReference("-M", "raspi2b") as reference:
        yield reference


@needs_qemu_arm
class TestAgainstQemu:
    def test_interrupt_controllers(self, qemu: QtestReference, rng: random.Random) -> None:
        registers = words(0, 0x28)
        only = {0x0C: (0, 5, 0x85, 0xC3)}  # QEMU ends at numbers that are no interrupt's
        compare(Bcm2835Ic(Irq(), Irq()), qemu, PERIPHERALS + 0xB200, rng, registers, registers, only=only)
        local = [0x0C, 0x24, *words(0x40, 0x100)]
        compare(Quad().chip, qemu, 0x40000000, rng, local, local)

    @pytest.mark.parametrize(
        "asked",
        [
            (0x1, 4), (0x10001, 4), (0x10002, 4), (0x10003, 8), (0x10004, 8), (0x10005, 8), (0x10006, 8),
            (0x28001, 8, 0, 3), (0x30001, 8, 1), (0x38001, 8, 1, 1), (0x30002, 8, 1), (0x30002, 8, 2), (0x30004, 8, 3),
            (0x30007, 8, 3), (0x38002, 12, 3, 5), (0x30006, 8), (0x3000A, 8), (0x50001, 16), (0x60001, 4), (0xABCDE, 8),
        ],
    )  # fmt: skip
    def test_properties(self, qemu: QtestReference, memory: AddressSpace, asked: tuple[int, ...]) -> None:
        buffer = question(*asked)
        qemu.many([f"write 0x1000 {len(buffer)} 0x{buffer.hex()}"])
        qemu.write(PERIPHERALS + 0xB8A0, 0x1000 | CHANNEL)
        qemu.read(PERIPHERALS + 0xB880)
        theirs = bytes.fromhex(qemu.many([f"read 0x1000 {len(buffer)}"])[0][2:])
        assert Firmware(memory).ask(*asked) == theirs

    def test_the_mini_uart(self, qemu: QtestReference, rng: random.Random) -> None:
        """But for MU_IIR, which tells of the transmitter there even if that is not enabled."""
        registers = [each for each in (0, 4, *words(0x40, 0x6C)) if each != MU_IIR]
        compare(Bcm2835Aux(Irq()), qemu, PERIPHERALS + 0x215000, rng, registers, registers)

    def test_dma_registers(self, qemu: QtestReference, memory: AddressSpace, rng: random.Random) -> None:
        dma = Bcm2835Dma(memory, [Irq() for _ in range(16)])
        registers = [*words(0, 0x24), *words(0x300, 0x324)]
        idle = dict.fromkeys((0, 0x300), (0, 0x00FF0000, 6))
        compare(dma, qemu, PERIPHERALS + 0x7000, rng, [*registers, INT_STATUS], registers, only=idle)
