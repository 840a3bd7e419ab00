"""The guest during a migration: halted for its end, and let go again if that fails."""

from __future__ import annotations

from typing import Protocol

from pyqemu.system import RunState, System
from pyqemu.util.errors import PyqemuError


class Images(Protocol):
    """The disk images of a machine, of which only one machine at a time may have them."""

    def take_over(self) -> None:
        """They are ours from now on; without effect if they are already.

        :raise PyqemuError: somebody else has one of them; nothing has changed.
        """

    def hand_over(self) -> None:
        """Another machine may take them.

        :raise PyqemuError: not all that was written is safe; nothing has changed.
        """


class NoImages:
    """Of a machine without disks."""

    def take_over(self) -> None:
        """Nothing is taken."""

    def hand_over(self) -> None:
        """Nothing is given."""


class Guest:
    """Halts the guest of a machine, once, and knows what it did before."""

    def __init__(self, system: System, images: Images | None = None) -> None:
        self._system = system
        self._images = images or NoImages()
        self._before: RunState | None = None
        self.lock = system.lock

    def halt(self) -> None:
        """Stop it, if it runs. Without the lock."""
        with self._system.lock:
            self._before = self._system.state
            if self._system.running:
                self._system.stop(RunState.FINISH_MIGRATE)
            else:
                self._system.set_state(RunState.FINISH_MIGRATE)

    def hand_over(self) -> None:
        """It writes no more, and may run elsewhere soon: let go of its images. Without the lock."""
        with self._system.lock:
            self._images.hand_over()

    def release(self) -> PyqemuError | None:
        """Migration has failed: go on as before. Returns why that is not possible, if so."""
        with self._system.lock:
            if self._before is None or self._system.state is not RunState.FINISH_MIGRATE:
                return None  # nothing was done, or somebody has decided otherwise since
            try:
                self._images.take_over()
            except PyqemuError as error:
                self._system.set_state(RunState.POSTMIGRATE)
                return error
            if self._before is RunState.RUNNING:
                self._system.start()
            elif RunState.FINISH_MIGRATE.may_become(self._before):
                self._system.set_state(self._before)
            else:
                self._system.set_state(RunState.POSTMIGRATE)
            return None

    def leave(self) -> None:
        """It runs elsewhere now."""
        with self._system.lock:
            if self._system.state is RunState.FINISH_MIGRATE:
                self._system.set_state(RunState.POSTMIGRATE)
