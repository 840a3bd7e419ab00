"""Drives: ``eject``, ``change``, ``block_resize``, ``drive_add``, ``drive_del``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.block import DriveOptions, DriveTable, commands
from pyqemu.block.blockdev import add_node, options_from_tree
from pyqemu.block.drive import ErrorPolicy
from pyqemu.block.drives import INTERFACES
from pyqemu.block.media import block_errors
from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.qapi.generated.types import BlockdevChangeReadOnlyMode
from pyqemu.util.options import parse_options

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


# --- media ------------------------------------------------------------------------------------------------------------


@hmp_command("eject", "force:-f,device:B", "take the medium out (-f: even if the guest has locked it)")
def eject(hmp: Hmp, *, force: bool, device: str) -> None:
    hmp.call(commands.eject, device=device, force=force)


def _complete_mode(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [mode.value for mode in BlockdevChangeReadOnlyMode]


@hmp_command("change", "device:B,target:F,arg:s?,read-only-mode:s?", "put in another medium",
             parameters="device filename [format [read-only-mode]]",
             completers={"read-only-mode": _complete_mode})  # fmt: skip
def change(hmp: Hmp, *, device: str, target: str, arg: str | None = None, read_only_mode: str | None = None) -> None:
    if device == "vnc":
        hmp.call(commands.change, device=device, target=target, arg=arg)
        return
    try:
        mode = None if read_only_mode is None else BlockdevChangeReadOnlyMode(read_only_mode)
    except ValueError:
        raise QapiError(f"invalid parameter value: {read_only_mode}") from None
    hmp.call(commands.blockdev_change_medium, device=device, filename=target, format=arg, read_only_mode=mode)


@hmp_command("block_resize", "device:B,size:o", "change the length of an image")
def block_resize(hmp: Hmp, *, device: str, size: int) -> None:
    hmp.call(commands.block_resize, device=device, size=size)


# --- drives without a device ------------------------------------------------------------------------------------------


@hmp_command(
    "drive_add", "node:-n,pci_addr:s,opts:s", "make a drive for a device to come (-n: only a node, as -blockdev does)",
    parameters="[-n] any options",
)  # fmt: skip
def drive_add(hmp: Hmp, *, node: bool, pci_addr: str, opts: str) -> None:
    """*pci_addr* told once where the drive's device should be; nobody looks at it."""
    drives = hmp.system.part(DriveTable)
    if node:
        with hmp.system.lock, block_errors():
            add_node(drives.graph, options_from_tree(_tree(parse_options(opts, "driver"))), drives.opener)
        return
    options = DriveOptions.parse(opts)
    interface = options.interface or drives.default_interface
    if interface != "none":
        raise QapiError(f"Can't hot-add drive to type {INTERFACES.index(interface)}")
    with hmp.system.lock, block_errors():
        drives.add(options)
    hmp.print("OK")


def _tree(flat: dict[str, str]) -> dict[str, object]:
    """``file.driver=file`` and the like, as groups."""
    tree: dict[str, object] = {}
    groups: dict[str, dict[str, str]] = {}
    for key, value in flat.items():
        group, dot, rest = key.partition(".")
        if dot:
            groups.setdefault(group, {})[rest] = value
        else:
            tree[key] = value
    if both := tree.keys() & groups.keys():
        raise QapiError(f"Parameters '{min(both)}.*' used inconsistently")
    return tree | {group: _tree(inner) for group, inner in groups.items()}


@hmp_command("drive_del", "id:B", "take a drive away, from a device that uses it as well")
def drive_del(hmp: Hmp, *, id: str) -> None:
    drives = hmp.system.part(DriveTable)
    with hmp.system.lock:
        drive = drives.find(id)
        if drive is None:
            if drives.graph.find(id) is not None:
                raise QapiError("Deleting device added with blockdev-add is not supported")
            raise QapiError(f"Device '{id}' not found", ErrorClass.DeviceNotFound)
        drive.id = ""  # its device, if it has one, keeps it without a name, and tells the guest of errors
        drive.write_error = drive.read_error = ErrorPolicy.REPORT
        with block_errors():
            drives.remove(drive)
