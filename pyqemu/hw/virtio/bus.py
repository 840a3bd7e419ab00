"""Between a virtio device and the transport by which its driver reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pyqemu.hw.core.bus import DeviceBus
from pyqemu.memory import AddressSpace
from pyqemu.qom import DeviceError
from pyqemu.system import System

if TYPE_CHECKING:
    from pyqemu.hw.virtio.device import VirtioDevice


class Transport(Protocol):
    """What a device needs of it."""

    @property
    def space(self) -> AddressSpace:
        """Memory as the device sees it."""

    @property
    def can_access_memory(self) -> bool:
        """Whether the device may read and write memory now."""

    def interrupt(self, vector: int) -> None:
        """The device's interrupt status has a bit more: tell the driver, by this vector where there are some."""

    def plugged(self, device: VirtioDevice) -> None:
        """A device has come: offer its features and what it takes to reach it."""


class VirtioBus(DeviceBus["VirtioDevice"]):
    """The place for one device behind a transport."""

    base_type = "virtio-bus"

    def __init__(self, name: str, system: System, transport: Transport, type_name: str) -> None:
        super().__init__(name, system)
        self.type_name = type_name
        self.transport = transport

    @property
    def full(self) -> bool:
        """Whether there is a device."""
        return bool(self.children)

    @property
    def device(self) -> VirtioDevice | None:
        """The device."""
        return self.children[0] if self.children else None

    def plug(self, device: VirtioDevice) -> VirtioDevice:
        """Plug the device in, and let the driver find it.

        :raise DeviceError: there is one already, or it cannot be as it was configured.
        """
        if self.full:
            raise DeviceError(f"Bus '{self.name}' is full", f"'{self.children[0].name}' is on it")
        super().plug(device)
        self.transport.plugged(device)
        return device
