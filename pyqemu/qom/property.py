"""Properties: declared once in the class, and from there parsed, checked, listed and shown.

::

    iobase = Property.uint("iobase", 0x3F8)

makes a typed attribute of the device whose value an option string (``iobase=0x2f8``) may set before
the device is realized. The messages are QEMU's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Generic, Self, TypeVar, overload

from pyqemu.qom.errors import DeviceError
from pyqemu.util.errors import OptionError
from pyqemu.util.options import parse_bool
from pyqemu.util.units import parse_size

T = TypeVar("T")

# The makers below are named after the types, which hides these in the class body.
Bool = bool
Int = int
Text = str


class Property(Generic[T]):
    """One property: a descriptor whose value lives in the device.

    :ivar name: QEMU's name of it, as options spell it (the attribute's name is Python's).
    :ivar type_name: the type as ``-device X,help`` shows it.
    """

    def __init__(self, name: str, type_name: str, default: T, description: str = "") -> None:
        self.name = name
        self.type_name = type_name
        self.default = default
        self.description = description
        self.attribute = name

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute = attribute

    @overload
    def __get__(self, device: None, owner: type) -> Self: ...

    @overload
    def __get__(self, device: object, owner: type) -> T: ...

    def __get__(self, device: object | None, owner: type) -> Self | T:
        if device is None:
            return self
        value: T = device.__dict__.get(self.attribute, self.default)
        return value

    def __set__(self, device: object, value: T) -> None:
        device.__dict__[self.attribute] = self.check(value)

    def check(self, value: T) -> T:
        """Return the value to store.

        :raise DeviceError: it is not one that the property can have.
        """
        return value

    def parse(self, text: str) -> T:
        """Return the value that ``text`` spells.

        :raise DeviceError: it spells none.
        """
        raise NotImplementedError

    def format(self, value: T) -> str:
        """The inverse of :meth:`parse`; empty for no value."""
        return "" if value is None else str(value)

    def from_json(self, value: object) -> T:
        """The value that comes as JSON.

        :raise DeviceError: it is of another type.
        """
        if type(value) is not str:
            raise self._wrong_type("string")
        return self.parse(value)

    def to_json(self, value: T) -> object:
        """The inverse of :meth:`from_json`."""
        return self.format(value)

    def _wrong_type(self, expected: Text) -> DeviceError:
        return DeviceError(f"Invalid parameter type for '{self.name}', expected: {expected}")

    def assign(self, device: object, text: str) -> None:
        """Set it in ``device`` from an option's text."""
        try:
            self.__set__(device, self.parse(text))
        except OptionError as error:
            raise DeviceError(error.message, error.hint) from None

    # -- makers

    @staticmethod
    def uint(name: Text, default: Int = 0, bits: Int = 32, description: Text = "") -> Property[Int]:
        """An unsigned integer of 8, 16, 32 or 64 bits."""
        return _Integer(name, f"uint{bits}", default, 0, (1 << bits) - 1, description)

    @staticmethod
    def int(name: Text, default: Int = 0, bits: Int = 32, description: Text = "") -> Property[Int]:
        """A signed integer."""
        limit = 1 << (bits - 1)
        return _Integer(name, f"int{bits}", default, -limit, limit - 1, description)

    @staticmethod
    def bool(name: Text, default: Bool = False, description: Text = "on/off") -> Property[Bool]:
        """``on`` or ``off``."""
        return _Boolean(name, "bool", default, description)

    @staticmethod
    def size(name: Text, default: Int = 0, description: Text = "") -> Property[Int]:
        """A number of bytes; suffixes are allowed."""
        return _Size(name, "size", default, 0, (1 << 64) - 1, description)

    @staticmethod
    def str(name: Text, default: Text | None = None, description: Text = "") -> Property[Text | None]:
        """A text, or None if it was not given."""
        return _Text(name, "str", default, description)

    @staticmethod
    def enum(name: Text, choices: Sequence[Text], default: Text, description: Text = "") -> Property[Text]:
        """One word out of several."""
        return _Choice(name, choices, default, description)

    @staticmethod
    def macaddr(name: Text = "mac", default: bytes | None = None) -> Property[bytes | None]:
        """An Ethernet address, six bytes; None lets the machine choose one."""
        return _MacAddress(name, "str", default, "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56")

    @staticmethod
    def link(name: Text, kind: Text, description: Text = "") -> Property[Any]:
        """A backend, found by its id: ``kind`` is "drive", "chardev" or "netdev". None if not given."""
        return LinkProperty(name, kind, description)


class _Integer(Property[int]):
    def __init__(self, name: str, type_name: str, default: int, low: int, high: int, description: str) -> None:
        super().__init__(name, type_name, default, description)
        self.low, self.high = low, high

    def check(self, value: int) -> int:
        if not self.low <= value <= self.high:
            raise DeviceError(f"Parameter '{self.name}' expects {self.type_name}_t", f"{self.low} to {self.high}")
        return value

    def parse(self, text: str) -> int:
        if not re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F]+|\d+)", text):
            raise DeviceError(f"Parameter '{self.name}' expects an int64 value or range")
        digits = text.lstrip("+-")
        octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
        if octal and not re.fullmatch("[0-7]+", digits):
            raise DeviceError(f"Parameter '{self.name}' expects an int64 value or range")
        value = int(digits, 8) if octal else int(digits, 0)
        return -value if text[0] == "-" else value

    def from_json(self, value: object) -> int:
        if type(value) is not int:
            raise self._wrong_type("integer")
        return value

    def to_json(self, value: int) -> object:
        return value


class _Size(_Integer):
    def parse(self, text: str) -> int:
        return parse_size(text, self.name)


class _Boolean(Property[bool]):
    def parse(self, text: str) -> bool:
        return parse_bool(text, self.name)

    def format(self, value: bool) -> str:
        return "true" if value else "false"

    def from_json(self, value: object) -> bool:
        if type(value) is not bool:
            raise self._wrong_type("boolean")
        return value

    def to_json(self, value: bool) -> object:
        return value


class _Text(Property["str | None"]):
    def parse(self, text: str) -> str | None:
        return text


class _Choice(Property[str]):
    def __init__(self, name: str, choices: Sequence[str], default: str, description: str) -> None:
        super().__init__(name, "str", default, description or "/".join(choices))
        self.choices = tuple(choices)

    def check(self, value: str) -> str:
        if value not in self.choices:
            raise DeviceError(
                f"Parameter '{self.name}' does not accept value '{value}'",
                "one of " + ", ".join(self.choices),
            )
        return value

    def parse(self, text: str) -> str:
        return text


class _MacAddress(Property["bytes | None"]):
    def parse(self, text: str) -> bytes | None:
        if not re.fullmatch(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}", text):
            raise DeviceError(f"Parameter '{self.name}' expects a MAC address, but it is '{text}'", "52:54:00:12:34:56")
        return bytes.fromhex(text.replace(":", "").replace("-", ""))

    def format(self, value: bytes | None) -> str:
        return value.hex(":") if value is not None else ""


class LinkProperty(Property[Any]):
    """A reference to a backend. Its text is an id; whoever knows the backends resolves it."""

    def __init__(self, name: str, kind: str, description: str = "") -> None:
        default_text = {
            "drive": "ID of a drive to use as a backend",
            "chardev": "ID of a chardev to use as a backend",
            "netdev": "ID of a netdev to use as a backend",
        }
        super().__init__(name, "str", None, description or default_text.get(kind, f"ID of a {kind}"))
        self.kind = kind

    def parse(self, text: str) -> Any:
        raise NotImplementedError("links are resolved by Device.set_option")

    def format(self, value: Any) -> str:
        for attribute in ("id", "label", "name"):
            found = getattr(value, attribute, None)
            if isinstance(found, str):
                return found
        return ""
