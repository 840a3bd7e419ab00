"""The places of a board for virtio devices: windows in memory, each with a bus for one device."""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.hw.virtio.mmio import VirtioMmio
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import Irq, System

SIZE = 0x200


def virtio_slots(
    system: System, memory: AddressSpace, root: MemoryRegion, base: int, irqs: Sequence[Irq]
) -> list[VirtioMmio]:
    """The windows, one behind the other.

    :param root: where they are mapped, from *base* on
    :param irqs: the interrupt of each
    """
    slots = []
    for number, irq in enumerate(irqs):
        address = base + number * SIZE
        slot = VirtioMmio(system, memory, number=number, address=address)
        slot.irq.connect(irq.set)
        root.add(address, slot.region)
        system.on_reset(slot.reset)
        slots.append(slot)
    return slots
