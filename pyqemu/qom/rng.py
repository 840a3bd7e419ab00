"""Sources of entropy for guests: the host's random device, or a generator of our own."""

from __future__ import annotations

import os
from abc import abstractmethod

from pyqemu.qom.errors import DeviceError
from pyqemu.qom.objects import UserObject, object_type
from pyqemu.qom.property import Property


class RngBackend(UserObject):
    """Where a device takes random bytes from."""

    opened = Property.bool("opened", False)  # for clients of old: a backend is open when it is made

    @abstractmethod
    def take(self, count: int) -> bytes:
        """At most *count* bytes, as many as there are now."""


@object_type("rng-builtin", "rng-backend")
class RngBuiltin(RngBackend):
    """The host's system call."""

    def take(self, count: int) -> bytes:
        return os.urandom(count)


@object_type("rng-random", "rng-backend")
class RngRandom(RngBackend):
    """A device of the host."""

    filename = Property.str("filename", "/dev/urandom")

    def complete(self) -> None:
        """Open it."""
        try:
            self._descriptor = os.open(self.filename or "", os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise DeviceError(f"Could not open '{self.filename}': {error.strerror}") from None

    def deleted(self) -> None:
        """Close it."""
        os.close(self._descriptor)

    def take(self, count: int) -> bytes:
        try:
            return os.read(self._descriptor, count)
        except BlockingIOError:
            return b""
