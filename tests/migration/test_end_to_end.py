"""Programs that send machines to each other, each with a guest that counts on its serial line and disk."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyqemu.block.errors import LockError
from pyqemu.block.file import FileNode
from tests.crypto.pki import Authority, client_directory, server_directory
from tests.migration.programs import ROOT, Program, QmpError, check, made
from tests.ports import free_port

Make = Callable[..., Program]
PROMPT = "(qemu) "
IN_USE = (
    "Failed to get \"write\" lock: '{}' is in use by another process (an image has one writer or any number of readers)"
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    yield from made(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return tmp_path / "disk.img"


def arrived(source: Program, destination: Program, uri: str) -> None:
    """The machine moves, and runs on."""
    information = source.migrate(uri)
    assert information["status"] == "completed", information
    assert source.state == "postmigrate"
    destination.wait(lambda: destination.state == "running")
    destination.count()


# -- transports


@pytest.mark.parametrize("uri", ["unix:{directory}/socket", "tcp:127.0.0.1:{port}", "tcp:[::1]:{port}"])
def test_over_a_connection(make: Make, tmp_path: Path, image: Path, uri: str) -> None:
    uri = uri.format(directory=tmp_path, port=free_port())
    source = make("source")
    source.count()
    destination = make("destination", "-incoming", uri)
    assert destination.state == "inmigrate"
    arrived(source, destination, uri)
    assert destination.quit().count("\n") == 1  # the signal
    check(image, source, destination)


@pytest.mark.parametrize(
    ("there", "back"), [("exec:gzip -c > {}", "exec:gzip -dc < {}"), ("file:{}", "file:{}")], ids=["exec", "file"]
)
def test_through_a_file(make: Make, tmp_path: Path, image: Path, there: str, back: str) -> None:
    source = make("source")
    source.count()
    assert source.migrate(there.format(tmp_path / "saved"))["status"] == "completed"
    text = source.text
    assert source.state == "postmigrate"
    destination = make("destination", "-incoming", back.format(tmp_path / "saved"))
    destination.count()
    assert source.text == text
    destination.quit()
    check(image, source, destination)


def test_over_descriptors_as_libvirt_does(make: Make, image: Path) -> None:
    source, destination = make("source"), make("destination", "-incoming", "defer")
    source.count()
    for program in (source, destination):
        program.ask("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
    ours, theirs = socket.socketpair()
    source.ask("getfd", fdname="migrate", fd=ours.fileno())
    destination.ask("getfd", fdname="migrate", fd=theirs.fileno())
    ours.close()
    theirs.close()
    destination.ask("migrate-incoming", uri="fd:migrate")
    arrived(source, destination, "fd:migrate")
    assert source.told() == ["setup", "active", "completed"]
    assert destination.told() == ["setup", "active", "completed"]
    destination.quit()
    check(image, source, destination)


def test_with_tls(make: Make, tmp_path: Path, image: Path) -> None:
    authority = Authority()
    server = server_directory(tmp_path / "server", authority)
    client = client_directory(tmp_path / "client", authority)
    source = make("source", "-object", f"tls-creds-x509,id=tls0,dir={client},endpoint=client")
    destination = make("destination", "-incoming", "defer", "-object",
                       f"tls-creds-x509,id=tls0,dir={server},endpoint=server,verify-peer=on", "-object",
                       "authz-list,id=auth0,rules.0.match=O=Test,,CN=client1,rules.0.policy=allow")  # fmt: skip
    destination.ask("migrate-set-parameters", {"tls-authz": "auth0"})
    for program in (source, destination):
        program.ask("migrate-set-parameters", {"tls-creds": "tls0"})
    source.count()
    port = free_port()
    destination.ask("migrate-incoming", uri=f"tcp:localhost:{port}")
    arrived(source, destination, f"tcp:localhost:{port}")
    destination.quit()
    check(image, source, destination)


TRANSPORTS = {
    "unix": ("unix:{directory}/socket", "unix:{directory}/socket"),
    "tcp": ("tcp:127.0.0.1:{port}", "tcp:127.0.0.1:{port}"),
    "tls": ("tcp:localhost:{port}", "tcp:localhost:{port}"),
    "exec": ("exec:gzip -1 -c > {directory}/saved", "exec:gzip -dc < {directory}/saved"),
    "file": ("file:{directory}/saved", "file:{directory}/saved"),
}  #: where to, and where from
CONNECTIONS = ("unix", "tcp", "tls")


def credentials(directory: Path, authority: Authority) -> list[str]:
    """Options with credentials for both directions, made in a directory of their own."""
    made_for = (("client", client_directory), ("server", server_directory))
    return [
        word
        for endpoint, make_directory in made_for
        for word in (
            "-object",
            f"tls-creds-x509,id={endpoint},dir={make_directory(directory / endpoint, authority)},endpoint={endpoint}",
        )
    ]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_many_times_in_a_row(
    make: Make, tmp_path: Path, image: Path, transport: str, request: pytest.FixtureRequest
) -> None:
    is_tls = transport == "tls"
    options = credentials(tmp_path, Authority()) if is_tls else []
    programs = [make("0", *options)]
    for number in range(1, 21 if request.config.getoption("--full") else 3):
        there, here = (uri.format(directory=tmp_path, port=free_port()) for uri in TRANSPORTS[transport])
        if transport in CONNECTIONS:
            here = there
        source = programs[-1]
        source.count(2)
        if transport not in CONNECTIONS:
            assert source.migrate(there)["status"] == "completed"
        destination = make(str(number), "-incoming", "defer", *options)
        programs.append(destination)
        if is_tls:
            source.ask("migrate-set-parameters", {"tls-creds": "client"})
            destination.ask("migrate-set-parameters", {"tls-creds": "server"})
        destination.ask("migrate-incoming", uri=here)
        if transport in CONNECTIONS:
            arrived(source, destination, there)
        else:
            destination.wait(lambda program=destination: program.state == "running")
            destination.count()
        source.quit()
    programs[-1].quit()
    check(image, *programs)


# -- what goes wrong


def test_after_a_failure_and_after_a_cancel_the_guest_goes_on_and_may_leave_again(
    make: Make, tmp_path: Path, image: Path
) -> None:
    source = make("source")
    source.count()
    uri = f"unix:{tmp_path / 'socket'}"
    assert source.migrate(uri)["error-desc"].startswith("Error connecting to socket: No such file or directory")
    source.count()

    destination = make("destination", "-incoming", "defer")
    destination.ask("migrate-incoming", uri=uri)
    source.ask("migrate-set-capabilities", capabilities=[{"capability": "pause-before-switchover", "state": True}])
    source.ask("migrate", uri=uri)
    source.wait(lambda: source.ask("query-migrate")["status"] == "pre-switchover")
    assert source.state == "finish-migrate"
    source.ask("migrate_cancel")
    assert source.ended()["status"] == "cancelled"
    assert source.state == "running"
    source.count()

    source.ask("migrate-set-capabilities", capabilities=[{"capability": "pause-before-switchover", "state": False}])
    destination.wait(lambda: destination.ask("query-migrate").get("status") != "active")
    destination.ask("migrate-incoming", uri=uri)
    arrived(source, destination, uri)
    destination.quit()
    check(image, source, destination)


def test_a_destination_that_dies_leaves_the_guest_with_its_source(make: Make, tmp_path: Path, image: Path) -> None:
    uri = f"unix:{tmp_path / 'socket'}"
    source, destination = make("source"), make("destination", "-incoming", uri)
    source.ask("migrate-set-capabilities", capabilities=[{"capability": "pause-before-switchover", "state": True}])
    source.ask("migrate", uri=uri)
    source.wait(lambda: source.ask("query-migrate")["status"] == "pre-switchover")
    destination.close()
    source.ask("migrate-continue", state="pre-switchover")
    assert source.ended()["status"] == "failed"
    assert source.state == "running"
    source.count()
    source.quit()
    check(image, source)


# -- disk images


def test_an_image_has_one_owner_at_a_time(make: Make, tmp_path: Path, image: Path) -> None:
    uri = f"unix:{tmp_path / 'socket'}"
    source, destination = make("source"), make("destination", "-incoming", uri)
    source.count()
    arrived(source, destination, uri)
    with pytest.raises(LockError):
        FileNode(str(image))
    with pytest.raises(QmpError, match=re.escape(IN_USE.format(image))):
        source.ask("cont")
    assert source.state == "postmigrate"
    destination.quit()
    check(image, source, destination)
    source.ask("cont")
    assert source.state == "running"
    with pytest.raises(LockError):
        FileNode(str(image))


def test_a_machine_that_was_sent_nowhere_has_its_image_back_when_it_goes_on(make: Make, image: Path) -> None:
    source = make("source")
    source.count()
    assert source.migrate("exec:cat > /dev/null")["status"] == "completed"
    FileNode(str(image)).close()
    source.ask("cont")
    source.count()
    source.quit()
    check(image, source)


@pytest.mark.parametrize("return_path", [False, True])
def test_a_destination_that_cannot_have_the_image_refuses_the_machine(
    make: Make, tmp_path: Path, image: Path, return_path: bool
) -> None:
    uri, other = f"unix:{tmp_path / 'socket'}", tmp_path / "other.img"
    other.write_bytes(image.read_bytes())
    holder = FileNode(str(other))
    source, destination = make("source"), make("destination", "-incoming", uri, image=other)
    source.ask("migrate-set-capabilities", capabilities=[{"capability": "return-path", "state": return_path}])
    source.count()
    information = source.migrate(uri)
    assert information["status"] == "failed"
    beginning = "the destination could not load the machine" if return_path else "Unable to write to socket: "
    assert information["error-desc"].startswith(beginning)
    assert f"({uri} refused the machine: {IN_USE.format(other)}" in information["error-desc"]
    assert destination.process.wait() == 1
    assert destination.quit() == f"pyqemu: load of migration failed: {IN_USE.format(other)}\n"
    assert source.state == "running"
    source.count()
    source.quit()
    check(image, source)
    holder.close()


def test_a_source_that_cannot_have_its_image_back_stays_paused_and_says_why(
    make: Make, tmp_path: Path, image: Path
) -> None:
    """Somebody else takes it between the end of the stream and the news that nobody has loaded it."""
    sent, go = tmp_path / "sent", tmp_path / "go"
    source = make("source")
    source.count()
    source.ask("migrate", uri=f"exec:cat > /dev/null; touch {sent}; until [ -e {go} ]; do sleep 0.02; done; exit 4")
    source.wait(sent.exists)
    holder = FileNode(str(image))
    go.touch()
    said = source.ended()["error-desc"]
    assert said.startswith("Command failed: the command exited with status 4")
    assert said.endswith(f"; the guest stays paused: {IN_USE.format(image)})")
    assert source.state == "postmigrate"
    with pytest.raises(QmpError, match=re.escape(IN_USE.format(image))):
        source.ask("cont")
    assert source.state == "postmigrate"
    holder.close()
    source.ask("cont")
    source.count()
    assert f"; the guest stays paused: {IN_USE.format(image)})\n" in source.quit()
    check(image, source)


@pytest.mark.parametrize("how", [{"blk": True}, {"inc": True}, {}], ids=["blk", "inc", "capability"])
def test_disks_move_with_the_machine(make: Make, tmp_path: Path, image: Path, how: dict[str, bool]) -> None:
    uri, other = f"unix:{tmp_path / 'socket'}", tmp_path / "other.img"
    with other.open("wb") as file:
        file.truncate(64 << 20)
    os.truncate(image, 64 << 20)
    source, destination = make("source"), make("destination", "-incoming", uri, image=other)
    source.ask("migrate-set-parameters", {"max-bandwidth": 4 << 20})  # so that it does not end before the guest writes
    if not how:
        source.ask("migrate-set-capabilities", capabilities=[{"capability": "block", "state": True}])
    source.count()
    source.ask("migrate", uri=uri, **how)
    source.wait(lambda: source.ask("query-migrate").get("disk", {}).get("transferred", 0) > 2 << 20)
    source.count(2)
    source.ask("migrate-set-parameters", {"max-bandwidth": 0})
    disk = source.ended()["disk"]
    assert disk["total"] == 64 << 20
    assert disk["remaining"] == 0
    assert disk["transferred"] > 64 << 20, "the guest has written during the migration"
    destination.wait(lambda: destination.state == "running")
    destination.count()
    destination.quit()
    check(other, source, destination)


def test_a_disk_that_is_smaller_at_the_destination(make: Make, tmp_path: Path, image: Path) -> None:
    uri, other = f"unix:{tmp_path / 'socket'}", tmp_path / "other.img"
    other.write_bytes(bytes(512))
    os.truncate(image, 2 << 20)
    source, destination = make("source"), make("destination", "-incoming", uri, image=other)
    source.count()
    source.ask("migrate", uri=uri, blk=True)
    why = (
        "Error loading block device ide0-hd0 (a chunk at 1048576 is beyond its end: it has 512 bytes here; "
        "must be as many as there)"
    )
    assert f"({uri} refused the machine: {why}" in source.ended()["error-desc"]
    assert destination.process.wait() == 1
    assert destination.quit() == f"pyqemu: load of migration failed: {why}\n"
    source.count()
    source.quit()
    check(image, source)


def test_a_disk_that_both_sides_share_cannot_be_sent(make: Make, tmp_path: Path, image: Path) -> None:
    uri = f"unix:{tmp_path / 'socket'}"
    source, destination = make("source"), make("destination", "-incoming", uri)
    source.ask("migrate", uri=uri, blk=True)
    assert f"refused the machine: {IN_USE.format(image)}" in source.ended()["error-desc"]
    assert destination.process.wait() == 1
    source.count()
    source.quit()
    check(image, source)


def test_stop_and_cont_while_waiting_say_what_the_guest_does_then(make: Make, tmp_path: Path) -> None:
    uri = f"unix:{tmp_path / 'socket'}"
    source, destination = make("source"), make("destination", "-incoming", uri)
    destination.ask("cont")
    destination.ask("stop")
    assert destination.state == "inmigrate"
    assert source.migrate(uri)["status"] == "completed"
    destination.wait(lambda: destination.state == "paused")
    destination.ask("cont")
    destination.count()


# -- the human monitor


def test_the_human_monitor_tells_why(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "pyqemu", "-display", "none", "-nodefaults", "-m", "4", "-S", "-monitor", "stdio"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None

    def answer(line: str) -> list[str]:
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return prompted()

    def prompted() -> list[str]:
        assert process.stdout is not None
        heard = ""
        while not heard.endswith(PROMPT):
            heard += (more := process.stdout.read(1))
            assert more, heard
        return heard.removesuffix(PROMPT).splitlines()[1:]  # the first is ours

    context = rf"error context: tcp:localhost:{port}, tried .+"
    prompted()
    assert answer(f"migrate -d tcp:localhost:{port}") == []
    assert re.fullmatch(rf"pyqemu: Error connecting to socket: Connection refused \(tcp:localhost:{port}, tried .+\)",
                        process.stderr.readline().strip())  # fmt: skip
    capabilities, status, why, total = answer("info migrate")
    assert capabilities.startswith("capabilities: xbzrle: off rdma-pin-all: off auto-converge: off zero-blocks: off "
                                   "compress: off events: off x-postcopy-ram: off")  # fmt: skip
    assert status == "Migration status: failed (Error connecting to socket: Connection refused)"
    assert re.fullmatch(context, why)
    assert re.fullmatch("total time: [0-9]+ milliseconds", total)
    said, why = answer(f"migrate tcp:localhost:{port}")
    assert said == "Error connecting to socket: Connection refused"
    assert re.fullmatch(context, why)
    process.communicate("quit\n", timeout=60)
    assert process.returncode == 0
