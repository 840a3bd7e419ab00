"""Properties of a proxy that are those of the device behind it: ``-device virtio-blk-pci,drive=D`` sets the device's
``drive``.
"""

from __future__ import annotations

from typing import Any

from pyqemu.qom import Device
from pyqemu.qom.property import LinkProperty, Property


class Alias(Property[Any]):
    """One of them. The proxy has an attribute ``backend``: the device."""

    def __init__(self, target: Property[Any]) -> None:
        Property.__init__(self, target.name, target.type_name, target.default, target.description)
        self.target = target
        self.check, self.parse, self.format = target.check, target.parse, target.format  # type: ignore[method-assign]
        self.from_json, self.to_json = target.from_json, target.to_json  # type: ignore[method-assign]

    def __get__(self, device: Any, owner: type) -> Any:
        return self if device is None else getattr(device.backend, self.target.attribute)

    def __set__(self, device: Any, value: Any) -> None:
        setattr(device.backend, self.target.attribute, value)
        device.__dict__[self.attribute] = value  # only to tell that it was set


class LinkAlias(Alias, LinkProperty):
    """One that is a link."""

    def __init__(self, target: LinkProperty) -> None:
        Alias.__init__(self, target)
        self.kind = target.kind


def with_aliases(proxy: type[Device], backend: type[Device]) -> None:
    """Give a class of proxies the properties of *backend*, under the same names; its own go before."""
    own = {prop.name for base in proxy.__mro__ for prop in vars(base).values() if isinstance(prop, Property)}
    for name, target in backend.properties.items():
        if name not in own:
            alias = LinkAlias(target) if isinstance(target, LinkProperty) else Alias(target)
            setattr(proxy, target.attribute, alias)
            alias.__set_name__(proxy, target.attribute)
