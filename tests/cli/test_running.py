"""The program with a guest in it: how it starts, how it ends, and what becomes of images and the terminal."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import program
import pytest
from program import PATIENCE, AtTerminal, Piped

from pyqemu.cli.main import main
from pyqemu.guest import WRITE_SECTOR

PROMPT = b"> "
CLEAR = b"\x1b[0;1;33m> "


def written(image: Path) -> int:
    """How many times the guest's write test has run on that image."""
    sector = image.read_bytes()[WRITE_SECTOR * 512 :][:512]
    if not sector.startswith(b"pyqemu write test"):
        return 0
    assert zlib.crc32(sector[:508]) == struct.unpack("<I", sector[508:])[0]
    return int(struct.unpack_from("<I", sector, 20)[0])


def test_first_command_of_the_readme() -> None:
    with Piped(["-nographic"]) as process:
        process.wait_for(PROMPT)
        assert b"Welcome inside" in process.output
        process.type(b"d")
        process.wait_for(PROMPT, 2)
        assert process.output.count(b"ok") >= 2
        process.type(b"\x01x")
        status, errors = process.finish()
    assert status == 0
    assert (
        errors == "pyqemu: no disk image given: starting the built-in guest (what it writes to its disk is forgotten)\n"
    )
    assert process.output.endswith(b"QEMU: Terminated\r\n")


def test_keys_of_the_multiplexer() -> None:
    with Piped(["-nographic"]) as process:
        process.wait_for(PROMPT)
        process.type(b"\x01h")
        process.wait_for(b"exit emulator")
        process.type(b"\x01c")
        process.wait_for(b"(qemu) ")
        process.type(b"\x01x")
        assert process.finish()[0] == 0


def test_guest_that_turns_itself_off() -> None:
    with Piped(["-nographic"]) as process:
        process.wait_for(PROMPT)
        process.type(b"p")
        assert process.finish()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_in_order_and_images_are_whole(number: signal.Signals, guest_image: Path) -> None:
    with Piped(["-display", "none", "-serial", "stdio", str(guest_image)]) as process:
        process.wait_for(PROMPT)
        process.type(b"w")
        process.wait_for(PROMPT, 2)
        process.process.send_signal(number)
        status, errors = process.finish()
    assert status == 0
    assert errors == f"pyqemu: terminating on signal {number.value} ({number.name})\n"
    assert written(guest_image) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_also_where_nobody_reads_what_it_says(number: signal.Signals, guest_image: Path) -> None:
    """``pyqemu … 2>&1 | head``."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "pyqemu", "-display", "none", "-serial", "stdio", str(guest_image)],
        stdin=subprocess.DEVNULL, stdout=writer, stderr=writer,
    )  # fmt: skip
    os.close(writer)
    assert os.read(reader, 1)
    os.close(reader)
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0


def test_snapshot_leaves_the_image_alone(guest_image: Path) -> None:
    before = guest_image.read_bytes()
    with Piped(["-nographic", "-snapshot", str(guest_image)]) as process:
        process.wait_for(PROMPT)
        process.type(b"w")
        process.wait_for(PROMPT, 2)
        assert b"run 1" in process.output
        process.type(b"\x01x")
        assert process.finish()[0] == 0
    assert guest_image.read_bytes() == before


def test_readonly_is_kept(guest_image: Path) -> None:
    before = guest_image.read_bytes()
    with Piped(["-nographic", "-drive", f"file={guest_image},format=raw,readonly=on"]) as process:
        process.wait_for(PROMPT)
        process.type(b"w")
        process.wait_for(PROMPT, 2)
        assert b"run 1" not in process.output
        process.type(b"\x01x")
        process.finish()
    assert guest_image.read_bytes() == before


def test_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Piped(["-nographic", "-d", "in_asm,int", "-D", str(log)]) as process:
        process.wait_for(PROMPT)
        tick = re.compile(r"^ *\d+: v=08 e=0000 i=0 cpl=0 IP=", re.MULTILINE)  # a timer interrupt
        deadline = time.monotonic() + PATIENCE
        while not tick.search(log.read_text()):
            assert time.monotonic() < deadline, "no timer interrupt in the log"
            time.sleep(0.1)
        process.type(b"\x01x")
        assert process.finish()[0] == 0
    text = log.read_text()
    assert "IN:\n0xfffffff0:  ljmp 0xf000:" in text  # the processor's first instruction
    assert "EFER=0000000000000000" in text


def test_terminal_is_left_as_it_was_found() -> None:
    with AtTerminal("-nographic") as terminal:
        terminal.wait_for(CLEAR)
        assert terminal.settings != terminal.before
        terminal.type(b"\x03")  # belongs to the guest
        terminal.wait_for(b"that key does nothing")
        terminal.type(b"\x01x")
        assert terminal.finish() == 0
        assert terminal.settings == terminal.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_terminal_after_a_signal(number: signal.Signals) -> None:
    with AtTerminal("-nographic") as terminal:
        terminal.wait_for(CLEAR)
        os.kill(terminal.process.pid, number)
        assert terminal.finish() == 0
        assert terminal.settings == terminal.before
        assert number.name.encode() in terminal.text


def test_terminal_after_bad_input() -> None:
    """The serial port has the terminal already when the bad kernel is found."""
    with AtTerminal("-nographic", "-kernel", "/dev/null") as terminal:
        assert terminal.finish() == 1
        assert terminal.settings == terminal.before
        assert b"/dev/null" in terminal.output


def test_control_c_with_serial_stdio() -> None:
    with AtTerminal("-display", "none", "-serial", "stdio") as terminal:
        terminal.wait_for(CLEAR)
        terminal.type(b"\x03")
        assert terminal.finish() == 0
        assert terminal.settings == terminal.before
        assert b"SIGINT" in terminal.output


def test_curses_shows_the_screen_and_takes_keys() -> None:
    """At a terminal it is what ``pyqemu`` does by itself."""
    with AtTerminal() as terminal:
        terminal.wait_for(b"Welcome inside")
        terminal.wait_for(b"restart")
        terminal.type(b"q")
        terminal.wait_for(b"that key does nothing")
        terminal.type(b"\x01x")
        assert terminal.finish() == 0
        assert terminal.settings == terminal.before
        assert b"\x1b[?1049l" in terminal.output  # out of the alternate screen


def test_curses_gives_the_terminal_back_on_a_signal() -> None:
    with AtTerminal("-display", "curses") as terminal:
        terminal.wait_for(b"Welcome inside")
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.finish() == 0
        assert terminal.settings == terminal.before
        assert b"SIGTERM" in terminal.output


def test_curses_at_a_terminal_of_unknown_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = program.environment()
    monkeypatch.setattr(program, "environment", lambda: {**usual, "TERM": "no-such-terminal"})
    with AtTerminal("-display", "curses") as terminal:
        assert terminal.finish() == 1
        assert terminal.settings == terminal.before
        assert b"TERM" in terminal.output


def test_control_c_while_the_program_is_being_loaded(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pyqemu.cli.command.parse_command_line", interrupted)
    assert main([]) == 130
    assert capfd.readouterr() == ("", "")
