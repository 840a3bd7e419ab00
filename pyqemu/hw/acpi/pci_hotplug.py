"""PCI hotplug by ACPI: which slots have got or shall lose a device (QEMU ``docs/specs/acpi_pci_hotplug.txt``).

A device that is plugged is there at once; the guest is told. One that shall be unplugged stays until the guest has let
go of it and writes its slot to the eject register, or until the machine is reset.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu.hw.pci.bus import SLOTS, PciBus
from pyqemu.hw.pci.device import PciDevice
from pyqemu.qom import DeviceError
from pyqemu.qom.vmstate import U32, VMState

PORTS, PORT_COUNT = 0xAE00, 0x14
EVENT = 1
"""The general purpose event."""
BUSES = 256  # that the saved state has room for; ours is number 0
UP, DOWN, EJECT, REMOVABLE, SELECT = 0, 4, 8, 12, 16


class SlotStatus:
    """The slots of one bus."""

    vmstate = VMState("acpi_pcihp_pci_status", version=1, fields=(U32("up"), U32("down")))

    def __init__(self) -> None:
        self.up = 0  # plugged since the guest last looked
        self.down = 0  # to be unplugged


class PciHotplug:
    """The registers.

    :param notify: raises the general purpose event
    :ivar on_eject: called with a device that has been unplugged
    """

    def __init__(self, bus: PciBus, notify: Callable[[], None]) -> None:
        self.bus = bus
        self.notify = notify
        self.on_eject: Callable[[PciDevice], None] = lambda device: None
        self.select = 0
        self.buses = [SlotStatus() for _ in range(BUSES)]

    @property
    def _slots(self) -> SlotStatus:
        return self.buses[0]

    # -- the operator's side

    def plugged(self, device: PciDevice) -> None:
        """Tell the guest of a device that has come while the machine was there."""
        self._slots.up |= 1 << (device.devfn >> 3)
        self.notify()

    def request_unplug(self, device: PciDevice) -> None:
        """Ask the guest to let go of a device.

        :raise DeviceError: it has been asked.
        """
        bit = 1 << (device.devfn >> 3)
        if self._slots.down & bit:
            raise DeviceError(f"Device {device.name} is already in the process of unplug")
        self._slots.down |= bit
        self.notify()

    # -- the guest's side

    def read(self, offset: int, size: int) -> int:
        """Read a register. What has been plugged is forgotten when it has been read."""
        if offset == SELECT:
            return self.select
        if self.select:
            return 0
        if offset == UP:
            value, self._slots.up = self._slots.up, 0
            return value
        if offset == DOWN:
            return self._slots.down
        if offset == REMOVABLE:
            return sum(1 << slot for slot in range(SLOTS) if self._is_removable(slot))
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        if offset == SELECT:
            self.select = value if value < BUSES else BUSES - 1
        elif offset == EJECT and not self.select:
            self._eject(value)

    def reset(self) -> None:
        """Who starts anew holds no device."""
        self.select = 0
        self._slots.up = 0
        self._eject(self._slots.down)

    def _functions(self, slot: int) -> list[PciDevice]:
        return [device for devfn, device in sorted(self.bus.devices.items()) if devfn >> 3 == slot]

    def _is_removable(self, slot: int) -> bool:
        return all(device.hotpluggable for device in self._functions(slot))

    def _eject(self, slots: int) -> None:
        for slot in range(SLOTS):
            if slots >> slot & 1:
                self._slots.down &= ~(1 << slot)
                self._slots.up &= ~(1 << slot)
                for device in self._functions(slot):
                    if device.hotpluggable:
                        self.bus.remove(device)
                        self.on_eject(device)
