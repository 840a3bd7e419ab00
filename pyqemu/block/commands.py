"""The QMP commands of drives and block nodes."""

from __future__ import annotations

from pyqemu.block import media, query
from pyqemu.block.blockdev import add_node, reopen_nodes
from pyqemu.block.drive import Drive
from pyqemu.block.drives import DriveTable
from pyqemu.block.media import block_errors
from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated import types as qapi
from pyqemu.system import System

# -- queries


@command("query-block")
def query_block(system: System) -> list[qapi.BlockInfo]:
    """All drives, with or without a medium."""
    return [query.block_info(drive) for drive in system.part(DriveTable)]


@command("query-named-block-nodes")
def query_named_block_nodes(system: System, *, flat: bool | None = None) -> list[qapi.BlockDeviceInfo]:
    """All nodes; those that the program named itself as well."""
    return [query.node_info(node, flat=bool(flat)) for node in system.part(DriveTable).graph]


@command("query-blockstats")
def query_blockstats(system: System, *, query_nodes: bool | None = None) -> list[qapi.BlockStats]:
    """What was read and written."""
    drives = system.part(DriveTable)
    if query_nodes:
        return [query.node_stats(node) for node in reversed(list(drives.graph))]  # the oldest first
    return [query.drive_stats(drive) for drive in drives]


@command("query-block-jobs")
def query_block_jobs(system: System) -> list[qapi.BlockJobInfo]:
    """There are no jobs yet."""
    return []


@command("query-jobs")
def query_jobs(system: System) -> list[qapi.JobInfo]:
    """There are no jobs yet."""
    return []


# -- media


@command("eject")
def eject(system: System, *, device: str | None = None, id: str | None = None, force: bool | None = None) -> None:
    """Take the medium out.

    :raise QapiError: DeviceNotFound; not removable; locked by the guest.
    """
    media.eject(media.find_drive(system.part(DriveTable), device, id), force=bool(force))


@command("blockdev-open-tray")
def blockdev_open_tray(
    system: System, *, device: str | None = None, id: str | None = None, force: bool | None = None
) -> None:
    """Open the tray, or ask the guest to open it."""
    media.open_tray(media.find_drive(system.part(DriveTable), device, id), force=bool(force))


@command("blockdev-close-tray")
def blockdev_close_tray(system: System, *, device: str | None = None, id: str | None = None) -> None:
    """Close the tray."""
    media.close_tray(media.find_drive(system.part(DriveTable), device, id))


@command("blockdev-remove-medium")
def blockdev_remove_medium(system: System, *, id: str) -> None:
    """Take the medium out of the open tray; the node stays if ``blockdev-add`` made it."""
    media.remove_medium(media.find_drive(system.part(DriveTable), None, id))


@command("x-blockdev-remove-medium")
def x_blockdev_remove_medium(system: System, *, device: str) -> None:
    """The same, by its old name."""
    media.remove_medium(media.find_drive(system.part(DriveTable), device, None))


@command("blockdev-insert-medium")
def blockdev_insert_medium(system: System, *, id: str, node_name: str) -> None:
    """Put a node into the open tray."""
    drives = system.part(DriveTable)
    _insert(drives, media.find_drive(drives, None, id), node_name)


@command("x-blockdev-insert-medium")
def x_blockdev_insert_medium(system: System, *, device: str, node_name: str) -> None:
    """The same, by its old name."""
    drives = system.part(DriveTable)
    _insert(drives, media.find_drive(drives, device, None), node_name)


def _insert(drives: DriveTable, drive: Drive, node_name: str) -> None:
    node = drives.graph.find(node_name)
    if node is None:
        raise QapiError(f"Node '{node_name}' not found")
    with block_errors():
        drives.graph.check_usable(node)
    media.insert(drives, drive, node)


@command("blockdev-change-medium")
def blockdev_change_medium(
    system: System, *, device: str | None = None, id: str | None = None, filename: str, format: str | None = None,
    force: bool | None = None, read_only_mode: qapi.BlockdevChangeReadOnlyMode | None = None,
) -> None:  # fmt: skip
    """Put in another image.

    :raise QapiError: DeviceNotFound; not removable; the image can't be opened, and then the present one stays.
    """
    drives = system.part(DriveTable)
    drive = media.find_drive(drives, device, id)
    modes = qapi.BlockdevChangeReadOnlyMode
    match read_only_mode or modes.RETAIN:
        case modes.READ_ONLY:
            read_only = True
        case modes.READ_WRITE:
            read_only = False
        case _:
            read_only = drive.prefers_read_only
    media.change_medium(drives, drive, filename, format, read_only=read_only, force=bool(force))


@command("change")
def change(system: System, *, device: str, target: str, arg: str | None = None) -> None:
    """``blockdev-change-medium`` by its oldest name; *arg* is the format."""
    if device == "vnc":
        raise QapiError("there is no VNC server")
    drives = system.part(DriveTable)
    drive = media.find_drive(drives, device, None)
    media.change_medium(drives, drive, target, arg, read_only=drive.prefers_read_only)


# -- nodes


@command("blockdev-add")
def blockdev_add(system: System, *, arguments: qapi.BlockdevOptions) -> None:
    """Make a node."""
    drives = system.part(DriveTable)
    with block_errors():
        add_node(drives.graph, arguments, drives.opener)


@command("blockdev-del")
def blockdev_del(system: System, *, node_name: str) -> None:
    """Delete a node that ``blockdev-add`` made."""
    with block_errors():
        system.part(DriveTable).graph.delete(node_name)


@command("x-blockdev-del")
def x_blockdev_del(system: System, *, id: str | None = None, node_name: str | None = None) -> None:
    """The same, by its old name."""
    if id is not None or node_name is None:
        raise QapiError("Parameter 'node-name' is missing")
    blockdev_del(system, node_name=node_name)


@command("blockdev-reopen")
def blockdev_reopen(system: System, *, options: list[qapi.BlockdevOptions]) -> None:
    """Change nodes between read-only and read-write, and their cache modes."""
    with block_errors():
        reopen_nodes(system.part(DriveTable).graph, options)


@command("block_resize")
def block_resize(system: System, *, device: str | None = None, node_name: str | None = None, size: int) -> None:
    """Change the length of an image; its device tells the guest's next IDENTIFY."""
    drives = system.part(DriveTable)
    drive = drives.find(device) if device is not None else None
    node = drives.graph.find(node_name) if drive is None and node_name is not None else None
    if drive is not None and drive.node is None:
        raise QapiError(f"Device '{device}' has no medium")
    node = node if drive is None else drive.node
    if node is None:
        raise QapiError(f"Cannot find device='{device or ''}' nor node-name='{node_name or ''}'")
    if size < 0:
        raise QapiError("Parameter 'size' expects a >0 size")
    if node.read_only:
        raise QapiError("Cannot resize a read-only image")
    with block_errors():
        node.resize(size)
    for other in drives:
        other.resized()


# -- transactions


@command("transaction")
def transaction(
    system: System, *, actions: list[qapi.TransactionAction], properties: qapi.TransactionProperties | None = None
) -> None:
    """Do all actions or none. There is but one action so far, which is to fail; the others need image formats and
    jobs.

    :raise QapiError: an action cannot be done; nothing was.
    """
    for action in actions:
        if not isinstance(action, qapi.TransactionAction_abort):
            raise QapiError(f"Action '{action.type.value}' is not supported by this build of pyqemu")
    if actions:
        raise QapiError("Transaction aborted using Abort action")
