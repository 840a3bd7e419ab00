"""A virtio disk: errors of the host, caches, limits."""

from __future__ import annotations

import errno
import struct
from typing import Any

import pytest

from pyqemu.block import BlockIOError, Drive
from pyqemu.block.node import BlockNode
from pyqemu.hw.pci import regs
from pyqemu.hw.virtio.blk import SEG_MAX, VirtioBlk, VirtioBlkPci
from pyqemu.qom import DeviceError
from pyqemu.system import RunState
from tests.hw.virtio.virtio_rig import BUFFERS, LegacyDriver, ModernDriver, Ours, Part

SECTOR = 512
DATA, STATUS = BUFFERS + 0x1000, BUFFERS + 0xF_0000


class Medium(BlockNode):
    """A disk in memory that fails when it is told to."""

    def __init__(self, size: int = 64 * SECTOR, *, read_only: bool = False) -> None:
        super().__init__("memory", read_only=read_only)
        self.data = bytearray(size)
        self.error = 0
        self.flushes = 0

    @property
    def size(self) -> int:
        return len(self.data)

    def _fail(self) -> None:
        if self.error:
            raise BlockIOError(self.error, "memory")

    def _read(self, offset: int, length: int) -> bytes:
        self._fail()
        return bytes(self.data[offset : offset + length])

    def _write(self, offset: int, data: Any) -> None:
        self._fail()
        self.data[offset : offset + len(data)] = data

    def flush(self) -> None:
        self._fail()
        self.flushes += 1


class Disk:
    """A disk and its driver."""

    def __init__(self, features: int = ~0, *, medium: Medium | None = None, **props: Any) -> None:
        self.medium = medium or Medium()
        self.drive = Drive("disk", self.medium, serial="serial of the drive")
        self.ours = Ours(VirtioBlkPci(drive=self.drive, **props))
        self.driver = LegacyDriver(self.ours)
        (self.queue,) = self.driver.start(features, 0)

    @property
    def device(self) -> VirtioBlk:
        backend = self.ours.device.backend  # type: ignore[attr-defined]
        assert isinstance(backend, VirtioBlk)
        return backend

    def put(self, kind: int, sector: int, *middle: Part) -> None:
        """Make a request."""
        self.ours.poke(STATUS, b"\xff")
        self.queue.free = 0
        self.queue.put(Part(BUFFERS, struct.pack("<IIQ", kind, 0, sector)), *middle, Part(STATUS, room=1))
        self.driver.kick(0)

    @property
    def status(self) -> int:
        """Of the last request; 255 while it is under way."""
        return self.ours.peek(STATUS, 1)[0]


def read(sector: int, count: int = 1) -> tuple[int, int, Part]:
    return 0, sector, Part(DATA, room=count * SECTOR)


def write(sector: int, data: bytes) -> tuple[int, int, Part]:
    return 1, sector, Part(DATA, data)


def test_errors_are_reported() -> None:
    disk = Disk()
    disk.medium.error = errno.EIO
    disk.put(*read(0))
    assert (disk.status, disk.queue.used_idx) == (1, 1)
    disk.put(4, 0)
    assert disk.status == 1


def test_errors_can_be_ignored() -> None:
    disk = Disk(rerror="ignore")
    disk.medium.error = errno.EIO
    disk.put(*read(0))
    assert disk.status == 0


def test_a_full_host_stops_the_machine_and_nothing_is_lost() -> None:
    """``werror=enospc``: requests wait, and are carried out in their order when the machine goes on."""
    disk = Disk()
    disk.ours.system.start()
    disk.medium.error = errno.ENOSPC
    disk.put(*write(3, b"a" * SECTOR))
    assert (disk.status, disk.queue.used_idx) == (255, 0)
    disk.ours.system.process_requests()
    assert disk.ours.system.state is RunState.IO_ERROR
    disk.queue.free = 10
    disk.queue.put(
        Part(BUFFERS + 0x100, struct.pack("<IIQ", 0, 0, 3)), Part(BUFFERS + 0x9000, room=SECTOR),
        Part(STATUS + 1, room=1),
    )  # fmt: skip
    disk.driver.kick(0)
    assert disk.queue.used_idx == 0
    disk.medium.error = 0
    disk.ours.system.start()
    disk.ours.wait()
    assert (disk.status, disk.queue.used_entries) == (0, [(0, 1), (10, SECTOR + 1)])
    assert disk.ours.peek(BUFFERS + 0x9000, SECTOR) == b"a" * SECTOR


def test_requests_that_wait_are_saved() -> None:
    disk, other = Disk(werror="stop"), Disk(werror="stop")
    disk.medium.error = errno.EIO
    disk.put(*write(5, b"kept" * 128))
    state = VirtioBlkPci.vmstate.save(disk.ours.device)  # type: ignore[union-attr]
    other.ours.poke(0x10_0000, disk.ours.peek(0x10_0000, 0x20_0000))
    VirtioBlkPci.vmstate.load(other.ours.device, state)  # type: ignore[union-attr]
    other.ours.system.start()
    other.ours.wait()
    assert other.medium.data[5 * SECTOR : 6 * SECTOR] == b"kept" * 128
    assert other.queue.used_entries == [(0, 1)]


def test_a_reset_drops_them() -> None:
    disk = Disk(werror="stop")
    disk.medium.error = errno.EIO
    disk.put(*write(5, b"gone" * 128))
    disk.medium.error = 0
    disk.driver.set_status(0)
    disk.ours.system.start()
    disk.ours.wait()
    assert not any(disk.medium.data)


def test_a_driver_that_cannot_flush_has_no_cache() -> None:
    disk = Disk(~(1 << 9 | 1 << 11))
    assert not disk.drive.write_cache
    disk.put(*write(0, b"x" * SECTOR))
    assert disk.medium.flushes == 1
    disk.driver.set_status(0)
    assert disk.drive.write_cache


def test_the_driver_turns_the_cache_off() -> None:
    disk = Disk()
    assert disk.driver.read_config(32, 1) == 1
    disk.driver.write_config(32, 1, 0)
    disk.put(*write(0, b"x" * SECTOR))
    assert (disk.driver.read_config(32, 1), disk.medium.flushes) == (0, 1)
    disk.put(4, 0)
    assert disk.medium.flushes == 2


def test_a_read_only_disk_says_so() -> None:
    disk = Disk(medium=Medium(read_only=True))
    assert disk.driver.features >> 5 & 1
    disk.put(*write(0, b"x" * SECTOR))
    assert (disk.status, any(disk.medium.data)) == (1, False)


def test_configuration() -> None:
    disk = Disk(logical_block_size=1024, physical_block_size=4096, min_io_size=8192, opt_io_size=65536)
    capacity, size_max, seg_max, _, _, _, block, exponent, offset, least, best = struct.unpack(
        "<QIIHBBIBBHI", bytes(disk.driver.read_config(at, 1) for at in range(32))
    )
    assert (capacity, size_max, seg_max, block) == (64, 0, SEG_MAX, 1024)
    assert (exponent, offset, least, best) == (2, 0, 8, 64)
    disk.put(*read(1, 2))
    assert disk.status == 1  # not at a block's begin
    disk.put(*read(2, 2))
    assert disk.status == 0


def test_a_new_size_is_told() -> None:
    disk = Disk()
    disk.driver.isr()
    disk.medium.data += bytes(64 * SECTOR)
    disk.drive.resized()
    assert (disk.driver.isr(), disk.driver.read_config(0, 4)) == (3, 128)


def test_much_is_moved_in_turns() -> None:
    """A request of the driver does not keep the processor for ever: what is too much waits for the next turn."""
    disk = Disk(medium=Medium(12 << 20))
    for number in range(3):
        disk.queue.put(
            Part(BUFFERS + 32 * number, struct.pack("<IIQ", 0, 0, 0)), Part(BUFFERS + 0x10_0000, room=11 << 20),
            Part(STATUS + number, room=1),
        )  # fmt: skip
    disk.ours.set_port(0xC010, 2, 0)
    disk.ours.clock.advance(20_000)
    assert disk.queue.used_idx == 2
    disk.ours.wait()
    assert disk.queue.used_idx == 3


def test_what_is_under_way_ends_before_saving() -> None:
    disk = Disk()
    disk.queue.put(Part(BUFFERS, struct.pack("<IIQ", 0, 0, 0)), Part(DATA, room=SECTOR), Part(STATUS, room=1))
    disk.ours.set_port(0xC010, 2, 0)
    assert disk.queue.used_idx == 0
    disk.device.complete_now()
    assert disk.queue.used_idx == 1


def test_no_bus_master_no_request() -> None:
    disk = Disk()
    disk.ours.set_config(regs.COMMAND, 2, regs.COMMAND_IO)
    assert not disk.driver.status & 4  # DRIVER_OK goes with it, as on QEMU
    disk.put(*read(0))
    assert disk.queue.used_idx == 0
    assert not disk.device.broken


def test_messages_and_masks() -> None:
    """MSI-X: each queue its vector; a masked one waits until it may."""
    medium = Medium()
    ours = Ours(VirtioBlkPci(drive=Drive("disk", medium), disable_modern=False))
    driver = ModernDriver(ours)
    (queue,) = driver.start(~0, 0)
    msix = ours.device.msix  # type: ignore[attr-defined]
    ours.store(0xFEB0_0010, 4, 0x20_8000)  # where vector 1's message goes: memory, for once
    ours.store(0xFEB0_0018, 4, 0xCAFE)
    ours.set_config(msix.capability + 2, 2, 0x8000)
    ours.store(driver.COMMON + 0x16, 2, 0)
    ours.store(driver.COMMON + 0x1A, 2, 1)
    queue.put(Part(BUFFERS, struct.pack("<IIQ", 0, 0, 0)), Part(DATA, room=SECTOR), Part(STATUS, room=1))
    driver.kick(0)
    assert (ours.load(0xFEB0_0800, 4), ours.load(0x20_8000, 4), ours.irq) == (2, 0, False)
    ours.store(0xFEB0_001C, 4, 0)
    assert (ours.load(0xFEB0_0800, 4), ours.load(0x20_8000, 4)) == (0, 0xCAFE)
    ours.store(driver.COMMON + 0x1A, 2, 7)
    assert ours.load(driver.COMMON + 0x1A, 2) == 0xFFFF  # there is no such vector


def test_a_message_to_its_own_registers_ends() -> None:
    """A driver may aim the message of the first queue at the place that notifies the first queue."""
    ours = Ours(VirtioBlkPci(drive=Drive("disk", Medium()), disable_modern=False))
    driver = ModernDriver(ours)
    (queue,) = driver.start(~0, 0)
    msix = ours.device.msix  # type: ignore[attr-defined]
    ours.store(0xFEB0_0000, 4, driver.NOTIFY)
    ours.store(0xFEB0_000C, 4, 0)
    ours.set_config(msix.capability + 2, 2, 0x8000)
    ours.store(driver.COMMON + 0x1A, 2, 0)
    queue.put(Part(BUFFERS, struct.pack("<IIQ", 0, 0, 0)), Part(DATA, room=SECTOR), Part(STATUS, room=1))
    driver.kick(0)
    assert queue.used_idx == 1


@pytest.mark.parametrize(("props", "message"), [
    ({}, "drive property not set"),
    ({"drive": Drive("d")}, "Device needs media"),
    ({"drive": Drive("d", Medium()), "logical_block_size": 1000}, "doesn't take value 1000"),
    ({"drive": Drive("d", Medium()), "logical_block_size": 4096}, "logical_block_size > physical_block_size"),
    ({"drive": Drive("d", Medium()), "cyls": 2, "heads": 300, "secs": 63}, "heads must be between 1 and 255"),
    ({"drive": Drive("d", Medium()), "scsi": True}, "SCSI commands cannot be passed on"),
    ({"drive": Drive("d", Medium()), "vectors": 5000}, "cannot have 5000 MSI-X vectors"),
    ({"drive": Drive("d", Medium()), "disable_legacy": True}, "neither legacy nor modern"),
])  # fmt: skip
def test_what_cannot_be(props: dict[str, Any], message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        Ours(VirtioBlkPci(**props))
