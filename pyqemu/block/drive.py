"""A drive: what stands between a device and its medium.

A hard disk's drive keeps one node for good. A CD-ROM or floppy drive exists without a medium and has it
changed while the machine runs; the device hears of that through `on_change`.
"""

from __future__ import annotations

import enum
import errno
from collections.abc import Callable

from pyqemu.block.errors import BlockIOError
from pyqemu.block.geometry import Geometry, Translation, guess_geometry
from pyqemu.block.node import BlockNode

__all__ = ["Drive", "ErrorAction", "ErrorPolicy"]


class ErrorPolicy(enum.Enum):
    """``werror=`` and ``rerror=``."""

    IGNORE = "ignore"
    STOP = "stop"
    REPORT = "report"
    ENOSPC = "enospc"  # stop if the host's disk is full, else report


class ErrorAction(enum.Enum):
    """What a device does with a request that failed."""

    IGNORE = "ignore"  # complete it as if nothing had happened
    REPORT = "report"  # tell the guest
    STOP = "stop"  # keep it; the machine stops, and the request is tried again when it goes on


class Drive:
    """A place for a medium, with what ``-drive`` says of it."""

    def __init__(
        self,
        id: str,
        node: BlockNode | None = None,
        *,
        interface: str = "none",
        media: str = "disk",
        index: int = 0,
        bus: int = 0,
        unit: int = 0,
        serial: str = "",
        write_cache: bool = True,
        chs: tuple[int, int, int] | None = None,
        translation: Translation | None = None,
        write_error: ErrorPolicy = ErrorPolicy.ENOSPC,
        read_error: ErrorPolicy = ErrorPolicy.REPORT,
        device_address: str | None = None,
    ) -> None:
        self.id = id
        self.node = node
        self.interface = interface
        self.media = media
        self.index = index
        self.bus = bus
        self.unit = unit
        self.serial = serial
        self.write_cache = write_cache
        self.chs = chs
        self.translation = translation
        self.write_error = write_error
        self.read_error = read_error
        self.device_address = device_address
        self.attached_to: object | None = None
        self.on_change: list[Callable[[], None]] = []
        self.on_stop: Callable[[bool, BlockIOError], bool] | None = None

    @property
    def inserted(self) -> bool:
        return self.node is not None

    @property
    def size(self) -> int:
        """Bytes of the medium; 0 without one."""
        return self.node.size if self.node is not None else 0

    @property
    def read_only(self) -> bool:
        """Whether writes must be refused; true without a medium."""
        return self.node is None or self.node.read_only

    def read(self, offset: int, length: int) -> bytes:
        """:raise BlockIOError: no medium (``ENOMEDIUM``), or the node's read failed."""
        return self._medium().read(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write; without a write cache the data is on stable storage when this returns.

        :raise BlockIOError: no medium, or the node's write or flush failed.
        """
        node = self._medium()
        node.write(offset, data)
        if not self.write_cache:
            node.flush()

    def flush(self) -> None:
        """:raise BlockIOError: the node's flush failed."""
        if self.node is not None:
            self.node.flush()

    def discard(self, offset: int, length: int) -> None:
        """Pass on the guest's hint that it does not need a range any more."""
        if self.node is not None:
            self.node.discard(offset, length)

    def change(self, node: BlockNode | None) -> None:
        """Put in another medium (None: leave the drive empty) and tell the device. The old one is closed."""
        old, self.node = self.node, node
        if old is not None and old is not node:
            old.close()
        for callback in self.on_change:
            callback()

    def eject(self) -> None:
        """Take the medium out."""
        self.change(None)

    def close(self) -> None:
        """The machine ends: flush and close the medium without telling the device."""
        node, self.node = self.node, None
        if node is not None:
            node.close()

    def geometry(self) -> Geometry:
        """The geometry that was asked for, or a guess."""
        if self.chs is not None:
            translation = self.translation
            if translation is None:
                translation = Translation.NONE if self.chs[0] <= 1024 else Translation.LBA
            return Geometry(*self.chs, translation)
        try:
            boot_sector = self.read(0, 512) if self.size >= 512 else b""
        except BlockIOError:
            boot_sector = b""
        guess = guess_geometry(self.size, boot_sector)
        return guess if self.translation is None else guess._replace(translation=self.translation)

    def handle_error(self, error: BlockIOError, *, is_write: bool) -> ErrorAction:
        """What to do about a failed request by ``werror``/``rerror``; stops the machine if that is what they
        say.

        `on_stop` is the machine's: it is called with (is_write, error) and says whether the machine will
        stop.
        """
        policy = self.write_error if is_write else self.read_error
        if policy is ErrorPolicy.IGNORE:
            return ErrorAction.IGNORE
        wants_stop = policy is ErrorPolicy.STOP or (policy is ErrorPolicy.ENOSPC and error.errno == errno.ENOSPC)
        if wants_stop and self.on_stop is not None and self.on_stop(is_write, error):
            return ErrorAction.STOP
        return ErrorAction.REPORT

    def _medium(self) -> BlockNode:
        if self.node is None:
            raise BlockIOError(errno.ENOMEDIUM, f"drive '{self.id}'")
        return self.node

    def __repr__(self) -> str:
        return f"<Drive {self.id}: {self.node.filename if self.node is not None else 'empty'}>"
