"""Devices and objects that come and go: ``device_add``, ``object_add``, ``qom-list``, ``qom-set``, ``info qdm``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pyqemu.block import DriveTable
from pyqemu.chardev import Chardevs
from pyqemu.monitor.hmp.commands.devices import complete_path
from pyqemu.monitor.hmp.table import hmp_command
from pyqemu.qapi.errors import QapiError
from pyqemu.qom import Container, Device, commands
from pyqemu.qom.declared import Declared
from pyqemu.qom.objects import UserObject, create_object, object_types
from pyqemu.qom.property import LinkProperty, Property
from pyqemu.qom.registry import DEVICES
from pyqemu.util.errors import OptionError

if TYPE_CHECKING:
    from pyqemu.monitor.hmp.dispatch import Hmp


# --- what can be typed ------------------------------------------------------------------------------------------------


def _complete_options(
    begun: str, types: Mapping[str, type[Declared]], others: Iterable[str], links: Mapping[str, list[str]]
) -> list[str]:
    """A type, then its properties and *others*, with values where these are known."""
    before, comma, last = begun.rpartition(",")
    if not comma:
        return sorted(types)
    cls = types.get(before.partition(",")[0])
    if cls is None:
        return []
    name, equals, _ = last.partition("=")
    if not equals:
        return [f"{before},{key}=" for key in (*others, *cls.properties)]
    prop = cls.properties.get(name)
    return [f"{before},{name}={value}" for value in (_values(prop, links) if prop is not None else ())]


def _values(prop: Property[Any], links: Mapping[str, list[str]]) -> Iterable[str]:
    if isinstance(prop, LinkProperty):
        return links.get(prop.kind, [])
    if prop.type_name == "bool":
        return ("on", "off")
    return getattr(prop, "choices", ())


def _complete_device(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    DEVICES.discover("pyqemu.hw")
    types: dict[str, type[Declared]] = {entry.name: entry.cls for entry in DEVICES.classes if entry.user_creatable}
    links = {
        "drive": [drive.id for drive in hmp.system.part(DriveTable) if drive.id and drive.attached_to is None],
        "chardev": [chardev.label for chardev in hmp.system.part(Chardevs) if not chardev.busy],
    }
    return _complete_options(begun, types, ("id", "bus"), links)


def _complete_type(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return _complete_options(begun, dict(object_types()), ("id",), {})


def _children(hmp: Hmp, path: str) -> dict[str, object]:
    node = hmp.system.part(Container).resolve(path)
    return dict(node.qom_children) if node is not None else {}


def _complete_device_id(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [name for name, child in _children(hmp, "/machine/peripheral").items() if isinstance(child, Device)]


def _complete_object_id(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    return [name for name, child in _children(hmp, "/objects").items() if isinstance(child, UserObject)]


def _complete_property(hmp: Hmp, begun: str, given: list[str]) -> list[str]:
    node = hmp.system.part(Container).resolve(given[-1])
    return [slot.name for slot in node.qom_slots() if slot.set is not None] if node is not None else []


# --- devices ----------------------------------------------------------------------------------------------------------


@hmp_command("device_add", "device:O", "plug a device, as -device does ('help' lists them)",
             parameters="driver[,prop=value][,...]", completers={"device": _complete_device})  # fmt: skip
def device_add(hmp: Hmp, *, device: dict[str, str]) -> None:
    driver = device.get("driver", "")
    if driver in ("help", "?") or "help" in device or "?" in device:
        DEVICES.discover("pyqemu.hw")
        hmp.print(DEVICES.help() if driver in ("help", "?") else DEVICES.help_device(driver))
        return
    hmp.call(commands.device_add, **device)


@hmp_command("device_del", "id:s", "unplug a device", parameters="device", completers={"id": _complete_device_id})
def device_del(hmp: Hmp, *, id: str) -> None:
    hmp.call(commands.device_del, id=id)


@hmp_command("qdm", "", "the device models", is_info=True)
def info_qdm(hmp: Hmp) -> None:
    DEVICES.discover("pyqemu.hw")
    hmp.print(DEVICES.help(show_internal=True))


# --- objects ----------------------------------------------------------------------------------------------------------


@hmp_command("object_add", "object:O", "make an object, as -object does",
             parameters="qom-type,id=str[,prop=value][,...]", completers={"object": _complete_type})  # fmt: skip
def object_add(hmp: Hmp, *, object: dict[str, str]) -> None:
    for key in ("qom-type", "id"):
        if not object.get(key):
            raise QapiError(f"Parameter '{key}' is missing")
    values = {key: value for key, value in object.items() if key not in ("qom-type", "id")}
    with hmp.system.lock:
        create_object(hmp.system.part(Container), object["qom-type"], object["id"], values)


@hmp_command("object_del", "id:s", "delete an object that was made", completers={"id": _complete_object_id})
def object_del(hmp: Hmp, *, id: str) -> None:
    hmp.call(commands.object_del, id=id)


# --- the tree ---------------------------------------------------------------------------------------------------------


@hmp_command("qom-list", "path:s?", "an object's properties", completers={"path": complete_path})
def qom_list(hmp: Hmp, *, path: str | None = None) -> None:
    if path is None:
        hmp.print("/")
        return
    for found in hmp.call(commands.qom_list, path=path):
        hmp.print(f"{found.name} ({found.type})")


@hmp_command("qom-get", "path:s,property:s", "the value of an object's property",
             completers={"path": complete_path})  # fmt: skip
def qom_get(hmp: Hmp, *, path: str, property: str) -> None:
    value = hmp.call(commands.qom_get, path=path, property=property)
    hmp.print(json.dumps(value, indent=4))


@hmp_command("qom-set", "path:s,property:s,value:s", "change an object's property",
             completers={"path": complete_path, "property": _complete_property})  # fmt: skip
def qom_set(hmp: Hmp, *, path: str, property: str, value: str) -> None:
    with hmp.system.lock:
        node = commands.find_node(hmp.system.part(Container), path)
        prop = node.properties.get(property) if isinstance(node, Declared) else None
        commands.qom_set(hmp.system, path=path, property=property, value=value if prop is None else _json(prop, value))


def _json(prop: Property[Any], text: str) -> object:
    """A text as the property would have it from JSON."""
    try:
        return prop.to_json(prop.parse(text))
    except OptionError as error:
        raise QapiError(error.message, hint=error.hint) from None
