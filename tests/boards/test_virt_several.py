"""``-M virt -smp N``: processors that lock, interrupt, wait and turn each other on and off; and that are saved so."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pyqemu.api.machine import Machine
from pyqemu.boards.config import MachineConfig, RtcConfig, SmpConfig
from pyqemu.system import RunState
from pyqemu.util.errors import UserError
from tests.boards.virt_several import expected, firmware
from tests.migration.state.saved_rig import Decoder, config, lines, load, machine, save, text
from tests.monitor.commands.asker import Asker

QEMU = shutil.which("qemu-system-aarch64")
PATIENCE = 120  # seconds; only a failure takes that long


def virt(rom: str, cpus: int, gic_version: int = 2, **changes: Any) -> MachineConfig:
    return config(rom, machine="virt", architecture="aarch64", rtc=RtcConfig(base=1e9, clock="vm"), no_shutdown=True,
                  smp=SmpConfig(cpus, cores=cpus, max_cpus=cpus), machine_options={"gic-version": str(gic_version)},
                  **changes)  # fmt: skip


def run(settings: MachineConfig) -> tuple[list[str], Machine]:
    """What is printed until the guest turns the machine off, and the machine, closed."""
    with machine(settings, running=True) as made:
        assert made.run_for(PATIENCE, until=lambda: made.system.state is RunState.SHUTDOWN)
        return lines(made), made


@pytest.mark.parametrize(("cpus", "gic_version"), [(2, 2), (4, 2), (4, 3), (8, 2)])
@pytest.mark.parametrize("engine", ["stencil", "python"])
def test_they_count_together_and_pass_interrupts_around(
    tmp_path: Path, cpus: int, gic_version: int, engine: str
) -> None:
    rounds, laps = (1000, 100) if engine == "stencil" else (50, 5)
    rom = firmware(tmp_path, cpus=cpus, gic_version=gic_version, rounds=rounds, laps=laps)
    printed, _ = run(virt(rom, cpus, gic_version, engine=engine))
    assert printed == expected(cpus=cpus, rounds=rounds, laps=laps)


@pytest.mark.skipif(QEMU is None, reason="needs Debian's qemu-system-arm")
@pytest.mark.parametrize(("cpus", "gic_version"), [(4, 2), (8, 3)])
def test_qemu_prints_the_same(tmp_path: Path, cpus: int, gic_version: int) -> None:
    """Otherwise the guest would be wrong."""
    rom = firmware(tmp_path, cpus=cpus, gic_version=gic_version)
    command = [str(QEMU), "-M", f"virt-2.6,gic-version={gic_version}", "-cpu", "cortex-a57", "-smp", str(cpus), "-bios",
               rom, "-accel", "tcg", "-display", "none", "-nodefaults", "-serial", "stdio"]  # fmt: skip
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.split() == expected(cpus=cpus)


def test_counting_instructions_makes_runs_alike(tmp_path: Path) -> None:
    rom = firmware(tmp_path, cpus=4, rounds=300, laps=20)
    ends = []
    for _ in range(2):
        printed, made = run(virt(rom, 4, icount=0, icount_sleep=False))
        assert made.cpu.engine is not None
        ends.append((made.cpu.engine.executed(), [cpu.x[1] for cpu in made.board.cpus]))  # type: ignore[attr-defined]
        assert printed == expected(cpus=4, rounds=300, laps=20)
    assert ends[0] == ends[1]


@pytest.mark.parametrize("gic_version", [2, 3])
def test_they_move_again_and_again_and_lose_nothing(tmp_path: Path, gic_version: int) -> None:
    """Whatever each was doing: counting, waiting for another's interrupt, not being on yet, being off again."""
    rounds, laps = 30000, 3000
    rom = firmware(tmp_path, cpus=2, gic_version=gic_version, rounds=rounds, laps=laps)
    printed = ""
    stream = b""
    moves = 0
    while printed.count("\n") < 4:
        assert moves < 200
        with machine(virt(rom, 2, gic_version), running=not stream) as made:
            if stream:
                load(made, stream)
            made.run_for(0.15)
            stream, _ = save(made)
            printed += text(made)
        moves += 1
    assert printed.split() == expected(cpus=2, rounds=rounds, laps=laps)
    assert moves > 3
    sections = [
        (name, instance) for kind, name, instance, _ in Decoder(stream).decode().sections if name.startswith("cpu")
    ]
    assert sections == [("cpu_common", 0), ("cpu", 0), ("cpu_common", 1), ("cpu", 1)]


def test_power_is_in_the_stream(tmp_path: Path) -> None:
    with machine(virt(firmware(tmp_path, cpus=3), 3)) as made:
        made.board.cpus[1].turn_on(0x1000, 5, 1)  # type: ignore[attr-defined]
        fields = Decoder(save(made)[0]).decode().fields
    assert [fields[f"cpu/{number}"]["power_state"] for number in range(3)] == [b"\0", b"\0", b"\1"]
    assert [fields[f"cpu_common/{number}"]["halted"] for number in range(3)] == [bytes(4), bytes(4), b"\0\0\0\1"]


@pytest.mark.parametrize(
    ("gic_version", "cpus", "complaint"),
    [
        (2, 9, r"Number of SMP CPUs requested \(9\) exceeds max CPUs supported by machine 'mach-virt' \(8\)"),
        (3, 124, r"Number of SMP CPUs requested \(124\) exceeds max CPUs supported by machine 'mach-virt' \(123\)"),
        (3, 256, r"Number of SMP CPUs requested \(256\) exceeds max CPUs supported by machine 'virt-2.6' \(255\)"),
    ],
)
def test_too_many(tmp_path: Path, gic_version: int, cpus: int, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Machine(virt(firmware(tmp_path, cpus=2), cpus, gic_version), complain=lambda _: None)


def test_monitors_tell_them_apart(tmp_path: Path) -> None:
    """``cpu 1`` chooses whose registers and memory are shown."""
    with Machine(virt(firmware(tmp_path, cpus=3), 3), say=lambda _: None) as made:
        made.system.reset()
        asker = Asker(made)
        found = asker("query-cpus")
        assert [(cpu["CPU"], cpu["halted"], cpu["current"]) for cpu in found] == [
            (0, False, True), (1, True, False), (2, True, False),
        ]  # fmt: skip
        assert [cpu["qom_path"] for cpu in found] == [f"/machine/unattached/device[{number}]" for number in range(3)]
        places = [tuple(each["props"].values()) for each in asker("query-hotpluggable-cpus")]
        assert sorted(places) == [(0, 0, 0), (0, 1, 0), (0, 2, 0)]
        for number, cpu in enumerate(made.board.cpus):  # type: ignore[attr-defined]
            cpu.x[5] = 0x5000 + number
        for number in range(3):
            line = asker("human-monitor-command", command_line="info registers", cpu_index=number)
            assert f"X05={0x5000 + number:016x}" in line
        assert "thread_id" in asker("human-monitor-command", command_line="info cpus")
        machines = {each["name"]: each["cpu-max"] for each in asker("query-machines")}
        assert machines["virt-2.6"] == 255
