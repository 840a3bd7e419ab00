"""``virtio-rng``: random numbers (Virtual I/O Device Version 1.0, 5.4)."""

from __future__ import annotations

from typing import Protocol

from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.device import VirtioDevice
from pyqemu.hw.virtio.pci import VirtioPci
from pyqemu.hw.virtio.queue import CHUNK, VirtQueue, scatter
from pyqemu.hw.virtio.state import virtio_vmstate
from pyqemu.qapi.errors import QapiError
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.system.clock import MILLISECOND
from pyqemu.system.entropy import Entropy

QUEUE_SIZE = 8
NO_LIMIT = 0x7FFF_FFFF_FFFF_FFFF
RETRY = 50 * MILLISECOND  # when to ask a source again that has run dry


class Source(Protocol):
    """Where random bytes come from."""

    def take(self, count: int) -> bytes:
        """At most so many bytes, as there are now."""


@device_class("virtio-rng-device", bus="virtio-bus", category="misc")
class VirtioRng(VirtioDevice):
    """The generator. Without an object ``rng`` it takes the machine's own entropy, which ``seed`` makes repeatable."""

    device_id = r.ID_RNG

    rng = Property.link("rng", "rng", "ID of an object that is a source of entropy")
    max_bytes = Property.uint("max-bytes", NO_LIMIT, bits=64)
    period = Property.uint("period", 1 << 16)

    vmstate = virtio_vmstate("virtio-rng", 1)

    def realize(self) -> None:
        """Find the source."""
        super().realize()
        if not self.period:
            raise DeviceError("'period' parameter expects a positive integer", "period=MILLISECONDS")
        if self.max_bytes > NO_LIMIT:
            raise DeviceError("'max-bytes' parameter must be non-negative, and less than 2^63")
        self.queue0 = self.add_queue(QUEUE_SIZE, self._process)
        self.source = self.rng if self.rng is not None else _machine_entropy(self)
        clock = self.bus.system.clock
        self.rate_timer = clock.timer(self._new_period)
        self.retry_timer = clock.timer(self._again)
        self.quota_remaining = self.max_bytes

    def unrealize(self) -> None:
        """Stop."""
        self.reset()

    def device_reset(self) -> None:
        """Nothing waits."""
        self.rate_timer.cancel()
        self.retry_timer.cancel()
        self.quota_remaining = self.max_bytes

    def _again(self) -> None:
        self._process(self.queue0)

    def _new_period(self) -> None:
        self.quota_remaining = self.max_bytes
        self._process(self.queue0)

    def _process(self, queue: VirtQueue) -> None:
        """Fill buffers, as long as the period's quota lasts."""
        if not self.driver_ok:
            return
        count = 0
        while self.quota_remaining and (size := queue.room(min(self.quota_remaining, CHUNK))):
            data = self.source.take(size)
            if not data:
                self.retry_timer.set(self.bus.system.clock.now() + RETRY)
                break
            self.quota_remaining -= len(data)
            count += self._fill(queue, data)
        if count:
            queue.notify()
            if not self.rate_timer.pending and self.max_bytes != NO_LIMIT:
                self.rate_timer.set(self.bus.system.clock.now() + self.period * MILLISECOND)

    def _fill(self, queue: VirtQueue, data: bytes) -> int:
        """Write into buffers; returns how many."""
        done = count = 0
        while done < len(data) and (element := queue.pop()) is not None:
            written = scatter(self.space, element.in_, data[done : done + element.in_size])
            queue.push(element, written)
            done += written
            count += 1
        return count


def _machine_entropy(device: VirtioRng) -> Source:
    system = device.bus.system
    try:
        return system.part(Entropy)
    except QapiError:
        return Entropy()


@device_class("virtio-rng-pci", bus="pci", category="misc", alias="virtio-rng")
class VirtioRngPci(VirtioPci):
    """A generator behind PCI."""

    device_id = 0x1005
    class_id = 0x00FF
    backend_class = VirtioRng
