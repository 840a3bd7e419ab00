"""With ``icount`` and a seed a run is like the last one, to the byte and to the instruction, whatever the host does."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Iterator

import pytest

import pyqemu
from pyqemu.guest import build_image
from pyqemu.system.entropy import Entropy

RUNS, FULL_RUNS = 4, 100


def _burn() -> None:
    while True:
        hashlib.sha256(bytes(1 << 16)).digest()


@pytest.fixture
def loaded_host() -> Iterator[None]:
    """Two processes for each core that never rest."""
    burners = [
        multiprocessing.get_context("fork").Process(target=_burn, daemon=True) for _ in range(os.cpu_count() or 2)
    ]
    for burner in burners:
        burner.start()
    yield
    for burner in burners:
        burner.kill()
        burner.join()


def serial_log_of_a_session(image: bytes) -> tuple[bytes, float, dict[str, int]]:
    """Start the embedded guest and let it show all that it can do, by keys of the keyboard and of the serial line."""
    with pyqemu.Machine(image, memory="32M", icount=4, seed=1) as machine:
        machine.serial.expect(b"> ", 30)
        for key in "dmew":
            machine.serial.send(key)
            machine.serial.expect(b"> ", 30)
        machine.type("d")
        machine.serial.expect(b"> ", 30)
        return machine.serial.output, machine.time, dict(machine.cpu.registers)


def test_runs_under_load_are_the_same(loaded_host: None, request: pytest.FixtureRequest) -> None:
    image = build_image()
    first = serial_log_of_a_session(image)
    assert len(first[0]) > 1000
    for number in range((FULL_RUNS if request.config.getoption("--full") else RUNS) - 1):
        assert serial_log_of_a_session(image) == first, f"run {number + 2}"


def test_engines_agree(request: pytest.FixtureRequest) -> None:
    logs = []
    for engine in ("stencil", "python"):
        with pyqemu.Machine(build_image(), memory="32M", icount=4, engine=engine) as machine:
            machine.serial.expect(b"> ", 30)
            logs.append((machine.serial.output, machine.time, dict(machine.cpu.registers)))
    assert logs[0] == logs[1]


def test_hooks_breakpoints_and_steps_take_no_time_of_the_guest() -> None:
    ends = []
    for look in (False, True):
        with pyqemu.Machine(build_image(), memory="32M", icount=4) as machine:
            if look:
                machine.hooks.instruction("out", lambda _: None)
                machine.hooks.memory(0x400, 0x100, lambda _: None)
                here = machine.breakpoint(0x7C00)
                machine.run(60)
                here.remove()
                machine.step(100)
            machine.serial.expect(b"> ", 30)
            ends.append((machine.serial.output, machine.time, dict(machine.cpu.registers)))
    assert ends[0] == ends[1]


def test_a_guest_that_is_held_up_runs_the_same() -> None:
    """Migration's auto-converge takes real time only."""
    ends = []
    for percentage in (0, 80):
        with pyqemu.Machine(build_image(), memory="32M", icount=4) as machine:
            if percentage:
                machine.system.throttle.set(percentage)
            machine.serial.expect(b"> ", 30)
            machine.system.throttle.stop()
            ends.append((machine.serial.output, machine.time, dict(machine.cpu.registers)))
    assert ends[0] == ends[1]


def test_real_time_clock_begins_at_a_fixed_date() -> None:
    with pyqemu.Machine(icount=True) as machine:
        machine.run(3)
        assert machine.qmp("query-status")["status"] == "paused"
        assert 0 <= machine.system.rtc_clock.time() < 10


def test_chance_comes_from_the_seed() -> None:
    assert Entropy(5).take(16) == Entropy(5).take(16) != Entropy(6).take(16)
    assert Entropy().take(16) != Entropy().take(16)
    with pyqemu.Machine(seed=5) as machine:
        assert machine.system.part(Entropy).take(16) == Entropy(5).take(16)
