"""The states of a machine and the ways between them, with QEMU's names (``RunState``)."""

from __future__ import annotations

import enum

from pyqemu.util.errors import InternalError


class InvalidTransition(InternalError):
    """A change of state that the table below does not have."""


class RunState(enum.Enum):
    """What a machine is doing (qapi-schema.json, ``RunState``)."""

    DEBUG = "debug"
    FINISH_MIGRATE = "finish-migrate"
    GUEST_PANICKED = "guest-panicked"
    INMIGRATE = "inmigrate"
    INTERNAL_ERROR = "internal-error"
    IO_ERROR = "io-error"
    PAUSED = "paused"
    POSTMIGRATE = "postmigrate"
    PRELAUNCH = "prelaunch"
    RESTORE_VM = "restore-vm"
    RUNNING = "running"
    SAVE_VM = "save-vm"
    SHUTDOWN = "shutdown"
    SUSPENDED = "suspended"
    WATCHDOG = "watchdog"

    @property
    def number(self) -> int:
        """Its place among the schema's, as trace events have it."""
        from pyqemu.qapi.generated.types import RunState as Schema  # needs the whole schema: not for every start

        return list(Schema).index(Schema(self.value))

    def may_become(self, other: RunState) -> bool:
        """Whether a machine may go from this state to ``other``."""
        return other.value in _TRANSITIONS[self.value].split()


# fmt: off
_TRANSITIONS = {
    "debug":          "running suspended finish-migrate prelaunch",
    "finish-migrate": "running paused postmigrate prelaunch",
    "guest-panicked": "running finish-migrate prelaunch",
    "inmigrate":      "internal-error io-error paused running shutdown suspended watchdog guest-panicked "
                      "finish-migrate prelaunch postmigrate",
    "internal-error": "paused finish-migrate prelaunch",
    "io-error":       "running finish-migrate prelaunch",
    "paused":         "running finish-migrate prelaunch postmigrate",
    "postmigrate":    "running finish-migrate prelaunch",
    "prelaunch":      "running finish-migrate inmigrate",
    "restore-vm":     "running prelaunch",
    "running":        "debug internal-error io-error paused finish-migrate restore-vm save-vm shutdown "
                      "watchdog guest-panicked suspended",
    "save-vm":        "running",
    "shutdown":       "paused finish-migrate prelaunch",
    "suspended":      "running finish-migrate prelaunch",
    "watchdog":       "running finish-migrate prelaunch",
}
# fmt: on


class ShutdownCause(enum.Enum):
    """Why a machine is reset or shut down (qapi-schema.json, ``ShutdownCause``)."""

    NONE = "none"
    HOST_ERROR = "host-error"
    HOST_QMP_QUIT = "host-qmp-quit"
    HOST_QMP_SYSTEM_RESET = "host-qmp-system-reset"
    HOST_SIGNAL = "host-signal"
    HOST_UI = "host-ui"
    GUEST_SHUTDOWN = "guest-shutdown"
    GUEST_RESET = "guest-reset"
    GUEST_PANIC = "guest-panic"
    SUBSYSTEM_RESET = "subsystem-reset"

    @property
    def guest(self) -> bool:
        """Whether the guest itself asked for it."""
        return self.value.startswith("guest-")

    @property
    def host(self) -> bool:
        """Whether the operator asked for it, or something broke on the host."""
        return self.value.startswith("host-")
