"""Monitors of the program: wherever they are, what is said to them, and what they still say in the end."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import socket
import subprocess
import tempfile
import termios
import tty
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from program import COMMAND, AtTerminal, Piped, environment
from wire import Wire, connect

from tests.ports import free_port

EMPTY = ("-M", "none", "-display", "none")
PC = ("-M", "pc", "-nodefaults", "-display", "none")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose name leaves room for that of a socket."""
    with tempfile.TemporaryDirectory(prefix="pyqemu-") as path:
        yield Path(path)


def converse(wire: Wire) -> None:
    """A whole conversation: the last reply and the last event reach the client before the end."""
    wire.greet()
    assert wire.ask("query-status")["status"] == "prelaunch"
    assert wire.ask("quit") == {}
    wire.read_to_end()
    assert wire.events[-1] == "SHUTDOWN"


def over_socket(process: Piped, where: Path | tuple[str, int]) -> None:
    with closing(connect(where)) as peer:
        converse(Wire(peer.fileno()))
    status, errors = process.finish()
    assert (status, errors) == (0, "")


@pytest.mark.parametrize("machine", [EMPTY, PC], ids=["none", "pc"])
@pytest.mark.parametrize("flags", ["server,nowait", "server=on,wait=off"])
def test_qmp_over_unix(directory: Path, machine: tuple[str, ...], flags: str) -> None:
    path = directory / "q"
    with Piped([*machine, "-S", "-qmp", f"unix:{path},{flags}"]) as process:
        over_socket(process, path)
    assert not path.exists()


def test_qmp_over_tcp() -> None:
    port = free_port()
    with Piped([*EMPTY, "-S", "-qmp", f"tcp:127.0.0.1:{port},server,nowait"]) as process:
        over_socket(process, ("127.0.0.1", port))


def test_qmp_on_a_chardev(directory: Path) -> None:
    path = directory / "q"
    options = ["-chardev", f"socket,id=c,path={path},server=on,wait=off", "-mon", "chardev=c,mode=control,id=m"]
    with Piped([*EMPTY, "-S", *options]) as process:
        over_socket(process, path)


def test_qmp_on_standard_input_and_output() -> None:
    with Piped([*EMPTY, "-S", "-qmp", "stdio"]) as process:
        assert process.process.stdout is not None and process.process.stdin is not None
        converse(Wire(process.process.stdout.fileno(), process.process.stdin.fileno()))
        assert process.process.wait() == 0


def test_qmp_on_a_pseudo_terminal(directory: Path) -> None:
    """Another monitor knows its name."""
    path = directory / "q"
    with (
        Piped([*EMPTY, "-S", "-qmp", "pty", "-qmp", f"unix:{path},server,nowait"]) as process,
        closing(connect(path)) as peer,
    ):
        other = Wire(peer.fileno()).greet()
        chardevs = {each["label"]: each["filename"] for each in other.ask("query-chardev")}
        terminal = os.open(chardevs["compat_monitor0"].removeprefix("pty:"), os.O_RDWR | os.O_NOCTTY)
        tty.setraw(terminal, termios.TCSANOW)  # and what has come already stays
        assert Wire(terminal).greet().ask("query-status")["status"] == "prelaunch"
        assert other.ask("quit") == {}  # when a terminal's other end goes, the host forgets what nobody has read yet
        assert process.finish()[0] == 0
        os.close(terminal)


def test_qmp_on_an_inherited_socket() -> None:
    """As libvirt starts us: it listens already, and we accept."""
    with socket.socket(socket.AF_UNIX) as listener, tempfile.TemporaryDirectory() as place:
        listener.bind(f"{place}/q")
        listener.listen(1)
        fd = listener.fileno()
        options = ["-chardev", f"socket,id=c,fd={fd},server=on,wait=off", "-mon", "chardev=c,mode=control"]
        process = subprocess.Popen([*COMMAND, *EMPTY, "-S", *options], env=environment(), pass_fds=[fd])
        try:
            with closing(connect(Path(place, "q"))) as peer:
                converse(Wire(peer.fileno()))
            assert process.wait() == 0
        finally:
            process.kill()
            process.wait()


def test_pretty(directory: Path) -> None:
    path = directory / "q"
    with Piped([*EMPTY, "-S", "-qmp-pretty", f"unix:{path},server,nowait"]), closing(connect(path)) as peer:
        text = b""
        while not text.endswith(b"}\r\n"):  # the end of the outermost object
            text += peer.recv(65536)
        assert text.count(b"\n") > 5
        assert json.loads(text)["QMP"]


def test_several_monitors_at_once(directory: Path) -> None:
    """Each is told; a reply goes only to who asked."""
    paths = [directory / name for name in "abc"]
    options = [word for path in paths[:2] for word in ("-qmp", f"unix:{path},server,nowait")]
    with Piped([*EMPTY, "-S", *options, "-monitor", f"unix:{paths[2]},server,nowait"]) as process:
        peers = [connect(path) for path in paths]
        first, second = (Wire(peer.fileno()).greet() for peer in peers[:2])
        peers[2].sendall(b"cont\n")
        for wire in (first, second):
            assert (wire.message() or {})["event"] == "RESUME"
        assert second.ask("query-status")["status"] == "running"
        assert first.ask("quit") == {}
        for wire in (first, second):
            wire.read_to_end()
            assert wire.events == ["RESUME", "SHUTDOWN"]
        assert process.finish() == (0, "")
        for peer in peers:
            peer.close()


def test_clients_may_come_again(directory: Path) -> None:
    path = directory / "q"
    with Piped([*EMPTY, "-S", "-qmp", f"unix:{path},server,nowait"]) as process:
        for _ in range(3):
            with closing(connect(path)) as peer:
                assert Wire(peer.fileno()).greet().ask("query-name") == {}
        over_socket(process, path)


def test_a_client_that_hangs_up_at_once_is_obeyed(directory: Path) -> None:
    """``echo ... | socat - UNIX:q`` is how people try it."""
    path = directory / "q"
    with Piped([*EMPTY, "-S", "-qmp", f"unix:{path},server,nowait"]) as process, closing(connect(path)) as peer:
        peer.sendall(b'{"execute":"qmp_capabilities"}{"execute":"cont"}{"execute":"stop"}{"execute":"quit"}')
        peer.shutdown(socket.SHUT_WR)
        assert process.finish() == (0, "")
        text = b"".join(iter(lambda: peer.recv(65536), b""))
        assert text.count(b'{"return": {}}') == 4


def test_human_monitor_at_a_terminal() -> None:
    with AtTerminal(*EMPTY, "-S", "-monitor", "stdio") as terminal:
        terminal.wait_for(b"(qemu)")
        terminal.type(b"info status\r")
        terminal.wait_for(b"VM status: paused (prelaunch)")
        terminal.type(b"quit\r")
        assert terminal.finish() == 0
        assert terminal.settings == terminal.before


def test_human_monitor_without_a_terminal() -> None:
    with Piped([*EMPTY, "-S", "-monitor", "stdio"]) as process:
        process.wait_for(b"(qemu) ")
        process.type(b"info status\n")
        process.wait_for(b"VM status: paused (prelaunch)")
        process.type(b"quit\n")
        assert process.finish() == (0, "")


def test_human_monitor_over_telnet() -> None:
    port = free_port()
    with (
        Piped([*EMPTY, "-S", "-monitor", f"telnet:127.0.0.1:{port},server,nowait"]) as process,
        closing(connect(("127.0.0.1", port))) as peer,
        peer.makefile("rwb", buffering=0) as file,
    ):
        seen = b""
        while b"(qemu) " not in seen:
            seen += file.read(4096)
        assert seen.startswith(b"\xff\xfb\x01")  # IAC WILL ECHO: the client shall not show what is typed by itself
        file.write(b"info status\r\n")
        while b"prelaunch" not in seen:
            seen += file.read(4096)
        file.write(b"quit\r\n")
        assert process.finish() == (0, "")


def test_monitor_beside_the_serial_port() -> None:
    with Piped(["-nographic", "-S"]) as process:
        process.type(b"\x01c")
        process.wait_for(b"(qemu) ")
        process.type(b"info status\n")
        process.wait_for(b"prelaunch")
        process.type(b"quit\n")
        assert process.finish()[0] == 0


def test_end_by_a_signal_is_told(directory: Path) -> None:
    path = directory / "q"
    with Piped([*EMPTY, "-qmp", f"unix:{path},server,nowait"]) as process, closing(connect(path)) as peer:
        wire = Wire(peer.fileno()).greet()
        process.process.terminate()
        last = None
        while (message := wire.message()) is not None:
            last = message
        assert last is not None
        assert last["event"] == "SHUTDOWN"
        assert last["data"] == {"guest": False, "reason": "host-signal"}
        assert process.finish()[0] == 0


def test_pseudo_terminals_are_named_where_nobody_could_ask() -> None:
    with Piped([*EMPTY, "-S", "-monitor", "pty"]) as process:
        assert process.process.stderr is not None
        line = process.process.stderr.readline()
        found = re.fullmatch(rb"char device redirected to (\S+) \(label compat_monitor0\)\n", line)
        assert found is not None
        assert Path(os.fsdecode(found[1])).is_char_device()


def test_a_terminal_of_our_own_can_be_the_chardev() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    with Piped([*EMPTY, "-S", "-qmp", os.ttyname(slave)]) as process:
        assert Wire(master).greet().ask("quit") == {}
        assert process.finish() == (0, "")
    os.close(master)
    os.close(slave)


def test_human_monitor_on_a_text_console() -> None:
    """At a terminal, with the guest's screen: Ctrl-A 2 shows the monitor."""
    with AtTerminal() as terminal:
        terminal.wait_for(b"Welcome inside")
        terminal.type(b"\x012")
        terminal.wait_for(b"(qemu)")
        terminal.type(b"info status\r")
        terminal.wait_for(b"VM status: running")
        terminal.type(b"quit\r")
        assert terminal.finish() == 0
        assert terminal.settings == terminal.before


@pytest.mark.parametrize(
    ("arguments", "display"), [(["-monitor", "none", "-serial", "none"], "none"), ([], "curses"), ([], "none")]
)
def test_who_looks_at_no_monitor_does_not_wait_for_one(arguments: list[str], display: str) -> None:
    """Loading one takes longer than all the rest of the start."""
    program = f"""if True:
        import sys
        from pyqemu.api.machine import Machine
        from pyqemu.cli.defaults import parse_command_line
        line = parse_command_line("pyqemu", [*{arguments!r}, "-display", {display!r}, "-S"], interactive=True)
        with Machine(line.config) as machine:
            machine.start()
            from pyqemu.cli.display import make_display
            make_display(machine)
            print([name for name in sys.modules if name.startswith(("pyqemu.monitor.hmp", "pyqemu.monitor.qmp"))])
    """
    result = subprocess.run([COMMAND[0], "-c", program], env=environment(), capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_the_reason_is_told_before_the_monitors_close(directory: Path) -> None:
    """libvirt looks for it when the monitor is gone."""
    path = directory / "q"
    waits = f"socket,id=c,path={path},server=on,wait=on"
    with Piped([*PC, "-chardev", waits, "-mon", "chardev=c,mode=control", "-device", "e999"]) as process:
        assert process.process.stderr is not None
        assert b"waiting for connection" in process.process.stderr.readline()
        with closing(connect(path)) as peer:
            assert peer.recv(4096) == b""
        assert select.select([process.process.stderr], [], [], 0)[0]
        assert b"e999" in process.process.stderr.readline()
        assert process.finish() == (1, "")
