"""From a command's name to the function that carries it out (:class:`pyqemu.monitor.qmp.session.Dispatcher`).

Plain functions run in the loop's thread with the machine's lock held. If the lock is free, that is at once. If not, it
has to change hands, which costs the vCPU and us some tens of microseconds: so commands that find it taken wait for each
other, and those that have come together in one turn of the loop share one hand-over.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextvars import Context, copy_context
from typing import NamedTuple

from pyqemu.monitor.qmp.stream import JSON
from pyqemu.qapi.commands import REGISTRY, Handler, Registry
from pyqemu.qapi.generated.commands import COMMANDS
from pyqemu.system import System

LONGEST_HOLD = 1e-3  # seconds after which the lock is given back, even if commands wait


class _Job(NamedTuple):
    """A command that waits for the lock."""

    handler: Handler
    arguments: dict[str, JSON]
    context: Context
    done: asyncio.Future[JSON]


class QapiDispatcher:
    """Carries out the schema's commands on *system*."""

    def __init__(self, system: System, registry: Registry = REGISTRY) -> None:
        self.system = system
        self.registry = registry
        self._jobs: deque[_Job] = deque()

    def known(self, name: str) -> bool:
        """Whether the schema has such a command."""
        return name in COMMANDS

    def is_oob_allowed(self, name: str) -> bool:
        """Whether the schema lets it be executed out of band."""
        return "allow-oob" in COMMANDS[name][2].split()

    async def execute(self, name: str, arguments: dict[str, JSON]) -> JSON:
        """Carry out a command.

        :raise QapiError: wrong arguments, no handler, or the handler refuses.
        """
        if event := self.system.trace.handle_qmp_command:
            event(mon=id(self), cmd_name=name)
        handler = self.registry.find(name)
        if handler.is_async:
            return await handler.call_async(self.system, arguments)
        lock = self.system.lock
        if self._jobs or not lock.acquire(blocking=False):
            return await self._join(handler, arguments)
        try:
            return handler.call(self.system, arguments)
        finally:
            lock.release()

    def _join(self, handler: Handler, arguments: dict[str, JSON]) -> asyncio.Future[JSON]:
        loop = asyncio.get_running_loop()
        if not self._jobs:
            loop.call_soon(self._work, loop)
        job = _Job(handler, arguments, copy_context(), loop.create_future())
        self._jobs.append(job)
        return job.done

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Carry out what has come together."""
        with self.system.lock:
            end = time.monotonic() + LONGEST_HOLD
            while self._jobs:
                self._carry_out(self._jobs.popleft())
                if time.monotonic() > end:
                    self.system.lock.make_way()  # only to release it would let who waits race for it with us
                    break
        if self._jobs:
            loop.call_soon(self._work, loop)

    def _carry_out(self, job: _Job) -> None:
        if job.done.cancelled():
            return
        try:
            job.done.set_result(job.context.run(job.handler.call, self.system, job.arguments))
        except Exception as error:
            job.done.set_exception(error)
