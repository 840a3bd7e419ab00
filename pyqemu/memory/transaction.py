"""Batches of topology changes: address spaces are rebuilt once, at the end of the outermost batch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class TopologyObserver(Protocol):
    """An address space, as the transaction sees it."""

    def topology_changed(self) -> None:
        """The tree below the root changed."""


class _Pending(threading.local):
    """Depth and dirty spaces. It is per thread, so that two machines in one process don't meet."""

    def __init__(self) -> None:
        self.depth = 0
        self.observers: dict[int, TopologyObserver] = {}


_pending = _Pending()


@contextmanager
def memory_transaction() -> Iterator[None]:
    """Collect topology changes; address spaces learn of them when the outermost block is left."""
    _pending.depth += 1
    try:
        yield
    finally:
        _pending.depth -= 1
        if not _pending.depth:
            observers, _pending.observers = _pending.observers, {}
            for observer in observers.values():
                observer.topology_changed()


def notify(observers: list[TopologyObserver]) -> None:
    """Tell ``observers`` of a change, now or at the end of the transaction under way."""
    if _pending.depth:
        for observer in observers:
            _pending.observers[id(observer)] = observer
        return
    for observer in observers:
        observer.topology_changed()
