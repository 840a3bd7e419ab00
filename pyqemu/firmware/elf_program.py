"""ELF programs for ``-kernel`` (System V ABI, chapters 4 and 5), read by pyelftools."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pyqemu.util.errors import UserError

MAGIC = b"\x7fELF"
PF_X = 1
MAX_BYTES = 1 << 30  #: of one segment with what is to be cleared behind it


@dataclass(frozen=True)
class Segment:
    """A part of memory: where it is, and what is there in the end."""

    number: int
    address: int
    data: bytes


@dataclass(frozen=True)
class ElfProgram:
    """What a file tells.

    :ivar bits: the width of addresses, 32 or 64
    :ivar machine: e_machine
    :ivar flags: e_flags
    :ivar entry: the guest-physical address of the first instruction, as far as a segment tells
    """

    bits: int
    machine: int
    flags: int
    big_endian: bool
    entry: int
    segments: tuple[Segment, ...]


def read_elf(image: bytes, name: str) -> ElfProgram:
    """Read a file that begins with :data:`MAGIC`.

    :raise UserError: it is damaged, or asks for more than anybody has.
    """
    from elftools.common.exceptions import ELFError  # most kernels are none such
    from elftools.elf.elffile import ELFFile
    from elftools.elf.enums import ENUM_E_MACHINE

    try:
        elf = ELFFile(BytesIO(image))
        header, loaded = elf.header, list(_loaded(elf))
    except ELFError:
        raise UserError(f"-kernel {name}: an ELF file that ends within its headers") from None
    machine = header.e_machine
    entry = header.e_entry
    for _, segment in loaded:
        within = entry - segment.p_vaddr
        if segment.p_flags & PF_X and segment.p_vaddr != segment.p_paddr and 0 <= within < segment.p_filesz:
            entry = segment.p_paddr + within
            break
    return ElfProgram(
        elf.elfclass,
        machine if isinstance(machine, int) else ENUM_E_MACHINE[machine],
        header.e_flags,
        not elf.little_endian,
        entry,
        tuple(_contents(image, segment, number, name) for number, segment in loaded),
    )


def _loaded(elf: Any) -> Iterator[tuple[int, Any]]:
    """Number and header of each segment that is to be in memory."""
    for number, segment in enumerate(elf.iter_segments()):
        if segment.header.p_type == "PT_LOAD":
            yield number, segment.header


def _contents(image: bytes, segment: Any, number: int, name: str) -> Segment:
    data = image[segment.p_offset : segment.p_offset + segment.p_filesz]
    if len(data) < segment.p_filesz:
        raise UserError(f"-kernel {name}: segment {number} of the ELF file goes on after the end of the file")
    if segment.p_memsz > MAX_BYTES:
        raise UserError(f"-kernel {name}: segment {number} of the ELF file takes {segment.p_memsz} bytes")
    return Segment(number, segment.p_paddr, data.ljust(segment.p_memsz, b"\0"))
