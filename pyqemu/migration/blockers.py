"""What forbids migration: devices and settings that cannot be sent."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.qapi.errors import QapiError


class Blockers:
    """Reasons not to migrate.

    :ivar only_migratable: ``-only-migratable``: nothing may be added that would forbid it
    """

    def __init__(self, *, only_migratable: bool = False, is_busy: Callable[[], bool] = lambda: False) -> None:
        self.only_migratable = only_migratable
        self._is_busy = is_busy
        self._reasons: list[tuple[object, str, str]] = []

    def add(self, owner: object, reason: str, refusal: str = "") -> None:
        """Forbid migration for as long as *owner* wants.

        :param reason: as ``query-migrate`` lists it
        :param refusal: what ``migrate`` answers; *reason* if not given
        :raise QapiError: this machine must be migratable, or is being migrated.
        """
        if self.only_migratable:
            raise QapiError(f"disallowing migration blocker (--only-migratable) for: {reason}")
        if self._is_busy():
            raise QapiError(f"disallowing migration blocker (migration in progress) for: {reason}")
        self._reasons.append((owner, reason, refusal or reason))

    def add_device(self, device: object, name: str) -> None:
        """A device that cannot be sent.

        :raise QapiError: as :meth:`add`.
        """
        if self.only_migratable:
            raise QapiError(f"Device {name} is not migratable, but --only-migratable was specified")
        self.add(device, f"non-migratable device: {name}", f"State blocked by non-migratable device '{name}'")

    def remove(self, owner: object) -> None:
        """It does not forbid anything any more."""
        self._reasons = [entry for entry in self._reasons if entry[0] is not owner]

    @property
    def reasons(self) -> list[str]:
        """All of them."""
        return [reason for _, reason, _ in self._reasons]

    def check(self) -> None:
        """:raise QapiError: migration is forbidden."""
        if self._reasons:
            raise QapiError(self._reasons[0][2])
