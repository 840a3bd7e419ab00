"""The places of a board for virtio devices: windows in memory, each with a bus for one device."""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu.hw.virtio.mmio import VirtioMmio
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.system import Irq, System

SIZE = 0x200


class VirtioSlots:
    """The windows, one behind the other.

    :param root: where they are mapped, from *base* on
    :param irqs: the interrupt of each
    """

    def __init__(
        self, system: System, memory: AddressSpace, root: MemoryRegion, base: int, irqs: Sequence[Irq]
    ) -> None:
        self.slots: list[VirtioMmio] = []
        for number, irq in enumerate(irqs):
            address = base + number * SIZE
            slot = VirtioMmio(system, memory, number=number, address=address)
            slot.irq.connect(irq.set)
            root.add(address, slot.region)
            system.on_reset(slot.reset)
            self.slots.append(slot)
