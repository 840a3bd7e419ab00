"""``virtio-mmio``: a window of registers before a device (4.2; 4.2.4 for the legacy ones, which are QEMU 2.6's)."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.bus import VirtioBus
from pyqemu.hw.virtio.device import VirtioDevice
from pyqemu.hw.virtio.pci_modern import LEGACY_FEATURES, QueueSettings
from pyqemu.hw.virtio.queue import VirtQueue
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import Bus, Device, Property, device_class
from pyqemu.system import Irq, System

MAGIC, VENDOR = 0x74726976, 0x554D4551  # "virt", "QEMU"
SIZE = 0x200
CONFIG = 0x100


class Register(enum.IntEnum):
    """The registers (4.2.2, 4.2.4)."""

    # fmt: off
    MAGIC_VALUE       = 0x000
    VERSION           = 0x004
    DEVICE_ID         = 0x008
    VENDOR_ID         = 0x00C
    DEVICE_FEATURES   = 0x010
    DEVICE_FEATURES_SEL = 0x014
    DRIVER_FEATURES   = 0x020
    DRIVER_FEATURES_SEL = 0x024
    GUEST_PAGE_SIZE   = 0x028  # legacy
    QUEUE_SEL         = 0x030
    QUEUE_NUM_MAX     = 0x034
    QUEUE_NUM         = 0x038
    QUEUE_ALIGN       = 0x03C  # legacy
    QUEUE_PFN         = 0x040  # legacy
    QUEUE_READY       = 0x044
    QUEUE_NOTIFY      = 0x050
    INTERRUPT_STATUS  = 0x060
    INTERRUPT_ACK     = 0x064
    STATUS            = 0x070
    QUEUE_DESC_LOW    = 0x080
    QUEUE_DESC_HIGH   = 0x084
    QUEUE_AVAIL_LOW   = 0x090
    QUEUE_AVAIL_HIGH  = 0x094
    QUEUE_USED_LOW    = 0x0A0
    QUEUE_USED_HIGH   = 0x0A4
    CONFIG_GENERATION = 0x0FC
    # fmt: on


LEGACY_ONLY = {Register.GUEST_PAGE_SIZE, Register.QUEUE_ALIGN, Register.QUEUE_PFN}
ADDRESSES = {
    Register.QUEUE_DESC_LOW: ("desc", 0), Register.QUEUE_DESC_HIGH: ("desc", 1),
    Register.QUEUE_AVAIL_LOW: ("avail", 0), Register.QUEUE_AVAIL_HIGH: ("avail", 1),
    Register.QUEUE_USED_LOW: ("used", 0), Register.QUEUE_USED_HIGH: ("used", 1),
}  # fmt: skip
VERSION_1_ONLY = {Register.QUEUE_READY, Register.CONFIG_GENERATION, *ADDRESSES}


@device_class("virtio-mmio", bus="sysbus", category="misc", user_creatable=False)
class VirtioMmio(Device):
    """The window, and the place for a device behind it. The board maps ``region`` and connects ``irq``.

    :param number: of the bus, for its name
    :param memory: what the device reads and writes
    :ivar address: where the board has mapped it; the saved state is named after it
    """

    force_legacy = Property.bool("force-legacy", True)
    format_transport_address = Property.bool("format_transport_address", True)

    def __init__(self, system: System | None = None, memory: AddressSpace | None = None, *, number: int = 0,
                 address: int = 0, **props: object) -> None:  # fmt: skip
        super().__init__(**props)
        self.irq = Irq()
        self.address = address
        self.region = MemoryRegion.mmio("virtio-mmio", SIZE, self, access=(1, 8), impl=(1, 4))
        self._memory = memory
        self.settings = [QueueSettings() for _ in range(r.MAX_QUEUES)]
        self.virtio_bus: VirtioBus | None = None
        if system is not None:
            self.virtio_bus = VirtioBus(f"virtio-mmio-bus.{number}", system, self, "virtio-mmio-bus")
        self._clear()

    @property
    def child_buses(self) -> Sequence[Bus]:
        """The place of the device."""
        return [self.virtio_bus] if self.virtio_bus is not None else []

    @property
    def device(self) -> VirtioDevice | None:
        """The device behind it."""
        return self.virtio_bus.device if self.virtio_bus is not None else None

    def _clear(self) -> None:
        self.host_features_sel = self.guest_features_sel = self.guest_page_shift = 0
        self.guest_features = [0, 0]
        self._clear_queues()

    def _clear_queues(self) -> None:
        for settings in self.settings:
            if settings.num or settings.enabled or any((*settings.desc, *settings.avail, *settings.used)):
                QueueSettings.__init__(settings)

    def reset(self) -> None:
        """The machine's reset."""
        self._clear()
        if self.device is not None:
            self.device.reset()
        self.irq.set(False)

    def _driver_reset(self, device: VirtioDevice) -> None:
        device.reset()
        self._clear_queues()
        self.irq.set(False)

    # -- the transport

    @property
    def space(self) -> AddressSpace:
        """All of memory."""
        assert self._memory is not None
        return self._memory

    @property
    def can_access_memory(self) -> bool:
        """Always."""
        return True

    def plugged(self, device: VirtioDevice) -> None:
        """Offer the device's features."""
        device.offer(0 if self.force_legacy else 1 << r.F_VERSION_1)

    def interrupt(self, vector: int) -> None:
        """There is one line."""
        self.update()

    def update(self) -> None:
        """Drive the line."""
        self.irq.set(self.device is not None and self.device.isr != 0)

    # -- registers

    def read(self, offset: int, size: int) -> int:
        """Read a register; nobody behind it shows as device number 0."""
        device = self.device
        if device is not None and offset >= CONFIG:
            return device.read_config(offset - CONFIG, size)
        if size != 4 or offset >= CONFIG:
            return 0
        match offset:
            case Register.MAGIC_VALUE:
                return MAGIC
            case Register.VERSION:
                return 1 if self.force_legacy else 2
            case Register.VENDOR_ID:
                return VENDOR
        return self._read_device(device, offset) if device is not None else 0

    def _read_device(self, device: VirtioDevice, offset: int) -> int:
        if offset in (VERSION_1_ONLY if self.force_legacy else LEGACY_ONLY):
            return 0
        queue = device.queue(device.queue_sel)
        match offset:
            case Register.DEVICE_ID:
                return device.device_id
            case Register.DEVICE_FEATURES:
                return self._offered(device)
            case Register.QUEUE_NUM_MAX:
                return r.MAX_QUEUE_SIZE if queue is not None else 0
            case Register.QUEUE_PFN:
                return queue.ring.desc >> self.guest_page_shift & 0xFFFF_FFFF if queue is not None else 0
            case Register.QUEUE_READY:
                return int(self.settings[device.queue_sel].enabled)
            case Register.INTERRUPT_STATUS:
                return device.isr
            case Register.STATUS:
                return device.status
            case Register.CONFIG_GENERATION:
                return device.generation
        return 0

    def _offered(self, device: VirtioDevice) -> int:
        if self.force_legacy:
            return 0 if self.host_features_sel else device.host_features & 0xFFFF_FFFF
        offered = device.host_features & ~(LEGACY_FEATURES | device.legacy_only)
        return offered >> (32 if self.host_features_sel else 0) & 0xFFFF_FFFF

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register."""
        device = self.device
        if device is None:
            return
        if offset >= CONFIG:
            device.write_config(offset - CONFIG, size, value)
        elif size == 4 and offset not in (LEGACY_ONLY if not self.force_legacy else VERSION_1_ONLY):
            self._write(device, offset, value)

    def _write(self, device: VirtioDevice, offset: int, value: int) -> None:
        match offset:
            case Register.DEVICE_FEATURES_SEL:
                self.host_features_sel = value if self.force_legacy else int(value != 0)
            case Register.DRIVER_FEATURES_SEL:
                self.guest_features_sel = value if self.force_legacy else int(value != 0)
            case Register.DRIVER_FEATURES:
                self._write_features(device, value)
            case Register.GUEST_PAGE_SIZE:
                shift = (value & -value).bit_length() - 1
                self.guest_page_shift = shift if shift >= 0 else 0
            case Register.QUEUE_SEL:
                device.queue_sel = value if value < r.MAX_QUEUES else device.queue_sel
            case Register.QUEUE_NOTIFY:
                device.notify_queue(value)
            case Register.INTERRUPT_ACK:
                device.isr &= ~value
                self.update()
            case Register.STATUS:
                device.set_status(value & 0xFF)
                if not device.status:
                    self._driver_reset(device)
            case _:
                self._write_queue(device, offset, value)

    def _write_features(self, device: VirtioDevice, value: int) -> None:
        if self.force_legacy:
            if not self.guest_features_sel:
                device.set_features(value)
        else:  # a driver of version 1.0 says all of it before it says that it is done
            self.guest_features[self.guest_features_sel] = value
            device.set_features(self.guest_features[1] << 32 | self.guest_features[0])

    def _write_queue(self, device: VirtioDevice, offset: int, value: int) -> None:
        queue, settings = device.queue(device.queue_sel), self.settings[device.queue_sel]
        match offset:
            case Register.QUEUE_NUM:
                settings.num = value & 0xFFFF
            case Register.QUEUE_PFN if not value:
                self._driver_reset(device)
                return
            case Register.QUEUE_READY:
                settings.enabled = bool(value)
            case _ if offset in ADDRESSES:
                name, half = ADDRESSES[Register(offset)]
                getattr(settings, name)[half] = value
        if queue is not None:
            self._change_queue(queue, settings, offset, value)

    def _change_queue(self, queue: VirtQueue, settings: QueueSettings, offset: int, value: int) -> None:
        """What a write means for a queue that there is."""
        match offset:
            case Register.QUEUE_NUM:
                queue.set_num(value)
            case Register.QUEUE_ALIGN if value and not value & (value - 1):
                queue.ring.align = value
            case Register.QUEUE_PFN:
                queue.place(value << self.guest_page_shift)
            case Register.QUEUE_READY if value:
                queue.set_num(settings.num)
                queue.set_rings(*(low | high << 32 for low, high in (settings.desc, settings.avail, settings.used)))
        if self.force_legacy and queue.ready and offset in (Register.QUEUE_NUM, Register.QUEUE_ALIGN):
            queue.place(queue.ring.desc)
