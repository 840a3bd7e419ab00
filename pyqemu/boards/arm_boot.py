"""Starting a kernel on an Arm board (Linux: Documentation/arm64/booting.rst, Documentation/arm/booting.rst)."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyqemu.memory import AddressSpace
from pyqemu.util.errors import UserError
from pyqemu.util.units import MIB, format_size

ARM64_MAGIC, ARM64_MAGIC_AT = b"ARM\x64", 56
ALIGN = 2 * MIB
GZIP_MAGIC = b"\x1f\x8b"
INITRD_DISTANCE = 128 * MIB  #: of the initial ramdisk from the start of RAM, at most
BOOT_AREA = 0x1000  #: bytes at the start of RAM that a kernel is not put on


@dataclass
class Boot:
    """What was loaded, and where it begins.

    :ivar entry: address of the first instruction
    :ivar dtb: address of the device tree
    """

    entry: int
    dtb: int


def read_file(path: str, option: str) -> bytes:
    """The contents of a file that an option names.

    :raise UserError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{option} {path}: {error.strerror}") from None


class Loader:
    """Puts files into RAM, none over another one.

    :param start: address of RAM
    """

    def __init__(self, memory: AddressSpace, start: int, size: int) -> None:
        self.memory = memory
        self.start, self.size = start, size
        self._parts: list[tuple[int, int, str]] = []

    def put(self, address: int, data: bytes, what: str, room: int = 0) -> None:
        """Load *data*, which will take *room* bytes in the end.

        :raise UserError: it does not fit.
        """
        end = address + max(len(data), room)
        if end > self.start + self.size:
            raise UserError(
                f"{what} does not fit into {format_size(self.size)} of RAM",
                f"it would end at {format_size(end - self.start)}: -m {-(-(end - self.start) // MIB)} or more",
            )
        for first, last, other in self._parts:
            if address < last and first < end:
                raise UserError(f"{what} would be loaded over {other}", "more RAM (-m) keeps them apart")
        self._parts.append((address, end, what))
        self.memory.write(address, data)


def load_arm64(loader: Loader, kernel: str, initrd: str, make_dtb: Callable[[int, int], bytes]) -> Boot:
    """Load an arm64 ``Image``, maybe compressed, an initial ramdisk, and the device tree.

    :param make_dtb: makes the tree, given where the ramdisk begins and ends
    :raise UserError: a file cannot be read, is none such, or does not fit.
    """
    image = unpacked(read_file(kernel, "-kernel"), kernel)
    if image[ARM64_MAGIC_AT : ARM64_MAGIC_AT + 4] != ARM64_MAGIC:
        raise UserError(f"-kernel {kernel}: not an arm64 Linux kernel", "an Image, maybe compressed by gzip")
    offset, size = struct.unpack_from("<QQ", image, 8)
    if not size:  # before Linux 3.17
        offset, size = 0x80000, len(image)
    entry = loader.start + offset
    if offset < BOOT_AREA:
        entry += ALIGN
    loader.put(entry, image, "the kernel", size)
    first = loader.start + min(loader.size // 2, INITRD_DISTANCE)
    last = first
    if initrd:
        data = read_file(initrd, "-initrd")
        loader.put(first, data, "the initial ramdisk")
        last = first + len(data)
    place = -(-last // ALIGN) * ALIGN
    loader.put(place, make_dtb(first, last), "the device tree")
    return Boot(entry, place)


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
