"""Device trees as boot loaders leave them: with the memory, the command line and the ramdisk that there really are."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import fdt

from pyqemu.util.errors import UserError
from pyqemu.util.units import GIB

MAGIC = b"\xd0\x0d\xfe\xed"
STRUCTURE_AT = 8  #: in the header: where the structure block begins
BEGIN_NODE, PROPERTY, NOP, END = 1, 3, 4, 9
Change = Callable[[Any], None]
"""A change of a tree, which is one of the library ``fdt``."""


def completed_tree(blob: bytes, what: str, *, memory: tuple[int, int], append: str, initrd: tuple[int, int] | None,
                   change: Change | None = None) -> bytes:  # fmt: skip
    """A tree with what a boot loader adds.

    :param what: names it in messages
    :param memory: address and size of RAM
    :param initrd: first and last address of the ramdisk
    :raise UserError: it is none, or has no place for that much memory.
    """
    tree = parsed(blob, what)
    root = tree.root
    cells = [_cells(root, f"#{kind}-cells", what) for kind in ("address", "size")]
    if cells[1] < 2 and memory[1] >= 4 * GIB:
        raise UserError(f"{what}: its sizes have 32 bits, which is not enough for this memory", "-m below 4G")
    node = _subnode(root, "memory")
    if not node.exist_property("device_type"):
        node.append(fdt.PropStrings("device_type", "memory"))
    _set(node, fdt.PropWords("reg", *_words(memory[0], cells[0]), *_words(memory[1], cells[1])))
    chosen = _subnode(root, "chosen")
    if append:
        _set(chosen, fdt.PropStrings("bootargs", append))
    if initrd is not None:
        for name, address in zip(("linux,initrd-start", "linux,initrd-end"), initrd, strict=True):
            _set(chosen, fdt.PropWords(name, *_words(address, 1 if address < 4 * GIB else 2)))
    if change is not None:
        change(tree)
    return blob_of(tree)


def parsed(blob: bytes, what: str) -> Any:
    """A tree from its flat form.

    :raise UserError: it is none.
    """
    if blob[:4] != MAGIC:
        raise UserError(f"{what}: not a device tree", "a .dtb file, as dtc makes them")
    try:
        tree = fdt.parse_dtb(_without_nops(blob))
    except Exception as error:  # the library raises plain ones for what makes no sense, and whatever comes for the rest
        raise UserError(f"{what}: the device tree is damaged: {error}") from None
    # The library collects what is reserved in a list that all trees share.
    reserved = list(tree.entries)
    tree.entries.clear()
    tree.entries = reserved
    return tree


def _without_nops(blob: bytes) -> bytes:
    """The same without what was crossed out (FDT_NOP), which the library does not know.

    :raise Exception: it makes no sense.
    """
    at: int = struct.unpack_from(">I", blob, STRUCTURE_AT)[0]
    start, kept, tag = at, bytearray(), NOP
    while tag != END:
        first = at
        (tag,) = struct.unpack_from(">I", blob, at)
        at += 4
        if tag == BEGIN_NODE:
            at = blob.index(b"\0", at) + 1
        elif tag == PROPERTY:
            at += 8 + struct.unpack_from(">I", blob, at)[0]
        at += -at % 4
        if tag != NOP:
            kept += blob[first:at]
    return blob[:start] + kept.ljust(at - start, b"\0") + blob[at:]


def blob_of(tree: Any) -> bytes:
    """The flat form of a tree."""
    blob: bytes = tree.to_dtb(version=17, last_comp_version=16, boot_cpuid_phys=tree.header.boot_cpuid_phys or 0)
    return blob


def _cells(root: Any, name: str, what: str) -> int:
    found = root.get_property(name)
    count = found.value if found is not None else 0
    if not isinstance(count, int) or not 0 < count <= 2:
        raise UserError(f"{what}: the device tree has no valid {name}", "1 or 2")
    return count


def _subnode(root: Any, name: str) -> Any:
    """The node of that name, with a unit address or without; made if there is none."""
    for node in root.nodes:
        if node.name.partition("@")[0] == name:
            return node
    node = fdt.Node(name)
    root.append(node)
    return node


def _set(node: Any, value: Any) -> None:
    if node.exist_property(value.name):
        node.remove_property(value.name)
    node.append(value)


def _words(value: int, count: int) -> list[int]:
    return [value >> 32, value & 0xFFFFFFFF][2 - count :]
