"""The base of all device models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Protocol

from pyqemu.qom.errors import DeviceError
from pyqemu.qom.property import LinkProperty, Property
from pyqemu.qom.tree import Node
from pyqemu.qom.vmstate import VMState

__all__ = ["Bus", "Device", "DeviceError", "LinkResolver"]

LinkResolver = Callable[[str, str], Any]
"""Finds a backend: ``resolver(kind, id)`` returns it, or None if there is none of that id."""


class Bus(Protocol):
    """What a device hangs on."""

    name: str
    """Such as "isa.0"."""
    type_name: str
    """Such as "ISA"; a device class names the type that it needs."""
    devices: Any
    """The devices on it."""


class Device(Node):
    """A device model.

    Its life: construction with properties, :meth:`realize` (by the bus or board, once, when all
    properties and collaborators are there), :meth:`reset` at power-on and whenever the machine is
    reset, :meth:`unrealize` if it is unplugged.
    """

    type_name: ClassVar[str] = "device"
    """QEMU's name of the model; set by ``@device_class``."""
    bus_type: ClassVar[str | None] = None
    properties: ClassVar[Mapping[str, Property[Any]]] = {}
    """All properties by QEMU's names."""
    vmstate: ClassVar[VMState | None] = None

    def __init__(self, **props: Any) -> None:
        super().__init__()
        self.id: str | None = None
        self.bus: Any = None
        self.realized = False
        known = {prop.attribute: prop for prop in self.properties.values()}
        for attribute, value in props.items():
            if attribute not in known:
                raise TypeError(f"{type(self).__name__} has no property attribute '{attribute}'")
            setattr(self, attribute, value)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Collect the declared properties, the inherited ones included."""
        super().__init_subclass__(**kwargs)
        found: dict[str, Property[Any]] = {}
        for base in reversed(cls.__mro__):
            found.update((value.name, value) for value in vars(base).values() if isinstance(value, Property))
        cls.properties = found

    @property
    def name(self) -> str:
        """How to call it in messages: its id, or its model's name."""
        return self.id or self.type_name

    @property
    def parent_bus(self) -> Any:
        """The bus that it is plugged into, if any."""
        return self.bus

    def realize(self) -> None:
        """Become real: take lines and ranges from the collaborators.

        :raise DeviceError: the properties make no sense together.
        """

    def unrealize(self) -> None:
        """Give back what :meth:`realize` took."""

    def reset(self) -> None:
        """Go to the state after power-on or reset."""

    # -- properties as text

    @classmethod
    def find_property(cls, name: str) -> Property[Any]:
        """Return the property of QEMU's name ``name``.

        :raise DeviceError: there is none.
        """
        found = cls.properties.get(name)
        if found is None:
            known = ", ".join(sorted(cls.properties)) or "none"
            raise DeviceError(f"Property '.{name}' not found", f"properties of {cls.type_name}: {known}")
        return found

    def set_option(self, name: str, text: str, resolver: LinkResolver | None = None) -> None:
        """Set a property from an option string.

        :raise DeviceError: it does not exist, or cannot have that value.
        """
        prop = self.find_property(name)
        if not isinstance(prop, LinkProperty):
            prop.assign(self, text)
            return
        target = resolver(prop.kind, text) if resolver is not None else None
        if target is None:
            raise DeviceError(f"Property '{self.type_name}.{name}' can't find value '{text}'")
        setattr(self, prop.attribute, target)

    def get_option(self, name: str) -> str:
        """Return a property's value as text."""
        prop = self.find_property(name)
        return prop.format(getattr(self, prop.attribute))

    def options(self) -> Iterator[tuple[str, str]]:
        """All properties with their values as text."""
        for name in self.properties:
            yield name, self.get_option(name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
