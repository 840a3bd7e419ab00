"""What runs when nothing was given to run: the guest that is part of the program.

Its disk is made anew each time and may be written to, but what is written is forgotten.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

from pyqemu.block.drives import DriveOptions
from pyqemu.boards import registry
from pyqemu.boards.config import MachineConfig

ANNOUNCEMENT = "no disk image given: starting the built-in guest (what it writes to its disk is forgotten)"


def is_wanted(config: MachineConfig) -> bool:
    """Whether the operator named nothing that could be booted, and did not ask for a bare machine."""
    if (
        config.kernel
        or config.bios
        or config.initrd
        or config.append
        or config.drives
        or config.blockdevs
        or not config.defaults
    ):
        return False
    board = registry.find(config.machine, config.architecture)
    return "i386" in board.architectures and not board.is_empty


@contextlib.contextmanager
def plugged(config: MachineConfig) -> Iterator[None]:
    """Give *config* the guest's disk as the first hard disk; within the context it can be opened."""
    from pyqemu.guest import build_image

    with _nameless_file(build_image()) as path:
        drive = DriveOptions.from_mapping(
            {"file": path, "format": "raw", "index": "0", "snapshot": "on", "serial": "pyqemu-guest"}
        )
        config.drives.insert(0, drive)
        yield


@contextlib.contextmanager
def _nameless_file(data: bytes) -> Iterator[str]:
    """A path to *data* that leaves nothing behind, however the program ends."""
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        fd = os.memfd_create("pyqemu-guest", os.MFD_CLOEXEC)
        with os.fdopen(fd, "wb") as memory:
            memory.write(data)
            memory.flush()
            yield f"/proc/self/fd/{fd}"
        return
    with tempfile.NamedTemporaryFile(prefix="pyqemu-guest-", suffix=".img") as file:
        file.write(data)
        file.flush()
        yield file.name
