"""The server on chardevs, spoken to by the public client ``qemu.qmp`` and by plain sockets."""

from __future__ import annotations

import array
import asyncio
import json
import os
import socket
import threading
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest
from qemu.qmp import ExecuteError, QMPClient

from pyqemu.chardev import Chardevs
from pyqemu.monitor.current import take_descriptor
from pyqemu.monitor.qmp.dispatch import LONGEST_HOLD, QapiDispatcher
from pyqemu.monitor.qmp.server import QmpServer, attach_qmp, event_hub
from pyqemu.qapi.commands import Registry
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.qapi.generated.types import NameInfo
from pyqemu.qapi.visit import VISITOR
from pyqemu.system import System, biglock

PATIENCE = 60.0  # seconds; only a failure takes that long


class Machine:
    """A machine with QMP on a UNIX socket, and commands to try it with."""

    def __init__(self, loop: asyncio.AbstractEventLoop, folder: Path) -> None:
        self.loop = loop
        self.system = System(loop=loop)
        self.path = str(folder / "qmp")
        self.table = Chardevs(self.system)
        self.gate, self.begun = asyncio.Event(), asyncio.Event()
        self.threads: list[int] = []
        self.dispatcher = QapiDispatcher(self.system, self.registry())

    def registry(self) -> Registry:
        registry = Registry(COMMANDS, VISITOR)

        @registry.command("query-name")
        def query_name(system: System) -> NameInfo:
            assert system.lock._is_owned()  # type: ignore[attr-defined]
            self.threads.append(threading.get_ident())
            return NameInfo(name="guest")

        @registry.command("stop")
        def stop(system: System) -> None:
            system.emit("STOP")

        @registry.command("device_del")
        async def device_del(system: System, *, id: str) -> None:
            assert not system.lock._is_owned()  # type: ignore[attr-defined]
            self.begun.set()
            await self.gate.wait()
            raise QapiError(f"Device '{id}' not found", ErrorClass.DeviceNotFound)

        @registry.command("getfd")
        def getfd(system: System, *, fdname: str) -> None:
            with open(take_descriptor(), "w") as file:
                file.write(fdname)

        @registry.command("human-monitor-command")
        def human_monitor_command(system: System, *, command_line: str, cpu_index: int | None = None) -> str:
            return command_line * 100_000

        return registry

    def serve(self, **options: str) -> QmpServer:
        options = {"path": self.path, "server": "on", "wait": "off"} | options
        chardev = self.table.create("socket", {"id": "qmp"} | options)
        return attach_qmp(self.system, chardev, dispatcher=self.dispatcher)

    def run(self, work: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, PATIENCE))


@pytest.fixture
def machine(loop: asyncio.AbstractEventLoop, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(loop, tmp_path)
    yield machine
    machine.table.close_all()
    loop.run_until_complete(asyncio.sleep(0.01))


async def raw(machine: Machine) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A plain client after negotiation."""
    reader, writer = await asyncio.open_unix_connection(machine.path, limit=1 << 24)
    await reader.readline()
    writer.write(b'{"execute":"qmp_capabilities"}')
    await reader.readline()
    return reader, writer


# -- the public client -------------------------------------------------------------------------------------------------


def test_the_public_client(machine: Machine) -> None:
    machine.serve()

    async def talk() -> None:
        client = QMPClient("tester")
        await client.connect(machine.path)
        assert client.greeting is not None and client.greeting.QMP.capabilities == ["oob"]
        assert await client.execute("query-name") == {"name": "guest"}
        with pytest.raises(ExecuteError, match="The command no-such has not been found") as caught:
            await client.execute("no-such")
        assert caught.value.error_class == "CommandNotFound"
        with pytest.raises(ExecuteError, match="Parameter 'x' is unexpected"):
            await client.execute("query-name", {"x": 1})
        with pytest.raises(ExecuteError, match="is not supported by this build"):
            await client.execute("query-tpm")
        with client.listener("STOP") as events:
            await client.execute("stop")
            event = await events.get()
        assert event["event"] == "STOP" and abs(event["timestamp"]["seconds"] - time.time()) < 60
        await client.disconnect()

    machine.run(talk())
    assert set(machine.threads) == {threading.get_ident()}


def test_many_clients_at_once(machine: Machine) -> None:
    """Each has its own session; a slow command of one holds up nobody else; all hear events."""
    server = machine.serve()

    async def talk() -> None:
        clients = [QMPClient(f"client {number}") for number in range(32)]
        await asyncio.gather(*(client.connect(machine.path) for client in clients))
        assert len(server.sessions) == 32
        slow = asyncio.create_task(clients[0].execute("device_del", {"id": "x"}))
        for _ in range(10):
            answers = await asyncio.gather(*(client.execute("query-name") for client in clients[1:]))
            assert answers == [{"name": "guest"}] * 31
        assert not slow.done()
        machine.gate.set()
        with pytest.raises(ExecuteError, match="Device 'x' not found"):
            await slow
        machine.system.emit("BALLOON_CHANGE", actual=5)
        for client in clients:
            assert (await client.events.get())["data"] == {"actual": 5}
        await asyncio.gather(*(client.disconnect() for client in clients))

    machine.run(talk())


def test_clients_come_and_go(machine: Machine) -> None:
    server = machine.serve()

    async def talk() -> None:
        for _ in range(20):
            client = QMPClient("again")
            await client.connect(machine.path)
            assert await client.execute("query-name") == {"name": "guest"}
            await client.disconnect()
        await raw(machine)
        assert len(server.sessions) <= 2

    machine.run(talk())


def test_tcp(machine: Machine) -> None:
    server = machine.serve(path="", host="127.0.0.1", port="0")

    async def talk() -> None:
        client = QMPClient("tcp")
        await client.connect(("127.0.0.1", server.chardev.port))  # type: ignore[attr-defined]
        assert await client.execute("query-name") == {"name": "guest"}
        await client.disconnect()

    machine.run(talk())


def test_a_client_that_was_waited_for(machine: Machine) -> None:
    """With ``wait=on`` the first client is there before the monitor is."""
    got: list[bytes] = []

    def connect() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            while client.connect_ex(machine.path):  # the name is there a moment before anybody listens
                time.sleep(0.001)
            got.append(client.recv(1000))

    thread = threading.Thread(target=connect)
    thread.start()
    machine.serve(wait="on")
    while thread.is_alive():
        machine.run(asyncio.sleep(0.001))
    assert b'"QMP"' in got[0]


# -- other chardevs ----------------------------------------------------------------------------------------------------


def test_as_client_of_a_socket(machine: Machine) -> None:
    """We connect to the other side, which is then served like any client."""

    async def talk() -> None:
        client = QMPClient("listening")
        await client.start_server(machine.path)
        machine.serve(server="off")
        await client.accept()
        assert await client.execute("query-name") == {"name": "guest"}
        await client.disconnect()

    machine.run(talk())


def test_on_a_pair_of_pipes(machine: Machine, tmp_path: Path) -> None:
    for end in ("in", "out"):
        os.mkfifo(tmp_path / f"p.{end}")
    attach_qmp(machine.system, machine.table.open(f"pipe:{tmp_path}/p", "qmp"), dispatcher=machine.dispatcher)
    with open(tmp_path / "p.in", "wb", buffering=0) as to_server, open(tmp_path / "p.out", "rb") as lines:
        to_server.write(b'{"execute":"qmp_capabilities"}{"execute":"query-name"}')
        greeting, *answers = machine.run(asyncio.to_thread(lambda: [json.loads(lines.readline()) for _ in range(3)]))
        assert "QMP" in greeting
        assert answers == [{"return": {}}, {"return": {"name": "guest"}}]


def test_pretty(machine: Machine) -> None:
    chardev = machine.table.create("socket", {"id": "qmp", "path": machine.path, "server": "on", "wait": "off"})
    attach_qmp(machine.system, chardev, pretty=True)

    async def talk() -> bytes:
        reader, _writer = await asyncio.open_unix_connection(machine.path)
        return await reader.readuntil(b"}\r\n")

    assert machine.run(talk()).startswith(b'{\n    "QMP"')


def test_closing_says_goodbye(machine: Machine) -> None:
    server = machine.serve()

    async def talk() -> None:
        reader, writer = await raw(machine)
        writer.write(b'{"execute":"device_del","arguments":{"id":"x"}}')
        await machine.begun.wait()
        server.close()
        assert await reader.read() == b""
        while server._tasks:
            await asyncio.sleep(0)
        assert not event_hub(machine.system).listeners

    machine.run(talk())


# -- descriptors, backpressure, the lock -------------------------------------------------------------------------------


def test_descriptors(machine: Machine) -> None:
    machine.serve()

    async def talk() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.setblocking(False)
            await machine.loop.sock_connect(client, machine.path)
            await machine.loop.sock_recv(client, 1000)
            pipes = [os.pipe() for _ in range(3)]
            client.send(b'{"execute":"qmp_capabilities"}')
            for number, (_, write_fd) in enumerate(pipes[:2]):
                text = b'{"execute":"getfd","arguments":{"fdname":"name %d"}}' % number
                rights = array.array("i", [write_fd])
                client.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            unwanted = array.array("i", [pipes[2][1]])
            client.sendmsg([b'{"execute":"query-name"}'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, unwanted)])
            client.send(b'{"execute":"getfd","arguments":{"fdname":"none"}}')
            answers = b""
            while answers.count(b"\n") < 5:
                answers += await machine.loop.sock_recv(client, 1000)
            assert b"No file descriptor supplied via SCM_RIGHTS" in answers.splitlines()[4]
            for _, write_fd in pipes:
                os.close(write_fd)
            assert [os.read(read_fd, 100) for read_fd, _ in pipes] == [b"name 0", b"name 1", b""]
            for read_fd, _ in pipes:
                os.close(read_fd)

    machine.run(talk())


def test_a_client_that_does_not_read(machine: Machine) -> None:
    """It may have as much output waiting as one reply is long; others are served meanwhile."""
    server = machine.serve()

    async def talk() -> None:
        _, lazy = await raw(machine)
        lazy.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(50):
            lazy.write(b'{"execute":"human-monitor-command","arguments":{"command-line":"0123456789"}}')
        reader, writer = await raw(machine)
        for _ in range(20):
            writer.write(b'{"execute":"query-name"}')
            assert b"guest" in await reader.readline()
        backlog = max(session.link.backlog for session in server.sessions)
        assert 0 < backlog < 1_100_000
        for _ in range(2000):
            machine.system.emit("STOP")
        assert max(session.link.backlog for session in server.sessions) == backlog
        lazy.transport.resume_reading()  # type: ignore[attr-defined]

    machine.run(talk())


def test_everything_comes_when_it_reads_again(machine: Machine) -> None:
    machine.serve()

    async def talk() -> None:
        reader, writer = await raw(machine)
        for number in range(30):
            writer.write(
                b'{"execute":"human-monitor-command","arguments":{"command-line":"0123456789"},"id":%d}' % number
            )
        await asyncio.sleep(0.1)
        for number in range(30):
            reply = json.loads(await reader.readline())
            assert reply["id"] == number and len(reply["return"]) == 1_000_000

    machine.run(talk())


def test_commands_wait_for_the_lock_together(machine: Machine) -> None:
    """While another thread has the lock, commands of several clients share one hand-over."""
    machine.serve()
    lock = machine.system.lock
    asked, handed_over = threading.Event(), []
    lock.on_contention = lambda: (handed_over.append(1), asked.set())

    def vcpu(ready: threading.Event) -> None:
        with lock:
            ready.set()
            asked.wait(PATIENCE)

    async def talk() -> None:
        clients = [await raw(machine) for _ in range(10)]
        ready = threading.Event()
        thread = threading.Thread(target=vcpu, args=(ready,))
        thread.start()
        ready.wait()
        for _, writer in clients:
            writer.write(b'{"execute":"query-name"}')
        for reader, _ in clients:
            assert b"guest" in await reader.readline()
        thread.join()

    machine.run(talk())
    assert len(handed_over) < 5


def test_the_lock_is_not_kept_for_a_long_row_of_commands(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes while it is carried out has the lock before its end."""
    held: list[float] = []
    waits = threading.Event()
    machine.system.lock.on_contention = waits.set
    monkeypatch.setattr(biglock, "PATIENCE", PATIENCE)
    registry = Registry(COMMANDS, VISITOR)

    @registry.command("query-name")
    def query_name(system: System) -> NameInfo:
        if not held:
            blocker.start()
        assert waits.wait(PATIENCE)
        time.sleep(LONGEST_HOLD * 1.5)
        held.append(time.monotonic())
        return NameInfo(name="guest")

    dispatcher = QapiDispatcher(machine.system, registry)
    taken: list[int] = []

    def grab() -> None:
        with machine.system.lock:
            taken.append(len(held))

    blocker = threading.Thread(target=grab)

    async def talk() -> None:
        await asyncio.gather(*(dispatcher._join(registry.find("query-name"), {}) for _ in range(4)))
        blocker.join()

    machine.run(talk())
    assert len(held) == 4 and taken == [1]
