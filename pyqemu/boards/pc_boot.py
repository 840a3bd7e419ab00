"""Which disks a pc's firmware sees, and in which order it tries them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyqemu.boards.pc_network import all_cards
from pyqemu.hw.ide.devices import IdeDevice
from pyqemu.hw.pci.device import PciDevice
from pyqemu.qom import DeviceError

if TYPE_CHECKING:
    from pyqemu.block import Drive
    from pyqemu.boards.pc import Pc

IDE_PATH = "/pci@i0cf8/ide@1,1"
FLOPPY_PATH = "/pci@i0cf8/isa@1/fdc@03f0/floppy"
HALT = "HALT"  # the last line: what is not listed is not tried


def ide_devices(pc: Pc) -> Iterator[IdeDevice]:
    """The drives on the IDE channels, whichever option made them, in the order of their connectors."""
    for channel in pc.ide.ide_buses:
        devices = [device for device in channel.children if isinstance(device, IdeDevice)]
        yield from sorted(devices, key=lambda device: device.unit)


def virtio_disks(pc: Pc) -> list[Any]:
    """Hard disks behind virtio. (Their module is not loaded where there are none.)"""
    return [disk for disk in pc.user_devices if disk.type_name == "virtio-blk-pci"]


def ide_drives(pc: Pc) -> tuple[list[Drive], list[Drive]]:
    """Hard disks, those behind virtio after the others, and CD-ROM drives."""
    devices = list(ide_devices(pc))
    virtio = virtio_disks(pc)
    for disk in virtio:
        disk.backend.drive.firmware_path = f"/scsi@{_place(disk)}/disk@0,0"
    return ([device.drive for device in devices if not device.is_cdrom()] + [disk.backend.drive for disk in virtio],
            [device.drive for device in devices if device.is_cdrom()])  # fmt: skip


def ide_disk(pc: Pc, channel: int, unit: int) -> Drive | None:
    """The hard disk at a place; None if there is none."""
    for device in ide_devices(pc):
        if (device.bus.number, device.unit) == (channel, unit) and not device.is_cdrom():
            drive: Drive = device.drive
            return drive
    return None


def boot_order(pc: Pc) -> list[str]:
    """The lines of fw_cfg's ``bootorder``: devices with a ``bootindex``, the lowest first, by their OpenFirmware-like
    paths.

    :raise DeviceError: two devices have the same index.
    """
    found: dict[int, str] = {}
    for index, path in _indices(pc):
        if index in found:
            raise DeviceError(f"The bootindex {index} has already been used")
        if index >= 0:
            found[index] = path
    lines = [found[index] for index in sorted(found)]
    return [*lines, HALT] if lines and pc.config.boot.strict else lines  # without any index, QEMU is not strict either


def _place(device: PciDevice) -> str:
    """Slot and, if it is not 0, function."""
    return f"{device.devfn >> 3:x}" + (f",{device.devfn & 7:x}" if device.devfn & 7 else "")


def _indices(pc: Pc) -> Iterator[tuple[int, str]]:
    for device in ide_devices(pc):
        yield device.bootindex, IDE_PATH + device.drive.firmware_path
    for card in all_cards(pc):
        yield getattr(card, "backend", card).bootindex, f"/pci@i0cf8/ethernet@{_place(card)}/ethernet-phy@0"
    for disk in virtio_disks(pc):
        yield disk.backend.bootindex, f"/pci@i0cf8/scsi@{_place(disk)}/disk@0,0"
    if pc.fdc is not None:
        yield pc.fdc.bootindex_a, f"{FLOPPY_PATH}@0"
        yield pc.fdc.bootindex_b, f"{FLOPPY_PATH}@1"
