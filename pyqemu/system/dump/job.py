"""A dump under way, and the latest one's outcome.

The guest stands still from the beginning to the end. The file is written in a thread of its own, so that monitors go
on; it takes the lock for each portion of memory that it reads.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO

from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated import types as qapi
from pyqemu.system.dump import elf
from pyqemu.system.dump.kdump import Kdump
from pyqemu.system.dump.memory import Block, joined, within
from pyqemu.system.dump.target import DumpTarget, Mapping
from pyqemu.system.runstate import System
from pyqemu.util.errors import PyqemuError

CHUNK = 1 << 20


class DumpCancelled(PyqemuError):
    """The machine ended before the dump did."""


@dataclass
class Dump:
    """One dump: what was asked for, and how far it is."""

    system: System
    target: DumpTarget
    blocks: list[Block]
    format: qapi.DumpGuestMemoryFormat
    paging: bool
    completed: int = 0
    cancelled: bool = False
    total: int = field(init=False)

    def __post_init__(self) -> None:
        self.total = sum(block.size for block in self.blocks)

    def write(self, resources: ExitStack, file: BinaryIO) -> None:
        """Write the whole file and close it. It runs in any thread, while the guest is stopped.

        :param resources: holds *file*; it is told if something goes wrong
        :raise OSError: the host cannot write.
        :raise DumpCancelled: the machine ends.
        """
        with resources:
            for piece in self._elf() if self.format is qapi.DumpGuestMemoryFormat.ELF else self._kdump():
                file.write(piece)
            file.flush()

    def _elf(self) -> Iterator[bytes]:
        with self.system.parked():
            target = self.target
            layout = elf.layout_for(self.blocks, wide=target.wide)
            yield elf.head(layout, target.elf_machine, target.notes(), self.blocks, self._segments())
        for block in self.blocks:
            for start in range(block.start, block.end, CHUNK):
                yield self._read(start, min(CHUNK, block.end - start))

    def _segments(self) -> Iterator[Mapping]:
        mappings = self.target.mappings() if self.paging else None
        if mappings is None:
            mappings = (Mapping(block.start, block.start, block.size) for block in self.blocks)
        for mapping in joined(mappings):
            yield from within(mapping, self.blocks)

    def _kdump(self) -> Iterator[bytes]:
        with self.system.parked():
            target = self.target
            layout = elf.layout_for(self.blocks, wide=target.wide)
            dump = Kdump(self.blocks, target.notes(), target.machine_name, target.cpus, layout is elf.ELF64, self._read)
        yield from dump.pieces()

    def _read(self, start: int, size: int) -> bytes:
        with self.system.lock:
            if self.cancelled:
                raise DumpCancelled("the machine has ended")
            data = self.target.memory.read(start, size)
        self.completed += size
        return data


def dump_active(system: System) -> bool:
    """Whether a dump is under way: the guest may not go on."""
    try:
        return system.part(Dumps).active
    except QapiError:
        return False  # nobody has asked for one yet


@dataclass
class Dumps:
    """The latest dump of a machine, as a part of it."""

    status: qapi.DumpStatus = qapi.DumpStatus.NONE
    latest: Dump | None = None
    task: Future[str] | None = None
    """Who runs it; kept, because a loop does not keep its tasks."""

    @property
    def active(self) -> bool:
        """Whether a dump is under way."""
        return self.status is qapi.DumpStatus.ACTIVE

    def result(self) -> qapi.DumpQueryResult:
        """``query-dump``."""
        if self.latest is None:
            return qapi.DumpQueryResult(status=self.status, completed=0, total=0)
        return qapi.DumpQueryResult(status=self.status, completed=self.latest.completed, total=self.latest.total)
