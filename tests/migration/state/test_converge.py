"""Auto-converge: when the guest is held up, how much, and that it helps."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pyqemu.api.machine import Machine
from pyqemu.migration.halves import Statistics
from pyqemu.migration.information import migration_info
from pyqemu.migration.parameters import Parameters
from pyqemu.migration.state import converge
from pyqemu.migration.state.converge import PERIOD, AutoConverge
from pyqemu.qapi.generated.types import MigrationCapability, MigrationStatus
from pyqemu.system.throttle import TIMESLICE, Throttle
from tests.migration.machine import PATIENCE, eventually
from tests.migration.state.saved_rig import config, counter_rom, machine

COUNT = 0x600
QUICK, SLOW = 2_000, 20_000  # nanoseconds for a page
MIB = 1 << 20


class Rig:
    """A migration that sends and a guest that writes, by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.throttle = Throttle()
        self.parameters = Parameters()
        self.statistics = Statistics()
        self.written = 0
        self.subject = AutoConverge(self.throttle, self.parameters, self.statistics, clock=lambda: self.now)

    def period(self, *, sent: int, written: int, seconds: float = PERIOD) -> int | None:
        """What is told of the throttle after one more."""
        self.now += seconds
        self.statistics.ram.transferred += sent
        self.written += written
        self.subject.look(self.written)
        assert self.throttle.percentage == (self.statistics.cpu_throttle_percentage or 0)
        return self.statistics.cpu_throttle_percentage


@pytest.fixture
def rig():  # type: ignore[no-untyped-def]
    rig = Rig()
    yield rig
    rig.subject.end()


def test_twice_too_much_holds_the_guest_up_and_then_more_and_more(rig: Rig) -> None:
    told = [rig.period(sent=MIB, written=MIB) for _ in range(20)]
    assert told == [None, 20, 20, 30, 30, 40, 40, 50, 50, 60, 60, 70, 70, 80, 80, 90, 90, 99, 99, 99]


def test_half_of_what_was_sent_is_not_too_much(rig: Rig) -> None:
    assert [rig.period(sent=2 * MIB, written=MIB) for _ in range(10)] == [None] * 10
    assert [rig.period(sent=2 * MIB, written=MIB + 1) for _ in range(2)] == [None, 20]


def test_short_passes_are_looked_at_together(rig: Rig) -> None:
    told = [rig.period(sent=MIB, written=MIB, seconds=PERIOD / 4) for _ in range(8)]
    assert told == [None] * 7 + [20]


def test_parameters_say_how_much(rig: Rig) -> None:
    rig.parameters.cpu_throttle_initial = 35
    rig.parameters.cpu_throttle_increment = 50
    rig.parameters.max_cpu_throttle = 80
    assert [rig.period(sent=0, written=1) for _ in range(6)] == [None, 35, 35, 80, 80, 80]


def test_the_end_lets_it_go(rig: Rig) -> None:
    rig.period(sent=0, written=1)
    rig.period(sent=0, written=1)
    rig.subject.end()
    assert rig.throttle.percentage == 0
    assert rig.statistics.cpu_throttle_percentage is None


# -- a guest that writes more than is let out

SETTINGS = {"max_bandwidth": 8 * MIB, "downtime_limit": 0, "cpu_throttle_initial": 70, "cpu_throttle_increment": 29}


def writer(directory: Path, pause: int) -> str:
    """The ROM that writes."""
    return counter_rom(directory, "writer.asm", f"PAUSE equ {pause}\n")


def started(made: Machine, *, auto_converge: bool) -> None:
    """Send the machine nowhere, slowly."""
    eventually(lambda: count_of(made) > 1000)
    for name, value in SETTINGS.items():
        setattr(made.migration.parameters, name, value)
    made.migration.set_capabilities([(MigrationCapability.AUTO_CONVERGE, auto_converge)])
    with made.system.lock:
        made.migration.migrate("exec:cat > /dev/null")


def count_of(made: Machine) -> int:
    """How many pages the guest has written."""
    ram = made.board.ram.ram_block  # type: ignore[attr-defined]
    return int.from_bytes(ram.data[COUNT : COUNT + 4], "little")


def test_it_converges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converge, "PERIOD", 0.2)
    with machine(config(writer(tmp_path, QUICK)), running=True) as made:
        told: list[int | None] = []
        hold_up_more = AutoConverge._hold_up_more

        def note(subject: AutoConverge) -> None:
            hold_up_more(subject)
            told.append(migration_info(made.migration).cpu_throttle_percentage)

        monkeypatch.setattr(AutoConverge, "_hold_up_more", note)
        started(made, auto_converge=True)
        outgoing = made.migration.outgoing
        assert outgoing is not None
        eventually(outgoing.over.is_set)
        assert outgoing.state.status is MigrationStatus.COMPLETED, outgoing.state.failure
        assert told[:2] == [70, 99]
        assert migration_info(made.migration).cpu_throttle_percentage is None
        assert made.system.throttle.percentage == 0


def test_without_it_it_does_not_and_a_cancel_lets_the_guest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converge, "PERIOD", 0.2)
    with machine(config(writer(tmp_path, QUICK)), running=True) as made:
        started(made, auto_converge=False)
        outgoing = made.migration.outgoing
        assert outgoing is not None
        eventually(lambda: outgoing.statistics.ram.dirty_sync_count > 7 or outgoing.over.is_set())
        assert not outgoing.over.is_set()
        made.migration.cancel()
        assert outgoing.over.wait(PATIENCE)

        started(made, auto_converge=True)
        eventually(lambda: made.system.throttle.percentage >= 70)
        made.migration.cancel()
        eventually(lambda: made.system.throttle.percentage == 0)
        before = count_of(made)
        eventually(lambda: count_of(made) > before + 1000)


@pytest.mark.parametrize("percentage", [50, 90])
def test_how_much_slower_the_guest_is(tmp_path: Path, percentage: int) -> None:
    """At most the writes that it could do in the time in which it is not held; less if this host has other work."""
    holds: list[tuple[float, float]] = []
    with machine(config(writer(tmp_path, SLOW)), running=True) as made:
        hold = made.system.throttle.hold

        def note(until: float) -> None:
            hold(until)
            holds.append((time.monotonic(), until))

        made.system.throttle.hold = note
        eventually(lambda: count_of(made) > 0)
        made.system.throttle.set(percentage)
        made.run_for(2 * TIMESLICE)
        start, before = time.monotonic(), count_of(made)
        made.run_for(1.5)
        eventually(lambda: count_of(made) > before)
        written, end = count_of(made) - before, time.monotonic()
        held = sum(max(0.0, min(until, end) - max(begin, start)) for begin, until in list(holds))
        assert written < 1.15 * (end - start - held) * 1e9 / SLOW
        made.system.throttle.stop()
        before = count_of(made)
        eventually(lambda: count_of(made) > before + 1000)
