"""The migration of a machine: a part that is made when the first monitor, ``-incoming`` or a script wants it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pyqemu.block import DriveTable
from pyqemu.boards.config import MachineConfig
from pyqemu.io.descriptors import Descriptors
from pyqemu.migration.halves import Options, Source
from pyqemu.migration.migration import Migration
from pyqemu.migration.state.destination import MachineDestination
from pyqemu.migration.state.dump import dump
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.migration.state.source import MachineSource
from pyqemu.migration.transports import Host
from pyqemu.qapi.errors import QapiError
from pyqemu.qom import Container
from pyqemu.system import System
from pyqemu.util.errors import UserError


def add_migration(
    system: System, config: MachineConfig, descriptors: Descriptors, log: Callable[[str], None]
) -> Migration:
    """Make the machine's migration and add it as a part.

    :raise QapiError: a device forbids it, and ``-only-migratable`` forbids such devices.
    """
    saved = _saved_machine(system, config)
    images = system.part(DriveTable).graph

    def find_object(name: str) -> object | None:
        return system.part(Container).container("objects").qom_children.get(name)

    def make_source(options: Options) -> Source:
        return MachineSource(
            saved, migration.capabilities, migration.parameters, options=options, on_pass=migration.tell_pass
        )

    system.autostart = not config.paused
    system.before_start.append(images.take_over)  # the machine may have left: it comes back only if its disks are free
    migration = Migration(
        system,
        make_source=make_source,
        make_destination=lambda: MachineDestination(saved, images),
        images=images,
        host=Host(find_object=find_object, open_path=descriptors.open),
        descriptors=descriptors,
        only_migratable=config.only_migratable,
        log=log,
    )
    for device in saved.unsaved:
        migration.blockers.add_device(device, device.type_name)
    system.add_part(migration)
    return migration


def dump_vmstate(system: System, config: MachineConfig) -> None:
    """``-dump-vmstate``: write the layouts of saved state into the file that was asked for.

    :raise UserError: it cannot be written.
    """
    try:
        Path(config.dump_vmstate).write_text(dump(_saved_machine(system, config)))
    except OSError as error:
        raise UserError(f"-dump-vmstate {config.dump_vmstate}: {error.strerror}") from None


def _saved_machine(system: System, config: MachineConfig) -> SavedMachine:
    """What the board has listed; a board without anything has an empty list."""
    try:
        return system.part(SavedMachine)
    except QapiError:
        return SavedMachine(config.machine or "none", system)
