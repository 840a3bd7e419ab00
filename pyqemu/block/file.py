"""The file protocol: regular files and host devices through POSIX calls.

Reads and writes are synchronous. Raw files are quick, because the host's page cache does the work, and the
device models complete every request from a timer anyway, so that an asynchronous engine can replace this one
without their noticing.
"""

from __future__ import annotations

import errno
import os
import stat

from pyqemu.block.errors import BlockError, BlockIOError
from pyqemu.block.locking import ImageLock
from pyqemu.block.node import BlockNode

__all__ = ["FileNode"]

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}
_HINTS = {
    errno.ENOENT: "; give the path of an existing disk image",
    errno.EACCES: "; it must be readable{writable}",
    errno.EROFS: "; readonly=on opens it without writing",
}


class FileNode(BlockNode):
    """A regular file, block device or character device of the host."""

    format_name = "file"

    def __init__(
        self, filename: str, *, read_only: bool = False, write_through: bool = False, lock: bool = True
    ) -> None:
        """Open and lock `filename`. With `write_through` each write is on stable storage before it completes.

        :raise BlockError: it does not exist, may not be opened, is no file, or is in use.
        """
        super().__init__(filename, read_only=read_only)
        self.fd = -1
        mode = self._stat().st_mode
        self.is_regular = stat.S_ISREG(mode)
        self.fd = self._open(write_through)
        self.lock: ImageLock | None = None
        if lock and (self.is_regular or stat.S_ISBLK(mode)):  # /dev/null is everybody's
            try:
                self.lock = ImageLock(self.fd, filename, writer=not read_only)
            except BaseException:
                os.close(self.fd)
                self.fd = -1
                raise

    @property
    def size(self) -> int:
        """The length now: a file may grow, and the size of a host device is known to ``lseek`` only."""
        if self.is_regular:
            return os.fstat(self.fd).st_size
        try:
            return os.lseek(self.fd, 0, os.SEEK_END)
        except OSError:
            return 0  # a terminal or the like: too short for any use, which the drive will say

    def identity(self) -> tuple[int, int]:
        """What tells two paths to one file: device and inode number."""
        status = os.fstat(self.fd)
        return status.st_dev, status.st_ino

    def truncate(self, size: int) -> None:
        """Change the length of a regular file (formats grow their file so).

        :raise BlockIOError: the host could not.
        """
        try:
            os.ftruncate(self.fd, size)
        except OSError as error:
            raise self._failed("resize", error) from error

    def flush(self) -> None:
        if self.read_only or self.fd < 0:
            return
        try:
            os.fdatasync(self.fd)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # character devices have nothing to flush
                raise self._failed("flush", error) from error

    def discard(self, offset: int, length: int) -> None:
        """Nothing: punching holes needs ``fallocate`` flags that Python's library lacks, and a hint may be
        ignored.
        """

    def close(self) -> None:
        if self.fd < 0:
            return
        try:
            self.flush()
        finally:
            os.close(self.fd)  # drops the locks as well
            self.fd = -1

    def _read(self, offset: int, length: int) -> bytes:
        try:
            data = os.pread(self.fd, length, offset)
            while 0 < len(data) < length:
                more = os.pread(self.fd, length - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise self._failed("read", error) from error
        return data

    def _write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        try:
            done = os.pwrite(self.fd, data, offset)
            while done < len(data):
                done += os.pwrite(self.fd, memoryview(data)[done:], offset + done)
        except OSError as error:
            raise self._failed("write to", error) from error

    def _stat(self) -> os.stat_result:
        try:
            status = os.stat(self.filename)
        except (OSError, ValueError) as error:  # ValueError: a null character within the name
            raise self._refused(error) from error
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is not None:
            raise BlockError(f"Could not open '{self.filename}': it is {kind}, not a disk image file or host device")
        return status

    def _open(self, write_through: bool) -> int:
        flags = os.O_CLOEXEC | (os.O_RDONLY if self.read_only else os.O_RDWR) | (os.O_DSYNC if write_through else 0)
        try:
            return os.open(self.filename, flags)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError | ValueError) -> BlockError:
        if not isinstance(error, OSError) or error.errno is None:
            return BlockError(f"Could not open {self.filename!r}: {error}")
        hint = _HINTS.get(error.errno, "")
        hint = hint.format(writable="" if self.read_only else " and writable, or be opened with readonly=on")
        return BlockError(f"Could not open '{self.filename}': {os.strerror(error.errno)}{hint}")

    def _failed(self, what: str, error: OSError) -> BlockIOError:
        return BlockIOError(error.errno or errno.EIO, f"cannot {what} '{self.filename}'")
