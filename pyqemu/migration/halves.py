"""Between the two halves of migration: connections, states and errors on this side, what is sent on the other.

A :class:`Source` writes a machine into a stream, a :class:`Destination` loads one. Their methods are called in a thread
of the migration's own, without the big lock: they take it where they touch devices, and never while they wait for the
stream. Whatever they raise ends the migration; a :class:`~pyqemu.migration.failure.MigrationError` tells people why.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from pyqemu.migration.stream import StreamReader, StreamWriter
from pyqemu.qapi.generated.types import MigrationStatus


@dataclass
class Counters:
    """What happened to the pages of RAM, or the blocks of disks. Whoever sends them counts."""

    total: int = 0  # bytes, as all that follow without a unit
    remaining: int = 0
    transferred: int = 0
    duplicate: int = 0  # pages of zeros
    skipped: int = 0  # pages
    normal: int = 0  # pages
    page_size: int = 4096
    dirty_pages_rate: int = 0  # pages a second
    dirty_sync_count: int = 0
    postcopy_requests: int = 0
    mbps: float = 0.0

    @property
    def normal_bytes(self) -> int:
        """Of pages that were sent as they are."""
        return self.normal * self.page_size


@dataclass
class XbzrleCounters:
    """What XBZRLE did."""

    cache_size: int = 0
    bytes: int = 0
    pages: int = 0
    cache_miss: int = 0
    cache_miss_rate: float = 0.0
    overflow: int = 0


@dataclass
class Statistics:
    """Of one migration. Written by the thread that sends, read by everybody."""

    ram: Counters = field(default_factory=Counters)
    disk: Counters | None = None
    xbzrle: XbzrleCounters | None = None
    cpu_throttle_percentage: int | None = None
    expected_downtime: int = 0  # milliseconds


@dataclass(frozen=True)
class Options:
    """What ``migrate`` was asked for besides the URI."""

    block: bool = False
    incremental: bool = False


class Control:
    """What a source may ask and tell while it works.

    :ivar postcopy_requested: set by ``migrate-start-postcopy``
    :ivar departed: set when the guest may run at the destination, whatever happens then
    """

    def __init__(
        self,
        statistics: Statistics,
        enter: Callable[[MigrationStatus], None],
        hand_over: Callable[[], None] = lambda: None,
        send_last: Callable[[], None] = lambda: None,
    ) -> None:
        self.statistics = statistics
        self.postcopy_requested = threading.Event()
        self.departed = threading.Event()
        self.enter = enter
        """Tell of a state in between: ``postcopy-active``."""
        self.hand_over = hand_over
        """The devices have written all they had to: let go of the disk images. Before the destination has the last
        byte, which takes them."""

        self.send_last = send_last
        """To be called before bytes are written by which the destination has the whole machine: it raises if that must
        not happen any more. May be called again."""

    def depart(self) -> None:
        """The guest runs at the destination from now on; its memory follows."""
        self.departed.set()
        self.enter(MigrationStatus.POSTCOPY_ACTIVE)


class Source(Protocol):
    """A machine that is sent. Bytes go into a buffer; nothing needs to be flushed."""

    def setup(self, stream: StreamWriter, control: Control) -> None:
        """Begin: header, what RAM there is. The guest may be running, as in :meth:`iterate`."""

    def iterate(self, stream: StreamWriter) -> bool:
        """Send some memory, for about a tenth of a second (:attr:`StreamWriter.exhausted`). Returns True when so
        little is left that the guest may be stopped for it."""

    def complete(self, stream: StreamWriter) -> None:
        """The guest stands still now: send the rest, the devices, the end. With a return path: hear the answer."""

    def cleanup(self) -> None:
        """It is over, well or not. Called exactly once, if anything else was called."""


class Destination(Protocol):
    """A machine that is loaded."""

    is_running: bool
    """Whether the guest runs here already, although not all is loaded (post-copy)."""

    def load(self, stream: StreamReader, enter: Callable[[MigrationStatus], None]) -> None:
        """Load from the magic number on to the end of the stream. Nothing has been taken from it.

        :param enter: tell of a state in between: ``postcopy-active``
        """

    def complete(self) -> None:
        """All is loaded: take the run state that the source had."""

    def cleanup(self) -> None:
        """It is over, well or not. Called exactly once, if anything else was called."""
