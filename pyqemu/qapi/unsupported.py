"""Why a command of the schema has no handler in this build; by the file of the schema, or by command."""

from __future__ import annotations

from typing import Final

DEFAULT: Final = "nothing in it does this yet"

MODULES: Final[dict[str, str]] = {
    "acpi": "no memory devices can be plugged in",
    "block-export": "there is no NBD server yet",
    "job": "there are no jobs yet",
    "net": "there are no network backends yet",
    "rocker": "there is no rocker switch",
    "tpm": "there is no TPM",
}

COMMANDS: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("change-vnc-password", "set_password", "expire_password", "add_client"),
        "there is no VNC or SPICE server yet",
    ),
    **dict.fromkeys(
        ("block-commit", "block-stream", "drive-backup", "blockdev-backup", "drive-mirror", "blockdev-mirror"),
        "there are no block jobs yet",
    ),
    **dict.fromkeys(("snapshot-save", "snapshot-load", "snapshot-delete"), "the machine's state can't be saved yet"),
    **dict.fromkeys(("xen-save-devices-state", "xen-set-global-dirty-log"), "there is no Xen accelerator"),
    **dict.fromkeys(
        (
            *(f"block-dirty-bitmap-{what}" for what in ("add", "clear", "disable", "enable", "merge", "remove")),
            "block-set-write-threshold",
        ),
        "writes to images are not kept account of yet",
    ),
    **dict.fromkeys(
        tuple(
            f"block-job-{what}"
            for what in ("cancel", "complete", "dismiss", "finalize", "pause", "resume", "set-speed")
        ),
        "there are no block jobs yet",
    ),
    **dict.fromkeys(
        (
            "blockdev-create",
            "blockdev-snapshot",
            "blockdev-snapshot-sync",
            "blockdev-snapshot-internal-sync",
            "blockdev-snapshot-delete-internal-sync",
            "change-backing-file",
        ),
        "images are raw files, without backing files or snapshots",
    ),
    "x-blockdev-change": "there are no quorums",
    "block_set_io_throttle": "drives can't be slowed down yet",
    "block_passwd": "there are no encrypted images yet",
    **dict.fromkeys(("cpu-add",), "processors can't be plugged in yet"),
}


def reason(command: str, module: str) -> str:
    """Why there is no handler: the end of a sentence."""
    return COMMANDS.get(command) or MODULES.get(module) or DEFAULT
