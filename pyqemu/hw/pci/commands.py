"""``query-pci``."""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu.hw.pci import regs
from pyqemu.hw.pci.bus import PciBus
from pyqemu.hw.pci.device import ROM_BAR, Bar, PciDevice
from pyqemu.hw.pci.monitor import CLASSES
from pyqemu.qapi.commands import command
from pyqemu.qapi.generated.types import PciDeviceClass, PciDeviceId, PciDeviceInfo, PciInfo, PciMemoryRegion
from pyqemu.system import System
from pyqemu.system.inspection import Inspection

NOWHERE = -1  # what is said of a BAR that maps nothing


@command("query-pci")
def query_pci(system: System) -> list[PciInfo]:
    """The PCI buses and what is on them."""
    return [PciInfo(bus=bus.number, devices=[_device(bus, bus.devices[key]) for key in sorted(bus.devices)])
            for bus in _buses(system)]  # fmt: skip


def _buses(system: System) -> Iterator[PciBus]:
    for root in system.part(Inspection).roots:
        for device in root.children:
            yield from (bus for bus in device.child_buses if isinstance(bus, PciBus))


def _device(bus: PciBus, device: PciDevice) -> PciDeviceInfo:
    number = device.word(regs.CLASS_DEVICE)
    pin = device.config[regs.INTERRUPT_PIN]
    return PciDeviceInfo(
        bus=bus.number, slot=device.devfn >> 3, function=device.devfn & 7, qdev_id=device.id or "",
        class_info=PciDeviceClass(desc=CLASSES.get(number), class_=number),
        id=PciDeviceId(
            device=device.word(regs.DEVICE_ID), vendor=device.word(regs.VENDOR_ID),
            subsystem=device.word(regs.SUBSYSTEM_ID), subsystem_vendor=device.word(regs.SUBSYSTEM_VENDOR_ID),
        ),
        irq=device.config[regs.INTERRUPT_LINE] if pin else None, irq_pin=pin,
        regions=[_region(bar) for _, bar in sorted(device.bars.items())],
    )  # fmt: skip


def _region(bar: Bar) -> PciMemoryRegion:
    address = NOWHERE if bar.address is None else bar.address
    if bar.is_io:
        return PciMemoryRegion(bar=bar.number, type="io", address=address, size=bar.size)
    prefetch = bar.number != ROM_BAR and bool(bar.flags & regs.BAR_MEM_PREFETCH)
    return PciMemoryRegion(
        bar=bar.number, type="memory", address=address, size=bar.size, prefetch=prefetch, mem_type_64=bar.wide
    )
