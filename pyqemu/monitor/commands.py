"""Commands about the monitor itself: what it speaks, and in which version."""

from __future__ import annotations

from pyqemu import QMP_VERSION, __version__
from pyqemu.monitor.hmp.dispatch import run_line
from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.qapi.generated.events import EVENTS
from pyqemu.qapi.generated.types import CommandInfo, EventInfo, QMPCapability, VersionInfo, VersionTriple
from pyqemu.system import System


@command("qmp_capabilities")
def qmp_capabilities(system: object, *, enable: list[QMPCapability] | None = None) -> None:
    """A session negotiates by itself; who comes here has done that."""
    raise QapiError("Capabilities negotiation is already complete, command ignored", ErrorClass.CommandNotFound)


@command("query-version")
def query_version(system: object) -> VersionInfo:
    """The version of QEMU that clients may take this for, and our own."""
    major, minor, micro = QMP_VERSION
    return VersionInfo(qemu=VersionTriple(major=major, minor=minor, micro=micro), package=f"pyqemu-{__version__}")


@command("query-commands")
def query_commands(system: object) -> list[CommandInfo]:
    """All commands of the schema: those that nothing carries out say why."""
    return [CommandInfo(name=name) for name in COMMANDS]


@command("query-events")
def query_events(system: object) -> list[EventInfo]:
    """All events of the schema."""
    return [EventInfo(name=name) for name in EVENTS]


@command("query-qmp-schema")
def query_qmp_schema(system: object, /, **arguments: object) -> object:
    """The schema."""
    from pyqemu.qapi.generated.introspect import schema  # large, and few clients ask

    return schema()


@command("human-monitor-command")
async def human_monitor_command(system: System, *, command_line: str, cpu_index: int | None = None) -> str:
    """A line of the human monitor; what it shows, errors included, with line ends as on a terminal."""
    shown = await run_line(system, command_line, cpu_index=cpu_index or 0)
    return shown.replace("\n", "\r\n")
