"""The base of all device models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Protocol

from pyqemu.qom.declared import Declared
from pyqemu.qom.errors import DeviceError
from pyqemu.qom.property import LinkProperty, Property
from pyqemu.qom.tree import Node, Slot
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

    @property
    def children(self) -> Any:
        """The devices on it, in the order in which they were added."""


class Device(Declared):
    """A device model.

    Its life: construction with properties, :meth:`realize` (by the bus or board, once, when all
    properties and collaborators are there), :meth:`reset` at power-on and whenever the machine is
    reset, :meth:`unrealize` if it is unplugged.
    """

    type_name = "device"
    """QEMU's name of the model; set by ``@device_class``."""
    hotpluggable = True
    """Whether the model itself allows it; the bus must allow it, too."""
    bus_type: ClassVar[str | None] = None
    vmstate: ClassVar[VMState | None] = None

    def __init__(self, **props: Any) -> None:
        super().__init__(**props)
        self.id: str | None = None
        self.bus: Any = None
        self.realized = False
        self.hotplugged = False

    @property
    def name(self) -> str:
        """How to call it in messages: its id, or its model's name."""
        return self.id or self.type_name

    @property
    def parent_bus(self) -> Any:
        """The bus that it is plugged into, if any."""
        return self.bus

    @property
    def child_buses(self) -> Sequence[Bus]:
        """The buses that it makes."""
        return ()

    def tree_lines(self) -> list[str]:
        """What ``info qtree`` shows besides its properties."""
        return []

    def realize(self) -> None:
        """Become real: take lines and ranges from the collaborators.

        :raise DeviceError: the properties make no sense together.
        """

    def unrealize(self) -> None:
        """Give back what :meth:`realize` took."""

    def reset(self) -> None:
        """Go to the state after power-on or reset."""

    # -- properties as text

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

    def before_set(self, prop: Property[Any]) -> None:
        """What made a device real can't be changed afterwards."""
        if self.realized:
            raise DeviceError(
                f"Attempt to set property '{prop.name}' on device '{self.id or ''}' (type '{self.type_name}') "
                "after it was realized"
            )

    def qom_slots(self) -> Iterator[Slot]:
        """Also its place and its state."""
        bus = self.parent_bus
        yield from super().qom_slots()
        yield Slot("parent_bus", "link<bus>", lambda: bus.qom_path if isinstance(bus, Node) else "")
        yield Slot("realized", "bool", lambda: self.realized)
        yield Slot("hotplugged", "bool", lambda: self.hotplugged)
        yield Slot("hotpluggable", "bool", lambda: self.hotpluggable)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
