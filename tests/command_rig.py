"""A small machine to ask commands of, as a monitor would, without a monitor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pyqemu.api import Machine, MachineConfig
from pyqemu.block import DriveOptions
from pyqemu.monitor import handlers
from pyqemu.qapi.commands import find
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.events import event_data
from pyqemu.util.units import MIB


class Commands:
    """A stopped machine; its events are checked against the schema."""

    def __init__(self, *, drives: tuple[str, ...] = (), **config: Any) -> None:
        handlers.load()
        options = [DriveOptions.parse(text) for text in drives]
        given = {"architecture": "x86_64", "memory": 8 * MIB, "paused": True, "defaults": False} | config
        self.machine = Machine(MachineConfig(drives=options, **given))
        self.system = self.machine.system
        self.events: list[tuple[str, object]] = []
        self.system.event_sinks.append(lambda name, data: self.events.append((name, event_data(name, data))))
        self.machine.start()

    def ask(self, name: str, **arguments: object) -> Any:
        """The answer; underscores in names of arguments are dashes. ``_`` before a name leaves it as it is."""
        json = {key.removeprefix("_") if key[0] == "_" else key.replace("_", "-"): v for key, v in arguments.items()}

        async def call() -> object:
            return await find(name).call_async(self.system, json)

        return self.machine.loop.run_until_complete(call())

    def error(self, name: str, **arguments: object) -> str:
        """What is wrong with it."""
        with pytest.raises(QapiError) as caught:
            self.ask(name, **arguments)
        return caught.value.desc

    def error_class(self, name: str, **arguments: object) -> str:
        """The class of what is wrong with it."""
        with pytest.raises(QapiError) as caught:
            self.ask(name, **arguments)
        return caught.value.error_class.value

    def take_events(self) -> list[tuple[str, object]]:
        """The events since last time."""
        events, self.events = self.events, []
        return events

    def __enter__(self) -> Commands:
        return self

    def __exit__(self, *_: object) -> None:
        self.machine.close()


def opened(**config: Any) -> Iterator[Commands]:
    """For fixtures."""
    with Commands(**config) as commands:
        yield commands
