"""A drive as migration sends and loads it with the machine (:class:`pyqemu.migration.state.disks.Disk`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyqemu.block.drive import Drive

__all__ = ["SentDrive", "sent_drives"]


class SentDrive:
    """A drive with its present medium. What is read and written here is not the guest's: it is not accounted."""

    def __init__(self, drive: Drive) -> None:
        if drive.node is None:
            raise ValueError("a drive without a medium is not sent")
        self._drive = drive
        self._node = drive.node

    @property
    def name(self) -> str:
        """The drive's, or its device's."""
        return self._drive.name

    @property
    def size(self) -> int:
        """Bytes; 0 if another medium is in the drive by now."""
        return self._node.size if self._drive.node is self._node else 0

    @property
    def read_only(self) -> bool:
        """Whether nobody writes to it."""
        return self._node.read_only

    def read(self, offset: int, length: int) -> bytes:
        """:raise BlockIOError: the host could not read."""
        return self._node.read(offset, length)

    def write(self, offset: int, data: bytes) -> None:
        """:raise BlockError: the host could not write, or must not."""
        self._node.write(offset, data)

    def is_own(self, offset: int, length: int) -> bool:
        """Whether the topmost image has something of that range itself."""
        return self._node.is_own(offset, length)

    def watch(self, written: Callable[[int, int], None]) -> Callable[[], None]:
        """Call *written* with offset and length after each write. Returns what ends that."""
        self._drive.on_write.append(written)
        return lambda: self._drive.on_write.remove(written)


def sent_drives(drives: Iterable[Drive]) -> list[SentDrive]:
    """Those with a medium."""
    return [SentDrive(drive) for drive in drives if drive.inserted]
