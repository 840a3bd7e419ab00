"""Post-copy between programs, with a disk, over every kind of connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crypto.pki import Authority
from tests.migration.programs import Program, QmpError, check, made
from tests.migration.test_end_to_end import CONNECTIONS, TRANSPORTS, credentials
from tests.ports import free_port

CAPABILITIES = [{"capability": name, "state": True} for name in ("postcopy-ram", "events")]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    yield from made(tmp_path)


def passes(program: Program) -> int:
    """How many passes over memory its migration has begun."""
    return int(program.ask("query-migrate").get("ram", {"dirty-sync-count": 0})["dirty-sync-count"])


@pytest.mark.parametrize("transport", CONNECTIONS)
def test_the_guest_moves_and_its_memory_follows(
    make: Callable[..., Program], tmp_path: Path, transport: str, request: pytest.FixtureRequest
) -> None:
    """The guest dirties memory faster than it is let out, so that pre-copy alone would not end."""
    options = credentials(tmp_path, Authority()) if transport == "tls" else []
    programs = [make("0", *options)]
    for number in range(1, 21 if request.config.getoption("--full") else 3):
        source, destination = programs[-1], make(str(number), "-incoming", "defer", *options)
        uri = TRANSPORTS[transport][0].format(directory=tmp_path, port=free_port())
        for program, creds in ((source, "client"), (destination, "server")):
            program.ask("migrate-set-capabilities", capabilities=CAPABILITIES)
            if transport == "tls":
                program.ask("migrate-set-parameters", {"tls-creds": creds})
        source.ask("migrate-set-parameters", {"max-bandwidth": 20000, "downtime-limit": 1})
        source.count(2)
        destination.ask("migrate-incoming", uri=uri)
        source.ask("migrate", uri=uri)
        source.wait(lambda program=source: passes(program) > 1)
        source.ask("migrate-start-postcopy")
        assert source.ended()["status"] == "completed"
        assert source.told()[-4:] == ["setup", "active", "postcopy-active", "completed"]
        assert source.state == "postmigrate"
        destination.wait(lambda program=destination: program.state == "running")
        destination.count(2)
        assert destination.told()[:3] == ["setup", "active", "postcopy-active"]
        programs.append(destination)
        source.quit()
    programs[-1].quit()
    check(tmp_path / "disk.img", *programs)


def test_a_source_that_dies_ends_the_destination_with_one_line(make: Callable[..., Program], tmp_path: Path) -> None:
    uri = f"unix:{tmp_path / 'socket'}"
    source, destination = make("source", "-m", "64"), make("destination", "-m", "64", "-incoming", uri)
    source.ask("migrate-set-capabilities", capabilities=CAPABILITIES)
    source.ask("migrate-set-parameters", {"max-bandwidth": 20000, "max-postcopy-bandwidth": 20000})
    source.count(2)
    source.ask("migrate", uri=uri)
    source.ask("migrate-start-postcopy")
    source.wait(lambda: source.ask("query-migrate")["status"] == "postcopy-active")
    destination.wait(lambda: destination.state == "running")
    with pytest.raises(QmpError, match="Postcopy can't be cancelled"):
        source.ask("migrate_cancel")
    source.process.kill()
    errors = destination.process.communicate(timeout=60)[1]
    assert destination.process.returncode == 1
    assert errors.startswith("pyqemu: load of migration failed: ")
    assert errors.count("\n") == 1, errors
