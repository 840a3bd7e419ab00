"""The QMP and HMP commands: names, ranges, texts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import pyqemu.migration.commands
from pyqemu.monitor.hmp.commands import migration as hmp_migration
from pyqemu.monitor.hmp.dispatch import Hmp
from pyqemu.qapi.commands import find
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.visit import Json
from tests.migration.machine import Side
from tests.ports import free_port

assert pyqemu.migration.commands and hmp_migration  # they register themselves


def ask(side: Side, name: str, **arguments: Json) -> Json:
    """A command and its answer, or what is wrong."""
    handler = find(name)
    given = {key.replace("_", "-"): value for key, value in arguments.items()}
    try:
        if handler.is_async:
            return side.loop.run_until_complete(handler.call_async(side.system, given))
        with side.system.lock:
            return handler.call(side.system, given)
    except QapiError as error:
        return f"{error.error_class}: {error.desc}"


def type_(side: Side, line: str, *, interactive: bool = True) -> str:
    """A line of the human monitor, and what it shows."""
    shown: list[str] = []
    side.loop.run_until_complete(Hmp(side.system, shown.append, interactive=interactive).execute(line))
    return "".join(shown)


@pytest.fixture
def one(side: Callable[..., Side]) -> Side:
    return side()


CAPABILITIES = (
    "capabilities: xbzrle: off rdma-pin-all: off auto-converge: off zero-blocks: off compress: off events: off "
    "x-postcopy-ram: off\n"
)


def test_before_any_migration(one: Side) -> None:
    assert ask(one, "query-migrate") == {}
    assert ask(one, "migrate_cancel") == {}
    assert type_(one, "info migrate") == ""
    assert ask(one, "migrate-continue", state="pre-switchover") == (
        "GenericError: Migration not in expected state: none"
    )


def test_a_refused_connection_as_it_began_with(one: Side) -> None:
    port = free_port()
    assert type_(one, f"migrate -d tcp:127.0.0.1:{port}") == ""
    one.wait()
    assert type_(one, "info migrate") == (
        f"{CAPABILITIES}"
        "Migration status: failed (Error connecting to socket: Connection refused)\n"
        f"error context: tcp:127.0.0.1:{port}\n"
        "total time: 0 milliseconds\n"
    )
    text = "Error connecting to socket: Connection refused"
    assert type_(one, f"migrate tcp:127.0.0.1:{port}") == f"{text}\nerror context: tcp:127.0.0.1:{port}\n"
    assert ask(one, "query-migrate") == {"status": "failed", "error-desc": f"{text} (tcp:127.0.0.1:{port})"}


def test_a_name_without_address(one: Side) -> None:
    assert ask(one, "migrate", uri="tcp:nosuchhost.invalid:9000") == {}
    said = one.wait()
    assert said.startswith("address resolution failed for nosuchhost.invalid:9000: ")
    assert ask(one, "query-migrate") == {"status": "failed", "error-desc": said}
    assert f"Migration status: failed ({said})\n" in type_(one, "info migrate")


def test_a_monitor_that_cannot_wait_says_so(one: Side) -> None:
    assert type_(one, "migrate exec:false", interactive=False) == (
        "terminal does not allow synchronous migration, continuing detached\n"
    )
    one.wait()


def test_a_completed_one(one: Side) -> None:
    assert type_(one, 'migrate "exec:cat > /dev/null"') == ""
    answer = ask(one, "query-migrate")
    assert isinstance(answer, dict)
    assert answer["status"] == "completed"
    assert answer.keys() == {"status", "ram", "total-time", "downtime", "setup-time"}
    assert isinstance(answer["ram"], dict) and answer["ram"]["total"] == 4 << 20
    lines = type_(one, "info migrate").splitlines()
    assert lines[1] == "Migration status: completed"
    assert [line.partition(":")[0] for line in lines[2:]] == [
        "total time", "downtime", "setup", "transferred ram", "throughput", "remaining ram", "total ram", "duplicate",
        "skipped", "normal", "normal bytes", "dirty sync count",
    ]  # fmt: skip
    assert "total ram: 4096 kbytes" in lines


def test_capabilities(one: Side) -> None:
    assert type_(one, "info migrate_capabilities") == CAPABILITIES
    assert type_(one, "migrate_set_capability x-postcopy-ram on") == ""
    wanted: Json = [{"capability": "xbzrle", "state": True}, {"capability": "postcopy-ram", "state": False}]
    assert ask(one, "migrate-set-capabilities", capabilities=wanted) == {}
    answer = ask(one, "query-migrate-capabilities")
    assert isinstance(answer, list)
    assert {"capability": "xbzrle", "state": True} in answer
    assert {"capability": "postcopy-ram", "state": False} in answer
    assert type_(one, "info migrate_capabilities") == CAPABILITIES.replace("xbzrle: off", "xbzrle: on")
    assert type_(one, "migrate_set_capability bogus on") == "invalid parameter value: bogus\n"
    assert ask(one, "migrate-set-capabilities", capabilities=[{"capability": "bogus", "state": True}]) == (
        "GenericError: Parameter 'capability' does not accept value 'bogus'"
    )


def test_what_cannot_be_switched_on_changes_nothing(one: Side) -> None:
    wanted: Json = [{"capability": "xbzrle", "state": True}, {"capability": "rdma-pin-all", "state": True}]
    assert ask(one, "migrate-set-capabilities", capabilities=wanted) == (
        "GenericError: Capability 'rdma-pin-all' is not supported by this build of pyqemu: "
        "there is no access to RDMA hardware"
    )
    assert type_(one, "info migrate_capabilities") == CAPABILITIES


def test_parameters(one: Side) -> None:
    answer = ask(one, "query-migrate-parameters")
    assert isinstance(answer, dict)
    assert (answer["max-bandwidth"], answer["downtime-limit"], answer["tls-creds"]) == (134217728, 300, "")
    assert ask(one, "migrate-set-parameters", downtime_limit=500, tls_creds="t", tls_hostname=None) == {}
    assert ask(one, "migrate_set_speed", value=5) == {}
    assert ask(one, "migrate_set_downtime", value=0.25) == {}
    assert ask(one, "migrate-set-cache-size", value=5 << 20) == {}
    assert ask(one, "query-migrate-cache-size") == 4 << 20
    assert type_(one, "info migrate_cache_size") == "xbzrel cache size: 4096 kbytes\n"
    assert type_(one, "info migrate_parameters") == (
        "parameters: compress-level: 1 compress-threads: 8 decompress-threads: 2 cpu-throttle-initial: 20 "
        "cpu-throttle-increment: 10 tls-creds: 't' tls-hostname: '' max-bandwidth: 5 bytes/second "
        "downtime-limit: 250 milliseconds\n"
    )


def test_parameters_of_the_human_monitor(one: Side) -> None:
    for line in (
        "migrate_set_parameter max-bandwidth 2", "migrate_set_parameter tls-hostname a.example",
        "migrate_set_parameter compress-level 9", "migrate_set_parameter block-incremental on",
        "migrate_set_parameter xbzrle-cache-size 1M", "migrate_set_parameter x-cpu-throttle-initial 30",
        "migrate_set_parameter cpu-throttle-increment 15",
    ):  # fmt: skip
        assert type_(one, line) == ""
    parameters = one.migration.parameters
    assert (parameters.max_bandwidth, parameters.tls_hostname, parameters.compress_level) == (2 << 20, "a.example", 9)
    assert (parameters.block_incremental, parameters.xbzrle_cache_size) == (True, 1 << 20)
    assert (parameters.cpu_throttle_initial, parameters.cpu_throttle_increment) == (30, 15)
    type_(one, "migrate_set_speed 3")
    type_(one, "migrate_set_downtime 1")
    assert (parameters.max_bandwidth, parameters.downtime_limit) == (3 << 20, 1000)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"downtime-limit": 99999999}, "'downtime_limit' expects an integer in the range of 0 to (2000 * 1000) ms"),
        ({"multifd-channels": 0}, "'multifd_channels' expects a value between 1 and 255"),
        ({"compress-level": 12}, "'compress_level' expects a value between 0 and 9"),
        ({"cpu-throttle-initial": 100}, "'cpu_throttle_initial' expects an integer in the range of 1 to 99"),
        ({"max-cpu-throttle": 5}, "'max_cpu_throttle' expects an integer in the range of cpu_throttle_initial to 99"),
        (
            {"xbzrle-cache-size": 1000},
            "'xbzrle_cache_size' expects a power of two no less than the target page size",
        ),
        ({"announce-step": 10001}, "'announce_step' expects a value between 0 and 10000"),
        ({"bogus": 1}, "'bogus' is unexpected"),
    ],
)
def test_ranges(one: Side, arguments: dict[str, Json], why: str) -> None:
    before = ask(one, "query-migrate-parameters")
    assert ask(one, "migrate-set-parameters", compress_threads=3, **arguments) == f"GenericError: Parameter {why}"
    assert ask(one, "query-migrate-parameters") == before


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("migrate bogus:x", "Parameter 'uri' expects a valid migration protocol"),
        ("migrate_set_parameter bogus 1", "invalid parameter value: bogus"),
        ("migrate_set_parameter max-bandwidth x", "Invalid size x"),
        ("migrate_set_parameter compress-level x", "Parameter 'compress-level' expects a non-negative number"),
        ("migrate_set_cache_size 1b", "Parameter 'cache size' expects is smaller than one target page size"),
        ("migrate_start_postcopy", "Enable postcopy with migrate_set_capability before the start of migration"),
        ("migrate_incoming tcp:127.0.0.1:1", "'-incoming' was not specified on the command line"),
        ("migrate_continue pre-switchover", "Migration not in expected state: none"),
        ("client_migrate_info vnc h", "Parameter 'protocol' expects spice"),
    ],
)
def test_complaints_of_the_human_monitor(one: Side, line: str, shown: str) -> None:
    assert type_(one, line).splitlines()[0] == shown


def test_commands_that_only_fit_a_paused_postcopy(one: Side) -> None:
    assert ask(one, "migrate-pause") == (
        "GenericError: migrate-pause is currently only supported during postcopy-active state"
    )
    assert ask(one, "migrate-recover", uri="x") == (
        "GenericError: Migrate recover can only be run when postcopy is paused."
    )
    assert ask(one, "client_migrate_info", protocol="spice", hostname="h") == "DeviceNotActive: SPICE is not in use"


def test_incoming(one: Side, side: Callable[..., Side]) -> None:
    one.migration.expect_incoming("defer")
    assert ask(one, "migrate-incoming", uri="defer") == "GenericError: unknown migration protocol: defer"
    assert ask(one, "migrate-incoming", uri="tcp:127.0.0.1:0") == {}
    assert ask(one, "migrate-incoming", uri="tcp:127.0.0.1:0") == (
        "GenericError: The incoming migration has already been started"
    )
    answer = ask(one, "query-migrate")
    assert isinstance(answer, dict) and isinstance(answer["socket-address"], list)
    (address,) = answer["socket-address"]
    assert isinstance(address, dict)
    assert address | {"port": ""} == {"type": "inet", "host": "127.0.0.1", "port": "", "ipv4": True}
    assert type_(one, "info migrate") == f"socket address: [\n\ttcp:127.0.0.1:{address['port']}\n]\n"
    assert side().send(f"tcp:127.0.0.1:{address['port']}") == "completed"
    one.wait_loaded()
    assert ask(one, "query-migrate") == {"status": "completed"}


def test_what_blocks_it(one: Side) -> None:
    owner = object()
    one.migration.blockers.add_device(owner, "0000:00:02.0/nvme")
    assert ask(one, "query-migrate") == {"blocked-reasons": ["non-migratable device: 0000:00:02.0/nvme"]}
    assert type_(one, "info migrate") == "Outgoing migration blocked:\n  non-migratable device: 0000:00:02.0/nvme\n"
    one.migration.blockers.remove(owner)
    assert ask(one, "query-migrate") == {}
