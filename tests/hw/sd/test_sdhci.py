"""The standard SD host controller with a card: by the buffer port, SDMA and ADMA2."""

from __future__ import annotations

import struct

import pytest

from pyqemu.block import Drive, MemoryNode
from pyqemu.hw.sd.sd import SdCard
from pyqemu.hw.sd.sdhci import (
    ADMASYSADDR,
    ARGUMENT,
    BDATA,
    BLKCNT,
    BLKSIZE,
    CLKCON,
    CMDREG,
    ERRINTSTS,
    HOSTCTL,
    INT_COMMAND,
    INT_DMA,
    INT_ERROR,
    INT_READ,
    INT_TRANSFER,
    NORINTSIGEN,
    NORINTSTS,
    NORINTSTSEN,
    PRNSTS,
    RSPREG0,
    SDMASYSAD,
    SWRST,
    TRNMOD,
    Sdhci,
)
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import FakeClock, Irq
from tests.hw.board_rig import Region
from tests.qtest_reference import QtestReference, needs_qemu_arm

MIB = 1 << 20
BASE = 0x3F300000
READ, MULTIPLE, COUNT, DMA, ACMD12 = 0x10, 0x20, 0x02, 0x01, 0x04
R1, R1B, R2, DATA = 2, 3, 1, 0x20


def pattern(length: int) -> bytes:
    return bytes((n * 7 + n // 251) & 0xFF for n in range(length))


class Host(Region):
    """The controller, with RAM and a card."""

    def __init__(self, data: bytes = bytes(MIB)) -> None:
        root = MemoryRegion.container("memory")
        root.add(0, MemoryRegion.ram("ram", MIB))
        self.memory = AddressSpace("memory", root)
        self.irq = Irq()
        self.node = MemoryNode(data)
        self.drive = Drive("sd0", self.node)
        card = SdCard(FakeClock(), drive=self.drive)
        self.device = Sdhci(FakeClock(), self.irq, card, self.memory)
        super().__init__(self.device)
        self.write(NORINTSTSEN, 4, 0x03FF01FF)
        self.write(CLKCON, 2, 5)

    def command(self, number: int, argument: int = 0, flags: int = R1, mode: int = 0) -> int:
        """Send one, and return the first word of its response."""
        self.write(NORINTSTS, 4, 0xFFFFFFFF)
        self.write(ARGUMENT, 4, argument)
        self.write(TRNMOD, 2, mode)
        self.write(CMDREG, 2, number << 8 | flags)
        return self.read(RSPREG0)

    def open(self) -> Host:
        """On to the transfer state."""
        self.command(0, flags=0)
        self.command(8, 0x1AA)
        self.command(55)
        self.command(41, 0x40FF8000)
        self.command(2, flags=R2)
        rca = self.command(3) & 0xFFFF0000
        self.command(7, rca, R1B)
        return self

    def blocks(self, count: int, boundary: int = 7) -> None:
        self.write(BLKSIZE, 2, boundary << 12 | 512)
        self.write(BLKCNT, 2, count)


@pytest.fixture
def host() -> Host:
    return Host(pattern(MIB)).open()


def test_a_command_completes_with_an_interrupt() -> None:
    host = Host()
    host.write(NORINTSIGEN, 2, INT_COMMAND)
    assert host.command(8, 0x1AA) == 0x1AA
    assert host.irq.level and host.read(NORINTSTS, 2) == INT_COMMAND
    host.write(NORINTSTS, 2, INT_COMMAND)
    assert not host.irq.level


def test_a_long_response_comes_without_its_checksum() -> None:
    host = Host()
    host.command(55)
    host.command(41, 0x40FF8000)
    host.command(2, flags=R2)
    words = [host.read(RSPREG0 + 4 * n) for n in range(4)]
    assert struct.pack(">4I", *reversed(words))[1:11] == b"\xaaXYQEMU!\x01\xde"


def test_silence_is_a_timeout() -> None:
    host = Host()
    host.command(9, 0x12340000, R2)
    assert host.read(ERRINTSTS, 2) == 1 and host.read(NORINTSTS, 2) == INT_ERROR
    host.write(ERRINTSTS, 2, 1)
    assert host.read(NORINTSTS, 2) == 0


def test_blocks_are_read_from_the_buffer_port(host: Host) -> None:
    host.blocks(2)
    host.command(18, 512, R1 | DATA, READ | MULTIPLE | COUNT | ACMD12)
    assert host.read(NORINTSTS, 2) == INT_COMMAND | INT_READ
    data = b"".join(host.read(BDATA).to_bytes(4, "little") for _ in range(256))
    assert data == pattern(2048)[512:1536]
    assert host.read(NORINTSTS, 2) & INT_TRANSFER and not host.read(PRNSTS) & 0xF07


def test_blocks_are_written_to_the_buffer_port(host: Host) -> None:
    host.blocks(1)
    host.command(24, 0, R1 | DATA)
    for n in range(256):
        host.write(BDATA, 2, n)
    assert host.node.read(0, 512) == struct.pack("<256H", *range(256))
    assert host.read(NORINTSTS, 2) & INT_TRANSFER


def test_sdma_stops_at_a_boundary(host: Host) -> None:
    host.blocks(12, boundary=0)
    host.write(SDMASYSAD, 4, 0x1800)
    host.command(18, 0, R1 | DATA, READ | MULTIPLE | COUNT | DMA | ACMD12)
    assert host.read(NORINTSTS, 2) == INT_COMMAND | INT_DMA and host.read(SDMASYSAD) == 0x2000
    host.write(NORINTSTS, 2, INT_DMA)
    host.write(SDMASYSAD, 4, 0x8000)
    assert host.memory.read(0x1800, 2048) + host.memory.read(0x8000, 4096) == pattern(6144)
    assert host.read(NORINTSTS, 2) & INT_TRANSFER


def test_adma_goes_by_a_table(host: Host) -> None:
    host.memory.write(0x100, struct.pack("<HHIHHI", 0x21, 512, 0x4000, 0x31, 0, 0x200))
    host.memory.write(0x200, struct.pack("<HHI", 0x23, 1024, 0x6000))
    host.blocks(3)
    host.write(HOSTCTL, 1, 0x10)
    host.write(ADMASYSADDR, 4, 0x100)
    host.command(18, 0, R1 | DATA, READ | MULTIPLE | COUNT | DMA | ACMD12)
    assert host.memory.read(0x4000, 512) + host.memory.read(0x6000, 1024) == pattern(1536)
    assert host.read(NORINTSTS, 2) == INT_COMMAND | INT_TRANSFER


@pytest.mark.parametrize("table", [bytes(8), struct.pack("<HHI", 0x31, 0, 0x100)], ids=["invalid", "endless"])
def test_a_bad_table_is_an_error(host: Host, table: bytes) -> None:
    host.memory.write(0x100, table)
    host.blocks(3)
    host.write(HOSTCTL, 1, 0x10)
    host.write(ADMASYSADDR, 4, 0x100)
    host.command(18, 0, R1 | DATA, READ | MULTIPLE | COUNT | DMA)
    assert host.read(ERRINTSTS, 2) == 1 << 9 and not host.read(PRNSTS) & 2


def test_a_reset_leaves_the_card_in_its_slot(host: Host) -> None:
    host.write(SWRST, 1, 1)
    assert host.read(SWRST, 1) == 0 and host.read(NORINTSTSEN) == 0
    assert host.read(PRNSTS) >> 16 & 0xF == 0xF


def test_a_transfer_goes_on_after_loading(host: Host) -> None:
    host.blocks(2)
    host.command(18, 0, R1 | DATA, READ | MULTIPLE | COUNT | ACMD12)
    for _ in range(100):
        host.read(BDATA)
    other = Host(pattern(MIB))
    for old, new in ((host.device.card, other.device.card), (host.device, other.device)):
        layout = type(old).vmstate
        assert layout is not None
        layout.load(new, layout.save(old))
    rest = b"".join(other.read(BDATA).to_bytes(4, "little") for _ in range(156))
    assert rest == pattern(1024)[400:]


@needs_qemu_arm
def test_the_dialogue_is_qemus() -> None:
    """Without a card; QEMU completes a command, too, when it tells that nobody answered it."""
    host = Host()
    host.drive.eject()
    with QtestReference("-M", "raspi2b") as qemu:
        for offset, size, value in (
            (NORINTSTSEN, 4, 0x01FF01FF), (CLKCON, 2, 5), (BLKSIZE, 2, 0x7200), (BLKCNT, 2, 3), (ARGUMENT, 4, 0x1AA),
            (TRNMOD, 2, 0), (CMDREG, 2, 8 << 8 | R1),
        ):  # fmt: skip
            host.write(offset, size, value)
            qemu.write(BASE + offset, value, size)
        for offset in (BLKSIZE, ARGUMENT, NORINTSTSEN):
            assert host.read(offset) == qemu.read(BASE + offset), hex(offset)
