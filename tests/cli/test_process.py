"""The process: its background life, its pid file, its user, its descriptors."""

from __future__ import annotations

import datetime
import os
import pwd
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from program import COMMAND, PATIENCE, Piped, environment, run
from wire import Wire, connect

EMPTY = ("-M", "none", "-display", "none")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose name leaves room for that of a socket."""
    with tempfile.TemporaryDirectory(prefix="pyqemu-") as path:
        yield Path(path)


class Daemon:
    """A program in the background, with a QMP socket and a pid file in *directory*."""

    def __init__(self, directory: Path, *arguments: str, machine: tuple[str, ...] = EMPTY) -> None:
        self.socket, self.pidfile = directory / "q", directory / "pid"
        result = run(*machine, "-qmp", f"unix:{self.socket},server,nowait", "-pidfile", str(self.pidfile),
                     "-daemonize", *arguments)  # fmt: skip
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        self.pid = int(self.pidfile.read_text())

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_alive():
            os.kill(self.pid, signal.SIGKILL)

    def is_alive(self) -> bool:
        """Whether it runs; one that nobody has taken leave of yet does not."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
        except OSError:
            return False

    def quit(self) -> None:
        """Ask it to end, and wait."""
        with closing(connect(self.socket)) as peer:
            wire = Wire(peer.fileno()).greet()
            wire.ask("quit")
            wire.read_to_end()
        end = time.monotonic() + PATIENCE
        while self.is_alive():
            assert time.monotonic() < end, "it does not end"
            time.sleep(0.01)


# --- -daemonize -------------------------------------------------------------------------------------------------------


def test_when_the_parent_ends_the_daemon_is_ready(directory: Path) -> None:
    """Clients need not wait for sockets or the pid file."""
    with Daemon(directory) as daemon:
        assert daemon.pidfile.read_bytes() == b"%d\n" % daemon.pid
        assert daemon.is_alive()
        with closing(connect(daemon.socket)) as peer:
            assert Wire(peer.fileno()).greet().ask("query-status")["running"]
        daemon.quit()
        assert not daemon.pidfile.exists()
        assert not daemon.socket.exists()


def test_a_daemon_is_detached(directory: Path) -> None:
    with Daemon(directory) as daemon:
        process = Path(f"/proc/{daemon.pid}")
        assert {os.readlink(process / f"fd/{number}") for number in range(3)} == {"/dev/null"}
        assert os.readlink(process / "cwd") == "/"
        assert os.getsid(daemon.pid) != os.getsid(0)
        assert os.getsid(daemon.pid) != daemon.pid  # or it could get a terminal again


def test_a_daemon_runs_its_guest(directory: Path, guest_image: Path) -> None:
    log = directory / "serial"
    machine = ("-display", "none", "-serial", f"file:{log}", "-monitor", "none", "-parallel", "none", str(guest_image))
    with Daemon(directory, machine=machine) as daemon:
        end = time.monotonic() + PATIENCE
        while b"Welcome inside" not in log.read_bytes():
            assert time.monotonic() < end, log.read_bytes()
            time.sleep(0.05)
        daemon.quit()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("-qmp", "tcp:127.0.0.1:{port},server,nowait"), "Address already in use"),
        (("-object", "nonsense,id=x"), "nonsense"),
        (("-hda", "/nowhere/x.img"), "/nowhere/x.img"),
        (("-pidfile", "/nowhere/pid"), "/nowhere/pid"),
        (("-monitor", "stdio"), "-daemonize"),
        (("-nographic",), "-daemonize"),
        (("-display", "curses"), "-daemonize"),
    ],
)
def test_a_daemons_mistake_is_told_by_its_parent(directory: Path, arguments: tuple[str, ...], names: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        words = [word.replace("{port}", str(other.getsockname()[1])) for word in arguments]
        result = run("-daemonize", "-pidfile", str(directory / "pid"), *words)
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert names in result.stderr
    assert not (directory / "pid").exists()


def test_a_daemon_that_dies_before_it_is_ready(directory: Path) -> None:
    """Nobody may take it for one that is ready."""
    waits = [*COMMAND, *EMPTY, "-daemonize", "-qmp", f"unix:{directory / 'q'},server"]
    with subprocess.Popen(waits, env=environment(), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as parent:
        assert parent.stderr is not None
        assert b"waiting for connection" in parent.stderr.readline()
        for pid in processes_of(waits):
            if pid != parent.pid:
                os.kill(pid, signal.SIGKILL)
        assert parent.wait(PATIENCE) == 1


def processes_of(command: list[str]) -> list[int]:
    """The processes with that command line."""
    wanted = b"\0".join(map(os.fsencode, command)) + b"\0"
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cmdline").read_bytes() == wanted:
                    found.append(int(entry.name))
            except OSError:
                pass  # it has ended
    return found


# --- -pidfile ---------------------------------------------------------------------------------------------------------


def test_pid_file_of_a_program_in_the_foreground(directory: Path) -> None:
    file = directory / "pid"
    file.write_text("a line from long ago, longer than ours\n")
    with Piped([*EMPTY, "-pidfile", str(file), "-qmp", f"unix:{directory / 'q'},server,nowait"]) as process:
        with closing(connect(directory / "q")) as peer:
            wire = Wire(peer.fileno()).greet()
            assert file.read_bytes() == b"%d\n" % process.process.pid
            second = run(*EMPTY, "-pidfile", str(file))
            assert (second.returncode, len(second.stderr.splitlines())) == (1, 1)
            assert "a running emulator has it" in second.stderr
            assert file.read_bytes() == b"%d\n" % process.process.pid
            wire.ask("quit")
        assert process.finish() == (0, "")
    assert not file.exists()


# --- -runas, -name ----------------------------------------------------------------------------------------------------


def test_another_user(directory: Path) -> None:
    """When sockets and images are open: what they need of root they have had."""
    if os.geteuid() != 0:
        pytest.skip("only root may become another user")
    try:
        user = pwd.getpwnam("nobody")
    except KeyError:
        pytest.skip("there is no user 'nobody' here")
    with Daemon(directory, "-runas", "nobody") as daemon:
        status = Path(f"/proc/{daemon.pid}/status").read_text().splitlines()
        ids = {line.split()[0]: line.split()[1:] for line in status if line.startswith(("Uid:", "Gid:"))}
        assert set(ids["Uid:"]) == {str(user.pw_uid)}
        assert set(ids["Gid:"]) == {str(user.pw_gid)}
        daemon.quit()


def test_only_root_becomes_another_user() -> None:
    if os.geteuid() == 0:
        pytest.skip("we are root")
    result = run(*EMPTY, "-runas", pwd.getpwuid(os.geteuid()).pw_name)
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "only root" in result.stderr


def test_name_of_the_process(directory: Path) -> None:
    with Daemon(directory, "-name", "guest=tiny,process=tiny-machine") as daemon:
        assert Path(f"/proc/{daemon.pid}/comm").read_text() == "tiny-machine\n"
        with closing(connect(daemon.socket)) as peer:
            assert Wire(peer.fileno()).greet().ask("query-name") == {"name": "tiny"}
        daemon.quit()


# --- -add-fd ----------------------------------------------------------------------------------------------------------


def test_an_inherited_image(directory: Path, guest_image: Path) -> None:
    """The guest runs from a descriptor that the program could not have opened by itself."""
    fd = os.open(guest_image, os.O_RDWR)
    guest_image.unlink()
    log, path = directory / "serial", directory / "q"
    words = ["-add-fd", f"fd={fd},set=7,opaque=the disk", "-drive", "file=/dev/fdset/7,format=raw,if=ide",
             "-display", "none", "-serial", f"file:{log}", "-qmp", f"unix:{path},server,nowait"]  # fmt: skip
    process = subprocess.Popen([*COMMAND, *words], env=environment(), pass_fds=[fd], stderr=subprocess.PIPE)
    try:
        with closing(connect(path)) as peer:
            wire = Wire(peer.fileno()).greet()
            (entry,) = wire.ask("query-fdsets")
            assert (entry["fdset-id"], entry["fds"][0]["opaque"]) == (7, "the disk")
            end = time.monotonic() + PATIENCE
            while b"Welcome inside" not in log.read_bytes():
                assert time.monotonic() < end, log.read_bytes()
                time.sleep(0.05)
            wire.ask("quit")
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.communicate()
        os.close(fd)


# --- what is said -----------------------------------------------------------------------------------------------------


def test_messages_with_the_time() -> None:
    result = run("-msg", "timestamp=on", "-hda", "/nowhere/x.img")
    time_, _, rest = result.stderr.partition(" ")
    assert rest.startswith("pyqemu: Could not open")
    assert len(time_) == len("2016-05-26T12:34:56.123456Z")
    assert abs(time.time() - datetime.datetime.fromisoformat(time_).timestamp()) < PATIENCE


def test_messages_without_the_time() -> None:
    assert run("-msg", "timestamp=off", "-hda", "/nowhere/x.img").stderr.startswith("pyqemu: Could not open")
