"""``trace-event``, ``info trace-events``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.generated.types import TraceEventState
from pyqemu.system import trace_commands

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


def _complete_name(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return list(hmp.system.trace.events)


@hmp_command(
    "trace-event", "name:s,option:b", "trace an event, or no longer; * in its name stands for any text",
    parameters="name on|off",
    completers={"name": _complete_name, "option": lambda hmp, begun, given: ["on", "off"]},
)  # fmt: skip
def trace_event(hmp: Hmp, *, name: str, option: bool) -> None:
    hmp.call(trace_commands.trace_event_set_state, name=name, enable=option, ignore_unavailable=True)


@hmp_command("trace-events", "", "the events that can be traced, and whether they are", is_info=True)
def info_trace_events(hmp: Hmp) -> None:
    for event in hmp.call(trace_commands.trace_event_get_state, name="*"):
        hmp.print(f"{event.name} : state {int(event.state is TraceEventState.ENABLED)}")
