"""Commands about the tree of objects, and those that add to it and take from it."""

from __future__ import annotations

from typing import Protocol, TypeVar

from pyqemu.qapi.commands import command
from pyqemu.qapi.errors import ErrorClass, QapiError
from pyqemu.qapi.generated import types as schema
from pyqemu.qapi.generated.types import DevicePropertyInfo, ObjectPropertyInfo, ObjectTypeInfo
from pyqemu.qapi.names import branch_class
from pyqemu.qapi.visit import VISITOR, fields
from pyqemu.qom.device import Device
from pyqemu.qom.errors import DeviceError
from pyqemu.qom.objects import create_object, delete_object
from pyqemu.qom.plugging import Plugging
from pyqemu.qom.tree import Container, Node, Slot
from pyqemu.qom.types import DEVICE_PROPERTIES, TYPES, ObjectType, PropertyType

T = TypeVar("T")


class Parts(Protocol):
    """What these commands need of the machine (``pyqemu.system.System``)."""

    def part(self, kind: type[T]) -> T:
        """Its part of that class."""


def _not_found(what: str) -> QapiError:
    return QapiError(f"{what} not found", ErrorClass.DeviceNotFound)


# --- the tree ---------------------------------------------------------------------------------------------------------


def find_node(root: Container, path: str) -> Node:
    """The node that a client means by an absolute path or the end of one.

    :raise QapiError: there is none, or several.
    """
    found = root.search(path)
    if not found:
        raise _not_found(f"Device '{path}'")
    if len(found) > 1:
        raise QapiError(f"Path '{path}' is ambiguous", hint=", ".join(node.qom_path for node in found))
    return found[0]


def _slot(node: Node, name: str) -> Slot:
    for slot in node.qom_slots():
        if slot.name == name:
            return slot
    raise QapiError(f"Property '{node.type_name}.{name}' not found")


@command("qom-list")
def qom_list(system: Parts, *, path: str) -> list[ObjectPropertyInfo]:
    """The properties of an object, and the objects below it."""
    node = find_node(system.part(Container), path)
    return [ObjectPropertyInfo(name=slot.name, type=slot.type) for slot in node.qom_slots()]


@command("qom-get")
def qom_get(system: Parts, *, path: str, property: str) -> object:
    """A property's value."""
    return _slot(find_node(system.part(Container), path), property).get()


@command("qom-set")
def qom_set(system: Parts, *, path: str, property: str, value: object) -> None:
    """Change a property that may be changed."""
    node = find_node(system.part(Container), path)
    slot = _slot(node, property)
    if slot.set is None:
        raise QapiError(f"Property '{node.type_name}.{property}' is not writable")
    slot.set(value)


# --- types ------------------------------------------------------------------------------------------------------------


@command("qom-list-types")
def qom_list_types(
    system: object, *, implements: str | None = None, abstract: bool | None = None
) -> list[ObjectTypeInfo]:
    """The types that there are."""
    return [
        ObjectTypeInfo(name=type_.name, abstract=type_.abstract or None, parent=type_.parent)
        for type_ in TYPES
        if (abstract or not type_.abstract) and TYPES.implements(type_, implements or "object")
    ]


@command("qom-list-properties")
def qom_list_properties(system: object, *, typename: str) -> list[ObjectPropertyInfo]:
    """What objects of a type can be set to, whether or not there is one."""
    return [
        ObjectPropertyInfo(name=row.name, type=row.type, description=row.description or None, default_value=row.default)
        for row in _properties(typename)
    ]


def _properties(typename: str) -> list[PropertyType]:
    found = TYPES.find(typename)
    if found is None:
        found = _schema_type(typename)
    inherited = DEVICE_PROPERTIES if TYPES.implements(found, "device") else []
    return [PropertyType("type", "string"), *inherited, *found.properties()]


def _schema_type(typename: str) -> ObjectType:
    """A type that this build cannot make, but the schema knows: clients ask for its properties before they try."""
    options = getattr(schema, branch_class("ObjectOptions", typename), None)
    if options is None:
        raise _not_found(f"Class '{typename}'")
    rows = [PropertyType(row.name, row.type) for row in fields(options._members) if row.name not in ("id", "props")]
    return ObjectType(typename, "object", False, lambda: rows)


@command("device-list-properties")
def device_list_properties(system: object, *, typename: str) -> list[DevicePropertyInfo]:
    """What ``device_add`` takes for a model."""
    found = TYPES.find(typename)
    if found is None:
        raise _not_found(f"Device '{typename}'")
    if found.abstract or not TYPES.implements(found, "device"):
        raise QapiError("Parameter 'typename' expects a non-abstract device type")
    return [
        DevicePropertyInfo(name=row.name, type=row.type, description=row.description or None, default_value=row.default)
        for row in found.properties()
    ]


# --- objects ----------------------------------------------------------------------------------------------------------


@command("object-add")
def object_add(system: Parts, /, **arguments: object) -> None:
    """Create an object. Clients of old have its properties in ``props``."""
    given = dict(arguments)
    inner = given.pop("props", {})
    if not isinstance(inner, dict):
        raise QapiError("Invalid parameter type for 'props', expected: object")
    given |= inner
    VISITOR.from_json("ObjectOptions", given)
    type_name, name = str(given.pop("qom-type")), str(given.pop("id"))
    create_object(system.part(Container), type_name, name, given)


@command("object-del")
def object_del(system: Parts, *, id: str) -> None:
    """Delete an object that a user has created."""
    delete_object(system.part(Container), id)


# --- devices ----------------------------------------------------------------------------------------------------------


@command("device_add")
def device_add(system: Parts, /, **arguments: object) -> None:
    """Plug a device while the machine runs. Properties may be typed, or texts as an option has them."""
    options = {name: _option(name, value) for name, value in arguments.items()}
    if not options.get("driver"):
        raise QapiError("Parameter 'driver' is missing")
    system.part(Plugging).add_device(options, hotplug=True)


def _option(name: str, value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case str():
            return value
        case int() | float():
            return str(value)
    raise QapiError(f"Invalid parameter type for '{name}', expected: string")


@command("device_del")
def device_del(system: Parts, *, id: str) -> None:
    """Unplug a device. ``DEVICE_DELETED`` tells when it is gone; where the guest has a say, that may be never."""
    root = system.part(Container)
    found = root.search(id if id.startswith("/") else f"/machine/peripheral/{id}")
    if not found:
        raise _not_found(f"Device '{id}'")
    device = found[0]
    if not isinstance(device, Device):
        raise QapiError(f"{id} is not a hotpluggable device")
    if device.bus is not None and not getattr(device.bus, "hotplug", False):
        raise DeviceError(f"Bus '{device.bus.name}' does not support hotplugging")
    if not device.hotpluggable or device.bus is None:
        raise DeviceError(f"Device '{device.type_name}' does not support hotplugging")
    system.part(Plugging).request_unplug(device)
