"""The monitor whose command is being carried out, for the few handlers that need it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol

from pyqemu.qapi.errors import QapiError


class Monitor(Protocol):
    """What a handler may want of the monitor that a command came from."""

    def take_descriptor(self) -> int:
        """A file descriptor that came with the command; the caller owns it from now on.

        :raise QapiError: there is none.
        """


current_monitor: ContextVar[Monitor | None] = ContextVar("current_monitor", default=None)
"""Set while a command is carried out; None where no monitor asked."""


def take_descriptor() -> int:
    """A file descriptor that came with the present command (``getfd``, ``add-fd``); the caller owns it from now on.

    :raise QapiError: there is none.
    """
    monitor = current_monitor.get()
    if monitor is None:
        raise QapiError("No file descriptor supplied via SCM_RIGHTS")
    return monitor.take_descriptor()
