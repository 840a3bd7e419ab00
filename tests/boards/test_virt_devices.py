"""What can be plugged into ``-M virt``: PCI devices, network cards, drives in flash; and messages as interrupts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyqemu.api.machine import Machine
from pyqemu.block.drives import DriveOptions
from pyqemu.boards.config import MachineConfig, NicConfig
from pyqemu.util.errors import UserError
from pyqemu.util.units import MIB
from tests.migration.state.saved_rig import Decoder, load, machine, save
from tests.monitor.commands.asker import Asker

BANK = 64 * MIB
V2M, DISTRIBUTOR = 0x0802_0000, 0x0800_0000
FIRST, COUNT = 80, 64  #: of the interrupts that messages make, as QEMU's kernel line has them: SPI[80:143]
ECAM = 0x3F00_0000
STATUS, HAS_CAPABILITIES = 6, 0x10
VIRTIO_NET, VIRTIO_BLK, E1000 = 0x1000_1AF4, 0x1001_1AF4, 0x100E_8086


def settings(directory: Path, **changes: Any) -> MachineConfig:
    """A machine with firmware that does nothing."""
    firmware = directory / "nops"
    firmware.write_bytes(b"\x00\xf0\x20\xe3" * 64)
    values = {"architecture": "arm", "bios": str(firmware), "memory": 16 * MIB, "defaults": False, "vga": "none"}
    return MachineConfig(machine="virt", paused=True, **{**values, **changes})


def space(made: Machine) -> Any:
    return made.board.memory_space  # type: ignore[attr-defined]


def identities(made: Machine) -> list[int]:
    """Vendors and devices of the functions 0 on the first bus, by slots."""
    found = [space(made).load(ECAM + (slot << 15), 4) for slot in range(32)]
    return [each for each in found if each != 0xFFFF_FFFF]


def test_pci_devices_are_plugged_in_by_their_bus(tmp_path: Path) -> None:
    devices = [{"driver": "e1000", "addr": "5", "id": "card"}, {"driver": "virtio-rng-pci", "bus": "pcie.0"},
               {"driver": "virtio-rng-device"}]  # fmt: skip
    with Machine(settings(tmp_path, devices=devices), say=lambda text: None) as made:
        assert space(made).load(ECAM + (5 << 15), 4) == E1000
        assert 0x1005_1AF4 in identities(made)
        shown = Asker(made)("human-monitor-command", command_line="info qtree")
        assert "dev: e1000" in shown
        assert "dev: virtio-rng-pci" in shown


@pytest.mark.parametrize(("gic_version", "has_list"), [("2", True), ("3", False)])
def test_cards_offer_messages_only_where_somebody_takes_them(tmp_path: Path, gic_version: str, has_list: bool) -> None:
    """A GICv2m does. MSI-X is the only capability that a card of QEMU 2.6 has."""
    options = {"architecture": "aarch64", "machine_options": {"gic-version": gic_version}}
    devices = [{"driver": "virtio-net-pci", "addr": "5"}]
    with Machine(settings(tmp_path, devices=devices, **options), say=lambda text: None) as made:
        status = space(made).load(ECAM + (5 << 15) + STATUS, 2)
    assert bool(status & HAS_CAPABILITIES) == has_list


@pytest.mark.parametrize(
    ("device", "complaint"),
    [
        ({"driver": "virtio-rng-device", "addr": "4"}, "Property 'virtio-rng-device.addr' not found"),
        ({"driver": "e1000", "bus": "pci.0"}, "Bus 'pci.0' not found"),
        ({"driver": "e1000", "bus": "virtio-mmio-bus.0"}, "Device 'e1000' can't go on virtio-mmio-bus bus"),
        ({"driver": "virtio-rng-device", "bus": "virtio-mmio-bus.32"}, "Bus 'virtio-mmio-bus.32' not found"),
        ({"driver": "isa-serial"}, "No 'ISA' bus found for device 'isa-serial'"),
    ],
)
def test_what_has_no_place_is_refused(tmp_path: Path, device: dict[str, str], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Machine(settings(tmp_path, devices=[device]), say=lambda text: None)


@pytest.mark.parametrize(
    ("nics", "defaults", "expected"),
    [
        (None, True, [VIRTIO_NET]),
        (None, False, []),
        ([], True, []),
        ([NicConfig(model="e1000"), NicConfig()], True, [E1000, VIRTIO_NET]),
    ],
)
def test_network_cards_are_virtio_over_pci(
    tmp_path: Path, nics: list[NicConfig] | None, defaults: bool, expected: list[int]
) -> None:
    """As in QEMU; who says nothing about networks gets one."""
    with Machine(settings(tmp_path, nics=nics, defaults=defaults), say=lambda text: None) as made:
        assert identities(made)[1:] == expected


def test_flash_has_the_contents_of_drives_and_keeps_what_is_written(tmp_path: Path) -> None:
    """Firmware in the first bank, its variables in the second."""
    images = [tmp_path / "code", tmp_path / "variables"]
    for image, text in zip(images, (b"code", b"variables"), strict=True):
        image.write_bytes(text.ljust(BANK, b"\xff"))
    drives = [
        DriveOptions(str(images[0]), "raw", "pflash", read_only=True),
        DriveOptions(str(images[1]), "raw", "pflash"),
    ]
    with Machine(settings(tmp_path, bios="", drives=drives), say=lambda text: None) as made:
        memory = space(made)
        assert (memory.read(0, 4), memory.read(BANK, 9)) == (b"code", b"variables")
        for data in (b"\x40\0\x40\0", b"new\xff", b"\xff\0\xff\0"):
            memory.write(BANK + 0x100, data)
        assert memory.read(BANK + 0x100, 4) == b"new\xff"
    assert images[1].read_bytes()[0x100:0x104] == b"new\xff"


def test_firmware_is_in_the_flash_once(tmp_path: Path) -> None:
    image = tmp_path / "code"
    image.write_bytes(bytes(BANK))
    drives = [DriveOptions(str(image), "raw", "pflash")]
    with pytest.raises(UserError, match="the flash has a drive already"):
        Machine(settings(tmp_path, drives=drives), say=lambda text: None)


@pytest.mark.parametrize("number", [0, 17, 63])
def test_a_message_is_an_interrupt(tmp_path: Path, number: int) -> None:
    """Of those that the frame tells of; the controller remembers the edge."""
    with Machine(settings(tmp_path), say=lambda text: None) as made:
        memory = space(made)
        assert memory.load(V2M + 8, 4) == FIRST << 16 | COUNT
        interrupt = FIRST + number
        memory.store(DISTRIBUTOR + 0xC00 + interrupt // 16 * 4, 4, 2 << interrupt % 16 * 2)
        memory.store(V2M + 0x40, 4, interrupt)
        assert memory.load(DISTRIBUTOR + 0x200 + interrupt // 32 * 4, 4) == 1 << interrupt % 32


def test_cards_and_devices_are_saved(tmp_path: Path) -> None:
    devices = [{"driver": "e1000", "addr": "7"}, {"driver": "virtio-rng-device"}, {"driver": "virtio-rng-pci"}]
    config = settings(tmp_path, devices=devices, nics=[NicConfig()])
    with machine(config) as made:
        space(made).store(ECAM + (7 << 15) + 0x10, 4, 0x1000_0000)
        stream, _ = save(made)
    names = [name for kind, name, *_ in Decoder(stream).decode().sections if kind in (1, 4)]
    assert names[names.index("PCIBUS") + 1] == "0000:00:01.0/virtio-net"
    assert {"0000:00:07.0/e1000", "virtio-rng", "0000:00:02.0/virtio-rng"} <= set(names)
    with machine(config) as made:
        load(made, stream)
        assert space(made).load(ECAM + (7 << 15) + 0x10, 4) == 0x1000_0000


def test_the_window_beyond_32_bits_can_be_left_out(tmp_path: Path) -> None:
    for highmem, expected in (("on", True), ("off", False)):
        options = {"highmem": highmem}
        with Machine(settings(tmp_path, machine_options=options), say=lambda text: None) as made:
            shown = Asker(made)("human-monitor-command", command_line="info mtree")
            assert ("pcie-mmio-high" in shown) is expected
