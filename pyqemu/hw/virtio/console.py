"""``virtio-serial``: a controller of consoles and ports (Virtual I/O Device Version 1.0, 5.3).

It has two queues for each port, and two for messages about ports. Port 0's come first: a driver that knows no such
messages has that port alone. What is plugged in is in :mod:`pyqemu.hw.virtio.ports`.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pyqemu.hw.core.bus import DeviceBus
from pyqemu.hw.virtio import registers as r
from pyqemu.hw.virtio.device import VirtioDevice, bits
from pyqemu.hw.virtio.elements import pack_element, read_element
from pyqemu.hw.virtio.pci import VirtioPci
from pyqemu.hw.virtio.queue import Element, VirtQueue, gather, scatter
from pyqemu.hw.virtio.state import virtio_vmstate
from pyqemu.qapi.errors import QapiError
from pyqemu.qom import Bus, DeviceError, Property, device_class
from pyqemu.qom.vmstate import Field, LoadError, Reader, Scope, VMState
from pyqemu.qom.vmstate.field import mismatch

if TYPE_CHECKING:
    from pyqemu.hw.virtio.ports import SerialPort
    from pyqemu.qom.vmstate.layout import Description
    from pyqemu.system import System

F_SIZE, F_MULTIPORT = 0, 1
CONFIG = struct.Struct("<HHI")  # columns, rows, greatest number of ports
MESSAGE = struct.Struct("<IHH")  # port, event, value
PORT_QUEUE, CONTROL_QUEUE = 128, 32
MAX_PORTS = r.MAX_QUEUES // 2 - 1  # the control queues take two
MESSAGE_LIMIT = 512  # bytes of a message that are looked at


class Event(enum.IntEnum):
    """What messages are about (5.3.6.2)."""

    DEVICE_READY = 0
    PORT_ADD = 1
    PORT_REMOVE = 2
    PORT_READY = 3
    CONSOLE_PORT = 4
    RESIZE = 5
    PORT_OPEN = 6
    PORT_NAME = 7


class SerialBus(DeviceBus["SerialPort"]):
    """The places for ports."""

    type_name = "virtio-serial-bus"
    hotplug = True

    def __init__(self, name: str, system: System, controller: VirtioSerial) -> None:
        super().__init__(name, system)
        self.controller = controller
        self.reserved = 1  # bits by number; 0 is kept for a console, which old drivers look for there

    def plug(self, device: SerialPort) -> SerialPort:
        """Plug in a port and let the driver know.

        :raise DeviceError: its number or name is taken, or cannot be.
        """
        device.nr = self._choose(device)
        if device.name_property and any(port.name_property == device.name_property for port in self.children):
            raise DeviceError(f"virtio-serial-bus: A port already exists by name {device.name_property}")
        super().plug(device)
        self.reserved |= 1 << device.nr
        self.controller.tell(device.nr, Event.PORT_ADD, 1)
        return device

    def _choose(self, device: SerialPort) -> int:
        limit = self.controller.max_ports
        wanted = device.nr
        first = device.is_console and not any(port.is_console for port in self.children) and self.port(0) is None
        if wanted == device.ANY:
            wanted = 0 if first else next((number for number in range(limit) if not self.reserved >> number & 1), limit)
            if wanted == limit:
                raise DeviceError("virtio-serial-bus: Maximum port limit for this device reached", f"max_ports={limit}")
        if self.port(wanted) is not None:
            raise DeviceError(f"virtio-serial-bus: A port already exists at id {wanted}")
        if wanted >= limit:
            raise DeviceError(
                f"virtio-serial-bus: Out-of-range port id specified, max. allowed: {limit - 1}", "nr=N, or none"
            )
        return wanted

    def unplug(self, device: SerialPort) -> None:
        """Take a port out and let the driver know."""
        device.discard_output()
        super().unplug(device)
        self.reserved &= ~(1 << device.nr)
        self.controller.tell(device.nr, Event.PORT_REMOVE, 1)

    def port(self, number: int) -> SerialPort | None:
        """The port of that number."""
        return next((port for port in self.children if port.nr == number), None)


class Ports(Field):
    """Size of a terminal, the numbers that are taken, and each port with what its queue has given and it not used."""

    head = struct.Struct(">HHI")

    def write(self, device: Any, out: bytearray) -> list[Description]:
        bus = device.serial_bus
        out += self.head.pack(0, 0, device.max_ports)
        for word in range((device.max_ports + 31) // 32):
            out += struct.pack(">I", bus.reserved >> 32 * word & 0xFFFF_FFFF)
        out += struct.pack(">I", len(bus.children))
        for port in bus.children:
            out += struct.pack(">IBBI", port.nr, port.guest_connected, port.host_connected, port.element is not None)
            if port.element is not None:
                out += struct.pack(">IQ", *port.place()) + pack_element(port.element)
        return []

    def read(self, reader: Reader, scope: Scope) -> list[dict[str, Any]]:
        device: Any = scope.device
        start = reader.position
        *_, limit = self.head.unpack(reader.take(self.head.size))
        words = (device.max_ports + 31) // 32
        if (limit + 31) // 32 != words:  # QEMU has never sent another number than its own
            raise mismatch(f"{device.max_ports} ports at most", limit, start)
        taken = sum(int.from_bytes(reader.take(4), "big") << 32 * word for word in range(words))
        if taken != device.serial_bus.reserved:
            raise LoadError(
                f"ports {taken:#x} (one bit each) are plugged in there, {device.serial_bus.reserved:#x} here", start
            )
        count = int.from_bytes(reader.take(4), "big")
        if count > device.max_ports:
            raise mismatch(f"at most {device.max_ports} ports", count, start)
        return [self._one(device, reader) for _ in range(count)]

    def _one(self, device: Any, reader: Reader) -> dict[str, Any]:
        start = reader.position
        number, guest, host, held = struct.unpack(">IBBI", reader.take(10))
        if device.serial_bus.port(number) is None:
            raise LoadError(f"there is no port {number} here", start)
        found = {"number": number, "guest": bool(guest), "host": bool(host), "element": None, "offset": 0}
        if held:
            index, offset = struct.unpack(">IQ", reader.take(12))
            element = read_element(reader, PORT_QUEUE)
            if index >= len(element.out) or offset > element.out[index].length:
                raise mismatch("a place within the chain", f"piece {index}, byte {offset}", start)
            found["element"] = element
            found["offset"] = sum(piece.length for piece in element.out[:index]) + offset
        return found

    def apply(self, device: Any, value: Any) -> None:
        for found in value:
            port = device.serial_bus.port(found["number"])
            port.load(found["guest"], found["host"], found["element"], found["offset"])


@device_class("virtio-serial-device", bus="virtio-bus", category="input")
class VirtioSerial(VirtioDevice):
    """The controller."""

    device_id = r.ID_CONSOLE
    config_size = CONFIG.size

    max_ports = Property.uint("max_ports", 31)

    vmstate = virtio_vmstate("virtio-console", 3)
    model_state = VMState("virtio-serial ports", fields=(Ports("serial_bus"),))

    def realize(self) -> None:
        """Make the queues, and the bus, which is named after the controller."""
        super().realize()
        if not 1 <= self.max_ports <= MAX_PORTS:
            raise DeviceError(f"Invalid number of ports: {self.max_ports}", f"max_ports=1 to {MAX_PORTS}")
        proxy = self.qom_parent if isinstance(self.qom_parent, VirtioPci) else self
        name = f"{proxy.id}.0" if proxy.id else f"virtio-serial-bus.{_next_number(self.bus.system)}"
        self.serial_bus = SerialBus(name, self.bus.system, self)
        self.add_child(name, self.serial_bus)
        input_, output = self._input, self._output
        for handler in (input_, output):
            self.add_queue(PORT_QUEUE, self._for_port(handler))
        self.add_queue(CONTROL_QUEUE, self._control_input)
        self.control_out = self.add_queue(CONTROL_QUEUE, self._control_output)
        for _ in range(1, self.max_ports):
            for handler in (input_, output):
                self.add_queue(PORT_QUEUE, self._for_port(handler))

    def unrealize(self) -> None:
        """Take the ports out first."""
        self.reset()
        for port in list(self.serial_bus.children):
            self.serial_bus.unplug(port)

    @property
    def child_buses(self) -> Sequence[Bus]:
        """The bus of ports."""
        return [self.serial_bus] if hasattr(self, "serial_bus") else []

    def features(self) -> int:
        """Messages about ports, if there can be several."""
        return bits(F_MULTIPORT) if self.max_ports > 1 else 0

    def fill_config(self) -> None:
        """No size: nobody says it to old drivers."""
        self.config[:] = CONFIG.pack(0, 0, self.max_ports)

    @property
    def multiport(self) -> bool:
        """Whether the driver knows messages about ports."""
        return self.negotiated(F_MULTIPORT)

    def status_changed(self, status: int) -> None:
        """A driver that cannot open its port has it open; one that is gone has none."""
        if not status & r.STATUS_DRIVER_OK:
            self._driver_gone()
        elif not self.multiport and (port := self.serial_bus.port(0)) is not None:
            port.guest_connected = True

    def _driver_gone(self) -> None:
        for port in self.serial_bus.children:
            port.discard_output()
            if port.guest_connected:
                port.set_guest_connected(False)

    def device_reset(self) -> None:
        """Forget what ports hold."""
        self._driver_gone()

    def started(self) -> None:
        """The machine goes on. If its state came from elsewhere, ports have others at their far end now."""
        loaded = self._look_at_queues
        super().started()
        for port in self.serial_bus.children if loaded else ():
            port.resumed()

    # -- queues

    def queue_pair(self, number: int) -> tuple[VirtQueue, VirtQueue]:
        """The queues of a port: to the driver, and from it."""
        first = 2 * number + 2 if number else 0
        return self.queues[first], self.queues[first + 1]

    def _for_port(self, handler: Callable[[SerialPort], None]) -> Callable[[VirtQueue], None]:
        def handle(queue: VirtQueue) -> None:
            number = queue.index // 2 - 1 if queue.index > 1 else 0
            port = self.serial_bus.port(number)
            if port is not None:
                handler(port)
            elif queue.index & 1:
                discard(queue)

        return handle

    @staticmethod
    def _input(port: SerialPort) -> None:
        port.room_for_input()

    @staticmethod
    def _output(port: SerialPort) -> None:
        port.send_output()

    # -- messages

    def tell(self, number: int, event: Event, value: int, rest: bytes = b"") -> None:
        """Send the driver a message. If it has no buffer for it, it never hears of it, as on QEMU."""
        if not self.multiport:
            return
        queue = self.queues[2]
        element = queue.pop()
        if element is not None:
            queue.push(element, scatter(self.space, element.in_, MESSAGE.pack(number, event, value) + rest))
            queue.notify()

    def _control_input(self, queue: VirtQueue) -> None:
        """There is room for messages; they are not kept for that."""

    def _control_output(self, queue: VirtQueue) -> None:
        count = 0
        while (element := queue.pop()) is not None:
            message = gather(self.space, element.out, 0, MESSAGE_LIMIT)
            if len(message) >= MESSAGE.size:
                self._heard(*MESSAGE.unpack(message[: MESSAGE.size]))
            queue.push(element, 0)
            count += 1
        if count:
            queue.notify()

    def _heard(self, number: int, event: int, value: int) -> None:
        """The driver has sent a message."""
        if event == Event.DEVICE_READY:
            for port in self.serial_bus.children if value else ():
                self.tell(port.nr, Event.PORT_ADD, 1)
            return
        port_or_none = self.serial_bus.port(number)
        if port_or_none is None:
            return
        if event == Event.PORT_READY and value:
            self._introduce(port_or_none)
        elif event == Event.PORT_OPEN:
            port_or_none.set_guest_connected(bool(value))

    def _introduce(self, port: SerialPort) -> None:
        """The driver is ready for a port: say what it is."""
        if port.is_console:
            self.tell(port.nr, Event.CONSOLE_PORT, 1)
        if port.name_property:
            self.tell(port.nr, Event.PORT_NAME, 1, port.name_property.encode("utf-8") + b"\0")
        if port.host_connected:
            self.tell(port.nr, Event.PORT_OPEN, 1)
        port.room_for_input()


class _Count:
    """How many buses of a machine were numbered."""

    def __init__(self) -> None:
        self.value = 0


def _next_number(system: System) -> int:
    try:
        count = system.part(_Count)
    except QapiError:
        count = _Count()
        system.add_part(count)
    count.value += 1
    return count.value - 1


def discard(queue: VirtQueue) -> None:
    """Give back what the driver has made available, unused; it hears of that even if it was nothing, as on QEMU."""
    while (element := queue.pop()) is not None:
        queue.push(element, 0)
    queue.notify()


def held(element: Element | None, sent: int) -> tuple[int, int]:
    """Which piece of a chain comes next, and how much of that was sent."""
    index = 0
    for piece in element.out if element is not None else ():
        if sent < piece.length:
            break
        index, sent = index + 1, sent - piece.length
    return index, sent


@device_class("virtio-serial-pci", bus="pci", category="input", alias="virtio-serial")
class VirtioSerialPci(VirtioPci):
    """A controller behind PCI."""

    device_id = 0x1003
    class_id = 0x0780
    backend_class = VirtioSerial
    default_vectors = 2
