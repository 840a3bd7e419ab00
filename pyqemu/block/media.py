"""Media of drives that can do without: trays opened and closed, media put in and taken out.

These are the steps of ``eject`` and ``blockdev-change-medium``, which are commands of their own as well. What goes
wrong is `QapiError` in QEMU's words. No medium leaves its drive before it is flushed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyqemu.block.drive import Drive
from pyqemu.block.drives import DriveTable
from pyqemu.block.errors import BlockError, BlockIOError
from pyqemu.block.formats import open_image
from pyqemu.block.node import BlockNode
from pyqemu.qapi.errors import ErrorClass, QapiError

__all__ = [
    "block_errors", "change_medium", "close_tray", "eject", "find_drive", "insert", "open_tray", "remove_medium",
]  # fmt: skip


@contextmanager
def block_errors() -> Iterator[None]:
    """What the block layer says, as errors of commands."""
    try:
        yield
    except BlockError as error:
        raise QapiError(error.message, hint=error.hint) from None
    except BlockIOError as error:
        raise QapiError(str(error)) from None


def find_drive(drives: DriveTable, device: str | None, id: str | None) -> Drive:
    """The drive of that name, or of the device of that id.

    :raise QapiError: both or none are given, or there is none (``DeviceNotFound``).
    """
    if (device is None) == (id is None):
        raise QapiError("Need exactly one of 'device' and 'id'")
    drive = drives.find(device) if device is not None else drives.find_by_device(str(id))
    if drive is None:
        raise QapiError(f"Device '{device if id is None else id}' not found", ErrorClass.DeviceNotFound)
    return drive


def _check_removable(drive: Drive) -> None:
    if not drive.removable:
        raise QapiError(f"Device '{drive.name}' is not removable")


def open_tray(drive: Drive, *, force: bool = False) -> bool:
    """Open the tray; if the guest has locked it, ask the guest, or with *force* break the lock.

    :return: whether it is open now (true where there is no tray)
    :raise QapiError: the medium cannot be removed at all.
    """
    _check_removable(drive)
    tray = drive.tray
    if tray is None or tray.is_open:
        return True
    locked = tray.locked
    if locked:
        tray.request(force=force)
    if locked and not force:
        return False
    drive.move_tray(True)
    return True


def _open_tray_now(drive: Drive, *, force: bool) -> None:
    if not open_tray(drive, force=force):
        raise QapiError(
            f"Device '{drive.name}' is locked and force was not specified, wait for tray to open and try again"
        )


def close_tray(drive: Drive) -> None:
    """Close the tray, if there is one."""
    _check_removable(drive)
    drive.move_tray(False)


def remove_medium(drive: Drive) -> None:
    """Flush the medium and take it out of the open tray.

    :raise QapiError: the tray is closed, or the medium could not be flushed, and then it stays.
    """
    _check_removable(drive)
    if drive.tray is not None and not drive.tray.is_open:
        raise QapiError(f"Tray of device '{drive.name}' is not open")
    if drive.node is None:
        return
    with block_errors():
        drive.flush()
        _put(drive, None)


def insert(drives: DriveTable, drive: Drive, node: BlockNode) -> None:
    """Put *node* into the open tray of an empty drive.

    :raise QapiError: the drive is not like that.
    """
    if not drive.removable:
        raise QapiError("Device is not removable")
    if drive.tray is not None and not drive.tray.is_open:
        raise QapiError("Tray of the device is not open")
    if drive.node is not None:
        raise QapiError("There already is a medium in the device")
    with block_errors():
        drives.graph.name_stack(node)
        _put(drive, node)


def _put(drive: Drive, node: BlockNode | None) -> None:
    """A device with a tray hears of the change when that is closed, others at once."""
    if drive.tray is not None:
        drive.exchange(node)
    else:
        drive.change(node)


def eject(drive: Drive, *, force: bool = False) -> None:
    """``eject``: open the tray and take the medium out."""
    _open_tray_now(drive, force=force)
    remove_medium(drive)


def change_medium(
    drives: DriveTable, drive: Drive, filename: str, format: str | None, *, read_only: bool, force: bool = False
) -> None:
    """``blockdev-change-medium``: another image instead of the present one. If it can't be opened, nothing happens."""
    _check_removable(drive)
    with block_errors():
        drive.flush()
        node = open_image(filename, format=format, read_only=read_only, active=drives.graph.active,
                          opener=drives.opener)  # fmt: skip
    try:
        _open_tray_now(drive, force=force)
        remove_medium(drive)
        insert(drives, drive, node)
    except BaseException:
        if drive.node is not node:
            node.close()
        raise
    close_tray(drive)
