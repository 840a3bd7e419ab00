"""The other end of a serial line, for scripts: ``expect`` and ``send``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu.api.outcomes import Awaited, NotSeen
from pyqemu.chardev import Chardev
from pyqemu.chardev.table import BACKENDS

if TYPE_CHECKING:
    from pyqemu.api.runner import Runner
    from pyqemu.chardev.base import ChardevHost
    from pyqemu.chardev.parse import OptionReader

BACKEND = "script"
WINDOW = 8192  #: bytes that a regular expression may look back
DEFAULT_TIMEOUT = 60.0  #: seconds of the guest

Pattern = str | bytes | re.Pattern[bytes]


@dataclass(frozen=True)
class Found:
    """What :meth:`SerialLine.expect` has found.

    :ivar before: the output since the last match
    :ivar groups: of a regular expression
    """

    before: bytes
    match: bytes
    groups: tuple[bytes | None, ...] = ()

    @property
    def text(self) -> str:
        """All of it, decoded."""
        return (self.before + self.match).decode("utf-8", "replace")


def _nobody() -> None:
    return None


class ScriptChardev(Chardev):
    """Keeps the guest's output, and gives it input no faster than it has room for it.

    :ivar output: everything that the guest has sent
    :ivar on_output: called after it has grown; the lock is held
    """

    backend = BACKEND

    def __init__(self, label: str, host: ChardevHost) -> None:
        super().__init__(label, host)
        self.output = bytearray()
        self.on_output: Callable[[], None] = _nobody
        self._input = bytearray()

    def _write(self, data: bytes) -> None:
        self.output += data
        self.on_output()

    @property
    def unsent(self) -> int:
        """Bytes that the guest has had no room for yet."""
        return len(self._input)

    def send(self, data: bytes) -> None:
        """Give *data* to the guest. The lock is held."""
        self._input += data
        self.accept_input()

    def accept_input(self) -> None:
        while self._input and (room := self.can_receive()) > 0:
            data = bytes(self._input[:room])
            del self._input[:room]
            self._deliver(data)


def _build(label: str, host: ChardevHost, options: OptionReader) -> Chardev:
    return ScriptChardev(label, host)


BACKENDS.setdefault(BACKEND, _build)


class SerialLine:
    """A serial port as a script sees it."""

    def __init__(self, chardev: ScriptChardev, runner: Runner) -> None:
        self._chardev, self._runner = chardev, runner
        self._position = 0  # the end of the last match
        self._scanned = 0
        self._pattern: re.Pattern[bytes] | bytes | None = None
        chardev.on_output = self._grown

    @property
    def output(self) -> bytes:
        """Everything that the guest has sent since the machine was made."""
        with self._runner.system.lock:
            return bytes(self._chardev.output)

    @property
    def text(self) -> str:
        """The same, decoded."""
        return self.output.decode("utf-8", "replace")

    @property
    def unsent(self) -> int:
        """Bytes of :meth:`send` that the guest has had no room for yet."""
        return self._chardev.unsent

    def send(self, data: str | bytes) -> None:
        """Send to the guest, as its UART has room; what it has none for waits, and goes while the guest runs."""
        with self._runner.parked():
            self._chardev.send(data.encode() if isinstance(data, str) else data)

    def expect(self, pattern: Pattern, timeout: float | None = DEFAULT_TIMEOUT) -> Found:
        """Let the guest run until its output, from the last match on, has *pattern*: bytes, text or a compiled
        regular expression. *timeout* is in seconds of the guest.

        :raise NotSeen: the time is over, or the guest has ended.
        """
        with self._runner.parked():
            self._pattern = pattern.encode() if isinstance(pattern, str) else pattern
            self._scanned = self._position
            found = self._search()
        if found is not None:
            return found
        outcome = self._runner.go(timeout)
        with self._runner.system.lock:
            self._pattern = None
        if isinstance(outcome, Awaited):
            value: Found = outcome.value
            return value
        shown = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
        raise NotSeen(f"{shown!r} on the serial line", outcome, self.text[-2000:])

    def _grown(self) -> None:
        if self._pattern is not None and self._runner.is_awaited:
            found = self._search()
            if found is not None:
                self._runner.finish(Awaited(found))

    def _search(self) -> Found | None:
        """Look at what came since the last look."""
        output, pattern = self._chardev.output, self._pattern
        assert pattern is not None
        groups: tuple[bytes | None, ...] = ()
        if isinstance(pattern, bytes):
            start = output.find(pattern, max(self._position, self._scanned - len(pattern) + 1))
            end = start + len(pattern)
        else:
            match = pattern.search(output, max(self._position, self._scanned - WINDOW))
            start, end = match.span() if match is not None else (-1, -1)
            groups = match.groups() if match is not None else ()
        self._scanned = len(output)
        if start < 0:
            return None
        result = Found(bytes(output[self._position : start]), bytes(output[start:end]), groups)
        self._position, self._pattern = end, None
        return result
