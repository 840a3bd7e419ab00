"""Dumps of guest memory: ``dump-guest-memory``, ``info dump``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.generated.types import DumpGuestMemoryFormat, DumpStatus
from pyqemu.system.dump import commands

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


@hmp_command(
    "dump-guest-memory", "paging:-p,detach:-d,zlib:-z,lzo:-l,snappy:-s,filename:F,begin:i?,length:i?",
    "write guest memory to a file (-p: with page tables, -d: do not wait, -z -l -s: compressed)",
    parameters="[-p] [-d] [-z|-l|-s] filename [begin length]",
)  # fmt: skip
async def dump_guest_memory(
    hmp: Hmp, *, paging: bool, detach: bool, zlib: bool, lzo: bool, snappy: bool, filename: str,
    begin: int | None = None, length: int | None = None,
) -> None:  # fmt: skip
    formats = DumpGuestMemoryFormat
    wanted = [format for format, is_wanted in (
        (formats.KDUMP_ZLIB, zlib), (formats.KDUMP_LZO, lzo), (formats.KDUMP_SNAPPY, snappy),
    ) if is_wanted]  # fmt: skip
    if len(wanted) > 1:
        raise QapiError("only one of '-z|-l|-s' can be set")
    await commands.dump_guest_memory(
        hmp.system, paging=paging, protocol=f"file:{filename}", detach=detach, begin=begin, length=length,
        format=wanted[0] if wanted else formats.ELF,
    )  # fmt: skip


@hmp_command("dump", "", "how far the latest dump of guest memory is", is_info=True)
def info_dump(hmp: Hmp) -> None:
    result = hmp.call(commands.query_dump)
    hmp.print(f"Status: {result.status.value}")
    if result.status is DumpStatus.ACTIVE:
        hmp.print(f"Finished: {100 * result.completed / max(result.total, 1):.2f} %")
