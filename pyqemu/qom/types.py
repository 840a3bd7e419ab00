"""What types of objects there are, and what each is a kind of (``qom-list-types``).

Device models register themselves (:mod:`pyqemu.qom.registry`), and so do user-creatable objects
(:mod:`pyqemu.qom.objects`). All other types are rows here, or are added by whoever knows them: processor models by
the target, machines by the boards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyqemu.qom.declared import Declared
from pyqemu.qom.objects import object_types
from pyqemu.qom.property import LinkProperty, Property
from pyqemu.qom.registry import DEVICES


@dataclass(frozen=True)
class PropertyType:
    """A property that objects of a type have: its default is None if it has none that JSON can say."""

    name: str
    type: str
    description: str = ""
    default: object = None


Properties = Callable[[], list[PropertyType]]


def no_properties() -> list[PropertyType]:
    """Of types that have none of their own."""
    return []


@dataclass(frozen=True)
class ObjectType:
    """A type."""

    name: str
    parent: str | None
    abstract: bool = False
    properties: Properties = no_properties


# fmt: off
_ABSTRACT = {
    "object": None, "device": "object", "bus": "object", "machine": "object", "chardev": "object",
    "rng-backend": "object", "memory-backend": "object",
    "cpu": "device", "sys-bus-device": "device", "isa-device": "device",
    "pci-device": "device", "ide-device": "device", "ps2-device": "device",
    "virtio-device": "device", "virtio-serial-port": "device", "virtio-bus": "bus",
    "pic-common": "isa-device", "pit-common": "isa-device",
    "ioapic-common": "sys-bus-device", "apic-common": "device", "pci-host-bridge": "sys-bus-device",
}
_CONCRETE = {
    "container": "object", "accel": "object", "tcg-accel": "accel",
    **{
        f"chardev-{backend}": "chardev"
        for backend in (
            "null", "stdio", "pty", "file", "pipe", "serial", "tty", "ringbuf", "vc", "socket", "udp", "mux",
        )
    },
    "System": "bus", "PCI": "bus", "ISA": "bus", "IDE": "bus", "floppy-bus": "bus", "i2c-bus": "bus",
    "virtio-pci-bus": "virtio-bus", "virtio-mmio-bus": "virtio-bus", "virtio-serial-bus": "bus",
}
# fmt: on

_BUS_PARENTS = {
    "PCI": "pci-device", "ISA": "isa-device", "IDE": "ide-device", "floppy-bus": "device",
    "virtio-bus": "virtio-device", "virtio-serial-bus": "virtio-serial-port",
}  # fmt: skip

DEVICE_PROPERTIES = [
    PropertyType("parent_bus", "link<bus>"),
    PropertyType("realized", "bool"),
    PropertyType("hotplugged", "bool"),
    PropertyType("hotpluggable", "bool"),
]
"""What every device has besides its model's properties."""


class TypeTable:
    """All types of this program."""

    def __init__(self) -> None:
        self._own = {name: ObjectType(name, parent, True) for name, parent in _ABSTRACT.items()}
        self._own |= {name: ObjectType(name, parent) for name, parent in _CONCRETE.items()}

    def add(self, name: str, parent: str, properties: Properties = no_properties, *, abstract: bool = False) -> None:
        """Make a type known."""
        self._own[name] = ObjectType(name, parent, abstract, properties)

    def find(self, name: str) -> ObjectType | None:
        """The type of that name."""
        if name in DEVICES:
            entry = DEVICES.find(name)
            if entry.name == name:  # an alias is no type
                parent = _BUS_PARENTS.get(entry.bus or "", "sys-bus-device")
                return ObjectType(name, parent, False, lambda: declared_properties(entry.cls))
        created = object_types().get(name)
        if created is not None:
            return ObjectType(name, created.parent_type, False, lambda: declared_properties(created))
        return self._own.get(name)

    def __iter__(self) -> Iterator[ObjectType]:
        """Each once, by name."""
        names = {*self._own, *object_types(), *(entry.name for entry in DEVICES.classes)}
        for name in sorted(names):
            found = self.find(name)
            assert found is not None
            yield found

    def implements(self, type_: ObjectType, other: str) -> bool:
        """Whether *type_* is *other* or a kind of it."""
        step: ObjectType | None = type_
        while step is not None and step.name != other:
            step = self.find(step.parent) if step.parent is not None else None
        return step is not None


def declared_properties(cls: type[Declared]) -> list[PropertyType]:
    """The properties that a class declares."""
    return [
        PropertyType(prop.name, prop.type_name, prop.description, _default(prop)) for prop in cls.properties.values()
    ]


def _default(prop: Property[object]) -> object:
    if prop.default is None or isinstance(prop, LinkProperty):
        return None
    return prop.to_json(prop.default)


TYPES = TypeTable()
"""Filled when modules are imported, constant afterwards."""
