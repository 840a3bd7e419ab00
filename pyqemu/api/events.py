"""The machine's QMP events for scripts."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyqemu.api.outcomes import Awaited, NotSeen

if TYPE_CHECKING:
    from pyqemu.api.runner import Runner

MAX_EVENTS = 4096  #: that nobody has waited for yet
OWN = ("STOP", "RESUME")  #: they come with every wait

Data = Mapping[str, object]


class Events:
    """Remembers events until somebody waits for them."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._unseen: deque[tuple[str, Data]] = deque(maxlen=MAX_EVENTS)
        self._wanted: str | None = None
        runner.system.event_sinks.append(self._happened)

    def wait(self, name: str, timeout: float | None) -> Data:
        """The data of the next event of that name; of one that has come already and nobody has waited for, now.

        :raise NotSeen: none comes within *timeout* seconds of the guest.
        """
        with self._runner.system.lock:
            for number, (known, data) in enumerate(self._unseen):
                if known == name:
                    for _ in range(number + 1):
                        self._unseen.popleft()
                    return data
            self._wanted = name
        outcome = self._runner.go(timeout)
        with self._runner.system.lock:
            self._wanted = None
            for number, (known, data) in enumerate(self._unseen):
                if known == name:
                    for _ in range(number + 1):
                        self._unseen.popleft()
                    return data
            seen = ", ".join(known for known, _ in self._unseen)
        raise NotSeen(f"event {name}", outcome, seen)

    def _happened(self, name: str, data: Data) -> None:
        if name in OWN:
            return
        self._unseen.append((name, dict(data)))
        if name == self._wanted:
            self._wanted = None
            self._runner.finish(Awaited(name))
