"""The files that ``-kernel`` and ``-initrd`` may name on Arm boards, and where each of them wants to be in memory.

* ELF programs (:mod:`pyqemu.firmware.elf_program`): they are no Linux kernels, whatever they are;
* U-Boot's legacy images (U-Boot: include/image.h), plain or compressed by gzip;
* arm64 ``Image`` (Linux: Documentation/arm64/booting.rst), maybe compressed by gzip;
* all else, such as ``zImage``, is taken for a Linux kernel that runs where it is put.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass

from pyqemu.firmware.elf_program import MAGIC as ELF_MAGIC
from pyqemu.firmware.elf_program import read_elf
from pyqemu.util.errors import UserError
from pyqemu.util.units import MIB

ARM64_MAGIC, ARM64_MAGIC_AT = b"ARM\x64", 56
ZIMAGE_MAGIC, ZIMAGE_MAGIC_AT = 0x016F2818, 0x24
PC_MAGIC, PC_MAGIC_AT = b"HdrS", 0x202
ALIGN = 2 * MIB
BOOT_AREA = 0x1000  #: bytes at the start of RAM that an arm64 kernel is not put on
OFFSET_32, OFFSET_64 = 0x10000, 0x80000  #: of a kernel that does not say where it wants to be
GZIP_MAGIC = b"\x1f\x8b"

UIMAGE_MAGIC = 0x27051956
UIMAGE_HEADER = struct.Struct(">IIIIIIIBBBB32s")
UIMAGE_LINUX, UIMAGE_KERNEL, UIMAGE_RAMDISK = 5, 2, 3
UIMAGE_PLAIN, UIMAGE_GZIP = 0, 1

EM_ARM, EM_AARCH64 = 40, 183
EF_ARM_BE8 = 0x00800000


@dataclass(frozen=True)
class Part:
    """Bytes for an address; *room* is what the part takes in the end, in bytes, the rest of which is left alone."""

    address: int
    data: bytes
    what: str
    room: int = 0

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + max(len(self.data), self.room)


@dataclass(frozen=True)
class Program:
    """What a file of ``-kernel`` is.

    :ivar entry: address of its first instruction; in an ELF program of 32 bits, bit 0 tells Thumb
    :ivar is_linux: whether it wants to be called as Linux does
    :ivar big_endian: whether the processor is to begin with big-endian data
    """

    parts: tuple[Part, ...]
    entry: int
    is_linux: bool
    big_endian: bool = False


def read_program(image: bytes, name: str, ram: int, *, is_64bit: bool) -> Program:
    """Recognise a file.

    :param ram: address of RAM
    :raise UserError: it is damaged, or for another processor.
    """
    if image.startswith(ELF_MAGIC):
        return _elf(image, name, is_64bit)
    if image[:4] == UIMAGE_MAGIC.to_bytes(4, "big"):
        return _uimage(image, name)
    if is_64bit:
        return _image64(unpacked(image, name), name, ram)
    _refuse_strangers(image, name, {"an arm64 Linux kernel": _is_image64(image), **_kernel_of_a_pc(image)})
    return Program((Part(ram + OFFSET_32, image, "the kernel"),), ram + OFFSET_32, is_linux=True)


def read_ramdisk(image: bytes, name: str) -> bytes:
    """The contents of an initial ramdisk, which may be one of U-Boot's.

    :raise UserError: it is damaged.
    """
    if image[:4] != UIMAGE_MAGIC.to_bytes(4, "big"):
        return image
    header = _header(image, "-initrd", name)
    if header.kind != UIMAGE_RAMDISK:
        raise UserError(f"-initrd {name}: wrong image type {header.kind}", f"{UIMAGE_RAMDISK}, a ramdisk")
    return header.contents


def unpacked(data: bytes, name: str) -> bytes:
    """*data*, decompressed if it is compressed.

    :raise UserError: it is damaged.
    """
    if not data.startswith(GZIP_MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"-kernel {name}: it is compressed, and damaged: {error}") from None


# --- Linux ------------------------------------------------------------------------------------------------------------


def _is_image64(image: bytes) -> bool:
    return image[ARM64_MAGIC_AT : ARM64_MAGIC_AT + 4] == ARM64_MAGIC


def _kernel_of_a_pc(image: bytes) -> dict[str, bool]:
    return {"a kernel for PCs": image[PC_MAGIC_AT : PC_MAGIC_AT + 4] == PC_MAGIC}


def _refuse_strangers(image: bytes, name: str, strangers: dict[str, bool]) -> None:
    """Kernels that are known to be for something else would be started in vain, and without a word."""
    if not image:
        raise UserError(f"-kernel {name}: the file is empty")
    for what, is_such in strangers.items():
        if is_such:
            raise UserError(f"-kernel {name}: this is {what}", "one for the processor of the machine (-cpu)")


def _image64(image: bytes, name: str, ram: int) -> Program:
    magic = image[ZIMAGE_MAGIC_AT : ZIMAGE_MAGIC_AT + 4]
    is_32bit = magic == ZIMAGE_MAGIC.to_bytes(4, "little") and not _is_image64(image)
    _refuse_strangers(image, name, {"a Linux kernel of 32 bits": is_32bit, **_kernel_of_a_pc(image)})
    offset, size = OFFSET_64, len(image)
    if _is_image64(image):
        wanted, needed = struct.unpack_from("<QQ", image, 8)
        if needed:  # since Linux 3.17
            offset, size = wanted, needed
    entry = ram + offset
    if offset < BOOT_AREA:
        entry += ALIGN
    return Program((Part(entry, image, "the kernel", size),), entry, is_linux=True)


# --- U-Boot -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Header:
    """What of an image's header matters."""

    load: int
    entry: int
    system: int
    kind: int
    compression: int
    contents: bytes


def _header(image: bytes, option: str, name: str) -> _Header:
    if len(image) < UIMAGE_HEADER.size:
        raise UserError(f"{option} {name}: a U-Boot image that ends within its header")
    _, _, _, size, load, entry, _, system, _, kind, compression, _ = UIMAGE_HEADER.unpack_from(image)
    contents = image[UIMAGE_HEADER.size : UIMAGE_HEADER.size + size]
    if len(contents) < size:
        raise UserError(f"{option} {name}: a U-Boot image of {size} bytes that ends after {len(contents)}")
    return _Header(load, entry, system, kind, compression, contents)


def _uimage(image: bytes, name: str) -> Program:
    header = _header(image, "-kernel", name)
    if header.kind != UIMAGE_KERNEL:
        raise UserError(f"-kernel {name}: wrong image type {header.kind}", f"{UIMAGE_KERNEL}, a kernel")
    contents = header.contents
    if header.compression == UIMAGE_GZIP:
        contents = unpacked(contents, name)
    elif header.compression != UIMAGE_PLAIN:
        raise UserError(
            f"-kernel {name}: Unable to load u-boot images with compression type {header.compression}",
            f"{UIMAGE_PLAIN} (none) or {UIMAGE_GZIP} (gzip)",
        )
    part = Part(header.load, contents, "the kernel")
    return Program((part,), header.entry, is_linux=header.system == UIMAGE_LINUX)


# --- ELF --------------------------------------------------------------------------------------------------------------


def _elf(image: bytes, name: str, is_64bit: bool) -> Program:
    elf = read_elf(image, name)
    wanted, text = (EM_AARCH64, "AArch64") if is_64bit else (EM_ARM, "Arm")
    if elf.machine != wanted or (elf.bits == 64) != is_64bit:
        raise UserError(f"-kernel {name}: an ELF file for another processor", f"{wanted} ({text}), not {elf.machine}")
    if elf.big_endian and not is_64bit and not elf.flags & EF_ARM_BE8:
        raise UserError(f"-kernel {name}: an ELF file for big-endian words (BE32)", "BE8, or little-endian")
    parts = tuple(Part(each.address, each.data, f"segment {each.number} of {name}") for each in elf.segments)
    return Program(parts, elf.entry, is_linux=False, big_endian=elf.big_endian)
