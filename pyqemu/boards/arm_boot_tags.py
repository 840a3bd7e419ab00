"""The list of tags that tells a kernel of 32 bits about its machine if no device tree does (Linux:
Documentation/arm/booting.rst, "4a. Setup the kernel tagged list"; arch/arm/include/uapi/asm/setup.h).
"""

from __future__ import annotations

import struct

CORE, MEM, INITRD2, CMDLINE, NONE = 0x54410001, 0x54410002, 0x54420005, 0x54410009, 0
BOARD = 0x414F4D50  #: of Nokia's tablets
READ_ONLY, PAGE_SIZE, ROOT_DEVICE = 1, 0x1000, 0


def tag_list(*, memory: tuple[int, int], append: str, initrd: tuple[int, int] | None, board: bytes = b"") -> bytes:
    """The list.

    :param memory: address and size of RAM
    :param initrd: first and last address of the ramdisk
    :param board: contents of the board's own tag
    """
    tags = [_tag(CORE, _words(READ_ONLY, PAGE_SIZE, ROOT_DEVICE)), _tag(MEM, _words(memory[1], memory[0]))]
    if initrd is not None:
        tags.append(_tag(INITRD2, _words(initrd[0], initrd[1] - initrd[0])))
    if append:
        tags.append(_tag(CMDLINE, append.encode() + b"\0"))
    if board:
        tags.append(_tag(BOARD, board))
    return b"".join(tags) + _words(0, NONE)


def _words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _tag(name: int, contents: bytes) -> bytes:
    """A tag: its size in words with its head, its name, its contents."""
    padded = contents.ljust(-(-len(contents) // 4) * 4, b"\0")
    return _words(len(padded) // 4 + 2, name) + padded
