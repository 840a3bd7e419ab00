"""What is saved of devices that an operator adds: how sections are called, and who needs none."""

from __future__ import annotations

from pyqemu.hw.pci.device import PciDevice
from pyqemu.qom import Device

STATELESS = {
    "ide-cd": "its state is in its controller's section",
    "ide-drive": "its state is in its controller's section",
    "ide-hd": "its state is in its controller's section",
    "isa-debug-exit": "a write ends the machine",
    "isa-debugcon": "a byte that was written has left",
    "virtconsole": "its state is in its controller's section",
    "virtserialport": "its state is in its controller's section",
    "pvpanic": "a write is an event, a read the list of events",
}
"""Devices without a section of their own, and why nothing is lost."""


def section_name(device: Device) -> str:
    """A PCI device's section has its address in front."""
    layout = type(device).vmstate
    assert layout is not None
    if isinstance(device, PciDevice):
        return f"0000:{device.bus.number:02x}:{device.devfn >> 3:02x}.{device.devfn & 7:x}/{layout.name}"
    return layout.name
