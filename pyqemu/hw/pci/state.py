"""The saved state that all PCI functions share."""

from __future__ import annotations

import struct

from pyqemu.hw.pci import regs
from pyqemu.hw.pci.device import PciDevice
from pyqemu.qom.vmstate import Field, LoadError, Reader, Version32, VMState


class ConfigSpace(Field):
    """The 256 bytes as they are. What tells the kind of the device must be the same on both sides."""

    def save(self, device: object) -> bytes:
        assert isinstance(device, PciDevice)
        return bytes(device.config)

    def load(self, device: object, reader: Reader) -> None:
        assert isinstance(device, PciDevice)
        data = reader.take(len(device.config))
        for index in (*range(4), *range(regs.CLASS_PROG, regs.CLASS_DEVICE + 2), regs.HEADER_TYPE):
            if data[index] != device.config[index]:
                raise LoadError(f"Bad config data: i={index:#x} read: {data[index]:x} device: {device.config[index]:x}")
        device.config[:] = data
        for bar in device.bars.values():  # the type bits are hard-wired
            device.config[bar.register] = data[bar.register] & device.wmask[bar.register] | bar.flags
        device.update_mappings()


class IrqState(Field):
    """Four levels, INTA# to INTD#."""

    def save(self, device: object) -> bytes:
        assert isinstance(device, PciDevice)
        return struct.pack(">4i", *device.irq_state)

    def load(self, device: object, reader: Reader) -> None:
        assert isinstance(device, PciDevice)
        levels = struct.unpack(">4i", reader.take(16))
        if any(level not in (0, 1) for level in levels):
            raise LoadError(f"PCI interrupt levels {levels}")
        device.irq.set(bool(any(levels)))


pci_vmstate = VMState("PCIDevice", version=2, fields=(Version32(2), ConfigSpace("config"), IrqState("irq_state")))
