"""A machine with a loop, and a frontend that remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from pyqemu.chardev import Chardev, ChardevEvent
from pyqemu.chardev.stdio import StdioChardev
from pyqemu.system import System


class Frontend:
    """Takes up to ``room`` bytes."""

    def __init__(self, chardev: Chardev, room: int = 1 << 20) -> None:
        self.room = room
        self.data = b""
        self.events: list[ChardevEvent] = []
        self.chardev = chardev
        chardev.connect(self._receive, lambda: self.room, self.events.append)

    def _receive(self, data: bytes) -> None:
        assert len(data) <= self.room
        self.room -= len(data)
        self.data += data


class Host:
    """The machine; ``wait`` runs its loop until something is true."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.system = System(loop=self.loop)

    def wait(self, condition: Callable[[], object], seconds: float = 60) -> None:
        async def poll() -> None:
            while not condition():
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(asyncio.wait_for(poll(), seconds))


@pytest.fixture
def host() -> Iterator[Host]:
    """A machine whose loop runs only in ``wait``."""
    host = Host()
    yield host
    if StdioChardev._holder is not None:
        StdioChardev._holder.close()
    host.loop.close()


@pytest.fixture
def frontend() -> type[Frontend]:
    """The class of frontends."""
    return Frontend
