"""``virtconsole`` and ``virtserialport``: what is plugged into a virtio-serial controller, each with a chardev."""

from __future__ import annotations

from typing import ClassVar

from pyqemu.chardev import Chardev, ChardevEvent
from pyqemu.hw.virtio.console import Event, SerialBus, VirtioSerial, discard, held
from pyqemu.hw.virtio.queue import Element, gather, scatter
from pyqemu.qom import Device, Property, device_class

PIECE = 1 << 16  # bytes that are sent at once
TURN_BYTES = 1 << 20  # bytes that are sent before the processor has its turn again
TURN = 100_000  # ns
BACKLOG_LIMIT = 1 << 16  # bytes that a backend may owe before a port waits for it
INPUT_LIMIT = 4096  # bytes that are taken from a backend at once


class SerialPort(Device):
    """A port.

    :ivar guest_connected: whether a program of the guest has it open
    :ivar host_connected: whether there is somebody at the backend's other end
    :ivar element: what the driver wants to send and the backend has not taken all of
    :ivar sent: how much of that it has taken
    """

    ANY: ClassVar[int] = 0xFFFF_FFFF
    bus_type = "virtio-serial-bus"
    is_console: ClassVar[bool]

    chardev = Property.link("chardev", "chardev")
    nr = Property.uint("nr", ANY)
    name_property = Property.str("name", None)

    bus: SerialBus

    def __init__(self, **props: object) -> None:
        super().__init__(**props)
        self.guest_connected = self.host_connected = False
        self.throttled = False
        self.element: Element | None = None
        self.sent = 0
        self.backend: Chardev | None = None

    def realize(self) -> None:
        """Claim the backend. A console's other end always counts as open."""
        self.timer = self.bus.system.clock.timer(self.send_output)
        if self.chardev is not None:
            self.backend = self.chardev.claim()
        self.host_connected = self.is_console
        if self.backend is not None:
            self.backend.on_drain = self._drained
            self.backend.connect(self._receive, self._can_receive, self._event)

    def unrealize(self) -> None:
        """Let go of it."""
        if self.backend is not None:
            self.backend.release()

    @property
    def controller(self) -> VirtioSerial:
        """What it is plugged into."""
        return self.bus.controller

    def tree_lines(self) -> list[str]:
        """Who is there."""
        states = [("guest", self.guest_connected), ("host", self.host_connected), ("throttle", self.throttled)]
        told = ", ".join(f"{name} {'on' if state else 'off'}" for name, state in states)
        return [f"port {self.nr}, {told}"]

    # -- from the driver

    def send_output(self) -> None:
        """Send what the driver has made available, as far as the backend can take it."""
        queue = self.controller.queue_pair(self.nr)[1]
        if not self.host_connected:
            discard(queue)
            return
        if self.timer.pending:
            return
        count, left = 0, TURN_BYTES
        while not self.throttled and left > 0:
            if self.element is None:
                self.element, self.sent = queue.pop(), 0
                if self.element is None:
                    break
            left -= self._send_pieces(self.element, left)
            if self.sent >= self.element.out_size:
                element, self.element = self.element, None
                queue.push(element, 0)
                count += 1
        if left <= 0:
            self.timer.set(self.bus.system.clock.now() + TURN)
        if count:
            queue.notify()

    def _send_pieces(self, element: Element, limit: int) -> int:
        """Send from a chain, at most about *limit* bytes; returns how many."""
        start, size = self.sent, element.out_size
        while not self.throttled and self.sent < size and self.sent - start < limit:
            data = gather(self.controller.space, element.out, self.sent, PIECE)
            self.sent += len(data)
            if self.backend is not None:
                self.backend.write(data)
                self.throttled = not self.is_console and self.backend.backlog > BACKLOG_LIMIT
        return self.sent - start

    def _drained(self) -> None:
        if self.throttled:
            self.throttled = False
            self.send_output()

    def discard_output(self) -> None:
        """Nobody wants what the driver has to send."""
        self.timer.cancel()
        queue = self.controller.queue_pair(self.nr)[1]
        if self.element is not None:
            element, self.element = self.element, None
            queue.push(element, 0)
        discard(queue)
        self.throttled = False

    def set_guest_connected(self, connected: bool) -> None:
        """The guest's program has opened or closed the port."""
        self.guest_connected = connected
        if self.is_console:
            return
        if self.id is not None:
            self.bus.system.emit("VSERPORT_CHANGE", id=self.id, open=connected)
        if connected:
            self.room_for_input()

    # -- to the driver

    def _can_receive(self) -> int:
        controller = self.controller
        if not controller.driver_ok or (controller.multiport and not self.guest_connected):
            return 0
        return controller.queue_pair(self.nr)[0].room(INPUT_LIMIT)

    def _receive(self, data: bytes) -> None:
        queue = self.controller.queue_pair(self.nr)[0]
        done = 0
        while done < len(data) and (element := queue.pop()) is not None:
            written = scatter(self.controller.space, element.in_, data[done : done + element.in_size])
            queue.push(element, written)
            done += written
            if not written and not element.in_:
                break
        if data:
            queue.notify()

    def room_for_input(self) -> None:
        """The driver has made room."""
        if self.backend is not None:
            self.backend.accept_input()

    def _event(self, event: ChardevEvent) -> None:
        """Somebody has come to the backend's other end, or gone."""
        if self.is_console or event not in (ChardevEvent.OPENED, ChardevEvent.CLOSED):
            return
        opened = event is ChardevEvent.OPENED
        if opened == self.host_connected:
            return
        self.host_connected = opened
        if not opened:
            self.discard_output()
        self.controller.tell(self.nr, Event.PORT_OPEN, int(opened))

    # -- the saved state

    def place(self) -> tuple[int, int]:
        """Where in what it holds it is."""
        return held(self.element, self.sent)

    def load(self, guest: bool, host: bool, element: Element | None, sent: int) -> None:
        """Take over a state; whether somebody is at the other end here, a driver that was told otherwise hears."""
        self.guest_connected = guest
        self.element, self.sent = element, sent
        self.throttled = element is not None
        self.told_connected = host

    def resumed(self) -> None:
        """The machine goes on after its state came from elsewhere."""
        if not self.is_console and self.told_connected != self.host_connected:
            self.controller.tell(self.nr, Event.PORT_OPEN, int(self.host_connected))
        self.throttled = False
        self.send_output()
        self.room_for_input()

    told_connected = False


@device_class("virtconsole", bus="virtio-serial-bus", category="input")
class VirtConsole(SerialPort):
    """A console."""

    is_console = True


@device_class("virtserialport", bus="virtio-serial-bus", category="input")
class VirtSerialPort(SerialPort):
    """A port for programs."""

    is_console = False
