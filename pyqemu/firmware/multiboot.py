"""Multiboot kernels: ``-kernel KERNEL -append TEXT -initrd "module args,other module"``.

Follows the Multiboot specification, version 0.6.96. Kernels are ELF (32-bit, or 64-bit with 32-bit entry code)
or any file with addresses in its header (the "a.out kludge"). The parts are laid out so:

* the kernel where it says; the modules behind it, each on a page boundary;
* the multiboot information with all strings in one block below 1 MiB that the kernel does not use; the memory
  map is its last part and is filled in by ``multiboot_start.asm`` from what the running BIOS reports.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

from pyqemu.firmware.boot_image import (
    BootImage,
    FwCfgKey,
    LoadError,
    Segment,
    assemble_resource,
    read_file,
    word,
)
from pyqemu.util.units import KIB, MIB

HEADER_MAGIC = 0x1BADB002
_HEADER_SEARCH = 8192
_PAGE = 4096
_LOW_MEMORY_END = 0x9F000
_INFORMATION_PLACES = (0x90000, 0x80000, 0x70000, 0x20000, 0x10000)
_START_ADDRESS = 0x7E00
_MAP_ENTRIES, _MAP_ENTRY_SIZE = 32, 24


class HeaderFlag(IntFlag):
    """Header flags (3.1.2): the low half must be understood, the high half may be ignored."""

    PAGE_ALIGN = 1 << 0
    MEMORY_INFO = 1 << 1
    VIDEO_MODE = 1 << 2
    ADDRESSES = 1 << 16


class InfoFlag(IntFlag):
    """Which fields of the multiboot information are valid (3.3)."""

    MEMORY = 1 << 0
    BOOT_DEVICE = 1 << 1
    COMMAND_LINE = 1 << 2
    MODULES = 1 << 3
    MEMORY_MAP = 1 << 6
    LOADER_NAME = 1 << 9


@dataclass(frozen=True)
class Header:
    """The multiboot header and where in the file it is."""

    offset: int
    flags: int


@dataclass(frozen=True)
class Kernel:
    """A kernel's parts, zero-filled to their size in memory, and its 32-bit entry point."""

    segments: tuple[Segment, ...]
    entry: int

    @property
    def end(self) -> int:
        """First address after the highest part."""
        return max(segment.end for segment in self.segments)


def find_header(image: bytes) -> Header | None:
    """The multiboot header: on a 4-byte boundary within the first 8192 bytes, fields summing to 0."""
    at = -1
    magic = struct.pack("<I", HEADER_MAGIC)
    while (at := image.find(magic, at + 1, _HEADER_SEARCH)) >= 0:
        if at % 4 == 0 and at + 12 <= len(image):
            _, flags, checksum = struct.unpack_from("<III", image, at)
            if (HEADER_MAGIC + flags + checksum) & 0xFFFFFFFF == 0:
                return Header(at, flags)
    return None


def parse_kernel(image: bytes, header: Header, path: str | Path) -> Kernel:
    """The kernel's parts.

    :raise LoadError: the file is damaged, or of a kind that multiboot cannot start.
    """
    if header.flags & 0xFFFF & ~(HeaderFlag.PAGE_ALIGN | HeaderFlag.MEMORY_INFO | HeaderFlag.VIDEO_MODE):
        raise LoadError(f"multiboot kernel '{path}' asks for unknown features (flags {header.flags:#x})")
    if header.flags & HeaderFlag.ADDRESSES:
        kernel = _parse_addresses(image, header, path)
    elif image[:4] == b"\x7fELF":
        kernel = _parse_elf(image, path)
    else:
        raise LoadError(f"multiboot kernel '{path}' is neither ELF nor has load addresses in its header")
    if not kernel.segments:
        raise LoadError(f"multiboot kernel '{path}' has nothing to load: no loadable ELF segment")
    return kernel


def _parse_addresses(image: bytes, header: Header, path: str | Path) -> Kernel:
    """Header fields of 3.1.3; addresses are physical."""
    if header.offset + 32 > len(image):
        raise LoadError(f"multiboot kernel '{path}' is truncated within its header")
    header_address, load, load_end, bss_end, entry = struct.unpack_from("<5I", image, header.offset + 12)
    start = header.offset - (header_address - load)
    if start < 0 or load > header_address or (load_end and load_end < load):
        raise LoadError(f"multiboot kernel '{path}' has addresses in its header that contradict each other")
    size = load_end - load if load_end else len(image) - start
    if start + size > len(image):
        raise LoadError(f"multiboot kernel '{path}' is truncated: {len(image)} bytes of {start + size}")
    data = image[start : start + size]
    return Kernel((Segment(load, data.ljust(max(bss_end - load, len(data)), b"\x00")),), entry)


_EM_386, _EM_X86_64 = 3, 62
_PT_LOAD = 1


def _parse_elf(image: bytes, path: str | Path) -> Kernel:
    """The loadable segments at their physical addresses; the entry point is translated likewise."""
    wide = image[4:5] == b"\x02"
    header_format, program_format = ("<HHIQQQIHHH", "<IIQQQQQQ") if wide else ("<HHIIIIIHHH", "<IIIIIIII")
    try:
        fields = struct.unpack_from(header_format, image, 16)
        machine, entry, table, entry_size, count = fields[1], fields[3], fields[4], fields[8], fields[9]
        programs = [struct.unpack_from(program_format, image, table + i * entry_size) for i in range(count)]
    except struct.error:
        raise LoadError(f"multiboot kernel '{path}' is truncated: its ELF headers are not complete") from None
    if image[5] != 1 or machine not in (_EM_386, _EM_X86_64):
        raise LoadError(f"multiboot kernel '{path}' is an ELF for machine {machine}; give one for x86 (3 or 62)")
    segments: list[Segment] = []
    physical_entry = entry
    for program in programs:
        if wide:
            kind, _, offset, virtual, physical, file_size, memory_size, _ = program
        else:
            kind, offset, virtual, physical, file_size, memory_size, _, _ = program
        if kind != _PT_LOAD or not memory_size:
            continue
        _check_part(path, image, offset, physical, file_size, memory_size)
        segments.append(Segment(physical, image[offset : offset + file_size].ljust(memory_size, b"\x00")))
        if virtual <= entry < virtual + memory_size:
            physical_entry = entry - virtual + physical
    return Kernel(tuple(segments), physical_entry)


def _check_part(path: str | Path, image: bytes, offset: int, physical: int, file_size: int, memory_size: int) -> None:
    if offset + file_size > len(image):
        raise LoadError(f"multiboot kernel '{path}' is truncated: {len(image)} bytes of {offset + file_size}")
    if file_size > memory_size or physical + memory_size > 1 << 32:
        raise LoadError(f"multiboot kernel '{path}' has a damaged ELF program header (address {physical:#x})")


@dataclass(frozen=True)
class _Module:
    """A module where it was placed, with the whole text that named it."""

    segment: Segment
    text: str


def _split_modules(text: str) -> list[str]:
    """Parts between commas; two commas stand for one in a name."""
    return [part.replace("\0", ",").strip() for part in text.replace(",,", "\0").split(",") if part.strip()]


def _load_modules(text: str, address: int) -> list[_Module]:
    modules = []
    for part in _split_modules(text):
        address += -address % _PAGE
        data = read_file(part.split(" ", 1)[0], "multiboot module")
        modules.append(_Module(Segment(address, data), part))
        address += len(data)
    return modules


def _information_place(segments: tuple[Segment, ...], size: int) -> int:
    for place in _INFORMATION_PLACES:
        fits = place + size <= _LOW_MEMORY_END
        if fits and all(segment.end <= place or place + size <= segment.address for segment in segments):
            return place
    raise LoadError("the multiboot kernel leaves no room below 640 KiB for its multiboot information")


class _Information:
    """Lays out the multiboot information (3.3), its strings, module list and memory map in one block."""

    _SIZE = 88

    def __init__(self, kernel_text: str, modules: list[_Module], ram_below_4g: int) -> None:
        self.modules = modules
        self.upper_kib = (ram_below_4g - MIB) // KIB
        self.strings = [kernel_text, "pyqemu", *(module.text for module in modules)]

    def build(self, address: int) -> bytes:
        """The block for that address."""
        offsets, blob = [], bytearray()
        first_string = self._SIZE + 16 * len(self.modules)
        for text in self.strings:
            offsets.append(address + first_string + len(blob))
            blob += text.encode("utf-8", "surrogateescape") + b"\x00"
        blob += bytes(-(first_string + len(blob)) % 16)
        map_address = address + first_string + len(blob)
        flags = InfoFlag.MEMORY | InfoFlag.BOOT_DEVICE | InfoFlag.COMMAND_LINE | InfoFlag.MODULES
        flags |= InfoFlag.MEMORY_MAP | InfoFlag.LOADER_NAME
        info = struct.pack("<IIII", flags, 639, self.upper_kib, 0x8000FFFF)  # first disk, first partition
        info += struct.pack("<III", offsets[0], len(self.modules), address + self._SIZE)
        info += bytes(16)  # no symbol table
        info += struct.pack("<II", 0, map_address)  # still empty
        info += bytes(12)  # no drives, no configuration table
        info += struct.pack("<I", offsets[1])
        listing = b"".join(
            struct.pack("<IIII", module.segment.address, module.segment.end, text, 0)
            for module, text in zip(self.modules, offsets[2:], strict=True)
        )
        room = bytes(_MAP_ENTRIES * _MAP_ENTRY_SIZE + 4)
        return info.ljust(self._SIZE, b"\x00") + listing + bytes(blob) + room


def load_multiboot(
    kernel_path: str | Path, ram_below_4g: int, *, modules: str | None = None, append: str = ""
) -> BootImage:
    """Lay out a multiboot kernel for a machine with that much RAM below 4 GiB.

    :param modules: what ``-initrd`` gave: files with their arguments, separated by commas.
    :raise LoadError: a file is missing or bad, or does not fit.
    """
    image = read_file(kernel_path, "kernel")
    header = find_header(image)
    if header is None:
        raise LoadError(f"'{kernel_path}' has no multiboot header in its first {_HEADER_SEARCH} bytes")
    kernel = parse_kernel(image, header, kernel_path)
    loaded = _load_modules(modules or "", max(kernel.end, MIB))
    end = max([kernel.end, *(module.segment.end for module in loaded)])
    if end > ram_below_4g:
        needed = -(-end // MIB)
        raise LoadError(f"kernel '{kernel_path}' with its modules needs {needed} MiB of RAM; give -m {needed}")
    information = _Information(f"{kernel_path} {append}".rstrip(), loaded, ram_below_4g)
    place = _information_place(kernel.segments, len(information.build(0)))
    parts = (*kernel.segments, *(module.segment for module in loaded))
    return _make_image(parts, kernel.entry, Segment(place, information.build(place)))


def _make_image(parts: tuple[Segment, ...], entry: int, information: Segment) -> BootImage:
    start = bytearray(assemble_resource("multiboot_start.asm"))
    struct.pack_into("<II", start, 4, information.address, entry)
    lowest = min(part.address for part in parts)
    blob = bytearray(max(part.end for part in parts) - lowest)
    for part in parts:
        blob[part.address - lowest : part.end - lowest] = part.data
    fw_cfg: dict[int, bytes] = {
        FwCfgKey.KERNEL_ADDRESS: word(lowest),
        FwCfgKey.KERNEL_SIZE: word(len(blob)),
        FwCfgKey.KERNEL_DATA: bytes(blob),
        FwCfgKey.KERNEL_ENTRY: word(entry),
        FwCfgKey.INITRD_ADDRESS: word(information.address),
        FwCfgKey.INITRD_SIZE: word(len(information.data)),
        FwCfgKey.INITRD_DATA: information.data,
    }
    segments = (*parts, information, Segment(_START_ADDRESS, bytes(start)))
    return BootImage("multiboot", segments, (0, _START_ADDRESS), fw_cfg, "genroms/multiboot.bin")
