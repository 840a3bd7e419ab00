"""Locks that keep two machines from writing to one image.

The protocol is QEMU's, so pyqemu and QEMU also exclude each other. Of each permission a user of an image may
*use* it and may *refuse to share* it with others. Both are said by read locks on single bytes of the file
(far behind a boot sector's first bytes, but locks do not touch contents): byte 100 + n means "I use
permission n", byte 200 + n "nobody else may use n". Setting read locks never fails among users; one sets
one's own and then asks, with a test for a write lock, whether the opposite bytes are free. If two start at
once, both may lose, but never both win.

Open-file-description locks (Linux) belong to the descriptor: a second drive of the same machine conflicts as
well, and closing some other descriptor of the file does not drop them, as it does with classic POSIX locks.
Where the host has none, ``flock`` tells writers from readers.
"""

from __future__ import annotations

import enum
import errno
import fcntl
import struct

from pyqemu.block.errors import LockError

__all__ = ["ImageLock", "Permission"]

_USES_BASE = 100
_REFUSES_BASE = 200
_FLOCK = struct.Struct("hhqqi")  # type, whence, start, length, pid (must be 0 for open-file-description locks)
_UNSUPPORTED = (errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class Permission(enum.IntEnum):
    """What one can do with an image. The value is the number of the lock byte; the names are QEMU's."""

    CONSISTENT_READ = 0
    WRITE = 1
    WRITE_UNCHANGED = 2
    RESIZE = 3

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", " ")


_READER_USES = (Permission.CONSISTENT_READ,)
_WRITER_USES = (Permission.CONSISTENT_READ, Permission.WRITE, Permission.RESIZE)
_REFUSED = (
    Permission.WRITE,
    Permission.RESIZE,
)  # by readers and writers alike: a guest cannot bear changes from outside


class ImageLock:
    """The lock that a file node holds on its descriptor until that is closed."""

    def __init__(self, fd: int, filename: str, *, writer: bool) -> None:
        """Lock for a writer or a reader.

        :raise LockError: somebody else's use excludes ours.
        """
        self.fd = fd
        self.filename = filename
        uses = _WRITER_USES if writer else _READER_USES
        if hasattr(fcntl, "F_OFD_SETLK"):
            self._lock_bytes(uses)
        else:
            self._lock_whole(writer)

    def release(self) -> None:
        """Give up the lock early (closing the descriptor does it as well)."""
        if hasattr(fcntl, "F_OFD_SETLK"):
            self._set(fcntl.F_UNLCK, 0, 0)
        else:
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def _lock_bytes(self, uses: tuple[Permission, ...]) -> None:
        for permission in uses:
            if not self._set(fcntl.F_RDLCK, _USES_BASE + permission, 1):
                return  # a file system without locks: QEMU goes on as well
        for permission in _REFUSED:
            self._set(fcntl.F_RDLCK, _REFUSES_BASE + permission, 1)
        for permission in uses:
            self._check_free(_REFUSES_BASE + permission, f'"{permission.label}" lock')
        for permission in _REFUSED:
            self._check_free(_USES_BASE + permission, f'shared "{permission.label}" lock')

    def _set(self, kind: int, start: int, length: int) -> bool:
        """Set or drop a lock; false if the file system knows none."""
        try:
            fcntl.fcntl(self.fd, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, 0, start, length, 0))
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                return False
            raise self._conflict("lock") from error  # somebody who locks whole files for writing
        return True

    def _check_free(self, start: int, what: str) -> None:
        answer = fcntl.fcntl(self.fd, fcntl.F_OFD_GETLK, _FLOCK.pack(fcntl.F_WRLCK, 0, start, 1, 0))
        if _FLOCK.unpack(answer)[0] != fcntl.F_UNLCK:
            self.release()
            raise self._conflict(what)

    def _lock_whole(self, writer: bool) -> None:
        try:
            fcntl.flock(self.fd, (fcntl.LOCK_EX if writer else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise self._conflict('"write" lock' if writer else 'shared "write" lock') from error
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise

    def _conflict(self, what: str) -> LockError:
        return LockError(
            f"Failed to get {what}: '{self.filename}' is in use by another process "
            "(an image has one writer or any number of readers)"
        )
