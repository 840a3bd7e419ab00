"""``virtio-balloon``: the guest gives memory back, and tells how it gets on without (Virtual I/O Device 1.0, 5.5).

Statistics are asked for by giving the driver its buffer back; it is held meanwhile. Before the state is saved it is put
back, since that has no place for it, and taken anew when the machine goes on.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.device import VirtioDevice, bits
from pyqemu.hw.virtio.pci import VirtioPci
from pyqemu.hw.virtio.queue import Element, VirtQueue, gather
from pyqemu.hw.virtio.state import virtio_vmstate
from pyqemu.qapi.errors import QapiError
from pyqemu.qom import DeviceError, Property, device_class
from pyqemu.qom.tree import Slot
from pyqemu.qom.vmstate import U32, VMState
from pyqemu.system.balloon import Balloons
from pyqemu.system.clock import SECOND
from pyqemu.system.machine import MachineFacts

F_STATS_VQ, F_DEFLATE_ON_OOM = 1, 2
CONFIG = struct.Struct("<II")  # pages that the guest shall give, and those that it has given
QUEUE_SIZE = 128
PAGE_BITS = 12
PAGE = 1 << PAGE_BITS
NUMBER = 4  # bytes of a page's number
PAGES_PER_TURN = 4096
TURN = 100_000  # ns
STATISTIC = struct.Struct("<HQ")
NO_VALUE = (1 << 64) - 1
STATISTICS = ("stat-swap-in", "stat-swap-out", "stat-major-faults", "stat-minor-faults", "stat-free-memory",
              "stat-total-memory")  # fmt: skip
MAX_INTERVAL = 0xFFFF_FFFF


@device_class("virtio-balloon-device", bus="virtio-bus", category="misc")
class VirtioBalloon(VirtioDevice):
    """The balloon. A machine has one."""

    device_id = r.ID_BALLOON
    config_size = CONFIG.size

    deflate_on_oom = Property.bool("deflate-on-oom", False)

    vmstate = virtio_vmstate("virtio-balloon", 1)
    model_state = VMState("virtio-balloon pages", fields=(U32("num_pages"), U32("actual")))

    def realize(self) -> None:
        """Become the machine's balloon."""
        super().realize()
        system = self.bus.system
        balloons = Balloons.of(system)
        if balloons.balloon is not None:
            raise DeviceError("Only one balloon device is supported")
        self.num_pages = self.actual = 0
        self.interval = 0  # seconds
        self.statistics = dict.fromkeys(STATISTICS, NO_VALUE)
        self.last_update = 0  # seconds since the epoch
        self.held: Element | None = None
        self.timer = system.clock.timer(self._ask)
        self.giving: Element | None = None  # a chain of pages that are being dropped
        self.given = 0  # bytes of it that are done
        self.page_timer = system.clock.timer(self._next_turn)
        self.inflate = self.add_queue(QUEUE_SIZE, self._take)
        self.deflate = self.add_queue(QUEUE_SIZE, self._take_back)
        self.stats = self.add_queue(QUEUE_SIZE, self._take_statistics)
        balloons.balloon = self

    def unrealize(self) -> None:
        """There is no balloon any more."""
        self.reset()
        Balloons.of(self.bus.system).balloon = None

    def device_reset(self) -> None:
        """The driver's buffer is gone."""
        self.held = self.giving = None
        self.timer.cancel()
        self.page_timer.cancel()

    # -- the operator's side

    @property
    def _memory(self) -> int:
        """Bytes that the machine was made with."""
        try:
            return self.bus.system.part(MachineFacts).memory
        except QapiError:
            return 0

    def set_target(self, target: int) -> None:
        """Ask the driver to leave the guest with so many bytes."""
        self.num_pages = (self._memory - min(target, self._memory)) >> PAGE_BITS
        self.notify_config()

    def remaining(self) -> int:
        """Bytes that the guest has left."""
        return self._memory - (self.actual << PAGE_BITS)

    def qom_slots(self) -> Iterator[Slot]:
        """Also the statistics."""
        yield from super().qom_slots()
        yield from self.statistics_slots()

    def statistics_slots(self) -> Iterator[Slot]:
        """The statistics, and how often they are asked for."""
        yield Slot("guest-stats", "guest statistics", self._told)
        yield Slot("guest-stats-polling-interval", "int", lambda: self.interval, self._set_interval)

    def _told(self) -> object:
        stats = {name: value if value < 1 << 63 else value - (1 << 64) for name, value in self.statistics.items()}
        return {"stats": stats, "last-update": self.last_update}

    def _set_interval(self, value: object) -> None:
        if type(value) is not int:
            raise DeviceError("Invalid parameter type for 'guest-stats-polling-interval', expected: integer")
        if value < 0:
            raise DeviceError("timer value must be greater than zero", "seconds; 0 stops asking")
        if value > MAX_INTERVAL:
            raise DeviceError("timer value is too big", f"at most {MAX_INTERVAL}")
        self.interval = value
        self.timer.cancel()
        if value:
            self._ask()

    # -- features and configuration

    def features(self) -> int:
        """Statistics, and maybe that the driver helps itself when memory is short."""
        return bits(F_STATS_VQ) | self.deflate_on_oom << F_DEFLATE_ON_OOM

    def fill_config(self) -> None:
        """What is wanted and what is there."""
        self.config[:] = CONFIG.pack(self.num_pages, self.actual)

    def config_written(self) -> None:
        """The driver tells how much it has given."""
        before, self.actual = self.actual, CONFIG.unpack(self.config)[1]
        if self.actual != before:
            self.bus.system.emit("BALLOON_CHANGE", actual=self.remaining())

    # -- pages

    def _take_back(self, queue: VirtQueue) -> None:
        """The driver wants pages again: nothing needs to be done."""
        count = 0
        while (element := queue.pop()) is not None:
            queue.push(element, 0)
            count += 1
        if count:
            queue.notify()

    def _take(self, queue: VirtQueue) -> None:
        """The driver gives pages. What is more than a turn's worth waits for the next one."""
        if self.page_timer.pending:
            return
        left, count = PAGES_PER_TURN, 0
        while left > 0:
            if self.giving is None:
                self.giving, self.given = queue.pop(), 0
                if self.giving is None:
                    break
            left -= self._drop(self.giving, left)
            if self.given + NUMBER > self.giving.out_size:
                element, self.giving = self.giving, None
                queue.push(element, 0)
                count += 1
        if self.giving is not None:
            self.page_timer.set(self.bus.system.clock.now() + TURN)
        if count:
            queue.notify()

    def _next_turn(self) -> None:
        self._take(self.inflate)

    def _drop(self, element: Element, limit: int) -> int:
        """Give pages back to the host, at most *limit*; how many there were."""
        data = gather(self.space, element.out, self.given, NUMBER * limit)
        count = len(data) // NUMBER
        for (number,) in struct.iter_unpack("<I", data[: NUMBER * count]):
            self._release(number << PAGE_BITS)
        self.given += NUMBER * count
        return count + 1  # a chain without numbers is work, too

    def _release(self, address: int) -> None:
        section = self.space.lookup(address)
        if section.ram is not None and section.writable and address + PAGE <= section.end:
            self.space.write(address, bytes(PAGE))  # whoever has something of it in a cache hears of it
            section.ram.release(address - section.base, PAGE)

    # -- statistics

    def _take_statistics(self, queue: VirtQueue) -> None:
        """The driver has told them; its buffer stays here until they are wanted again."""
        element = queue.pop()
        if element is None:
            return
        if self.held is not None:  # it has given two: the older one is of no use
            queue.push(self.held, 0)
            queue.notify()
        self.held = element
        data = gather(self.space, element.out, 0, STATISTIC.size * 64)
        self.statistics = dict.fromkeys(STATISTICS, NO_VALUE)
        for tag, value in STATISTIC.iter_unpack(data[: len(data) - len(data) % STATISTIC.size]):
            if tag < len(STATISTICS):
                self.statistics[STATISTICS[tag]] = value
        self.last_update = int(time.time())
        self._wait()

    def _wait(self) -> None:
        if self.interval:
            self.timer.set(self.bus.system.clock.now() + self.interval * SECOND)

    def _ask(self) -> None:
        if self.held is None or not self.driver_ok:
            self._wait()
            return
        element, self.held = self.held, None
        self.stats.push(element, 0)
        self.stats.notify()

    def complete_now(self) -> None:
        """The machine is about to be saved."""
        if self.held is not None:
            self.stats.unpop(self.held)
            self.held = None
        if self.giving is not None:
            self.page_timer.cancel()
            self.inflate.unpop(self.giving)
            self.giving = None

    def started(self) -> None:
        """The machine goes on."""
        super().started()
        self.notify_queue(self.inflate.index)
        if self.held is None and self.driver_ok and self.negotiated(F_STATS_VQ):
            self.notify_queue(self.stats.index)


@device_class("virtio-balloon-pci", bus="pci", category="misc", alias="virtio-balloon")
class VirtioBalloonPci(VirtioPci):
    """The balloon behind PCI."""

    device_id = 0x1002
    class_id = 0x00FF
    backend_class = VirtioBalloon
    backend: VirtioBalloon

    def qom_slots(self) -> Iterator[Slot]:
        """Also the statistics, where clients look for them."""
        yield from super().qom_slots()
        yield from self.backend.statistics_slots()
