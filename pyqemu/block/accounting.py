"""What a drive has done so far: the figures of ``query-blockstats``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyqemu.block.errors import BlockIOError

__all__ = ["Accounting", "Counter"]


@dataclass
class Counter:
    """Requests of one kind.

    :ivar time_ns: how long the host took for them
    :ivar failed: those that the host could not do (they are not in ``operations``)
    :ivar invalid: those that made no sense, such as sectors past the end
    """

    operations: int = 0
    bytes: int = 0
    time_ns: int = 0
    failed: int = 0
    invalid: int = 0


@dataclass
class Accounting:
    """The requests of a device to its drive."""

    read: Counter = field(default_factory=Counter)
    write: Counter = field(default_factory=Counter)
    flush: Counter = field(default_factory=Counter)
    last_access_ns: int | None = None  # of the host's monotonic clock

    @contextmanager
    def request(self, kind: Counter, length: int) -> Iterator[None]:
        """Count what the body does."""
        start = time.monotonic_ns()
        try:
            yield
        except BlockIOError:
            kind.failed += 1
            raise
        else:
            kind.operations += 1
            kind.bytes += length
        finally:
            self.last_access_ns = time.monotonic_ns()
            kind.time_ns += self.last_access_ns - start

    @property
    def idle_ns(self) -> int | None:
        """Since the last request; None if there was none."""
        return None if self.last_access_ns is None else time.monotonic_ns() - self.last_access_ns
