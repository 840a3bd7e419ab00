"""Snapshots of a machine in memory, taken and restored in milliseconds.

Memory is kept page by page, and snapshots share the pages that are the same in them. What has changed since the last
snapshot (or restore) is told by the dirty log, so that only these pages are looked at. Devices are kept as their saved
state. A snapshot may be pickled.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu.migration.failure import MigrationError
from pyqemu.migration.state import frame
from pyqemu.migration.state.devices import DeviceReader, DeviceWriter
from pyqemu.migration.state.frame import MemoryInput, Reading
from pyqemu.migration.state.machine import PAGE_SIZE, RAM_SECTION, SavedBlock, SavedMachine

CLIENT = "snapshot"
_ZERO = bytes(PAGE_SIZE)

Pages = tuple[bytes, ...]


@dataclass(frozen=True)
class Snapshot:
    """A machine at one moment.

    :ivar machine: the name of its type
    :ivar devices: their sections, one after the other
    :ivar memory: the pages of each block
    """

    machine: str
    devices: bytes
    memory: dict[str, Pages]


class Snapshots:
    """Takes and restores snapshots of one machine. The guest may run: it stands still meanwhile."""

    def __init__(self, machine: SavedMachine) -> None:
        self.machine = machine
        self._known: dict[str, list[bytes]] = {}
        """The pages as they were when the dirty log was taken last."""

    def take(self) -> Snapshot:
        """The machine as it is now.

        :raise MigrationError: not all of it is here.
        """
        self.machine.check_is_here()
        with self.machine.system.parked():
            for hook in self.machine.before_save:
                hook()
            devices = bytes(DeviceWriter(self.machine, RAM_SECTION).all())
            memory = {saved.name: tuple(self._current(saved)) for saved in self.machine.blocks}
        return Snapshot(self.machine.name, devices, memory)

    def restore(self, snapshot: Snapshot) -> None:
        """Make the machine what it was.

        :raise MigrationError: the snapshot is of another machine; nothing has been changed.
        """
        self.machine.check_is_here()
        self._check(snapshot)
        devices = self._read(snapshot.devices)
        with self.machine.system.parked():
            for hook in self.machine.before_restore:
                hook()
            for saved in self.machine.blocks:
                self._put(saved, snapshot.memory[saved.name])
            devices.apply(whole=False)

    def forget(self) -> None:
        """No more snapshots will be taken: writes need not be noted."""
        with self.machine.system.parked():
            for saved in self.machine.blocks:
                saved.block.dirty.disable(CLIENT)
        self._known.clear()

    # -- memory

    def _current(self, saved: SavedBlock) -> list[bytes]:
        """The pages of a block as they are now; those that have not changed are the same objects as before."""
        known = self._known.get(saved.name)
        block, data = saved.block, saved.block.data
        if known is None:
            block.dirty.enable(CLIENT)
            known = self._known[saved.name] = [_ZERO] * block.dirty.pages
        for page in block.dirty.take(CLIENT):
            at = page * PAGE_SIZE
            contents = bytes(data[at : at + PAGE_SIZE])
            if contents != known[page]:
                known[page] = _ZERO if contents == _ZERO else contents
        return known

    def _put(self, saved: SavedBlock, pages: Pages) -> None:
        """Write the pages that are not there already."""
        known = self._current(saved)
        block, data = saved.block, saved.block.data
        changed = [number for number, page in enumerate(pages) if page is not known[number] and page != known[number]]
        for number in changed:
            at = number * PAGE_SIZE
            page = pages[number]
            data[at : at + len(page)] = page
            known[number] = page
            block.dirty.mark(at, len(page))
            for hook in self.machine.page_written:
                hook(block, at, len(page))
        block.dirty.take(CLIENT)
        if saved.loaded is not None and changed:
            saved.loaded(bytes(data[: saved.length]))

    def _check(self, snapshot: Snapshot) -> None:
        if snapshot.machine != self.machine.name:
            raise MigrationError(f"Machine type received is '{snapshot.machine}' and local is '{self.machine.name}'")
        for saved in self.machine.blocks:
            pages = snapshot.memory.get(saved.name)
            if pages is None or len(pages) != saved.block.dirty.pages:
                found = 0 if pages is None else len(pages) * PAGE_SIZE
                raise MigrationError(
                    f"Length mismatch: {saved.name}: {found:#x} in != {saved.block.size:#x}: Invalid argument"
                )

    # -- devices

    def _read(self, data: bytes) -> DeviceReader:
        reader = DeviceReader(self.machine)
        source = MemoryInput(data)
        reading = Reading(source)
        while source.position < len(data):
            reading.take(1)
            number, idstr, instance, version = reading.u32(), reading.string(), reading.u32(), reading.u32()
            reader.section(reading, number, idstr, instance, version)
            reading.take(len(frame.footer(number)))
        return reader
