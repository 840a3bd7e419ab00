"""The QMP commands of dumps of guest memory."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from typing import BinaryIO

from pyqemu.io.descriptors import DescriptorError, Descriptors
from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated import types as qapi
from pyqemu.system.dump.job import Dump, Dumps
from pyqemu.system.dump.memory import memory_blocks
from pyqemu.system.dump.target import DumpTarget
from pyqemu.system.runstate import RunState, System
from pyqemu.util.whole_file import whole_file

FORMATS = (qapi.DumpGuestMemoryFormat.ELF, qapi.DumpGuestMemoryFormat.KDUMP_ZLIB)


def _dumps(system: System) -> Dumps:
    """The machine's dumps; the first question makes the part."""
    try:
        return system.part(Dumps)
    except QapiError:
        dumps = Dumps()
        system.add_part(dumps)
        return dumps


@command("query-dump")
def query_dump(system: System) -> qapi.DumpQueryResult:
    """How far the latest dump is."""
    return _dumps(system).result()


@command("query-dump-guest-memory-capability")
def query_dump_guest_memory_capability(system: System) -> qapi.DumpGuestMemoryCapability:
    """The formats that there are."""
    return qapi.DumpGuestMemoryCapability(formats=list(FORMATS))


@command("dump-guest-memory")
async def dump_guest_memory(
    system: System, *, paging: bool, protocol: str, detach: bool | None = None, begin: int | None = None,
    length: int | None = None, format: qapi.DumpGuestMemoryFormat | None = None,
) -> None:  # fmt: skip
    """Write guest memory and the state of the processors to a file; the guest stands still meanwhile.

    :raise QapiError: the options contradict each other; the file can't be opened; and, unless *detach*, what goes wrong
        later.
    """
    wanted = format or qapi.DumpGuestMemoryFormat.ELF
    with system.lock:
        dumps = _dumps(system)
        _check(system, dumps, wanted, paging=paging, begin=begin, length=length)
        target = system.part(DumpTarget)  # type: ignore[type-abstract]
        blocks = memory_blocks(target.memory, begin, length)
        resources = ExitStack()
        file = _open(system, protocol, resources)
        dump = Dump(system, target, blocks, wanted, paging)
        dumps.latest, dumps.status = dump, qapi.DumpStatus.ACTIVE
        was_running = system.running
        system.stop(RunState.SAVE_VM)
    work = asyncio.ensure_future(_run(dumps, dump, resources, file, was_running=was_running))
    dumps.task = work
    if not detach and (problem := await asyncio.shield(work)):
        raise QapiError(problem)


def _check(
    system: System, dumps: Dumps, format: qapi.DumpGuestMemoryFormat, *, paging: bool, begin: int | None,
    length: int | None,
) -> None:  # fmt: skip
    if system.state is RunState.INMIGRATE:
        raise QapiError("Dump not allowed during incoming migration.")
    if dumps.active:
        raise QapiError("There is a dump in process, please wait.")
    if format is not qapi.DumpGuestMemoryFormat.ELF and (paging or begin is not None or length is not None):
        raise QapiError("kdump-compressed format doesn't support paging or filter")
    if begin is not None and length is None:
        raise QapiError("Parameter 'length' is missing")
    if begin is None and length is not None:
        raise QapiError("Parameter 'begin' is missing")
    if format not in FORMATS:
        raise QapiError(f"{format.value} is not available now")


def _open(system: System, protocol: str, resources: ExitStack) -> BinaryIO:
    kind, colon, rest = protocol.partition(":")
    if not colon or kind not in ("file", "fd"):
        raise QapiError("Invalid parameter 'protocol'")
    try:
        if kind == "file":
            return resources.enter_context(whole_file(rest))
        return resources.enter_context(os.fdopen(system.part(Descriptors).take_named(rest), "wb"))
    except DescriptorError as error:
        raise QapiError(error.message) from None
    except OSError as error:
        raise QapiError(f"Could not open '{rest}': {error.strerror}") from None


async def _run(dumps: Dumps, dump: Dump, resources: ExitStack, file: BinaryIO, *, was_running: bool) -> str:
    """Write the file, tell how it ended, let the guest go on. What went wrong is returned."""
    problem = ""
    try:
        await asyncio.to_thread(dump.write, resources, file)
    except OSError as error:
        problem = f"dump: failed to save memory: {error.strerror}"
    except asyncio.CancelledError:
        dump.cancelled = True
        raise
    system = dump.system
    with system.lock:
        dumps.status = qapi.DumpStatus.FAILED if problem else qapi.DumpStatus.COMPLETED
        if was_running and system.state is RunState.SAVE_VM:
            system.start()
        system.emit("DUMP_COMPLETED", result=dumps.result(), error=problem or None)
    return problem
