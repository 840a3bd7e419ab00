"""``log``, ``logfile``, ``singlestep``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.accel.log_control import ITEMS, LogControl
from pyqemu.monitor.hmp.table import hmp_command

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp

TRACE = "trace:"


def _items() -> str:
    names = {"none": "nothing", **ITEMS, f"{TRACE}PATTERN": "trace these events ('trace:help' lists them)"}
    lines = (f"{name:15} {text}" for name, text in names.items())
    return "\n".join(["Log items (comma separated):", *lines])


def _complete(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    first, comma, _ = begun.rpartition(",")
    return [f"{first}{comma}{name}" for name in ("none", *ITEMS, *(TRACE + name for name in hmp.system.trace.events))]


@hmp_command(
    "log", "items:s", "log what is executed", parameters="item1[,...]", completers={"items": _complete}, details=_items
)
def log(hmp: Hmp, *, items: str) -> None:
    words = [] if items == "none" else items.split(",")
    wanted = [word for word in words if not word.startswith(TRACE)]
    if any(item not in ITEMS for item in wanted):
        hmp.print(_items())
        return
    for word in words:
        if word.startswith(TRACE):
            _trace(hmp, word.removeprefix(TRACE))
    with hmp.system.parked():
        hmp.system.part(LogControl).set_items(wanted)


def _trace(hmp: Hmp, pattern: str) -> None:
    trace = hmp.system.trace
    if pattern in ("help", "?"):
        hmp.print("\n".join(trace.events))
        return
    with hmp.system.lock:
        is_known = trace.apply(pattern)
    if not is_known:
        hmp.print(f"WARNING: trace event '{pattern.removeprefix('-')}' does not exist")


@hmp_command("logfile", "filename:F", "write the log to a file")
def logfile(hmp: Hmp, *, filename: str) -> None:
    with hmp.system.parked():
        hmp.system.part(LogControl).set_path(filename)
        hmp.system.trace.set_path(filename)


@hmp_command(
    "singlestep", "option:s?", "translate each instruction by itself, or no longer",
    parameters="[on|off]", completers={"option": lambda hmp, begun, given: ["on", "off"]},
)  # fmt: skip
def singlestep(hmp: Hmp, *, option: str | None = None) -> None:
    if option not in (None, "on", "off"):
        hmp.print(f"unexpected option {option}")
        return
    with hmp.system.parked():
        hmp.system.part(LogControl).single_step = option != "off"
