"""One client: negotiation, the order of commands, replies.

A session knows neither sockets nor the machine: bytes come in by :meth:`Session.receive` and go out through a
:class:`Link`; a :class:`Dispatcher` carries out commands.  All of it happens in the thread of the asyncio loop.

Commands are carried out one after another, in the order in which they came, and nothing is read meanwhile: a client
that sends commands and hangs up at once has them all carried out before we see that it is gone.  One that has
negotiated ``oob`` may send others, marked ``exec-oob``, which do not wait; of its commands up to eight may wait, then
reading stops.  Reading and carrying out also stop while a client does not read our replies, so that no client can
make us use memory without bound.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NamedTuple, Protocol

from pyqemu import QMP_VERSION, __version__
from pyqemu.monitor.current import current_monitor
from pyqemu.monitor.qmp.encode import encode
from pyqemu.monitor.qmp.events import drop_one
from pyqemu.monitor.qmp.request import Request, parse_capabilities, parse_request
from pyqemu.monitor.qmp.stream import JSON, JsonStream, ParseError
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.util.errors import UserError

CAPABILITIES = ("oob",)
MOST_COMMANDS = 8  # that may wait before reading stops
MOST_EVENTS = 256  # that may wait for a client that does not read
HIGH_WATER = 64 << 10  # bytes of output that the client has not taken, from which on nothing new is done for it
INPUT_SIZE = 4096  # bytes that are taken at once: an error for each of them is the most that can come of it
GREETING: JSON = {
    "QMP": {
        "version": {
            "qemu": dict(zip(("micro", "minor", "major"), reversed(QMP_VERSION), strict=True)),
            "package": f"pyqemu-{__version__}",
        },
        "capabilities": list(CAPABILITIES),
    }
}


class Link(Protocol):
    """The way to the client."""

    @property
    def backlog(self) -> int:
        """Bytes written that the client has not taken yet; :meth:`Session.drained` is called when there are none."""

    def write(self, data: bytes) -> None:
        """Send; never waits."""

    def accept_input(self) -> None:
        """The session has room again."""


class Dispatcher(Protocol):
    """Who carries out commands."""

    def known(self, name: str) -> bool:
        """Whether there is such a command."""

    def is_oob_allowed(self, name: str) -> bool:
        """Whether a known command may be executed out of band."""

    def execute(self, name: str, arguments: dict[str, JSON]) -> Awaitable[JSON]:
        """Carry out a known command.

        :raise QapiError: it cannot be done. (Also UserError.)
        """


Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class _Input(NamedTuple):
    """A message, or what is wrong with it, and the descriptors that came with it."""

    message: JSON | ParseError
    descriptors: list[int]


class CommandContext:
    """What a handler may know of where its command came from (:class:`pyqemu.monitor.current.Monitor`)."""

    def __init__(self, descriptors: list[int]) -> None:
        self._descriptors = descriptors

    def take_descriptor(self) -> int:
        """See :class:`pyqemu.monitor.current.Monitor`."""
        if not self._descriptors:
            raise QapiError("No file descriptor supplied via SCM_RIGHTS")
        return self._descriptors.pop(0)


def _no_such(name: str) -> QapiError:
    return QapiError(f"The command {name} has not been found", ErrorClass.CommandNotFound)


def _error_reply(error: QapiError) -> dict[str, JSON]:
    return {"error": {"class": str(error.error_class), "desc": error.desc}}


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())


class Session:
    """One client from greeting to goodbye.

    :param spawn: begins a task, and keeps it until it is done
    :param before_reply: called before each reply: events that a command caused come before its reply
    """

    def __init__(
        self,
        link: Link,
        dispatcher: Dispatcher,
        spawn: Spawn,
        *,
        pretty: bool = False,
        before_reply: Callable[[], None] = lambda: None,
    ) -> None:
        self.link = link
        self.dispatcher = dispatcher
        self.pretty = pretty
        self._spawn = spawn
        self._before_reply = before_reply
        self._stream = JsonStream()
        self._enabled: frozenset[str] | None = None  # capabilities; None until they are negotiated
        self._waiting: deque[_Input] = deque()
        self._running = False  # a task works on what is waiting
        self._oob_running = 0
        self._loose: list[int] = []  # descriptors whose message is not complete
        self._events: deque[tuple[str, dict[str, JSON]]] = deque()
        self._lost_events = False
        self.closed = False

    @property
    def negotiated(self) -> bool:
        """Whether the client has said what it can."""
        return self._enabled is not None

    def open(self) -> None:
        """Greet."""
        self._send(GREETING)

    def close(self) -> None:
        """The client is gone. What is being carried out goes on, but nobody will hear of it."""
        self.closed = True
        for entry in self._waiting:
            _close_all(entry.descriptors)
        self._waiting.clear()
        self._events.clear()
        _close_all(self._loose)

    # -- input ---------------------------------------------------------------------------------------------------------

    @property
    def _congested(self) -> bool:
        return self.link.backlog > HIGH_WATER

    def room(self) -> int:
        """How many bytes may come now."""
        if "oob" in (self._enabled or ()):
            full = len(self._waiting) >= MOST_COMMANDS or self._oob_running >= MOST_COMMANDS
        else:
            full = self._running or bool(self._waiting)
        return 0 if full or self._congested or self.closed else INPUT_SIZE

    def receive(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        """Bytes came, and maybe descriptors with them.

        Descriptors belong to the message that ends last in these bytes, or, if another has begun after it, to that.
        """
        self._loose += descriptors
        inputs = [_Input(message, []) for message in self._stream.feed(data)]
        if inputs and self._loose and self._stream.idle:
            inputs[-1].descriptors.extend(self._loose)
            self._loose.clear()
        for entry in inputs:
            if "oob" in (self._enabled or ()) and isinstance(entry.message, dict) and "exec-oob" in entry.message:
                self._oob_running += 1
                self._spawn(self._out_of_band(entry))
            else:
                self._waiting.append(entry)
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and not self._running:
            self._running = True
            self._spawn(self._in_order())

    async def _in_order(self) -> None:
        """Work on what is waiting, until nothing is or the client does not read."""
        try:
            while self._waiting and not self._congested:
                full = self.room() == 0
                await self._work_on(self._waiting.popleft())
                if full and self.room():
                    self.link.accept_input()
                if self._waiting:
                    await asyncio.sleep(0)  # others have their turn, too
        finally:
            self._running = False
        self.link.accept_input()

    async def _out_of_band(self, entry: _Input) -> None:
        try:
            await self._work_on(entry)
        finally:
            self._oob_running -= 1
        self.link.accept_input()

    # -- commands ------------------------------------------------------------------------------------------------------

    async def _work_on(self, entry: _Input) -> None:
        message = entry.message
        try:
            try:
                if isinstance(message, ParseError):
                    raise message
                request = parse_request(message, oob="oob" in (self._enabled or ()))
                text = self._encode({"return": await self._carry_out(request, entry.descriptors)}, message)
            except QapiError as error:
                text = self._encode(_error_reply(error), message)
            except UserError as error:
                text = self._encode(_error_reply(QapiError(error.message)), message)
            except Exception as error:
                text = self._encode(_error_reply(self._report(message, error)), message)
        finally:
            _close_all(entry.descriptors)
        self._before_reply()
        self._write(text)

    def _encode(self, reply: dict[str, JSON], message: JSON) -> bytes:
        if isinstance(message, dict) and "id" in message:
            reply["id"] = message["id"]
        return encode(reply, pretty=self.pretty)

    def _report(self, message: JSON, error: Exception) -> QapiError:
        """A defect of ours: loud, but the machine lives on."""
        name = message.get("execute", message.get("exec-oob", "?"))
        print(f"pyqemu: internal error in QMP command '{name}':", file=sys.stderr)
        traceback.print_exception(error, file=sys.stderr)
        return QapiError(f"internal error (a defect of pyqemu): {type(error).__name__}: {error}")

    async def _carry_out(self, request: Request, descriptors: list[int]) -> JSON:
        name = request.name
        if self._enabled is None:
            return self._negotiate(request)
        if name == "qmp_capabilities" and not request.oob:
            raise QapiError("Capabilities negotiation is already complete, command ignored", ErrorClass.CommandNotFound)
        if name != "qmp_capabilities" and not self.dispatcher.known(name):
            raise _no_such(name)
        if request.oob and (name == "qmp_capabilities" or not self.dispatcher.is_oob_allowed(name)):
            raise QapiError(f"The command {name} does not support OOB")
        token = current_monitor.set(CommandContext(descriptors))
        try:
            return await self.dispatcher.execute(name, request.arguments)
        finally:
            current_monitor.reset(token)

    def _negotiate(self, request: Request) -> JSON:
        if request.name != "qmp_capabilities":
            raise QapiError("Expecting capabilities negotiation with 'qmp_capabilities'", ErrorClass.CommandNotFound)
        self._enabled = parse_capabilities(request.arguments, CAPABILITIES)
        return {}

    # -- output --------------------------------------------------------------------------------------------------------

    def _send(self, message: JSON) -> None:
        self._write(encode(message, pretty=self.pretty))

    def _write(self, text: bytes) -> None:
        if not self.closed:
            self.link.write(text)

    def event(self, name: str, message: dict[str, JSON]) -> None:
        """Tell of an event, now or when the client reads again."""
        if not self.negotiated or self.closed:
            return
        if not self._events and not self._congested:
            self._send(message)
            return
        if len(self._events) >= MOST_EVENTS:
            drop_one(self._events)
            if not self._lost_events:
                self._lost_events = True
                print("pyqemu: a QMP client does not read: it misses events", file=sys.stderr)
        self._events.append((name, message))

    def drained(self) -> None:
        """The client has taken all output."""
        while self._events and not self._congested:
            self._send(self._events.popleft()[1])
        self._lost_events = bool(self._events)
        self._go_on()
        self.link.accept_input()
