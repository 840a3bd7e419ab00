"""What ``-kernel`` makes: a program laid out in memory, for the built-in BIOS or for a firmware image.

A ``BootImage`` can be started in two ways, and both end in the same state of the machine:

* the built-in BIOS copies every segment to its physical address and jumps, in real mode, to ``entry``; a stub
  among the segments sets up what the program expects;
* a firmware image finds ``option_rom`` among fw_cfg's ``genroms/`` files, runs its boot entry vector, and
  that fetches the same bytes through fw_cfg's DMA (``fw_cfg`` keys).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib.resources import files
from pathlib import Path

from pyqemu.util.errors import UserError


class LoadError(UserError):
    """A kernel, initrd or module that cannot be loaded: the message names the file and what is right."""


class FwCfgKey(IntEnum):
    """fw_cfg selectors of the boot loader's items; addresses and sizes are 32-bit little-endian."""

    KERNEL_ADDRESS = 0x07
    KERNEL_SIZE = 0x08
    INITRD_ADDRESS = 0x0A
    INITRD_SIZE = 0x0B
    KERNEL_ENTRY = 0x10
    KERNEL_DATA = 0x11
    INITRD_DATA = 0x12
    COMMAND_LINE_ADDRESS = 0x13
    COMMAND_LINE_SIZE = 0x14
    COMMAND_LINE_DATA = 0x15
    SETUP_ADDRESS = 0x16
    SETUP_SIZE = 0x17
    SETUP_DATA = 0x18


@dataclass(frozen=True)
class Segment:
    """Bytes for one physical address."""

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """First address after the segment."""
        return self.address + len(self.data)


@dataclass(frozen=True)
class BootImage:
    """A program ready to be started."""

    kind: str  # "linux" or "multiboot"
    segments: tuple[Segment, ...]
    entry: tuple[int, int]  # real-mode segment and offset
    fw_cfg: Mapping[int, bytes]
    option_rom: str  # fw_cfg file name; ``option_rom_data`` is its content

    def option_rom_data(self) -> bytes:
        """The option ROM, assembled from our sources."""
        return build_option_rom(b"".join(assemble_resource(name) for name in _OPTION_ROMS[self.kind]))

    @property
    def boot_order(self) -> str:
        """The line for fw_cfg's ``bootorder`` file that puts this program first."""
        return f"/rom@{self.option_rom}"


_OPTION_ROMS = {"linux": ("linux_rom.asm",), "multiboot": ("multiboot_rom.asm", "multiboot_start.asm")}
"""Sources, to be appended to each other."""


def word(value: int) -> bytes:
    """A 32-bit little-endian fw_cfg item."""
    return struct.pack("<I", value)


def read_file(path: str | Path, what: str) -> bytes:
    """Content of a file that the operator named.

    :raise LoadError: it is missing, unreadable or empty.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise LoadError(f"could not load {what} '{path}': {error.strerror}") from error
    if not data:
        raise LoadError(f"could not load {what} '{path}': the file is empty")
    return data


def assemble_resource(name: str, **symbols: int) -> bytes:
    """Assemble one of the ``.asm`` files beside this module."""
    from pyqemu.util.x86asm import assemble  # here, because only few runs need an assembler

    source = (files("pyqemu.firmware") / name).read_text(encoding="utf-8")
    return assemble(source, symbols=symbols).code


def build_option_rom(code: bytes) -> bytes:
    """Pad to 512-byte blocks, enter their number, and make all bytes sum to 0 (PnP BIOS 1.0A, 3.1)."""
    blocks = -(-(len(code) + 1) // 512)
    rom = bytearray(code.ljust(512 * blocks, b"\x00"))
    rom[2] = blocks
    header = struct.unpack_from("<H", rom, 0x1A)[0]
    rom[header + 9] = -sum(rom[header : header + 32]) & 0xFF
    rom[-1] = -sum(rom) & 0xFF
    return bytes(rom)
