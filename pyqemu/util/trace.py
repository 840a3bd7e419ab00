"""Trace events: what can be told of a running machine, each kind switched on by its name.

A class derived from :class:`Trace` declares events, each by the text that tells it. In an object of the class the
event's attribute is None while it is off, and what writes its line while it is on::

    if event := self.trace.pci_cfg_read:
        event(dev=name, devid=slot, fnid=function, offs=register, val=value)

So an event that is off costs a look at an attribute, and its arguments are not even computed.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from string import Formatter
from typing import Any, ClassVar, NamedTuple, TextIO, cast

from pyqemu.util.errors import UserError

Emit = Callable[..., None]
"""Takes an event's arguments, by their names."""


class Event(NamedTuple):
    """A declared event: *format* is its text, with the arguments' names in braces."""

    name: str
    format: str

    @property
    def arguments(self) -> frozenset[str]:
        """The names of its arguments."""
        return frozenset(field for _, field, _, _ in Formatter().parse(self.format) if field)


class _Declaration(NamedTuple):
    format: str


def declare(format: str = "") -> Emit | None:
    """Declare an event, in the body of a class derived from :class:`Trace`."""
    return cast("Emit | None", _Declaration(format))


def is_pattern(name: str) -> bool:
    """Whether *name* may stand for several events."""
    return "*" in name


class Trace:
    """Which events are on, and where their lines go.

    A line has QEMU's form: ``PROCESS@SECONDS.MICROSECONDS:NAME TEXT``.

    :ivar events: all that there are, in the order of their declaration
    :ivar on_change: called after events were switched: for those whose wiring depends on it
    """

    events: ClassVar[Mapping[str, Event]] = {}

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self.on_change: list[Callable[[], None]] = []
        self._clock = clock
        self._path = ""
        self._stream: TextIO | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Collect the declarations; what they declare is off."""
        super().__init_subclass__(**kwargs)
        found = {name: Event(name, row.format) for name, row in vars(cls).items() if isinstance(row, _Declaration)}
        for name in found:
            setattr(cls, name, None)
        cls.events = {**cls.events, **found}

    # -- what is on

    def find(self, pattern: str) -> list[Event]:
        """The events that a name means; ``*`` in it stands for any text."""
        if not is_pattern(pattern):
            event = self.events.get(pattern)
            return [event] if event is not None else []
        wanted = re.compile(".*".join(re.escape(piece) for piece in pattern.split("*")))
        return [event for name, event in self.events.items() if wanted.fullmatch(name)]

    def is_on(self, name: str) -> bool:
        """Whether the event of that name is told."""
        return name in vars(self)

    def switch(self, events: Iterable[Event], on: bool) -> None:
        """Tell these events from now on, or no longer."""
        for event in events:
            if on:
                setattr(self, event.name, partial(self._tell, event))
            elif self.is_on(event.name):
                delattr(self, event.name)
        for hook in self.on_change:
            hook()

    def apply(self, pattern: str) -> bool:
        """Switch on what an option's pattern says, or off if it begins with ``-``; returns whether there is such."""
        name = pattern.removeprefix("-")
        found = self.find(name)
        self.switch(found, name == pattern)
        return bool(found) or is_pattern(name)

    # -- where it goes

    @property
    def path(self) -> str:
        """The file that lines are appended to; empty for standard error."""
        return self._path

    def set_path(self, path: str) -> None:
        """Append to another file.

        :raise UserError: it cannot be written; then nothing changes.
        """
        stream = open_log(path) if path else None
        if self._stream is not None:
            self._stream.close()
        self._path, self._stream = path, stream

    def close(self) -> None:
        """Tell nothing any more, and close the file."""
        self.switch(self.events.values(), False)
        self.set_path("")

    def _tell(self, event: Event, /, **arguments: object) -> None:
        seconds, rest = divmod(self._clock(), 1_000_000_000)
        text = event.format.format_map(arguments)
        stream = self._stream or sys.stderr
        stream.write(f"{os.getpid()}@{seconds}.{rest // 1000:06d}:{event.name} {text}\n")


def open_log(path: str, *, anew: bool = False) -> TextIO:
    """Open a log for whole lines. Several may write to one file, each of them behind what is there.

    :param anew: forget what an earlier run has left there
    :raise UserError: it cannot be written.
    """
    try:
        if anew:
            open(path, "w").close()
        return open(path, "a", buffering=1)
    except OSError as error:
        raise UserError(f"-D: cannot write '{path}': {error.strerror}") from None
