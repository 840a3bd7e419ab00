"""From setup to the end: states, events, the guest, cancellation at any point."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pyqemu.crypto.credentials import TlsCredsX509
from pyqemu.migration.information import migration_info
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated.types import MigrationCapability, MigrationStatus
from pyqemu.system import RunState
from tests.crypto.pki import Authority, client_directory, server_directory
from tests.migration.machine import HEADER, PATIENCE, FakeDestination, FakeSource, Side, eventually
from tests.migration.peers import Peer, connect, full_listener, has_ipv6, read_and_close
from tests.ports import free_port

MakeSide = Callable[..., Side]


def events_on(*sides: Side) -> None:
    for entry in sides:
        entry.migration.set_capabilities([(MigrationCapability.EVENTS, True)])


def run(side: Side) -> None:
    with side.system.lock:
        side.system.start()
    side.events.clear()


@pytest.mark.parametrize("uri", ["tcp:127.0.0.1:0", "tcp:[::1]:0", "tcp::0", "unix:DIR/s"])
def test_all_arrives_by_sockets(side: MakeSide, tmp_path: Path, uri: str) -> None:
    if "::1" in uri and not has_ipv6():
        pytest.skip("this host has no IPv6")
    source, destination = side(), side()
    events_on(source, destination)
    run(source)
    destination.expect(uri.replace("DIR", str(tmp_path)))
    assert destination.migration.incoming is not None
    listener = destination.migration.incoming.listener
    assert listener is not None
    addresses = listener.addresses
    target = f"tcp:localhost:{addresses[0].where[1]}" if uri == "tcp::0" else uri.replace("DIR", str(tmp_path))
    if addresses:
        target = target.removesuffix(":0") + (f":{addresses[0].where[1]}" if target.endswith(":0") else "")
    assert source.send(target) == "completed"
    assert destination.wait_loaded() == "completed"
    assert destination.destination.ram == source.source.ram * 4
    assert destination.destination.completed
    assert (source.source.cleanups, destination.destination.cleanups) == (1, 1)
    assert source.events == [
        ("MIGRATION", "setup"), ("MIGRATION", "active"), ("STOP", ""), ("MIGRATION", "completed")
    ]  # fmt: skip
    assert destination.statuses == ["setup", "active", "completed"]
    assert source.system.state is RunState.POSTMIGRATE
    assert source.lines == destination.lines == []


def test_all_arrives_by_files_and_commands(side: MakeSide, tmp_path: Path) -> None:
    stored, piped = tmp_path / "stored,1", tmp_path / "piped"
    assert side().send(f"file:{stored}") == "completed"
    assert side().send(f"exec:gzip -c > {piped}") == "completed"
    for uri in (f"file:{stored}", f"exec:gzip -dc {piped}", f"exec:cat '{stored}'"):
        destination = side()
        destination.expect(uri)
        assert destination.wait_loaded() == "completed"
        assert len(destination.destination.ram) == 4 << 20


def test_a_file_may_begin_behind_something_else(side: MakeSide, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"h" * 4096 + b"old")
    assert side().send(f"file:{tmp_path}/f,offset=4k") == "completed"
    assert (tmp_path / "f").read_bytes()[:4104] == b"h" * 4096 + b"QEVM\0\0\0\3"
    destination = side()
    destination.expect(f"file:{tmp_path}/f,offset=4096")
    assert destination.wait_loaded() == "completed"


def test_descriptors_by_name_and_by_number(side: MakeSide) -> None:
    source, destination = side(), side()
    here, there = socket.socketpair()
    source.migration.descriptors.add_named("migrate", here.detach())
    destination.expect(f"fd:{there.detach()}")
    assert source.send("fd:migrate") == "completed"
    assert destination.wait_loaded() == "completed"


def test_a_pipe_is_a_descriptor_too(side: MakeSide, tmp_path: Path) -> None:
    source, destination = side(), side()
    reader, writer = os.pipe()
    destination.expect(f"fd:{reader}")
    source.migration.descriptors.add_named("migrate", writer)
    assert source.send("fd:migrate") == "completed"
    assert destination.wait_loaded() == "completed"


@pytest.mark.parametrize("priority", [None, "NORMAL:-VERS-TLS1.3"])
def test_all_arrives_encrypted(side: MakeSide, tmp_path: Path, priority: str | None) -> None:
    authority = Authority()
    source, destination = side(), side()
    source.objects["t"] = TlsCredsX509(str(client_directory(tmp_path / "c", authority)), priority=priority)
    destination.objects["t"] = TlsCredsX509(str(server_directory(tmp_path / "s", authority)), endpoint="server")
    for entry in (source, destination):
        entry.migration.parameters.tls_creds = "t"
    assert source.send(destination.expect("tcp:127.0.0.1:0")) == "completed"
    assert destination.wait_loaded() == "completed"
    assert destination.destination.ram == source.source.ram * 4


def test_a_failure_is_recorded_once_and_the_guest_goes_on(side: MakeSide) -> None:
    source, destination = side(), side(destination=FakeDestination(stop_after="devices"))
    events_on(source)
    run(source)
    assert "refused the machine" in source.send(destination.expect("tcp:127.0.0.1:0"))
    assert source.statuses == ["setup", "active", "failed"]
    assert [event for event, _ in source.events][-3:] == ["STOP", "MIGRATION", "RESUME"]
    assert source.system.running
    assert len(source.lines) == 1
    assert migration_info(source.migration).error_desc == source.lines[0]


def test_a_guest_that_was_halted_stays_as_it_was(side: MakeSide) -> None:
    source = side()
    source.send("exec:cat > /dev/null; exit 1")
    assert source.system.state is RunState.PRELAUNCH


def test_after_a_failure_one_may_try_again(side: MakeSide) -> None:
    source, destination = side(), side()
    uri = destination.expect("tcp:127.0.0.1:0")
    assert "refused" in source.send(f"tcp:127.0.0.1:{free_port()}")
    assert source.send(uri) == "completed"
    assert migration_info(source.migration).error_desc is None


def test_a_bad_uri_is_remembered(side: MakeSide) -> None:
    source = side()
    events_on(source)
    with pytest.raises(QapiError):
        source.migrate("tcp:localhost")
    assert source.statuses == ["setup", "failed"]
    info = migration_info(source.migration)
    assert info.status is MigrationStatus.FAILED
    assert info.error_desc is not None and info.error_desc.startswith("error parsing address 'localhost'")
    assert source.lines == []  # the command has said it


def test_the_monitor_does_not_wait(side: MakeSide) -> None:
    listener, waiting = full_listener()
    source = side()
    source.migrate(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
    assert migration_info(source.migration).status is MigrationStatus.SETUP
    assert source.migration.outgoing is not None and not source.migration.outgoing.over.is_set()
    assert source.system.lock.acquire(blocking=False)
    source.migration.cancel()
    source.system.lock.release()
    assert source.wait() == "cancelled"
    for entry in (listener, *waiting):
        entry.close()


# -- cancelling


def cancel(source: Side) -> None:
    with source.system.lock:
        source.migration.cancel()
    assert source.wait() == "cancelled"  # long before time runs out for whatever it waited for
    assert source.statuses[-2:] == ["cancelling", "cancelled"]
    assert source.lines == []
    assert migration_info(source.migration).error_desc is None


def test_cancel_while_connecting(side: MakeSide) -> None:
    listener, waiting = full_listener()
    source = side()
    events_on(source)
    source.migrate(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
    cancel(source)
    for entry in (listener, *waiting):
        entry.close()


def test_cancel_during_the_handshake(side: MakeSide, tmp_path: Path) -> None:
    peer = Peer(lambda connection: [None for _ in iter(lambda: connection.recv(65536), b"")] and None)
    source = side()
    events_on(source)
    source.objects["t"] = TlsCredsX509(str(client_directory(tmp_path, Authority())))
    source.migration.parameters.tls_creds = "t"
    source.migrate(peer.uri)
    assert peer.accepted.wait(PATIENCE)
    cancel(source)
    peer.close()


@pytest.mark.parametrize("phase", ["setup", "ram", "devices"])
def test_cancel_in_each_phase(side: MakeSide, phase: str) -> None:
    gate = threading.Event()
    source, destination = side(FakeSource(gates={phase: gate})), side()
    events_on(source)
    run(source)
    source.migrate(destination.expect("tcp:127.0.0.1:0"))
    assert source.source.reached[phase].wait(PATIENCE)
    with source.system.lock:
        source.migration.cancel()
    gate.set()
    cancel(source)
    assert source.system.running
    assert source.source.cleanups == 1
    assert "Unexpected end of file" in destination.wait_loaded()


def test_cancel_while_the_destination_does_not_read(side: MakeSide) -> None:
    gate = threading.Event()
    source, destination = side(FakeSource(rounds=64)), side(destination=FakeDestination(gate=gate))
    events_on(source)
    source.migrate(destination.expect("tcp:127.0.0.1:0"))
    assert source.source.reached["ram"].wait(PATIENCE)
    cancel(source)
    gate.set()
    destination.wait_loaded()


def test_cancel_while_a_command_does_not_end(side: MakeSide) -> None:
    source = side()
    events_on(source)
    source.migrate("exec:cat > /dev/null; exec sleep 100")
    assert source.source.reached["devices"].wait(PATIENCE)
    cancel(source)


def test_cancel_while_the_limit_holds_it_back(side: MakeSide) -> None:
    source, destination = side(), side()
    events_on(source)
    source.migration.parameters.set_speed(1)
    source.migrate(destination.expect("tcp:127.0.0.1:0"))
    eventually(lambda: source.source.reached["ram"].is_set())
    cancel(source)


def test_cancel_comes_too_late_when_everything_has_been_sent(side: MakeSide) -> None:
    """The guest may run at the destination by then: it was let go here as well."""
    everything, done = threading.Event(), threading.Event()

    def behave(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass
        everything.set()
        done.wait(PATIENCE)

    peer = Peer(behave)
    source = side()
    events_on(source)
    run(source)
    source.migrate(peer.uri)
    assert everything.wait(PATIENCE)
    with source.system.lock:
        source.migration.cancel()
    done.set()
    assert source.wait() == "completed"
    assert source.statuses == ["setup", "active", "completed"]
    assert source.system.state is RunState.POSTMIGRATE
    peer.close()


def test_cancel_without_a_migration_does_nothing(side: MakeSide) -> None:
    source = side()
    source.migration.cancel()
    assert migration_info(source.migration).status is None


# -- faults


def test_the_source_survives_a_peer_that_is_killed_at_any_point(
    side: MakeSide, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    """After the last byte the source may have been told that all is well; before it, never."""
    whole = 24 + (4 << 20) + 700
    for _ in range(200 if request.config.getoption("--full") else 20):
        peer = Peer(read_and_close(rng.randrange(whole)))
        source = side()
        run(source)
        said = source.send(peer.uri)
        assert said.startswith("Unable to write to socket: "), said
        assert source.system.running
        peer.close()


def test_the_destination_survives_a_source_that_is_killed_at_any_point(
    side: MakeSide, rng: random.Random, request: pytest.FixtureRequest
) -> None:
    stream = HEADER + (1 << 20).to_bytes(8) + (100).to_bytes(8) + bytes((1 << 20) + 100)
    for _ in range(200 if request.config.getoption("--full") else 20):
        destination = side()
        with connect(destination.expect("tcp:127.0.0.1:0")) as source:
            source.sendall(stream[: rng.randrange(len(stream))])
        assert destination.wait_loaded() != "completed"
        eventually(lambda: len(destination.lines) == 1)
        assert not destination.destination.completed


# -- pause before the end


def test_it_waits_before_the_switch_if_it_is_asked_to(side: MakeSide) -> None:
    source, destination = side(), side()
    events_on(source)
    source.migration.set_capabilities([(MigrationCapability.PAUSE_BEFORE_SWITCHOVER, True)])
    run(source)
    source.migrate(destination.expect("tcp:127.0.0.1:0"))
    eventually(lambda: "pre-switchover" in source.statuses)
    assert source.system.state is RunState.FINISH_MIGRATE
    with pytest.raises(QapiError, match=r"^Migration not in expected state: pre-switchover$"):
        source.migration.continue_(MigrationStatus.DEVICE)
    source.migration.continue_(MigrationStatus.PRE_SWITCHOVER)
    assert source.wait() == "completed"
    assert source.statuses == ["setup", "active", "pre-switchover", "device", "completed"]


# -- incoming


def test_command_line_incoming_fails_with_one_line_and_status_1(side: MakeSide) -> None:
    destination = side()
    destination.migration.expect_incoming("exec:echo not a machine")
    destination.wait_loaded()
    assert destination.lines == [
        "load of migration failed: Not a migration stream (exec:echo not a machine began with 6e 6f 74 20 ('not '))"
    ]
    assert destination.system.exit_code == 1


def test_deferred_incoming_may_be_tried_again(side: MakeSide) -> None:
    source, destination = side(), side()
    destination.expect("exec:echo not a machine")
    destination.wait_loaded()
    assert destination.system.exit_code is None
    assert migration_info(destination.migration).status is MigrationStatus.FAILED
    eventually(lambda: len(destination.lines) == 1)
    destination.migration.start_incoming("tcp:127.0.0.1:0")
    assert destination.migration.incoming is not None and destination.migration.incoming.listener is not None
    port = destination.migration.incoming.listener.addresses[0].where[1]
    info = migration_info(destination.migration)
    assert info.socket_address is not None and str(port) in repr(info.socket_address)
    assert source.send(f"tcp:127.0.0.1:{port}") == "completed"
    assert destination.wait_loaded() == "completed"


def test_a_source_whose_handshake_fails_does_not_spoil_the_next_one(side: MakeSide, tmp_path: Path) -> None:
    authority = Authority()
    destination = side()
    destination.objects["t"] = TlsCredsX509(str(server_directory(tmp_path / "s", authority)), endpoint="server")
    destination.migration.parameters.tls_creds = "t"
    uri = destination.expect("tcp:127.0.0.1:0")
    assert side().send(uri) != "completed"
    good = side()
    good.objects["t"] = TlsCredsX509(str(client_directory(tmp_path / "c", authority)))
    good.migration.parameters.tls_creds = "t"
    assert good.send(uri) == "completed"
    assert len(destination.lines) == 1


def test_the_end_of_the_program_ends_both(side: MakeSide) -> None:
    listener, waiting = full_listener()
    source, destination = side(), side()
    destination.expect("tcp:127.0.0.1:0")
    source.migrate(f"tcp:127.0.0.1:{listener.getsockname()[1]}")
    source.migration.close()
    destination.migration.close()
    assert source.migration.outgoing is not None and source.migration.outgoing.over.is_set()
    assert destination.lines == []
    for entry in (listener, *waiting):
        entry.close()


def test_only_migratable_refuses_blockers(side: MakeSide) -> None:
    source = side()
    source.migration.blockers.only_migratable = True
    with pytest.raises(QapiError, match=r"^Device nvme0 is not migratable, but --only-migratable was specified$"):
        source.migration.blockers.add_device(object(), "nvme0")
    with pytest.raises(QapiError, match=r"^disallowing migration blocker \(--only-migratable\) for: x$"):
        source.migration.blockers.add(object(), "x")
