"""A drive: what stands between a device and its medium.

A hard disk's drive keeps one node for good. A CD-ROM or floppy drive exists without a medium and has it
changed while the machine runs; the device hears of that through `on_change`.
"""

from __future__ import annotations

import enum
import errno
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from pyqemu.block.accounting import Accounting
from pyqemu.block.errors import BlockError, BlockIOError
from pyqemu.block.geometry import Geometry, Translation, guess_geometry
from pyqemu.block.node import BlockNode

__all__ = ["Drive", "ErrorAction", "ErrorPolicy", "Tray"]


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


class Tray(Protocol):
    """The tray of a device that has one. It moves by :meth:`Drive.move_tray` or at the guest's command, of which the
    device tells by :meth:`Drive.tray_moved`."""

    @property
    def is_open(self) -> bool: ...

    @property
    def locked(self) -> bool:
        """Whether the guest keeps it closed."""

    def move(self, is_open: bool) -> None:
        """Somebody has opened or closed it: let the guest find out."""

    def request(self, *, force: bool) -> None:
        """Tell the guest that somebody would like it open; with *force* the lock breaks."""


def _tell_nobody(event: str, **data: object) -> None:
    return None


class Drive:
    """A place for a medium, with what ``-drive`` says of it. Its id is empty if only its device has a name."""

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
        self._node: BlockNode | None = None
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
        self.firmware_path = ""  # how the last part of a line of fw_cfg's bootorder names it
        self.accounting = Accounting()
        self.io_status: str | None = None  # "ok", "failed" or "nospace", if its device can stop the machine
        self.tray: Tray | None = None
        self.emit: Callable[..., None] = _tell_nobody
        """Sends events; the `DriveTable` connects it."""
        self.attached_to: object | None = None
        self.on_detach: Callable[[], None] | None = None
        self.on_change: list[Callable[[], None]] = []
        self.on_resize: list[Callable[[], None]] = []
        self.on_write: list[Callable[[int, int], None]] = []
        """Called with offset and length after each write or discard, whether it succeeded or not."""
        self.on_stop: Callable[[bool, BlockIOError], object] | None = None
        self._removable = False
        self.prefers_read_only = media == "cdrom"
        """How the next medium is opened if nobody says: as the last one was."""
        if node is not None:
            self.node = node

    # -- its device

    def attach(self, device: object, *, removable: bool = False, can_stop: bool = False) -> None:
        """*device* uses it from now on. *removable*: it can cope with a change of medium; *can_stop*: its requests can
        wait for a machine that an error stopped."""
        self.attached_to = device
        self._removable = removable
        self.io_status = "ok" if can_stop else None

    def detach(self) -> None:
        """The device is gone."""
        self.attached_to = self.tray = self.on_stop = self.io_status = None
        self.on_change.clear()
        self.on_resize.clear()
        if self.on_detach is not None:
            self.on_detach()

    @property
    def device_name(self) -> str:
        """The device's id, or its place in the tree of all objects; empty if there is none."""
        return getattr(self.attached_to, "id", None) or getattr(self.attached_to, "qom_path", "") or ""

    @property
    def name(self) -> str:
        """What to call it: its own id, or its device's name."""
        return self.id or self.device_name

    @property
    def removable(self) -> bool:
        """Whether its medium can be changed."""
        return self.attached_to is None or self._removable

    @property
    def locked(self) -> bool:
        """Whether the guest does not let go of the medium."""
        return self.tray is not None and self.tray.locked

    def move_tray(self, is_open: bool) -> None:
        """Open or close the tray."""
        if self.tray is not None and self.tray.is_open != is_open:
            self.tray.move(is_open)
            self.tray_moved(is_open)

    def tray_moved(self, is_open: bool) -> None:
        """The tray has been moved, by the guest or the operator."""
        self.emit("DEVICE_TRAY_MOVED", device=self.id, id=self.device_name, tray_open=is_open)

    def want_writes(self) -> None:
        """Its device is going to write, if the medium lets it."""
        if self._node is not None:
            with suppress(BlockError):
                self._node.want_writes()

    # -- its medium

    @property
    def node(self) -> BlockNode | None:
        """The medium."""
        return self._node

    @node.setter
    def node(self, node: BlockNode | None) -> None:
        if node is not None:
            node.hold(self)
            self.prefers_read_only = node.read_only
        self._node = node

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
        with self.accounting.request(self.accounting.read, length):
            return self._medium().read(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write; without a write cache the data is on stable storage when this returns.

        :raise BlockIOError: no medium, or the node's write or flush failed.
        """
        with self.accounting.request(self.accounting.write, len(data)):
            node = self._medium()
            try:
                node.write(offset, data)
            finally:
                for written in self.on_write:
                    written(offset, len(data))
            if not self.write_cache:
                node.flush()

    def flush(self) -> None:
        """:raise BlockIOError: the node's flush failed."""
        if self.node is not None:
            with self.accounting.request(self.accounting.flush, 0):
                self.node.flush()

    def discard(self, offset: int, length: int) -> None:
        """Pass on the guest's hint that it does not need a range any more."""
        if self.node is not None:
            self.node.discard(offset, length)
            for written in self.on_write:
                written(offset, length)

    def change(self, node: BlockNode | None) -> None:
        """Put in another medium (None: leave the drive empty) and tell the device. The old one is flushed and, unless
        the operator owns it, closed.

        :raise BlockIOError: the old medium could not be flushed; it is out all the same.
        """
        self.exchange(node)
        for callback in self.on_change:
            callback()

    def exchange(self, node: BlockNode | None) -> None:
        """:meth:`change` with the tray open: the device hears of it when that is closed."""
        old = self._node
        if old is node:
            return
        self.node = node
        if old is not None:
            old.release(self)

    def eject(self) -> None:
        """Take the medium out."""
        self.change(None)

    def close(self) -> None:
        """The machine ends: flush and close the medium without telling the device."""
        self.exchange(None)

    def resized(self) -> None:
        """The medium's length may have changed: tell the device."""
        for callback in self.on_resize:
            callback()

    def geometry(self) -> Geometry:
        """The geometry that was asked for, or a guess."""
        if self.chs is not None:
            translation = self.translation
            if translation is None:
                translation = Translation.NONE if self.chs[0] <= 1024 else Translation.LBA
            return Geometry(*self.chs, translation)
        try:
            boot_sector = self.node.read(0, 512) if self.node is not None and self.size >= 512 else b""
        except BlockIOError:
            boot_sector = b""
        guess = guess_geometry(self.size, boot_sector)
        return guess if self.translation is None else guess._replace(translation=self.translation)

    def handle_error(self, error: BlockIOError, *, is_write: bool) -> ErrorAction:
        """What to do about a failed request by ``werror``/``rerror``; stops the machine if that is what they
        say.

        `on_stop` stops it; it is called with (is_write, error).
        """
        action = self._action(self.write_error if is_write else self.read_error, error)
        full = error.errno == errno.ENOSPC
        if action is ErrorAction.STOP and self.io_status == "ok":
            self.io_status = "nospace" if full else "failed"
        self.emit(
            "BLOCK_IO_ERROR", device=self.id, node_name=self._node.node_name if self._node is not None else None,
            operation="write" if is_write else "read", action=action.value,
            nospace=full if self.io_status is not None else None, reason=os.strerror(error.errno),
        )  # fmt: skip
        if action is ErrorAction.STOP and self.on_stop is not None:
            self.on_stop(is_write, error)
        return action

    def _action(self, policy: ErrorPolicy, error: BlockIOError) -> ErrorAction:
        if policy is ErrorPolicy.IGNORE:
            return ErrorAction.IGNORE
        wants_stop = policy is ErrorPolicy.STOP or (policy is ErrorPolicy.ENOSPC and error.errno == errno.ENOSPC)
        return ErrorAction.STOP if wants_stop and self.on_stop is not None else ErrorAction.REPORT

    def forget_errors(self) -> None:
        """The machine goes on."""
        if self.io_status is not None:
            self.io_status = "ok"

    def _medium(self) -> BlockNode:
        if self.node is None:
            raise BlockIOError(errno.ENOMEDIUM, f"drive '{self.id}'")
        return self.node

    def __repr__(self) -> str:
        return f"<Drive {self.id}: {self.node.filename if self.node is not None else 'empty'}>"
