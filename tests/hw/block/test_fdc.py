"""The floppy controller on a bus of its own, with real DMA and in-memory disks."""

import errno
import random

import pytest

from pyqemu.block import BlockIOError, Drive, MemoryNode
from pyqemu.hw.block.fdc import IsaFdc
from pyqemu.hw.block.floppy import DriveKind, pick_format
from pyqemu.hw.dma.i8257 import Dma
from pyqemu.hw.isa.bus import IsaBus
from pyqemu.memory import MemoryRegion
from pyqemu.qom import DeviceError
from pyqemu.system import FakeClock

SIZE = 1474560
BUFFER = 0x10000
TO_MEMORY, FROM_MEMORY, VERIFY_MODE = 0x46, 0x4A, 0x42


class Rig:
    """A controller with one 1.44 MB disk, and a guest's way of talking to it."""

    def __init__(self, node: MemoryNode | None = None, **props: object) -> None:
        self.clock = FakeClock()
        self.bus = IsaBus.standalone(self.clock)
        self.bus.memory.add(0, MemoryRegion.ram("ram", 1 << 20))
        self.dma = Dma(self.bus.address_space_memory)
        self.bus.connect_dma(self.dma.channels)
        self.node = node if node is not None else MemoryNode(random.Random(1).randbytes(SIZE))
        self.drive = Drive("floppy0", self.node, interface="floppy")
        self.fdc = IsaFdc(drive_a=self.drive, **props)
        self.bus.add(self.fdc)
        self.irq = self.bus.irq(6)

    def inb(self, port: int) -> int:
        return self.bus.address_space_io.load(port, 1)

    def outb(self, port: int, value: int) -> None:
        self.bus.address_space_io.store(port, 1, value)

    def send(self, *data: int) -> None:
        for byte in data:
            assert self.inb(0x3F4) & 0xC0 == 0x80
            self.outb(0x3F5, byte)

    def result(self) -> list[int]:
        out = []
        while self.inb(0x3F4) & 0xD0 == 0xD0:
            out.append(self.inb(0x3F5))
        return out

    def command(self, *data: int) -> list[int]:
        """Send a command, let it execute, and fetch the result."""
        self.send(*data)
        self.clock.advance(30_000_000)
        return self.result()

    def set_dma(self, mode: int, length: int, address: int = BUFFER) -> None:
        dma = self.dma.low
        dma.write(0x0A, 1, 0x06)
        dma.write(0x0C, 1, 0)
        dma.write(0x0B, 1, mode)
        for register, value in ((4, address), (5, length - 1)):
            dma.write(register, 1, value & 0xFF)
            dma.write(register, 1, value >> 8 & 0xFF)
        dma.pages.write(1, 1, address >> 16)
        dma.write(0x0A, 1, 0x02)

    def memory(self, length: int, address: int = BUFFER) -> bytes:
        return self.bus.address_space_memory.read(address, length)

    def disk(self, track: int, head: int, sector: int, count: int = 1) -> bytes:
        start = ((track * 2 + head) * 18 + sector - 1) * 512
        return bytes(self.node.data[start : start + 512 * count])


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_reset_interrupts_once_and_four_senses_answer_it(rig: Rig) -> None:
    rig.outb(0x3F2, 0x00)
    assert rig.inb(0x3F4) == 0
    rig.outb(0x3F2, 0x0C)
    assert not rig.irq.level
    rig.clock.advance(1_000_000)
    assert rig.irq.level and rig.irq.edges == 1
    assert [rig.command(0x08) for _ in range(5)] == [[0xC0, 0], [0xC1, 0], [0xC2, 0], [0xC3, 0], [0x80]]
    assert not rig.irq.level


def test_dsr_resets_as_well(rig: Rig) -> None:
    rig.outb(0x3F4, 0x80)
    rig.clock.advance(1_000_000)
    assert rig.irq.level and rig.command(0x08) == [0xC0, 0]


def test_a_reset_drops_a_command_that_is_under_way(rig: Rig) -> None:
    rig.send(0x0F, 0, 5)
    rig.outb(0x3F2, 0x08)
    rig.clock.advance(1_000_000)
    assert not rig.irq.level and rig.fdc.drives[0].track == 0


def test_seek_and_recalibrate_interrupt_after_the_command(rig: Rig) -> None:
    rig.send(0x0F, 0, 10)
    assert rig.fdc.drives[0].track == 0 and not rig.irq.level
    rig.clock.advance(10_000)
    assert rig.irq.level
    assert rig.command(0x08) == [0x20, 10]
    rig.command(0x07, 0)
    assert rig.command(0x08) == [0x20, 0]
    rig.command(0x0F, 0, 99)  # against the stop
    assert rig.command(0x08) == [0x20, 79]
    rig.command(0x8F, 0, 9)
    assert rig.command(0x08) == [0x20, 70]


def test_polling_needs_no_timer(rig: Rig) -> None:
    rig.send(0x0F, 0, 10)
    busy = rig.inb(0x3F4)
    assert not busy & 0x80
    assert rig.inb(0x3F4) & 0x80 and rig.irq.level


def test_missing_drive_never_finds_track_0(rig: Rig) -> None:
    rig.command(0x07, 1)
    assert rig.command(0x08) == [0x71, 0]
    assert rig.inb(0x3F0) & 0x40


@pytest.mark.parametrize(
    ("chs", "eot", "multi", "length", "after"),
    [
        ((0, 0, 1), 18, 0, 512, (0, 0, 2)),
        ((0, 0, 1), 18, 0, 9216, (1, 0, 1)),
        ((5, 0, 17), 18, 0x80, 2048, (5, 1, 3)),
        ((5, 0, 1), 18, 0x80, 18432, (6, 0, 1)),
        ((5, 0, 18), 18, 0x80, 512, (5, 1, 1)),
        ((79, 1, 18), 18, 0, 512, (80, 1, 1)),
    ],
)
def test_read_by_dma(
    rig: Rig, chs: tuple[int, int, int], eot: int, multi: int, length: int, after: tuple[int, int, int]
) -> None:
    track, head, sector = chs
    rig.set_dma(TO_MEMORY, length)
    result = rig.command(0x46 | multi, head << 2, track, head, sector, 2, eot, 0x1B, 0xFF)
    assert result[0] & 0xC0 == 0 and result[1:3] == [0, 0]
    assert tuple(result[3:6]) == after and result[6] == 2
    assert rig.memory(length) == rig.disk(track, head, sector, length // 512)


def test_interrupt_comes_with_the_result_and_goes_with_its_first_byte(rig: Rig) -> None:
    rig.set_dma(TO_MEMORY, 512)
    rig.send(0x46, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF)
    assert not rig.irq.level and rig.inb(0x3F4) & 0x90 == 0x10
    rig.clock.advance(10_000)
    assert rig.irq.level and rig.irq.edges == 1
    rig.inb(0x3F5)
    assert not rig.irq.level
    assert len(rig.result()) == 6
    assert rig.inb(0x3F4) == 0x80


def test_a_masked_channel_is_served_when_it_opens(rig: Rig) -> None:
    rig.dma.low.write(0x0A, 1, 0x06)
    rig.send(0x46, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF)
    rig.clock.advance(10_000)
    assert not rig.irq.level
    rig.set_dma(TO_MEMORY, 512)
    assert rig.irq.level and rig.memory(512) == rig.disk(0, 0, 1)


def test_write_by_dma(rig: Rig) -> None:
    data = random.Random(2).randbytes(1024)
    rig.bus.address_space_memory.write(BUFFER, data)
    rig.set_dma(FROM_MEMORY, 1024)
    assert rig.command(0xC5, 0, 3, 0, 18, 2, 18, 0x1B, 0xFF)[:3] == [4, 0, 0]
    assert rig.disk(3, 0, 18, 2) == data


def test_write_protected_disk() -> None:
    rig = Rig(MemoryNode(SIZE, read_only=True))
    rig.set_dma(FROM_MEMORY, 512)
    assert rig.command(0x45, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF)[:3] == [0x40, 0x02, 0]
    assert rig.command(0x04, 0) == [0x78]
    assert rig.command(0x4D, 0, 2, 18, 0x1B, 0xF6)[:2] == [0x40, 0x02]


@pytest.mark.parametrize(
    ("chs", "rate", "status"),
    [
        ((0, 0, 19), 0, (0x40, 0x80)),
        ((0, 0, 0), 0, (0x40, 0x04)),
        ((80, 0, 1), 0, (0x40, 0x04)),
        ((0, 2, 1), 0, (0x40, 0x04)),
        ((0, 0, 1), 2, (0x40, 0x01)),
    ],
)
def test_sectors_that_are_not_there(rig: Rig, chs: tuple[int, int, int], rate: int, status: tuple[int, int]) -> None:
    rig.outb(0x3F7, rate)
    rig.set_dma(TO_MEMORY, 512)
    result = rig.command(0x46, 0, *chs, 2, chs[2], 0x1B, 0xFF)
    assert tuple(result[:2]) == status


def test_without_a_disk() -> None:
    rig = Rig()
    rig.drive.eject()
    assert rig.command(0x46, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF)[:2] == [0x40, 0x01]
    assert rig.command(0x4A, 0)[:2] == [0x40, 0x01]


def test_host_errors_are_data_errors(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise BlockIOError(errno.EIO, "x")

    monkeypatch.setattr(rig.node, "read", fail)
    rig.set_dma(TO_MEMORY, 512)
    assert rig.command(0x46, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF)[:3] == [0x40, 0x20, 0]
    rig.command(0x03, 0xAF, 0x03)
    rig.send(0x46, 0, 0, 0, 1, 2, 1, 0x1B, 0xFF)
    rig.clock.advance(10_000)
    rig.inb(0x3F5)
    assert rig.result()[:2] == [0x40, 0x20]


def test_change_line(rig: Rig) -> None:
    assert rig.inb(0x3F7) == 0x80  # a disk was put in while the power was off
    rig.command(0x07, 0)
    rig.command(0x08)
    assert rig.inb(0x3F7) == 0x80  # no step: the head was at track 0
    rig.command(0x0F, 0, 1)
    assert rig.inb(0x3F7) == 0
    rig.drive.change(MemoryNode(737280))
    assert rig.inb(0x3F7) == 0x80
    rig.command(0x0F, 0, 2)
    assert rig.inb(0x3F7) == 0
    rig.drive.eject()
    rig.command(0x0F, 0, 3)
    assert rig.inb(0x3F7) == 0x80


def test_read_id_waits_for_the_disk_to_turn(rig: Rig) -> None:
    rig.command(0x0F, 0, 7)
    rig.command(0x08)
    rig.send(0x4A, 0x04)
    rig.clock.advance(1_000_000)
    assert not rig.irq.level
    rig.clock.advance(30_000_000)
    assert rig.irq.level
    first = rig.result()
    assert first == [4, 0, 0, 7, 1, first[5], 2]
    assert rig.command(0x4A, 0x04)[5] == first[5] % 18 + 1


def test_read_without_dma(rig: Rig) -> None:
    rig.command(0x03, 0xAF, 0x03)
    rig.send(0x46, 0, 2, 0, 17, 2, 18, 0x1B, 0xFF)
    rig.clock.advance(10_000)
    assert rig.irq.level
    data = bytearray()
    while rig.inb(0x3F4) & 0xF0 == 0xF0:
        data.append(rig.inb(0x3F5))
    assert bytes(data) == rig.disk(2, 0, 17, 2)
    assert rig.result() == [0, 0, 0, 3, 0, 1, 2]


def test_write_without_dma(rig: Rig) -> None:
    data = random.Random(3).randbytes(512)
    rig.command(0x03, 0xAF, 0x03)
    rig.send(0x45, 0, 2, 0, 18, 2, 18, 0x1B, 0xFF)
    rig.clock.advance(10_000)
    for byte in data:
        assert rig.inb(0x3F4) & 0xF0 == 0xB0
        rig.outb(0x3F5, byte)
    assert rig.result()[:3] == [0, 0, 0]
    assert rig.disk(2, 0, 18) == data


def test_format_by_dma(rig: Rig) -> None:
    rig.command(0x0F, 0, 4)
    rig.command(0x08)
    headers = b"".join(bytes((4, 1, sector, 2)) for sector in range(1, 19))
    rig.bus.address_space_memory.write(BUFFER, headers)
    rig.set_dma(FROM_MEMORY, len(headers))
    assert rig.command(0x4D, 4, 2, 18, 0x54, 0xF6)[:3] == [4, 0, 0]
    assert rig.disk(4, 1, 1, 18) == b"\xf6" * 9216
    assert rig.disk(4, 0, 18) != b"\xf6" * 512


def test_format_without_dma(rig: Rig) -> None:
    rig.command(0x03, 0xAF, 0x03)
    rig.send(0x4D, 0, 2, 2, 0x54, 0x11)
    rig.clock.advance(10_000)
    rig.send(0, 0, 3, 2, 0, 0, 77, 2)  # the image has no sector 77
    assert rig.result()[:3] == [0, 0, 0]
    assert rig.disk(0, 0, 3) == b"\x11" * 512


def test_verify_needs_no_dma(rig: Rig) -> None:
    assert rig.command(0x56, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF) == [0, 0, 0, 1, 0, 1, 2]


@pytest.mark.parametrize(
    ("code", "change", "status2"),
    [(0x51, 0, 0x08), (0x51, 1, 0x04), (0x59, 1, 0x00), (0x5D, 1, 0x04), (0x5D, -1, 0x00)],
)
def test_scan(code: int, change: int, status2: int) -> None:
    rig = Rig(MemoryNode(b"\x10" * SIZE))
    rig.bus.address_space_memory.write(BUFFER, bytes((0x10 + change, 0xFF)) + b"\x10" * 510)
    rig.set_dma(FROM_MEMORY, 512)
    assert rig.command(code, 0, 0, 0, 1, 2, 1, 0x1B, 1)[2] == status2


def test_commands_about_the_controller(rig: Rig) -> None:
    assert rig.command(0x10) == [0x90]
    assert rig.command(0x18) == [0x41]
    assert rig.command(0x1F) == [0x80]
    assert rig.command(0x94) == [0x10]
    rig.command(0x13, 0, 0x57, 3)
    rig.command(0x12, 0x84)
    rig.command(0x03, 0xA1, 0x04)
    assert rig.command(0x0E) == [0, 0, 0, 0, 0xA, 4, 18, 0x90, 0x57, 3]
    rig.outb(0x3F4, 0x80)
    rig.clock.advance(10_000)
    assert rig.command(0x0E)[8] == 0x57  # locked
    assert rig.command(0x14) == [0]
    rig.outb(0x3F4, 0x80)
    rig.clock.advance(10_000)
    assert rig.command(0x0E)[8] == 0x60
    assert rig.command(0x8E, 1, 0x80) == [1, 0, 0, 0]
    assert rig.command(0x8E, 0xC0) == []
    assert rig.command(0x33, 0) == []
    assert rig.command(0x17, 1) == [1]


def test_restore_takes_back_what_save_gave(rig: Rig) -> None:
    rig.command(0x0F, 0, 9)
    rig.command(0x13, 0, 0x55, 7)
    saved = rig.command(0x2E)
    assert len(saved) == 15
    rig.fdc.reset()
    rig.command(0x4E, *saved, 0, 0)
    assert rig.fdc.drives[0].track == 9 and (rig.fdc.config, rig.fdc.precomp_trk) == (0x55, 7)


def test_parameters_are_ignored_while_a_result_waits(rig: Rig) -> None:
    rig.send(0x10)
    rig.outb(0x3F5, 0x08)
    assert rig.result() == [0x90]


def test_state_is_saved_and_loaded(rig: Rig) -> None:
    rig.command(0x0F, 0, 9)
    rig.send(0x10)
    data = IsaFdc.vmstate.save(rig.fdc)
    other = Rig()
    IsaFdc.vmstate.load(other.fdc, data)
    assert other.result() == [0x90]
    assert other.fdc.drives[0].track == 9


def test_drive_is_claimed_once(rig: Rig) -> None:
    with pytest.raises(DeviceError, match="Drive 'floppy0' is already in use"):
        rig.bus.add(IsaFdc(drive_a=rig.drive, iobase=0x370))


@pytest.mark.parametrize(
    ("size", "kind", "sectors", "tracks", "heads", "drive"),
    [
        (160 << 10, "auto", 8, 40, 1, "120"),
        (180 << 10, "auto", 9, 40, 1, "120"),
        (320 << 10, "auto", 8, 40, 2, "120"),
        (360 << 10, "auto", 9, 40, 2, "120"),
        (720 << 10, "auto", 9, 80, 2, "144"),
        (1200 << 10, "auto", 15, 80, 2, "120"),
        (1440 << 10, "auto", 18, 80, 2, "144"),
        (1440 << 10, "288", 36, 80, 2, "288"),
        (1680 << 10, "auto", 21, 80, 2, "144"),
        (2880 << 10, "auto", 36, 80, 2, "288"),
        (512, "auto", 18, 80, 2, "144"),  # just a boot sector
        (1000 << 10, "144", 18, 80, 2, "144"),
        (1700 << 10, "auto", 21, 82, 2, "144"),
        (10 << 20, "auto", 18, 80, 2, "144"),
    ],
)
def test_format_by_size(size: int, kind: str, sectors: int, tracks: int, heads: int, drive: str) -> None:
    entry = pick_format(size, DriveKind(kind))
    assert (entry.sectors, entry.tracks, entry.heads, entry.kind.value) == (sectors, tracks, heads, drive)


def test_cmos_types() -> None:
    assert Rig().fdc.cmos_types == (4, 0)
    assert Rig(MemoryNode(360 << 10)).fdc.cmos_types == (2, 0)
    assert Rig(MemoryNode(2880 << 10)).fdc.cmos_types == (5, 0)
    empty = IsaFdc(drive_a=Drive("a"), drive_b=Drive("b"), type_b="144")
    bus = IsaBus.standalone()
    bus.connect_dma(Dma(bus.address_space_memory).channels)
    bus.add(empty)
    assert empty.cmos_types == (5, 4)  # nothing tells: the fallback


def test_a_short_image_reads_as_zeros_behind_its_end() -> None:
    rig = Rig(MemoryNode(b"\xaa" * 512))
    rig.set_dma(TO_MEMORY, 1024)
    assert rig.command(0x46, 0, 0, 0, 1, 2, 18, 0x1B, 0xFF)[0] == 0
    assert rig.memory(1024) == b"\xaa" * 512 + bytes(512)
    rig.set_dma(FROM_MEMORY, 512)
    assert rig.command(0x45, 0, 0, 0, 2, 2, 18, 0x1B, 0xFF)[:2] == [0x40, 0x20]


def test_size_of_the_state() -> None:
    """QEMU 7.2's stream of an idle machine without a disk: 593 bytes."""
    rig = Rig()
    rig.drive.eject()
    assert len(IsaFdc.vmstate.save(rig.fdc)) == 593
