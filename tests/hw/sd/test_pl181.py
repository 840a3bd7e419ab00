"""An SD card behind a PL181, driven as Linux does; and QEMU's, driven in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from pyqemu.block import Drive, MemoryNode
from pyqemu.hw.sd.pl181 import (
    ARGUMENT,
    CLEAR,
    CMD_ENABLE,
    CMD_LONG,
    CMD_RESPEND,
    CMD_RESPONSE,
    CMD_SENT,
    CMD_TIMEOUT,
    COMMAND,
    DATA_END,
    DATACTRL,
    DATALENGTH,
    FIFO,
    MASK0,
    RESPCMD,
    RESPONSE0,
    RX_AVAILABLE,
    STATUS,
    TX_FULL,
    Pl181,
)
from pyqemu.hw.sd.sd import SdCard
from pyqemu.system import FakeClock, Irq
from tests.hw.board_rig import Region
from tests.qtest_reference import QtestReference, needs_qemu_arm

MIB = 1 << 20
BASE = 0x10005000
NONE, SHORT, LONG = 0, CMD_RESPONSE, CMD_RESPONSE | CMD_LONG
BLOCKS_OF_512 = 9 << 4


class Large(MemoryNode):
    """A medium of which only the begin is touched."""

    def __init__(self, told: int) -> None:
        self.told = told
        super().__init__(bytes(64 * MIB))

    @property
    def size(self) -> int:
        return self.told


class Access(Protocol):
    def read(self, offset: int, size: int = 4) -> int: ...
    def write(self, offset: int, value: int) -> None: ...


class Theirs:
    """QEMU's, at its place."""

    def __init__(self, qemu: QtestReference) -> None:
        self.qemu = qemu

    def read(self, offset: int, size: int = 4) -> int:
        return self.qemu.read(BASE + offset, size)

    def write(self, offset: int, value: int) -> None:
        self.qemu.write(BASE + offset, value)


class Ours:
    """Ours, with a card of that many bytes."""

    def __init__(self, size: int = 64 * MIB, *, read_only: bool = False, node: MemoryNode | None = None) -> None:
        self.node = node if node is not None else MemoryNode(bytes(size), read_only=read_only)
        self.drive = Drive("sd0", self.node)
        self.inserted, self.protected, self.irq = Irq(), Irq(), Irq()
        self.card = SdCard(FakeClock(), drive=self.drive, inserted=self.inserted, protected=self.protected)
        self.device = Pl181((self.irq, Irq()), self.card)
        self.registers = Region(self.device)

    def read(self, offset: int, size: int = 4) -> int:
        return self.registers.read(offset, size)

    def write(self, offset: int, value: int) -> None:
        self.registers.write(offset, 4, value)


class Driver:
    """What a driver does."""

    def __init__(self, registers: Access) -> None:
        self.registers = registers
        self.rca = 0

    def command(self, number: int, argument: int = 0, kind: int = SHORT) -> list[int] | None:
        """The words of its response; None if there was none."""
        self.registers.write(CLEAR, 0x7FF)
        self.registers.write(ARGUMENT, argument)
        self.registers.write(COMMAND, number | kind | CMD_ENABLE)
        status = self.registers.read(STATUS)
        if status & CMD_TIMEOUT:
            return None
        assert status & (CMD_SENT | CMD_RESPEND)
        count = {NONE: 0, SHORT: 1, LONG: 4}[kind]
        return [self.registers.read(RESPONSE0 + 4 * n) for n in range(count)]

    def application(self, number: int, argument: int = 0) -> list[int] | None:
        self.command(55, self.rca << 16)
        return self.command(number, argument)

    def identify(self) -> list[list[int] | None]:
        """All responses on the way to the transfer state."""
        found = [self.command(0, kind=NONE), self.command(8, 0x1AA)]
        found += [self.command(55), self.command(41, 0), self.application(41, 0x40FF8000), self.command(2, kind=LONG)]
        answer = self.command(3)
        assert answer is not None
        self.rca = answer[0] >> 16
        found += [answer, self.command(9, self.rca << 16, LONG), self.command(13, self.rca << 16)]
        return [*found, self.command(7, self.rca << 16), self.command(13, self.rca << 16)]

    def receive(self, count: int) -> bytes:
        """Take data that a command asked for."""
        self.registers.write(DATALENGTH, count)
        self.registers.write(DATACTRL, 3 | BLOCKS_OF_512)
        out = b""
        while len(out) < count:
            assert self.registers.read(STATUS) & RX_AVAILABLE
            out += self.registers.read(FIFO).to_bytes(4, "little")
        assert self.registers.read(STATUS) & DATA_END
        return out

    def send(self, data: bytes) -> None:
        self.registers.write(DATALENGTH, len(data))
        self.registers.write(DATACTRL, 1 | BLOCKS_OF_512)
        for position in range(0, len(data), 4):
            assert not self.registers.read(STATUS) & TX_FULL
            self.registers.write(FIFO, int.from_bytes(data[position : position + 4], "little"))
        assert self.registers.read(STATUS) & DATA_END


def pattern(length: int) -> bytes:
    return bytes((n * 7 + n // 251) & 0xFF for n in range(length))


@pytest.mark.parametrize("size", [64 * MIB, 4096 * MIB], ids=["standard", "high-capacity"])
def test_blocks_are_written_and_read(size: int) -> None:
    """A high-capacity card counts in blocks."""
    node = Large(size)
    ours = Ours(node=node)
    driver = Driver(ours)
    driver.identify()
    unit = 1 if size > 2048 * MIB else 512
    driver.command(24, 5 * unit)
    driver.send(pattern(512))
    assert node.read(5 * 512, 512) == pattern(512)
    driver.command(25, 8 * unit)
    driver.send(pattern(2048))
    driver.command(12)
    driver.command(18, 8 * unit)
    assert driver.receive(2048) == pattern(2048)
    driver.command(12)
    assert driver.command(13, driver.rca << 16) == [0x900]


def test_without_a_card_nobody_answers() -> None:
    ours = Ours()
    ours.drive.eject()
    assert Driver(ours).command(8, 0x1AA) is None and not ours.inserted.level


def test_changing_the_card_is_seen() -> None:
    ours = Ours()
    assert ours.inserted.level and not ours.protected.level
    Driver(ours).identify()
    ours.drive.change(MemoryNode(bytes(MIB), read_only=True))
    assert ours.inserted.level and ours.inserted.edges == 2 and ours.protected.level
    assert Driver(ours).command(9, 0x45670000, LONG) is None


def test_a_protected_card_is_not_written() -> None:
    ours = Ours(read_only=True)
    driver = Driver(ours)
    driver.identify()
    driver.command(24, 0)
    driver.send(pattern(512))
    assert ours.node.read(0, 512) == bytes(512)


def test_behind_the_end_there_is_nothing() -> None:
    driver = Driver(Ours())
    driver.identify()
    driver.command(17, 64 * MIB)
    answer = driver.command(13, driver.rca << 16)
    assert answer is not None and answer[0] & 0x1E00 == 0x800


def test_erased_blocks_are_zero() -> None:
    ours = Ours(node=MemoryNode(b"\xff" * MIB))
    driver = Driver(ours)
    driver.identify()
    driver.command(32, 512)
    driver.command(33, 1024)
    driver.command(38)
    assert ours.node.read(0, 2048) == b"\xff" * 512 + bytes(1024) + b"\xff" * 512


def test_interrupts_by_mask() -> None:
    ours = Ours()
    ours.write(MASK0, CMD_RESPEND)
    Driver(ours).command(8, 0x1AA)
    assert ours.irq.level and ours.read(RESPCMD) == 8
    ours.write(CLEAR, CMD_RESPEND)
    assert not ours.irq.level


def test_a_transfer_goes_on_after_loading() -> None:
    node = MemoryNode(pattern(MIB))
    before, after = Ours(node=node), Ours(node=MemoryNode(pattern(MIB)))
    driver = Driver(before)
    driver.identify()
    driver.command(18, 0)
    before.write(DATALENGTH, 2048)
    before.write(DATACTRL, 3 | BLOCKS_OF_512)
    for _ in range(100):
        before.read(FIFO)
    for old, new in ((before.card, after.card), (before.device, after.device)):
        layout = type(old).vmstate
        assert layout is not None
        layout.load(new, layout.save(old))
    rest = b"".join(after.read(FIFO).to_bytes(4, "little") for _ in range(412))
    assert rest == pattern(2048)[400:]


@pytest.fixture(params=[64 * MIB, 4096 * MIB], ids=["standard", "high-capacity"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Driver, Driver]]:
    image = tmp_path / "card"
    with image.open("wb") as file:
        file.truncate(request.param)
    node = Large(request.param)
    drive = f"if=sd,file={image},format=raw"
    with QtestReference("-M", "vexpress-a9", "-drive", drive) as qemu:
        yield Driver(Ours(node=node)), Driver(Theirs(qemu))


@needs_qemu_arm
def test_the_dialogue_is_the_same(both: tuple[Driver, Driver]) -> None:
    """But for the capacity, which is told in another way by cards of standard capacity, and its checksum."""
    ours, theirs = (driver.identify() for driver in both)
    ours[7] = theirs[7] = None
    assert ours == theirs
    assert both[0].application(51) == both[1].application(51)
    assert both[0].receive(8) == both[1].receive(8)
    for number, argument in ((16, 512), (13, both[0].rca << 16), (17, 0)):
        assert both[0].command(number, argument) == both[1].command(number, argument)
    assert both[0].receive(512) == both[1].receive(512)
    assert both[0].command(13, both[0].rca << 16) == both[1].command(13, both[1].rca << 16)
