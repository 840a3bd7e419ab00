"""Buses that devices make: where the next device may be plugged in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyqemu.qom import Bus, Device, DeviceError


def _below(buses: Iterable[Bus]) -> Iterator[Any]:
    for bus in buses:
        yield bus
        for device in bus.children:
            yield from _below(device.child_buses)


def find_bus(roots: Iterable[Bus], device: Device, name: str) -> Any:
    """The bus of that name, or the first that *device* fits on and that has room.

    :raise DeviceError: there is none.
    """
    found = list(_below(roots))
    fitting = [bus for bus in found if device.bus_type in (bus.type_name, getattr(bus, "base_type", ""))]
    if name:
        named = [bus for bus in found if bus.name == name]
        if not named:
            known = ", ".join(bus.name for bus in fitting) or "none"
            raise DeviceError(f"Bus '{name}' not found", f"buses for '{device.type_name}': {known}")
        if named[0] not in fitting:
            raise DeviceError(f"Device '{device.type_name}' can't go on {named[0].type_name} bus")
        return named[0]
    free = [bus for bus in fitting if not getattr(bus, "full", False)]
    if not free:
        raise DeviceError(f"No '{device.bus_type}' bus found for device '{device.type_name}'")
    return free[0]
