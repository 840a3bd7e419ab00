"""What a boot loader adds to the device tree of a Versatile Express: the places for virtio devices, which hardware has
not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import fdt

CONTROLLER = "arm,cortex-a9-gic"  #: that of the Cortex-A15 calls itself so, too
GIC_SPI, RISING_EDGE = 0, 1


def add_virtio(tree: Any, places: Sequence[tuple[int, int]], size: int) -> None:
    """Add the nodes. An old tree that does not tell where the interrupt controller is stays as it is.

    :param places: of each its address and its shared interrupt
    """
    root = tree.root
    controller = next((node for node in _walk(root) if _is_compatible(node, CONTROLLER)), None)
    phandle = controller.get_property("phandle") if controller is not None else None
    if phandle is None:
        return
    address_cells, size_cells = (root.get_property(f"#{kind}-cells").value for kind in ("address", "size"))
    for address, interrupt in places:
        node = fdt.Node(f"virtio_mmio@{address:x}")
        reg = [*_cells(address, address_cells), *_cells(size, size_cells)]
        for each in (fdt.PropStrings("compatible", "virtio,mmio"), fdt.PropWords("reg", *reg),
                     fdt.PropWords("interrupt-parent", phandle.value),
                     fdt.PropWords("interrupts", GIC_SPI, interrupt, RISING_EDGE)):  # fmt: skip
            node.append(each)
        root.append(node)


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in node.nodes:
        yield from _walk(child)


def _is_compatible(node: Any, name: str) -> bool:
    found = node.get_property("compatible")
    return found is not None and name in found.data


def _cells(value: int, count: int) -> list[int]:
    return [value >> 32, value & 0xFFFFFFFF][2 - count :]
