"""A machine with nothing in it but a number that counts, and halves of migration that send and load bytes."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyqemu.io.channel import Timeouts
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.halves import Control, Options
from pyqemu.migration.migration import Migration
from pyqemu.migration.stream import StreamReader, StreamWriter
from pyqemu.migration.transports import Host
from pyqemu.qapi.generated.types import MigrationStatus
from pyqemu.system import FakeClock, System

PATIENCE = 60  # seconds that a test waits for what must happen
HEADER = b"QEVM\0\0\0\3"
PATIENT = Timeouts(*[10 * PATIENCE] * 6)
QUICK = Timeouts(resolve=PATIENCE, connect=1, handshake=1, write=2, read=2, close=2)
"""For what happens when time runs out."""


@dataclass
class FakeSource:
    """Sends a header, then RAM in rounds, then devices.

    :ivar gates: names of phases at whose beginning it waits until the test sets the event
    """

    ram: bytes = bytes(range(256)) * 4096  # 1 MiB
    rounds: int = 4
    devices: bytes = b"devices" * 100
    gates: dict[str, threading.Event] = field(default_factory=dict)
    reached: dict[str, threading.Event] = field(default_factory=lambda: {name: threading.Event() for name in PHASES})
    broken: bool = False
    cleanups: int = 0
    options: Options = field(default_factory=Options)

    def _at(self, phase: str) -> None:
        self.reached[phase].set()
        if phase in self.gates:
            assert self.gates[phase].wait(PATIENCE)

    def setup(self, stream: StreamWriter, control: Control) -> None:
        self._at("setup")
        if self.broken:
            raise ZeroDivisionError("defect")
        self.control = control
        control.statistics.ram.total = len(self.ram) * self.rounds
        stream.write(HEADER + (len(self.ram) * self.rounds).to_bytes(8) + len(self.devices).to_bytes(8))
        self._done = 0

    def iterate(self, stream: StreamWriter) -> bool:
        self._at("ram")
        stream.write(self.ram)
        self._done += 1
        self.control.statistics.ram.transferred = stream.position
        return self._done == self.rounds

    def complete(self, stream: StreamWriter) -> None:
        self._at("devices")
        stream.write(self.devices)

    def cleanup(self) -> None:
        self.cleanups += 1


PHASES = ("setup", "ram", "devices")


@dataclass
class FakeDestination:
    """Loads what :class:`FakeSource` sends.

    :ivar stop_after: phases at whose end it complains, and so closes the connection
    """

    stop_after: str = ""
    gate: threading.Event | None = None  # before anything is read
    ram: bytes = b""
    devices: bytes = b""
    completed: bool = False
    cleanups: int = 0

    is_running: bool = False

    def load(self, stream: StreamReader, enter: Callable[[MigrationStatus], None]) -> None:
        if self.gate is not None:
            assert self.gate.wait(PATIENCE)
        header = stream.read(24)
        self._stop("setup")
        self.ram = stream.read(int.from_bytes(header[8:16]))
        self._stop("ram")
        self.devices = stream.read(int.from_bytes(header[16:]))
        self._stop("devices")

    def _stop(self, phase: str) -> None:
        if self.stop_after == phase:
            raise MigrationError("something is wrong with the machine", f"found after {phase}")

    def complete(self) -> None:
        self.completed = True

    def cleanup(self) -> None:
        self.cleanups += 1


class Side:
    """One program: a machine and its migrations; everything it says is remembered."""

    def __init__(
        self,
        source: FakeSource | None = None,
        destination: FakeDestination | None = None,
        timeouts: Timeouts = PATIENT,
    ) -> None:
        self.loop = asyncio.new_event_loop()
        self.system = System(clock=FakeClock(), loop=self.loop)
        self.source = source or FakeSource()
        self.destination = destination or FakeDestination()
        self.objects: dict[str, object] = {}
        self.lines: list[str] = []
        self.events: list[tuple[str, str]] = []
        self.system.event_sinks.append(self._hear)
        self.migration = Migration(
            self.system,
            make_source=lambda options: self.source,
            make_destination=lambda: self.destination,
            host=Host(find_object=self.objects.get, timeouts=timeouts),
            log=self.lines.append,
        )
        self.system.add_part(self.migration)

    def _hear(self, event: str, data: dict[str, object]) -> None:
        self.events.append((event, str(data.get("status", ""))))

    @property
    def statuses(self) -> list[str]:
        """Of the MIGRATION events so far."""
        return [status for event, status in self.events if event == "MIGRATION"]

    def migrate(self, uri: str) -> None:
        """Begin to send."""
        with self.system.lock:
            self.migration.migrate(uri)

    def wait(self) -> str:
        """Wait for the end of sending; returns why it failed, or the status."""
        outgoing = self.migration.outgoing
        assert outgoing is not None
        assert outgoing.over.wait(PATIENCE), "migration hangs"
        state = outgoing.state
        return str(state.failure) if state.failure is not None else str(state.status)

    def send(self, uri: str) -> str:
        """Begin to send, and wait for the end."""
        self.migrate(uri)
        return self.wait()

    def expect(self, uri: str) -> str:
        """Let somebody in; returns the URI to send to, where it has a port that was chosen."""
        self.migration.expect_incoming("defer")
        self.migration.start_incoming(uri)
        incoming = self.migration.incoming
        assert incoming is not None
        if incoming.listener is not None and incoming.listener.addresses:
            return f"tcp:{uri.split(':')[1]}:{incoming.listener.addresses[0].where[1]}"
        return uri

    def wait_loaded(self) -> str:
        """Wait for the end of loading; returns why it failed, or the status."""
        incoming = self.migration.incoming
        assert incoming is not None
        assert incoming.over.wait(PATIENCE), "incoming migration hangs"
        return str(incoming.state.failure) if incoming.state.failure is not None else str(incoming.state.status)

    def close(self) -> None:
        """The program ends."""
        self.migration.close()
        self.loop.close()


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    pause = threading.Event()
    for _ in range(PATIENCE * 500):
        if condition():
            return
        pause.wait(0.002)
    raise AssertionError("it does not happen")


@contextmanager
def nothing_leaks() -> Iterator[None]:
    """Descriptors and threads are given back."""
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    yield
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= descriptors and threading.active_count() <= threads)
