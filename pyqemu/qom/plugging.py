"""Devices that come and go while the machine runs."""

from __future__ import annotations

from pyqemu.qom.device import Device


class Plugging:
    """The part of a machine that plugs devices: its board."""

    def add_device(self, options: dict[str, str], *, hotplug: bool = False) -> Device:
        """Make a device from options (``driver``, ``bus``, ``id``, properties), plug it, give it its place in the tree.

        :param hotplug: the machine is complete: only what may come now
        :raise DeviceError: there is no such model, bus or property, or it cannot be plugged.
        """
        raise NotImplementedError

    def request_unplug(self, device: Device) -> None:
        """Take a device out, or where the guest has a say, ask it.

        :raise DeviceError: it can't be unplugged.
        """
        raise NotImplementedError
