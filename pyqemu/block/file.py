"""The file protocol: regular files and host devices through POSIX calls.

Reads and writes are synchronous. Raw files are quick, because the host's page cache does the work, and the
device models complete every request from a timer anyway, so that an asynchronous engine can replace this one
without their noticing.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from pyqemu.block.errors import BlockError, BlockIOError
from pyqemu.block.locking import ImageLock
from pyqemu.block.node import BlockNode
from pyqemu.io.descriptors import open_plain

__all__ = ["FileNode", "Opener"]

Opener = Callable[[str, int], int]
"""As ``os.open``: path and flags to a descriptor."""

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
        self,
        filename: str,
        *,
        read_only: bool = False,
        write_through: bool = False,
        lock: bool = True,
        active: bool = True,
        opener: Opener = open_plain,
    ) -> None:
        """Open and lock `filename`. With `write_through` each write is on stable storage before it completes.
        One that is not `active` is neither locked nor written before `activate`. `opener` stands for ``os.open``.

        :raise BlockError: it does not exist, may not be opened, is no file, or is in use.
        """
        super().__init__(filename, read_only=read_only)
        self.fd = -1
        self._opener = opener
        self._write_through, self._locks, self.active = write_through, lock, active
        if not filename.startswith("/dev/fdset/"):  # opening a pipe would wait for its other end
            self._check_kind(self._stat())
        self.fd = self._open(read_only)
        self.lock: ImageLock | None = None
        try:
            self.is_regular = self._check_kind(os.fstat(self.fd))
            self.lock = self._lock(self.fd, read_only)
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

    @property
    def allocated(self) -> int:
        return os.fstat(self.fd).st_blocks * 512 if self.fd >= 0 else 0

    def reopen(self, *, read_only: bool) -> None:
        """Open and lock the same file once more in another way; if that fails, nothing has changed.

        :raise BlockError: as at the first opening.
        :raise BlockIOError: what was written could not be flushed.
        """
        if read_only == self.read_only:
            return
        self.flush()
        fd = self._open(read_only)
        if self.lock is not None:
            self.lock.release()  # a lock of our own would exclude us
        try:
            if (os.fstat(fd).st_dev, os.fstat(fd).st_ino) != self.identity():
                raise BlockError(f"Could not reopen '{self.filename}': there is another file of that name now")
            lock = self._lock(fd, read_only)
        except BaseException:
            os.close(fd)
            self.lock = self._lock(self.fd, self.read_only)
            raise
        os.close(self.fd)
        self.fd, self.lock, self.read_only = fd, lock, read_only

    def _become_writable(self) -> None:
        self.reopen(read_only=False)

    def activate(self) -> None:
        if not self.active:
            self.active = True
            try:
                self.lock = self._lock(self.fd, self.read_only)
            except BlockError:
                self.active = False
                raise

    def deactivate(self) -> None:
        self.active = False
        if self.lock is not None:
            self.lock.release()
            self.lock = None

    def resize(self, size: int) -> None:
        if not self.is_regular:
            if size > self.size:
                raise BlockError(f"Cannot grow device files: '{self.filename}'")
            return
        self.truncate(size)

    def truncate(self, size: int) -> None:
        """Change the length of a regular file (formats grow their file so).

        :raise BlockIOError: the host could not.
        """
        self._check_active("resize")
        try:
            os.ftruncate(self.fd, size)
        except OSError as error:
            raise self._failed("resize", error) from error

    def flush(self) -> None:
        if not self.no_flush:
            self._sync()

    def _sync(self) -> None:
        if self.read_only or self.fd < 0 or not self.active:
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
            self._sync()
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
        self._check_active("write to")
        try:
            done = os.pwrite(self.fd, data, offset)
            while done < len(data):
                done += os.pwrite(self.fd, memoryview(data)[done:], offset + done)
        except OSError as error:
            raise self._failed("write to", error) from error

    def _check_active(self, what: str) -> None:
        if not self.active:
            raise BlockIOError(errno.EPERM, f"cannot {what} '{self.filename}': it may be another machine's now")

    def _stat(self) -> os.stat_result:
        try:
            status = os.stat(self.filename)
        except (OSError, ValueError) as error:  # ValueError: a null character within the name
            raise self._refused(error) from error
        return status

    def _check_kind(self, status: os.stat_result) -> bool:
        """Refuse what is no image; whether it is a regular file."""
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is not None:
            raise BlockError(f"Could not open '{self.filename}': it is {kind}, not a disk image file or host device")
        return stat.S_ISREG(status.st_mode)

    def _open(self, read_only: bool) -> int:
        flags = os.O_RDONLY if read_only else os.O_RDWR
        flags |= os.O_CLOEXEC | (os.O_DSYNC if self._write_through else 0)
        try:
            return self._opener(self.filename, flags)
        except OSError as error:
            raise self._refused(error, read_only) from error

    def _lock(self, fd: int, read_only: bool) -> ImageLock | None:
        mode = os.fstat(fd).st_mode
        if self._locks and self.active and (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):  # /dev/null is everybody's
            return ImageLock(fd, self.filename, writer=not read_only)
        return None

    def _refused(self, error: OSError | ValueError, read_only: bool | None = None) -> BlockError:
        if not isinstance(error, OSError) or error.errno is None:
            return BlockError(f"Could not open {self.filename!r}: {error}")
        hint = _HINTS.get(error.errno, "")
        if read_only is None:
            read_only = self.read_only
        hint = hint.format(writable="" if read_only else " and writable, or be opened with readonly=on")
        return BlockError(f"Could not open '{self.filename}': {os.strerror(error.errno)}{hint}")

    def _failed(self, what: str, error: OSError) -> BlockIOError:
        return BlockIOError(error.errno or errno.EIO, f"cannot {what} '{self.filename}'")
