"""virtio over PCI: the function that stands before a device (4.1).

Its BARs, as QEMU has them: 0 are the legacy registers in ports (4.1.4.8), 1 is MSI-X, 4 the registers of version 1.0
(:mod:`pyqemu.hw.virtio.pci_modern`). Which of the two sets there are, ``disable-legacy`` and ``disable-modern`` say.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pyqemu.hw.pci import regs
from pyqemu.hw.pci.device import PciDevice
from pyqemu.hw.pci.msix import Msix
from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.aliases import Alias, with_aliases
from pyqemu.hw.virtio.bus import VirtioBus
from pyqemu.hw.virtio.device import VirtioDevice
from pyqemu.hw.virtio.pci_modern import Modern
from pyqemu.memory import AddressSpace, MemoryRegion
from pyqemu.qom import Bus, DeviceError, Property

LEGACY_BAR, MSIX_BAR, MODERN_BAR = 0, 1, 4
MODERN_ID = 0x1040  # of a device that knows version 1.0 only: this and the device's id

# fmt: off
# Legacy registers, 4.1.4.8
HOST_FEATURES  = 0x00
GUEST_FEATURES = 0x04
QUEUE_PFN      = 0x08
QUEUE_NUM      = 0x0C
QUEUE_SEL      = 0x0E
QUEUE_NOTIFY   = 0x10
STATUS         = 0x12
ISR            = 0x13
CONFIG_VECTOR  = 0x14  # this and the next are there while MSI-X is on; else the configuration begins here
QUEUE_VECTOR   = 0x16
# fmt: on
SHORT, LONG = 0x14, 0x18
PAGE_BITS = 12


class VirtioPci(PciDevice):
    """The function. A model names the device that is behind it; the device's properties are its own as well.

    :ivar backend: the device
    """

    vendor_id = regs.VENDOR_REDHAT_QUMRANET
    subsystem_vendor_id = regs.VENDOR_REDHAT_QUMRANET
    interrupt_pin = 1
    backend_class: ClassVar[type[VirtioDevice]]
    default_vectors: ClassVar[int] = 0

    disable_legacy = Property.bool("disable-legacy", False)
    disable_modern = Property.bool("disable-modern", True)
    page_per_vq = Property.bool("page-per-vq", True)
    vectors = Property.uint("vectors", 0)
    ioeventfd = Property.bool("ioeventfd", True, "on/off; without effect, since there are no threads to wake")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Have the properties of the device behind it."""
        if "backend_class" in vars(cls):
            with_aliases(cls, cls.backend_class)
            cls.subsystem_id = cls.backend_class.device_id
            cls.vmstate = cls.backend_class.vmstate
        super().__init_subclass__(**kwargs)

    def __init__(self, **props: object) -> None:
        self.backend = self.backend_class()
        super().__init__(**props)
        if "vectors" not in vars(self):
            self.vectors = self.default_vectors
        self.msix: Msix | None = None
        self.modern: Modern | None = None
        self.add_child("virtio-backend", self.backend)

    # -- life

    def realize(self) -> None:
        """Show what the driver finds it by, and plug the device in behind it."""
        if self.disable_legacy and self.disable_modern:
            raise DeviceError(
                f"device '{self.name}' can't be used: neither legacy nor modern",
                "disable-modern=off or disable-legacy=off",
            )
        self.virtio_bus = VirtioBus("virtio-bus", self.bus.system, self, "virtio-pci-bus")
        self.virtio_bus.plug(self.backend)

    def plugged(self, device: VirtioDevice) -> None:
        """The device has come: make the BARs."""
        if self.disable_legacy:
            self.set_word(regs.DEVICE_ID, MODERN_ID + device.device_id)
            self.config[regs.REVISION_ID] = 1
            self.set_word(regs.SUBSYSTEM_VENDOR_ID, regs.VENDOR_REDHAT_QUMRANET)
            self.set_word(regs.SUBSYSTEM_ID, regs.SUBSYSTEM_QEMU)
        if not self.disable_modern:
            self.modern = Modern(self, page_per_queue=self.page_per_vq)
            self.modern.add_capabilities(MODERN_BAR)
            self.register_bar(MODERN_BAR, self.modern.region(), "mem64", prefetch=True)
        if self.vectors and self.bus.has_messages:
            self.msix = Msix(self, self.vectors, MSIX_BAR)
        if not self.disable_legacy:
            length = (LONG if self.msix is not None else SHORT) + len(device.config)
            size = 1 << (length - 1).bit_length()
            legacy = MemoryRegion.mmio("virtio-pci", size, Legacy(self), access=(1, 4), impl=(1, 4))
            self.register_bar(LEGACY_BAR, legacy, "io")
        if self.romfile and self.rombar:
            self.load_romfile(Path(self.romfile))
        bad = 0 if self.disable_legacy else 1 << r.F_BAD_FEATURE
        device.offer(bad | (0 if self.disable_modern else 1 << r.F_VERSION_1))

    def unrealize(self) -> None:
        """Take the device out."""
        self.virtio_bus.unplug(self.backend)

    def reset(self) -> None:
        """The machine's reset; the device has its own."""
        self.reset_driver_side()
        if self.msix is not None:
            self.msix.reset()
        if self.modern is not None:
            self.modern.reset()

    def reset_driver_side(self) -> None:
        """The driver has reset the device, or let go of it."""
        self.backend.reset()
        self.irq.set(False)
        if self.modern is not None:
            self.modern.reset_queues()

    def complete_now(self) -> None:
        """The machine is about to be saved."""
        self.backend.complete_now()

    @property
    def child_buses(self) -> Sequence[Bus]:
        """The place of the device."""
        return [self.virtio_bus] if self.realized or hasattr(self, "virtio_bus") else []

    def own_properties(self) -> list[str]:
        """Those of the function; the device shows its own."""
        return [name for name, prop in self.properties.items() if not isinstance(prop, Alias)]

    # -- the transport

    @property
    def virtio(self) -> VirtioDevice:
        """The device, for the saved state."""
        return self.backend

    @property
    def space(self) -> AddressSpace:
        """Memory as a bus master sees it."""
        return self.dma

    @property
    def can_access_memory(self) -> bool:
        """Whether the driver has made it a bus master."""
        return bool(self.command & regs.COMMAND_MASTER)

    def interrupt(self, vector: int) -> None:
        """By a message if MSI-X is on, else by the pin."""
        if self.msix is not None and self.msix.enabled:
            self.msix.notify(vector)
        else:
            self.irq.set(self.backend.isr & r.ISR_QUEUE)

    def take_isr(self) -> int:
        """Read the interrupt status, which clears it and lowers the pin."""
        value, self.backend.isr = self.backend.isr, 0
        self.irq.set(False)
        return value

    def use_vector(self, vector: int) -> int:
        """The vector that the driver gets when it asks for one: none, if there is no such vector."""
        return vector if self.msix is not None and vector < self.msix.vectors else r.NO_VECTOR

    def set_status(self, value: int) -> None:
        """The driver sets the status; 0 is a reset."""
        self.backend.set_status(value)
        if not self.backend.status:
            self.reset_driver_side()

    # -- configuration space

    def config_write(self, addr: int, size: int, value: int) -> None:
        """Also what follows from the command register, from MSI-X, and from the window."""
        super().config_write(addr, size, value)
        if addr <= regs.COMMAND < addr + size and not self.can_access_memory:
            self.backend.set_status(self.backend.status & ~r.STATUS_DRIVER_OK)
        if self.msix is not None:
            self.msix.config_written()
        if self._in_window(addr, size):
            assert self.modern is not None
            self.modern.window_access(self.bars[MODERN_BAR].region, MODERN_BAR, is_write=True)

    def config_read(self, addr: int, size: int) -> int:
        """Also through the window."""
        if self._in_window(addr, size):
            assert self.modern is not None
            self.modern.window_access(self.bars[MODERN_BAR].region, MODERN_BAR, is_write=False)
        return super().config_read(addr, size)

    def _in_window(self, addr: int, size: int) -> bool:
        if self.modern is None:
            return False
        data = self.modern.window + 16
        return addr < data + 4 and addr + size > data


class Legacy:
    """The legacy registers, in ports."""

    def __init__(self, proxy: VirtioPci) -> None:
        self._proxy = proxy
        self._device = proxy.backend

    @property
    def _config_start(self) -> int:
        msix = self._proxy.msix
        return LONG if msix is not None and msix.enabled else SHORT

    def read(self, offset: int, size: int) -> int:
        """Read a register, or the device's configuration behind them."""
        start = self._config_start
        if offset >= start:
            return self._device.read_config(offset - start, size)
        device = self._device
        queue = device.queue(device.queue_sel)
        if offset == HOST_FEATURES:
            return device.host_features & 0xFFFF_FFFF
        if offset == GUEST_FEATURES:
            return device.guest_features & 0xFFFF_FFFF
        if offset == QUEUE_PFN:
            return queue.ring.desc >> PAGE_BITS & 0xFFFF_FFFF if queue is not None else 0
        if offset == QUEUE_NUM:
            return queue.ring.num if queue is not None else 0
        if offset == QUEUE_SEL:
            return device.queue_sel
        if offset == STATUS:
            return device.status
        if offset == ISR:
            return self._proxy.take_isr()
        if offset == CONFIG_VECTOR:
            return device.config_vector
        if offset == QUEUE_VECTOR:
            return queue.vector if queue is not None else r.NO_VECTOR
        return 0xFFFF_FFFF

    def write(self, offset: int, size: int, value: int) -> None:
        """Write a register, or the device's configuration behind them."""
        start = self._config_start
        if offset >= start:
            self._device.write_config(offset - start, size, value)
            return
        device = self._device
        queue = device.queue(device.queue_sel)
        if offset == GUEST_FEATURES:
            # A driver that accepts the feature that is none has looked at nothing.
            device.set_features(device.blind_features() if value >> r.F_BAD_FEATURE & 1 else value)
        elif offset == QUEUE_PFN:
            if not value:
                self._proxy.reset_driver_side()
            elif queue is not None:
                queue.place(value << PAGE_BITS)
        elif offset == QUEUE_SEL:
            device.queue_sel = value if value < r.MAX_QUEUES else device.queue_sel
        elif offset == QUEUE_NOTIFY:
            device.notify_queue(value)
        elif offset == STATUS:
            self._write_status(value & 0xFF)
        elif offset == CONFIG_VECTOR:
            device.config_vector = self._proxy.use_vector(value)
        elif offset == QUEUE_VECTOR and queue is not None:
            queue.vector = self._proxy.use_vector(value)

    def _write_status(self, value: int) -> None:
        self._proxy.set_status(value)
        if value == r.STATUS_ACKNOWLEDGE | r.STATUS_DRIVER:
            # Linux before 2.6.34 does not make the function a bus master.
            PciDevice.config_write(self._proxy, regs.COMMAND, 1, self._proxy.config[regs.COMMAND] | regs.COMMAND_MASTER)
