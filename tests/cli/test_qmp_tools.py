"""The tools of the public package ``qemu.qmp``, unmodified, at a terminal."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from program import PATIENCE, AtTerminal, Piped
from wire import Wire, connect

TOOLS = Path(sys.executable).parent
EMPTY = ("-M", "none", "-display", "none", "-S", "-name", "tiny")


def tool(name: str, needs: str) -> tuple[str, ...]:
    """The command of a tool; skips where it is not installed."""
    if not (TOOLS / name).exists() or importlib.util.find_spec(needs) is None:
        pytest.skip(f"{name} is not installed (pip install 'qemu.qmp[tui]')")
    return (str(TOOLS / name),)


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Piped, str]]:
    """A program with a QMP socket, and the socket's path."""
    with tempfile.TemporaryDirectory(prefix="pyqemu-") as directory:
        monkeypatch.setenv("HOME", directory)  # the tools keep a history there
        path = Path(directory, "q")
        with Piped([*EMPTY, "-qmp", f"unix:{path},server,nowait"]) as process:
            connect(path).close()
            yield process, str(path)


def test_qmp_shell(emulator: tuple[Piped, str]) -> None:
    process, path = emulator
    with AtTerminal(path, command=tool("qmp-shell", "qemu.qmp")) as shell:
        shell.wait_for(b"Connected to QEMU 7.2.0")
        shell.wait_for(b"(QEMU)")
        shell.type(b"query-status\r")
        shell.wait_for(b'"status": "prelaunch"')
        shell.type(b"qom-list path=/objects\r")
        shell.wait_for(b'[{"name": "type", "type": "string"}]')
        shell.type(b"query-na\t\r")  # it has asked for the commands
        shell.wait_for(b'{"return": {"name": "tiny"}}')
        shell.type(b"transaction( \r")
        shell.wait_for(b"TRANS>")
        shell.type(b")\r")
        shell.wait_for(b'{"return": {}}')
        shell.type(b"nonsense\r")
        shell.wait_for(b'"class": "CommandNotFound"')
        shell.type(b"cont\r")
        shell.type(b"\r")  # shows what events have come
        shell.wait_for(b"RESUME")
        shell.type(b"quit\r")
        assert process.finish() == (0, "")


def test_qmp_shell_for_the_human_monitor(emulator: tuple[Piped, str]) -> None:
    process, path = emulator
    with AtTerminal("-H", path, command=tool("qmp-shell", "qemu.qmp")) as shell:
        shell.wait_for(b"Welcome to the HMP shell!")
        shell.type(b"info status\r")
        shell.wait_for(b"VM status: paused (prelaunch)")
        shell.type(b"info name\r")
        shell.wait_for(b"tiny")
        shell.type(b"quit\r")
        assert process.finish()[0] == 0


class Screen(AtTerminal):
    """A terminal whose program draws what is new when a key is pressed."""

    def wait_for(self, text: bytes) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.output:
            assert time.monotonic() < end, f"{text!r} did not come; so far: {self.output!r}"
            self.type(b"\x1b[B")  # cursor down; from the messages into the editor
            self._more(0.2)


def test_qmp_tui(emulator: tuple[Piped, str]) -> None:
    """It asks for out-of-band execution, and shows replies and events as they come."""
    process, path = emulator
    with Screen(path, command=tool("qmp-tui", "urwid")) as screen, closing(connect(Path(path))) as peer:
        screen.wait_for(b"[Connected")
        screen.type(b'{"execute": "query-name"}')
        screen.type(b"\x1b\r")  # Alt-Enter sends
        screen.wait_for(b'"tiny"')
        Wire(peer.fileno()).greet().ask("cont")
        screen.wait_for(b'"RESUME"')
        screen.type(b'{"execute": "quit"}')
        screen.type(b"\x1b\r")
        screen.wait_for(b'"host-qmp-quit"')
        assert process.finish() == (0, "")
