"""Between pyqemu and Debian's QEMU, both ways: the guest runs on, and counts on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pyqemu.api.machine import Machine
from pyqemu.migration.migration import Migration
from pyqemu.qapi.generated.types import MigrationCapability, MigrationStatus
from pyqemu.system import RunState
from tests.migration.machine import eventually
from tests.migration.state.saved_rig import (
    QEMU,
    Decoder,
    Qemu,
    check_count,
    config,
    count_on,
    counter_rom,
    load,
    machine,
    save,
    text,
)
from tests.migration.state.test_over_a_socket import PATIENCE, migration_of
from tests.migration.state.test_postcopy import COUNT, MEMORY, SLOW, visits, word

pytestmark = pytest.mark.skipif(shutil.which(QEMU[0]) is None, reason="needs Debian's qemu-system-x86")


@pytest.fixture
def rom(tmp_path: Path) -> str:
    return counter_rom(tmp_path)


def described(devices: list[dict[str, Any]]) -> dict[str, Any]:
    """What a trailer says of each device, without what depends on the moment."""
    return {f"{device['name']}/{device['instance_id']}": device for device in devices}


def test_from_qemu(rom: str, tmp_path: Path) -> None:
    with Qemu(rom, tmp_path / "serial") as qemu:
        qemu.wait_for_lines(6)
        stream = qemu.save(tmp_path / "stream")
        printed = (tmp_path / "serial").read_text("ascii")
    with machine(config(rom)) as made:
        load(made, stream, go=False)
        with made.system.lock:
            made.system.start()  # QEMU was stopped before
        count_on(made, 16)
        check_count((printed + text(made)).split(), 1)


def test_to_qemu(rom: str, tmp_path: Path) -> None:
    with machine(config(rom), running=True) as made:
        count_on(made, 15)
        stream, _ = save(made)
        printed = text(made)
    (tmp_path / "stream").write_bytes(stream)
    with Qemu(rom, tmp_path / "serial", "-incoming", f"exec:cat {tmp_path / 'stream'}") as qemu:
        qemu.wait_for_lines(8)
        check_count((printed + (tmp_path / "serial").read_text("ascii")).split(), 1)


def test_trailer_is_as_qemu_writes_it(rom: str, tmp_path: Path) -> None:
    """The same devices, fields, types and sizes."""
    with Qemu(rom, tmp_path / "serial") as qemu:
        qemu.wait_for_lines(4)
        stream = qemu.save(tmp_path / "stream")
    theirs = described(Decoder(stream).decode().trailer["devices"])
    with machine(config(rom)) as made:
        load(made, stream, go=False)
        ours = described(Decoder(save(made)[0]).decode().trailer["devices"])
    assert list(ours) == list(theirs)
    assert ours == theirs


# -- post-copy

POSTCOPY = [{"capability": "postcopy-ram", "state": True}]


def walking(made: Machine) -> Migration:
    """Its migration, which may become post-copy and is slow before."""
    migration = migration_of(made)
    migration.set_capabilities([(MigrationCapability.POSTCOPY_RAM, True)])
    migration.parameters.max_bandwidth, migration.parameters.downtime_limit = SLOW, 0
    return migration


def test_postcopy_to_qemu(tmp_path: Path) -> None:
    rom, socket, memory = counter_rom(tmp_path, "walker.asm"), tmp_path / "socket", tmp_path / "memory"
    with machine(config(rom, memory=MEMORY), running=True) as made:
        source = walking(made)
        with Qemu(rom, tmp_path / "serial", "-m", str(MEMORY >> 20), "-incoming", "defer") as qemu:
            qemu.ask("migrate-set-capabilities", capabilities=POSTCOPY)
            qemu.ask("migrate-incoming", uri=f"unix:{socket}")
            eventually(lambda: word(made, COUNT) > 5000)
            with made.system.lock:
                outgoing = source.migrate(f"unix:{socket}")
                source.start_postcopy()
            assert outgoing.over.wait(PATIENCE)
            assert outgoing.state.status is MigrationStatus.COMPLETED, outgoing.state.failure
            moved = word(made, COUNT)
            eventually(lambda: qemu.ask("query-status")["running"])
            qemu.ask("stop")
            qemu.ask("pmemsave", val=0, size=MEMORY, filename=str(memory))
        assert visits(memory.read_bytes()) >= moved
        source.close()


def test_postcopy_from_qemu(tmp_path: Path) -> None:
    """It is stopped before (QEMU 7.2 loses what a guest writes meanwhile), and runs here before all has come."""
    rom, socket = counter_rom(tmp_path, "walker.asm"), tmp_path / "socket"
    with machine(config(rom, memory=MEMORY)) as made:
        destination = migration_of(made)
        destination.expect_incoming("defer")
        destination.start_incoming(f"unix:{socket}")
        incoming = destination.incoming
        assert incoming is not None
        with Qemu(rom, tmp_path / "serial", "-m", str(MEMORY >> 20)) as qemu:
            eventually(lambda: (tmp_path / "serial").stat().st_size > 10)
            qemu.ask("stop")
            qemu.ask("migrate-set-capabilities", capabilities=POSTCOPY)
            qemu.ask("migrate-set-parameters",
                     **{"max-bandwidth": SLOW, "max-postcopy-bandwidth": SLOW, "downtime-limit": 1})  # fmt: skip
            qemu.ask("migrate", uri=f"unix:{socket}")
            eventually(lambda: qemu.ask("query-migrate")["status"] == "active")
            qemu.ask("migrate-start-postcopy")
            eventually(lambda: made.system.state is RunState.PAUSED)
            before = word(made, COUNT)
            with made.system.lock:
                made.system.start()
            eventually(lambda: word(made, COUNT) > before + 20)
            assert not incoming.over.is_set()
            assert qemu.ask("query-migrate")["ram"]["postcopy-requests"] > 5
            qemu.ask("migrate-set-parameters", **{"max-postcopy-bandwidth": 0})
            assert incoming.over.wait(PATIENCE)
        assert incoming.state.failure is None
        with made.system.parked():
            visits(bytes(made.board.ram.ram_block.data))  # type: ignore[attr-defined]
        destination.close()
