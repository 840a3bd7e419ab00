"""Device models by QEMU's names, and what ``-device help`` tells of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pyqemu.qom.device import Device, LinkResolver
from pyqemu.qom.errors import DeviceError
from pyqemu.qom.objects import check_identifier
from pyqemu.qom.property import Property

D = TypeVar("D", bound=type[Device])

# fmt: off
CATEGORIES = {
    "bridge":  "Controller/Bridge/Hub",
    "usb":     "USB",
    "storage": "Storage",
    "network": "Network",
    "input":   "Input",
    "display": "Display",
    "sound":   "Sound",
    "misc":    "Misc",
    "":        "Uncategorized",
}
# fmt: on


@dataclass(frozen=True)
class DeviceClass:
    """A model as the registry knows it."""

    name: str
    cls: type[Device]
    description: str
    bus: str | None
    category: str
    alias: str | None
    user_creatable: bool

    def help_line(self) -> str:
        """Its line of ``-device help``."""
        line = f'name "{self.name}"'
        if self.bus is not None:
            line += f", bus {self.bus}"
        if self.alias is not None:
            line += f', alias "{self.alias}"'
        if self.description:
            line += f', desc "{self.description}"'
        return line if self.user_creatable else f"{line}, no-user"


class Registry:
    """The known models."""

    def __init__(self) -> None:
        self._classes: dict[str, DeviceClass] = {}
        self._aliases: dict[str, str] = {}
        self._packages: dict[str, bool] = {}  # and whether they have been imported

    def add(self, entry: DeviceClass) -> None:
        """Register a model.

        :raise ValueError: the name is taken by another class.
        """
        for name in filter(None, (entry.name, entry.alias)):
            present = self._classes.get(self._aliases.get(name, name))
            if present is not None and present.cls is not entry.cls:
                raise ValueError(f"two device models are named '{name}'")
        self._classes[entry.name] = entry
        if entry.alias is not None:
            self._aliases[entry.alias] = entry.name

    def look_in(self, package: str) -> None:
        """Models are in modules below ``package``: who asks for one that is not known has them imported."""
        self._packages.setdefault(package, False)

    def discover(self, package: str) -> None:
        """Import all modules below ``package``, so that the models in them register themselves; once."""
        self.look_in(package)
        self._load()

    def _load(self) -> None:
        for package, is_loaded in list(self._packages.items()):
            if is_loaded:
                continue
            self._packages[package] = True
            root = importlib.import_module(package)
            for module in pkgutil.walk_packages(root.__path__, f"{package}."):
                importlib.import_module(module.name)

    def find(self, name: str) -> DeviceClass:
        """Return the model of that name or alias.

        :raise DeviceError: there is none.
        """
        found = self._classes[self._aliases.get(name, name)] if name in self else None
        if found is None:
            raise DeviceError(
                f"'{name}' is not a valid device model name", "-device help lists the models that there are"
            )
        return found

    def create(self, name: str, **props: Any) -> Device:
        """Return a new device of model ``name``, not realized yet."""
        return self.find(name).cls(**props)

    def from_options(self, options: Mapping[str, str], resolver: LinkResolver | None = None) -> Device:
        """Return the device of ``-device driver=NAME,id=ID,PROPERTY=VALUE,...``, not realized yet.

        ``bus`` is left to the caller, who knows the buses.

        :raise DeviceError: model, id or a property cannot be as asked.
        """
        name = options.get("driver", "")
        if not name:
            raise DeviceError("Parameter 'driver' is missing", "-device MODEL,PROPERTY=VALUE,...")
        entry = self.find(name)
        if not entry.user_creatable:
            raise DeviceError(f"Parameter 'driver' expects pluggable device type, '{name}' is none")
        device = entry.cls()
        for key, text in options.items():
            if key == "id":
                check_identifier(text)
                device.id = text
            elif key not in ("driver", "bus"):
                device.set_option(key, text, resolver)
        return device

    def __contains__(self, name: str) -> bool:
        if self._aliases.get(name, name) not in self._classes:
            self._load()
        return self._aliases.get(name, name) in self._classes

    @property
    def classes(self) -> list[DeviceClass]:
        """All models, sorted by name."""
        self._load()
        return sorted(self._classes.values(), key=lambda entry: entry.name)

    def help(self, *, show_internal: bool = False) -> str:
        """The text of ``-device help``."""
        parts = []
        for category, title in CATEGORIES.items():
            lines = [
                entry.help_line()
                for entry in self.classes
                if entry.category == category and (entry.user_creatable or show_internal)
            ]
            if lines:
                parts.append("\n".join([f"{title} devices:", *lines]))
        return "\n\n".join(parts)

    def help_device(self, name: str) -> str:
        """The text of ``-device NAME,help``: its properties.

        :raise DeviceError: there is no such model.
        """
        entry = self.find(name)
        lines = []
        for prop in sorted(entry.cls.properties.values(), key=lambda prop: prop.name):
            note = f" ({prop.description})" if prop.description else ""
            lines.append(f"{entry.name}.{prop.name}={prop.type_name}{note}")
        return "\n".join(lines)

    def list_properties(self, name: str) -> list[Property[Any]]:
        """What ``device-list-properties`` answers from."""
        return list(self.find(name).cls.properties.values())


DEVICES = Registry()
"""The models of this program: filled when their modules are imported, constant afterwards."""


def device_class(
    name: str,
    *,
    description: str = "",
    bus: str | None = None,
    category: str = "",
    alias: str | None = None,
    user_creatable: bool = True,
    registry: Registry = DEVICES,
) -> Callable[[D], D]:
    """Register the decorated class under QEMU's type name.

    ``bus`` is the type of bus it plugs into, as "ISA" or "PCI" (lower case is taken too); without it
    the base class tells.
    """
    named = {"isa": "ISA", "pci": "PCI", "ide": "IDE", "sysbus": "System"}.get(bus or "", bus)

    def register(cls: D) -> D:
        if category not in CATEGORIES:
            raise ValueError(f"device model '{name}': there is no category '{category}'")
        bus_type = named or cls.bus_type
        cls.type_name = name
        cls.bus_type = bus_type
        registry.add(DeviceClass(name, cls, description, bus_type, category, alias, user_creatable))
        return cls

    return register
