"""The ELF form of a dump: a core file whose loadable segments are the guest's memory (System V ABI; ``elf.h``).

::

    ELF header | program headers | section header, if there are too many program headers | notes | memory
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from pyqemu.system.dump.memory import Block
from pyqemu.system.dump.target import Mapping

ET_CORE, EV_CURRENT, PT_LOAD, PT_NOTE = 4, 1, 1, 4
CLASS_32, CLASS_64, DATA_LITTLE = 1, 2, 1
PN_XNUM = 0xFFFF  # as many program headers or more: their number is in section header 0


@dataclass(frozen=True)
class Layout:
    """The structures of one class of ELF."""

    elf_class: int
    header: struct.Struct
    program: struct.Struct
    section: struct.Struct

    def program_header(
        self, kind: int, offset: int, size: int, *, virtual: int = 0, physical: int = 0, flags: int = 0
    ) -> bytes:
        """A segment that is as large in memory as in the file."""
        if self.elf_class == CLASS_64:
            return self.program.pack(kind, flags, offset, virtual, physical, size, size, 0)
        return self.program.pack(kind, offset, virtual, physical, size, size, flags, 0)


ELF32 = Layout(CLASS_32, struct.Struct("<16sHHIIIIIHHHHHH"), struct.Struct("<IIIIIIII"), struct.Struct("<10I"))
ELF64 = Layout(CLASS_64, struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ"), struct.Struct("<IIQQQQIIQQ"))


def layout_for(blocks: Iterable[Block], *, wide: bool) -> Layout:
    """The class that can name all addresses, or that of the processors' mode."""
    return ELF64 if wide or any(block.end > 0xFFFFFFFF for block in blocks) else ELF32


def head(layout: Layout, machine: int, notes: bytes, blocks: list[Block], mappings: Iterable[Mapping]) -> bytes:
    """All that comes before the memory, which is the contents of *blocks* one after another.

    :param mappings: the loadable segments, each within a block
    """
    segments = list(mappings)
    count = len(segments) + 1
    extended = count >= PN_XNUM
    table = layout.header.size
    sections = table + count * layout.program.size
    notes_at = sections + (layout.section.size if extended else 0)
    data_at = notes_at + len(notes)
    ident = b"\x7fELF" + bytes((layout.elf_class, DATA_LITTLE, EV_CURRENT)) + bytes(9)
    parts = [
        layout.header.pack(
            ident, ET_CORE, machine, EV_CURRENT, 0, table, sections if extended else 0, 0, layout.header.size,
            layout.program.size, PN_XNUM if extended else count, layout.section.size, int(extended), 0,
        ),
        layout.program_header(PT_NOTE, notes_at, len(notes)),
    ]  # fmt: skip
    parts += _loads(layout, segments, blocks, data_at)
    if extended:
        parts.append(layout.section.pack(0, 0, 0, 0, 0, 0, 0, count, 0, 0))  # sh_info has the number
    return b"".join([*parts, notes])


def _loads(layout: Layout, segments: list[Mapping], blocks: list[Block], data_at: int) -> list[bytes]:
    offsets = {}
    for block in blocks:
        offsets[block] = data_at
        data_at += block.size
    headers = []
    for segment in segments:
        block = next(block for block in blocks if block.start <= segment.physical < block.end)
        offset = offsets[block] + segment.physical - block.start
        headers.append(
            layout.program_header(PT_LOAD, offset, segment.size, virtual=segment.virtual, physical=segment.physical)
        )
    return headers
