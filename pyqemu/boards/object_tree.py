"""The tree of objects as every machine begins it (QEMU: ``/machine``, ``/objects``, ``/chardevs``, ``/backend``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu.qom import Container
from pyqemu.qom.tree import Mirror

if TYPE_CHECKING:
    from pyqemu.chardev import Chardevs


def object_tree(machine: Container, chardevs: Chardevs) -> Container:
    """The root, with *machine* in it: its containers for devices with names, without names, and of the board."""
    root = Container()
    root.add_child("machine", machine)
    for name in ("peripheral", "peripheral-anon", "unattached"):
        machine.container(name)
    root.container("objects")
    root.add_child("chardevs", Mirror(lambda: {c.label: f"chardev-{c.backend}" for c in chardevs}))
    root.container("backend")
    return root
