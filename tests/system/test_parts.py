"""Finding the machine's parts, and looking at a guest that runs."""

from __future__ import annotations

import threading

import pytest

from pyqemu.qapi.errors import QapiError
from pyqemu.system import FakeClock, System
from pyqemu.system.inspection import CpuView, Inspection


class Part:
    """A part."""


class Special(Part):
    """One of its kinds."""


def test_parts_are_found_by_class_or_base() -> None:
    system = System(clock=FakeClock())
    with pytest.raises(QapiError, match=r"^this machine has no Part$"):
        system.part(Part)
    special = Special()
    system.add_part(special)
    assert system.part(Special) is special
    assert system.part(Part) is special
    plain = Part()
    system.add_part(plain)
    assert system.part(Part) is plain
    assert system.part(Special) is special


class Vcpus:
    """One vCPU that must stand while somebody looks."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def pause(self) -> None:
        self.log.append("pause")

    def resume(self) -> None:
        self.log.append("resume")


@pytest.fixture
def vcpus() -> Vcpus:
    return Vcpus()


@pytest.fixture
def system(vcpus: Vcpus) -> System:
    system = System(clock=FakeClock())
    system.vcpus = vcpus
    return system


def test_parked_stops_the_cpus_and_tells_nobody(system: System, vcpus: Vcpus) -> None:
    system.start()
    events: list[str] = []
    system.event_sinks.append(lambda name, data: events.append(name))
    with system.parked():
        assert vcpus.log == ["resume", "pause"]
        assert system.running
    assert vcpus.log == ["resume", "pause", "resume"]
    assert events == []


def test_parked_blocks_nest(system: System, vcpus: Vcpus) -> None:
    system.start()
    with system.parked():
        with system.parked():
            pass
        assert vcpus.log[-1] == "pause"
    assert vcpus.log[-1] == "resume"


def test_parked_machine_that_stands_stays_so(system: System, vcpus: Vcpus) -> None:
    with system.parked():
        pass
    assert vcpus.log == []


def test_start_while_parked_takes_effect_afterwards(system: System, vcpus: Vcpus) -> None:
    with system.parked():
        system.start()
        assert vcpus.log == []
    assert vcpus.log == ["resume"]


def test_stop_while_parked_holds(system: System, vcpus: Vcpus) -> None:
    system.start()
    with system.parked():
        system.stop()
    assert "resume" not in vcpus.log[1:]


def test_parked_after_an_error(system: System, vcpus: Vcpus) -> None:
    system.start()
    with pytest.raises(ValueError), system.parked():
        raise ValueError
    assert vcpus.log[-1] == "resume"


def test_parked_holds_the_lock(system: System) -> None:
    entered = threading.Event()

    def other() -> None:
        with system.lock:
            entered.set()

    with system.parked():
        thread = threading.Thread(target=other)
        thread.start()
        assert not entered.wait(0.05)
    thread.join(60)
    assert entered.is_set()


def test_inspection_texts() -> None:
    class View(CpuView):
        infos = {"tlb": lambda: "of the cpu", "pic": lambda: "hidden"}

    View.__abstractmethods__ = frozenset()
    inspection, view = Inspection(), View()  # type: ignore[abstract]
    inspection.add_text("pic", lambda: "one")
    inspection.add_text("pic", lambda: "two")
    assert inspection.text("pic", view) == "one\ntwo"
    assert inspection.text("tlb", view) == "of the cpu"
    assert inspection.text("tlb") is None
    assert inspection.text("foo", view) is None
