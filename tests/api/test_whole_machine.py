"""The library on a guest that does everything: screen, keyboard, events, commands, the log of what ran."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import pyqemu
from pyqemu.api.outcomes import Exited, NotSeen, Shutdown
from pyqemu.guest import build_image
from pyqemu.qapi.errors import QapiError
from pyqemu.system import RunState, ShutdownCause


@pytest.fixture
def machine():
    with pyqemu.Machine(build_image(), memory="32M", args=["-name", "guinea"]) as machine:
        yield machine


def test_screen_and_keyboard(machine) -> None:
    shown = machine.screen.expect("restart", 60)
    assert "Welcome inside" in machine.serial.text
    assert shown == machine.screen.text()
    machine.type("d")
    machine.screen.expect("DATA.BIN", 60)
    assert machine.screen.png().startswith(b"\x89PNG\r\n\x1a\n")
    assert machine.screen.ppm().startswith(b"P6\n720 400\n255\n")
    with pytest.raises(NotSeen, match=r"DATA\.BIN"):
        machine.screen.expect("no such text", 0.2)
    machine.press("p")
    assert machine.run(60) == Shutdown(ShutdownCause.GUEST_SHUTDOWN)


def test_events(machine) -> None:
    machine.serial.expect("> ", 60)
    machine.press("p")
    assert machine.wait_for_event("SHUTDOWN", 60)["guest"] is True


def test_qmp_commands(machine) -> None:
    assert machine.state is RunState.PRELAUNCH
    assert machine.qmp("query-status")["running"] is False
    assert machine.qmp("query-name") == {"name": "guinea"}
    with pytest.raises(QapiError, match="has not been found"):
        machine.qmp("no-such-command")
    with pytest.raises(QapiError, match="unexpected"):
        machine.qmp("query-status", bad=1)
    machine.qmp("quit")
    assert machine.run() == Exited(0)


def test_end_that_comes_as_a_run_begins(machine, monkeypatch) -> None:
    runner = machine._runner
    begin = runner._begin

    def late(timeout: float | None) -> None:
        machine.qmp("quit")
        while runner._final is None:
            time.sleep(0.001)
        begin(timeout)

    monkeypatch.setattr(runner, "_begin", late)
    assert machine.run() == Exited(0)


def test_hmp_commands(machine) -> None:
    assert machine.hmp("info name") == "guinea\n"
    assert "EIP=0000fff0" in machine.hmp("info registers")
    assert machine.hmp("p $pc") == "0xfffffff0\n"
    assert "unknown command" in machine.hmp("frobnicate")


def test_power_button_and_reset(machine) -> None:
    machine.serial.expect("> ", 60)
    machine.powerdown()
    machine.wait_for_event("POWERDOWN", 0)
    machine.reset()
    machine.wait_for_event("RESET", 0)
    assert machine.cpu.pc == 0xFFFFFFF0
    machine.serial.expect("Welcome inside", 60)


def test_what_ran_last(machine) -> None:
    machine.serial.expect("> ", 60)
    assert machine.cpu.disassemble(0xFFFF0, 1)[0][1].startswith("ljmp")
    with pyqemu.Machine(build_image(), memory="32M", history=8, icount=True) as slow:
        here = slow.breakpoint(0x7C00)
        slow.run(60)
        here.remove()
        slow.step(3)
        last = slow.cpu.last_instructions(3)
        assert [address for address, _ in last] == sorted(address for address, _ in last)
        assert 0x7C00 <= last[0][0] < slow.cpu.pc


def test_image_given_as_bytes_is_gone_at_the_end(machine) -> None:
    drive = machine._core.drives.by_index("ide", 0)
    assert drive is not None
    directory = Path(machine._directory.name)
    assert directory.exists()
    machine.close()
    assert not directory.exists()


def test_closed_machines_give_everything_back() -> None:
    used = []
    for _ in range(4):
        with pyqemu.Machine(build_image(), memory="32M") as machine:
            machine.breakpoint(0x7C00)
            machine.run(60)
        used.append(len(list(Path("/proc/self/fd").iterdir())))
    assert used[1] == used[3]
