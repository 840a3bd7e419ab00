"""The window of ``virtio-mmio``, both versions, compared with that of QEMU's machine ``microvm``."""

from __future__ import annotations

import random

import pytest

from pyqemu.hw.virtio.balloon import VirtioBalloon
from pyqemu.hw.virtio.device import VirtioDevice
from pyqemu.hw.virtio.mmio import VirtioMmio
from pyqemu.hw.virtio.net import VirtioNet
from pyqemu.hw.virtio.rng import VirtioRng
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import DeviceError
from pyqemu.system import FakeClock, System
from tests.hw.virtio.virtio_rig import Echo, Part, Qemu, Queue, Window, needs_qemu

MODELS: dict[str, type[VirtioDevice]] = {
    "virtio-net-device": VirtioNet, "virtio-rng-device": VirtioRng, "virtio-balloon-device": VirtioBalloon,
}  # fmt: skip
# what that machine has and ours did not have in 2016
WITHOUT = {
    "virtio-net-device": ",queue_reset=off", "virtio-rng-device": ",queue_reset=off",
    "virtio-balloon-device": ",queue_reset=off,page-poison=off",
}  # fmt: skip
MICROVM = 0xFEB0_0000  # its first window; devices go into the last free one
SLOTS, SLOT_SIZE = 8, 0x200
READ = (0x00, 0x04, 0x08, 0x0C, 0x10, 0x34, 0x40, 0x44, 0x60, 0x70, 0xFC, 0x100, 0x104, 0x24, 0x80, 0x1C)
WRITTEN = (0x14, 0x20, 0x24, 0x28, 0x30, 0x38, 0x3C, 0x40, 0x44, 0x64, 0x70, 0x80, 0x84, 0x90, 0x94, 0xA0, 0xA4)


def value_for(rng: random.Random, offset: int, legacy: bool) -> int:
    """Something that a driver might write there, and that starts nothing."""
    match offset:
        case 0x14 | 0x24:
            return rng.choice([0, 1])
        case 0x30:
            return rng.choice([0, 1, 2, 3, 900])
        case 0x38:
            return rng.choice([0, 8, 64, 128, 1024])
        case 0x3C:
            return rng.choice([64, 4096])
        case 0x28:
            return rng.choice([4096, 8192])
        case 0x40:
            return rng.choice([0, 1, 2])
        case 0x44:
            return rng.choice([0, 1])
        case 0x70:
            return rng.choice([0, 1, 3, 3] if legacy else [0, 1, 3, 11])
        case 0x80 | 0x90 | 0xA0:
            return rng.choice([0x1_0000, 0x1_4000])
        case 0x84 | 0x94 | 0xA4:
            return 0
    return rng.getrandbits(32) & ~(1 << 30)


@needs_qemu
@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("model", MODELS)
def test_registers(model: str, legacy: bool, rng: random.Random, request: pytest.FixtureRequest) -> None:
    steps = 3000 if request.config.getoption("--full") else 300
    window = Window(MODELS[model](), legacy=legacy)
    options = ["-global", f"virtio-mmio.force-legacy={'on' if legacy else 'off'}", "-device", model + WITHOUT[model]]
    with Qemu("", *options, machine="microvm,x-option-roms=off,pit=off,pic=off,rtc=off") as qemu:
        base = next(
            address for address in range(MICROVM, MICROVM + 64 * SLOT_SIZE, SLOT_SIZE) if qemu.load(address + 8, 4)
        )
        for number in range(steps):
            if rng.random() < 0.5:
                offset = rng.choice(READ)
                assert window.read(offset) == qemu.load(base + offset, 4), (number, hex(offset))
                continue
            offset = rng.choice(WRITTEN)
            value = value_for(rng, offset, legacy)
            window.write(offset, value)
            qemu.store(base + offset, 4, value)


def test_an_empty_window() -> None:
    system = System(clock=FakeClock())
    mmio = VirtioMmio(system, AddressSpace("memory", MemoryRegion.container("memory")))
    mmio.write(0x70, 4, 1)
    assert [mmio.read(offset, 4) for offset in (0, 4, 8, 0xC, 0x10, 0x70, 0x100)] == [
        0x74726976, 1, 0, 0x554D4551, 0, 0, 0,
    ]  # fmt: skip


def test_a_window_has_room_for_one() -> None:
    window = Window()
    bus = window.mmio.virtio_bus
    assert bus is not None
    with pytest.raises(DeviceError, match=r"Bus 'virtio-mmio-bus\.0' is full"):
        bus.plug(Echo())


def test_registers_are_words() -> None:
    window = Window()
    assert window.mmio.read(0, 2) == 0
    window.mmio.write(0x70, 1, 1)
    assert window.read(0x70) == 0


def test_the_line_follows_the_status() -> None:
    window = Window()
    window.write(0x28, 4096)
    queue = Queue(window, 0x1000, 8)  # type: ignore[arg-type]
    window.write(0x40, 1)
    window.write(0x70, 7)
    queue.put(Part(0x8000, b"x"))
    window.write(0x50, 0)
    assert (window.mmio.irq.level, window.read(0x60)) == (True, 1)
    window.device.notify_config()
    assert window.read(0x60) == 3
    window.write(0x64, 1)
    assert window.mmio.irq.level
    window.write(0x64, 2)
    assert not window.mmio.irq.level


def test_configuration_in_any_size() -> None:
    window = Window()
    window.mmio.write(0x102, 2, 0xABCD)
    device = window.device
    assert isinstance(device, Echo)
    assert device.written == bytes.fromhex("0000cdab00000000")
    assert (window.mmio.read(0x102, 1), window.mmio.read(0x100, 4)) == (0xCD, 0xABCD0000)
    assert window.mmio.read(0x108, 4) == 0xFFFF_FFFF  # behind its end
