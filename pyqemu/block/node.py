"""The node interface: what an image is to a device, and what a format is to its file.

Nodes stack as in QEMU: a device's drive holds a format node (raw, later qcow2, ...), which holds a protocol
node (a file, a host device), and filters such as the snapshot overlay stand in between. All of them are
`BlockNode`, so each can be tested on a `MemoryNode` and used alone.

Offsets and lengths are bytes. Nodes know no sectors, except that a device sees the size rounded up to whole
sectors: what lies between the end of the file and the end of its last sector reads as zeros.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod

from pyqemu.block.errors import BlockError, BlockIOError

__all__ = ["SECTOR_SIZE", "BlockNode", "MemoryNode", "round_up"]

SECTOR_SIZE = 512


def round_up(value: int, unit: int) -> int:
    """The least multiple of `unit` that is not below `value`."""
    return -(-value // unit) * unit


class BlockNode(ABC):
    """A randomly accessible array of bytes.

    Subclasses implement `_read`, `_write` and what differs from the defaults of the others; the public
    methods check bounds and permission, so that an implementation never sees a request that it must refuse.
    """

    format_name = "raw"

    def __init__(self, filename: str = "", *, read_only: bool = False) -> None:
        self.filename = filename
        self.read_only = read_only
        self.node_name = ""
        """What monitors call it; `BlockGraph` gives names."""
        self.owned = False
        """Whether the operator made it by ``blockdev-add``: it stays until it is deleted by name."""
        self.users: list[object] = []
        """The drives and nodes that it serves."""
        self.auto_read_only = False
        """Whether it is read-only only as long as nobody wants to write (``auto-read-only``)."""
        self.direct = False
        self.no_flush = False
        self.detect_zeroes = "off"
        self.highest_write = 0  # the end of the write that went farthest

    # -- who uses it

    def hold(self, user: object) -> None:
        """*user* (a drive, or a node above) needs it from now on."""
        self.users.append(user)

    def release(self, user: object) -> None:
        """*user* is done with it. A node without users is closed; one that the operator owns is only flushed.

        :raise BlockIOError: the host could not write what was not flushed yet.
        """
        if user in self.users:
            self.users.remove(user)
        if self.owned:
            self.flush()
        elif not self.users:
            self.close()

    def want_writes(self) -> None:
        """Somebody is going to write: become writable, if that is allowed.

        :raise BlockError: it isn't, or the host refuses.
        """
        if not self.read_only:
            return
        if not self.auto_read_only:
            raise BlockError("Block node is read-only")
        self._become_writable()
        self.read_only = False

    def _become_writable(self) -> None:
        """What that takes: the nodes below have to be writable, too."""
        if self.below is not None:
            self.below.want_writes()

    # -- data

    @property
    def below(self) -> BlockNode | None:
        """The node that this one gets its data from; None at the bottom of a stack."""
        return None

    @property
    @abstractmethod
    def size(self) -> int:
        """Length in bytes. A format or protocol may let it change (`resize`); nothing caches it."""

    @abstractmethod
    def _read(self, offset: int, length: int) -> bytes:
        """Read within the bounds. Fewer bytes than asked for mean that the rest is zeros."""

    @abstractmethod
    def _write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write within the bounds."""

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; zeros past the end.

        :raise BlockIOError: the host could not read.
        """
        data = self._read(offset, length)
        if len(data) < length:
            data += bytes(length - len(data))
        return data

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write `data` at `offset`. The last sector of the image may be written whole even if the file ends
        within it.

        :raise BlockIOError: read-only (``EPERM``), past the end (``EIO``), or the host could not write.
        """
        if self.read_only:
            raise BlockIOError(errno.EPERM, f"cannot write to read-only image '{self.filename}'")
        self._check_bounds("write to", offset, len(data))
        self._write(offset, data)
        self.highest_write = max(self.highest_write, offset + len(data))

    def write_zeroes(self, offset: int, length: int) -> None:
        """Make a range read as zeros; formats that can do so cheaply override it."""
        chunk = bytes(min(length, 1 << 20))
        while length > 0:
            self.write(offset, chunk[:length])
            offset += len(chunk)
            length -= len(chunk)

    def discard(self, offset: int, length: int) -> None:
        """A hint that the contents of a range are no longer needed. Ignored unless a node knows better."""

    def flush(self) -> None:
        """When this returns, all completed writes survive a crash of the host.

        :raise BlockIOError: the host could not write them.
        """

    def resize(self, size: int) -> None:
        """Change the length to `size` bytes.

        :raise BlockError: this kind of image cannot, or not to that size.
        :raise BlockIOError: the host could not.
        """
        raise BlockError(f"Image format driver '{self.format_name}' does not support resize")

    @property
    def allocated(self) -> int | None:
        """Bytes that it takes up on the host's disk; None if it lies on none."""
        return self.below.allocated if self.below is not None else None

    def is_own(self, offset: int, length: int) -> bool:
        """Whether anything of a range may differ from what an image that this one was made on top of has there."""
        return True

    def activate(self) -> None:
        """The image is this machine's from now on: take what keeps others from it, forget what was read before.

        :raise BlockError: somebody else has it; nothing has changed.
        """

    def deactivate(self) -> None:
        """Another machine may have the image: everything is flushed, nothing is written any more."""

    def close(self) -> None:
        """Flush and give up the image. Closing twice is harmless."""

    def _check_bounds(self, what: str, offset: int, length: int) -> None:
        if offset < 0 or offset + length > round_up(self.size, SECTOR_SIZE):
            raise BlockIOError(errno.EIO, f"cannot {what} '{self.filename}' past its end")


class MemoryNode(BlockNode):
    """An image that lives in memory: what tests use, and what firmware builds on the fly."""

    format_name = "memory"

    def __init__(self, contents: bytes | int, *, filename: str = "memory", read_only: bool = False) -> None:
        """`contents` is the data, or a size in bytes (all zeros)."""
        super().__init__(filename, read_only=read_only)
        self.data = bytearray(contents)
        self.data += bytes(round_up(len(self.data), SECTOR_SIZE) - len(self.data))
        self.flushes = 0

    @property
    def size(self) -> int:
        return len(self.data)

    def _read(self, offset: int, length: int) -> bytes:
        return bytes(self.data[offset : offset + length])

    def _write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self.data[offset : offset + len(data)] = data

    def flush(self) -> None:
        self.flushes += 1
