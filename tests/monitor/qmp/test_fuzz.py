"""Mutated input: no crash, no hang, memory bounded, and the next good command is always answered.

20 000 cases, with ``--full`` a million; over a real socket a hundredth of that.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pyqemu.chardev import Chardevs
from pyqemu.monitor.qmp.dispatch import QapiDispatcher
from pyqemu.monitor.qmp.server import attach_qmp
from pyqemu.monitor.qmp.session import Session
from pyqemu.monitor.qmp.stream import JsonStream, Limits
from pyqemu.qapi.commands import Registry
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.qapi.generated.types import InputEvent, KeyValue
from pyqemu.qapi.visit import VISITOR
from pyqemu.system import System

MEMORY = 64 << 20  # bytes that the process may grow by
COMMANDS_SENT: list[Any] = [
    {"execute": "query-name", "id": 1},
    {"execute": "human-monitor-command", "arguments": {"command-line": "info version", "cpu-index": 0}, "id": "x"},
    {"execute": "send-key", "arguments": {"keys": [{"type": "qcode", "data": "a"}, {"type": "number", "data": 5}]}},
    {"execute": "input-send-event", "arguments": {"device": "d", "events": [
        {"type": "key", "data": {"down": True, "key": {"type": "qcode", "data": "ret"}}},
        {"type": "abs", "data": {"axis": "x", "value": -1}},
    ]}},
    {"exec-oob": "query-name", "id": [{"a": None}, 1.5]},
    {"execute": "qmp_capabilities", "arguments": {"enable": ["oob"]}},
    {"execute": "no-such", "arguments": {}},
]  # fmt: skip
ODD_VALUES: list[Any] = [
    None, True, 0, -1, 2**63, 2**64, 1e300, "", "é\u2028", "\x7f", [], {}, [[]], {"": {}}, "a" * 5000, [None] * 300,
]  # fmt: skip
ODD_BYTES = [
    b"\xff", b"\0", b"{", b"}", b"[", b"]", b",", b":", b'"', b"'", b"\\", b"\\u", b"\\ud800", b"\xc3", b"\xf4\x90",
    b"1e999", b"-", b"01", b"NaN", b"nul", b"@", b"\n", b"[" * 1100, b"{" * 600, b"9" * 5000, b"\x80" * 40,
]  # fmt: skip


def spoil(value: Any, rng: random.Random) -> Any:
    """The value with something within it changed."""
    if rng.random() < 0.15:
        return rng.choice(ODD_VALUES)
    if isinstance(value, dict) and value:
        changed = dict(value)
        key = rng.choice(list(changed))
        match rng.randrange(4):
            case 0:
                del changed[key]
            case 1:
                changed[rng.choice(["", "x", "id", "arguments", "execute", "exec-oob", "type"])] = changed.pop(key)
            case 2:
                changed["unexpected"] = rng.choice(ODD_VALUES)
            case _:
                changed[key] = spoil(changed[key], rng)
        return changed
    if isinstance(value, list) and value:
        place = rng.randrange(len(value))
        return [*value[:place], spoil(value[place], rng), *value[place + rng.randrange(2) :]]
    return rng.choice(ODD_VALUES)


def mutate(text: bytes, rng: random.Random) -> bytes:
    """The bytes with something cut out, doubled, or put in."""
    for _ in range(rng.randint(1, 3)):
        begin = rng.randint(0, len(text))
        end = min(len(text), begin + rng.randint(0, 6))
        middle = rng.choice([b"", text[begin:end] * 2, rng.choice(ODD_BYTES), rng.randbytes(rng.randint(1, 4))])
        text = text[:begin] + middle + text[end:]
    return text


def case(rng: random.Random) -> bytes:
    """One input."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randint(1, 200))
    parts = []
    for _ in range(rng.randint(1, 3)):
        value = rng.choice(COMMANDS_SENT)
        for _ in range(rng.randint(0, 3)):
            value = spoil(value, rng)
        text = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode()
        parts.append(mutate(text, rng) if rng.random() < 0.6 else text)
    return rng.choice([b"", b"\n", b"\r\n", b" "]).join(parts)


def pieces(data: bytes, rng: random.Random) -> list[bytes]:
    """The bytes as they may arrive."""
    if rng.random() < 0.5:
        return [data[begin : begin + 4096] for begin in range(0, len(data), 4096)]
    cuts = sorted({0, len(data), *(rng.randint(0, len(data)) for _ in range(3))})
    return [data[begin:end] for begin, end in pairwise(cuts)]


def some_handlers() -> Registry:
    """Commands that do nothing, but have arguments of all kinds."""
    registry = Registry(COMMANDS, VISITOR)

    @registry.command("human-monitor-command")
    def human_monitor_command(system: System, *, command_line: str, cpu_index: int | None = None) -> str:
        return command_line

    @registry.command("send-key")
    async def send_key(system: System, *, keys: list[KeyValue], hold_time: int | None = None) -> None:
        await asyncio.sleep(0)

    @registry.command("input-send-event")
    def input_send_event(
        system: System, *, device: str | None = None, head: int | None = None, events: list[InputEvent]
    ) -> None:
        assert isinstance(events, list)

    return registry


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def count(request: pytest.FixtureRequest, short: int) -> int:
    return short * 50 if request.config.getoption("--full") else short


class Link:
    """Keeps the last of the output."""

    backlog = 0
    output = b""

    def write(self, data: bytes) -> None:
        self.output = data

    def accept_input(self) -> None:
        """(Nothing to do.)"""


@pytest.mark.timeout(7200)
def test_sessions(
    request: pytest.FixtureRequest, rng: random.Random, loop: asyncio.AbstractEventLoop, capfd: Any
) -> None:
    """Many sessions, each with a few hundred inputs."""
    dispatcher = QapiDispatcher(System(loop=loop), some_handlers())

    async def one_session(cases: int) -> None:
        link = Link()
        session = Session(link, dispatcher, loop.create_task)
        session.open()
        session.receive(b'{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}')
        for number in range(cases):
            data = case(rng)
            text = b'\xff{"execute":"human-monitor-command","arguments":{"command-line":"still here"},"id":%d}' % number
            for piece in pieces(data + text, rng):
                session.receive(piece)
            expected = b'{"return": "still here", "id": %d}\r\n' % number
            for _ in range(6000):
                if link.output == expected:
                    break
                await asyncio.sleep(0)
            assert link.output == expected, data
            assert session.room() > 0 and session._stream.idle
        session.close()

    total = count(request, 20_000)
    loop.run_until_complete(one_session(500))
    before = resident()
    for _ in range(total // 500):
        loop.run_until_complete(one_session(500))
    assert resident() - before < MEMORY
    assert "Traceback" not in capfd.readouterr().err


def test_over_a_socket(
    request: pytest.FixtureRequest, rng: random.Random, loop: asyncio.AbstractEventLoop, tmp_path: Path, capfd: Any
) -> None:
    """The same, with clients that come, talk, leave in the middle, and do not always read."""
    system = System(loop=loop)
    path = str(tmp_path / "qmp")
    table = Chardevs(system)
    chardev = table.create("socket", {"id": "qmp", "path": path, "server": "on", "wait": "off"})
    attach_qmp(system, chardev, dispatcher=QapiDispatcher(system, some_handlers()))

    async def polite(cases: int) -> None:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}')
        for number in range(cases):
            data = case(rng)
            for piece in pieces(data, rng):
                writer.write(piece)
                await writer.drain()
            mark = b'"id": "M%d"}\r\n' % number
            writer.write(
                b'\xff{"execute":"human-monitor-command","arguments":{"command-line":"x"},"id":"M%d"}' % number
            )
            while not (await reader.readline()).endswith(mark):
                pass
        writer.close()
        await writer.wait_closed()

    async def rude() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.setblocking(False)
            await loop.sock_connect(client, path)
            for _ in range(20):
                try:
                    client.send(case(rng))
                except BlockingIOError:
                    break

    async def everybody() -> None:
        for _ in range(count(request, 200) // 20):
            await asyncio.wait_for(asyncio.gather(polite(10), rude(), rude(), polite(10)), 60)

    loop.run_until_complete(everybody())
    table.close_all()
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("piece", [b'{"a":', b'"' + b"x" * 4000, b"[", b"1" * 4000, b"{}"])
def test_messages_without_end_hit_the_limits(piece: bytes) -> None:
    """Scaled down: what is kept of an endless message stays within the limits."""
    stream = JsonStream(Limits(size=100_000, tokens=10_000, nesting=100))
    before = resident()
    for _ in range(5000):
        for _ in stream.feed(piece):
            pass
    assert resident() - before < MEMORY


def test_the_cases_are_varied(rng: random.Random, client: Any) -> None:
    """The fuzzer is of no use if all of its inputs end in the same complaint."""
    kinds = set()
    ask: Callable[[bytes], list[Any]] = client.ask
    for _ in range(300):
        for reply in ask(case(rng) + b"\xff"):
            kinds.add(reply["error"]["desc"][:24] if "error" in reply else "return")
    assert len(kinds) > 15
