"""Every virtio device looks to its driver as QEMU's does: configuration space, features, registers, answers."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import pytest

from pyqemu.block import Drive
from pyqemu.block.file import FileNode
from pyqemu.block.raw import RawNode
from pyqemu.hw.pci import PciDevice
from pyqemu.hw.virtio.balloon import VirtioBalloonPci
from pyqemu.hw.virtio.blk import VirtioBlkPci
from pyqemu.hw.virtio.console import VirtioSerialPci
from pyqemu.hw.virtio.net import VirtioNetPci
from pyqemu.hw.virtio.rng import VirtioRngPci
from tests.hw.virtio.virtio_rig import (
    BUFFERS,
    PORTS,
    LegacyDriver,
    ModernDriver,
    Ours,
    Part,
    Qemu,
    Side,
    eventually,
    needs_qemu,
)

pytestmark = needs_qemu

MODELS: dict[str, type[PciDevice]] = {
    "virtio-blk-pci": VirtioBlkPci, "virtio-net-pci": VirtioNetPci, "virtio-serial-pci": VirtioSerialPci,
    "virtio-rng-pci": VirtioRngPci, "virtio-balloon-pci": VirtioBalloonPci,
}  # fmt: skip
# With ioeventfd QEMU looks at all queues when the driver is ready, and a controller of ports interrupts it for nothing.
QEMU_OPTIONS = {"virtio-net-pci": ",romfile=", "virtio-serial-pci": ",ioeventfd=off"}
MODES = {"legacy": {}, "transitional": {"disable_modern": False},
         "modern": {"disable_modern": False, "disable_legacy": True}}  # fmt: skip


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(random.Random(1).randbytes(1 << 20))
    return path


def drive(path: Path) -> Drive:
    return Drive("disk", RawNode(FileNode(str(path), read_only=False)), serial="S123")


def ours(model: str, image: Path, **props: Any) -> Ours:
    if model == "virtio-blk-pci":
        copy = image.with_suffix(".ours")
        copy.write_bytes(image.read_bytes())
        props["drive"] = drive(copy)
    return Ours(MODELS[model](**props))


def theirs(model: str, image: Path, **props: bool) -> Qemu:
    switches = "".join(f",{name.replace('_', '-')}={'on' if value else 'off'}" for name, value in props.items())
    options = QEMU_OPTIONS.get(model, "") + switches
    before = []
    if model == "virtio-blk-pci":
        before = ["-drive", f"if=none,id=disk,file={image},format=raw,file.locking=off"]
        options += ",drive=disk,serial=S123"
    return Qemu(model + options, *before)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", MODELS)
def test_configuration_space_and_features(model: str, mode: str, image: Path) -> None:
    """The 256 bytes, which of their bits can be written, and what the device offers."""
    mine = ours(model, image, **MODES[mode])
    with theirs(model, image, **MODES[mode]) as qemu:
        assert _described(mine, mode) == _described(qemu, mode)


def _described(side: Side, mode: str) -> dict[str, Any]:
    found: dict[str, Any] = {f"config {at:#x}": side.config(at, 4) for at in range(0, 256, 4)}
    drivers = []
    if mode != "modern":
        drivers.append(LegacyDriver(side))
    if mode != "legacy":
        drivers.append(ModernDriver(side))
    for driver in drivers:
        name = type(driver).__name__
        found[f"{name} features"] = hex(driver.features)
        found[f"{name} config"] = [driver.read_config(at, 1) for at in range(8)]
    if mode != "legacy":
        common = ModernDriver.COMMON
        found["common"] = [side.load(common + at, 1) for at in (*range(0x38),)]
    found["masks"] = _masks(side)
    return found


def _masks(side: Side) -> list[int]:
    """What is left of ones, everywhere but in the command register."""
    masks = []
    for at in range(8, 256, 4):
        before = side.config(at, 4)
        side.set_config(at, 4, 0xFFFF_FFFF)
        masks.append(side.config(at, 4))
        side.set_config(at, 4, before)
    return masks


@pytest.mark.parametrize("model", MODELS)
def test_legacy_registers(model: str, image: Path, rng: random.Random, request: pytest.FixtureRequest) -> None:
    """Random accesses that start nothing: nothing is available in the queues."""
    steps = 3000 if request.config.getoption("--full") else 300
    mine = ours(model, image)
    with theirs(model, image) as qemu:
        for number in range(steps):
            offset, size = rng.choice([(0, 4), (4, 4), (8, 4), (12, 2), (14, 2), (18, 1), (19, 1), (20, 1), (22, 2)])
            if rng.random() < 0.5:
                assert mine.port(PORTS + offset, size) == qemu.port(PORTS + offset, size), (number, offset)
                continue
            value = rng.choice([0, 1, 2, 3, 7, rng.getrandbits(8 * size)])
            if offset == 8:
                value = rng.choice([0, 0x100, 0x200])
            if offset == 18:
                value = rng.choice([0, 1, 3, 3, 7])
            if offset in (4, 14, 8, 18):
                for side in (mine, qemu):
                    side.set_port(PORTS + offset, size, value)


@pytest.mark.parametrize("model", MODELS)
def test_common_configuration(model: str, image: Path, rng: random.Random, request: pytest.FixtureRequest) -> None:
    """Random accesses to the registers of version 1.0."""
    steps = 3000 if request.config.getoption("--full") else 300
    mine = ours(model, image, disable_modern=False)
    registers = ((0, 4), (4, 4), (8, 4), (12, 4), (16, 2), (18, 2), (20, 1), (21, 1), (22, 2), (24, 2), (26, 2),
                 (28, 2), (30, 2), (32, 4), (36, 4), (40, 4), (44, 4), (48, 4), (52, 4))  # fmt: skip
    with theirs(model, image, disable_modern=False) as qemu:
        base, selected = ModernDriver.COMMON, 0
        for number in range(steps):
            offset, size = rng.choice(registers)
            if offset == 26 and selected >= mine.load(base + 18, 2):
                continue  # QEMU has a vector for each queue that there could be
            if rng.random() < 0.5:
                assert mine.load(base + offset, size) == qemu.load(base + offset, size), (number, offset)
                continue
            value = rng.choice([0, 1, 2, 3, rng.getrandbits(8 * size)])
            match offset:
                case 0 | 8:
                    value = rng.choice([0, 1, 2])
                case 20:
                    value = rng.choice([0, 1, 3, 3, 11])
                case 22:
                    value = selected = rng.choice([0, 1, 2, 3, 70])
                case 24:
                    value = rng.choice([8, 64, 128])
                case 28:
                    value = 1
                case 32 | 40 | 48:
                    value = rng.choice([0x10_0000, 0x10_2000])
                case 36 | 44 | 52:
                    value = 0
            for side in (mine, qemu):
                side.store(base + offset, size, value)


# -- a disk's requests

SECTOR = 512


def request(kind: int, sector: int, *middle: Part) -> list[Part]:
    """Header, data and status."""
    header = Part(BUFFERS, struct.pack("<IIQ", kind, 0, sector))
    return [header, *middle, Part(BUFFERS + 0xF_0000, room=1)]


DATA = BUFFERS + 0x1000
REQUESTS = {
    "read": request(0, 3, Part(DATA, room=1024)),
    "read in pieces": request(0, 5, Part(DATA, room=100), Part(DATA + 0x1000, room=412), Part(DATA + 0x2000, room=512)),
    "read past the end": request(0, 2047, Part(DATA, room=1024)),
    "read far past the end": request(0, 1 << 60, Part(DATA, room=512)),
    "read half a sector": request(0, 3, Part(DATA, room=256)),
    "read nothing": request(0, 3),
    "write": request(1, 7, Part(DATA, b"abcd" * 128)),
    "write half a sector": request(1, 7, Part(DATA, b"abcd" * 64)),
    "flush": request(4, 0),
    "id": request(8, 0, Part(DATA, room=20)),
    "short id": request(8, 0, Part(DATA, room=3)),
    "scsi": request(2, 0),
    "whole scsi": [
        Part(BUFFERS, struct.pack("<IIQ", 2, 0, 0)),
        Part(BUFFERS + 64, b"\x12" * 6),
        Part(DATA, room=96),
        Part(DATA + 0x200, room=16),
        Part(BUFFERS + 0xF_0000, room=1),
    ],
    "unknown": request(77, 0, Part(DATA, room=512)),
    "barrier": request(0x8000_0001, 9, Part(DATA, b"efgh" * 128)),
}


@pytest.mark.parametrize("modern", [False, True])
def test_disk_requests(modern: bool, image: Path) -> None:
    """Statuses, lengths, data and interrupts."""
    mine = ours("virtio-blk-pci", image, disable_modern=not modern)
    with theirs("virtio-blk-pci", image, disable_modern=not modern) as qemu:
        kind = ModernDriver if modern else LegacyDriver
        for indirect in (0, BUFFERS + 0xE_0000):
            for name, parts in REQUESTS.items():
                answers = [_answer(kind(side), parts, indirect) for side in (mine, qemu)]
                assert answers[0] == answers[1], (name, indirect)


def _answer(driver: LegacyDriver | ModernDriver, parts: list[Part], indirect: int) -> Any:
    (queue,) = driver.start(~0, 0)
    driver.isr()
    for part in parts:
        driver.side.poke(part.address, bytes(part.room))
    queue.put(*parts, indirect=indirect)
    driver.kick(0)
    eventually(driver.side, lambda: queue.used_idx > 0)
    contents = [driver.side.peek(part.address, part.room) for part in parts if part.room]
    return queue.used_entries, contents, driver.isr(), driver.status


# -- what drivers may not do


def _chain_without_header(queue: Any) -> None:
    queue.put(Part(BUFFERS, b"12345"), Part(BUFFERS + 0x100, room=1))


def _only_writable(queue: Any) -> None:
    queue.put(Part(BUFFERS, room=600))


def _loop(queue: Any) -> None:
    queue.write_descriptor(0, BUFFERS, 16, 1, 1)
    queue.write_descriptor(1, BUFFERS, 16, 1, 0)
    queue.publish(0)


def _next_outside(queue: Any) -> None:
    queue.write_descriptor(0, BUFFERS, 16, 1, 5000)
    queue.publish(0)


def _head_outside(queue: Any) -> None:
    queue.publish(128)


def _jump(queue: Any) -> None:
    queue.put_idx = 1000
    queue.publish(0)


def _empty_buffer(queue: Any) -> None:
    queue.write_descriptor(0, BUFFERS, 0, 0)
    queue.publish(0)


def _wrong_order(queue: Any) -> None:
    queue.write_descriptor(0, BUFFERS, 16, 3, 1)
    queue.write_descriptor(1, BUFFERS, 16, 0, 0)
    queue.publish(0)


def _odd_indirect(queue: Any) -> None:
    queue.write_descriptor(0, BUFFERS, 17, 4)
    queue.publish(0)


def _nowhere(queue: Any) -> None:
    queue.write_descriptor(0, 0x7000_0000_0000, 512, 0)
    queue.publish(0)


@pytest.mark.parametrize("sin", [_chain_without_header, _only_writable, _loop, _next_outside, _head_outside, _jump,
                                 _empty_buffer, _wrong_order, _odd_indirect, _nowhere])  # fmt: skip
def test_a_broken_driver_is_told(sin: Any, image: Path) -> None:
    """The device stops and says so; a reset brings it back."""
    mine = ours("virtio-blk-pci", image, disable_modern=False)
    with theirs("virtio-blk-pci", image, disable_modern=False) as qemu:
        answers = []
        for side in (mine, qemu):
            driver = ModernDriver(side)
            (queue,) = driver.start(~0, 0)
            sin(queue)
            driver.kick(0)
            eventually(side, lambda driver=driver: driver.status & 0x40)
            broken = driver.status, driver.isr(), queue.used_idx
            answers.append((broken, _answer(driver, REQUESTS["read"], 0)))
        assert answers[0] == answers[1]
        assert answers[0][0][0] & 0x40
