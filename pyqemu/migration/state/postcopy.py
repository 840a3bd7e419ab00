"""Post-copy, as the destination sees it: the guest runs here already, and some of its memory is still at the source.

Who touches a page that is not here waits for it (:mod:`pyqemu.memory.pager`), and the source is asked for it over the
return path. The thread that reads the stream never waits in that way: it reads on instead until the page has come.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice

from pyqemu.io.errors import ChannelError
from pyqemu.memory import PageLost, RamBlock
from pyqemu.migration.state import commands
from pyqemu.migration.state.machine import PAGE_SIZE, SavedBlock
from pyqemu.system import System

UNANSWERED = 64  # requests that may be on their way at once; a source that writes does not read them
_GLANCE = 0.1  # seconds after which somebody who waits looks whether the program ends


class MissingPages:
    """The pages that the source still has (:class:`pyqemu.memory.Pager`). Made by the thread that reads the stream.

    :param received: of each block one byte for each page, not zero if it is here
    :param answer: sends a message to the source; any thread
    :param read_on: reads one more section of the stream
    """

    def __init__(self, system: System, received: Mapping[str, tuple[SavedBlock, bytearray]],
                 answer: Callable[[bytes], None], read_on: Callable[[], None]) -> None:  # fmt: skip
        self._system = system
        self._here = {saved.block: here for saved, here in received.values()}
        self._blocks = {saved.block: saved for saved, _ in received.values()}
        self._answer = answer
        self._read_on = read_on
        self._reader = threading.get_ident()
        self._arrival = threading.Condition()
        self._asking = threading.Lock()
        self._asked: set[tuple[RamBlock, int]] = set()
        self._last_asked: RamBlock | None = None
        self._lost = ""

    def begin(self) -> None:
        """The guest is about to run: from now on, who touches a page waits for it."""
        with self._system.parked():
            for block, saved in self._blocks.items():
                if saved.is_paged and 0 in self._here[block]:
                    block.set_pager(self)

    # -- who needs them

    def need(self, block: RamBlock, page: int) -> bool:
        """Wait for a page; see :meth:`pyqemu.memory.Pager.need`."""
        here = self._here[block]
        if page >= len(here) or here[page]:
            return False
        if threading.get_ident() == self._reader:
            self._ask(block, page)
            while not here[page]:
                self._read_on()
            return True
        held = self._system.lock.give_away()
        try:
            with suppress(ChannelError):  # all may have been sent; if not, the stream will break, too
                self._ask(block, page)
            self._wait(block, page)
        finally:
            self._system.lock.take_back(held)
        return True

    def _wait(self, block: RamBlock, page: int) -> None:
        with self._arrival:
            while not self._here[block][page]:
                if self._lost or self._system.end_pending:
                    why = self._lost or "the program ends"
                    raise PageLost(f"memory at {page * PAGE_SIZE:#x} of '{block.name}' has not come: {why}")
                self._arrival.wait(_GLANCE)

    def _ask(self, block: RamBlock, page: int, count: int = 1) -> None:
        with self._asking:
            if (block, page) in self._asked or self._lost:
                return
            self._asked.add((block, page))
            name = None if block is self._last_asked else self._blocks[block].name
            self._last_asked = block
            self._answer(commands.request_pages(page * PAGE_SIZE, count * PAGE_SIZE, name))

    # -- the thread that reads the stream

    def wants(self, saved: SavedBlock, page: int) -> bool:
        """Whether a page that comes is to be written. One that is here may have been changed here."""
        return not self._here[saved.block][page]

    def arrived(self, saved: SavedBlock, page: int) -> None:
        """It has been written."""
        saved.block.dirty.mark(page * PAGE_SIZE, PAGE_SIZE)
        with self._arrival:
            self._here[saved.block][page] = 1
            self._arrival.notify_all()

    def get_unpaged(self) -> None:
        """Read on until the blocks are complete whose memory is reached in other ways, too."""
        for block, saved in self._blocks.items():
            if saved.is_paged:
                continue
            runs, here = _missing_runs(self._here[block]), self._here[block]
            while few := list(islice(runs, UNANSWERED)):
                for first, end in few:
                    self._ask(block, first, end - first)
                for first, end in few:
                    while here.find(0, first, end) >= 0:
                        self._read_on()

    @property
    def missing(self) -> int:
        """How many pages are not here."""
        return sum(here.count(0) for here in self._here.values())

    def finish(self) -> None:
        """All have come: memory is as any other again."""
        with self._system.parked():
            for block in self._blocks:
                if block.pager is self:
                    block.set_pager(None)

    def fail(self, why: str) -> None:
        """No more will come. Who waits is told so; nobody gets to read what stands there instead."""
        with self._arrival:
            self._lost = self._lost or why
            self._arrival.notify_all()


def _missing_runs(here: bytearray) -> Iterator[tuple[int, int]]:
    """Pages side by side that are not here: the first, and the one behind the last."""
    end = 0
    while (first := here.find(0, end)) >= 0:
        end = here.find(1, first)
        end = len(here) if end < 0 else end
        yield first, end
