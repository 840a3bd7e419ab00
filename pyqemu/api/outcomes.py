"""How a run of a guest can end, as types: match on them.

::

    match machine.run(timeout=10):
        case Exited(code): ...
        case Shutdown(cause=ShutdownCause.GUEST_SHUTDOWN): ...
        case TripleFault(chain): ...
        case TimedOut(): ...
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyqemu.system import RunState, ShutdownCause
from pyqemu.util.errors import PyqemuError

if TYPE_CHECKING:
    from pyqemu.api.hooks import Hook


@dataclass(frozen=True)
class Outcome:
    """Why the guest does not run any more. It can go on, unless :attr:`is_final`."""

    @property
    def is_final(self) -> bool:
        """Whether the machine is off for good."""
        return False


@dataclass(frozen=True)
class Exited(Outcome):
    """The machine ended with an exit status: by ``isa-debug-exit``, or by the operator."""

    code: int

    @property
    def is_final(self) -> bool:
        return True


@dataclass(frozen=True)
class Shutdown(Outcome):
    """The machine was turned off; a reset counts where ``no_reboot`` says so."""

    cause: ShutdownCause

    @property
    def is_final(self) -> bool:
        return True


@dataclass(frozen=True)
class Panicked(Outcome):
    """The guest said that it is dead (``pvpanic``)."""


@dataclass(frozen=True)
class Fault:
    """One event of a chain of faults.

    :ivar name: as the manual writes it, such as ``#GP(0010)`` or ``INT 03h``
    """

    vector: int
    error_code: int | None
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class TripleFault(Outcome):
    """The processor gave up. *chain* is what it wanted to deliver, the first event first. Running on resets."""

    chain: tuple[Fault, ...]

    def __str__(self) -> str:
        return "triple fault: " + ", then ".join(str(fault) for fault in self.chain)


@dataclass(frozen=True)
class HaltedForever(Outcome):
    """The processor is halted, and nothing is left that could wake it."""


@dataclass(frozen=True)
class TimedOut(Outcome):
    """The guest's time is over; *seconds* are what it was given."""

    seconds: float


@dataclass(frozen=True)
class Breakpoint(Outcome):
    """A breakpoint is reached; its instruction has not run."""

    address: int
    breakpoint: Hook = field(compare=False, repr=False)


@dataclass(frozen=True)
class Stepped(Outcome):
    """That many instructions have run."""

    count: int


@dataclass(frozen=True)
class Stopped(Outcome):
    """Somebody stopped the machine: a monitor, a device with an I/O error, a watchdog."""

    state: RunState


@dataclass(frozen=True)
class Awaited(Outcome):
    """What was waited for has happened. Seen by those who wait only."""

    value: Any


class NotSeen(PyqemuError):
    """What was waited for did not come.

    :ivar outcome: why the wait ended
    :ivar seen: what came instead: output, the screen, names of events
    """

    def __init__(self, what: str, outcome: Outcome, seen: str) -> None:
        super().__init__(f"{what} did not come: {outcome}\n--- what came last:\n{seen}")
        self.what, self.outcome, self.seen = what, outcome, seen


class MachineClosed(PyqemuError):
    """The machine was closed."""
