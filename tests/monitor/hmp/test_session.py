"""The monitor on a character device."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest

from pyqemu.chardev import Chardev, ChardevError, ChardevEvent
from pyqemu.chardev.mux import MuxChardev
from pyqemu.monitor.hmp import commands
from pyqemu.monitor.hmp.dispatch import Hmp
from pyqemu.monitor.hmp.session import HmpSession
from pyqemu.monitor.hmp.table import TABLE, CommandTable, hmp_command
from pyqemu.qapi.errors import QapiError
from pyqemu.system import System
from tests.monitor.hmp.machine import make_system

BANNER = "QEMU 2.6.50 monitor - type 'help' for more information\r\n"
PROMPT = "(qemu) "


class Line(Chardev):
    """A connection whose other end is the test."""

    def __init__(self, system: System) -> None:
        super().__init__("line", system)
        self.system = system
        self.sent = ""
        self.is_open = True

    def _write(self, data: bytes) -> None:
        self.sent += data.decode()

    def type(self, text: str) -> None:
        with self.system.lock:
            data = text.encode()
            while data:
                room = self.can_receive()
                assert room > 0
                self.on_receive(data[:room])
                data = data[room:]

    def take(self) -> str:
        """What was sent since the last look."""
        sent, self.sent = self.sent, ""
        return sent

    def hang_up(self) -> None:
        self._set_open(False)

    def dial(self) -> None:
        self._set_open(True)


def in_loop(test: Callable[[System, Line], Awaitable[None]]) -> None:
    async def main() -> None:
        system = make_system(asyncio.get_running_loop())
        await test(system, Line(system))

    asyncio.run(main())


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_greeting_command_answer_prompt() -> None:
    async def test(system: System, line: Line) -> None:
        HmpSession(system, line)
        assert line.take() == BANNER + PROMPT
        line.type("info status\r")
        await settle()
        assert line.take() == f"info status\r\nVM status: paused (prelaunch)\r\n{PROMPT}"
        line.type("\r")
        assert line.take() == f"\r\n{PROMPT}"

    in_loop(test)


def test_lines_that_come_together_are_done_one_after_another() -> None:
    async def test(system: System, line: Line) -> None:
        HmpSession(system, line)
        line.take()
        line.type("p 1\r\np 2\r\nfoo\r\ninfo history\r\n")
        await settle()
        answers = [text for text in line.take().split("\r\n") if not text.startswith(PROMPT)]
        assert answers == ["p 1", "0x1", "0x2", "unknown command: 'foo'",
                           "0: 'p 1'", "1: 'p 2'", "2: 'foo'", "3: 'info history'"]  # fmt: skip

    in_loop(test)


def slow_table(trace: list[str]) -> CommandTable:
    """A command that waits for ever, which *trace* hears of, beside a usual one."""
    table = CommandTable()

    @hmp_command("wait", "", "wait", table=table)
    async def wait(hmp: Hmp) -> None:
        trace.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            trace.append("ended")

    commands.load()
    usual = TABLE.find("print")
    assert usual is not None
    table.add(usual)
    return table


def test_ctrl_c_interrupts_a_command_that_waits() -> None:
    async def test(system: System, line: Line) -> None:
        trace: list[str] = []
        HmpSession(system, line, table=slow_table(trace))
        line.take()
        line.type("wait\rp 7\r")
        await settle()
        assert line.take() == "wait\r\n"  # no prompt, and what follows waits
        line.type("\x03")
        await settle()
        assert line.take() == f"interrupted\r\n{PROMPT}p 7\r\n0x7\r\n{PROMPT}"
        assert trace == ["begun", "ended"]

    in_loop(test)


def test_ctrl_c_at_the_prompt_clears_the_line() -> None:
    async def test(system: System, line: Line) -> None:
        HmpSession(system, line)
        line.type("quit")
        line.take()
        line.type("\x03\r")
        await settle()
        assert line.take() == f"^C\r\n{PROMPT}\r\n{PROMPT}"
        assert system.exit_code is None

    in_loop(test)


def test_end_of_the_session_ends_its_command() -> None:
    async def test(system: System, line: Line) -> None:
        trace: list[str] = []
        session = HmpSession(system, line, table=slow_table(trace))
        line.type("wait\r")
        await settle()
        session.close()
        await settle()
        assert trace == ["begun", "ended"]
        assert not line.in_use

    in_loop(test)


def test_every_connection_is_greeted() -> None:
    async def test(system: System, line: Line) -> None:
        line.is_open = False
        HmpSession(system, line)
        assert line.take() == ""
        line.dial()
        assert line.take() == BANNER + PROMPT
        line.type("half a li")
        line.hang_up()
        line.take()
        line.dial()
        assert line.take() == BANNER + PROMPT
        line.type("p 1\r")
        await settle()
        assert line.take() == f"p 1\r\n0x1\r\n{PROMPT}"

    in_loop(test)


def test_flood_is_held_back() -> None:
    async def test(system: System, line: Line) -> None:
        HmpSession(system, line)
        with system.lock:
            line.on_receive(b"p 1\r" * 2000)  # more than there is room for
            assert line.can_receive() == 0
        while line.can_receive() == 0:
            await asyncio.sleep(0)
        await settle()

    in_loop(test)


def test_completion_and_history_by_keys() -> None:
    async def test(system: System, line: Line) -> None:
        HmpSession(system, line)
        line.type("info stat\t\r")
        await settle()
        assert "VM status: paused" in line.take()
        line.type("\x1b[A")
        assert line.take() == "info status \x1b[K"

    in_loop(test)


def test_chardev_in_use_is_refused() -> None:
    async def test(system: System, line: Line) -> None:
        HmpSession(system, line)
        with pytest.raises(ChardevError, match="in use"):
            HmpSession(system, line)

    in_loop(test)


def test_on_a_multiplexer_the_monitor_waits_for_its_turn() -> None:
    async def test(system: System, line: Line) -> None:
        mux = MuxChardev("mux", system, line)
        mux.open()
        serial = mux.claim()
        seen: list[bytes] = []
        serial.connect(seen.append, lambda: 100)
        HmpSession(system, mux)
        assert line.take() == ""  # the terminal is the serial port's
        line.type("x\x01c")
        assert line.take() == BANNER + PROMPT
        line.type("p 5\r")
        await settle()
        assert line.take() == f"p 5\r\n0x5\r\n{PROMPT}"
        line.type("half\x01c")
        assert line.take() == "half\r\n"
        line.type("y\x01c")
        assert line.take() == PROMPT
        assert seen == [b"x", b"y"]

    in_loop(test)


def test_events_that_mean_nothing_to_a_monitor() -> None:
    async def test(system: System, line: Line) -> None:
        HmpSession(system, line)
        line.take()
        line.on_event(ChardevEvent.BREAK)
        assert line.take() == ""

    in_loop(test)


def test_descriptors_that_nobody_takes_are_closed_with_the_connection() -> None:
    async def test(system: System, line: Line) -> None:
        session = HmpSession(system, line)
        taken, left = os.pipe()
        line.descriptors += [taken, left]
        line.type("\r")
        assert line.descriptors == []
        assert session.take_descriptor() == taken
        line.hang_up()
        line.dial()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(left)
        with pytest.raises(QapiError, match="SCM_RIGHTS"):
            session.take_descriptor()
        os.close(taken)

    in_loop(test)
