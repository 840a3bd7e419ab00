"""The saved state that all PCI functions share."""

from __future__ import annotations

import struct
from typing import Any

from pyqemu.hw.pci import regs
from pyqemu.hw.pci.device import PciDevice
from pyqemu.qom.vmstate import I32, Array, Equal32, Field, LoadError, Reader, Scope, Struct, Version32, VMState

__all__ = ["pci_bus_vmstate", "pci_function", "pci_vmstate"]

_FIXED = (*range(4), regs.REVISION_ID, *range(regs.CLASS_PROG, regs.CLASS_DEVICE + 2), regs.HEADER_TYPE)
"""Bytes of the header that tell what kind of device it is."""


class ConfigSpace(Field):
    """The 256 bytes as they are. What tells the kind of the device must be the same on both sides."""

    kind = "pci config"

    @property
    def element_size(self) -> int:
        return 256

    def encode(self, value: Any) -> bytes:
        return bytes(value)

    def read(self, reader: Reader, scope: Scope) -> bytes:
        device = scope.device
        assert isinstance(device, PciDevice)
        start = reader.position
        data = reader.take(len(device.config))
        for index in range(len(data)):
            mask = device.fixed_bits(index) if index >= regs.HEADER_SIZE else 0xFF if index in _FIXED else 0
            if (data[index] ^ device.config[index]) & mask:
                raise LoadError(
                    f"Bad config data: i={index:#x} read: {data[index]:x} device: {device.config[index]:x} "
                    f"cmask: {mask:x} wmask: {device.wmask[index]:x} w1cmask:{device.w1cmask[index]:x}",
                    start + index,
                )
        return data

    def apply(self, device: object, value: Any) -> None:
        assert isinstance(device, PciDevice)
        device.load_config(value)


class IrqState(Field):
    """Four levels, INTA# to INTD#."""

    kind = "pci irq state"
    layout = struct.Struct(">4i")

    @property
    def element_size(self) -> int:
        return self.layout.size

    def encode(self, value: Any) -> bytes:
        return self.layout.pack(*value)

    def decode(self, reader: Reader) -> tuple[int, ...]:
        start = reader.position
        levels = self.layout.unpack(reader.take(self.layout.size))
        if any(level not in (0, 1) for level in levels):
            raise LoadError(f"expected levels 0 or 1, found {levels}", start)
        return levels

    def apply(self, device: object, value: Any) -> None:
        assert isinstance(device, PciDevice)
        device.irq.set(bool(any(value)))


pci_vmstate = VMState(
    "PCIDevice",
    version=2,
    minimum_version=1,
    fields=(Version32(2), ConfigSpace("config", wire="config[0]"), IrqState("irq_state", since=2)),
)


def pci_function(wire: str) -> Struct:
    """The field that a PCI device's own layout begins with; QEMU calls it by several names."""
    return Struct("", pci_vmstate, wire=wire)


pci_bus_vmstate = VMState("PCIBUS", version=1, fields=(Equal32("nirq"), Array("irq_count", I32, 4)))
"""A bus: how many pins drive each of its lines, which follows from its devices."""
