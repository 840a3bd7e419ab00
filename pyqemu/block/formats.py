"""The registries of image formats and protocols, probing, and `open_image`, which stacks nodes from a file
name.

A new format is a module with a `BlockNode` and one `Format` row here; its signature row below then goes away.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pyqemu.block.errors import BlockError
from pyqemu.block.file import FileNode, Opener
from pyqemu.block.node import BlockNode
from pyqemu.block.overlay import SnapshotNode
from pyqemu.block.raw import RawNode
from pyqemu.io.descriptors import open_plain

__all__ = ["CACHE_MODES", "FORMATS", "PROTOCOLS", "Cache", "Format", "open_image", "probe_format"]

PROBE_SIZE = 2048


@dataclass(frozen=True)
class Cache:
    """What ``cache=`` means. Unlike in QEMU, ``direct`` is advice only: requests go through the host's page
    cache.
    """

    writeback: bool  # a completed write need not be on stable storage before the next flush
    direct: bool
    no_flush: bool  # flushes are ignored: a crash of the host may cost the image


# fmt: off
CACHE_MODES = {
    "writeback":    Cache(writeback=True,  direct=False, no_flush=False),
    "none":         Cache(writeback=True,  direct=True,  no_flush=False),
    "writethrough": Cache(writeback=False, direct=False, no_flush=False),
    "directsync":   Cache(writeback=False, direct=True,  no_flush=False),
    "unsafe":       Cache(writeback=True,  direct=False, no_flush=True),
}
CACHE_MODES["off"] = CACHE_MODES["none"]  # an old name
# fmt: on


@dataclass(frozen=True)
class Format:
    """An image format: `probe(first bytes, file name)` scores 0 to 100, `open(file node, probed)` makes the
    node.
    """

    name: str
    probe: Callable[[bytes, str], int]
    open: Callable[[BlockNode, bool], BlockNode]


def _looks_raw(first: bytes) -> bool:
    return probe_format(first, "") == "raw"


def _open_raw(file: BlockNode, probed: bool) -> BlockNode:
    return RawNode(file, looks_raw=_looks_raw if probed else None)


FORMATS: dict[str, Format] = {
    "raw": Format("raw", lambda head, filename: 1, _open_raw),  # whatever nobody else knows
}

# Formats of QEMU that are not there yet: (name, offset, signature). Taking such an image for raw would show
# the guest an empty disk and let it destroy the image, so they are told apart from the beginning. fmt: off
_SIGNATURES: tuple[tuple[str, int, bytes], ...] = (
    ("qcow2", 0, b"QFI\xfb\0\0\0\2"),
    ("qcow2", 0, b"QFI\xfb\0\0\0\3"),
    ("qcow", 0, b"QFI\xfb\0\0\0\1"),
    ("qed", 0, b"QED\0"),
    ("vmdk", 0, b"KDMV"),
    ("vmdk", 0, b"COWD"),
    ("vmdk", 0, b"# Disk DescriptorFile"),
    ("vdi", 64, b"\x7f\x10\xda\xbe"),
    ("vhdx", 0, b"vhdxfile"),
    ("vpc", 0, b"conectix"),
    ("parallels", 0, b"WithoutFreeSpace"),
    ("parallels", 0, b"WithouFreSpacExt"),
    ("luks", 0, b"LUKS\xba\xbe"),
    ("bochs", 0, b"Bochs Virtual HD Image"),
    ("cloop", 0, b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop"),
)
# fmt: on
_LATER = {name for name, _, _ in _SIGNATURES} | {"dmg", "vvfat"}


def probe_format(head: bytes, filename: str) -> str:
    """The name of the format that the first bytes of an image (`PROBE_SIZE` will do) look most like."""
    for name, offset, signature in _SIGNATURES:
        if name not in FORMATS and head.startswith(signature, offset):
            return name
    return max(FORMATS.values(), key=lambda format: format.probe(head, filename)).name


def _open_file(path: str, read_only: bool, write_through: bool, active: bool, opener: Opener) -> BlockNode:
    return FileNode(path, read_only=read_only, write_through=write_through, active=active, opener=opener)


PROTOCOLS: dict[str, Callable[[str, bool, bool, bool, Opener], BlockNode]] = {
    "file": _open_file,
    "host_device": _open_file,
    "host_cdrom": _open_file,
}


def _open_protocol(filename: str, read_only: bool, write_through: bool, active: bool, opener: Opener) -> BlockNode:
    """``proto:rest``, or a path. A name with a slash before its first colon is a path, as in QEMU."""
    match = re.match(r"([A-Za-z0-9_+-]+):(.*)", filename, re.DOTALL)
    if match is None:
        return _open_file(filename, read_only, write_through, active, opener)
    protocol = PROTOCOLS.get(match[1])
    if protocol is None:
        raise BlockError(
            f"Unknown protocol '{match[1]}' in '{filename}'; known are {', '.join(PROTOCOLS)} "
            f"(write './{filename}' for a file of that name)"
        )
    return protocol(match[2], read_only, write_through, active, opener)


def _find_format(name: str | None, file: BlockNode) -> Format:
    chosen = name if name is not None else probe_format(file.read(0, PROBE_SIZE), file.filename)
    if chosen in FORMATS:
        return FORMATS[chosen]
    if chosen in _LATER:
        raise BlockError(
            f"'{file.filename}' is a {chosen} image, and that format cannot be used yet; "
            f"convert it: qemu-img convert -f {chosen} -O raw '{file.filename}' disk.img"
        )
    raise BlockError(f"Unknown driver '{chosen}' for '{file.filename}'; formats are {', '.join(FORMATS)}")


def open_image(
    path: str,
    *,
    format: str | None = None,
    read_only: bool = False,
    snapshot: bool = False,
    cache: str = "writeback",
    active: bool = True,
    opener: Opener = open_plain,
) -> BlockNode:
    """Open an image: its protocol, its format (probed if not given), and a temporary overlay if asked for.
    One that is not `active` may be another machine's still. `opener` stands for ``os.open``.

    :raise BlockError: one line that says what is wrong with the image or the options.
    """
    mode = CACHE_MODES.get(cache)
    if mode is None:
        raise BlockError(f"invalid cache option '{cache}'; it is one of {', '.join(CACHE_MODES)}")
    file = _open_protocol(path, read_only or snapshot, not mode.writeback, active, opener)
    try:
        node = _find_format(format, file).open(file, format is None)
        for level in (node, file):
            level.direct, level.no_flush = mode.direct, mode.no_flush
        if snapshot and not read_only:
            node = SnapshotNode(node)
    except BaseException:
        file.close()
        raise
    return node
