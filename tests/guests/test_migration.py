"""A running Debian guest that is busy on CPU, disk and serial line (:mod:`busy_guest`) moves from program to program.

It numbers and adds up all it does. After its journey nothing of that may be missing, double or wrong, in what it has
printed on all its serial lines, and on the disk that it took along.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from busy_guest import READY
from guest_packages import ARCHITECTURES, SEABIOS, MissingPackage
from journey import (
    QEMU,
    QUICK,
    SLOW,
    TRANSPORTS,
    Booted,
    Journey,
    QemuTraveller,
    SeabiosTraveller,
    Traveller,
    boot_and_save,
    switch_on,
)

from tests.ports import free_port

HAS_QEMU = shutil.which(QEMU) is not None and SEABIOS.exists()
MANY, ROUNDS = 20, 3
VERY_SLOW = 4 << 20  # bytes a second: time to do something about a migration

Begin = Callable[..., Journey]


@pytest.fixture(scope="module")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether this is the long run."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory, full: bool) -> Iterator[Callable[[str], Booted]]:
    """Guests that are busy, each booted once; in the short run by QEMU, if there is one."""
    by_qemu = HAS_QEMU and not full
    made: dict[str, Booted] = {}

    def get(architecture: str) -> Booted:
        if architecture not in made:
            try:
                made[architecture] = boot_and_save(tmp_path_factory.mktemp(architecture), architecture, by_qemu=by_qemu)
            except MissingPackage as exc:
                pytest.skip(str(exc))
        return made[architecture]

    yield get
    for entry in made.values():
        entry.stream.unlink()  # no need to keep that for days


@pytest.fixture
def begin(booted: Callable[[str], Booted], tmp_path: Path) -> Iterator[Begin]:
    """Begins a journey, whose programs are ended with the test."""
    journeys: list[Journey] = []

    def start(architecture: str, *, tls: bool = False, capability: str = "") -> Journey:
        origin = booted(architecture)
        journeys.append(journey := origin.start(tmp_path))
        journey.capability = capability
        if tls:
            journey.use_tls()
        origin.load(journey)
        journey.programs[0].work()
        return journey

    yield start
    for journey in journeys:
        journey.close()


def switched_on(directory: Path, architecture: str, kind: type[Traveller] = Traveller) -> Journey:
    """A guest that boots."""
    try:
        return switch_on(directory, architecture, kind)
    except MissingPackage as exc:
        pytest.skip(str(exc))


def report(journey: Journey, done: dict[str, int]) -> None:
    """What ``pytest -rP`` shows."""
    print(f"\n{journey.architecture}: {done}")
    for number, hop in enumerate(journey.hops, 1):
        print(f"{number:3} {hop}")


# -- from pyqemu to pyqemu


def under_way(source: Traveller, uri: str) -> None:
    """Begin a migration, and let some memory go."""
    source.ask("migrate-set-parameters", {"max-bandwidth": VERY_SLOW})
    source.ask("migrate", uri=uri)
    source.wait(lambda: source.ask("query-migrate").get("ram", {}).get("transferred", 0) > VERY_SLOW // 2)
    assert source.ask("query-migrate")["status"] == "active"


def fail_to_leave(journey: Journey, how: str) -> None:
    """A migration that is cancelled, or whose other program is killed, while memory is sent."""
    source, uri = journey.programs[0], f"tcp:127.0.0.1:{free_port()}"
    destination = journey.enter("-incoming", uri)
    under_way(source, uri)
    if how == "cancelled":
        source.ask("migrate_cancel")
    else:
        destination.close()
    assert source.ended()["status"] == how
    assert source.state == "running"
    assert destination.process.wait(source.patience) != 0
    journey.leave(destination)
    source.work()


def test_after_a_cancel_and_a_failure_it_goes_on_and_leaves_later(begin: Begin, full: bool) -> None:
    """First over a slow connection, in many passes; then encrypted, and at once."""
    journey = begin("amd64", tls=True)
    for how in ("cancelled", "failed") * (ROUNDS if full else 1):
        fail_to_leave(journey, how)
    journey.hop("unix", SLOW)
    journey.hop("tcp-tls")
    report(journey, journey.finish())


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_many_times_in_a_row(begin: Begin, architecture: str, transport: str) -> None:
    """By turns as fast as can be, and so slowly that the guest does much meanwhile."""
    journey = begin(architecture, tls="tls" in transport)
    for number in range(MANY):
        journey.hop(transport, SLOW if number % 2 else QUICK)
    report(journey, journey.finish())


@pytest.mark.slow
@pytest.mark.parametrize("capability", ["xbzrle", "compress", "auto-converge", "return-path"])
def test_with_a_capability(begin: Begin, capability: str) -> None:
    journey = begin("amd64", capability=capability)
    for _ in range(ROUNDS):
        journey.hop("unix", SLOW)
    report(journey, journey.finish())


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_again_and_again_while_it_boots(tmp_path: Path, architecture: str) -> None:
    """Firmware, the kernel in all its stages, drivers that look for their devices: a new program each second or so."""
    journey = switched_on(tmp_path, architecture)
    try:
        while READY not in journey.text:
            assert len(journey.hops) < 5 * MANY, "it does not get on"
            journey.move("unix")
        journey.programs[-1].work()
        report(journey, journey.finish())
    finally:
        journey.close()


# -- between pyqemu and Debian's QEMU


@pytest.mark.timeout(3000)
@pytest.mark.skipif(not HAS_QEMU, reason="needs Debian's qemu-system-x86 and seabios")
def test_from_qemu_to_pyqemu_and_back(tmp_path: Path, full: bool) -> None:
    """QEMU 7.2 with TCG loses writes of a guest that runs while it is sent, so it stops first; pyqemu does not."""
    journey = switched_on(tmp_path, "amd64", QemuTraveller)
    (qemu,) = journey.programs
    uri = f"unix:{tmp_path / 'socket'}"
    try:
        qemu.wait_until_busy()
        for _ in range(MANY if full else 1):
            ours = journey.enter("-incoming", uri, kind=SeabiosTraveller)
            qemu.ask("stop")
            journey.migrate(qemu, uri, "from QEMU")
            ours.arrived("paused")
            qemu.quit()
            ours.ask("cont")
            ours.work()
            qemu = journey.enter("-incoming", uri, kind=QemuTraveller)
            journey.migrate(ours, uri, "to QEMU", SLOW)
            qemu.arrived()
            ours.quit()
            qemu.work()
        report(journey, journey.finish())
    finally:
        journey.close()
