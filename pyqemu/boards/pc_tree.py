"""The tree of a pc's objects, with QEMU's types in the places where QEMU has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pyqemu.boards.object_tree import object_tree
from pyqemu.qom import Bus, Container, Device
from pyqemu.qom.tree import Node, Slot
from pyqemu.qom.types import TYPES, PropertyType
from pyqemu.targets.x86.introspection import X86CpuNode

if TYPE_CHECKING:
    from pyqemu.boards.config import MachineConfig
    from pyqemu.boards.pc import Pc

# fmt: off
CHIP_TYPES = {
    "apic": "apic-common", "ioapic": "ioapic-common", "isa-i8259": "pic-common", "isa-pit": "pit-common",
    "isa-pcspk": "isa-device", "i8257": "isa-device", "mc146818rtc": "isa-device", "hpet": "sys-bus-device",
    "ps2-kbd": "ps2-device", "ps2-mouse": "ps2-device", "qemu-console": "object",
}
# fmt: on
"""The chips of the board that are no device models of their own."""

OWN_PLACES = {"i440FX-pcihost": "i440fx", "fw_cfg_io": "fw_cfg"}

MACHINE_PROPERTIES = [
    PropertyType("accel", "string", "The accelerator"),
    PropertyType("kernel", "string", "Linux kernel image file"),
    PropertyType("initrd", "string", "Linux initial ramdisk file"),
    PropertyType("append", "string", "Linux kernel command line"),
    PropertyType("firmware", "string", "Firmware image"),
    PropertyType("usb", "bool", "Whether there is a USB controller"),
    PropertyType("graphics", "bool", "Whether there is a display adapter"),
    PropertyType("acpi", "bool", "Whether there are ACPI tables"),
    PropertyType("hpet", "bool", "Whether there is a HPET"),
]


class ChipNode(Node):
    """A chip that the board made and wired by itself."""

    def __init__(
        self, type_name: str, bus: Node | None = None, values: Mapping[str, tuple[str, Callable[[], object]]] = {}
    ) -> None:
        super().__init__()
        self.type_name = type_name
        self._bus = bus
        self._values = values

    def qom_slots(self) -> Iterator[Slot]:
        """Like a device's that is there for good."""
        yield from super().qom_slots()
        yield Slot("parent_bus", "link<bus>", lambda: "" if self._bus is None else self._bus.qom_path)
        yield Slot("realized", "bool", lambda: True)
        yield Slot("hotplugged", "bool", lambda: False)
        yield Slot("hotpluggable", "bool", lambda: False)
        for name, (kind, get) in self._values.items():
            yield Slot(name, kind, get)


class MachineNode(Container):
    """``/machine``."""

    type_name = "pc-i440fx-2.6-machine"

    def __init__(self, pc: Pc) -> None:
        super().__init__()
        self._pc = pc

    def qom_slots(self) -> Iterator[Slot]:
        """What the machine was made with, and what its clock shows."""
        yield from super().qom_slots()
        for row in MACHINE_PROPERTIES:
            yield Slot(row.name, row.type, partial(_machine_value, self._pc.config, row.name), None, row.description)
        yield Slot("rtc-time", "struct tm", self._rtc_time)

    def _rtc_time(self) -> dict[str, int]:
        date = self._pc.rtc.date()
        return {
            "tm_year": date.tm_year - 1900, "tm_mon": date.tm_mon - 1, "tm_mday": date.tm_mday,
            "tm_hour": date.tm_hour, "tm_min": date.tm_min, "tm_sec": date.tm_sec,
        }  # fmt: skip


def _machine_value(config: MachineConfig, name: str) -> object:
    match name:
        case "usb":
            return False
        case "graphics":
            return config.vga != "none"
        case "firmware":
            return config.bios
    return getattr(config, name)


class PcTree:
    """The tree of one pc."""

    def __init__(self, pc: Pc, roots: Iterable[Bus], user_devices: Iterable[Device], target: str) -> None:
        self.machine = MachineNode(pc)
        self.root = object_tree(self.machine, pc.chardevs)
        self._named, self._anonymous, self._board = (
            self.machine.container(name) for name in ("peripheral", "peripheral-anon", "unattached")
        )
        for device in user_devices:
            self.place(device)
        self._processor(pc, target)
        self._devices(pc, roots)
        self._consoles(pc)

    def place(self, device: Device) -> None:
        """Put what the user has plugged, and the buses that it makes, into the tree."""
        if device.id is not None:
            self._named.add_child(device.id, device)
        else:
            self._anonymous.add_child("device[*]", device)
        self._buses(device)

    def remove(self, device: Device) -> None:
        """Take a device out."""
        if device.qom_parent is not None:
            device.qom_parent.remove_child(device)

    @staticmethod
    def _buses(device: Device) -> None:
        for bus in device.child_buses:
            if isinstance(bus, Node) and bus.qom_parent is None:
                device.add_child(bus.name, bus)

    def _processor(self, pc: Pc, target: str) -> None:
        self.cpu = X86CpuNode(pc.cpu, target)
        self._board.add_child("device[*]", self.cpu)
        self.cpu.add_child("lapic", ChipNode("apic", None, {
            "id": ("uint32", lambda: pc.cpu.apic_id), "version": ("uint8", lambda: pc.apic.read(0x30, 4) & 0xFF),
        }))  # fmt: skip

    def _devices(self, pc: Pc, roots: Iterable[Bus]) -> None:
        """The chips come where QEMU has them: behind the bridges, the oldest first."""
        main: Any = next(iter(roots))
        self._board.add_child("sysbus", main)
        self._add([*main.children, pc.host.bridge, pc.piix3])
        isa = pc.isa
        pc.host.add_child("ioapic", ChipNode("ioapic", main))
        self._chips("i8257", 2, isa)
        self._chips("isa-i8259", 2, isa)
        self._add([pc.vga] if pc.vga is not None else [])
        if pc.config.hpet:
            self._chips("hpet", 1, main)
        self.rtc = self._chips("mc146818rtc", 1, isa)
        self._chips("isa-pit", 1, isa)
        self._chips("isa-pcspk", 1, isa)
        self._add(_walk(roots))
        for name, kind in (("ps2kbd", "ps2-kbd"), ("ps2mouse", "ps2-mouse")):
            pc.i8042.add_child(name, ChipNode(kind))

    def _chips(self, type_name: str, count: int, bus: Node) -> Node:
        for _ in range(count):
            node = ChipNode(type_name, bus)
            self._board.add_child("device[*]", node)
        return node

    def _add(self, devices: Iterable[Device]) -> None:
        for device in devices:
            if device.qom_parent is not None:
                continue
            if device.type_name in OWN_PLACES:
                self.machine.add_child(OWN_PLACES[device.type_name], device)
            else:
                self._board.add_child("device[*]", device)
            self._buses(device)

    def _consoles(self, pc: Pc) -> None:
        backend = self.root.container("backend")
        if pc.vga is not None:
            backend.add_child("console[*]", _Console(pc.vga))


class _Console(Node):
    """The picture of the display adapter."""

    type_name = "qemu-console"

    def __init__(self, adapter: Device) -> None:
        super().__init__()
        self._adapter = adapter

    def qom_slots(self) -> Iterator[Slot]:
        yield from super().qom_slots()
        yield Slot("device", "link<device>", lambda: self._adapter.qom_path)
        yield Slot("head", "uint32", lambda: 0)


def _walk(buses: Iterable[Bus]) -> Iterator[Device]:
    for bus in buses:
        for device in bus.children:
            yield device
            yield from _walk(device.child_buses)


for _name, _parent in CHIP_TYPES.items():
    TYPES.add(_name, _parent)
TYPES.add("generic-pc-machine", "machine", abstract=True)
TYPES.add(MachineNode.type_name, "generic-pc-machine", lambda: MACHINE_PROPERTIES)
