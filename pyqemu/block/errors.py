"""What can go wrong with images and drives.

UserError (pyqemu.util.errors)
└── BlockError          the operator's mistake; ``str()`` is one line that names the thing
    ├── LockError       the image is in use
    └── DriveError      an option of ``-drive`` is wrong or contradicts another one
PyqemuError
└── BlockIOError        a request failed at run time; a device turns it into its own error status
"""

from __future__ import annotations

import os

from pyqemu.util.errors import PyqemuError, UserError

__all__ = ["BlockError", "BlockIOError", "DriveError", "LockError"]


class BlockError(UserError):
    """An image cannot be used. The message is one line: what, and what would be right."""


class LockError(BlockError):
    """The image is in use in a way that excludes ours."""


class DriveError(BlockError):
    """The options of a drive are wrong."""


class BlockIOError(PyqemuError):
    """A read, write, flush or discard failed.

    ``errno`` is the host's number (``ENOSPC`` matters: ``werror=enospc`` stops the machine on it).
    """

    def __init__(self, errno: int, message: str) -> None:
        super().__init__(f"{message}: {os.strerror(errno)}")
        self.errno = errno
