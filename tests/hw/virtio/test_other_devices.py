"""Network card, console and ports, generator, balloon: what their drivers see."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from pyqemu.chardev.base import Chardev, ChardevEvent
from pyqemu.hw.virtio.balloon import VirtioBalloonPci
from pyqemu.hw.virtio.console import Event, VirtioSerial, VirtioSerialPci
from pyqemu.hw.virtio.net import VirtioNetPci
from pyqemu.hw.virtio.ports import BACKLOG_LIMIT, VirtConsole, VirtSerialPort
from pyqemu.hw.virtio.rng import VirtioRngPci
from pyqemu.net import NetClient
from pyqemu.net.commands import query_rx_filter
from pyqemu.qapi.errors import QapiError
from pyqemu.qapi.visit import VISITOR
from pyqemu.qom import DeviceError
from pyqemu.system import System
from pyqemu.system.balloon import Balloons
from pyqemu.system.commands import balloon, query_balloon
from pyqemu.system.entropy import Entropy
from pyqemu.system.machine import MachineFacts
from tests.hw.virtio.virtio_rig import (
    BUFFERS,
    LegacyDriver,
    ModernDriver,
    Ours,
    Part,
    Qemu,
    Queue,
    eventually,
    needs_qemu,
)

ROOM = BUFFERS + 0x8_0000


def deliver(driver: LegacyDriver | ModernDriver, number: int, queue: Queue, *parts: Part) -> None:
    """Put a chain at the begin of the table and notify."""
    queue.free = 0
    queue.put(*parts)
    driver.kick(number)


# -- the network card

OWN = bytes.fromhex("525400123456")
FRAME = bytes.fromhex("ffffffffffff020000000001 88b5") + bytes(range(60))


class Card:
    """A card, its driver, and the other end of its cable."""

    def __init__(self, features: int = ~0, **props: Any) -> None:
        self.ours = Ours(VirtioNetPci(**props))
        self.driver = LegacyDriver(self.ours)
        self.rx, self.tx, self.ctrl = self.driver.start(features, 0, 1, 2)
        self.arrived: list[bytes] = []
        self.blocked = False
        self.far = NetClient("far", "test", receive=self._take, can_receive=lambda: not self.blocked)
        self.ours.device.client.connect(self.far)  # type: ignore[attr-defined]

    def _take(self, frame: bytes) -> bool:
        self.arrived.append(frame)
        return True

    def command(self, kind: int, number: int, data: bytes) -> int:
        """Send a command; its answer."""
        deliver(self.driver, 2, self.ctrl, Part(BUFFERS, bytes((kind, number))), Part(BUFFERS + 16, data),
                Part(ROOM, room=1))  # fmt: skip
        return self.ours.peek(ROOM, 1)[0]

    def offer(self, *sizes: int) -> None:
        """Give the card receive buffers."""
        self.rx.free = 0
        for number, size in enumerate(sizes):
            self.rx.put(Part(ROOM + 0x1000 * number, room=size))
        self.driver.kick(0)


MERGEABLE, CTRL_VLAN = 1 << 15, 1 << 19


@pytest.mark.parametrize(("features", "header"), [(0, 10), (MERGEABLE, 12)])
def test_frames_are_sent(features: int, header: int) -> None:
    card = Card(features)
    deliver(card.driver, 1, card.tx, Part(BUFFERS, bytes(header)), Part(BUFFERS + 64, FRAME))
    deliver(card.driver, 1, card.tx, Part(BUFFERS, bytes(header) + FRAME))
    assert card.arrived == [FRAME, FRAME]
    assert card.tx.used_entries == [(0, 0), (0, 0)]


def test_a_frame_without_header_breaks_it() -> None:
    card = Card(0)
    deliver(card.driver, 1, card.tx, Part(BUFFERS, b"123"))
    assert card.ours.device.backend.failure == "virtio-net header incorrect"  # type: ignore[attr-defined]


def test_sending_waits_for_the_other_end() -> None:
    card = Card(0)
    card.blocked = True
    for number in range(2):
        card.tx.put(Part(BUFFERS + 0x100 * number, bytes(10) + FRAME))
    card.driver.kick(1)
    assert (card.arrived, card.tx.used_idx) == ([], 0)
    card.blocked = False
    card.far.flush()
    assert (card.arrived, card.tx.used_idx) == ([FRAME, FRAME], 2)


def test_frames_are_received() -> None:
    card = Card(0)
    assert not card.far.send(FRAME)  # there is no buffer yet: it waits
    card.offer(2000)
    assert card.rx.used_entries == [(0, 10 + len(FRAME))]
    assert card.ours.peek(ROOM, 10 + len(FRAME)) == bytes(10) + FRAME


def test_a_frame_may_take_several_buffers() -> None:
    card = Card(MERGEABLE)
    card.offer(32, 32, 32)
    card.far.send(FRAME)
    assert card.rx.used_entries == [(0, 32), (1, 32), (2, 12 + len(FRAME) - 64)]
    assert int.from_bytes(card.ours.peek(ROOM + 10, 2), "little") == 3


def test_a_frame_that_never_fits_is_lost() -> None:
    card = Card(0)
    card.offer(32)
    assert card.far.send(FRAME)
    assert card.rx.used_idx == 0
    assert not card.ours.device.backend.broken  # type: ignore[attr-defined]


def test_filters() -> None:
    card = Card(~0)
    card.offer(*[200] * 8)
    group, other = bytes.fromhex("010203040506"), bytes.fromhex("020304050607")
    assert card.command(0, 0, b"\0") == 0  # not promiscuous
    for address in (OWN, group, other):
        card.far.send(address + FRAME[6:])
    assert card.rx.used_idx == 1
    tables = (1).to_bytes(4, "little") + other + (1).to_bytes(4, "little") + group
    assert card.command(1, 0, tables) == 0
    for address in (group, other):
        card.far.send(address + FRAME[6:])
    assert card.rx.used_idx == 3
    assert card.command(0, 5, b"\1") == 0  # no broadcasts
    card.far.send(FRAME)
    tagged = OWN + FRAME[6:12] + bytes.fromhex("8100 0007 88b5") + bytes(60)
    card.far.send(tagged)
    assert card.rx.used_idx == 3
    assert card.command(2, 0, (7).to_bytes(2, "little")) == 0
    card.far.send(tagged)
    assert card.rx.used_idx == 4


COMMANDS = [
    (0, 0, b"\1"), (0, 5, b"\0"), (0, 6, b"\1"), (1, 0, bytes(8)), (1, 0, bytes(7)), (1, 0, bytes(9)),
    (1, 0, (2).to_bytes(4, "little") + bytes(12) + bytes(4)), (1, 0, (3).to_bytes(4, "little") + bytes(12)),
    (1, 0, (0xFFFF_FFFF).to_bytes(4, "little") + bytes(12)), (1, 0, bytes(4) + (65).to_bytes(4, "little") + bytes(390)),
    (1, 1, OWN), (1, 1, OWN[:5]), (2, 0, b"\7\0"), (2, 0, b"\7"), (2, 0, b"\0\x10"), (2, 1, b"\7\0"), (2, 2, b"\7\0"),
    (3, 0, b""), (3, 1, b""), (5, 0, bytes(8)), (5, 0, bytes(4)), (7, 0, b"\0"),
]  # fmt: skip


@needs_qemu
def test_commands_are_answered_as_by_qemu() -> None:
    card = Card(~0)
    with Qemu("virtio-net-pci,romfile=") as qemu:
        driver = LegacyDriver(qemu)
        *_, queue = driver.start(~0, 0, 1, 2)
        for kind, number, data in COMMANDS:
            if data:
                mine = card.command(kind, number, data)
                parts = [Part(BUFFERS, bytes((kind, number))), Part(BUFFERS + 16, data), Part(ROOM, room=1)]
            else:
                deliver(card.driver, 2, card.ctrl, Part(BUFFERS, bytes((kind, number))), Part(ROOM, room=1))
                mine = card.ours.peek(ROOM, 1)[0]
                parts = [Part(BUFFERS, bytes((kind, number))), Part(ROOM, room=1)]
            before = queue.used_idx
            deliver(driver, 2, queue, *parts)
            eventually(qemu, lambda before=before: queue.used_idx != before)  # type: ignore[misc]
            assert mine == qemu.peek(ROOM, 1)[0], (kind, number, data)


def test_the_cable() -> None:
    card = Card(~0)
    card.driver.isr()
    card.ours.device.client.set_link(False)  # type: ignore[attr-defined]
    assert (card.driver.isr(), card.driver.read_config(6, 2)) == (3, 0)
    card.ours.device.client.set_link(True)  # type: ignore[attr-defined]
    assert card.driver.read_config(6, 2) == 1


# -- consoles and ports


class Backend(Chardev):
    """A chardev whose other end is the test."""

    def __init__(self, name: str, system: System) -> None:
        super().__init__(name, system)
        self.taken = b""
        self.owed = 0

    @property
    def backlog(self) -> int:
        return self.owed

    def _write(self, data: bytes) -> None:
        self.taken += data

    def come(self, here: bool) -> None:
        self._set_open(here)


class Serial:
    """A controller with a console and a port, and a driver that knows messages about them."""

    def __init__(self, features: int = ~0) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self.ours = Ours(VirtioSerialPci())
        self.ours.system.event_sinks.append(lambda name, data: self.events.append((name, data)))
        controller = self.ours.device.backend  # type: ignore[attr-defined]
        assert isinstance(controller, VirtioSerial)
        self.controller = controller
        self.backends = [Backend(name, self.ours.system) for name in ("console", "port")]
        self.console = VirtConsole(chardev=self.backends[0])
        self.port = VirtSerialPort(chardev=self.backends[1], name_property="a.port")
        self.port.id = "p"
        for device in (self.console, self.port):
            controller.serial_bus.plug(device)
        self.driver = LegacyDriver(self.ours)
        self.queues = dict(zip((0, 1, 2, 3, 4, 5), self.driver.start(features, 0, 1, 2, 3, 4, 5), strict=True))
        for number in range(16):
            self.queues[2].put(Part(ROOM + 0x100 * number, room=64))
        self.heard = 0

    def messages(self) -> list[tuple[int, Event, int, bytes]]:
        """What the device has said since the last time."""
        new = self.queues[2].used_entries[self.heard :]
        self.heard += len(new)
        raw = [self.ours.peek(ROOM + 0x100 * head, length) for head, length in new]
        return [(*struct.unpack("<IHH", data[:8]), data[8:]) for data in raw]  # type: ignore[misc]

    def tell(self, number: int, event: Event, value: int) -> None:
        deliver(self.driver, 3, self.queues[3], Part(BUFFERS, struct.pack("<IHH", number, event, value)))


def test_ports_are_introduced() -> None:
    serial = Serial()
    serial.tell(0, Event.DEVICE_READY, 1)
    assert serial.messages() == [(0, Event.PORT_ADD, 1, b""), (1, Event.PORT_ADD, 1, b"")]
    serial.tell(0, Event.PORT_READY, 1)
    assert serial.messages() == [(0, Event.CONSOLE_PORT, 1, b""), (0, Event.PORT_OPEN, 1, b"")]
    serial.tell(1, Event.PORT_READY, 1)
    assert serial.messages() == [(1, Event.PORT_NAME, 1, b"a.port\0")]
    serial.backends[1].come(True)
    assert serial.messages() == [(1, Event.PORT_OPEN, 1, b"")]
    serial.tell(1, Event.PORT_OPEN, 1)
    assert serial.events == [("VSERPORT_CHANGE", {"id": "p", "open": True})]
    serial.tell(77, Event.PORT_OPEN, 1)  # there is no such port
    deliver(serial.driver, 3, serial.queues[3], Part(BUFFERS, b"short"))
    assert serial.messages() == []


def test_bytes_go_both_ways() -> None:
    serial = Serial()
    serial.tell(0, Event.PORT_OPEN, 1)
    deliver(serial.driver, 1, serial.queues[1], Part(BUFFERS, b"from "), Part(BUFFERS + 64, b"the guest"))
    assert serial.backends[0].taken == b"from the guest"
    assert serial.backends[0].can_receive() == 0
    deliver(serial.driver, 0, serial.queues[0], Part(BUFFERS + 0x200, room=4), Part(BUFFERS + 0x300, room=100))
    assert serial.backends[0].can_receive() == 104
    serial.backends[0].on_receive(b"to the guest")
    assert serial.ours.peek(BUFFERS + 0x200, 4) + serial.ours.peek(BUFFERS + 0x300, 8) == b"to the guest"


def test_nobody_at_a_ports_other_end() -> None:
    serial = Serial()
    deliver(serial.driver, 5, serial.queues[5], Part(BUFFERS, b"lost"))
    assert (serial.backends[1].taken, serial.queues[5].used_idx) == (b"", 1)


def test_a_port_waits_for_its_backend() -> None:
    serial = Serial()
    backend = serial.backends[1]
    backend.come(True)
    backend.owed = BACKLOG_LIMIT + 1
    for text in (b"one ", b"two"):
        serial.queues[5].put(Part(BUFFERS + 0x40 * len(text), text))
    serial.driver.kick(5)
    assert (backend.taken, serial.queues[5].used_idx) == (b"one ", 1)
    backend.owed = 0
    assert backend.on_drain is not None
    backend.on_drain()
    assert (backend.taken, serial.queues[5].used_idx) == (b"one two", 2)


def test_much_output_takes_turns() -> None:
    """A console never waits for its backend; a chain of all of memory many times over is sent bit by bit."""
    serial = Serial()
    for number in range(4):
        serial.queues[1].write_descriptor(number, 0x20_0000, 1 << 20, 1 if number < 3 else 0, number + 1)
    serial.queues[1].publish(0)
    serial.ours.set_port(0xC010, 2, 1)
    assert (len(serial.backends[0].taken), serial.queues[1].used_idx) == (1 << 20, 0)
    serial.ours.wait()
    assert (len(serial.backends[0].taken), serial.queues[1].used_idx) == (4 << 20, 1)


def test_a_driver_that_knows_one_port() -> None:
    serial = Serial(0)
    deliver(serial.driver, 0, serial.queues[0], Part(BUFFERS, room=8))
    assert serial.backends[0].can_receive() == 8
    serial.backends[1].come(True)
    assert serial.queues[2].used_idx == 0


def test_ports_come_and_go() -> None:
    serial = Serial()
    added = VirtSerialPort(name_property="other")
    serial.controller.serial_bus.plug(added)
    assert added.nr == 2
    serial.controller.serial_bus.unplug(added)
    assert serial.messages() == [(2, Event.PORT_ADD, 1, b""), (2, Event.PORT_REMOVE, 1, b"")]


@pytest.mark.parametrize(("props", "message"), [
    ({"nr": 1}, "A port already exists at id 1"), ({"nr": 31}, "Out-of-range port id specified, max. allowed: 30"),
    ({"name_property": "a.port"}, "A port already exists by name a.port"),
])  # fmt: skip
def test_ports_that_cannot_be(props: dict[str, Any], message: str) -> None:
    serial = Serial()
    with pytest.raises(DeviceError, match=message):
        serial.controller.serial_bus.plug(VirtSerialPort(**props))


def test_what_a_port_holds_is_saved() -> None:
    """A chain of which the backend has taken a part: the rest is sent by who loads it."""
    here, there = Serial(), Serial()
    for serial in (here, there):
        serial.backends[1].come(True)
    here.backends[1].owed = BACKLOG_LIMIT + 1
    here.queues[5].put(Part(BUFFERS, b"a" * 70000), Part(BUFFERS + 0x2_0000, b"b" * 100))
    here.driver.kick(5)
    assert here.queues[5].used_idx == 0
    layout = VirtioSerialPci.vmstate
    assert layout is not None
    there.ours.poke(0x10_0000, here.ours.peek(0x10_0000, 0x20_0000))
    layout.load(there.ours.device, layout.save(here.ours.device))
    there.ours.system.start()
    assert here.backends[1].taken + there.backends[1].taken == b"a" * 70000 + b"b" * 100
    assert there.queues[5].used_idx == 1


def test_an_event_of_a_backend_that_is_none_of_ours() -> None:
    serial = Serial()
    serial.backends[1].on_event(ChardevEvent.BREAK)
    assert not serial.port.host_connected


# -- the generator


def test_random_bytes() -> None:
    expected = Entropy(7).take(20)
    ours = Ours(VirtioRngPci(), prepare=lambda system: system.add_part(Entropy(7)))
    driver = LegacyDriver(ours)
    (queue,) = driver.start(~0, 0)
    deliver(driver, 0, queue, Part(BUFFERS, room=20))
    assert queue.used_entries == [(0, 20)]
    assert ours.peek(BUFFERS, 20) == expected


def test_a_quota() -> None:
    """``max-bytes`` in each ``period``."""
    ours = Ours(VirtioRngPci(max_bytes=8, period=1000))
    driver = LegacyDriver(ours)
    (queue,) = driver.start(~0, 0)
    queue.put(Part(BUFFERS, room=6))
    queue.put(Part(BUFFERS + 64, room=6))
    driver.kick(0)
    assert queue.used_entries == [(0, 6), (1, 2)]
    queue.put(Part(BUFFERS + 128, room=4))
    driver.kick(0)
    assert queue.used_idx == 2
    ours.clock.advance(1_000_000_000)
    assert queue.used_idx == 3


class Dry:
    """A source that has nothing at first."""

    id = "dry"

    def __init__(self) -> None:
        self.asked = 0

    def take(self, count: int) -> bytes:
        self.asked += 1
        return b"" if self.asked == 1 else b"x" * count


def test_a_source_that_runs_dry_is_asked_again() -> None:
    ours = Ours(VirtioRngPci(rng=Dry()))
    driver = LegacyDriver(ours)
    (queue,) = driver.start(~0, 0)
    deliver(driver, 0, queue, Part(BUFFERS, room=4))
    assert queue.used_idx == 0
    ours.clock.advance(50_000_000)
    assert (queue.used_idx, ours.peek(BUFFERS, 4)) == (1, b"xxxx")


# -- the balloon

MEMORY = 16 << 20


class Balloon:
    """A balloon in a machine of 16 MiB."""

    def __init__(self) -> None:
        facts = MachineFacts("pc", "x86_64", memory=MEMORY, machines=list)
        self.events: list[tuple[str, dict[str, object]]] = []
        self.ours = Ours(VirtioBalloonPci(), prepare=lambda system: system.add_part(facts))
        self.ours.system.event_sinks.append(lambda name, data: self.events.append((name, data)))
        self.driver = LegacyDriver(self.ours)
        self.inflate, self.deflate, self.stats = self.driver.start(~0, 0, 1, 2)

    @property
    def system(self) -> System:
        return self.ours.system

    def slot(self, name: str) -> Any:
        return next(slot for slot in self.ours.device.qom_slots() if slot.name == name)


def test_a_target_is_told_and_reached() -> None:
    made = Balloon()
    made.driver.isr()
    balloon(made.system, value=12 << 20)
    assert (made.driver.isr(), made.driver.read_config(0, 4)) == (3, 1024)
    made.driver.write_config(4, 4, 1024)
    assert query_balloon(made.system).actual == 12 << 20
    assert made.events == [("BALLOON_CHANGE", {"actual": 12 << 20})]
    with pytest.raises(QapiError, match="Parameter 'target' expects a size"):
        balloon(made.system, value=0)
    balloon(made.system, value=1 << 40)  # more than there is: all of it
    assert made.driver.read_config(0, 4) == 0


def test_without_a_balloon() -> None:
    with pytest.raises(QapiError, match="No balloon device has been activated"):
        query_balloon(System())


def test_there_is_one_balloon() -> None:
    made = Balloon()
    with pytest.raises(DeviceError, match="Only one balloon device is supported"):
        made.ours.bus.add(VirtioBalloonPci())
    made.ours.bus.remove(made.ours.device)
    assert Balloons.of(made.system).balloon is None


def test_pages_that_are_given_are_dropped() -> None:
    made = Balloon()
    page = 0x40_0000
    made.ours.poke(page - 1, b"x" * 0x1002)
    numbers = struct.pack("<5I", page >> 12, 0xFFFF_FFFF, 0x10000, page >> 12, 0xFEB00)
    deliver(made.driver, 0, made.inflate, Part(BUFFERS, numbers + b"odd"))
    assert made.inflate.used_entries == [(0, 0)]
    assert made.ours.peek(page - 1, 0x1002) == b"x" + bytes(0x1000) + b"x"
    deliver(made.driver, 1, made.deflate, Part(BUFFERS, numbers))
    assert made.deflate.used_idx == 1


def test_an_absurd_list_of_pages_takes_turns() -> None:
    """Six thousand numbers of pages do not keep the processor from its work; and the machine can be saved meanwhile."""
    made = Balloon()
    made.inflate.write_descriptor(0, 0x40_0000, 24 << 10, 0)
    made.inflate.publish(0)
    made.ours.set_port(0xC010, 2, 0)
    assert made.inflate.used_idx == 0
    made.ours.device.complete_now()  # type: ignore[attr-defined]
    made.ours.wait()
    assert made.inflate.used_idx == 0
    made.system.start()
    made.ours.wait()
    assert made.inflate.used_entries == [(0, 0)]


def test_statistics() -> None:
    made = Balloon()
    deliver(made.driver, 2, made.stats, Part(BUFFERS, struct.pack("<HQHQ", 4, 1234, 5, 5678)))
    told = made.slot("guest-stats").get()
    assert told["stats"]["stat-free-memory"] == 1234
    assert told["stats"]["stat-total-memory"] == 5678
    assert told["stats"]["stat-swap-in"] == -1
    assert made.stats.used_idx == 0
    made.slot("guest-stats-polling-interval").set(2)
    assert made.stats.used_idx == 1  # the driver gets its buffer back: that is how it is asked
    deliver(made.driver, 2, made.stats, Part(BUFFERS, struct.pack("<HQ", 4, 99)))
    made.ours.clock.advance(2_000_000_000)
    assert made.stats.used_idx == 2
    for wrong, message in ((-1, "greater than zero"), (1 << 40, "too big"), ("1", "expected: integer")):
        with pytest.raises(DeviceError, match=message):
            made.slot("guest-stats-polling-interval").set(wrong)


def test_the_drivers_buffer_survives_a_move() -> None:
    made, other = Balloon(), Balloon()
    deliver(made.driver, 2, made.stats, Part(BUFFERS, struct.pack("<HQ", 4, 1)))
    made.ours.device.complete_now()  # type: ignore[attr-defined]
    layout = VirtioBalloonPci.vmstate
    assert layout is not None
    other.ours.poke(0x10_0000, made.ours.peek(0x10_0000, 0x20_0000))
    layout.load(other.ours.device, layout.save(made.ours.device))
    other.system.start()
    assert other.slot("guest-stats").get()["stats"]["stat-free-memory"] == 1
    other.slot("guest-stats-polling-interval").set(1)
    assert other.stats.used_idx == 1


# -- what people are told of a card's filter


@needs_qemu
def test_the_filter_as_qemu_tells_it() -> None:
    """``query-rx-filter`` after the same commands; a change is told once."""
    sent = [(0, 0, b"\0"), (0, 1, b"\1"), (0, 3, b"\1"), (2, 0, b"\7\0"),
            (1, 0, (1).to_bytes(4, "little") + OWN + (1).to_bytes(4, "little") + b"\1" * 6)]  # fmt: skip
    card = Card(~0)
    events: list[str] = []
    card.ours.system.event_sinks.append(lambda name, data: events.append(name))
    for each in sent:
        assert card.command(*each) == 0
    (mine,) = query_rx_filter(card.ours.system)
    assert events == ["NIC_RX_FILTER_CHANGED"]
    card.command(*sent[0])
    assert events == ["NIC_RX_FILTER_CHANGED"] * 2
    with Qemu("virtio-net-pci,romfile=,id=nic,mac=52:54:00:12:34:56") as qemu:
        driver = LegacyDriver(qemu)
        *_, queue = driver.start(~0, 0, 1, 2)
        for number, (kind, command, data) in enumerate(sent, 1):
            parts = Part(BUFFERS, bytes((kind, command))), Part(BUFFERS + 16, data), Part(ROOM, room=1)
            deliver(driver, 2, queue, *parts)
            eventually(qemu, lambda number=number: queue.used_idx == number)  # type: ignore[misc]
        (theirs,) = qemu.query("query-rx-filter")
    assert not theirs["broadcast-allowed"]  # QEMU tells the opposite of what is so
    assert VISITOR.to_json(mine) == {**theirs, "name": mine.name, "broadcast-allowed": True}
