"""The two halves together: a running guest moves over a real connection."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pyqemu.api.machine import Machine
from pyqemu.migration.failure import MigrationError
from pyqemu.migration.halves import Control, Statistics
from pyqemu.migration.information import migration_info
from pyqemu.migration.migration import Migration
from pyqemu.migration.state.destination import MachineDestination
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.migration.state.source import MachineSource
from pyqemu.qapi.generated.types import MigrationCapability as Capability
from pyqemu.qapi.generated.types import MigrationStatus
from pyqemu.system import RunState
from tests.migration.state.saved_rig import (
    MemoryWriter,
    check_count,
    config,
    count_on,
    counter_rom,
    lines,
    load,
    machine,
)

PATIENCE = 60


def migration_of(made: Machine) -> Migration:
    """What the commands of that machine talk to; the one that it has, if it has one."""
    saved = made.system.part(SavedMachine)
    migration = Migration(
        made.system,
        make_source=lambda options: MachineSource(
            saved, migration.capabilities, migration.parameters, on_pass=migration.tell_pass
        ),
        make_destination=lambda: MachineDestination(saved),
        log=lambda text: None,
    )
    return migration


@pytest.mark.parametrize(
    "capabilities",
    [(), (Capability.RETURN_PATH,), (Capability.XBZRLE,), (Capability.COMPRESS,)],
    ids=["plain", "return-path", "xbzrle", "compress"],
)
def test_a_running_guest_moves(tmp_path: Path, capabilities: tuple[Capability, ...]) -> None:
    rom = counter_rom(tmp_path)
    with machine(config(rom), running=True) as first, machine(config(rom)) as second:
        source, destination = migration_of(first), migration_of(second)
        count_on(first, 13)
        source.set_capabilities((capability, True) for capability in capabilities)
        destination.expect_incoming("defer")
        assert second.system.state is RunState.INMIGRATE
        destination.start_incoming(f"unix:{tmp_path / 'socket'}")
        with first.system.lock:
            source.migrate(f"unix:{tmp_path / 'socket'}")
        assert source.outgoing is not None
        assert destination.incoming is not None
        assert first.run_for(PATIENCE, source.outgoing.over.is_set)
        assert second.run_for(PATIENCE, destination.incoming.over.is_set)
        assert source.outgoing.state.status is MigrationStatus.COMPLETED, source.outgoing.state.failure
        assert destination.incoming.state.failure is None
        assert (first.system.state, second.system.state) == (RunState.POSTMIGRATE, RunState.RUNNING)
        count_on(second, 16)
        check_count(lines(first) + lines(second), 1)
        info = migration_info(source)
        assert info.ram is not None
        assert info.ram.total > 4 << 20
        assert info.ram.remaining == 0
        assert info.ram.dirty_sync_count >= 2
        source.close()
        destination.close()


def test_postcopy_does_not_go_with_disks(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with machine(config(counter_rom(tmp_path)), running=True) as made, theirs:
        source = migration_of(made)
        source.set_capabilities([(Capability.POSTCOPY_RAM, True), (Capability.BLOCK, True)])
        source.descriptors.add_named("there", ours.detach())
        with made.system.lock:
            source.migrate("fd:there")
        assert source.outgoing is not None
        assert source.outgoing.over.wait(PATIENCE)
        assert source.outgoing.state.failure is not None
        assert source.outgoing.state.failure.message == "Postcopy is not supported with block migration"
        assert made.system.state is RunState.RUNNING


def test_a_machine_of_another_size_is_refused_and_the_guest_goes_on(tmp_path: Path) -> None:
    rom = counter_rom(tmp_path)
    with machine(config(rom), running=True) as first, machine(config(rom, memory=8 << 20)) as second:
        source, destination = migration_of(first), migration_of(second)
        destination.expect_incoming("defer")
        destination.start_incoming(f"unix:{tmp_path / 'socket'}")
        source.set_capabilities([(Capability.RETURN_PATH, True)])
        with first.system.lock:
            source.migrate(f"unix:{tmp_path / 'socket'}")
        assert source.outgoing is not None
        assert destination.incoming is not None
        assert second.run_for(PATIENCE, destination.incoming.over.is_set)
        assert first.run_for(PATIENCE, source.outgoing.over.is_set)
        failure = destination.incoming.state.failure
        assert failure is not None
        assert failure.message == "Length mismatch: pc.ram: 0x400000 in != 0x800000: Invalid argument"
        assert "-m must be the same on both sides" in failure.context
        assert source.outgoing.state.status is MigrationStatus.FAILED
        assert f"refused the machine: {failure.message}" in str(source.outgoing.state.failure)
        count_on(first, 16)
        assert first.system.state is RunState.RUNNING
        check_count(lines(first), 1)
        source.close()
        destination.close()


class _TooLate(Exception):
    """Somebody cancels."""


def test_what_has_left_before_it_is_too_late_to_cancel_is_no_whole_machine(tmp_path: Path) -> None:
    """The end of sections had left by then: the destination ran the guest, whose source called that cancelled."""

    def send_last() -> None:
        raise _TooLate

    rom = counter_rom(tmp_path)
    with machine(config(rom)) as first, machine(config(rom)) as second:
        source, stream = MachineSource(first.system.part(SavedMachine)), MemoryWriter()
        source.setup(stream, Control(Statistics(), lambda status: None, send_last=send_last))  # type: ignore[arg-type]
        first.system.state = RunState.FINISH_MIGRATE
        with pytest.raises(_TooLate):
            source.complete(stream)  # type: ignore[arg-type]
        source.cleanup()
        first.system.state = RunState.PAUSED
        with pytest.raises(MigrationError, match="Unexpected end of file"):
            load(second, bytes(stream.data))
