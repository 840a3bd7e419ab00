"""A machine in a file, or in any bytes: saved at once, without a migration around it."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from pyqemu.migration.failure import MigrationError
from pyqemu.migration.halves import Statistics
from pyqemu.migration.state.destination import MachineDestination
from pyqemu.migration.state.machine import SavedMachine
from pyqemu.migration.state.source import MachineSource
from pyqemu.system import RunState


class FileOutput:
    """A stream into a file."""

    exhausted = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of it."""
        self._file.write(data)


class FileInput:
    """A stream from a file."""

    two_way = False

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._ahead = b""
        self.position = 0

    def read(self, size: int) -> bytes:
        """That many bytes.

        :raise MigrationError: there are fewer.
        """
        found, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(found) < size:
            found += self._file.read(size - len(found))
        if len(found) < size:
            raise MigrationError(
                "Unable to read from file: Unexpected end of file",
                f"'{self._name}' ends after {self.position + len(found)} bytes",
            )
        self.position += size
        return found

    def peek(self, size: int) -> bytes:
        """The next bytes."""
        if len(self._ahead) < size:
            self._ahead += self._file.read(size - len(self._ahead))
        return self._ahead[:size]

    def answer(self, data: bytes) -> None:
        """A file does not listen."""


def save(machine: SavedMachine, path: Path | str) -> Statistics:
    """Write the machine into a file. The guest stands still meanwhile, and goes on as before.

    :raise MigrationError: it cannot be written.
    """
    statistics = Statistics()
    try:
        with machine.system.parked(), Path(path).open("wb", buffering=1 << 20) as file:
            source = MachineSource(machine)
            try:
                source.send_at_once(FileOutput(file), statistics)
            finally:
                source.cleanup()
    except OSError as error:
        raise MigrationError(f"Unable to write to file: {error.strerror}", f"'{path}'") from error
    return statistics


def load(machine: SavedMachine, path: Path | str) -> RunState:
    """Make the machine what is in a file. The guest stands still; returns what it did when it was saved.

    :raise MigrationError: it cannot be read, or is of another machine.
    """
    try:
        with Path(path).open("rb", buffering=1 << 20) as file:
            destination = MachineDestination(machine)
            destination.load(FileInput(file, str(path)))
    except OSError as error:
        raise MigrationError(f"Unable to read from file: {error.strerror}", f"'{path}'") from error
    return destination.run_state
