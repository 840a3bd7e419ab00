"""Drives of devices that a board plugs in: ``-device ide-hd,drive=X``, where X may be a drive or a block node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyqemu.qom.property import LinkProperty

if TYPE_CHECKING:
    from pyqemu.block import Drive, DriveTable
    from pyqemu.qom import Device


def drives_of(device: Device) -> Iterator[Drive]:
    """The drives that are properties of *device*."""
    for prop in device.properties.values():
        if isinstance(prop, LinkProperty) and prop.kind == "drive":
            drive = getattr(device, prop.attribute)
            if drive is not None:
                yield drive


@contextmanager
def settled_drives(table: DriveTable, device: Device) -> Iterator[None]:
    """While *device* is plugged in. Then *table* knows its drives, also those that it made; if it could not be plugged
    in, a drive that was made for it gives its node back."""
    try:
        yield
    except BaseException:
        for drive in drives_of(device):
            if not drive.id and drive.attached_to is None:
                drive.close()
        raise
    for drive in drives_of(device):
        table.adopt(drive)
