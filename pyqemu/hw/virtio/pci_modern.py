"""The registers of virtio 1.0 on PCI: capabilities that say where in a BAR each group is, and the groups (4.1.4)."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from pyqemu.hw.pci import regs
from pyqemu.hw.virtio.registers import F_ANY_LAYOUT, F_BAD_FEATURE, F_NOTIFY_ON_EMPTY, MAX_QUEUES, NO_VECTOR
from pyqemu.memory import MemoryRegion

if TYPE_CHECKING:
    from pyqemu.hw.virtio.device import VirtioDevice
    from pyqemu.hw.virtio.pci import VirtioPci

# fmt: off
COMMON, NOTIFY, ISR, DEVICE, PCI_CONFIG = 1, 2, 3, 4, 5  # kinds of capabilities, 4.1.4
# fmt: on


class Common(enum.IntEnum):
    """Registers of the common configuration (4.1.4.3)."""

    # fmt: off
    DEVICE_FEATURE_SELECT = 0x00
    DEVICE_FEATURE        = 0x04
    DRIVER_FEATURE_SELECT = 0x08
    DRIVER_FEATURE        = 0x0C
    MSIX_CONFIG           = 0x10
    NUM_QUEUES            = 0x12
    DEVICE_STATUS         = 0x14
    CONFIG_GENERATION     = 0x15
    QUEUE_SELECT          = 0x16
    QUEUE_SIZE            = 0x18
    QUEUE_MSIX_VECTOR     = 0x1A
    QUEUE_ENABLE          = 0x1C
    QUEUE_NOTIFY_OFF      = 0x1E
    QUEUE_DESC            = 0x20  # this and the next two have two words each
    QUEUE_AVAIL           = 0x28
    QUEUE_USED            = 0x30
    # fmt: on


NOTIFY_GROUP = 3  # the last one
GROUP = 0x1000  # bytes of each group in the BAR; QEMU's
NEAR, FAR = 4, 0x1000  # between two queues' places in the group of notifications
CAPABILITY_SIZE, LONG_CAPABILITY_SIZE = 16, 20
LEGACY_FEATURES = 1 << F_NOTIFY_ON_EMPTY | 1 << F_ANY_LAYOUT | 1 << F_BAD_FEATURE


class QueueSettings:
    """What the driver has chosen for a queue and not enabled yet."""

    def __init__(self) -> None:
        self.num = 0
        self.enabled = False
        self.desc = [0, 0]
        self.avail = [0, 0]
        self.used = [0, 0]


class Modern:
    """The groups of one function.

    :ivar settings: of each queue there could be, for the saved state
    """

    def __init__(self, proxy: VirtioPci, *, page_per_queue: bool) -> None:
        self.proxy = proxy
        self.distance = FAR if page_per_queue else NEAR
        self.settings = [QueueSettings() for _ in range(MAX_QUEUES)]
        self.reset()

    def reset(self) -> None:
        """As the driver finds it."""
        self.dfselect = self.gfselect = 0
        self.guest_features = [0, 0]
        self.reset_queues()

    def reset_queues(self) -> None:
        """The driver has reset the device: it begins anew with the queues."""
        for settings in self.settings:
            if settings.num or settings.enabled or any((*settings.desc, *settings.avail, *settings.used)):
                QueueSettings.__init__(settings)

    @property
    def _device(self) -> VirtioDevice:
        return self.proxy.backend

    # -- where it is

    def region(self) -> MemoryRegion:
        """The contents of the BAR."""
        notify_size = self.distance * MAX_QUEUES
        size = 1 << (3 * GROUP + notify_size - 1).bit_length()
        whole = MemoryRegion.container("virtio-pci", size)
        for number, (name, handler) in enumerate(self._handlers().items()):
            length = notify_size if number == NOTIFY_GROUP else GROUP
            whole.add(number * GROUP, MemoryRegion.mmio(name, length, handler, access=(1, 4), impl=(1, 4)))
        return whole

    def add_capabilities(self, bar: int) -> None:
        """Say where the groups are; the last capability is a window to them for who cannot map BARs."""
        for kind, offset, length in ((COMMON, 0, GROUP), (ISR, GROUP, GROUP), (DEVICE, 2 * GROUP, GROUP)):
            self._add(kind, bar, offset, length, CAPABILITY_SIZE)
        place = self._add(NOTIFY, bar, 3 * GROUP, self.distance * MAX_QUEUES, LONG_CAPABILITY_SIZE)
        self.proxy.set_long(place + CAPABILITY_SIZE, self.distance)
        window = self._add(PCI_CONFIG, 0, 0, 0, LONG_CAPABILITY_SIZE)
        wmask = self.proxy.wmask
        wmask[window + 4] = 0xFF
        wmask[window + 8 : window + LONG_CAPABILITY_SIZE] = b"\xff" * 12
        self.window = window

    def _add(self, kind: int, bar: int, offset: int, length: int, size: int) -> int:
        place = self.proxy.add_capability(regs.CAP_ID_VENDOR, size)
        self.proxy.config[place + 2 : place + 5] = bytes((size, kind, bar))
        self.proxy.set_long(place + 8, offset)
        self.proxy.set_long(place + 12, length)
        return place

    # -- common configuration, 4.1.4.3

    def read(self, offset: int, size: int) -> int:
        """Read a register."""
        device = self._device
        queue = device.queue(device.queue_sel)
        settings = self.settings[device.queue_sel]
        match offset:
            case Common.DEVICE_FEATURE_SELECT:
                return self.dfselect
            case Common.DEVICE_FEATURE:
                offered = device.host_features & ~(LEGACY_FEATURES | device.legacy_only)
                return offered >> 32 * self.dfselect & 0xFFFF_FFFF if self.dfselect <= 1 else 0
            case Common.DRIVER_FEATURE_SELECT:
                return self.gfselect
            case Common.DRIVER_FEATURE:
                return self.guest_features[self.gfselect] if self.gfselect <= 1 else 0
            case Common.MSIX_CONFIG:
                return device.config_vector
            case Common.NUM_QUEUES:
                return len(device.queues)
            case Common.DEVICE_STATUS:
                return device.status
            case Common.CONFIG_GENERATION:
                return device.generation & 0xFF
            case Common.QUEUE_SELECT:
                return device.queue_sel
            case Common.QUEUE_SIZE:
                return queue.ring.num if queue is not None else 0
            case Common.QUEUE_MSIX_VECTOR:
                return queue.vector if queue is not None else NO_VECTOR
            case Common.QUEUE_ENABLE:
                return int(settings.enabled)
            case Common.QUEUE_NOTIFY_OFF:
                return device.queue_sel
        words = (*settings.desc, *settings.avail, *settings.used)
        place, rest = divmod(offset - Common.QUEUE_DESC, 4)
        return words[place] if not rest and 0 <= place < len(words) else 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        device = self._device
        match offset:
            case Common.DEVICE_FEATURE_SELECT:
                self.dfselect = value
            case Common.DRIVER_FEATURE_SELECT:
                self.gfselect = value
            case Common.DRIVER_FEATURE:
                if self.gfselect <= 1:
                    self.guest_features[self.gfselect] = value
                    device.set_features(self.guest_features[1] << 32 | self.guest_features[0])
            case Common.MSIX_CONFIG:
                device.config_vector = self.proxy.use_vector(value)
            case Common.DEVICE_STATUS:
                self.proxy.set_status(value & 0xFF)
            case Common.QUEUE_SELECT:
                if value < MAX_QUEUES:
                    device.queue_sel = value
            case _:
                self._write_queue(offset, value)

    def _write_queue(self, offset: int, value: int) -> None:
        device = self._device
        queue, settings = device.queue(device.queue_sel), self.settings[device.queue_sel]
        match offset:
            case Common.QUEUE_SIZE:
                settings.num = value & 0xFFFF
                if queue is not None:
                    queue.set_num(settings.num)
                return
            case Common.QUEUE_MSIX_VECTOR:
                if queue is not None:
                    queue.vector = self.proxy.use_vector(value)
                return
            case Common.QUEUE_ENABLE:
                if value == 1:
                    self._enable()
                return
        place, rest = divmod(offset - Common.QUEUE_DESC, 4)
        if not rest and 0 <= place < 6:
            (settings.desc, settings.avail, settings.used)[place >> 1][place & 1] = value

    def _enable(self) -> None:
        device = self._device
        queue, settings = device.queue(device.queue_sel), self.settings[device.queue_sel]
        settings.enabled = True
        if queue is not None:
            queue.set_num(settings.num)
            queue.set_rings(*(low | high << 32 for low, high in (settings.desc, settings.avail, settings.used)))

    # -- notifications, 4.1.4.4

    def notify(self, offset: int) -> None:
        """The driver has written to a place in the group."""
        self._device.notify_queue(offset // self.distance)

    # -- the window, 4.1.4.7

    def window_access(self, bar: MemoryRegion, bar_number: int, *, is_write: bool) -> None:
        """The data of the window is about to be read, or was written: do that where it points to."""
        proxy, at = self.proxy, self.window
        offset, length = proxy.long(at + 8), proxy.long(at + 12)
        if proxy.config[at + 4] != bar_number or length not in (1, 2, 4) or offset % length:
            return
        for region in bar.children:
            inner = offset - region.address
            if 0 <= inner <= region.size - length:
                handler = self._handlers()[region.name]
                if is_write:
                    handler.write(inner, length, proxy.long(at + 16) & (1 << 8 * length) - 1)
                else:
                    value = handler.read(inner, length) & (1 << 8 * length) - 1
                    proxy.config[at + 16 : at + 16 + length] = value.to_bytes(length, "little")

    def _handlers(self) -> dict[str, Modern | Isr | DeviceConfig | Notify]:
        return {
            "virtio-pci-common": self, "virtio-pci-isr": Isr(self),
            "virtio-pci-device": DeviceConfig(self), "virtio-pci-notify": Notify(self),
        }  # fmt: skip


class Isr:
    """Interrupt status: a read clears it (4.1.4.5)."""

    def __init__(self, modern: Modern) -> None:
        self._proxy = modern.proxy

    def read(self, offset: int, size: int) -> int:
        """Read, and lower the line."""
        return self._proxy.take_isr()

    def write(self, offset: int, size: int, value: int) -> None:
        """Nothing."""


class DeviceConfig:
    """The device's own configuration (4.1.4.6)."""

    def __init__(self, modern: Modern) -> None:
        self._proxy = modern.proxy

    def read(self, offset: int, size: int) -> int:
        """Read it."""
        return self._proxy.backend.read_config(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        """Write it."""
        self._proxy.backend.write_config(offset, size, value)


class Notify:
    """The places that are written to tell of new buffers."""

    def __init__(self, modern: Modern) -> None:
        self._modern = modern

    def read(self, offset: int, size: int) -> int:
        """Nothing is to be read."""
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """A queue has got some; which one, the place tells, not the value."""
        self._modern.notify(offset)
