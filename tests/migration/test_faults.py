"""What goes wrong while a machine is sent, at any point of it: peers die, links break and stall, disks fill up.

One source program lives through all of it. Its guest counts on its serial line and disk; in the end not one count may
be missing, no descriptor may be left over, and the machine must still be able to leave. Points are drawn from
``--seed``.
"""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pyqemu.util.x86asm import assemble
from tests.crypto.pki import Authority, client_directory, server_directory
from tests.migration import programs
from tests.migration.link import Link
from tests.migration.programs import Program, check
from tests.ports import free_port

Make = Callable[..., Program]
pytestmark = pytest.mark.timeout(3600)  # for --full on a host that does other things, too
POINTS, FULL = 3, 50  # of each kind: with --full 200 with TLS or on disks, 150 without, and 200 cancels
SPEED = 12 << 20  # bytes a second: memory takes a quarter of a second, so that faults happen while it is sent
MARGIN = 24 << 10  # bytes by which one stream may be shorter than another, as the guest has written more or less
LATE = 0.7  # seconds
FILL = """
        mov edi, 0x100000       ; noise, so that the stream is long
        mov eax, 0x12345678
.fill:  rol eax, 7
        add eax, 0x9e3779b9
        mov [edi], eax
        add edi, 4
        cmp edi, 0x380000
        jb .fill
        mov al, 0x34
"""
BROKEN = re.compile(
    r"(Unable to write to socket|Cannot write to TLS channel|TLS handshake failed"
    r"|Unable to read from socket|Cannot read from TLS channel): .*"
    r"(Connection reset by peer|Broken pipe|Unexpected end of file|closed the connection|refused the machine).*"
)
LOST = re.compile(
    r"closed the connection (after \d+ bytes|without sending)|: (Broken pipe|Connection reset by peer) \("
)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(programs, "assemble", lambda text: assemble(text.replace("        mov al, 0x34\n", FILL, 1)))
    yield from programs.made(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return tmp_path / "disk.img"


@pytest.fixture
def amount(request: pytest.FixtureRequest) -> int:
    """How many points are tried."""
    return FULL if request.config.getoption("--full") else POINTS


class Source:
    """The program that survives."""

    def __init__(self, make: Make, directory: Path, *options: str) -> None:
        self.directory = directory
        self.program = make("source", *options)
        self.program.count(1)
        self.length = self._measure()
        self.program.ask("migrate_set_speed", value=SPEED)
        self.descriptors = self.open_descriptors()

    def _measure(self) -> int:
        """How long the stream is at least: on a busy host one has more passes than another."""
        return min(self._length_once() for _ in range(3))

    def _length_once(self) -> int:
        saved = self.directory / "measured"
        information = self.program.migrate(f"file:{saved}")
        assert information["status"] == "completed", information
        self.program.ask("cont")
        length = saved.stat().st_size
        saved.unlink()
        assert length > 2 << 20
        return length

    def open_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.program.process.pid}/fd"))

    def send(self, uri: str) -> None:
        self.program.ask("migrate", uri=uri)

    def cancel(self, link: Link) -> None:
        """Cancel, which does not wait for the link. If everything has left already, nothing may come of it before the
        link's end tells that the destination has not got all."""
        self.program.ask("migrate_cancel")
        begin = time.monotonic()
        while (information := self.program.ask("query-migrate"))["status"] not in programs.FINAL:
            waited = time.monotonic() - begin
            assert waited < programs.PATIENCE, information
            if waited > LATE and self.program.state == "finish-migrate" and information["status"] == "active":
                link.close()
                if (information := self.program.ended())["status"] == "failed":
                    assert BROKEN.fullmatch(information["error-desc"])
                    return
                break  # it only took long
            time.sleep(0.01)
        assert information["status"] == "cancelled", information
        assert "error-desc" not in information

    def failed(self) -> str:
        """Why it has."""
        information: dict[str, Any] = self.program.ended()
        assert information["status"] == "failed", information
        return str(information["error-desc"])

    def goes_on(self) -> None:
        """As if nothing had happened."""
        assert self.program.state == "running"
        self.program.count(1)
        self.program.wait(lambda: self.open_descriptors() <= self.descriptors)

    def leaves(self, make: Make, image: Path) -> None:
        """After all that, it can; and nothing was lost."""
        uri = f"unix:{self.directory / 'last'}"
        destination = make("last", "-incoming", uri)
        self.program.ask("migrate_set_speed", value=0)
        information = self.program.migrate(uri)
        assert information["status"] == "completed", information
        destination.wait(lambda: destination.state == "running")
        destination.count()
        destination.quit()
        errors = self.program.quit()
        assert "Traceback" not in errors, errors
        check(image, self.program, destination)


def points(rng: random.Random, amount: int, length: int) -> Iterator[int]:
    """Numbers of bytes after which something happens: anywhere, and often near the begin and the end."""
    for _ in range(amount):
        yield rng.choice((rng.randrange(length - MARGIN), rng.randrange(2000), length - rng.randrange(MARGIN, 60_000)))


def connect_unix(path: Path) -> socket.socket:
    """To a destination that may only just be starting."""
    for _ in range(6000):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
            return connection
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            time.sleep(0.01)
    raise AssertionError("the destination does not listen")


class Destination:
    """A program that waits for a machine, and gets a part of it."""

    def __init__(self, directory: Path, number: int, image: Path) -> None:
        self.path = directory / f"socket-{number}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pyqemu", "-display", "none", "-nodefaults", "-m", "4", "-bios",
             str(directory / "counter.bin"), "-serial", "null", "-drive", f"file={image},format=raw,if=ide",
             "-incoming", f"unix:{self.path}"],
            cwd=programs.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def connect(self) -> socket.socket:
        return connect_unix(self.path)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        """Its one line, after which it ends."""
        errors: str
        output, errors = self.process.communicate(timeout=60)
        assert (self.process.returncode, output) == (1, ""), errors
        assert errors.count("\n") == 1, errors
        assert errors.startswith("pyqemu: load of migration failed: "), errors
        return errors


@pytest.mark.parametrize("fault", ["kill", "cut", "stall", "cancel"])
def test_a_source_survives_whatever_happens_to_its_peer(
    make: Make, tmp_path: Path, image: Path, fault: str, amount: int, rng: random.Random
) -> None:
    """Its process is killed; the connection breaks; the link stalls until somebody cancels; somebody cancels."""
    source = Source(make, tmp_path)
    if fault == "cancel":
        amount *= 2
    for number, point in enumerate(points(rng, amount, source.length)):
        source.program.ask("migrate-set-capabilities", capabilities=[
            {"capability": "return-path", "state": rng.random() < 0.3}])  # fmt: skip
        destination = Destination(tmp_path, number, image)
        link = Link(destination.connect, point, "swallow" if fault == "cancel" else fault, destination.kill)
        source.send(f"tcp:127.0.0.1:{link.port}")
        if fault in ("stall", "cancel"):
            source.program.wait(link.reached.is_set)
            source.cancel(link)
        else:
            said = source.failed()
            assert BROKEN.fullmatch(said), (point, said)
            assert "127.0.0.1" in said
        link.close()
        if fault == "kill":
            destination.process.communicate()
        else:
            assert LOST.search(destination.said())
        source.goes_on()
    source.leaves(make, image)


@pytest.mark.parametrize("fault", ["cut", "stall", "cancel"])
def test_the_same_with_tls(
    make: Make, tmp_path: Path, image: Path, fault: str, amount: int, rng: random.Random
) -> None:
    """Now also while both sides shake hands. The destination waits for the next source each time."""
    authority = Authority()
    client = client_directory(tmp_path / "client", authority)
    server = server_directory(tmp_path / "server", authority)
    source = Source(make, tmp_path, "-object", f"tls-creds-x509,id=tls0,dir={client},endpoint=client")
    destination = make("destination", "-incoming", "defer", "-object",
                       f"tls-creds-x509,id=tls0,dir={server},endpoint=server")  # fmt: skip
    for program in (source.program, destination):
        program.ask("migrate-set-parameters", {"tls-creds": "tls0"})
    port = free_port()
    for point in points(rng, amount, source.length):
        if destination.ask("query-migrate").get("status") != "setup":
            destination.wait(lambda: _expects(destination, f"tcp:127.0.0.1:{port}"))
        how = "swallow" if fault == "cancel" else fault
        link = Link(lambda: socket.create_connection(("127.0.0.1", port)), point, how)
        source.send(f"tcp:localhost:{link.port}")
        if fault == "cut":
            said = source.failed()
            assert BROKEN.fullmatch(said), (point, said)
        else:
            source.program.wait(link.reached.is_set)
            source.cancel(link)
        link.close()
        source.goes_on()
        destination.wait(lambda: destination.ask("query-migrate").get("status") != "active")
    source.program.ask("migrate-set-parameters", {"tls-creds": ""})
    errors = destination.quit()
    assert "Traceback" not in errors, errors
    source.leaves(make, image)


def _runs(program: Program) -> bool:
    return program.state == "running"


def _expects(program: Program, uri: str) -> bool:
    """Let the next source in, as soon as the one before is done with."""
    try:
        program.ask("migrate-incoming", uri=uri)
    except programs.QmpError as error:
        return "already been started" in str(error)
    return True


def test_a_cancel_at_the_last_moment_leaves_exactly_one_guest(
    make: Make, tmp_path: Path, image: Path, amount: int, rng: random.Random
) -> None:
    """It ends the migration, or comes too late: never has the source called it cancelled, and the guest run there."""
    source = Source(make, tmp_path)
    guests, outcomes = [source.program], Counter[str]()
    for number in range(amount):
        program = guests[-1]
        program.ask("migrate_set_speed", value=rng.choice((0, SPEED)))
        program.ask("migrate-set-capabilities", capabilities=[
            {"capability": "return-path", "state": rng.random() < 0.5}])  # fmt: skip
        path = tmp_path / f"socket-{number}"
        destination = make(str(number), "-incoming", f"unix:{path}")
        point = source.length - rng.randrange(MARGIN, rng.choice((60_000, source.length)))
        link = Link(partial(connect_unix, path), point, "none")
        program.ask("migrate", uri=f"tcp:127.0.0.1:{link.port}")
        program.wait(link.reached.is_set)
        time.sleep(rng.choice((0, rng.random() * 0.03)))
        program.ask("migrate_cancel")
        status = program.ended()["status"]
        outcomes[status] += 1
        if status == "cancelled":
            assert destination.process.wait(60) == 1
            assert LOST.search(destination.quit())
            assert program.state == "running"
        else:
            assert status == "completed"
            destination.wait(partial(_runs, destination))
            assert program.state == "postmigrate"
            program.quit()
            guests.append(destination)
        guests[-1].count(1)
        link.close()
    print(dict(outcomes))
    guests[-1].quit()
    check(image, *guests)


# -- disks


class SmallDisk:
    """A file system of some pages. Only root can make one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(path)], capture_output=True, text=True
        )
        if made.returncode:
            pytest.skip(f"a file system of its own is needed: {made.stderr.strip()}")

    def resize(self, size: int) -> None:
        for file in self.path.iterdir():
            file.unlink()
        pages = max(1, size // 4096)
        subprocess.run(["mount", "-o", f"remount,size={4 * pages}k", str(self.path)], check=True)

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.path)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    made = SmallDisk(tmp_path / "small")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("file:{}", r"Unable to write to file: No space left on device \(file:.*/saved, while .*\)"),
        ("exec:cat > {}", r"(Unable to write to command: Broken pipe|Command failed: the command exited with status 1)"
                          r".*No space left on device.*"),
    ],
    ids=["file", "exec"],
)  # fmt: skip
def test_a_disk_that_fills_up(
    make: Make, tmp_path: Path, image: Path, disk: SmallDisk, uri: str, said: str, amount: int, rng: random.Random
) -> None:
    source = Source(make, tmp_path)
    source.program.ask("migrate_set_speed", value=0)
    for point in points(rng, amount, source.length - 8192):
        disk.resize(point)
        source.send(uri.format(disk.path / "saved"))
        found = source.failed()
        assert re.fullmatch(said, found), (point, found)
        source.goes_on()
    disk.resize(2 * source.length)
    source.leaves(make, image)


def test_a_device_that_is_full(make: Make, tmp_path: Path, image: Path) -> None:
    source = Source(make, tmp_path)
    source.send("file:/dev/full")
    assert source.failed().startswith("Unable to write to file: No space left on device (file:/dev/full, while ")
    source.goes_on()
    source.leaves(make, image)
