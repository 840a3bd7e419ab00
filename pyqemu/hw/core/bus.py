"""What all buses share: a name, a type, devices, and how these get ids and places in the tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from pyqemu.qom import Device, DeviceError
from pyqemu.qom.tree import Node, Slot
from pyqemu.system import System

D = TypeVar("D", bound=Device)


class DeviceBus(Node, Generic[D]):
    """A bus with its devices in the order in which they were added."""

    type_name = "System"
    base_type = ""
    """The type of bus that this one is a kind of, where devices name that."""
    hotplug = False
    """Whether devices may come and go while the machine runs."""

    def __init__(self, name: str, system: System) -> None:
        super().__init__()
        self.name = name
        self.system = system
        self.children: list[D] = []

    def plug(self, device: D) -> D:
        """Put ``device`` on the bus and realize it. Its reset runs with the machine's.

        :raise DeviceError: it needs another type of bus, or cannot be realized as configured.
        """
        if device.bus_type not in (None, self.type_name, self.base_type):
            raise DeviceError(f"No '{device.bus_type}' bus found for device '{device.type_name}'")
        device.bus = self
        self.children.append(device)
        try:
            for prepare in self.system.before_realize:
                prepare(device)
            device.realize()
        except BaseException:
            self.children.remove(device)
            device.bus = None
            raise
        device.realized = True
        self.system.on_reset(device.reset)
        return device

    def unplug(self, device: D) -> None:
        """Take ``device`` off the bus."""
        self.system.remove_reset(device.reset)
        self.children.remove(device)
        device.unrealize()
        device.realized = False
        device.bus = None

    def qom_slots(self) -> Iterator[Slot]:
        """Also links to its devices."""
        yield from super().qom_slots()
        yield Slot("realized", "bool", lambda: True)
        for number, device in enumerate(self.children):
            path = device.qom_path
            yield Slot(f"child[{number}]", f"link<{device.type_name}>", lambda path=path: path)  # type: ignore[misc]
