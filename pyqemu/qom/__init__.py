"""The object model: devices are classes with declared properties, and the machine is a tree of them."""

from pyqemu.qom.device import Bus, Device, DeviceError, LinkResolver
from pyqemu.qom.property import Property
from pyqemu.qom.registry import DEVICES, DeviceClass, Registry, device_class
from pyqemu.qom.tree import Container

__all__ = [
    "DEVICES",
    "Bus",
    "Container",
    "Device",
    "DeviceClass",
    "DeviceError",
    "LinkResolver",
    "Property",
    "Registry",
    "device_class",
]
