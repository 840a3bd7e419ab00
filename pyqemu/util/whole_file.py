"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def whole_file(path: str) -> Iterator[BinaryIO]:
    """A file to write the contents of *path* to. They are in *path* when the body is done; if it fails, *path* is what
    it was, or is not there.

    A regular file is replaced by a new one with the same owner and rights, as far as we may; devices, pipes, and what
    lies in a directory that we may not write to, are written in place.

    :raise OSError: it cannot be made or written.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        status = None
    replaceable = status is None or stat.S_ISREG(status.st_mode)
    directory = os.path.dirname(os.path.realpath(path)) if replaceable else ""
    if not replaceable or (status is not None and not os.access(directory, os.W_OK)):
        with open(path, "wb") as file:
            yield file
        return
    if status is not None and not os.access(path, os.W_OK):
        raise PermissionError(13, os.strerror(13), path)
    yield from _replaced(os.path.realpath(path), directory, status)


def _replaced(path: str, directory: str, status: os.stat_result | None) -> Iterator[BinaryIO]:
    fd, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=directory)
    try:
        with os.fdopen(fd, "wb") as file:
            if status is None:
                os.fchmod(fd, 0o666 & ~_umask())
            else:
                os.fchmod(fd, stat.S_IMODE(status.st_mode))
                with suppress(PermissionError):
                    os.fchown(fd, status.st_uid, status.st_gid)
            yield file
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    """The process's mask: Linux tells; elsewhere one would have to change it, which other threads could notice."""
    with suppress(OSError), open("/proc/self/status", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022
