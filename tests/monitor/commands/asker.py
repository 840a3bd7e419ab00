"""Commands given to a machine without a monitor between, and answered as QMP does."""

from __future__ import annotations

from typing import Any

from pyqemu.api import Machine
from pyqemu.monitor import handlers
from pyqemu.qapi.commands import find
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.events import event_data
from pyqemu.util.errors import UserError


class Asker:
    """Asks one machine. All its events are checked against the schema.

    :ivar events: name and data of all so far
    """

    def __init__(self, machine: Machine) -> None:
        handlers.load()
        self.machine = machine
        self.system = machine.system
        self.events: list[tuple[str, dict[str, object] | None]] = []
        self.system.event_sinks.append(lambda name, data: self.events.append((name, event_data(name, data))))

    def reply(self, execute: str, /, **arguments: Any) -> dict[str, Any]:
        """What QMP would say: ``return`` or ``error``."""
        given = {name.replace("_", "-"): value for name, value in arguments.items()}
        try:
            handler = find(execute)
            if handler.is_async:
                return {"return": self.machine.loop.run_until_complete(handler.call_async(self.system, given))}
            with self.system.lock:
                return {"return": handler.call(self.system, given)}
        except QapiError as error:
            return {"error": {"class": str(error.error_class), "desc": error.desc}}
        except UserError as error:
            return {"error": {"class": "GenericError", "desc": error.message}}

    def __call__(self, execute: str, /, **arguments: Any) -> Any:
        """The result of a command that succeeds."""
        reply = self.reply(execute, **arguments)
        assert "return" in reply, reply
        return reply["return"]

    def error(self, execute: str, /, **arguments: Any) -> str:
        """The text of a command's error; in front of it the class, unless it is ``GenericError``."""
        reply = self.reply(execute, **arguments)
        assert "error" in reply, reply
        kind, text = reply["error"]["class"], reply["error"]["desc"]
        return str(text) if kind == "GenericError" else f"{kind}: {text}"

    def serve(self) -> None:
        """Let the main loop do what it has been asked to."""
        self.system.process_requests()
