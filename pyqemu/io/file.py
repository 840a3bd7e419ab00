"""Channels on files."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress

from pyqemu.io.channel import CHUNK, Channel, Timeouts
from pyqemu.io.descriptors import open_plain
from pyqemu.io.errors import CloseError, ConnectError, ReadError, WriteError, reason
from pyqemu.io.interrupt import Interrupt

UNSYNCABLE = (errno.EINVAL, errno.EROFS, errno.ENOTSUP)  # devices, which have nothing to be synchronised
Open = Callable[[str, int, int], int]


class FileChannel(Channel):
    """A file. The host's disk is waited for, as nothing can end that."""

    kind = "file"

    def __init__(self, fd: int, peer: str, interrupt: Interrupt, timeouts: Timeouts) -> None:
        super().__init__(peer, interrupt, timeouts, two_way=False)
        self._fd: int | None = fd
        self._written = False

    @property
    def _descriptor(self) -> int:
        if self._fd is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._fd

    def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data).cast("B")
        position = 0
        self._written = True
        while position < len(view):
            self.interrupt.check()
            try:
                position += os.write(self._descriptor, view[position : position + CHUNK])
            except OSError as error:
                raise WriteError(
                    f"Unable to write to file: {reason(error)}", self.peer, peer=self.peer, cause=error
                ) from error

    def read_now(self, size: int) -> bytes | None:
        self.interrupt.check()
        try:
            return os.read(self._descriptor, size)
        except OSError as error:
            raise ReadError(
                f"Unable to read from file: {reason(error)}", self.peer, peer=self.peer, cause=error
            ) from error

    def wait_readable(self, deadline: float | None) -> bool:
        self.interrupt.check()
        return True

    def finish(self) -> None:
        """What is only in the host's memory would be lost with it: wait until the disk has it."""
        if not self._written:
            return
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            if error.errno not in UNSYNCABLE:
                raise CloseError(
                    f"Unable to write to file: {reason(error)}", self.peer, peer=self.peer, cause=error
                ) from error

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            with suppress(OSError):
                os.close(fd)


def open_file(
    path: str,
    interrupt: Interrupt,
    timeouts: Timeouts,
    *,
    writing: bool,
    offset: int = 0,
    open_descriptor: Open = open_plain,
) -> FileChannel:
    """Open a file at *offset*. For writing it is created, or cut off there.

    :param open_descriptor: as ``os.open``; may know descriptor sets
    :raise ConnectError: it cannot be opened.
    """
    flags = os.O_WRONLY | os.O_CREAT if writing else os.O_RDONLY
    try:
        # Not to wait for the other end of a named pipe: nothing could end that.
        fd = open_descriptor(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except (OSError, ValueError) as error:
        text = reason(error) if isinstance(error, OSError) else str(error)
        raise ConnectError(f"Failed to open '{path}': {text}", f"file:{path}", peer=path, cause=error) from error
    channel = FileChannel(fd, f"file:{path}", interrupt, timeouts)
    try:
        if writing:
            with suppress(OSError):  # a device
                os.ftruncate(fd, offset)
        if offset:
            os.lseek(fd, offset, os.SEEK_SET)
    except OSError as error:
        channel.close()
        raise ConnectError(
            f"Failed to seek in '{path}': {reason(error)}", f"file:{path}", peer=path, cause=error
        ) from error
    return channel
