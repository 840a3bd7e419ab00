"""QMP on character devices.

On a listening socket every client has a session of its own, at the same time; on any other chardev (terminal, pipe,
socket that we connect) there is one after another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from pyqemu.chardev import Chardev, ChardevEvent
from pyqemu.monitor.qmp.dispatch import QapiDispatcher
from pyqemu.monitor.qmp.events import EventHub, Message
from pyqemu.monitor.qmp.session import Dispatcher, Session
from pyqemu.qapi.errors import QapiError
from pyqemu.system import System


class _Peer:
    """The frontend on one chardev or connection: has a session while somebody is there."""

    def __init__(self, chardev: Chardev, new_session: Callable[[_Peer], Session]) -> None:
        self.chardev = chardev
        self.session: Session | None = None
        self._new_session = new_session
        chardev.wants_descriptors = True
        chardev.on_drain = self._drained
        chardev.connect(self._receive, self._room, self._event)

    # what a session needs: pyqemu.monitor.qmp.session.Link

    @property
    def backlog(self) -> int:
        """See :class:`Chardev`."""
        return self.chardev.backlog

    def write(self, data: bytes) -> None:
        """See :class:`Chardev`; takes the lock that it wants."""
        with self.chardev.host.lock:
            self.chardev.write(data)

    def accept_input(self) -> None:
        """See :class:`Chardev`; takes the lock that it wants."""
        with self.chardev.host.lock:
            self.chardev.accept_input()

    # what happens on the chardev

    def _event(self, event: ChardevEvent) -> None:
        if event is ChardevEvent.OPENED:
            self.session = self._new_session(self)
            self.session.open()
        elif event is ChardevEvent.CLOSED and self.session is not None:
            self.session.close()
            self.session = None

    def _room(self) -> int:
        return self.session.room() if self.session is not None else 0

    def _receive(self, data: bytes) -> None:
        if self.session is not None:
            descriptors = list(self.chardev.descriptors)
            self.chardev.descriptors.clear()
            self.session.receive(data, descriptors)

    def _drained(self) -> None:
        if self.session is not None:
            self.session.drained()


class QmpServer:
    """QMP on one chardev. Everything but its making and :meth:`close` happens in the loop's thread."""

    def __init__(self, chardev: Chardev, dispatcher: Dispatcher, events: EventHub, *, pretty: bool = False) -> None:
        self.chardev = chardev
        self.dispatcher = dispatcher
        self.events = events
        self.pretty = pretty
        self.sessions: list[Session] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Claim the chardev and serve who comes.

        :raise ChardevError: somebody else uses it.
        """
        self.chardev.serve(self._new_peer)
        self.events.listeners.append(self._tell)

    @property
    def busy(self) -> bool:
        """Whether a command is being carried out."""
        return bool(self._tasks)

    def close(self) -> None:
        """Stop serving; what is being carried out is cancelled."""
        if self._tell in self.events.listeners:
            self.events.listeners.remove(self._tell)
        for session in self.sessions:
            session.close()
        self.sessions.clear()
        for task in self._tasks:
            task.cancel()
        self.chardev.release()

    def _new_peer(self, chardev: Chardev) -> None:
        _Peer(chardev, self._new_session)

    def _new_session(self, peer: _Peer) -> Session:
        self.sessions = [session for session in self.sessions if not session.closed]
        session = Session(peer, self.dispatcher, self._spawn, pretty=self.pretty, before_reply=self.events.flush)
        self.sessions.append(session)
        return session

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self.events.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _tell(self, name: str, message: Message) -> None:
        for session in self.sessions:
            session.event(name, message)


def event_hub(system: System) -> EventHub:
    """The machine's one event hub, made when it is first wanted. The machine must have a loop."""
    try:
        return system.part(EventHub)
    except QapiError:
        assert system.loop is not None
        hub = EventHub(system.loop, trace=system.trace)
        system.add_part(hub)
        system.event_sinks.append(hub.sink)
        return hub


def attach_qmp(
    system: System, chardev: Chardev, *, pretty: bool = False, dispatcher: Dispatcher | None = None
) -> QmpServer:
    """Speak QMP on *chardev* (``-qmp``, ``-mon mode=control``).

    :param dispatcher: who carries out commands; the schema's handlers, if not given
    :raise ChardevError: somebody else uses the chardev.
    """
    server = QmpServer(chardev, dispatcher or QapiDispatcher(system), event_hub(system), pretty=pretty)
    server.start()
    system.add_part(server)
    return server
