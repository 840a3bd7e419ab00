"""virtio devices on a pc: by which options they come, where they are, how they go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.pc_boot import boot_order
from pyqemu.cli.defaults import parse_command_line
from pyqemu.hw.virtio.balloon import VirtioBalloonPci
from pyqemu.hw.virtio.blk import VirtioBlkPci
from pyqemu.hw.virtio.net import VirtioNetPci
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.qom import Container, DeviceError
from pyqemu.util.errors import UserError

EJECT = 0xAE08  # of the ACPI hot-plug registers: a bit for each slot


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(1 << 20))
    return path


def machine(*options: str) -> Machine:
    """A stopped machine of that command line."""
    line = ["-M", "pc", "-m", "8", "-vga", "none", "-nodefaults", "-display", "none", *options]
    return Machine(parse_command_line("pyqemu", line, interactive=False).config, say=lambda text: None)


def devices(made: Machine) -> list[Any]:
    board: Any = made.board
    return list(board.user_devices)


def test_a_drive_of_this_interface_brings_its_disk(image: Path) -> None:
    with machine("-drive", f"if=virtio,file={image},format=raw,addr=7,serial=S1") as made:
        (disk,) = devices(made)
        assert isinstance(disk, VirtioBlkPci)
        assert disk.devfn == 7 << 3
        assert disk.drive.id == "virtio0"
        assert disk.drive.device_name == "/machine/peripheral-anon/device[0]/virtio-backend"
        assert "0000:00:07.0/virtio-blk" in [state.idstr for state in made.system.part(SavedMachine).states]


def test_options_that_stand_for_devices() -> None:
    with machine("-balloon", "virtio,addr=9", "-net", "nic,model=virtio") as made:
        (balloon,) = devices(made)
        assert isinstance(balloon, VirtioBalloonPci)
        assert balloon.devfn == 9 << 3
        board: Any = made.board
        assert [type(card) for card in board.cards] == [VirtioNetPci]


def test_the_tree(image: Path) -> None:
    """The proxy has the device and its bus below it, with QEMU's names; both have the device's properties."""
    with machine(
        "-drive", f"if=none,id=d,file={image},format=raw", "-device", "virtio-blk-pci,drive=d,serial=S2,id=disk",
        "-device", "virtio-serial-pci,id=ctl", "-chardev", "null,id=c", "-device", "virtconsole,chardev=c",
        "-device", "virtserialport,id=port,name=foo,bus=ctl.0",
    ) as made:  # fmt: skip
        root = made.system.part(Container)
        disk, backend = root.resolve("machine/peripheral/disk"), root.resolve("machine/peripheral/disk/virtio-backend")
        assert backend is not None
        assert backend.type_name == "virtio-blk-device"
        for node in (disk, backend):
            values = {slot.name: slot.get() for slot in node.qom_slots()}  # type: ignore[union-attr]
            assert values["serial"] == "S2"
        assert root.resolve("machine/peripheral/disk/virtio-bus") is not None
        assert root.resolve("machine/peripheral/ctl/virtio-backend/ctl.0") is not None
        port: Any = root.resolve("machine/peripheral/port")
        assert (port.nr, port.bus.name) == (1, "ctl.0")


def test_defaults_reach_the_device_behind_the_proxy(image: Path) -> None:
    drive = ["-drive", f"if=virtio,file={image},format=raw"]
    with machine(*drive, "-global", "virtio-blk-pci.serial=A", "-global", "virtio-blk-device.config-wce=off") as made:
        (disk,) = devices(made)
        assert (disk.backend.serial, disk.backend.config_wce) == ("A", False)
    with machine("-drive", f"if=none,id=d,file={image},format=raw", "-device", "virtio-blk-pci,drive=d,serial=B",
                 "-global", "virtio-blk-pci.serial=A") as made:  # fmt: skip
        assert devices(made)[0].backend.serial == "B"


def test_boot_indices(image: Path) -> None:
    disk = ["-drive", f"if=none,id=d,file={image},format=raw", "-device", "virtio-blk-pci,drive=d,addr=5,bootindex=2"]
    with machine(*disk, "-device", "virtio-net-pci,addr=6.0,bootindex=1") as made:
        board: Any = made.board
        assert boot_order(board) == ["/pci@i0cf8/ethernet@6/ethernet-phy@0", "/pci@i0cf8/scsi@5/disk@0,0"]


def test_disks_and_ports_come_and_go(image: Path) -> None:
    drive = ["-drive", f"if=none,id=d,file={image},format=raw"]
    with machine(*drive, "-device", "virtio-serial-pci,id=ctl") as made, made.system.lock:
        events: list[tuple[str, Any]] = []
        made.system.event_sinks.append(lambda name, data: events.append((name, data)))
        board: Any = made.board
        disk = board.add_device({"driver": "virtio-blk-pci", "drive": "d", "id": "new"}, hotplug=True)
        port = board.add_device({"driver": "virtserialport", "id": "port", "name": "p"}, hotplug=True)
        saved = made.system.part(SavedMachine)
        assert not saved.unsaved
        assert any(state.device is disk for state in saved.states)
        board.request_unplug(port)
        board.request_unplug(disk)
        board.io_space.store(EJECT, 4, 1 << (disk.devfn >> 3))
        assert [name for name, _ in events] == ["DEVICE_DELETED", "DEVICE_DELETED"]
        assert [data["path"] for _, data in events] == ["/machine/peripheral/port", "/machine/peripheral/new"]
        assert not any(state.device is disk for state in saved.states)
        assert disk.drive.attached_to is None


@pytest.mark.parametrize(("options", "message"), [
    (["-device", "virtserialport"], "No 'virtio-serial-bus' bus found for device 'virtserialport'"),
    (["-device", "virtio-serial-pci", "-device", "virtconsole,bus=nowhere"], "Bus 'nowhere' not found"),
    (["-device", "virtio-serial-pci", "-device", "virtconsole,bus=pci.0"], "Device 'virtconsole' can't go on PCI bus"),
    (["-device", "virtio-rng-device"], "No 'virtio-bus' bus found for device 'virtio-rng-device'"),
    (["-device", "virtio-rng-pci,rng=none"], r"Property 'virtio-rng-pci\.rng' can't find value 'none'"),
    (["-device", "virtio-blk-pci"], "drive property not set"),
    (["-device", "virtio-balloon-pci", "-balloon", "virtio"], "Only one balloon device is supported"),
    (["-device", "virtio-rng-pci,disable-legacy=on"], "neither legacy nor modern"),
])  # fmt: skip
def test_what_cannot_be(options: list[str], message: str) -> None:
    with pytest.raises((UserError, DeviceError), match=message):
        machine(*options).close()


def test_a_balloon_of_another_kind() -> None:
    with pytest.raises(UserError, match="there is no such memory balloon"):
        parse_command_line("pyqemu", ["-balloon", "hot-air"], interactive=False)
