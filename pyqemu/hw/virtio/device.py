"""What all virtio devices are, whatever bus their driver reaches them by (Virtual I/O Device Version 1.0, chapter 2).

A model declares its ``device_id``, makes its queues in :meth:`VirtioDevice.realize`, offers features, and answers for
its configuration space. A transport (:mod:`pyqemu.hw.virtio.pci`, :mod:`pyqemu.hw.virtio.mmio`) is the bus that it
is plugged into.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.queue import VirtQueue
from pyqemu.memory import AddressSpace
from pyqemu.qom import Device, DeviceError, Property
from pyqemu.qom.vmstate import VMState
from pyqemu.system import RunState

if TYPE_CHECKING:
    from pyqemu.hw.virtio.bus import VirtioBus

TRANSPORT_FEATURES = 0xF << 28 | 1 << r.F_NOTIFY_ON_EMPTY | 1 << r.F_ANY_LAYOUT | 1 << r.F_VERSION_1


def bits(*numbers: int) -> int:
    """The number with these bits set."""
    return sum(1 << number for number in numbers)


class VirtioDevice(Device):
    """One device.

    :ivar guest_features: those that the driver has accepted
    :ivar config: the configuration space as it was last read or written
    :ivar incoming_features: while a state is read: the features that it has
    :ivar failure: how the driver has broken the rules; until it resets the device nothing happens then
    """

    bus_type = "virtio-bus"
    device_id: ClassVar[int]
    config_size: ClassVar[int] = 0
    legacy_only: ClassVar[int] = 0
    """Features that are not offered to drivers of version 1.0."""

    indirect_desc = Property.bool("indirect_desc", True)
    event_idx = Property.bool("event_idx", True)
    notify_on_empty = Property.bool("notify_on_empty", True)
    any_layout = Property.bool("any_layout", True)

    bus: VirtioBus
    model_state: ClassVar[VMState | None] = None
    """What the model adds to the saved state."""

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.queues: list[VirtQueue] = []
        self.host_features = 0
        self.config = bytearray(self.config_size)
        self._look_at_queues = False
        self.incoming_features = 0
        self._clear()

    def _clear(self) -> None:
        self.status = 0
        self.isr = 0
        self.queue_sel = 0
        self.guest_features = 0
        self.config_vector = r.NO_VECTOR
        self.generation = 0
        self.failure = ""
        for queue in self.queues:
            queue.reset()

    # -- a model's side

    def add_queue(self, size: int, handler: Callable[[VirtQueue], None]) -> VirtQueue:
        """Make the next queue. Its *handler* is called when the driver notifies it.

        :raise DeviceError: there are as many as there can be.
        """
        if len(self.queues) == r.MAX_QUEUES:
            raise DeviceError(f"'{self.name}' cannot have more than {r.MAX_QUEUES} queues")
        queue = VirtQueue(self, len(self.queues), size, handler)
        self.queues.append(queue)
        return queue

    def features(self) -> int:
        """The features of this model that the device offers."""
        return 0

    def blind_features(self) -> int:
        """What a driver understands that accepts all features without looking at them (legacy)."""
        return 0

    def withheld(self) -> int:
        """Features that this model does not have after all, whatever the properties say."""
        return 0

    @property
    def is_legacy_only(self) -> bool:
        """Whether its transport knows drivers of before version 1.0 only."""
        return not self.host_features >> r.F_VERSION_1 & 1

    def validate_features(self) -> bool:
        """Whether the device can work with what the driver has accepted."""
        return True

    def features_accepted(self) -> None:
        """The driver has accepted other features."""

    def fill_config(self) -> None:
        """Bring ``config`` up to date; the driver is going to read it."""

    def config_written(self) -> None:
        """The driver has changed ``config``."""

    def status_changed(self, status: int) -> None:
        """The driver has set the status, which ``status`` still is not."""

    def device_reset(self) -> None:
        """Forget what the driver has wanted."""

    def complete_now(self) -> None:
        """The machine is about to be saved: end what is under way and has no place in the saved state."""

    def after_load(self) -> None:
        """All was loaded: let the rest follow. Notifications are not saved, so queues are looked at when it goes on."""
        self._look_at_queues = True

    def started(self) -> None:
        """The machine goes on."""
        looks, self._look_at_queues = self._look_at_queues, False
        for queue in self.queues if looks else ():
            self.notify_queue(queue.index)

    def _state_changed(self, running: bool, state: RunState) -> None:
        if running and self.realized:
            self.started()

    # -- life

    def realize(self) -> None:
        """Hear of when the machine goes on. Models make their queues then."""
        self.bus.system.on_state_change(self._state_changed)

    @property
    def virtio(self) -> VirtioDevice:
        """Itself, for the saved state."""
        return self

    def offer(self, more: int) -> None:
        """Decide on the features; *more* are the transport's."""
        self.host_features = more
        own = self.features()
        own |= self.indirect_desc << r.F_INDIRECT_DESC | self.event_idx << r.F_EVENT_IDX
        own |= self.notify_on_empty << r.F_NOTIFY_ON_EMPTY | self.any_layout << r.F_ANY_LAYOUT
        self.host_features = own & ~self.withheld() | more

    def reset(self) -> None:
        """As after power-on: the driver's, and the machine's."""
        self.set_status(0)
        self.device_reset()
        self._clear()

    @property
    def space(self) -> AddressSpace:
        """Memory as the device sees it."""
        return self.bus.transport.space

    @property
    def broken(self) -> bool:
        """Whether the driver has broken the rules."""
        return bool(self.failure)

    def tree_lines(self) -> list[str]:
        """Also what is wrong with it."""
        return [f"broken by its driver: {self.failure}"] if self.failure else []

    @property
    def alive(self) -> bool:
        """Whether the device works at all."""
        return not self.broken and self.bus.transport.can_access_memory

    @property
    def driver_ok(self) -> bool:
        """Whether the driver has said that it is ready."""
        return bool(self.status & r.STATUS_DRIVER_OK)

    def negotiated(self, feature: int) -> bool:
        """Whether the driver has accepted a feature."""
        return bool(self.guest_features >> feature & 1)

    def fail(self, why: str) -> None:
        """The driver has broken the rules: stop, and tell one that can understand it."""
        self.failure = why
        if self.negotiated(r.F_VERSION_1):
            self.status |= r.STATUS_NEEDS_RESET
            self.notify_config()

    # -- a transport's side

    def queue(self, index: int) -> VirtQueue | None:
        """The queue of that number, if there is one."""
        return self.queues[index] if index < len(self.queues) else None

    def set_features(self, value: int) -> None:
        """The driver accepts features; those that were not offered are dropped. Once it has said that it is done with
        that, nothing changes.
        """
        if not self.status & r.STATUS_FEATURES_OK:
            self.guest_features = value & self.host_features
            self.features_accepted()

    def set_status(self, value: int) -> None:
        """The driver says how far it is."""
        finishes = self.negotiated(r.F_VERSION_1) and value & ~self.status & r.STATUS_FEATURES_OK
        if finishes and not self.validate_features():
            return
        if event := self.bus.system.trace.virtio_set_status:
            event(vdev=id(self), val=value)
        self.status_changed(value)
        self.status = value

    def notify_queue(self, index: int) -> None:
        """The driver says that it has made something available."""
        if index < len(self.queues) and self.queues[index].ready and self.alive:
            if event := self.bus.system.trace.virtio_queue_notify:
                event(vdev=id(self), n=index, vq=id(self.queues[index]))
            self.queues[index].handler(self.queues[index])

    def interrupt_queue(self, queue: VirtQueue) -> None:
        """Interrupt the driver because of a queue."""
        if event := self.bus.system.trace.virtio_notify:
            event(vdev=id(self), vq=id(queue))
        self.isr |= r.ISR_QUEUE
        self.bus.transport.interrupt(queue.vector)

    def notify_config(self) -> None:
        """Tell the driver that the configuration space has changed."""
        if self.driver_ok:
            self.isr |= r.ISR_QUEUE | r.ISR_CONFIG
            self.generation = (self.generation + 1) & 0xFFFF_FFFF
            self.bus.transport.interrupt(self.config_vector)

    def read_config(self, offset: int, size: int) -> int:
        """The driver reads the configuration space; behind its end are ones."""
        self.fill_config()
        if offset + size > len(self.config):
            return (1 << 8 * size) - 1
        return int.from_bytes(self.config[offset : offset + size], "little")

    def write_config(self, offset: int, size: int, value: int) -> None:
        """The driver writes it."""
        if offset + size <= len(self.config):
            self.config[offset : offset + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
            self.config_written()
