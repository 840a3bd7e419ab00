"""The raw format: the guest's sectors are the file's bytes."""

from __future__ import annotations

import errno
from collections.abc import Callable

from pyqemu.block.errors import BlockError, BlockIOError
from pyqemu.block.node import SECTOR_SIZE, BlockNode, round_up

__all__ = ["RawNode"]


class RawNode(BlockNode):
    """A disk whose contents are those of its file.

    A file that ends within a sector is padded with zeros, as QEMU does; the file grows when the guest writes
    there.
    """

    format_name = "raw"

    def __init__(
        self,
        file: BlockNode,
        *,
        looks_raw: Callable[[bytes], bool] | None = None,
        offset: int = 0,
        length: int | None = None,
    ) -> None:
        """The disk is `length` bytes (None: all) of the file from `offset` on.

        `looks_raw` is given if nobody said that the format is raw: it tells from a first sector whether it looks so.
        A guest that writes, say, a qcow2 header into its first sector could have the image opened as qcow2
        next time, with a backing file of its choice from the host. Such writes fail (with ``EPERM``, as in
        QEMU).
        """
        super().__init__(file.filename, read_only=file.read_only)
        self.file = file
        self.offset, self.length = offset, length
        self._looks_raw = looks_raw
        self._closed = False
        file.hold(self)

    @property
    def below(self) -> BlockNode:
        return self.file

    @property
    def size(self) -> int:
        if self.length is not None:
            return self.length
        return round_up(max(self.file.size - self.offset, 0), SECTOR_SIZE)

    def _read(self, offset: int, length: int) -> bytes:
        return self.file.read(self.offset + offset, length)

    def _write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        if offset < SECTOR_SIZE and self._looks_raw is not None:
            first = bytearray(self.file.read(self.offset, SECTOR_SIZE))
            part = bytes(data[: SECTOR_SIZE - offset])
            first[offset : offset + len(part)] = part
            if not self._looks_raw(bytes(first)):
                raise BlockIOError(
                    errno.EPERM,
                    f"no header of another format may be written to '{self.filename}' (use format=raw)",
                )
        self.file.write(self.offset + offset, data)

    def discard(self, offset: int, length: int) -> None:
        self.file.discard(self.offset + offset, length)

    def flush(self) -> None:
        if not self.no_flush:
            self.file.flush()

    def resize(self, size: int) -> None:
        if self.length is not None:
            raise BlockError("Cannot resize fixed-size raw disks")
        self.file.resize(self.offset + size)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.file.release(self)
