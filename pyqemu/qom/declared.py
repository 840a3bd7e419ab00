"""Nodes whose properties are declared in their class: devices, and objects that users create."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pyqemu.qom.errors import DeviceError
from pyqemu.qom.property import LinkProperty, Property
from pyqemu.qom.tree import Node, Slot


class Declared(Node):
    """A node that is made with properties."""

    properties: ClassVar[Mapping[str, Property[Any]]] = {}
    """All properties by QEMU's names."""

    def __init__(self, **props: Any) -> None:
        super().__init__()
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

    def own_properties(self) -> list[str]:
        """The names of those that are its own, not those of a part of it."""
        return list(self.properties)

    def get_option(self, name: str) -> str:
        """Return a property's value as text."""
        prop = self.find_property(name)
        return prop.format(getattr(self, prop.attribute))

    def options(self) -> Iterator[tuple[str, str]]:
        """All properties with their values as text."""
        for name in self.properties:
            yield name, self.get_option(name)

    def qom_slots(self) -> Iterator[Slot]:
        """As of every node, then the declared ones."""
        yield from super().qom_slots()
        for prop in self.properties.values():
            yield self._slot(prop)

    def _slot(self, prop: Property[Any]) -> Slot:
        def get() -> object:
            value = getattr(self, prop.attribute)
            numeric = isinstance(value, bool | int)
            return prop.to_json(value) if numeric else self.get_option(prop.name)

        def set(value: object) -> None:
            self.before_set(prop)
            setattr(self, prop.attribute, prop.from_json(value))

        return Slot(prop.name, prop.type_name, get, None if isinstance(prop, LinkProperty) else set, prop.description)

    def before_set(self, prop: Property[Any]) -> None:
        """Somebody wants to change *prop* while the node is in the tree.

        :raise DeviceError: it is too late for that.
        """
