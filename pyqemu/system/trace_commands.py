"""Commands that switch trace events."""

from __future__ import annotations

from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated.types import TraceEventInfo, TraceEventState
from pyqemu.system.runstate import System
from pyqemu.util.trace import Event, is_pattern


@command("trace-event-get-state")
def trace_event_get_state(system: System, *, name: str) -> list[TraceEventInfo]:
    """Which of the events that a name or pattern means are told."""
    trace = system.trace
    return [
        TraceEventInfo(
            name=event.name,
            state=TraceEventState.ENABLED if trace.is_on(event.name) else TraceEventState.DISABLED,
        )
        for event in _find(system, name)
    ]


@command("trace-event-set-state")
def trace_event_set_state(system: System, *, name: str, enable: bool, ignore_unavailable: bool | None = None) -> None:
    """Switch the events that a name or pattern means. None of the events of this build is unavailable."""
    system.trace.switch(_find(system, name), enable)


def _find(system: System, name: str) -> list[Event]:
    found = system.trace.find(name)
    if not found and not is_pattern(name):
        raise QapiError(f'unknown event "{name}"')
    return found
