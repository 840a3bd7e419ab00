"""The monitors of one machine: on which chardev which kind speaks, and how they end.

The modules of the monitors are imported when one is wanted: a machine without monitors starts without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu.chardev.errors import ChardevError
from pyqemu.monitor import handlers
from pyqemu.system import System

if TYPE_CHECKING:
    from pyqemu.chardev import Chardev
    from pyqemu.monitor.hmp.session import HmpSession
    from pyqemu.monitor.qmp.server import QmpServer

PATIENCE = 1.0  # seconds for clients to take their last replies and events
POLL = 0.005


class Monitors:
    """All monitors of *system*."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._wanted = False
        self._on_wanted: Callable[[], None] = lambda: None
        self._servers: list[QmpServer] = []
        self._sessions: list[HmpSession] = []
        self._late: list[Chardev] = []

    def attach(self, chardev: Chardev, *, mode: str = "readline", pretty: bool = False) -> None:
        """A monitor on *chardev*: ``control`` speaks QMP, ``readline`` is for people.

        :raise ChardevError: another frontend has the chardev.
        """
        self._prepare()
        if mode == "control":
            from pyqemu.monitor.qmp.server import attach_qmp

            self._servers.append(attach_qmp(self.system, chardev, pretty=pretty))
        else:
            from pyqemu.monitor.hmp.session import HmpSession

            self._sessions.append(HmpSession(self.system, chardev))

    def when_wanted(self, hook: Callable[[], None]) -> None:
        """Call *hook* when there is a monitor, which may be now: it can make what only commands need."""
        self._on_wanted = hook
        if self._wanted:
            hook()

    def _prepare(self) -> None:
        handlers.load()
        if not self._wanted:
            self._wanted = True
            self._on_wanted()

    def attach_late(self, chardev: Chardev) -> None:
        """The same for people, but not before :meth:`show`: of all who could turn to it few ever do.

        :raise ChardevError: another frontend has the chardev.
        """
        if chardev.busy or chardev in self._late:
            raise ChardevError(f"Device '{chardev.label}' is in use")
        self._late.append(chardev)

    def show(self, chardev: Chardev) -> None:
        """Somebody looks at *chardev* now."""
        if chardev in self._late:
            self._late.remove(chardev)
            self.attach(chardev)

    def attach_terminal(self) -> bool:
        """The console on our own terminal; returns whether there is one that it can be shown on."""
        from pyqemu.monitor.hmp import console

        if not console.is_usable():
            return False
        self._prepare()
        assert self.system.loop is not None
        console.Console(self.system).start(self.system.loop)
        return True

    async def finish(self) -> None:
        """The machine has ended: wait until the clients have the replies and events that were on their way.

        Not for ever: a client that does not read must not keep us.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while loop.time() < end:
            await asyncio.sleep(0)  # what has come by now is carried out
            for server in self._servers:
                server.events.flush()
            if not any(self._is_busy(server) for server in self._servers):
                return
            await asyncio.sleep(POLL)

    @staticmethod
    def _is_busy(server: QmpServer) -> bool:
        return server.busy or any(session.link.backlog for session in server.sessions if not session.closed)

    def close(self) -> None:
        """Let go of the chardevs."""
        for server in self._servers:
            server.close()
        for session in self._sessions:
            session.close()
        self._servers.clear()
        self._sessions.clear()
