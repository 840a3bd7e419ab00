"""``snapshot=on``: writes go to a temporary file that vanishes with the machine.

The overlay copies on write in clusters: a map tells which clusters the temporary file has, everything else is
read from the base. The file has no name from the start, so nothing is left behind however the process ends,
and it is sparse.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator

from pyqemu.block.errors import BlockError, BlockIOError
from pyqemu.block.node import BlockNode

__all__ = ["CLUSTER_SIZE", "SnapshotNode"]

CLUSTER_SIZE = 1 << 16  # as qcow2's default: big enough for a small map, small enough for cheap copies


class SnapshotNode(BlockNode):
    """A writable view of a base that is never written."""

    format_name = "snapshot"

    def __init__(self, base: BlockNode) -> None:
        """:raise BlockError: there is no place for temporary files."""
        super().__init__(base.filename)
        self.base = base
        base.hold(self)
        # The overlay may become as large as the disk, so it must not lie on a RAM disk.
        directory = os.environ.get("TMPDIR") or "/var/tmp"
        place = directory if os.path.isdir(directory) else None
        try:
            self._file = tempfile.TemporaryFile(dir=place, buffering=0)  # noqa: SIM115
        except OSError as error:
            raise BlockError(
                f"Could not make a temporary file for snapshot=on of '{base.filename}': {error.strerror}; "
                "set TMPDIR to a directory that can be written"
            ) from error
        self._present = bytearray(-(-base.size // CLUSTER_SIZE))

    @property
    def below(self) -> BlockNode:
        return self.base

    @property
    def size(self) -> int:
        return self.base.size

    def _read(self, offset: int, length: int) -> bytes:
        parts = []
        for start, amount, present in self._runs(offset, length):
            if present:
                part = self._host_read(start, amount)
                parts.append(part + bytes(amount - len(part)))
            else:
                parts.append(self.base.read(start, amount))
        return b"".join(parts)

    def _write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        end = offset + len(data)
        for cluster in {offset // CLUSTER_SIZE, (end - 1) // CLUSTER_SIZE} if data else ():
            start = cluster * CLUSTER_SIZE
            if not self._present[cluster] and (start < offset or start + CLUSTER_SIZE > end):
                self._host_write(start, self.base.read(start, min(CLUSTER_SIZE, self.size - start)))
        self._host_write(offset, data)
        first, last = offset // CLUSTER_SIZE, -(-end // CLUSTER_SIZE)
        self._present[first:last] = b"\1" * (last - first)

    def is_own(self, offset: int, length: int) -> bool:
        return any(present for _, _, present in self._runs(offset, length))

    @property
    def allocated(self) -> int:
        """Of the temporary file; 0 when it is gone."""
        return 0 if self._file.closed else os.fstat(self._file.fileno()).st_blocks * 512

    def close(self) -> None:
        if not self._file.closed:
            self._file.close()
            self.base.release(self)

    def _runs(self, offset: int, length: int) -> Iterator[tuple[int, int, bool]]:
        """Split a range where presence changes: (offset, length, whether the overlay has it)."""
        end = offset + length
        limit = len(self._present)
        while offset < end:
            cluster = offset // CLUSTER_SIZE
            present = cluster < limit and self._present[cluster] != 0
            change = self._present.find(0 if present else 1, cluster)
            stop = min(end, change * CLUSTER_SIZE) if change >= 0 else end
            yield offset, stop - offset, present
            offset = stop

    def _host_read(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), length, offset)
        except OSError as error:
            raise self._failed(error) from error

    def _host_write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        try:
            done = 0
            while done < len(data):
                done += os.pwrite(self._file.fileno(), memoryview(data)[done:], offset + done)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> BlockIOError:
        return BlockIOError(error.errno or errno.EIO, f"cannot use the temporary overlay of '{self.filename}'")
