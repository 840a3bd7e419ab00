"""The big lock, and how it changes hands.

A vCPU that translates, or reaches devices again and again, lets go of the lock for a few microseconds at a time and
takes it back before a thread that sleeps in wait for it has even woken: others could wait for seconds. So who waits
says so (:attr:`BigLock.on_contention`), and the holder makes way when it can (:meth:`BigLock.make_way`).

:meth:`acquire` and :meth:`release` are plain and fast, for the vCPU's thread. Everyone else says ``with lock``.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from typing import Any

PATIENCE = 0.05  # seconds that the holder waits until its successor has the lock


def _nobody() -> None:
    return None


class BigLock(_thread.RLock):  # type: ignore[misc]  # it can be subclassed, whatever the stubs say
    """A re-entrant lock with hand-over.

    :ivar on_contention: called when somebody finds the lock taken, from any thread, without it: must not block. It
        should make the holder call :meth:`make_way` soon.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_contention: Callable[[], None] = _nobody
        self._queue = threading.Lock()  # held by the one who is next

    def __enter__(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not self.acquire(blocking=False):
            with self._queue:
                self.on_contention()
                self.acquire()
        return True

    def give_away(self) -> object:
        """Release it as often as the caller holds it, maybe never; for :meth:`take_back`."""
        lock: Any = self  # what conditions use is not in the stubs
        return lock._release_save() if lock._is_owned() else None

    def take_back(self, held: object) -> None:
        """Hold it again as it was held before :meth:`give_away`."""
        if held is not None:
            lock: Any = self
            lock._acquire_restore(held)

    def make_way(self) -> None:
        """Let one who waits have the lock, and take it back after. The caller holds it, once."""
        if not self._queue.locked():
            return
        self.release()
        if self._queue.acquire(timeout=PATIENCE):  # free when the next one has the lock
            self._queue.release()
        self.acquire()
