"""A loop, a client without a socket, and commands without a machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from pyqemu.monitor.current import take_descriptor
from pyqemu.monitor.qmp.session import Session
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.util.errors import UserError


class FakeDispatcher:
    """``query-name`` answers at once, ``slow`` when told to; ``quick`` may be executed out of band."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.gate = asyncio.Event()
        self.emit: Callable[[], None] = lambda: None

    def known(self, name: str) -> bool:
        return hasattr(self, f"do_{name.replace('-', '_')}")

    def is_oob_allowed(self, name: str) -> bool:
        return name == "quick"

    def execute(self, name: str, arguments: dict[str, Any]) -> Awaitable[Any]:
        self.calls.append((name, arguments))
        result: Awaitable[Any] = getattr(self, f"do_{name.replace('-', '_')}")(**arguments)
        return result

    async def do_query_name(self) -> object:
        return {"name": "guest"}

    async def do_quick(self) -> object:
        return {"quick": True}

    async def do_slow(self) -> object:
        await self.gate.wait()
        return {}

    async def do_stop(self) -> object:
        self.emit()
        return {}

    async def do_big(self, size: int = 100_000) -> object:
        return "x" * size

    async def do_refuse(self) -> object:
        raise QapiError("Device 'x' not found", ErrorClass.DeviceNotFound)

    async def do_mistake(self) -> object:
        raise UserError("the operator's mistake", "a hint")

    async def do_bug(self) -> object:
        raise ZeroDivisionError("oops")

    async def do_nonsense(self) -> object:
        return float("inf")

    async def do_getfd(self) -> object:
        return take_descriptor()


class FakeLink:
    """Keeps what is written; reads it only if ``reading``."""

    def __init__(self) -> None:
        self.output = b""
        self.reading = True
        self.unread = 0
        self.resumed = 0

    @property
    def backlog(self) -> int:
        return self.unread

    def write(self, data: bytes) -> None:
        self.output += data
        if not self.reading:
            self.unread += len(data)

    def accept_input(self) -> None:
        self.resumed += 1


class Client:
    """A session and its other end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, pretty: bool = False) -> None:
        self.loop = loop
        self.link = FakeLink()
        self.dispatcher = FakeDispatcher()
        self.session = Session(self.link, self.dispatcher, loop.create_task, pretty=pretty)
        self.session.open()

    def turn(self, turns: int = 20) -> None:
        """Let the loop do what it has to do."""

        async def wait() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)

        self.loop.run_until_complete(wait())

    def answers(self) -> list[Any]:
        """What has come since the last call."""
        self.turn()
        text, self.link.output = self.link.output.decode("ascii"), b""
        return [json.loads(line) for line in text.splitlines()]

    def ask(self, data: bytes | object, descriptors: tuple[int, ...] = ()) -> list[Any]:
        """Send bytes, or something as JSON, and see what comes back."""
        self.session.receive(data if isinstance(data, bytes) else json.dumps(data).encode(), descriptors)
        return self.answers()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs only when told to."""
    loop = asyncio.new_event_loop()
    yield loop
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


@pytest.fixture
def new_client(loop: asyncio.AbstractEventLoop) -> Client:
    """A client that has only just connected."""
    return Client(loop)


@pytest.fixture
def client(new_client: Client) -> Client:
    """A client after negotiation."""
    new_client.ask({"execute": "qmp_capabilities"})
    return new_client


@pytest.fixture
def oob_client(new_client: Client) -> Client:
    """A client after negotiation of out-of-band execution."""
    new_client.ask({"execute": "qmp_capabilities", "arguments": {"enable": ["oob"]}})
    return new_client


@pytest.fixture
def make_client(loop: asyncio.AbstractEventLoop) -> Callable[..., Client]:
    """For a client with options."""
    return lambda **options: Client(loop, **options)


@pytest.fixture
def dispatcher() -> FakeDispatcher:
    """Commands without a machine."""
    return FakeDispatcher()
