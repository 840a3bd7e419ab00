"""Machines that are saved in files and in memory, and go on from there."""

from __future__ import annotations

import pickle
import statistics
import time
from pathlib import Path

import pytest

import pyqemu
from pyqemu.api.outcomes import MachineClosed, TimedOut, TripleFault
from pyqemu.migration.failure import MigrationError
from pyqemu.util.x86asm import assemble

COUNTER = """
        bits 16
        org 0x7c00
        xor ax, ax
        mov ds, ax
        mov word [0x5000], 0
again:  inc word [0x5000]
        hlt
        jmp again
"""


def boot_sector(source: str) -> bytes:
    return assemble(source).code.ljust(510, b"\0") + b"\x55\xaa"


def machine(source: str = COUNTER, **settings: object) -> pyqemu.Machine:
    return pyqemu.Machine(boot_sector(source), memory="8M", icount=True, **settings)


def counted(made: pyqemu.Machine) -> int:
    return int.from_bytes(made.memory.read(0x5000, 2), "little")


def test_a_saved_machine_goes_on_in_another(tmp_path: Path) -> None:
    with machine() as first:
        first.run(timeout=3)
        before, at = counted(first), first.time
        first.save(tmp_path / "saved")
        first.run(timeout=1)
        assert counted(first) > before
    assert before > 0
    with pyqemu.Machine.load(tmp_path / "saved", boot_sector(COUNTER), memory="8M", icount=True) as second:
        assert counted(second) == before
        assert second.time == pytest.approx(at)
        second.run(timeout=1)
        assert before < counted(second) <= before + 20


def test_a_file_that_does_not_fit_is_refused_with_the_reason(tmp_path: Path) -> None:
    with machine() as made:
        made.save(tmp_path / "saved")
        with pytest.raises(MigrationError, match="Unable to write to file: No such file or directory"):
            made.save(tmp_path / "nosuch" / "saved")
    with pytest.raises(MigrationError, match=r"Length mismatch: pc\.ram: 0x800000 in != 0x1000000"):
        pyqemu.Machine.load(tmp_path / "saved", boot_sector(COUNTER), memory="16M")
    with pytest.raises(MigrationError, match="Unable to read from file: No such file or directory"):
        pyqemu.Machine.load(tmp_path / "nosuch", boot_sector(COUNTER), memory="8M")


def test_a_snapshot_is_put_back_as_often_as_one_likes() -> None:
    with machine() as made:
        made.run(timeout=3)
        taken, before, at = made.snapshot(), counted(made), made.time
        afterwards = []
        for _ in range(3):
            made.run(timeout=1)
            afterwards.append((counted(made), made.cpu.registers["rip"], made.time))
            made.restore(taken)
            assert counted(made) == before
            assert made.time == pytest.approx(at)
        assert afterwards[0][0] > before
        assert afterwards[0] == afterwards[1] == afterwards[2]


def test_several_snapshots_are_told_apart() -> None:
    with machine() as made:
        made.run(timeout=3)
        taken = []
        for _ in range(3):
            made.run(timeout=1)
            taken.append((counted(made), made.snapshot()))
        for count, snapshot in (taken[1], taken[0], taken[2], taken[1]):
            made.restore(snapshot)
            assert counted(made) == count


def test_a_snapshot_may_be_pickled_and_put_into_another_machine() -> None:
    with machine() as first:
        first.run(timeout=3)
        before = counted(first)
        data = pickle.dumps(first.snapshot())
    with machine() as second:
        second.restore(pickle.loads(data))
        assert counted(second) == before
        second.run(timeout=1)
        assert counted(second) > before
    with pyqemu.Machine(boot_sector(COUNTER), memory="16M") as larger, pytest.raises(MigrationError, match=r"pc\.ram"):
        larger.restore(pickle.loads(data))


def test_a_machine_that_a_fault_has_ended_goes_on_from_its_snapshot() -> None:
    faulty = """
        bits 16
        org 0x7c00
        cli
        xor ax, ax
        mov ds, ax
        mov word [0x5000], 0
again:  cmp word [0x5000], 0
        je again
        lidt [empty]
        int 3
empty:  dw 0
        dd 0
    """
    with machine(faulty) as made:
        assert isinstance(made.run(timeout=3), TimedOut)
        taken = made.snapshot()
        for _ in range(2):
            made.memory.write(0x5000, b"\1")
            assert isinstance(made.run(timeout=1), TripleFault)
            made.restore(taken)
            assert counted(made) == 0
            assert isinstance(made.run(timeout=0.1), TimedOut)


def test_hooks_and_closed_machines_are_refused() -> None:
    made = machine()
    made.hooks.memory(0x5000, 2, lambda access: made.snapshot(), reads=False)
    with pytest.raises(RuntimeError, match="a hook cannot save or restore"):
        made.run(timeout=5)
    made.close()
    with pytest.raises(MachineClosed):
        made.snapshot()


def test_it_takes_milliseconds(request: pytest.FixtureRequest) -> None:
    """64 MiB of which a hundredth has changed."""
    with pyqemu.Machine(boot_sector(COUNTER), memory="64M", icount=True) as made:
        made.run(timeout=3)
        made.snapshot()
        taking, restoring = [], []
        for number in range(5):
            for page in range(0, 64 << 8, 100):
                made.memory.write(page * 4096 + 0x10000, bytes([number + 1]))
            start = time.process_time()
            taken = made.snapshot()
            taking.append(time.process_time() - start)
            for page in range(0, 64 << 8, 100):
                made.memory.write(page * 4096 + 0x10000, bytes([99]))
            start = time.process_time()
            made.restore(taken)
            restoring.append(time.process_time() - start)
    limit = 0.02 if request.config.getoption("--full") else 0.2  # of the processor's time, whatever else the host does
    assert statistics.median(taking) <= limit, taking
    assert statistics.median(restoring) <= limit, restoring
