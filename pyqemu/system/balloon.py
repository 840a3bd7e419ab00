"""The machine's balloon, whatever device it is, for the commands about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyqemu.qapi.errors import ErrorClass, QapiError

if TYPE_CHECKING:
    from pyqemu.system.runstate import System


class Balloon(Protocol):
    """What a balloon device can do."""

    def set_target(self, target: int) -> None:
        """Ask the guest to make do with so many bytes."""

    def remaining(self) -> int:
        """Bytes that the guest has left."""


class Balloons:
    """The place for it."""

    def __init__(self) -> None:
        self.balloon: Balloon | None = None

    @classmethod
    def of(cls, system: System) -> Balloons:
        """The machine's; made when somebody asks."""
        try:
            return system.part(cls)
        except QapiError:
            made = cls()
            system.add_part(made)
            return made

    def active(self) -> Balloon:
        """The balloon.

        :raise QapiError: DeviceNotActive: there is none.
        """
        if self.balloon is None:
            raise QapiError("No balloon device has been activated", ErrorClass.DeviceNotActive)
        return self.balloon
